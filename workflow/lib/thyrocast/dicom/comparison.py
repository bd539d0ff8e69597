"""Compare frames of a file: whether they show one view, and which detector is behind the patient."""

import itertools
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

# Frames are compared on this many bins per side, which is coarser than the motion of a patient who
# swallows or breathes, and fine enough for a view from another side.
BINS = 16
# Fewest counts of a frame that is compared: with fewer, noise hides a difference of views.
LEAST_COUNTS = 2_000
# Largest share of counts, beyond noise, that two frames of one view have in different bins. On the
# simulated necks, frames of one view differ by up to .10 when the patient moves by 5 mm; an oblique
# view differs from the anterior one by .13 and more.
MOST_DIFFERENT = 0.11
# Largest ratio of the counts of two frames, which have one duration. In 5 minutes technetium decays by
# 1 % and the gland takes up little more; from behind, the neck has half the counts.
MOST_COUNTS = 1.25
# The brightest spot of an image must be brighter by this factor in the image of another detector, in
# counts of all frames. On the simulated necks, the anterior image is brighter than the posterior one
# by a factor of 1.8 to 3.2.
BRIGHTER = 1.5
# Fewest counts of the brightest spot: with fewer, noise may be the brightest.
LEAST_BRIGHT = 30
# Fewest frames of a dynamic study that are compared, and frames that are compared at most.
FEWEST_TIMED, _TIMED = 4, 16
# The gland is at one place in the mirror image from behind: the brightest spots are at most this share of the side
# apart, and the images are correlated. On the simulated necks, exchanged images had correlations of .78 to .97.
_APART, _CORRELATED = 0.1, 0.6
# A square of a bin's side with this share of the counts of the brightest square more than any square within its
# side in another frame, and four standard deviations, is a spot that only one of them shows: a marker. A
# patient who moves by less than a bin makes none. The share was chosen on seeds 100 to 139 of
# `benchmarks/markers.py`. On its seeds 8000 to 8059, markers as bright as the gland were recognized in 240 of 240 pairs,
# half as bright in 116 of 120, and .3 as bright in 53 of 60; 4 of 420 moved frames were taken for another view. A marker
# on a lobe may be missed.
NEW_SPOT, NEW_SPOT_SD = 0.1, 4.0
# Bins per side in which the brightest spot is found: about 8 mm each.
SPOT_BINS = 48


def is_behind(frames: Sequence[NDArray[np.float64]], others: Sequence[NDArray[np.float64]]) -> bool:
    """Return whether the gland is brighter in the frames of other detectors."""
    own, other = (np.mean(images, axis=0) for images in (frames, others))
    if own.shape != other.shape or _brightest(other) * len(others) < LEAST_BRIGHT:
        return False
    return _brightest(other) > BRIGHTER * _brightest(own)


def is_one_organ(
    frames: Sequence[NDArray[np.float64]], others: Sequence[NDArray[np.float64]]
) -> bool:
    """Return whether the opposite detector sees, mirrored, the same bright organ."""
    own, other = (_bin(np.mean(images, axis=0), 2 * BINS) for images in (frames, others))
    mirrored = other[:, ::-1]
    (row, column), (other_row, other_column) = (
        np.unravel_index(int(image.argmax()), image.shape) for image in (own, mirrored)
    )
    apart = float(np.hypot(row - other_row, column - other_column)) / (2 * BINS)
    return (
        apart <= _APART and float(np.corrcoef(own.ravel(), mirrored.ravel())[0, 1]) >= _CORRELATED
    )


