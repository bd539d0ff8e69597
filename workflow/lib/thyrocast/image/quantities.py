"""Quantities of a thyroid scintigram that nuclear medicine reports: the hand-crafted features.

How far each is from the truth is measured by `make bench-gland` and stated in docs/methods.md. Constants
without another source were chosen on phantoms of `benchmarks/gland_phantoms.py` with other seeds than the
benchmark's.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from thyrocast.image.gland import SEGMENTATION_SMOOTH_MM, Gland
from thyrocast.image.uptake import from_gland
from thyrocast.physics import tc99m_left

Image = NDArray[np.float64]
Mask = NDArray[np.bool_]

#: Attenuation of 140 keV photons in soft tissue, narrow beam, per mm (scattered ones are in `uptake`): Zaidi and
#: Hasegawa, J Nucl Med 2003;44:291-315.
ATTENUATION_PER_MM = 0.0154
#: Depth (front to back) of a lobe over its width, and its standard deviation between patients: a lobe is
#: taken as an ellipsoid of circular section.
DEPTH_TO_WIDTH_SD = 0.17
#: A gland that fills this share of the ellipse with its second moments is one body; two lobes fill less.
ONE_BODY = 0.95
#: Standard deviation of the depth of the gland's front between patients, mm.
DEPTH_SD_MM = 5.0
#: Smoothing before heterogeneity is measured (standard deviation), mm; margin of a lobe that is excluded,
#: mm; and least number of pixels inside, else the whole lobe is used.
TEXTURE_SMOOTH_MM, MARGIN_MM, INNER_LEAST = 5.0, 4.0, 40
#: Salivary glands: this far above the top of the thyroid (from, to; mm), up to this far to each side
#: of its middle (mm). At least SALIVARY_LEAST_MM of that height must be in the image.
SALIVARY_ABOVE_MM = (30, 110)
SALIVARY_ACROSS_MM = 75
SALIVARY_LEAST_MM = 30
#: Counts of a salivary gland: this percentile of its side, of which the gland is a small part.
SALIVARY_PERCENTILE = 98
#: Uptake in percent of the injected activity: at 100 % nothing is left for the rest of the body, and the
#: activity, sensitivity, duration or syringe that it rests on is wrong.
MOST_UPTAKE = 100.0


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
    """Quantities of a gland by the names of `thyrocast.contract.cohort` (QUANTITIES and QUALITY).

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
    q_snr
        Net counts, divided by their standard deviation from counting noise.
    q_score
        Probability that the image shows a thyroid.
    q_uptake, q_uptake_sd
        Technetium uptake, corrected for attenuation, background, scatter and resolution (`uptake`), and its
        standard deviation, percent.
    q_area_right, q_area_left
        Areas of the lobes, cm².
    q_mass, q_mass_sd
        Mass from areas and widths of the lobes, and its standard deviation, g.
    q_asymmetry
        (right - left) / (right + left) net counts.
    q_heterogeneity
        Coefficient of variation of the net counts per pixel that neither the lobes' shape nor counting
        noise explains; 0 if they explain more than there is.
    q_to_background, q_to_salivary
        Mean counts per pixel, divided by those of the background and of the salivary glands.
    q_impossible
        Names of quantities that are None because their value was physically impossible, separated by
        spaces; None if there are none.
    """

    q_gross_counts: float | None
    q_counts: float | None
    q_rate: float | None
    q_snr: float | None
    q_score: float | None
    q_uptake: float | None
    q_uptake_sd: float | None
    q_area_right: float | None
    q_area_left: float | None
    q_mass: float | None
    q_mass_sd: float | None
    q_asymmetry: float | None
    q_heterogeneity: float | None
    q_to_background: float | None
    q_to_salivary: float | None
    q_impossible: str | None = None


def measure(
    counts: Image,
    gland: Gland,
    grid_mm: float,
    duration_s: float | None,
    dose_rate: float | None = None,
    *,
    depth_mm: float,
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
    depth_mm
        Depth of the gland's front under the skin, mm.
    """
    pixel_cm2 = grid_mm**2 / 100
    whole, ring = gland.whole, gland.ring
    pixels = float(whole.sum())
    # The mean, not the median: with few counts per pixel the median is a whole number.
    level = float(counts[ring].mean()) if ring.any() else 0.0
    gross = float(counts[whole].sum())
    net = gross - level * pixels
    # Fewer counts than the background are noise: an asymmetry beyond -1 and 1 does not exist.
    right, left = (
        max(float(counts[side].sum()) - level * float(side.sum()), 0.0)
        for side in (gland.right, gland.left)
    )
    lobes = [lobe_size(side, grid_mm) for side in bodies(gland)]
    mass = sum(volume for volume, _ in lobes)
    mass_sd = mass * math.hypot(DEPTH_TO_WIDTH_SD, 1.5 * gland.area_sd)
    # Poisson: the variance of the gross counts, and that of the background subtracted from them.
    snr = _ratio(net, math.sqrt(max(gross + level * pixels, 0.0)))
    uptake, uptake_sd = None, None
    if duration_s and dose_rate:
        depth = depth_mm + max(width for _, width in lobes) / 2
        emitted, deviation = from_gland(counts, gland, grid_mm)
        uptake = 100 * emitted / duration_s / dose_rate * math.exp(ATTENUATION_PER_MM * depth)
        uptake_sd = abs(uptake) * math.hypot(deviation, ATTENUATION_PER_MM * DEPTH_SD_MM)
    found = Quantities(
        q_gross_counts=gross,
        q_counts=net,
        q_rate=net / duration_s if duration_s else None,
        q_snr=snr,
        q_score=gland.score,
        q_uptake=uptake,
        q_uptake_sd=uptake_sd,
        q_area_right=float(gland.right.sum()) * pixel_cm2,
        q_area_left=float(gland.left.sum()) * pixel_cm2,
        q_mass=mass,
        q_mass_sd=mass_sd,
        q_asymmetry=_ratio(right - left, right + left),
        q_heterogeneity=heterogeneity(counts, gland, level, grid_mm),
        q_to_background=_ratio(gross / pixels, level),
        q_to_salivary=_ratio(gross / pixels, _salivary(counts, gland, grid_mm)),
    )
    return possible(found)


