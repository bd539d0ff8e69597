"""Finding the thyroid on an anterior scintigram.

Regions of uptake are the basins of the smoothed image's maxima, each cut at a fraction of its own
height, so that a hot nodule does not hide the rest of the gland. Of the regions, and of pairs of
them that lie side by side as lobes do, the one is taken that has the counts, the place and the
size of a thyroid: below the salivary glands where those are seen, near the midline, off the edge.
"""

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.feature import peak_local_max
from skimage.segmentation import watershed

Image = NDArray[np.float64]
Mask = NDArray[np.bool_]

# Standard deviation of the smoothing: about the resolution of a collimator at the neck.
SMOOTH_MM = 3.5
# Share of a region's height over background at which its edge is drawn. Half marks the edge of a
# flat object behind any point spread; a lobe thins out towards its edge.
EDGE = 0.35
SMALLEST_CM2 = 1.0
# Parts of one gland are no further apart than this.
GAP_MM = 10.0


class NoGlandError(ValueError):
    """No thyroid is seen; the message is a reason for the register."""


@dataclass(frozen=True)
class Gland:
    """A gland on the grid of its image.

    Masks are the ``whole`` gland, its ``right`` and ``left`` lobe (the patient's; the right one is
    on the image's left), and the ``ring`` of background around it. ``background`` is in counts per
    pixel, ``middle`` the column between the lobes, in pixels.
    """

    whole: Mask
    right: Mask
    left: Mask
    ring: Mask
    background: float
    middle: float


@dataclass(frozen=True)
class _Region:
    label: int
    row: float  # mm
    column: float  # mm
    area: float  # cm2
    counts: float  # over background
    height: float


def find_gland(counts: Image, grid_mm: float, limits_cm2: tuple[float, float]) -> Gland:
    """Find the thyroid.

    Parameters
    ----------
    counts
        (H, W) counts on square pixels, head up, anterior view.
    grid_mm
        Side of a pixel.
    limits_cm2
        Smallest and largest planar area of a gland.

    Raises
    ------
    NoGlandError
        If nothing in the image looks like a thyroid.
    """
    smooth = ndimage.gaussian_filter(np.maximum(counts, 0.0), SMOOTH_MM / grid_mm, mode="nearest")
    floor = _floor(smooth)
    labels, regions = _regions(smooth, floor, grid_mm)
    if not regions:
        raise NoGlandError("no uptake that stands out from the background")
    chosen = _choose(regions, counts.shape[1] * grid_mm, limits_cm2[1])
    if chosen is None:
        raise NoGlandError("no uptake of a thyroid's size and place")
    chosen = _absorb(chosen, regions, labels, grid_mm)
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


def _floor(smooth: Image) -> float:
    """Typical height of what is no uptake: the median where there are counts at all."""
    body = smooth[smooth > 0.02 * smooth.max()]
    return float(np.median(body)) if body.size > 0.2 * smooth.size else float(np.median(smooth))


def _regions(
    smooth: Image, floor: float, grid_mm: float
) -> tuple[NDArray[np.int32], list[_Region]]:
    top = float(smooth.max())
    if top <= 0 or top < 1.3 * floor:
        return np.zeros(smooth.shape, np.int32), []
    peaks = peak_local_max(  # type: ignore[no-untyped-call]
        smooth,
        min_distance=max(int(8 / grid_mm), 1),
        threshold_abs=floor + 0.08 * (top - floor),
        exclude_border=max(int(8 / grid_mm), 1),
        num_peaks=24,
    )
    if not len(peaks):
        return np.zeros(smooth.shape, np.int32), []
    markers = np.zeros(smooth.shape, np.int32)
    markers[tuple(peaks.T)] = np.arange(1, len(peaks) + 1)
    seen = smooth > floor + 0.04 * (top - floor)
    basins = watershed(-smooth, markers, mask=seen)  # type: ignore[no-untyped-call]
    heights = np.concatenate([[np.inf], smooth[tuple(peaks.T)]])
    # A basin is cut at a share of its own height over background.
    labels = np.where(smooth >= floor + EDGE * (heights[basins] - floor), basins, 0).astype(
        np.int32
    )
    labels[basins == 0] = 0
    labels = _merge(labels, smooth, heights, floor)
    regions = []
    for label, box in enumerate(ndimage.find_objects(labels), 1):
        if box is None:
            continue
        inside = labels[box] == label
        held = np.where(inside, smooth[box] - floor, 0.0)
        total = held.sum()
        area = inside.sum() * grid_mm**2 / 100
        if total <= 0 or area < SMALLEST_CM2:
            continue
        rows = (np.arange(box[0].start, box[0].stop) + 0.5) * grid_mm
        columns = (np.arange(box[1].start, box[1].stop) + 0.5) * grid_mm
        regions.append(
            _Region(
                label,
                float(held.sum(1) @ rows / total),
                float(held.sum(0) @ columns / total),
                float(area),
                float(total),
                float(smooth[box][inside].max() - floor),
            )
        )
    return labels, regions


