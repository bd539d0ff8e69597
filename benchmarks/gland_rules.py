"""The rules that found the thyroid before the network, for comparison.

Candidates are the regions of uptake, and pairs of regions that are next to each other like lobes.
The candidate with the counts, the position and the size of a thyroid is selected: near the midline,
away from the edge and, if salivary glands are visible, below them.

Constants without another source were chosen on the simulated glands of tests/unit/image/test_image.py.
"""

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from benchmarks.gland_regions import (
    EDGE,
    SMALLEST_CM2,
    Image,
    Labels,
    Region,
    background_level,
    find_regions,
)

Mask = NDArray[np.bool_]

#: Standard deviation of the smoothing, mm: about the resolution of a collimator at the neck.
SEGMENTATION_SMOOTH_MM = 3.5

# Two regions are the lobes of one gland if their centroids are at most this far apart in height, and
# within this range across, mm.
LOBES_ROWS_MM = 35
LOBES_COLUMNS_MM = (18, 85)
# Score of a region or pair: the logarithm of its counts, minus the squared distance from the
# image's midline (normal, with this standard deviation in mm), plus a bonus for a pair, minus a penalty
# per unit of the logarithm of the ratio of its two counts.
MIDLINE_SD_MM = 45.0
PAIR_BONUS = 0.8
PAIR_IMBALANCE = 0.5
# A region is salivary if there is uptake below it, at this distance in height (from, to) and across
# (mm), with at least this fraction of its counts. The penalty equals a factor of seven in counts.
THYROID_BELOW_MM = (35, 120)
THYROID_ACROSS_MM = 45
THYROID_COUNTS = 0.25
SALIVARY_PENALTY = 2.0

# Parts of one gland are at most this far apart, mm; salivary glands are 30 mm or more above it.
GAP_MM = 10.0
# A part of the gland has at least this fraction of its largest height, and its centroid is at most
# this far above or below the gland's, mm.
PART_HEIGHT = 0.15
PART_ROWS_MM = 50

# Ring of background around the gland: from, to, mm. Pixels within OTHERS_MM of other regions are
# excluded. If its area is below RING_LEAST_MM2, the wide ring is used instead.
RING_MM = (12, 28)
WIDE_RING_MM = (8, 40)
RING_LEAST_MM2 = 200
OTHERS_MM = 6
# Number of times that background and gland are computed again from each other.
REFINEMENTS = 2
# Height of a lobe: this percentile of its counts, since a nodule is only a part of it.
LOBE_PERCENTILE = 90
# Smoothing of the profile across the gland, pixels (standard deviation).
PROFILE_SD = 1.5

# Least ratio of the gland's mean to the background.
GLAND_CONTRAST = 1.25
# Counts farther than this from the gland come from the patient's tissue, mm.
TISSUE_MM = 45
# Without a patient, the share of all counts in the tissue and the ratio of background to gland are
# below these limits. A narrow object (full width in mm) is then a syringe, vial or point source;
# below the second, stricter pair of limits any object is a phantom.
AIR_TISSUE, AIR_BACKGROUND = 0.02, 0.02
NARROW_MM = 26
EMPTY_TISSUE, EMPTY_BACKGROUND = 0.005, 0.003


class NoGlandError(ValueError):
    """No thyroid is visible; the message is a reason for the register."""


@dataclass(frozen=True)
class Gland:
    """A gland on the grid of its image.

    Attributes
    ----------
    whole
        (H, W) mask of the gland.
    right, left
        (H, W) masks of the patient's lobes; the right one is on the left side of the image.
    ring
        (H, W) mask of the background around the gland.
    background
        Counts per pixel of the background.
    middle
        Column between the lobes, pixels.
    """

    whole: Mask
    right: Mask
    left: Mask
    ring: Mask
    background: float
    middle: float