def in_the_middle(frames: Sequence[int]) -> Sequence[int]:
    """Return the frames in the middle of a dynamic study, an even number of them."""
    half = len(frames) // 2
    reach = min(half, _TIMED // 2)
    return frames[half - reach : half + reach]


def are_two_views(frames: Sequence[NDArray[np.float64]]) -> bool:
    """Return whether frames in the middle of a dynamic study are those of two detectors.

    Either the frames of one detector follow those of the other one, or they alternate. What is near in time is
    as bright from one side, and 1.8 times as bright from the other one.
    """
    half = len(frames) // 2
    near = max(half // 4, 1)
    pairs = (
        (frames[half - near : half], frames[half : half + near]),
        (frames[0 : 2 * half : 2], frames[1 : 2 * half : 2]),
    )
    return any(_differ(first, second) for first, second in pairs)


def _differ(frames: Sequence[NDArray[np.float64]], others: Sequence[NDArray[np.float64]]) -> bool:
    one, other = sorted(_brightest(np.sum(images, axis=0)) for images in (frames, others))
    return one >= LEAST_BRIGHT and other > BRIGHTER * one + 4 * (2 * one) ** 0.5


def _brightest(image: NDArray[np.float64]) -> float:
    """Return the counts of the brightest bin above the median one."""
    bins = _bin(image, SPOT_BINS)
    return float(bins.max() - np.median(bins))


def are_one_view(frames: Sequence[NDArray[np.float64]]) -> bool:
    """Return whether frames differ by noise and small motion only.

    Half of the absolute difference between the distributions of counts of each frame and of all
    others is the share of counts in different places. Its expectation for Poisson noise,
    sqrt(2 / pi) times the standard deviation of each bin, is subtracted.

    Parameters
    ----------
    frames
        (rows, columns) counts of each frame, at least two.
    """
    binned = [_bin(frame, BINS) for frame in frames]
    totals = [float(part.sum()) for part in binned]
    if min(totals) < LEAST_COUNTS or max(totals) > MOST_COUNTS * min(totals):
        return False
    spots = [max(_brightest(frame), 1.0) for frame in frames]
    # Four standard deviations of the difference of two bright bins.
    if max(spots) > BRIGHTER * min(spots) + 4 * (2 * min(spots)) ** 0.5:
        return False
    if any(_has_new_spot(one, other) for one, other in itertools.pairwise(frames)):
        return False
    everything = np.sum(binned, axis=0)
    return all(_difference(part, everything - part) <= MOST_DIFFERENT for part in binned)


def _has_new_spot(one: NDArray[np.float64], other: NDArray[np.float64]) -> bool:
    """Return whether one of two frames shows a spot that the other one does not."""
    side = -(-max(one.shape) // SPOT_BINS)
    first, second = _moving(one, side, np.sum), _moving(other, side, np.sum)
    least = NEW_SPOT * min(float(first.max()), float(second.max()))
    for counts, compared in ((first, second), (second, first)):
        around = _moving(np.pad(compared, side, mode="edge"), 2 * side + 1, np.max)
        if (counts - around > least + NEW_SPOT_SD * np.sqrt(counts + around)).any():
            return True
    return False


def _moving(
    image: NDArray[np.float64], side: int, combine: Callable[..., NDArray[np.float64]]
) -> NDArray[np.float64]:
    """Return the sum or maximum of every square of a side, along rows, then along columns."""
    for axis in (0, 1):
        parts = np.lib.stride_tricks.sliding_window_view(np.maximum(image, 0.0), side, axis=axis)
        image = np.asarray(combine(parts, axis=-1), dtype=np.float64)
    return image


def _difference(part: NDArray[np.float64], rest: NDArray[np.float64]) -> float:
    one, other = part / part.sum(), rest / rest.sum()
    noise = np.sqrt(2 / np.pi * (one / part.sum() + other / rest.sum()))
    return float(np.abs(one - other).sum() - noise.sum()) / 2


def _bin(frame: NDArray[np.float64], number: int) -> NDArray[np.float64]:
    edges = [np.arange(0, size, -(-size // number)) for size in frame.shape]
    counts = np.maximum(frame, 0.0)
    return np.add.reduceat(np.add.reduceat(counts, edges[0], axis=0), edges[1], axis=1)
