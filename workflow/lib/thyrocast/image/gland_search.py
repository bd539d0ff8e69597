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


def search(counts: Image) -> Marked:
    """Return what the network marks in the exposed part of an image."""
    exposed = _exposed(counts)
    marked = _search_field(counts[exposed])
    right, left = np.zeros((2, *counts.shape), np.float32)
    right[exposed], left[exposed] = marked.right, marked.left
    return Marked(right, left, marked.score)


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
