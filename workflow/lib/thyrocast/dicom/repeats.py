"""Whether several frames of a detector show one view: the parts of one acquisition."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

# Frames are compared on this many bins per side, which is coarser than the motion of a patient who
# swallows or breathes, and fine enough for a view from another side.
BINS = 16
# Fewest counts of a frame that is compared: with fewer, noise hides a difference of views.
LEAST_COUNTS = 2_000
# Largest share of counts, beyond noise, that two frames of one view have in different bins. On
# phantoms, frames of one view differ by up to .03 when the patient moves by 4 mm; an oblique view
# differs from the anterior one by .2 and more.
MOST_DIFFERENT = 0.08


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
    binned = [_bin(frame) for frame in frames]
    totals = [float(part.sum()) for part in binned]
    if min(totals) < LEAST_COUNTS:
        return False
    everything = np.sum(binned, axis=0)
    return all(_difference(part, everything - part) <= MOST_DIFFERENT for part in binned)


def _difference(part: NDArray[np.float64], rest: NDArray[np.float64]) -> float:
    one, other = part / part.sum(), rest / rest.sum()
    noise = np.sqrt(2 / np.pi * (one / part.sum() + other / rest.sum()))
    return float(np.abs(one - other).sum() - noise.sum()) / 2


def _bin(frame: NDArray[np.float64]) -> NDArray[np.float64]:
    edges = [
        np.linspace(0, size, min(BINS, size), endpoint=False).astype(int) for size in frame.shape
    ]
    counts = np.maximum(frame, 0.0)
    return np.add.reduceat(np.add.reduceat(counts, edges[0], axis=0), edges[1], axis=1)
