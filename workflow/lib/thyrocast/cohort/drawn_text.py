"""Whether text was drawn into the pixels of a count image, as screen saves have it.

Not found are blurred letters, and values of 3 to about 12 where the counts around them have a mean of 1 or more. Images with
few counts that were smoothed are taken for text.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, special, stats

#: Fewest pixels of one value, and how many times as many as of the values next to it, that look drawn.
_DRAWN, _TIMES, _NEIGHBORS = 20, 8, 5
# Values below this occur often in a count image, unless they stand out from the pixels around them: by this
# many standard deviations of counting noise, and this many counts, from the median of a square of pixels. An
# edge of an organ does not, since the median keeps edges. Fewer such pixels are text.
_FAINT = 30
_DEVIATIONS, _COUNTS, _SQUARE, _STROKES = 6.0, 5.0, 9, 12
# Where the median is 0, the mean is below .7 or little more: counting noise is that of this mean at least. Values of
# text that the rule above does not see there, and fewest pixels of a stroke.
_LEAST_MEAN, _DARK, _TOUCHING = 0.7, range(3, 11), 4
# Side of the square in which the mean is estimated, pixels. Of n pixels that have a value with probability p, about
# n (6.6 p)^k pieces have k touching pixels or more (lattice animals with eight neighbors); a stroke is a piece of which
# fewer than so many are expected.
_WIDE, _GROWTH, _BY_CHANCE = 17, 6.6, 1e-3


# Text with values of 1 and 2: windows of a line or a word in pixels, and the log likelihood ratio from which
# counts do not explain it. Counting noise reached 12.7 in 256 images of 64 to 256 pixels per side.
_WINDOWS, _MOST_EVIDENCE = ((9, 33), (13, 49), (17, 17), (25, 25)), 20.0
_ELSEWHERE = 16.0
# Up to this value, a value that no pixel has between two of at least so many pixels is one of rounded multiples.
_COMB, _MULTIPLE = 30, 5
# Fewest values of which the steps show that an image was multiplied when it was stored.
_STEPS, _MOST_STEPS = 4, 10


def has_text(pixels: NDArray[np.generic]) -> bool:
    """Return whether text or lines are drawn into one of several frames.

    Parameters
    ----------
    pixels
        (frames, rows, columns) stored values.
    """
    values, numbers = np.unique(pixels, return_counts=True)
    values, numbers = values[:_MOST_STEPS].astype(np.float64), numbers[:_MOST_STEPS]
    # An offset is far above the values of counts, and no count is below zero.
    offset = values[0] if values[0] < 0 or values[0] > _FAINT else 0.0
    step = _step(values)
    for odd in range(1, values.size):
        if step is None and (found := _step(np.delete(values, odd))):
            # One value is not a multiple of what the others are multiples of.
            if numbers[odd] >= _STROKES:
                return True
            step = found
    if step is None and not offset:
        return any(map(is_drawn_on, pixels))
    return any(map(is_drawn_on, np.round((pixels.astype(np.float64) - offset) / (step or 1.0))))


def _step(values: NDArray[np.float64]) -> float | None:
    """Return of what the lowest values are multiples, up to rounding and an offset; None if of nothing above 1.

    Exporters multiply counts, for example by 100 with a slope of .01. The lowest values then follow
    each other in equal steps.
    """
    if values.size < _STEPS:
        return None
    steps = np.diff(values)
    return float(steps.mean()) if steps.min() >= 2 and np.ptp(steps) <= 1 else None


def is_drawn_on(frame: NDArray[np.generic]) -> bool:
    """Return whether a frame has many pixels of one value, as text and lines have, not counts."""
    around = ndimage.median_filter(frame.astype(np.float64), _SQUARE, mode="nearest")
    noise = _DEVIATIONS * np.sqrt(np.maximum(around, _LEAST_MEAN)) + _COUNTS
    # Zeros that reach the edge are outside a round field, or in a column of a detector that is out of order.
    empty, _ = ndimage.label(frame == 0, np.ones((3, 3)))
    edge = np.unique(np.r_[empty[0], empty[-1], empty[:, 0], empty[:, -1]])
    outside = (empty > 0) & np.isin(empty, edge)
    if _has_dark_strokes(frame, around) or _is_too_regular(frame):
        return True
    apart = frame[(np.abs(frame - around) > noise) & ~outside]
    return _has_spike(frame, _DRAWN, _FAINT) or _has_spike(apart, _STROKES, -np.inf)


def _has_dark_strokes(frame: NDArray[np.generic], around: NDArray[np.float64]) -> bool:
    """Return whether pixels of one low value are connected where there are hardly any counts.

    More of them touch than by chance at the local mean, which is estimated from zeros and ones alone: the text itself
    has no influence on it. In Poisson counts, their ratio is the mean.
    """
    near = _WIDE**2
    zeros, ones = (
        near * ndimage.uniform_filter((frame == value).astype(np.float64), _WIDE, mode="reflect")
        for value in (0, 1)
    )
    # Two standard errors above the estimate, and not 0 where no pixel is 1.
    mean = (ones + 2 * np.sqrt(np.maximum(ones, 0.0)) + 1) / np.maximum(zeros, 1.0)
    dark = around == 0
    strokes = 0
    for value in _DARK:
        pieces, number = ndimage.label((frame == value) & dark, np.ones((3, 3)))
        if not number:
            continue
        sizes = np.bincount(pieces.ravel(), minlength=number + 1)[1:]
        means = np.asarray(ndimage.maximum(mean, pieces, np.arange(1, number + 1)))
        share = np.minimum(stats.poisson.pmf(value, np.minimum(means, value)) * _GROWTH, 1.0)
        expected = dark.sum() * share**sizes
        drawn = (sizes >= _TOUCHING) & (expected < _BY_CHANCE)
        strokes = max(strokes, int(sizes[drawn].sum()))
    return strokes >= _STROKES


def _is_too_regular(frame: NDArray[np.generic]) -> bool:
    """Return whether a value of 1 or 2 is more frequent in a part of a frame than counts of any mean explain.

    If the mean differs from pixel to pixel, the probabilities of counts, p(v) v!, are the moments of a distribution
    times a constant, so that p(v)^2 <= p(v - 1) p(v + 1) (v + 1) / v. The likelihood ratio of this condition is
    the evidence against it.
    """
    whole = frame.astype(np.int64)
    numbers = np.bincount(whole[(whole >= 0) & (whole <= _COMB)], minlength=_COMB + 1)
    # Rounded multiples of counts skip values.
    low, middle, high = numbers[2:-2], numbers[3:-1], numbers[4:]
    if ((middle == 0) & (low >= _MULTIPLE) & (high >= _MULTIPLE)).any():
        return False
    if _most_evidence(frame, (1, 2)) <= _MOST_EVIDENCE:
        return False
    # Smoothed images, and counts that were divided when they were stored, are too regular at other values too.
    return _most_evidence(frame, range(3, 9)) <= _ELSEWHERE


def _most_evidence(frame: NDArray[np.generic], values: Iterable[int]) -> float:
    """Return the largest evidence that one of some values is too frequent in a window."""
    found = 0.0
    for window in _WINDOWS:
        if window[0] > frame.shape[0] or window[1] > frame.shape[1]:
            continue
        for v in values:
            low, middle, high = (_in_windows(frame == one, window) for one in (v - 1, v, v + 1))
            found = max(found, float(_evidence(low, middle, high, v).max()))
    return found


def _in_windows(where: NDArray[np.bool_], window: tuple[int, int]) -> NDArray[np.float64]:
    """Return how many pixels are true in each window."""
    rows, columns = window
    sums = np.pad(where.cumsum(0).cumsum(1), ((1, 0), (1, 0))).astype(np.float64)
    strips = sums[rows:] - sums[:-rows]
    return strips[:, columns:] - strips[:, :-columns]


def _evidence(
    low: NDArray[np.float64], middle: NDArray[np.float64], high: NDArray[np.float64], value: int
) -> NDArray[np.float64]:
    """Return the log likelihood ratio of three Poisson numbers without and with a b >= k m^2, for their means a, m, b.

    The means with equality are low + x, middle - 2 x, high + x (Lagrange multiplier).
    """
    k = value / (value + 1)
    square, linear = 1 - 4 * k, low + high + 4 * k * middle
    constant = low * high - k * middle**2
    root = np.sqrt(np.maximum(linear**2 - 4 * square * constant, 0.0))
    x = np.where(constant < 0, (root - linear) / (2 * square), 0.0)
    fitted = ((low, low + x), (middle, middle - 2 * x), (high, high + x))
    parts = [special.xlogy(n, np.maximum(n, 1.0) / np.maximum(fit, 1e-9)) for n, fit in fitted]
    return np.asarray(np.sum(parts, axis=0))


def _has_spike(pixels: NDArray[np.generic], fewest: int, faint: float) -> bool:
    """Return whether a value above `faint` is much more frequent than the values next to it."""
    values, numbers = np.unique(pixels, return_counts=True)
    for place in np.flatnonzero((numbers >= fewest) & (values > faint)):
        near = np.r_[
            numbers[max(place - _NEIGHBORS, 0) : place],
            numbers[place + 1 : place + 1 + _NEIGHBORS],
        ]
        if not near.size or numbers[place] > _TIMES * near.mean():
            return True
    return False
