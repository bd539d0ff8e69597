"""Phantoms have the truth that they claim, whatever is drawn."""

from dataclasses import replace

import numpy as np
import pytest

from thyrocast.simulation import gland_batches, lookalikes, phantoms, scene
from thyrocast.simulation.bodies import Body, Part
from thyrocast.simulation.gland_batches import batch
from thyrocast.simulation.kinds import THYROIDS, Kind
from thyrocast.simulation.phantoms import Camera
from thyrocast.simulation.scene import Scene

CAMERA = Camera(
    pixel_mm=2.5, rows=100, columns=100, x=10.0, y=-12.0, tilt=0.0, fwhm_mm=8.0, tail=0.0,
    tail_mm=10.0, scatter=0.0, scatter_mm=20.0, counts=1e6,
)  # fmt: skip
RIGHT = Body(Part.RIGHT, -20.0, 0.0, 10.0, 25.0, 10.0, amount=0.06)
LEFT = Body(Part.LEFT, 20.0, 5.0, 8.0, 20.0, 8.0, amount=0.04)


def draw(bodies: list[Body], camera: Camera = CAMERA) -> phantoms.Phantom:
    return phantoms.render(np.random.default_rng(0), Scene(Kind.GLAND, bodies, uptake=0.1), camera)


def test_outlines_and_counts_are_where_the_lobes_are() -> None:
    phantom = draw([RIGHT, LEFT])
    assert phantom.right.sum() * 4 == pytest.approx(np.pi * 10 * 25, rel=0.06)
    assert phantom.left.sum() * 4 == pytest.approx(np.pi * 8 * 20, rel=0.06)
    rows, columns = np.nonzero(phantom.right)
    assert (columns.mean() + 0.5) * 2 - 125 == pytest.approx(10 - 20, abs=1)
    assert (rows.mean() + 0.5) * 2 - 125 == pytest.approx(-12, abs=1)
    assert phantom.counts.sum() == pytest.approx(1e6, rel=0.01)
    half = phantom.counts[:, :54].sum() / phantom.counts.sum()
    assert half == pytest.approx(0.6, abs=0.02)


def test_a_pinhole_shows_the_gland_larger() -> None:
    large = draw([RIGHT, LEFT], replace(CAMERA, magnification=1.5))
    small = draw([RIGHT, LEFT])
    assert large.right.sum() / small.right.sum() == pytest.approx(1.5**2, rel=0.05)


def test_the_same_seed_gives_the_same_image() -> None:
    first, again = (phantoms.render(np.random.default_rng(3)) for _ in range(2))
    assert np.array_equal(first.counts, again.counts)


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_of_scene_can_be_drawn(kind: Kind) -> None:
    rng = np.random.default_rng(1)
    for _ in range(5):
        phantom = phantoms.render(rng, scene.draw(rng, kind))
        assert np.isfinite(phantom.counts).all()
        assert phantom.counts.min() >= 0
        assert not (phantom.right & phantom.left).any()
        if kind not in THYROIDS:
            assert phantom.visible is False
            assert not phantom.right.any()


def test_counts_are_resampled_without_loss() -> None:
    counts = np.random.default_rng(0).poisson(5.0, (60, 50)).astype(float)
    grid = phantoms.regrid(counts, 3.0, 2.0, (90, 75))
    assert grid.sum() == pytest.approx(counts.sum(), rel=1e-5)


def test_batches_have_the_shapes_of_the_network() -> None:
    features, lobes, field, visible = batch(4, 2, 0)
    assert features.shape == (4, 7, 80, 80)
    assert lobes.shape == (4, 2, 160, 160)
    assert field.shape == (4, 160, 160)
    assert set(visible) <= {-1, 0, 1}
    assert np.isfinite(features).all()


def test_lookalikes_are_thyroids_only_if_they_say_so() -> None:
    kinds = set()
    for number in range(60):
        rng = np.random.default_rng([2, number])
        drawn = lookalikes.draw(rng)
        phantom = phantoms.render(rng, drawn)
        kinds.add(drawn.kind)
        assert np.isfinite(phantom.counts).all()
        assert phantom.right.any() <= (drawn.kind in THYROIDS)
        assert phantom.visible is False or drawn.kind in THYROIDS
    assert kinds >= {Kind.GLAND, Kind.SYRINGE, Kind.ORGANS}


def test_a_turned_thyroid_counts_as_none_and_keeps_its_outline() -> None:
    phantom = draw([RIGHT, LEFT])
    turned = {
        gland_batches.turned(phantom, np.random.default_rng(seed)).counts.shape for seed in range(9)
    }
    assert turned == {(100, 100)}
    for seed in range(9):
        other = gland_batches.turned(phantom, np.random.default_rng(seed))
        assert other.visible is False
        assert (other.right | other.left).sum() == (phantom.right | phantom.left).sum()
        middles = [np.nonzero(side)[1].mean() for side in (other.right, other.left)]
        assert middles[0] < middles[1]


def test_a_training_without_lookalikes_draws_what_it_drew_before() -> None:
    alone = gland_batches.draw(np.random.default_rng(4), 0.0)
    assert np.array_equal(alone.counts, phantoms.render(np.random.default_rng(4)).counts)
    features, _, _, visible = batch(6, 2, 0, 1.0)
    assert np.isfinite(features).all()
    assert set(visible) <= {-1, 0, 1}