def possible(measured: Quantities) -> Quantities:
    """Return the quantities without values that are physically impossible; their names are kept.

    An uptake of more than the injected activity, or of nothing, comes from a wrong activity, sensitivity,
    duration or syringe.
    """
    uptake = measured.q_uptake
    if uptake is None or 0 < uptake <= MOST_UPTAKE:
        return measured
    return replace(measured, q_uptake=None, q_uptake_sd=None, q_impossible="q_uptake")


def without_counts(measured: Quantities) -> Quantities:
    """Return the quantities that are valid if gray values are not counts: ratios, shapes and sizes."""
    return replace(
        measured, q_gross_counts=None, q_counts=None, q_rate=None, q_snr=None, q_uptake=None,
        q_uptake_sd=None, q_heterogeneity=None, q_impossible=None,
    )  # fmt: skip


def without_lengths(measured: Quantities) -> Quantities:
    """Return the quantities that are valid if the pixel size is unknown, as with a pinhole."""
    return replace(
        measured, q_impossible=None,
        q_area_right=None, q_area_left=None, q_mass=None, q_mass_sd=None, q_uptake=None,
        q_uptake_sd=None, q_heterogeneity=None, q_to_salivary=None,
    )  # fmt: skip


def bodies(gland: Gland) -> tuple[Mask, ...]:
    """Return the lobes' masks; the whole gland if it is one ellipse, as when it did not descend."""
    rows, columns = np.nonzero(gland.whole)
    area, spread = rows.size, np.cov(np.vstack([rows, columns]).astype(float))
    ellipse = 4 * math.pi * math.sqrt(max(float(np.linalg.det(spread)), 0.0))
    return (gland.whole,) if area > ONE_BODY * ellipse else (gland.right, gland.left)


def lobe_size(mask: Mask, grid_mm: float) -> tuple[float, float]:
    """Return the volume of a lobe (ml, which is g) and its width (mm) from its mask (H, W).

    The volume of an ellipsoid is 4/3 of its projected area times its semi-axis along the ray, which
    is taken to be as long as the short one in the image. The short axis is that of an ellipse with the
    mask's second moments.
    """
    rows, columns = np.nonzero(mask)
    if rows.size < 3:
        return 0.0, 0.0
    spread = np.cov(np.vstack([rows, columns]).astype(float)) + np.eye(2) / 12
    short = 2 * math.sqrt(float(np.linalg.eigvalsh(spread)[0])) * grid_mm
    return 4 / 3 * rows.size * grid_mm**2 * short / 1000, 2 * short


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


def heterogeneity(counts: Image, gland: Gland, level: float, grid_mm: float) -> float | None:
    """Return the coefficient of variation in the lobes beyond thickness and counting noise.

    A lobe is thick in its middle: a quadratic function of the position is fitted to the net counts of each
    lobe and removed. The variance that Poisson noise leaves after smoothing is subtracted.
    """
    sigma = TEXTURE_SMOOTH_MM / grid_mm
    smooth = ndimage.gaussian_filter(counts, sigma)
    # Sum of the squared kernel: the share of the variance that smoothing leaves; its inverse is the
    # number of pixels that become one.
    kernel = 1 / (4 * math.pi * sigma**2)
    variance = total = 0.0
    number = 0
    for side in (gland.right, gland.left):
        inner = ndimage.binary_erosion(side, iterations=max(round(MARGIN_MM / grid_mm), 1))
        if inner.sum() < INNER_LEAST:
            inner = side
        if inner.sum() < INNER_LEAST:
            continue
        net = smooth[inner] - level
        terms = _quadratic(inner)
        residual = net - terms @ np.linalg.lstsq(terms, net, rcond=None)[0]
        # The fit also removes noise: a share given by the number of terms and of independent pixels.
        left = 1 - min(terms.shape[1] / max(net.size * kernel, 1.0), 0.9)
        noise = float(np.maximum(smooth[inner], 0).sum()) * kernel * left
        variance += float(np.square(residual).sum()) - noise
        total += float(net.sum())
        number += net.size
    if not number or total <= 0:
        return None
    return math.sqrt(max(variance / number, 0.0)) / (total / number)


def _quadratic(mask: Mask) -> Image:
    """Return the terms of a quadratic function at a mask's pixels: (pixels, 6)."""
    rows, columns = (part.astype(float) for part in np.nonzero(mask))
    y = (rows - rows.mean()) / max(float(rows.std()), 1.0)
    x = (columns - columns.mean()) / max(float(columns.std()), 1.0)
    return np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=1)


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
