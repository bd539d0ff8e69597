"""Adjustment of p values for several tests of one question."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from thyrocast.statistics.inputs import Floats


def holm(p_values: ArrayLike) -> Floats:
    """Holm's adjusted p values, which control the family-wise error rate.

    Parameters
    ----------
    p_values : array_like, (m,)
        P values of the single tests.

    Returns
    -------
    ndarray of float, (m,)

    Notes
    -----
    Holm, Scand J Stat 1979;6:65; equal to R's ``p.adjust(p, "holm")``.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03])
    array([0.03, 0.06, 0.06])
    """
    p = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p)
    stepped = np.maximum.accumulate(p[order] * np.arange(p.size, 0, -1))
    adjusted = np.empty(p.size)
    adjusted[order] = np.minimum(stepped, 1)
    return adjusted
