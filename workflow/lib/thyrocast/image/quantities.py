"""Quantities of a thyroid scintigram that nuclear medicine reports: the hand-crafted features.

Constants without another source were chosen on the simulated glands of tests/unit/image/test_image.py.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from thyrocast.image.gland import SEGMENTATION_SMOOTH_MM, Gland
from thyrocast.physics import tc99m_left

Image = NDArray[np.float64]
Mask = NDArray[np.bool_]

#: Mass in g from planar area in cm²: 0.33 × area^1.5, Himanka's formula as in Nucl Med Commun
#: 1998;19:341-346, where it overestimates diffuse goiters by half.
HIMANKA = 0.33
#: Margin of the gland that is excluded from heterogeneity, mm, since counts decrease there; the
#: whole gland is used if at most INNER_LEAST pixels remain.
MARGIN_MM = 6
INNER_LEAST = 20
#: Salivary glands: this far above the top of the thyroid (from, to; mm), up to this far to each side
#: of its middle (mm). At least SALIVARY_LEAST_MM of that height must be in the image.
SALIVARY_ABOVE_MM = (30, 110)
SALIVARY_ACROSS_MM = 75
SALIVARY_LEAST_MM = 30
#: Counts of a salivary gland: this percentile of its side, of which the gland is a small part.
SALIVARY_PERCENTILE = 98


@dataclass(frozen=True)
class SyringeCounts:
    """Counts of a syringe.

    Attributes
    ----------
    counts
        Sum over the image.
    duration_s
        Duration of the image, s.
    minutes
        Time from this image to the image of the gland, min.
    """

    counts: float
    duration_s: float
    minutes: float

    def rate_at_gland(self) -> float:
        """Return the syringe's count rate at the time when the gland is imaged, counts/s."""
        return self.counts / self.duration_s * tc99m_left(self.minutes)


@dataclass(frozen=True)
class Quantities:
    """Quantities of a gland by their names in `thyrocast.contract.cohort`: `QUALITY` and `QUANTITIES`.

    None if a quantity cannot be computed. Net counts are counts minus background, which is the mean
    in the ring around the gland, times the area.

    Attributes
    ----------
    q_gross_counts
        Counts, background included.
    q_counts
        Net counts.
    q_rate
        Net counts per second.
    q_uptake
        Technetium uptake, percent.
    q_area_right, q_area_left
        Areas of the lobes, cm².
    q_mass
        Mass from the areas, g.
    q_asymmetry
        (right - left) / (right + left) net counts.
    q_heterogeneity
        Coefficient of variation of the net counts per pixel.
    q_to_background, q_to_salivary
        Mean counts per pixel, divided by those of the background and of the salivary glands.
    q_snr
        Net counts, divided by their standard deviation from counting noise.
    """

    q_gross_counts: float | None
    q_counts: float | None
    q_rate: float | None
    q_uptake: float | None
    q_area_right: float | None
    q_area_left: float | None
    q_mass: float | None
    q_asymmetry: float | None
    q_heterogeneity: float | None
    q_to_background: float | None
    q_to_salivary: float | None
    q_snr: float | None


