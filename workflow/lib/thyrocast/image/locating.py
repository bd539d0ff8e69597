"""Find the gland of a scan, with its pixel size or, for a pinhole, without one."""

import math

import numpy as np
from numpy.typing import NDArray

from thyrocast.config.image import ImageConfig
from thyrocast.image import field as images
from thyrocast.image import gland as glands
from thyrocast.image.field import GRID_MM
from thyrocast.image.gland import Gland, NoGlandError
from thyrocast.image.quantities import Quantities
from thyrocast.image.scans import RegisteredScan

#: Longest field of view, mm: no imaging bed is longer. A longer one would exhaust the memory.
FIELD_MM = 2_500.0
#: Sides of the field of a pinhole at usual distances (200 mm at 10 cm), and areas of glands in it, which
#: have no true mm. The gland is found with one of these sizes; then the field is scaled so that the
#: gland's longer side has the length of a normal gland with its isthmus.
PINHOLE_FIELDS_MM = (150.0, 200.0, 260.0)
PINHOLE_LIMITS_CM2 = (2.0, 250.0)
PINHOLE_GLAND_MM = 60.0


class UnusableError(ValueError):
    """A scan that cannot be standardized; the message is a reason for the record.

    Attributes
    ----------
    quantities
        What was measured before the scan was refused.
    """

    def __init__(self, reason: str, measured: Quantities | None = None) -> None:
        super().__init__(reason)
        self.quantities = measured


def find(
    image: NDArray[np.float64], scan: RegisteredScan, settings: ImageConfig
) -> tuple[NDArray[np.float64], Gland, tuple[float, float]]:
    """Return image on the finder's grid, gland, and the distances of rows and of columns, mm.

    A pinhole has no mm: of several nominal fields, the one is used that looks most like a thyroid of
    ordinary size.

    Parameters
    ----------
    image
        (R, C) counts, head up.
    scan
        Its scan.
    settings
        Config of the image.

    Raises
    ------
    NoGlandError, UnusableError
        If there is no gland, or the field is too large.
    """
    if scan.row_mm is not None and scan.column_mm is not None:
        spacing = (scan.row_mm, scan.column_mm)
        if scan.turn % 2:
            spacing = (spacing[1], spacing[0])
        if max(image.shape[0] * spacing[0], image.shape[1] * spacing[1]) > FIELD_MM:
            raise UnusableError("a field larger than any camera's")
        grid = images.to_grid(image, spacing)
        limits = (settings.min_area_cm2, settings.max_area_cm2)
        return grid, glands.find_gland(grid, GRID_MM, limits, settings.min_score), spacing
    found: list[tuple[NDArray[np.float64], Gland, tuple[float, float]]] = []
    reasons: list[NoGlandError] = []
    for side in PINHOLE_FIELDS_MM:
        spacing = (side / max(image.shape), side / max(image.shape))
        grid = images.to_grid(image, spacing)
        try:
            gland = glands.find_gland(grid, GRID_MM, PINHOLE_LIMITS_CM2, settings.min_score)
        except NoGlandError as error:
            reasons.append(error)
        else:
            found.append((grid, gland, spacing))
    if not found:
        raise max(reasons, key=lambda error: error.score or 0.0)

    def likeness(entry: tuple[NDArray[np.float64], Gland, tuple[float, float]]) -> float:
        gland = entry[1]
        return gland.score - abs(math.log(extent_mm(gland.whole) / PINHOLE_GLAND_MM))

    return max(found, key=likeness)


def extent_mm(gland: NDArray[np.bool_]) -> float:
    """Return the longer side of a gland's bounding box, mm."""
    sides = [np.ptp(np.flatnonzero(gland.any(axis))) + 1 for axis in (0, 1)]
    return float(max(sides)) * GRID_MM
