"""Compare frames of a file: whether they show one view, and which detector is behind the patient."""

from collections.abc import Sequence

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
# Bins per side in which the brightest spot is found: about 8 mm each.
SPOT_BINS = 48


def is_behind(frames: Sequence[NDArray[np.float64]], others: Sequence[NDArray[np.float64]]) -> bool:
    """Return whether the gland is brighter in the frames of other detectors."""
    own, other = (np.mean(images, axis=0) for images in (frames, others))
    if own.shape != other.shape or _brightest(other) * len(others) < LEAST_BRIGHT:
        return False
    return _brightest(other) > BRIGHTER * _brightest(own)


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
    everything = np.sum(binned, axis=0)
    return all(_difference(part, everything - part) <= MOST_DIFFERENT for part in binned)


def _difference(part: NDArray[np.float64], rest: NDArray[np.float64]) -> float:
    one, other = part / part.sum(), rest / rest.sum()
    noise = np.sqrt(2 / np.pi * (one / part.sum() + other / rest.sum()))
    return float(np.abs(one - other).sum() - noise.sum()) / 2


def _bin(frame: NDArray[np.float64], number: int) -> NDArray[np.float64]:
    edges = [np.arange(0, size, -(-size // number)) for size in frame.shape]
    counts = np.maximum(frame, 0.0)
    return np.add.reduceat(np.add.reduceat(counts, edges[0], axis=0), edges[1], axis=1)
