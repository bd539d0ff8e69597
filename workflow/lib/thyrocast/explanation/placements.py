"""A map's share inside the gland against the same map at random places.

A share above the gland's share of the image is no evidence by itself: maps are smooth, and a smooth map
falls on the gland or beside it as a whole. The reference is therefore the map itself, moved to every place of
its grid (around the border, like on a torus) in each of its eight orientations: random maps with exactly
the grid, the values and the smoothness of the true one. Tests by such shifts are usual for spatial data (Harms et
al. 2001).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thyrocast.explanation import grids

#: Quantiles of the shares of random placements that are reported.
BAND = (0.05, 0.95)
#: Patients whose placed maps are computed at once.
_AT_ONCE = 256


@dataclass(frozen=True)
class Placed:
    """Shares of maps inside their glands.

    Attributes
    ----------
    inside
        (n,) share of each map; NaN for a map of zeros.
    random
        (n, placements) share of each map at every place; placements have the same order for all maps.
    others
        (n,) mean share, inside a patient's gland, of the maps of the other patients; NaN if there are none.
    """

    inside: NDArray[np.float64]
    random: NDArray[np.float32]
    others: NDArray[np.float64]


def turned(maps: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return maps (n, cells, cells) in their eight orientations (n, 8, cells, cells), the true one first."""
    sides = (maps, maps.swapaxes(-1, -2))
    found = [np.rot90(side, turns, axes=(-2, -1)) for side in sides for turns in range(4)]
    return np.stack(found, axis=1)


def place(maps: NDArray[np.float32], glands: NDArray[np.float64], pixels: int) -> Placed:
    """Compare the share of each map inside its gland with those of its random placements.

    Parameters
    ----------
    maps
        (n, cells, cells) maps of one split's networks, not negative.
    glands
        (n, cells, cells) pixels of each cell that are gland (`grids.in_cells`).
    pixels
        Pixels along one side of an image.
    """
    n, cells = maps.shape[:2]
    everywhere = np.fft.rfft2(grids.in_cells(np.ones((pixels, pixels), bool), cells))
    random = np.empty((n, 8 * cells**2), np.float32)
    for start in range(0, n, _AT_ONCE):
        part = slice(start, min(start + _AT_ONCE, n))
        own = np.fft.rfft2(turned(maps[part]).astype(np.float64)).conj()
        inside, total = (
            np.fft.irfft2(own * where, s=(cells, cells)).reshape(len(own), -1)
            for where in (np.fft.rfft2(glands[part, None]), everywhere)
        )
        total[~np.any(maps[part], axis=(1, 2))] = np.nan
        random[part] = inside / total
    weights = glands.reshape(n, -1)
    scaled = grids.normalized(maps, pixels).reshape(n, -1)
    seen = ~np.isnan(scaled[:, 0])
    kept = np.where(seen[:, None], scaled, 0.0)
    count = seen.sum() - seen
    with np.errstate(invalid="ignore", divide="ignore"):
        others = ((kept.sum(axis=0) - kept) * weights).sum(axis=1) / np.where(count, count, np.nan)
    return Placed(np.clip((scaled * weights).sum(axis=1), 0, 1), np.clip(random, 0, 1), others)
