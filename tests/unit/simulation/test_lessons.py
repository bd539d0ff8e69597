"""Lessons of the pretraining: standardized phantoms with their truth."""

from dataclasses import replace

import numpy as np
import pytest

from thyrocast.image.encoder import MEASURES, SIZE
from thyrocast.simulation import lessons, phantoms, scene, solid
from thyrocast.simulation.bodies import texture
from thyrocast.simulation.kinds import Kind
from thyrocast.simulation.lessons import BLOCK, MARGIN
from thyrocast.simulation.scene import Scene


def test_lessons_have_the_truth_of_their_phantoms() -> None:
    rng = np.random.default_rng([4, 2])
    drawn = phantoms.render(rng, lessons.draw_scene(rng))
    lesson = lessons.standardized(drawn)
    assert lesson is not None
    side = SIZE + 2 * MARGIN
    assert lesson.image.shape == (side, side)
    assert lesson.lobes.shape == (2, side // BLOCK, side // BLOCK)
    found = dict(zip(MEASURES, lesson.measures, strict=True))
    mass = sum(b.volume for b in drawn.scene.bodies if b.part != "other" and b.amount > 0) / 1000
    assert np.exp(found["mass"]) == pytest.approx(mass, rel=1e-4)
    assert np.exp(found["uptake"]) == pytest.approx(100 * drawn.scene.uptake, rel=1e-3)
    assert np.exp(found["heterogeneity"]) - 0.03 == pytest.approx(drawn.heterogeneity, abs=1e-4)


def test_a_phantom_without_a_gland_is_left_out() -> None:
    rng = np.random.default_rng(0)
    assert lessons.standardized(phantoms.render(rng, scene.draw(rng, Kind.SYRINGE))) is None


def test_the_same_seed_draws_the_same_lessons() -> None:
    first, again = (lessons.lessons(4, 9) for _ in range(2))
    assert np.array_equal(first.images, again.images)
    assert np.array_equal(first.measures, again.measures, equal_nan=True)


def test_variance_after_averaging_along_a_ray() -> None:
    # Numbers of a three-dimensional field, averaged over a length, against the formula.
    rng = np.random.default_rng(2)
    for scale, length in ((5.0, 30.0), (12.0, 20.0), (3.0, 60.0)):
        step, side = 1.0, 400
        means, whole = [], []
        for _ in range(6):
            field = texture(side, step, scale, rng)
            n = int(length / step)
            means.append(field[:, : n * (side // n)].reshape(side, -1, n).mean(2).var())
            whole.append(field.var())
        assert solid.share(np.array(length / (2 * scale))) == pytest.approx(
            np.mean(means) / np.mean(whole), rel=0.15
        )


def voxels(
    unevenness: float, scale: float, foci: list, sharp: bool, rng: np.random.Generator
) -> tuple[float, float]:
    """Coefficient of variation in the volume, and of the means along the rays, of a slab in voxels."""
    from scipy import ndimage

    # A slab out of the middle of more: its two sides do not depend on each other.
    noise = ndimage.gaussian_filter(rng.normal(size=(60, 60, 75)), scale / 2, mode="wrap")
    noise = noise[:, :, 30:45]
    c = np.exp(unevenness * noise / noise.std())
    y, x, z = np.meshgrid(*((np.arange(n) - n / 2 + 0.5) * 2.0 for n in c.shape), indexing="ij")
    for fx, fy, size, gain in foci:
        apart = ((x - fx) ** 2 + (y - fy) ** 2 + z**2) / size**2
        c *= 1 + gain * (apart < solid.BALL**2 if sharp else np.exp(-apart / 2))
    rays = c.mean(2)
    return float(c.std() / c.mean()), float(rays.std() / rays.mean())


@pytest.mark.parametrize(
    ("unevenness", "scale", "foci", "sharp"),
    [
        (0.4, 4.0, [], False),
        (0.0, 5.0, [(5.0, -8.0, 9.0, 2.0)], False),
        (0.25, 7.0, [(-10.0, 4.0, 10.0, -0.8)], False),
        (0.0, 5.0, [(5.0, -8.0, 7.0, 2.0)], True),
        (0.0, 5.0, [(5.0, -8.0, 12.0, -0.8)], True),
    ],
)
def test_texture_in_three_dimensions_is_that_of_voxels(
    unevenness, scale, foci, sharp, monkeypatch
) -> None:
    monkeypatch.setattr(solid, "BALLS", float(sharp))
    line = (np.arange(60) - 30 + 0.5).astype(np.float32) * 2
    thick = np.full((60, 60), 30.0, np.float32)
    own, seen, true, true_seen = [], [], [], []
    drawn = Scene(Kind.GLAND, [], unevenness=unevenness, texture_mm=scale, foci=foci, solid=True)
    for seed in range(12):
        found = solid.uneven(drawn, line, line, 2.0, thick, _plain(seed))
        own.append(found.volume)
        seen.append(found.visible)
        assert found.visible == pytest.approx(found.factor.std() / found.factor.mean(), rel=0.01)
        volume, rays = voxels(unevenness, scale, foci, sharp, np.random.default_rng(seed))
        true.append(volume)
        true_seen.append(rays)
    assert np.mean(own) == pytest.approx(np.mean(true), rel=0.08)
    assert np.mean(seen) == pytest.approx(np.mean(true_seen), rel=0.12)


class _Smooth(np.random.Generator):
    """Draws one smooth texture: neither two scales nor two levels."""

    def random(self, *_args, **_more) -> float:  # type: ignore[override]
        return 0.9


def _plain(seed: int) -> np.random.Generator:
    return _Smooth(np.random.PCG64(seed))


def test_a_thick_gland_shows_less_of_its_texture() -> None:
    line = (np.arange(60) - 30 + 0.5).astype(np.float32) * 2
    drawn = Scene(Kind.GLAND, [], unevenness=0.4, texture_mm=4.0, solid=True)
    thin, thick = (
        solid.uneven(drawn, line, line, 2.0, np.full((60, 60), mm, np.float32), _plain(1))
        for mm in (8.0, 50.0)
    )
    assert thin.volume == pytest.approx(thick.volume, rel=0.1)
    assert thin.visible > 1.8 * thick.visible


def test_draws_are_solid_and_the_gland_finder_s_are_not() -> None:
    rng = np.random.default_rng(0)
    assert lessons.draw_scene(rng).solid
    assert not scene.draw(rng).solid
    assert replace(scene.draw(rng), solid=True).solid
