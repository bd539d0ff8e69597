"""Local regression (loess), computed directly at the requested points."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from thyrocast.statistics.inputs import Floats, NotEstimableError


def loess(x: ArrayLike, y: ArrayLike, at: ArrayLike, span: float = 0.75, degree: int = 2) -> Floats:
    """Local polynomial regression with tricube weights of the nearest neighbors.

    Equal to R's ``loess(y ~ x, surface = "direct")`` and, with degree 1 and a span of 2/3, to
    ``lowess(x, y, iter = 0, delta = 0)``.

    Parameters
    ----------
    x, y : array_like, (n,)
        Points.
    at : array_like, (m,)
        Values of x at which the curve is computed.
    span : float
        Share of the points in each neighborhood, at most 1.
    degree : int
        1 or 2.

    Returns
    -------
    ndarray of float, (m,)

    Raises
    ------
    NotEstimableError
        If a neighborhood contains too few distinct values of x.

    Notes
    -----
    Cleveland and Devlin, J Am Stat Assoc 1988;83:596. O(n m).

    Examples
    --------
    >>> x = np.linspace(0, 1, 11)
    >>> loess(x, x**2, [0.25, 0.5]).round(4)
    array([0.0625, 0.25  ])
    """
    px, py = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    points = np.atleast_1d(np.asarray(at, dtype=np.float64))
    return np.asarray(_weights(px, points, span, degree) @ py, dtype=np.float64)


def _weights(x: Floats, at: Floats, span: float, degree: int) -> Floats:
    """Weight of each y in the fit at each point, (m, n)."""
    near = min(max(math.floor(x.size * span + 1e-5), 2), x.size)
    gap = x[None, :] - at[:, None]
    distance = np.abs(gap)
    reach = np.partition(distance, near - 1, axis=1)[:, near - 1 : near]
    if (reach <= 0).any():
        raise NotEstimableError("loess needs more distinct values in each neighborhood")
    weight = np.where(
        distance > 0.999 * reach, 0.0, (1 - np.minimum(distance / reach, 1) ** 3) ** 3
    )
    weight[distance <= 0.001 * reach] = 1.0
    # Divided by the reach, the powers are of similar size.
    powers = (gap / reach)[:, :, None] ** np.arange(degree + 1)
    moments = np.einsum("mn,mni,mnj->mij", weight, powers, powers, optimize=True)
    if (np.linalg.cond(moments) > 1e12).any():
        raise NotEstimableError("loess needs more distinct values in each neighborhood")
    unit = np.zeros((at.size, degree + 1, 1))
    unit[:, 0] = 1
    solution = np.linalg.solve(moments, unit)[:, :, 0]
    return np.asarray(weight * np.einsum("mni,mi->mn", powers, solution))
