"""Maps on the grid of a network's block: their enlargement, and their share inside the gland."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32] | NDArray[np.float64]


def interpolation(cells: int, pixels: int) -> NDArray[np.float64]:
    """Weights (pixels, cells) of bilinear interpolation along one axis.

    Centers of cells and pixels are aligned as in OpenCV and PyTorch (`align_corners` false); beyond the
    outermost centers, the outermost cell is repeated.
    """
    place = np.clip((np.arange(pixels) + 0.5) * cells / pixels - 0.5, 0, cells - 1)
    below = np.minimum(place.astype(int), max(cells - 2, 0))
    weights = np.zeros((pixels, cells))
    np.add.at(weights, (np.arange(pixels), below), 1 - (place - below))
    np.add.at(weights, (np.arange(pixels), np.minimum(below + 1, cells - 1)), place - below)
    return weights


def enlarge(maps: Floats, pixels: int) -> NDArray[np.float32]:
    """Enlarge maps (..., cells, cells) to (..., pixels, pixels)."""
    along = interpolation(maps.shape[-1], pixels)
    return (along @ maps @ along.T).astype(np.float32)


def in_cells(masks: NDArray[np.bool_], cells: int) -> NDArray[np.float64]:
    """Sum a mask over the pixels of each cell, as the interpolation spreads them.

    The sum of an enlarged map inside a mask is the sum of the map times this.

    Parameters
    ----------
    masks
        (..., pixels, pixels).
    cells
        Cells along one side.

    Returns
    -------
    ndarray, (..., cells, cells)
        In pixels.
    """
    along = interpolation(cells, masks.shape[-1])
    summed: NDArray[np.float64] = along.T @ masks.astype(np.float64) @ along
    return summed


def normalized(maps: Floats, pixels: int) -> NDArray[np.float64]:
    """Scale maps (..., cells, cells) so that each, enlarged, sums to 1; a map of zeros becomes NaN."""
    cells = maps.shape[-1]
    total = (maps * in_cells(np.ones((pixels, pixels), bool), cells)).sum(axis=(-2, -1))
    with np.errstate(invalid="ignore", divide="ignore"):
        scaled: NDArray[np.float64] = maps / np.where(total > 0, total, np.nan)[..., None, None]
    return scaled


def shares(maps: Floats, glands: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Share of each enlarged map's sum that is inside a gland; NaN for a map of zeros.

    This is the energy-based pointing game of Wang et al. 2020.

    Parameters
    ----------
    maps
        (n, cells, cells), not negative.
    glands
        (n, pixels, pixels).
    """
    weights = in_cells(glands, maps.shape[-1])
    found: NDArray[np.float64] = (normalized(maps, glands.shape[-1]) * weights).sum(axis=(1, 2))
    return np.clip(found, 0, 1)
