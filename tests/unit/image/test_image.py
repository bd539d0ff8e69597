"""Geometry keeps counts; glands are found where they are; quantities mean what they say."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import ndimage

from tests.unit.example_scans import neck
from thyrocast import physics
from thyrocast.image import field as images
from thyrocast.image import gland as glands
from thyrocast.image import quantities
from thyrocast.image.field import GRID_MM, Field
from thyrocast.image.gland import NoGlandError
from thyrocast.image.gland_network import Marked
from thyrocast.image.quantities import Quantities, SyringeCounts

LIMITS = (4.0, 150.0)


def measure(
    counts: NDArray[Any], pixel_mm: float = 2.0, seconds: float | None = 300.0
) -> Quantities:
    grid = images.to_grid(counts.astype(float), (pixel_mm, pixel_mm))
    gland = glands.find_gland(grid, GRID_MM, LIMITS)
    return quantities.measure(grid, gland, GRID_MM, seconds, depth_mm=14.0)


@settings(max_examples=40, deadline=None)
@given(
    rows=st.integers(2, 40),
    columns=st.integers(2, 40),
    spacing=st.tuples(st.floats(0.3, 9), st.floats(0.3, 9)),
    size=st.integers(1, 60),
    seed=st.integers(0, 99),
)
def test_resampling_keeps_counts(
    rows: int, columns: int, spacing: tuple[float, float], size: int, seed: int
) -> None:
    counts = np.random.default_rng(seed).poisson(3, (rows, columns)).astype(float)
    side = max(rows * spacing[0], columns * spacing[1])
    field = images.crop(counts, spacing, Field(0.0, 0.0, side, size))
    assert field.sum() == pytest.approx(counts.sum())
    assert field.min() >= -1e-9


def test_a_field_beyond_the_image_is_empty() -> None:
    field = images.crop(np.ones((8, 8)), (2.0, 2.0), Field(-20.0, 40.0, 10.0, 5))
    assert not field.any()


def test_halving_duration_and_counts_changes_no_rate() -> None:
    counts = neck(seed=3).astype(float)
    whole, half = measure(counts, seconds=300.0), measure(counts / 2, seconds=150.0)
    assert half.q_counts == pytest.approx(whole.q_counts / 2, rel=0.02)
    # The network sees how many counts there are, so that the outline may differ by some pixels.
    for name in ("q_rate", "q_area_right", "q_area_left", "q_mass", "q_to_background"):
        assert getattr(half, name) == pytest.approx(getattr(whole, name), rel=0.03), name


@pytest.mark.parametrize("size", [64, 128])
def test_doubling_the_matrix_changes_no_area(size: int) -> None:
    pixel = 256 / size
    coarse = measure(neck(size, pixel, seed=None, total=4e6), pixel)
    fine = measure(neck(2 * size, pixel / 2, seed=None, total=4e6), pixel / 2)
    for name in ("q_area_right", "q_area_left", "q_rate", "q_mass"):
        assert getattr(fine, name) == pytest.approx(
            getattr(coarse, name), rel=0.02 if "area" in name else 0.03
        ), name


def test_pixels_cut_in_four_change_no_area() -> None:
    counts = neck(128, 2.0, seed=5).astype(float)
    cut = np.kron(counts, np.full((2, 2), 0.25))
    whole, fine = measure(counts, 2.0), measure(cut, 1.0)
    for name in ("q_area_right", "q_area_left", "q_rate"):
        assert getattr(fine, name) == pytest.approx(getattr(whole, name), rel=0.02), name


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"lobes": (0.15, 0.15), "salivary": 0.5},  # hardly any uptake, hot salivary glands
        {"lobes": (0.2, 1.0)},  # a hot lobe beside a cold one
        {"shift": (30.0, -35.0)},
        {"background": 0.15},
        {"total": 40_000},
    ],
)
def test_the_gland_is_found(changes: dict[str, Any]) -> None:
    grid = images.to_grid(neck(**changes).astype(float), (2.0, 2.0))
    gland = glands.find_gland(grid, GRID_MM, LIMITS)
    down, right = changes.get("shift", (0.0, 0.0))
    row, column = images.centroid(gland.whole, np.ones_like(grid), GRID_MM)
    assert row == pytest.approx(128 + down, abs=8)
    assert column == pytest.approx(128 + right, abs=10)
    # Each lobe is an ellipse of 28 x 13 mm half-axes, 11.4 cm2.
    for side in (gland.right, gland.left):
        assert 8 < side.sum() * GRID_MM**2 / 100 < 17


def test_right_is_the_patients_right() -> None:
    found = measure(neck(lobes=(1.0, 0.4)))
    assert found.q_asymmetry == pytest.approx((1 - 0.4) / (1 + 0.4), abs=0.08)
    assert measure(neck(lobes=(0.4, 1.0))).q_asymmetry == pytest.approx(-0.43, abs=0.08)


def hips() -> NDArray[np.float64]:
    """Two hips and a sacrum, which the network takes for a thyroid."""
    axis = (np.arange(128) + 0.5) * 2.0 - 128
    y, x = np.meshgrid(axis, axis, indexing="ij")
    density = 0.05 * (np.abs(x) < 120)
    for row, column, tall, wide in ((0, -70, 30, 18), (0, 70, 30, 18), (40, 0, 25, 20)):
        inside = 1 - ((y - row) / tall) ** 2 - ((x - column) / wide) ** 2
        density = density + 0.5 * np.sqrt(np.maximum(inside, 0))
    density = ndimage.gaussian_filter(density, 1.9)
    return np.random.default_rng(1).poisson(density * 3e5 / density.sum()).astype(float)


def test_two_organs_that_are_far_apart_are_no_thyroid(monkeypatch: pytest.MonkeyPatch) -> None:
    grid = images.to_grid(hips(), (2.0, 2.0))
    with pytest.raises(NoGlandError, match="no thyroid found"):
        glands.find_gland(grid, GRID_MM, LIMITS)
    right, left = np.zeros((2, *grid.shape), np.float32)
    right[50:75, 10:25] = left[50:75, 100:115] = 1
    marked = Marked(right, left, 1.0)
    monkeypatch.setattr(glands, "search", lambda _: marked)
    with pytest.raises(NoGlandError, match="too far apart"):
        glands.find_gland(grid, GRID_MM, LIMITS)


def test_ratios_follow_the_image() -> None:
    found = measure(neck(salivary=0.5, seed=None, total=4e6))
    more = measure(neck(salivary=1.0, seed=None, total=4e6))
    assert found.q_to_salivary / more.q_to_salivary == pytest.approx(2, rel=0.2)
    thin = measure(neck(background=0.02, seed=None, total=4e6))
    thick = measure(neck(background=0.04, seed=None, total=4e6))
    assert thin.q_to_background / thick.q_to_background == pytest.approx(1.8, rel=0.15)


def disc(radius: float) -> NDArray[np.float64]:
    axis = (np.arange(128) + 0.5) * 2.0 - 128
    inside = np.hypot(axis[:, None], axis[None, :]) < radius
    return np.random.default_rng(1).poisson(60.0 * inside).astype(float)


def spot(tall: float, wide: float, background: float = 0.0) -> NDArray[np.float64]:
    axis = (np.arange(128) + 0.5) * 2.0 - 128
    shape = np.exp(-((axis[:, None] / tall) ** 2) / 2 - (axis[None, :] / wide) ** 2 / 2)
    return np.random.default_rng(1).poisson(300 * shape + background).astype(float)


@pytest.mark.parametrize(
    "counts",
    [
        spot(3.5, 12.0),  # a syringe across the field
        spot(14.0, 3.5),  # and along it
        spot(3.5, 3.5),  # a point source
        disc(40.0),  # a phantom
        np.random.default_rng(2).poisson(50, (128, 128)).astype(float),  # a flood
        np.zeros((128, 128)) + np.eye(128),
    ],
)
def test_what_is_no_gland_is_refused(counts: NDArray[np.float64]) -> None:
    with pytest.raises(NoGlandError):
        glands.find_gland(images.to_grid(counts, (2.0, 2.0)), GRID_MM, LIMITS)


def test_uptake_by_syringe_is_corrected_for_decay_and_residue() -> None:
    half_life = physics.TC99M_HALF_LIFE_MIN
    full = SyringeCounts(counts=60_000.0, duration_s=60.0, minutes=half_life)
    rest = SyringeCounts(counts=6_000.0, duration_s=60.0, minutes=0.0)
    assert quantities.dose_rate(full, None, None, None, None) == pytest.approx(500)
    assert quantities.dose_rate(full, rest, None, None, None) == pytest.approx(400)
    assert quantities.dose_rate(None, None, 74.0, half_life, 100.0) == pytest.approx(3_700)
    assert quantities.dose_rate(None, None, 74.0, None, 100.0) is None


def test_quantities_that_need_what_is_missing_are_missing() -> None:
    found = measure(neck(), seconds=None)
    assert found.q_rate is None
    assert found.q_uptake is None
    assert found.q_counts > 0


def test_a_lobe_is_an_ellipsoid() -> None:
    axis = np.arange(-40.0, 41.0)
    mask = (axis[:, None] / 25) ** 2 + (axis[None, :] / 10) ** 2 <= 1
    volume, width = quantities.lobe_size(mask, 1.0)
    assert volume == pytest.approx(4 / 3 * np.pi * 25 * 10 * 10 / 1000, rel=0.04)
    assert width == pytest.approx(20, rel=0.04)
    assert quantities.lobe_size(np.zeros((5, 5), bool), 1.0) == (0.0, 0.0)


def uneven(nodule: float) -> NDArray[np.float64]:
    counts = neck(seed=None, total=2e6).astype(float)
    axis = (np.arange(128) + 0.5) * 2.0 - 128
    spot = np.exp(-((axis[:, None] - 8) ** 2 + (axis[None, :] + 17) ** 2) / (2 * 6.0**2))
    return np.random.default_rng(1).poisson(counts * (1 - nodule * spot)).astype(float)


def test_heterogeneity_is_beyond_shape_and_noise() -> None:
    even, cold = measure(uneven(0.0)), measure(uneven(0.8))
    assert even.q_heterogeneity < 0.12
    assert cold.q_heterogeneity > even.q_heterogeneity + 0.05
    rng = np.random.default_rng(2)
    few = measure(rng.binomial(uneven(0.0).astype(int), 0.02).astype(float))
    assert few.q_heterogeneity == pytest.approx(even.q_heterogeneity, abs=0.08)


def test_uncertain_quantities_say_so() -> None:
    grid = images.to_grid(neck().astype(float), (2.0, 2.0))
    gland = glands.find_gland(grid, GRID_MM, LIMITS)
    found = quantities.measure(grid, gland, GRID_MM, 300.0, 50_000.0, depth_mm=14.0)
    assert 0.1 < found.q_mass_sd / found.q_mass < 0.5
    assert 0.1 < found.q_uptake_sd / found.q_uptake < 0.5
    deeper = quantities.measure(grid, gland, GRID_MM, 300.0, 50_000.0, depth_mm=24.0)
    assert deeper.q_uptake / found.q_uptake == pytest.approx(np.exp(0.154))


def test_the_mask_follows_the_gland(tmp_path: Path) -> None:
    grid = images.to_grid(neck().astype(float), (2.0, 2.0))
    gland = glands.find_gland(grid, GRID_MM, LIMITS)
    mask = images.crop_mask(gland.whole, GRID_MM, Field(48.0, 48.0, 160.0, 224))
    area = mask.sum() * (160 / 224) ** 2
    assert area == pytest.approx(gland.whole.sum() * GRID_MM**2, rel=0.02)
