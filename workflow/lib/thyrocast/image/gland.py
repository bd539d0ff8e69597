"""Find the thyroid on an anterior scintigram.

A small network (`gland_network`) gives each pixel its probability to belong to a lobe, and the image its
probability to show a thyroid. The lobes are the pixels of highest probability, as many as the sum of the
probabilities says; plain rules then check what the network found, and refuse what it cannot have seen.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from thyrocast.image.gland_network import GRID_MM, Floats, Marked
from thyrocast.image.gland_search import search

Image = NDArray[np.float64]
Mask = NDArray[np.bool_]

#: Standard deviation of the smoothing before counts are compared, mm: about the resolution at the neck.
SEGMENTATION_SMOOTH_MM = 3.5

#: Pixels with less probability belong to no lobe.
FAINT = 0.1
#: Pieces of a lobe with less than this share of the largest one's area are noise.
PIECE = 0.08

#: Relative standard deviation of the area per mean uncertainty of a pixel, p (1 - p), in the gland.
AREA_SD = 1.0

# Ring of background around the gland: from, to, mm. If its area is below RING_LEAST_MM2, the wide ring
# is used instead.
RING_MM = (12, 28)
WIDE_RING_MM = (8, 40)
RING_LEAST_MM2 = 200
#: Pixels of the ring above this percentile are other organs.
RING_PERCENTILE = 75

#: Largest distance of the middles of two lobes, mm: that of kidneys and hips is larger. In the phantoms of the
#: benchmark, with glands of up to 150 g and behind the sternum, it was at most 63.
LOBES_APART_MM = 85.0

#: Two bodies that are short (length over width, mean of both) and do not touch (distance of their middles over the
#: sum of their half widths) are testes more often than lobes, unless the score is at least `SHORT_SCORE`. Testes are
#: 1.5 to 1.8 times as long as wide, less so at the resolution of a camera; lobes mostly more than 2. Of 682
#: thyroids of the training's simulator that have a score of at least .5, 145 have this form, and 9 of them a lower
#: score than `SHORT_SCORE`.
SHORT, SEPARATE, SHORT_SCORE = 1.7, 1.0, 0.9

#: An image shows a thyroid with the head down if, turned by 180 degrees, the odds of its score are more than this
#: many times those as it is. Of 693 upright thyroids of the training's own simulator, one had such a ratio.
HEAD_DOWN_ODDS = 8.0
#: Scores farther from 1/2 than these are equal: their odds would differ by rounding.
SURE = (0.001, 0.999)

# Counts farther than this from the gland come from the patient's tissue, mm.
TISSUE_MM = 45
# Without a patient, the share of all counts in the tissue and the ratio of background to gland are below
# these limits. A narrow object (full width in mm) is then a syringe, vial or point source; below the
# second, stricter pair of limits any object is a phantom.
AIR_TISSUE, AIR_BACKGROUND = 0.02, 0.02
NARROW_MM = 26
EMPTY_TISSUE, EMPTY_BACKGROUND = 0.005, 0.003
# Counts of a room are even or fall with the distance from the syringe; a neck has edges, shoulders and
# salivary glands. Blocks of this many pixels per side, farther than FAR_MM from the object, are compared
# with those at the same distance (rings of RING_STEP_MM). Among narrow objects in a phantom's neck whose
# surroundings have less than ROOM_BACKGROUND of their counts, the relative standard deviation was below
# ROOM_EVENNESS in none of 180.
ROOM_BLOCK, FAR_MM, RING_STEP_MM = 6, 24.0, 12.0
ROOM_BACKGROUND, ROOM_EVENNESS = 0.06, 0.2


class NoGlandError(ValueError):
    """No thyroid is visible; the message is a reason for the register.

    Attributes
    ----------
    score
        Probability that the image shows a thyroid.
    """

    def __init__(self, reason: str, score: float | None = None) -> None:
        super().__init__(reason)
        self.score = score


@dataclass(frozen=True)
class Gland:
    """A gland on the grid of its image.

    Attributes
    ----------
    whole
        (H, W) mask of the gland.
    right, left
        (H, W) masks of the patient's lobes; the right one is on the left side of the image; one may be
        empty.
    ring
        (H, W) mask of the background around the gland.
    background
        Counts per pixel of the background.
    middle
        Column between the lobes, pixels.
    score
        Probability that the image shows a thyroid.
    area_sd
        Relative standard deviation of the area.
    """

    whole: Mask
    right: Mask
    left: Mask
    ring: Mask
    background: float
    middle: float
    score: float
    area_sd: float


def find_gland(
    counts: Image, grid_mm: float, limits_cm2: tuple[float, float], min_score: float = 0.5
) -> Gland:
    """Return the thyroid on an anterior image.

    Parameters
    ----------
    counts
        (H, W) counts on square pixels, head up, anterior view.
    grid_mm
        Side of a pixel, mm; `GRID_MM`, which is the grid that the network was trained on.
    limits_cm2
        Smallest and largest planar area of a gland, cm².
    min_score
        Least probability that the image shows a thyroid.

    Raises
    ------
    NoGlandError
        If nothing in the image looks like a thyroid.
    """
    if grid_mm != GRID_MM:
        raise ValueError(f"pixels of {grid_mm} mm, expected {GRID_MM}")
    marked = search(counts)
    if _is_head_down(counts, marked.score, min_score):
        raise NoGlandError("it looks like a thyroid with the head down", marked.score)
    if marked.score < min_score:
        # The score is a column of the records: as part of the reason, it would differ by patient.
        raise NoGlandError("no thyroid found in the image", marked.score)
    right, left = lobes(marked)
    whole = right | left
    area = whole.sum() * grid_mm**2 / 100
    if not limits_cm2[0] <= area <= limits_cm2[1]:
        size = "small" if area < limits_cm2[0] else "large"
        raise NoGlandError(f"uptake too {size} for a thyroid", marked.score)
    if _apart(right, left) * grid_mm > LOBES_APART_MM:
        raise NoGlandError(
            "two organs that are too far apart for the lobes of a thyroid", marked.score
        )
    if marked.score < SHORT_SCORE and _is_short_pair(right, left):
        raise NoGlandError(
            "two round organs that do not touch, unlike lobes of a thyroid", marked.score
        )
    smooth = ndimage.gaussian_filter(
        np.maximum(counts, 0.0), SEGMENTATION_SMOOTH_MM / grid_mm, mode="nearest"
    )
    ring, background = _surroundings(smooth, whole, grid_mm)
    _check_surroundings(counts, smooth, whole, background, grid_mm)
    return Gland(
        whole, right, left, ring, background, _middle(right, left), marked.score, _area_sd(marked)
    )


def _is_head_down(counts: Image, score: float, min_score: float) -> bool:
    """Return whether an image, turned by 180 degrees, looks much more like a thyroid."""
    if _odds(score) * HEAD_DOWN_ODDS >= _odds(1.0):
        # No score is enough higher: most patients need not be looked at again.
        return False
    turned = search(np.ascontiguousarray(counts[::-1, ::-1])).score
    return turned >= min_score and _odds(turned) > HEAD_DOWN_ODDS * _odds(score)


def _odds(score: float) -> float:
    sure = min(max(score, SURE[0]), SURE[1])
    return sure / (1 - sure)


def lobes(marked: Marked) -> tuple[Mask, Mask]:
    """Return the masks of right and left lobe.

    The sum of calibrated probabilities is the expected area; as many pixels are selected, those of highest
    probability. A threshold of one half would lose lobes whose edge is uncertain.
    """
    whole = np.minimum(marked.right + marked.left, 1.0)
    taken = _most_probable(whole)
    is_right = marked.right >= marked.left
    return taken & is_right, taken & ~is_right


def _most_probable(probability: Floats) -> Mask:
    likely = probability > FAINT
    number = round(float(probability[likely].sum()))
    taken = np.zeros(probability.shape, np.bool_)
    if number < 1:
        return taken
    order = np.argsort(-probability, axis=None, kind="stable")[:number]
    taken.flat[order] = True
    taken = ndimage.binary_fill_holes(taken)
    pieces, count = ndimage.label(taken)
    if count > 1:
        sizes = ndimage.sum_labels(taken, pieces, np.arange(1, count + 1))
        taken = np.isin(pieces, 1 + np.flatnonzero(sizes >= PIECE * sizes.max()))
    return np.asarray(taken)


def _apart(right: Mask, left: Mask) -> float:
    """Return the distance of the middles of the lobes, pixels; 0 if one is missing."""
    if not (right.any() and left.any()):
        return 0.0
    middles = [np.argwhere(side).mean(0) for side in (right, left)]
    return float(np.hypot(*(middles[0] - middles[1])))


def _is_short_pair(right: Mask, left: Mask) -> bool:
    """Return whether there are two bodies that are short and do not touch."""
    if not (right.any() and left.any()):
        return False
    # Full axes of a uniform ellipse are four standard deviations; a pixel has a variance of 1/12.
    axes = np.array(
        [
            4
            * np.sqrt(
                np.linalg.eigvalsh(
                    np.atleast_2d(np.cov(np.argwhere(side).T, ddof=0)) + np.eye(2) / 12
                )
            )
            for side in (right, left)
        ]
    )
    separate = _apart(right, left) > SEPARATE * float(axes[:, 0].sum()) / 2
    return separate and float((axes[:, 1] / axes[:, 0]).mean()) < SHORT


def _area_sd(marked: Marked) -> float:
    """Return the relative standard deviation of the area, from how uncertain the pixels are."""
    whole = np.minimum(marked.right + marked.left, 1.0)
    return AREA_SD * float((whole * (1 - whole)).sum() / max(float(whole.sum()), 1e-6))


def _surroundings(smooth: Image, whole: Mask, grid_mm: float) -> tuple[Mask, float]:
    """Return the ring of background around the gland without other organs, and its level."""
    distance = ndimage.distance_transform_edt(~whole) * grid_mm
    for near, far in (RING_MM, WIDE_RING_MM):
        ring = (distance > near) & (distance <= far)
        if ring.sum() * grid_mm**2 >= RING_LEAST_MM2:
            break
    if not ring.any():
        return ring, 0.0
    middle, high = np.percentile(smooth[ring], [50, RING_PERCENTILE])
    ring &= smooth <= middle + 3 * (high - middle)
    return ring, float(np.median(smooth[ring]))


def _middle(right: Mask, left: Mask) -> float:
    """Return the column between the lobes; beside the only lobe, if the other one is missing."""
    right_columns, left_columns = right.sum(0), left.sum(0)
    if not left_columns.any():
        return float(np.flatnonzero(right_columns)[-1] + 1)
    if not right_columns.any():
        return float(np.flatnonzero(left_columns)[0])
    wrong = np.concatenate([[0], np.cumsum(left_columns)]) - np.concatenate(
        [[0], np.cumsum(right_columns)]
    )
    return float(np.mean(np.flatnonzero(wrong == wrong.min())))


def _check_surroundings(
    counts: Image, smooth: Image, mask: Mask, background: float, grid_mm: float
) -> None:
    """Reject a bright object without a patient: a syringe, vial, point source or flood source."""
    inside = float(smooth[mask].mean())
    rows, columns = np.nonzero(mask)
    spread = np.cov(np.vstack([rows, columns]).astype(float)) * grid_mm**2
    # Full width of a uniform ellipse along its short axis is four standard deviations.
    narrow = 4 * float(np.sqrt(max(np.linalg.eigvalsh(spread)[0], 0.0)))
    distance = ndimage.distance_transform_edt(~mask) * grid_mm
    far = distance > TISSUE_MM
    total = float(counts.sum())
    outside = float(counts[far].sum()) / total if total > 0 and far.any() else 1.0
    alone = outside < AIR_TISSUE and background < AIR_BACKGROUND * inside
    empty = outside < EMPTY_TISSUE and background < EMPTY_BACKGROUND * inside
    if alone and (narrow < NARROW_MM or empty):
        raise NoGlandError("a syringe, vial or phantom: there is no tissue around it")
    dark = background < ROOM_BACKGROUND * inside
    if narrow < NARROW_MM and dark and _unevenness(counts, distance) < ROOM_EVENNESS:
        raise NoGlandError("a syringe, vial or phantom: there is no neck around it")


def _unevenness(counts: Image, distance: Image) -> float:
    """Return the relative standard deviation of the counts at equal distances, beyond counting noise.

    Parameters
    ----------
    counts
        (H, W) counts.
    distance
        (H, W) distance from the object, mm.
    """
    side = ROOM_BLOCK
    high, wide = (length // side for length in counts.shape)
    cut = (slice(high * side), slice(wide * side))
    blocks = counts[cut].reshape(high, side, wide, side).sum((1, 3))
    away = distance[cut].reshape(high, side, wide, side).mean((1, 3))
    variance = square = 0.0
    rings = np.where(away > FAR_MM, away // RING_STEP_MM, -1)
    for number in np.unique(rings[rings >= 0]):
        ring = blocks[rings == number]
        if ring.size < 4:
            continue
        variance += ring.size * float(ring.var(ddof=1) - ring.mean())
        square += ring.size * float(ring.mean()) ** 2
    # Without counts nothing speaks for a room.
    return float(np.sqrt(max(variance, 0.0) / square)) if square > 0 else np.inf