def _merge(
    labels: NDArray[np.int32], smooth: Image, heights: Image, floor: float
) -> NDArray[np.int32]:
    """Join basins that touch along a ridge nearly as high as the lower of them."""
    parent = list(range(len(heights)))

    def root(label: int) -> int:
        while parent[label] != label:
            label = parent[label]
        return label

    ridges: dict[tuple[int, int], float] = {}
    for here, there, low in (
        (labels[:-1], labels[1:], np.minimum(smooth[:-1], smooth[1:])),
        (labels[:, :-1], labels[:, 1:], np.minimum(smooth[:, :-1], smooth[:, 1:])),
    ):
        touch = (here != there) & (here > 0) & (there > 0)
        for a, b, height in zip(here[touch], there[touch], low[touch], strict=True):
            pair = (min(a, b), max(a, b))
            ridges[pair] = max(ridges.get(pair, 0.0), float(height))
    for (a, b), height in ridges.items():
        if height - floor >= 0.6 * (min(heights[a], heights[b]) - floor):
            parent[root(int(a))] = root(int(b))
    return np.array([root(label) for label in range(len(heights))], np.int32)[labels]


def _choose(regions: list[_Region], width_mm: float, largest: float) -> list[_Region] | None:
    """The region, or the two lobes, that are most like a thyroid."""
    options = [[region] for region in regions] + [
        [a, b]
        for a, b in itertools.combinations(regions, 2)
        if abs(a.row - b.row) <= 35 and 18 <= abs(a.column - b.column) <= 85
    ]
    options = [o for o in options if sum(r.area for r in o) <= largest]
    if not options:
        return None
    most = max(sum(r.counts for r in option) for option in options)

    def middle(option: list[_Region]) -> tuple[float, float]:
        held = sum(r.counts for r in option)
        return (
            sum(r.row * r.counts for r in option) / held,
            sum(r.column for r in option) / len(option),
        )

    def score(option: list[_Region]) -> float:
        row, column = middle(option)
        value = float(np.log(sum(r.counts for r in option) / most))
        value -= (column - width_mm / 2) ** 2 / (2 * 45.0**2)
        if len(option) == 2:
            value += 0.8
            value -= 0.5 * abs(float(np.log(option[0].counts / option[1].counts)))
        # Uptake of like strength straight below, a thyroid's distance away: this one is salivary.
        below = [
            r for r in regions
            if r not in option and 35 < r.row - row < 120 and abs(r.column - column) < 45
            and r.counts > 0.25 * sum(o.counts for o in option)
        ]  # fmt: skip
        return value - 2.0 * bool(below)

    return max(options, key=score)


def _absorb(
    chosen: list[_Region], regions: list[_Region], labels: NDArray[np.int32], grid_mm: float
) -> list[_Region]:
    """Add the regions that lie at the gland's edge: parts of a patchy gland, not salivary glands.

    Those are three centimetres or more above the upper poles, and between them and the thyroid
    there is background.
    """
    most = max(region.height for region in chosen)
    group = list(chosen)
    while True:
        away = ndimage.distance_transform_edt(~np.isin(labels, [r.label for r in group])) * grid_mm
        rows = [r.row for r in chosen]
        more = [
            r
            for r in regions
            if r not in group
            and r.height > 0.15 * most
            and min(rows) - 50 < r.row < max(rows) + 50
            and away[labels == r.label].min() <= GAP_MM
        ]
        if not more:
            return group
        group += more


