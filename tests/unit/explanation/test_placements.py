"""Random places: a map that follows a spot is outside of them, a map of noise is not."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from thyrocast.explanation import grids, placements

PIXELS = 112


def spots(n, generator, radius=0.09):
    """Round glands anywhere in the middle of the image, and their centers, as shares of its side."""
    centers = generator.uniform(0.3, 0.7, (n, 2))
    y, x = (np.mgrid[:PIXELS, :PIXELS] + 0.5) / PIXELS
    distance = np.hypot(y - centers[:, 0, None, None], x - centers[:, 1, None, None])
    return distance < radius, centers


def bumps(centers, cells, width):
    """Maps with a bump at each center."""
    y, x = (np.mgrid[:cells, :cells] + 0.5) / cells
    square = (y - centers[:, 0, None, None]) ** 2 + (x - centers[:, 1, None, None]) ** 2
    return np.exp(-square / (2 * width**2)).astype(np.float32)


def place(maps, glands):
    return placements.place(maps, grids.in_cells(glands, maps.shape[-1]), PIXELS)


def within(placed):
    low, high = np.quantile(placed.random, placements.BAND, axis=1)
    return (placed.inside >= low) & (placed.inside <= high)


def test_shares_are_those_of_the_map_moved_to_every_place_in_every_orientation():
    generator = np.random.default_rng(2)
    glands, _ = spots(3, generator)
    maps = generator.random((3, 7, 7)).astype(np.float32)
    placed = place(maps, glands)
    np.testing.assert_allclose(placed.inside, placed.random[:, 0], rtol=1e-5)
    orientations = placements.turned(maps)
    assert len({one.tobytes() for one in orientations[0]}) == 8
    moved = [
        grids.shares(np.roll(orientations[:, k], (down, right), (1, 2)), glands)
        for k in range(8)
        for down in range(7)
        for right in range(7)
    ]
    np.testing.assert_allclose(placed.random, np.transpose(moved), rtol=1e-5)


def test_maps_of_others_are_those_of_the_rest_of_the_split():
    generator = np.random.default_rng(8)
    glands, _ = spots(3, generator)
    maps = generator.random((3, 7, 7)).astype(np.float32)
    other = [grids.shares(np.delete(maps, i, 0), glands[[i, i]]) for i in range(3)]
    np.testing.assert_allclose(place(maps, glands).others, np.mean(other, axis=1))


@pytest.mark.parametrize("cells", [7, 14])
def test_maps_that_follow_the_gland_are_outside_and_above_those_of_others(cells):
    glands, centers = spots(40, np.random.default_rng(3))
    placed = place(bumps(centers, cells, 0.08), glands)
    assert not within(placed).any()
    assert (placed.inside > 2 * placed.others).all()
    group = np.quantile(np.median(placed.random, axis=0), placements.BAND)
    assert np.median(placed.inside) > 2 * group[1]


def test_a_map_that_always_glows_at_the_same_place_is_that_of_other_patients():
    """The gland is near the middle, and so is the glow: above random places, but not the patient's own."""
    glands, centers = spots(40, np.random.default_rng(4))
    fixed = bumps(np.full_like(centers, 0.5), 14, 0.12)
    placed = place(fixed, glands)
    np.testing.assert_allclose(placed.inside, placed.others, rtol=1e-6)


@pytest.mark.parametrize("smoothness", [0.0, 0.7, 1.5])
def test_nine_of_ten_maps_of_noise_are_within_whatever_their_smoothness(smoothness):
    generator = np.random.default_rng(6)
    glands, _ = spots(600, generator)
    noise = generator.normal(size=(600, 34, 34))
    # Cut from the middle: at its border, filtered noise has another variance.
    smooth = [gaussian_filter(one, smoothness)[10:24, 10:24] for one in noise]
    smooth = np.maximum(smooth, 0)
    found = within(place(smooth.astype(np.float32), glands)).mean()
    # Standard error of a share of .9 of 600 maps: .012.
    assert found == pytest.approx(0.9, abs=0.04)


def test_a_map_of_zeros_has_no_share_and_does_not_count_for_others():
    glands, centers = spots(4, np.random.default_rng(7))
    maps = bumps(centers, 7, 0.1)
    maps[2] = 0
    placed = place(maps, glands)
    assert np.isnan(placed.inside[2])
    assert np.isnan(placed.random[2]).all()
    seen = np.array([0, 1, 3])
    alone = place(maps[seen], glands[seen])
    np.testing.assert_allclose(placed.others[seen], alone.others, rtol=1e-6)
