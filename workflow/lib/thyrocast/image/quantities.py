"""What nuclear medicine reads off a thyroid scintigram, as numbers: the hand-crafted features."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from thyrocast.image.gland import SMOOTH_MM, Gland

Image = NDArray[np.float64]
Mask = NDArray[np.bool_]

TC99M_HALF_LIFE_MIN = 360.4
# Mass in g from planar area in cm2: 0.33 x area^(3/2), Himanka's formula as in Nucl Med Commun
# 1998;19:341-346, where it overestimates diffuse goitres by half.
HIMANKA = 0.33


def decay(minutes: float) -> float:
    """Share of technetium-99m that is left after ``minutes``."""
    return float(2.0 ** (-minutes / TC99M_HALF_LIFE_MIN))


@dataclass(frozen=True)
class Syringe:
    """Counts of a syringe's image, its duration in s, and minutes from it to the gland's image."""

    counts: float
    duration_s: float
    minutes: float

    def rate_at_gland(self) -> float:
        """Counts per second that it would give when the gland is imaged."""
        return self.counts / self.duration_s * decay(self.minutes)


def measure(
    counts: Image,
    gland: Gland,
    grid_mm: float,
    duration_s: float | None,
    dose_rate: float | None = None,
) -> dict[str, float | None]:
    """Quantities of a gland.

    Parameters
    ----------
    counts
        (H, W) counts on square pixels of ``grid_mm``.
    gland
        The gland's masks on that grid.
    duration_s
        Acquisition time; None where unknown, and with it what needs it.
    dose_rate
        Counts per second that the injected activity would give in air when the gland is imaged.

    Returns
    -------
    dict
        Columns of `contract_columns.QUANTITIES`; None where a quantity can't be had. Counts are net of
        background (median of the ring around the gland, times the area), areas in cm2, mass in g,
        uptake in percent, the others without unit.
    """
    pixel_cm2 = grid_mm**2 / 100
    whole, ring = gland.whole, gland.ring
    pixels = float(whole.sum())
    # The mean, not the median: of a few counts a pixel the median is a whole number.
    level = float(counts[ring].mean()) if ring.any() else 0.0
    gross = float(counts[whole].sum())
    net = gross - level * pixels
    right = float(counts[gland.right].sum()) - level * float(gland.right.sum())
    left = float(counts[gland.left].sum()) - level * float(gland.left.sum())
    area_right = float(gland.right.sum()) * pixel_cm2
    area_left = float(gland.left.sum()) * pixel_cm2
    rate = net / duration_s if duration_s else None
    return {
        "q_counts": net,
        "q_rate": rate,
        "q_uptake": 100 * rate / dose_rate if rate is not None and dose_rate else None,
        "q_area_right": area_right,
        "q_area_left": area_left,
        "q_mass": HIMANKA * (area_right + area_left) ** 1.5,
        "q_asymmetry": _ratio(right - left, right + left),
        "q_heterogeneity": _heterogeneity(counts, whole, level, grid_mm),
        "q_to_background": _ratio(gross / pixels, level),
        "q_to_salivary": _ratio(gross / pixels, _salivary(counts, gland, grid_mm)),
        # Poisson noise of the net counts; the background's own counts come in once more.
        "q_snr": _ratio(net, math.sqrt(max(gross + level * pixels, 0.0))),
    }


def dose_rate(
    full: Syringe | None,
    residual: Syringe | None,
    activity_mbq: float | None,
    delay_min: float | None,
    sensitivity: float | None,
) -> float | None:
    """Counts per second that the injected activity would give in air when the gland is imaged.

    From the syringe's images before and after injection where there are any, else from the
    injected activity, decayed by the delay, and the camera's sensitivity in counts/s per MBq.
    """
    if full:
        rate = full.rate_at_gland() - (residual.rate_at_gland() if residual else 0.0)
        return rate if rate > 0 else None
    if activity_mbq and sensitivity and delay_min is not None:
        return activity_mbq * sensitivity * decay(delay_min)
    return None


def _ratio(a: float, b: float | None) -> float | None:
    return a / b if b is not None and b > 0 else None


def _heterogeneity(counts: Image, whole: Mask, level: float, grid_mm: float) -> float | None:
    """Coefficient of variation within the gland, its edge left out, at the collimator's scale."""
    smooth = ndimage.gaussian_filter(counts, SMOOTH_MM / grid_mm)
    inner = ndimage.binary_erosion(whole, iterations=max(round(6 / grid_mm), 1))
    held = smooth[inner if inner.sum() > 20 else whole] - level
    return _ratio(float(held.std()), float(held.mean()))


def _salivary(counts: Image, gland: Gland, grid_mm: float) -> float | None:
    """Counts per pixel of the salivary glands: the 98th percentile of each side above the gland."""
    rows = np.flatnonzero(gland.whole.any(1))
    bottom, top = int(rows[0] - 30 / grid_mm), int(rows[0] - 110 / grid_mm)
    if bottom - max(top, 0) < 30 / grid_mm:
        return None
    smooth = ndimage.gaussian_filter(counts, SMOOTH_MM / grid_mm)
    reach = round(75 / grid_mm)
    middle = round(gland.middle)
    band = smooth[max(top, 0) : bottom]
    sides = [band[:, max(middle - reach, 0) : middle], band[:, middle : middle + reach]]
    found = [float(np.percentile(side, 98)) for side in sides if side.size]
    return float(np.mean(found)) if found else None


def as_text(values: Mapping[str, float | None]) -> dict[str, str]:
    """Numbers with six digits, empty where there is none."""
    return {
        name: "" if value is None or not math.isfinite(value) else f"{value:.6g}"
        for name, value in values.items()
    }
