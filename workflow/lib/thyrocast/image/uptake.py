"""Counts that the gland alone sends to the camera, without those of the tissue around it and of scatter.

Constants without another source were chosen on phantoms of the training's simulator (`simulation.phantoms`);
`benchmarks/gland_quantities.py` judges them on phantoms of another one.
"""

import math

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from thyrocast.image.gland import Gland

Image = NDArray[np.float64]
Mask = NDArray[np.bool_]

#: Most counts that the resolution moves out of the outline are within this distance of it, mm.
SPILL_MM = 4.0
#: Standard deviation of the resolution at the neck, mm.
RESOLUTION_MM = 4.0
#: Scattered photons in the window per unscattered one, and standard deviation of their displacement, mm. The
#: difference between narrow and broad beam (Zaidi and Hasegawa, J Nucl Med 2003;44:291-315: .154 and .12 per cm)
#: is a ratio of exp(.034 * depth in cm) - 1: .1 to .2 at 3 to 5 cm; septal penetration adds some percent.
SCATTER, SCATTER_MM = 0.2, 25.0
#: The background under the gland is within these limits, relative to that around it, and has this standard
#: deviation, relative to its mean.
BACKGROUND_LIMITS, BACKGROUND_SD = (0.3, 1.7), 0.1
#: Relative standard deviation of the counts from scatter, resolution and outline beyond background and noise.
COUNTS_SD = 0.1
#: With fewer pixels around the gland, the background is their mean.
RING_LEAST = 60
#: Scale of the coordinates in the fit of the background, mm.
UNIT_MM = 40.0


def from_gland(counts: Image, gland: Gland, grid_mm: float) -> tuple[float, float]:
    """Return the counts that came unscattered from the gland, and their relative standard deviation.

    The background under the gland is a quadratic function of the position, fitted to the ring around the gland:
    the neck is thickest in its middle, and chest, stomach and salivary glands add counts on one side. What this
    estimate makes of the gland's own counts is computed by applying it to the gland as it would be seen with
    usual resolution and scatter: the share that is missing, or too much, is corrected.

    Parameters
    ----------
    counts
        (H, W) counts on square pixels of `grid_mm`.
    gland
        The gland's masks on that grid.
    grid_mm
        Side of a pixel, mm.
    """
    near = np.asarray(ndimage.distance_transform_edt(~gland.whole) * grid_mm <= SPILL_MM)
    under = background(counts, gland.ring, near, grid_mm)
    if gland.ring.any():
        around = float(counts[gland.ring].mean())
        low, high = BACKGROUND_LIMITS
        under = np.clip(under, low * around, high * around)
    gross, level = float(counts[near].sum()), float(under.sum())
    net = gross - level
    if net <= 0:
        return net, math.inf
    # Poisson: the variance of the gross counts; that of the background is part of BACKGROUND_SD.
    deviation = math.hypot(COUNTS_SD, BACKGROUND_SD * level / net, math.sqrt(gross + level) / net)
    source = counts.copy()
    source[near] -= under
    source = np.where(gland.whole, np.maximum(source, 0.0), 0.0)
    return net / _recovered(source, gland.ring, near, grid_mm), deviation


def background(counts: Image, ring: Mask, place: Mask, grid_mm: float) -> Image:
    """Return the background at the pixels of a place, from those of the ring around it.

    Parameters
    ----------
    counts
        (H, W) counts.
    ring, place
        (H, W) masks of what the background is fitted to, and where it is needed.
    grid_mm
        Side of a pixel, mm.
    """
    needed = int(place.sum())
    if ring.sum() < RING_LEAST:
        return np.full(needed, float(counts[ring].mean()) if ring.any() else 0.0)
    middle = np.argwhere(place).mean(0)

    def terms(mask: Mask) -> Image:
        y, x = ((np.argwhere(mask) - middle) * (grid_mm / UNIT_MM)).T
        return np.stack([np.ones_like(x), x, y, x * x, y * y], axis=1)

    fitted = np.linalg.lstsq(terms(ring), counts[ring], rcond=None)[0]
    return np.asarray(terms(place) @ fitted)


def _recovered(source: Image, ring: Mask, near: Mask, grid_mm: float) -> float:
    """Return the counts that are found of a source, relative to its own."""
    total = float(source.sum())
    if total <= 0:
        return 1.0
    seen = ndimage.gaussian_filter(source, RESOLUTION_MM / grid_mm, mode="constant")
    seen += SCATTER * ndimage.gaussian_filter(source, SCATTER_MM / grid_mm, mode="constant")
    return float(seen[near].sum() - background(seen, ring, near, grid_mm).sum()) / total