def measure(
    counts: Image,
    gland: Gland,
    grid_mm: float,
    duration_s: float | None,
    dose_rate: float | None = None,
) -> Quantities:
    """Return the quantities of a gland.

    Parameters
    ----------
    counts
        (H, W) counts on square pixels of `grid_mm`.
    gland
        The gland's masks on that grid.
    grid_mm
        Side of a pixel, mm.
    duration_s
        Duration, s; if it is None, so are rate and uptake.
    dose_rate
        Count rate of the injected activity in air when the gland is imaged, counts/s.
    """
    pixel_cm2 = grid_mm**2 / 100
    whole, ring = gland.whole, gland.ring
    pixels = float(whole.sum())
    # The mean, not the median: with few counts per pixel the median is a whole number.
    level = float(counts[ring].mean()) if ring.any() else 0.0
    gross = float(counts[whole].sum())
    net = gross - level * pixels
    right = float(counts[gland.right].sum()) - level * float(gland.right.sum())
    left = float(counts[gland.left].sum()) - level * float(gland.left.sum())
    area_right = float(gland.right.sum()) * pixel_cm2
    area_left = float(gland.left.sum()) * pixel_cm2
    rate = net / duration_s if duration_s else None
    return Quantities(
        q_gross_counts=gross,
        q_counts=net,
        q_rate=rate,
        q_uptake=100 * rate / dose_rate if rate is not None and dose_rate else None,
        q_area_right=area_right,
        q_area_left=area_left,
        q_mass=HIMANKA * (area_right + area_left) ** 1.5,
        q_asymmetry=_ratio(right - left, right + left),
        q_heterogeneity=_heterogeneity(counts, whole, level, grid_mm),
        q_to_background=_ratio(gross / pixels, level),
        q_to_salivary=_ratio(gross / pixels, _salivary(counts, gland, grid_mm)),
        # Poisson: the variance of the gross counts, and that of the background subtracted from them.
        q_snr=_ratio(net, math.sqrt(max(gross + level * pixels, 0.0))),
    )


def without_lengths(measured: Quantities) -> Quantities:
    """Return the quantities that are valid if the pixel size is unknown, as with a pinhole."""
    return replace(
        measured,
        q_area_right=None, q_area_left=None, q_mass=None, q_heterogeneity=None, q_to_salivary=None,
    )  # fmt: skip


def dose_rate(
    full: SyringeCounts | None,
    residual: SyringeCounts | None,
    activity_mbq: float | None,
    delay_min: float | None,
    sensitivity: float | None,
) -> float | None:
    """Return the count rate of the injected activity in air when the gland is imaged, counts/s.

    Parameters
    ----------
    full, residual
        The syringe before and after injection. If there is an image of the full syringe, the other
        parameters are not used.
    activity_mbq
        Injected activity, MBq.
    delay_min
        Time from injection to the image of the gland, min.
    sensitivity
        Sensitivity of the camera, counts/s per MBq.
    """
    if full:
        rate = full.rate_at_gland() - (residual.rate_at_gland() if residual else 0.0)
        return rate if rate > 0 else None
    if activity_mbq and sensitivity and delay_min is not None:
        return activity_mbq * sensitivity * tc99m_left(delay_min)
    return None


def _ratio(a: float, b: float | None) -> float | None:
    return a / b if b is not None and b > 0 else None


def _heterogeneity(counts: Image, whole: Mask, level: float, grid_mm: float) -> float | None:
    """Return the coefficient of variation inside the gland, at the resolution of the collimator."""
    smooth = ndimage.gaussian_filter(counts, SEGMENTATION_SMOOTH_MM / grid_mm)
    inner = ndimage.binary_erosion(whole, iterations=max(round(MARGIN_MM / grid_mm), 1))
    net = smooth[inner if inner.sum() > INNER_LEAST else whole] - level
    return _ratio(float(net.std()), float(net.mean()))


def _salivary(counts: Image, gland: Gland, grid_mm: float) -> float | None:
    """Return the counts per pixel of the salivary glands, averaged over the two sides."""
    above = np.flatnonzero(gland.whole.any(1))[0]
    near, far = SALIVARY_ABOVE_MM
    bottom, top = int(above - near / grid_mm), int(above - far / grid_mm)
    if bottom - max(top, 0) < SALIVARY_LEAST_MM / grid_mm:
        return None
    smooth = ndimage.gaussian_filter(counts, SEGMENTATION_SMOOTH_MM / grid_mm)
    reach = round(SALIVARY_ACROSS_MM / grid_mm)
    middle = round(gland.middle)
    band = smooth[max(top, 0) : bottom]
    sides = [band[:, max(middle - reach, 0) : middle], band[:, middle : middle + reach]]
    found = [float(np.percentile(side, SALIVARY_PERCENTILE)) for side in sides if side.size]
    return float(np.mean(found)) if found else None
