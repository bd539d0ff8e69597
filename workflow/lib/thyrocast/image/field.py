"""From counts on a camera's matrix to the standardized image: geometry, gland, intensity."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

Image = NDArray[np.float64]
Mask = NDArray[np.bool_]

# The gland is sought on a grid of its own, so that matrix and pixel size change nothing.
GRID_MM = 2.0


@dataclass(frozen=True)
class Field:
    """A square grid in the camera's plane, mm from the matrix's upper left corner.

    ``top`` and ``left`` are the upper left corner, ``side_mm`` the side, ``size`` its pixels.
    """

    top: float
    left: float
    side_mm: float
    size: int

    @property
    def pixel_mm(self) -> float:
        """Side of a pixel in mm."""
        return self.side_mm / self.size


def resample(image: Image, spacing: tuple[float, float], rows: Image, columns: Image) -> Image:
    """Counts of an image on another grid, no count being lost or made within it.

    The sum over rows (then columns) is integrated, interpolated monotonically at the new edges
    (piecewise cubic, Fritsch and Carlson 1980) and differenced, so that any rectangle of the new
    grid holds the counts that the old one holds there, and none is negative.

    Parameters
    ----------
    image
        (R, C) counts.
    spacing
        Row and column spacing of ``image``, mm.
    rows, columns
        Edges of the new grid, mm from the image's upper left corner, increasing: (r + 1,), (c + 1,).

    Returns
    -------
    ndarray
        (r, c) counts; 0 outside the image.
    """
    # Columns that no new pixel touches are left out; the interpolation looks two pixels around.
    first = max(int(columns[0] / spacing[1]) - 4, 0)
    last = min(int(columns[-1] / spacing[1]) + 5, image.shape[1])
    if last <= first:
        return np.zeros((len(rows) - 1, len(columns) - 1))
    part = _along(image[:, first:last], spacing[0], rows)
    return _along(part.T, spacing[1], columns - first * spacing[1]).T


def _along(image: Image, spacing: float, edges: Image) -> Image:
    count = image.shape[0]
    integral = np.zeros((count + 1, image.shape[1]))
    np.cumsum(image, axis=0, out=integral[1:])
    old = np.arange(count + 1) * spacing
    inside = np.clip(edges, 0.0, old[-1])
    first = max(int(inside[0] / spacing) - 2, 0)
    last = min(int(inside[-1] / spacing) + 4, count + 1)
    if last - first < 2:
        return np.zeros((len(edges) - 1, image.shape[1]))
    curve = PchipInterpolator(old[first:last], integral[first:last], axis=0)
    return np.asarray(np.diff(curve(inside), axis=0))


def to_grid(image: Image, spacing: tuple[float, float], grid_mm: float = GRID_MM) -> Image:
    """Counts of the whole image on square pixels of ``grid_mm``."""
    height, width = image.shape[0] * spacing[0], image.shape[1] * spacing[1]
    rows = np.arange(max(int(height / grid_mm), 1) + 1, dtype=np.float64) * grid_mm
    columns = np.arange(max(int(width / grid_mm), 1) + 1, dtype=np.float64) * grid_mm
    return resample(image, spacing, rows, columns)


def crop(image: Image, spacing: tuple[float, float], field: Field) -> Image:
    """Counts within a field, on its grid; 0 where it reaches beyond the image."""
    steps = np.arange(field.size + 1, dtype=np.float64) * field.pixel_mm
    return resample(image, spacing, field.top + steps, field.left + steps)


def crop_mask(mask: Mask, grid_mm: float, field: Field) -> Mask:
    """A mask on the grid of a field: what stands at the middle of each pixel."""
    steps = (np.arange(field.size) + 0.5) * field.pixel_mm
    rows = np.floor((field.top + steps) / grid_mm).astype(int)
    columns = np.floor((field.left + steps) / grid_mm).astype(int)
    inside = np.ix_(
        (rows >= 0) & (rows < mask.shape[0]), (columns >= 0) & (columns < mask.shape[1])
    )
    cropped = np.zeros((field.size, field.size), np.bool_)
    rows, columns = rows.clip(0, mask.shape[0] - 1), columns.clip(0, mask.shape[1] - 1)
    cropped[inside] = mask[np.ix_(rows, columns)][inside]
    return cropped


def centroid(mask: Mask, weights: Image, grid_mm: float) -> tuple[float, float]:
    """Row and column of a mask's middle in mm from the upper left corner, weighted by counts."""
    held = np.where(mask, np.maximum(weights, 0.0), 0.0)
    total = held.sum()
    if total <= 0:
        held, total = mask.astype(np.float64), float(mask.sum())
    rows = (np.arange(mask.shape[0]) + 0.5) * grid_mm
    columns = (np.arange(mask.shape[1]) + 0.5) * grid_mm
    return float(held.sum(1) @ rows / total), float(held.sum(0) @ columns / total)
