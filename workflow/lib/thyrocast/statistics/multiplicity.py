"""Several tests of one question."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from thyrocast.statistics.inputs import Floats


def holm(p_values: ArrayLike) -> Floats:
    """Holm's adjusted p values, (m,): any below a level are significant together at that level.

    Source: Holm, Scand J Stat 1979;6:65; equal to R's ``p.adjust(p, "holm")``.
    """
    p = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p)
    stepped = np.maximum.accumulate(p[order] * np.arange(p.size, 0, -1))
    adjusted = np.empty(p.size)
    adjusted[order] = np.minimum(stepped, 1)
    return adjusted
