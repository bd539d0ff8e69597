"""Counts of the gland are those that it sends itself, whatever surrounds it."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from thyrocast.image import uptake
from thyrocast.image.gland import Gland

GRID_MM = 2.0
LINE = (np.arange(128) + 0.5) * GRID_MM - 128
EMITTED = 60_000.0


def lobes(size: float) -> tuple[NDArray[np.float64], Gland]:
    """Return the counts of two even lobes without blur (sum EMITTED), and their outline."""
    masks = [
        ((LINE[None, :] - side * 15 * size) / (11 * size)) ** 2 + (LINE[:, None] / (24 * size)) ** 2
        <= 1
        for side in (-1, 1)
    ]
    whole = masks[0] | masks[1]
    distance = ndimage.distance_transform_edt(~whole) * GRID_MM
    ring = (distance > 12) & (distance <= 28)
    return whole * (EMITTED / whole.sum()), Gland(whole, *masks, ring, 0.0, 64.0, 1.0, 0.1)


def neck(level: float, shares: float = 0.0) -> NDArray[np.float64]:
    """Return the background: as thick as a neck, with more counts below by these shares per mm."""
    thick = np.sqrt(np.maximum(1 - (LINE / 75) ** 2, 0))
    return np.asarray(level * thick[None, :] * np.maximum(1 + shares * LINE[:, None], 0))


@pytest.mark.parametrize("size", [0.6, 1.0, 1.7])
@pytest.mark.parametrize("fwhm_mm", [7.0, 11.0])
@pytest.mark.parametrize("scatter", [0.1, 0.3])
def test_counts_are_those_of_the_gland_of_any_size(
    size: float, fwhm_mm: float, scatter: float
) -> None:
    """Resolution and scatter other than the assumed ones; the deviation is within two of those stated."""
    source, gland = lobes(size)
    seen = ndimage.gaussian_filter(source, fwhm_mm / 2.3548 / GRID_MM)
    seen += scatter * ndimage.gaussian_filter(source, 20 / GRID_MM)
    found, deviation = uptake.from_gland(seen + neck(4.0), gland, GRID_MM)
    assert found == pytest.approx(EMITTED, rel=0.12)
    assert abs(found - EMITTED) < 2 * deviation * found


def test_a_background_that_is_not_even_is_not_counted() -> None:
    """The level around the gland, subtracted as it is, would give 1.5 times the counts."""
    source, gland = lobes(1.3)
    seen = ndimage.gaussian_filter(source, 2.0) + neck(40.0, shares=0.006)
    found, deviation = uptake.from_gland(seen, gland, GRID_MM)
    plain = seen[gland.whole].sum() - seen[gland.ring].mean() * gland.whole.sum()
    assert found == pytest.approx(EMITTED, rel=0.1)
    assert abs(plain / EMITTED - 1) > 2 * abs(found / EMITTED - 1)
    assert deviation > uptake.COUNTS_SD


def test_uptake_is_less_certain_if_the_background_is_high() -> None:
    source, gland = lobes(1.0)
    deviations = [
        uptake.from_gland(source + neck(level), gland, GRID_MM)[1] for level in (0.0, 20.0, 200.0)
    ]
    assert deviations == sorted(deviations)
    assert deviations[0] == pytest.approx(uptake.COUNTS_SD, rel=0.01)
    assert deviations[2] > 0.15


def test_a_gland_without_counts_or_without_surroundings_is_no_crash() -> None:
    source, gland = lobes(1.0)
    found, deviation = uptake.from_gland(0 * source, gland, GRID_MM)
    assert found == 0
    assert np.isinf(deviation)
    alone = Gland(
        gland.whole, gland.right, gland.left, np.zeros_like(gland.ring), 0.0, 64.0, 1.0, 0.1
    )
    assert uptake.from_gland(source, alone, GRID_MM)[0] == pytest.approx(EMITTED, rel=0.2)
