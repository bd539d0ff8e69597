"""Whether pixels are counts, by their noise: the variance of counts is their mean.

If counts are multiplied by a factor, the variance is the mean times this factor. Both are estimated from differences of
pixels that a smooth image cancels (Immerkær, Comput Vis Image Underst 1996;64:300-302, has the same kernel for one level
of noise). `benchmarks/noise_of_counts.py` shows how well this works.
"""

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Image = NDArray[np.float64]

# Second differences along rows and columns; of every second pixel; and fourth differences along rows or columns.
_SECOND, _FAR = np.array([1.0, -2.0, 1.0]), np.array([1.0, 0.0, -2.0, 0.0, 1.0])
_FOURTH = np.array([1.0, -4.0, 6.0, -4.0, 1.0])
# Side of a tile in pixels, fewest counts per pixel in it on average, and fewest tiles.
_TILE, _LEAST_COUNTS, _LEAST_TILES = 8, 0.1, 12
# Ratios of variance and mean beyond which an image is not counts, if they are this many standard errors beyond.
_FACTORS, _ERRORS = (0.7, 1.4), 3.0
# With less noise than this, an image was computed or smoothed much, and its noise says nothing.
_NO_NOISE = 0.03
# The noise of an image that was smoothed is smaller, but not independent from pixel to pixel: it is larger in differences of
# every second pixel, and in those along one direction, by more than these factors.
_WHITE_FAR, _WHITE_ALONG = 1.3, 1.15
# Fewest pixels of both neighbors of a value that no pixel has. In counts, about as many pixels have this value: by
# chance it is missing with a probability of exp(-30).
_HOLE = 30
# Fewest different values of an image that is compared with its enlargement.
_LEAST_VALUES = 5
# Larger values have too few pixels.
_MOST_VALUE = 65_536


def counts_factor(image: Image) -> float | None:
    """Return by which factor the values of an image differ from counts; None if they may be counts.

    Parameters
    ----------
    image
        (rows, columns) values that should be counts.

    Returns
    -------
    float or None
        The factor, about; larger than 1 if counts were multiplied. Factors between .7 and 1.4 are not found
        (`has_holes` finds those above 1), nor that of a smoothed image, and not always one below .7 if a bright gland
        has few pixels.
    """
    if is_enlarged(image):
        return 4.0
    measured = variance_to_mean(image)
    if measured is None:
        return None
    ratio, error = measured
    low, high = _FACTORS
    if ratio - _ERRORS * error > high:
        return ratio
    if _NO_NOISE < ratio < low - _ERRORS * error and not is_smoothed(image):
        return ratio
    return None


def variance_to_mean(image: Image) -> tuple[float, float] | None:
    """Return the ratio of variance and mean of the noise, and its standard error.

    It is the median over tiles of the image, so that edges of organs have no influence. None if too few tiles
    have counts.
    """
    squares, expected = _squares(image, {0: _SECOND, 1: _SECOND})
    used = _is_used(expected)
    if used.sum() < _LEAST_TILES:
        return None
    ratios = squares[used] / expected[used]
    ratio = float(np.median(ratios))
    spread = 1.4826 * float(np.median(np.abs(ratios - ratio)))
    return ratio, 1.2533 * spread / math.sqrt(ratios.size)


def is_smoothed(image: Image) -> bool:
    """Return whether the noise is not independent from pixel to pixel."""
    squares, expected = _squares(image, {0: _SECOND, 1: _SECOND})
    # Coarse pixels of a bright organ are not smooth: the darker half is compared.
    dark = _is_used(expected)
    dark &= expected <= np.median(expected[dark])
    near = max(float(np.median(squares[dark] / expected[dark])), 1e-9)

    def compared(weights: Mapping[int, Image]) -> float:
        others, mean = _squares(image, weights)
        return float(np.median(others[dark] / np.maximum(mean[dark], 1e-9))) / near

    along = (compared({0: _FOURTH}) + compared({1: _FOURTH})) / 2
    return along > _WHITE_ALONG or compared({0: _FAR, 1: _FAR}) > _WHITE_FAR


def _is_used(expected: Image) -> NDArray[np.bool_]:
    # The sum of the squared weights is 36.
    return expected > 36 * _TILE**2 * _LEAST_COUNTS


def _squares(image: Image, weights: Mapping[int, Image]) -> tuple[Image, Image]:
    """Return the squared differences along axes, and what they are if the variance is the mean, as sums over tiles."""
    difference, expected = image, image
    for axis, one in weights.items():
        difference = ndimage.convolve1d(difference, one, axis=axis, mode="nearest")
        expected = ndimage.convolve1d(expected, one**2, axis=axis, mode="nearest")
    return _tiles(difference[2:-2, 2:-2] ** 2), _tiles(expected[2:-2, 2:-2])


def _tiles(values: Image) -> Image:
    rows, columns = (side // _TILE for side in values.shape)
    whole = values[: rows * _TILE, : columns * _TILE]
    return np.asarray(whole.reshape(rows, _TILE, columns, _TILE).sum((1, 3)))


def has_holes(image: NDArray[np.generic]) -> bool:
    """Return whether no pixel has a whole number although many have those next to it, as in rounded multiples of counts."""
    values = image.astype(np.int64)
    numbers = np.bincount(values[(values >= 0) & (values < _MOST_VALUE)])
    low, middle, high = numbers[:-2], numbers[1:-1], numbers[2:]
    return bool(((middle == 0) & (low >= _HOLE) & (high >= _HOLE)).any())


def is_enlarged(image: Image) -> bool:
    """Return whether each pixel was repeated in a block of two by two, which makes four counts of one."""
    rows, columns = image.shape
    if rows % 2 or columns % 2 or np.unique(image).size < _LEAST_VALUES:
        return False
    blocks = image.reshape(rows // 2, 2, columns // 2, 2)
    return bool((blocks == blocks[:, :1, :, :1]).all())
