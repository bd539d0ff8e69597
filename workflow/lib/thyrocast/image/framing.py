"""The square field of view around a gland, and counts relative to those in the gland.

Patients' images and the simulated ones that networks are pretrained on both go through this module.
"""

import numpy as np
from numpy.typing import NDArray

from thyrocast.config.image import ImageConfig
from thyrocast.image import field as images
from thyrocast.image.field import GRID_MM, Field
from thyrocast.image.gland import Gland
from thyrocast.image.locating import PINHOLE_GLAND_MM, UnusableError, extent_mm


def field_around(
    grid: NDArray[np.float64], gland: Gland, is_pinhole: bool, settings: ImageConfig
) -> Field:
    """Return the field of view around the centroid of a gland that was found on `grid`."""
    row, column = images.centroid(gland.whole, grid, GRID_MM)
    side = settings.field_mm
    if is_pinhole:
        side *= extent_mm(gland.whole) / PINHOLE_GLAND_MM
    return Field(row - side / 2, column - side / 2, side, settings.size)


def crop_around(
    image: NDArray[np.float64], spacing: tuple[float, float], gland: Gland, field: Field
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return counts and mask of the gland in the field: (size, size) each."""
    # Counts can be negative if the camera subtracted background; the network takes square roots.
    cropped = np.maximum(images.crop(image, spacing, field), 0.0)
    return cropped, images.crop_mask(gland.whole, GRID_MM, field)


def relative(counts: NDArray[np.float64], mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return counts (size, size) relative to their mean in the mask."""
    if not mask.any() or counts[mask].mean() <= 0:
        raise UnusableError("a gland outside the field of view")
    return np.asarray(counts / counts[mask].mean())
