"""Counts of a dose syringe, and whether an image shows one in place of a gland."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Image = NDArray[np.float64]

#: Pixels belong to a syringe if they are above this share of the smoothed maximum, or this many
#: standard deviations above the background, whichever is higher; and those around them.
SHARE, DEVIATIONS = 0.02, 4.0
#: Smoothing and margin, pixels.
SMOOTH, MARGIN = 1.0, 3
#: A syringe has its largest value in one pixel, rarely two. If this many pixels have it, and it is at least this
#: large, the camera or the export stopped counting there.
PLATEAU_PIXELS, PLATEAU_COUNTS = 4, 100
#: An image of a residual with this share of the counts of the full syringe, or more, is not that of a residual.
MOST_RESIDUAL = 0.5


def is_clipped(image: Image) -> bool:
    """Return whether the brightest pixels (rows, columns) of a syringe all have one value, and darker ones surround them."""
    top = float(image.max())
    plateau = top >= PLATEAU_COUNTS and int((image == top).sum()) >= PLATEAU_PIXELS
    return plateau and bool(((image > top / 2) & (image < top)).any())


def net_counts(image: Image) -> float | None:
    """Return the counts of a syringe, without the background of the room.

    Parameters
    ----------
    image
        (rows, columns) counts.

    Returns
    -------
    float or None
        None if the image is not that of a small object on an even background: the object covers
        more than a third of it, or is no brighter than the background.
    """
    smooth = ndimage.gaussian_filter(image, SMOOTH)
    middle = float(np.median(smooth))
    spread = 1.4826 * float(np.median(np.abs(smooth - middle)))
    hot = smooth > max(SHARE * float(smooth.max()), middle + DEVIATIONS * spread)
    hot = ndimage.binary_dilation(hot, iterations=MARGIN)
    if not hot.any() or hot.mean() > 1 / 3:
        return None
    net = float(image[hot].sum()) - float(image[~hot].mean()) * float(hot.sum())
    return net if net > 0 else None
