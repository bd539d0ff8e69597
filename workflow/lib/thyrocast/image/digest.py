"""A hash by which copies of an image are recognized."""

import hashlib

import numpy as np
from numpy.typing import NDArray


def digest(image: NDArray[np.float64]) -> str:
    """Return a hash of an image that copies have too which were scaled, padded with zeros, or enlarged.

    Parameters
    ----------
    image
        (rows, columns) counts, with the head up: a copy that was stored turned has the same hash.
    """
    values = image - min(float(image.min()), 0.0)
    rows, columns = (np.flatnonzero(values.any(axis=axis)) for axis in (1, 0))
    values = values[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    while _is_enlarged(values):
        values = values[::2, ::2]
    # Rounded, since a product of slope and stored value is not exact. With a power of 2, no ratio of counts is near a half.
    whole = np.round(values / values.max() * 2.0**30).astype(np.int64)
    parts = np.array(whole.shape).tobytes() + np.ascontiguousarray(whole).tobytes()
    return hashlib.blake2b(parts, digest_size=16).hexdigest()


def _is_enlarged(values: NDArray[np.float64]) -> bool:
    """Return whether every pixel was repeated in a square of four."""
    if values.shape[0] % 2 or values.shape[1] % 2:
        return False
    corner = values[::2, ::2]
    others = (values[1::2, ::2], values[::2, 1::2], values[1::2, 1::2])
    return all(np.array_equal(corner, other) for other in others)