def find_gland(
    counts: Image, grid_mm: float, limits_cm2: tuple[float, float], repaired: bool = False
) -> Gland:
    """Return the thyroid on an anterior image.

    Parameters
    ----------
    counts
        (H, W) counts on square pixels, head up, anterior view.
    grid_mm
        Side of a pixel, mm.
    limits_cm2
        Smallest and largest planar area of a gland, cm².

    Raises
    ------
    NoGlandError
        If nothing in the image looks like a thyroid.
    """
    smooth = ndimage.gaussian_filter(
        np.maximum(counts, 0.0), SEGMENTATION_SMOOTH_MM / grid_mm, mode="nearest"
    )
    labels, regions = find_regions(smooth, background_level(smooth), grid_mm)
    if not regions:
        raise NoGlandError("no uptake above the background")
    if repaired:
        chosen = _choose_repaired(regions, counts.shape, grid_mm, limits_cm2[1])
    else:
        chosen = _choose(regions, counts.shape[1] * grid_mm, limits_cm2[1])
    if chosen is None:
        raise NoGlandError("no uptake with the size and position of a thyroid")
    chosen = _add_parts(chosen, regions, labels, grid_mm)
    core = np.isin(labels, [region.label for region in chosen])
    mask, ring, background = _refine(smooth, core, labels, grid_mm)
    area = mask.sum() * grid_mm**2 / 100
    if not limits_cm2[0] <= area <= limits_cm2[1]:
        raise NoGlandError(
            "uptake too small for a thyroid"
            if area < limits_cm2[0]
            else "uptake too large for a thyroid"
        )
    _check_shape(counts, smooth, mask, background, grid_mm)
    middle = _middle(smooth, mask, background)
    side = np.arange(counts.shape[1])[None, :] < middle
    return Gland(mask, mask & side, mask & ~side, ring, background, middle)


def _choose(regions: list[Region], width_mm: float, largest: float) -> list[Region] | None:
    """Return the region, or the two lobes, most similar to a thyroid; None if all are too large."""
    near, far = LOBES_COLUMNS_MM
    options = [[region] for region in regions] + [
        [a, b]
        for a, b in itertools.combinations(regions, 2)
        if abs(a.row - b.row) <= LOBES_ROWS_MM and near <= abs(a.column - b.column) <= far
    ]
    options = [o for o in options if sum(r.area for r in o) <= largest]
    if not options:
        return None
    most = max(sum(r.counts for r in option) for option in options)
    return max(options, key=lambda option: _score(option, regions, most, width_mm))


def _choose_repaired(
    regions: list[Region], shape: tuple[int, ...], grid_mm: float, largest: float
) -> list[Region] | None:
    """Choose by contrast instead of counts, with priors of position and size.

    Nothing is punished for what lies below it, nor a pair for being unequal. The priors (normal, mm
    from the middle of the field; log-normal, cm2) are those of patients who are centered by hand and of
    glands of 5 to 150 g.
    """
    near, far = LOBES_COLUMNS_MM
    options = [[region] for region in regions] + [
        [a, b]
        for a, b in itertools.combinations(regions, 2)
        if abs(a.row - b.row) <= LOBES_ROWS_MM and near <= abs(a.column - b.column) <= far
    ]
    options = [o for o in options if sum(r.area for r in o) <= largest]

    def value(option: list[Region]) -> float:
        counts = sum(r.counts for r in option)
        area = sum(r.area for r in option)
        row = sum(r.row * r.counts for r in option) / counts
        column = sum(r.column for r in option) / len(option)
        contrast = np.log(max(r.height for r in option))
        away = (column - shape[1] * grid_mm / 2) / 25, (row - shape[0] * grid_mm / 2 - 5) / 35
        size = np.log(area / 20) / 0.9
        return float(
            contrast + (0.8 if len(option) == 2 else 0) - np.square([*away, size]).sum() / 2
        )

    return max(options, key=value) if options else None


def _score(option: list[Region], regions: list[Region], most: float, width_mm: float) -> float:
    counts = sum(r.counts for r in option)
    row = sum(r.row * r.counts for r in option) / counts
    column = sum(r.column for r in option) / len(option)
    value = float(np.log(counts / most))
    value -= (column - width_mm / 2) ** 2 / (2 * MIDLINE_SD_MM**2)
    if len(option) == 2:
        value += PAIR_BONUS
        value -= PAIR_IMBALANCE * abs(float(np.log(option[0].counts / option[1].counts)))
    near, far = THYROID_BELOW_MM
    below = any(
        near < r.row - row < far
        and abs(r.column - column) < THYROID_ACROSS_MM
        and r.counts > THYROID_COUNTS * counts
        for r in regions
        if r not in option
    )
    return value - SALIVARY_PENALTY * below


