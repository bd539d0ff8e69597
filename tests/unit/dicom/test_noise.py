"""Counts are told from other pixels by their noise."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from tests.unit.example_scans import neck, nm, save
from thyrocast.dicom import noise
from thyrocast.dicom.pixels import PixelError, read_counts

Image = NDArray[np.float64]
SIZES = [(64, 4.0), (128, 2.4), (256, 1.2), (512, 0.6)]


def smoothed(kind: str, counts: Image) -> Image:
    if kind == "mean":
        return np.round(ndimage.uniform_filter(counts, 3))
    sigma = {"slightly": 0.5, "much": 1.5}[kind]
    return np.round(ndimage.gaussian_filter(counts, sigma))


@pytest.mark.parametrize(("size", "pixel_mm"), SIZES)
@pytest.mark.parametrize("total", [20_000, 400_000, 4_000_000])
def test_counts_are_counts(size: int, pixel_mm: float, total: float) -> None:
    for seed in range(3):
        counts = neck(size, pixel_mm, total=total, seed=seed).astype(float)
        assert noise.counts_factor(counts) is None
        assert not noise.has_holes(counts)


@pytest.mark.parametrize(("size", "pixel_mm"), SIZES)
@pytest.mark.parametrize("kind", ["mean", "slightly", "much"])
def test_smoothed_counts_have_no_factor(size: int, pixel_mm: float, kind: str) -> None:
    for seed in range(3):
        counts = neck(size, pixel_mm, seed=seed).astype(float)
        assert noise.counts_factor(smoothed(kind, counts)) is None


@pytest.mark.parametrize(
    ("size", "pixel_mm", "factor"),
    [
        (64, 4.0, 3.7), (128, 2.4, 0.33), (128, 2.4, 0.5), (128, 2.4, 1.9), (256, 1.2, 0.5),
        (256, 1.2, 3.7),
    ],
)  # fmt: skip
def test_the_factor_is_that_of_the_noise(size: int, pixel_mm: float, factor: float) -> None:
    """Halved by whole numbers, or times a factor, which need not leave out values."""
    counts = neck(size, pixel_mm, total=800_000, seed=3).astype(float)
    assert noise.counts_factor(np.round(counts * factor)) == pytest.approx(factor, rel=0.25)


@pytest.mark.parametrize("factor", [1.2, 1.5, 1.9])
def test_factors_below_two_leave_out_values(tmp_path: Path, factor: float) -> None:
    for total in (30_000, 400_000):
        counts = np.round(neck(128, 2.4, total=total) * factor).astype(np.uint16)
        assert read_counts(save(nm(counts), tmp_path / "a"), [0]).stretched


@pytest.mark.parametrize(
    ("slope", "change", "stretched"),
    [
        # Counts with a slope that has nothing to do with them.
        ("2", lambda counts: counts, True),
        ("0.4", lambda counts: counts, True),
        # A slope that brings stored values back to counts.
        ("2", lambda counts: counts // 2, False),
        ("0.01", lambda counts: counts.astype(np.uint32) * 100, False),
    ],
)
def test_a_slope_that_does_not_give_counts(
    tmp_path: Path, slope: str, change: Callable[[Image], Image], *, stretched: bool
) -> None:
    stored = change(neck(128, 2.4, total=2_000_000))
    path = save(nm(stored, RescaleSlope=slope, RescaleIntercept="0"), tmp_path / "a")
    assert read_counts(path, [0]).stretched == stretched


def test_an_image_that_was_enlarged_has_four_counts_of_one() -> None:
    counts = neck(64, 4.0).astype(float)
    assert noise.counts_factor(counts.repeat(2, 0).repeat(2, 1)) == 4
    assert not noise.is_enlarged(np.zeros((64, 64)))


def test_an_image_with_hardly_any_counts_states_nothing() -> None:
    counts = np.zeros((64, 64))
    counts[30:34, 30:34] = 5000
    assert noise.counts_factor(counts) is None


def test_a_subtracted_background_is_refused(tmp_path: Path) -> None:
    pixels = neck(64, 4.0).astype(np.int16) - 30
    with pytest.raises(PixelError, match="a background was subtracted"):
        read_counts(save(nm(pixels), tmp_path / "a"), [0])
