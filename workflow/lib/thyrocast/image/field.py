"""Resample counts from a camera's matrix to another grid in mm."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

Image = NDArray[np.float64]
Mask = NDArray[np.bool_]

#: Side of a pixel of the grid on which the gland is found, mm: about half the smoothing of the gland
#: finder, and the same for every camera, so that results do not depend on matrix and pixel size.
GRID_MM = 2.0
# Pixels around a crop that interpolation needs: two in each direction, plus some for rounding.
_MARGIN = 4


@dataclass(frozen=True)
class Field:
    """A square grid in the camera's plane.

    Attributes
    ----------
    top, left
        Upper left corner of the grid, mm from the upper left corner of the camera's matrix.
    side_mm
        Side of the grid, mm.
    size
        Pixels per side.
    """

    top: float
    left: float
    side_mm: float
    size: int

    @property
    def pixel_mm(self) -> float:
        """Side of a pixel, mm."""
        return self.side_mm / self.size


def resample(image: Image, spacing: tuple[float, float], rows: Image, columns: Image) -> Image:
    """Resample an image to another grid without loss of counts.

    The cumulative sum over rows (then columns) is interpolated monotonically at the new edges
    (piecewise cubic, Fritsch and Carlson 1980) and differenced. The counts
    in any rectangle of the new grid are therefore those of the same area in the old grid, and no
    pixel is negative.

    Parameters
    ----------
    image
        (R, C) counts.
    spacing
        Distance of rows and of columns of `image`, mm.
    rows, columns
        Edges of the new pixels, mm from the image's upper left corner, increasing: (r + 1,), (c + 1,).

    Returns
    -------
    ndarray
        (r, c) counts; 0 outside the image.
    """
    first = max(int(columns[0] / spacing[1]) - _MARGIN, 0)
    last = min(int(columns[-1] / spacing[1]) + _MARGIN + 1, image.shape[1])
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
    """Resample a whole image (R, C) with this spacing (rows, columns; mm) to pixels of `grid_mm`."""
    height, width = image.shape[0] * spacing[0], image.shape[1] * spacing[1]
    rows = np.arange(max(int(height / grid_mm), 1) + 1, dtype=np.float64) * grid_mm
    columns = np.arange(max(int(width / grid_mm), 1) + 1, dtype=np.float64) * grid_mm
    return resample(image, spacing, rows, columns)


def crop(image: Image, spacing: tuple[float, float], field: Field) -> Image:
    """Resample an image to a field (size, size); 0 outside the image."""
    steps = np.arange(field.size + 1, dtype=np.float64) * field.pixel_mm
    return resample(image, spacing, field.top + steps, field.left + steps)


def crop_mask(mask: Mask, grid_mm: float, field: Field) -> Mask:
    """Resample a mask on pixels of `grid_mm` to a field (size, size), by the centers of its pixels."""
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
    """Return a mask's centroid, weighted by counts: row and column, mm from the upper left."""
    inside = np.where(mask, np.maximum(weights, 0.0), 0.0)
    total = inside.sum()
    if total <= 0:
        inside, total = mask.astype(np.float64), float(mask.sum())
    rows = (np.arange(mask.shape[0]) + 0.5) * grid_mm
    columns = (np.arange(mask.shape[1]) + 0.5) * grid_mm
    return float(inside.sum(1) @ rows / total), float(inside.sum(0) @ columns / total)
