"""The window of an image in which the network of the gland sees a thyroid best."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from thyrocast.image import gland_network
from thyrocast.image.gland_network import WINDOW, Marked

Image = NDArray[np.float64]

#: Distance of the windows in which a field larger than the network's is searched, pixels, at most.
STRIDE = 64
#: The windows whose score is at least this share of the highest one differ by chance only; of those, the
#: one whose middle is nearest to the gland is used.
SAME_SCORE = 0.9
#: Empty rows next to one with at least so many counts are not exposed: counts of a source in air decrease gradually.
EDGE_COUNTS = 10.0
#: Scores farther from 1/2 than these are equal when two are averaged: single precision has no odds for 1.
SURE = (1e-6, 1 - 1e-6)


def search(counts: Image) -> Marked:
    """Return what the network marks in the exposed part of an image.

    The mirror image of a neck is a neck: probabilities of the lobes are averaged over the image and its mirror
    image, and the score in its log odds. The network does not see both alike, and what differs is error.
    """
    exposed = _exposed(counts)
    seen = counts[exposed]
    marked = _search_field(seen)
    mirrored = _search_field(np.ascontiguousarray(seen[:, ::-1]))
    right, left = np.zeros((2, *counts.shape), np.float32)
    right[exposed] = (marked.right + mirrored.left[:, ::-1]) / 2
    left[exposed] = (marked.left + mirrored.right[:, ::-1]) / 2
    return Marked(right, left, _mean_score(marked.score, mirrored.score))


def _mean_score(*scores: float) -> float:
    """Return the probability whose log odds are the mean of those of the scores."""
    sure = np.clip(np.array(scores), *SURE)
    return float(1 / (1 + np.exp(-np.mean(np.log(sure / (1 - sure))))))


def _exposed(counts: Image) -> tuple[slice, slice]:
    """Return the part of an image that the camera saw.

    Some exporters enlarge the matrix by zeros, which would look like a patient who ends there. Tissue crosses the
    whole height of a field, so that empty rows next to one with `EDGE_COUNTS` show that it was enlarged. Empty columns
    alone do not: at low counts, air next to the neck has none.
    """
    everything = slice(None), slice(None)
    rows = np.flatnonzero(counts.any(axis=1))
    if rows.size == 0:
        return everything
    first, last = rows[[0, -1]]
    edges = [first] * bool(first > 0) + [last] * bool(last < len(counts) - 1)
    if not edges or counts[edges].sum(axis=1).min() < EDGE_COUNTS:
        return everything
    columns = np.flatnonzero(counts.any(axis=0))
    return slice(first, last + 1), slice(columns[0], columns[-1] + 1)


def _search_field(counts: Image) -> Marked:
    """Return what the network marks: in the whole field if its window is large enough, else in parts."""
    found = []
    for top, left in _windows(counts.shape):
        part = np.zeros((WINDOW, WINDOW), np.float32)
        valid = np.zeros((WINDOW, WINDOW), np.float32)
        seen = counts[max(top, 0) : top + WINDOW, max(left, 0) : left + WINDOW]
        box = tuple(
            slice(max(-start, 0), max(-start, 0) + side)
            for start, side in zip((top, left), seen.shape, strict=True)
        )
        part[box] = seen
        valid[box] = 1
        found.append((top, left, box, gland_network.mark(part, valid)))
    best = max(marked.score for *_, marked in found)
    top, left, box, marked = min(
        (entry for entry in found if entry[3].score >= SAME_SCORE * best),
        key=lambda entry: _distance(entry[3]),
    )
    right, wrong = np.zeros((2, *counts.shape), np.float32)
    place = tuple(
        slice(max(start, 0), max(start, 0) + part.stop - part.start)
        for start, part in zip((top, left), box, strict=True)
    )
    right[place], wrong[place] = marked.right[box], marked.left[box]
    return Marked(right, wrong, marked.score)


def _windows(shape: tuple[int, ...]) -> Iterator[tuple[int, int]]:
    """Return the upper left corners of windows that cover an image; negative for a smaller image."""
    starts = []
    for side in shape:
        if side <= WINDOW:
            starts.append([-((WINDOW - side) // 2)])
        else:
            steps = -(-(side - WINDOW) // STRIDE)
            starts.append([round(i * (side - WINDOW) / steps) for i in range(steps + 1)])
    return ((top, left) for top in starts[0] for left in starts[1])


def _distance(marked: Marked) -> float:
    """Return how far the gland is from the middle of a window, pixels."""
    whole = marked.right + marked.left
    total = max(float(whole.sum()), 1e-6)
    line = np.arange(WINDOW) - (WINDOW - 1) / 2
    return float(np.hypot(whole.sum(1) @ line, whole.sum(0) @ line) / total)