def _add_parts(
    chosen: list[Region], regions: list[Region], labels: Labels, grid_mm: float
) -> list[Region]:
    """Add the regions at the gland's edge: parts of a patchy gland, not salivary glands.

    Between salivary glands and the thyroid there is background.
    """
    least = PART_HEIGHT * max(region.height for region in chosen)
    rows = [region.row for region in chosen]
    group = list(chosen)
    while True:
        away = ndimage.distance_transform_edt(~np.isin(labels, [r.label for r in group])) * grid_mm
        more = [
            r
            for r in regions
            if r not in group
            and r.height > least
            and min(rows) - PART_ROWS_MM < r.row < max(rows) + PART_ROWS_MM
            and away[labels == r.label].min() <= GAP_MM
        ]
        if not more:
            return group
        group += more


def _refine(smooth: Image, core: Mask, labels: Labels, grid_mm: float) -> tuple[Mask, Mask, float]:
    """Return the gland's mask, the ring of background around it, and the background's level."""
    others = (labels > 0) & ~core
    margin = ndimage.binary_dilation(others, iterations=max(int(OTHERS_MM / grid_mm), 1))
    mask, ring, background = core, core, 0.0
    for _ in range(REFINEMENTS):
        distance = ndimage.distance_transform_edt(~mask) * grid_mm
        ring = (distance > RING_MM[0]) & (distance <= RING_MM[1]) & ~margin
        if ring.sum() * grid_mm**2 < RING_LEAST_MM2:
            ring = (distance > WIDE_RING_MM[0]) & (distance <= WIDE_RING_MM[1])
        background = float(np.median(smooth[ring])) if ring.any() else 0.0
        near = (distance <= RING_MM[0]) & ~others
        # The core stays: a cold part next to a hot nodule was cut at its own height.
        found = (near & (smooth >= _cut(smooth, mask, background))) | core
        found = ndimage.binary_fill_holes(found)
        pieces, count = ndimage.label(found)
        if not count:
            break
        sizes = ndimage.sum_labels(found, pieces, np.arange(1, count + 1)) * grid_mm**2 / 100
        keep = [n for n, size in enumerate(sizes, 1) if size >= SMALLEST_CM2]
        if not keep:
            break
        mask = np.isin(pieces, keep)
    return mask, ring, background


def _cut(smooth: Image, mask: Mask, background: float) -> Image:
    """Return the counts per pixel at the edge: for each side, a fraction of its lobe's height."""
    middle = _middle(smooth, mask, background)
    columns = np.arange(smooth.shape[1])[None, :]
    cut = np.full(smooth.shape, np.inf)
    for side in (columns < middle, columns >= middle):
        lobe = mask & side
        if lobe.any():
            height = float(np.percentile(smooth[lobe], LOBE_PERCENTILE)) - background
            cut = np.where(side, background + EDGE * height, cut)
    return cut


def _middle(smooth: Image, mask: Mask, background: float) -> float:
    """Return the column between the lobes: the profile's minimum in the gland's middle third."""
    profile = np.where(mask, smooth - background, 0.0).sum(0)
    occupied = np.flatnonzero(mask.any(0))
    if not occupied.size:
        return float(smooth.shape[1] / 2)
    left, right = int(occupied[0]), int(occupied[-1])
    start, stop = left + (right - left) // 3, right - (right - left) // 3 + 1
    inner = ndimage.gaussian_filter1d(profile, PROFILE_SD)[start:stop]
    if not inner.size:
        return (left + right + 1) / 2
    return start + float(np.mean(np.flatnonzero(inner == inner.min()))) + 0.5


def _check_shape(
    counts: Image, smooth: Image, mask: Mask, background: float, grid_mm: float
) -> None:
    """Reject a bright object that is not a gland: a syringe, vial, point source or flood source."""
    inside = float(smooth[mask].mean())
    if inside < GLAND_CONTRAST * background:
        raise NoGlandError("uptake with too little contrast to the background")
    rows, columns = np.nonzero(mask)
    spread = np.cov(np.vstack([rows, columns]).astype(float)) * grid_mm**2
    # Full width of a uniform ellipse along its short axis is four standard deviations.
    narrow = 4 * float(np.sqrt(max(np.linalg.eigvalsh(spread)[0], 0.0)))
    far = ndimage.distance_transform_edt(~mask) * grid_mm > TISSUE_MM
    total = float(counts.sum())
    outside = float(counts[far].sum()) / total if total > 0 and far.any() else 1.0
    alone = outside < AIR_TISSUE and background < AIR_BACKGROUND * inside
    empty = outside < EMPTY_TISSUE and background < EMPTY_BACKGROUND * inside
    if alone and (narrow < NARROW_MM or empty):
        raise NoGlandError("a syringe, vial or phantom: there is no tissue around it")