def _refine(
    smooth: Image, core: Mask, labels: NDArray[np.int32], grid_mm: float
) -> tuple[Mask, Mask, float]:
    """The gland's edge against the background around it, and that background."""
    others = ndimage.binary_dilation((labels > 0) & ~core, iterations=max(int(6 / grid_mm), 1))
    mask = core
    ring, background = core, 0.0
    for _ in range(2):
        distance = ndimage.distance_transform_edt(~mask) * grid_mm
        ring = (distance > 12) & (distance <= 28) & ~others
        if ring.sum() * grid_mm**2 < 200:
            ring = (distance > 8) & (distance <= 40)
        background = float(np.median(smooth[ring])) if ring.any() else 0.0
        near = (distance <= 12) & ~((labels > 0) & ~core)
        # Each lobe is cut at a share of its own height: of the 90th percentile, since a nodule is
        # a part of it only.
        middle = _middle(smooth, mask, background)
        columns = np.arange(smooth.shape[1])[None, :]
        cut = np.full(smooth.shape, np.inf)
        for side in (columns < middle, columns >= middle):
            lobe = mask & side
            if lobe.any():
                height = float(np.percentile(smooth[lobe], 90)) - background
                cut = np.where(side, background + EDGE * height, cut)
        # What is cut at its own height stays: a cold part beside a hot nodule.
        found = (near & (smooth >= cut)) | core
        found = ndimage.binary_fill_holes(found)
        pieces, count = ndimage.label(found)
        if not count:
            break
        sizes = ndimage.sum_labels(found, pieces, np.arange(1, count + 1)) * grid_mm**2 / 100
        keep = [n for n, size in enumerate(sizes, 1) if size >= 1.0]
        if not keep:
            break
        mask = np.isin(pieces, keep)
    return mask, ring, background


def _middle(smooth: Image, mask: Mask, background: float) -> float:
    """Column between the lobes: the lowest point of the gland's profile near its middle."""
    profile = np.where(mask, smooth - background, 0.0).sum(0)
    held = np.flatnonzero(mask.any(0))
    if not held.size:
        return float(smooth.shape[1] / 2)
    left, right = int(held[0]), int(held[-1])
    start, stop = left + (right - left) // 3, right - (right - left) // 3 + 1
    inner = ndimage.gaussian_filter1d(profile, 1.5)[start:stop]
    if not inner.size:
        return (left + right + 1) / 2
    return start + float(np.mean(np.flatnonzero(inner == inner.min()))) + 0.5


def _check_shape(
    counts: Image, smooth: Image, mask: Mask, background: float, grid_mm: float
) -> None:
    """Refuse what is bright but no gland: a syringe, a vial, a point source, a flood."""
    inside = float(smooth[mask].mean())
    if inside < 1.25 * background:
        raise NoGlandError("uptake that hardly stands out from the background")
    rows, columns = np.nonzero(mask)
    spread = np.cov(np.vstack([rows, columns]).astype(float)) * grid_mm**2
    # Full width of a uniform ellipse along its short axis is four standard deviations.
    narrow = 4 * float(np.sqrt(max(np.linalg.eigvalsh(spread)[0], 0.0)))
    far = ndimage.distance_transform_edt(~mask) * grid_mm > 45
    total = float(counts.sum())
    outside = float(counts[far].sum()) / total if total > 0 and far.any() else 1.0
    # A patient's neck and chest hold counts; around a syringe there is air.
    alone = outside < 0.02 and background < 0.02 * inside
    if alone and (narrow < 26 or (outside < 0.005 and background < 0.003 * inside)):
        raise NoGlandError("a syringe, vial or phantom: there is no tissue around it")
