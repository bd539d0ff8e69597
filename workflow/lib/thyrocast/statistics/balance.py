"""Standardized differences between two groups of patients."""

from __future__ import annotations

import math

from thyrocast.statistics.inputs import Floats, NotEstimableError


def of_means(one: Floats, other: Floats) -> float:
    """Standardized difference in means: difference over the root of the mean variance.

    Parameters
    ----------
    one, other : ndarray of float, (n,) and (m,)
        Values of the groups, at least two each.

    Raises
    ------
    NotEstimableError
        If a group has fewer than two values, or no value varies and the means differ.

    References
    ----------
    Austin, Stat Med 2009;28:3083.

    Examples
    --------
    >>> import numpy as np
    >>> round(of_means(np.array([1.0, 2.0, 3.0]), np.array([2.0, 3.0, 4.0])), 3)
    -1.0
    """
    if min(one.size, other.size) < 2:
        raise NotEstimableError("fewer than two values in a group")
    spread = math.sqrt((one.var(ddof=1) + other.var(ddof=1)) / 2)
    return _ratio(float(one.mean() - other.mean()), spread)


def of_shares(one: float, other: float) -> float:
    """Standardized difference in shares between 0 and 1.

    Raises
    ------
    NotEstimableError
        If the shares are 0 and 1.

    Examples
    --------
    >>> round(of_shares(0.5, 0.4), 3)
    0.202
    """
    spread = math.sqrt((one * (1 - one) + other * (1 - other)) / 2)
    return _ratio(one - other, spread)


def _ratio(difference: float, spread: float) -> float:
    if spread == 0:
        if difference == 0:
            return 0.0
        raise NotEstimableError("no variation within the groups")
    return difference / spread
