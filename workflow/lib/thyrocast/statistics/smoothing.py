"""Local regression (loess), evaluated directly at the points asked for."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from thyrocast.statistics.inputs import Floats, NotEstimableError


class Smooth(NamedTuple):
    """Loess at the points asked for: value and standard error (m,), and degrees of freedom of t."""

    value: Floats
    error: Floats
    degrees: float


def loess(x: ArrayLike, y: ArrayLike, at: ArrayLike, span: float = 0.75, degree: int = 2) -> Smooth:
    """Local polynomial regression with tricube weights of the nearest neighbours.

    Equals R's ``loess(y ~ x, surface = "direct", statistics = "exact")`` and, with degree 1 and a
    span of 2/3, ``lowess(x, y, iter = 0, delta = 0)``.

    Parameters
    ----------
    x, y : array_like, (n,)
    at : array_like, (m,)
    span : float
        Share of the points in each neighbourhood, at most 1.
    degree : int
        1 or 2.

    Raises
    ------
    NotEstimableError
        If a neighbourhood holds too few different values of x.

    Notes
    -----
    Cleveland and Devlin, J Am Stat Assoc 1988;83:596. O(n m), and O(n^2) memory for the error.
    """
    px, py = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    points = np.atleast_1d(np.asarray(at, dtype=np.float64))
    hat = _hat(px, px, span, degree)
    rest = np.eye(px.size) - hat
    residual = rest @ py
    quadratic = rest @ rest.T
    first, second = float(np.trace(quadratic)), float(np.sum(quadratic**2))
    if first < 1e-8:
        raise NotEstimableError("loess passes through every point: its error is unknown")
    scale = math.sqrt(float(residual @ residual) / first)
    there = _hat(px, points, span, degree)
    return Smooth(there @ py, scale * np.sqrt((there**2).sum(axis=1)), first**2 / second)


def _hat(x: Floats, at: Floats, span: float, degree: int) -> Floats:
    """Weights (m, n) with which each y enters the fit at each point."""
    near = min(max(math.floor(x.size * span + 1e-5), 2), x.size)
    gap = x[None, :] - at[:, None]
    distance = np.abs(gap)
    reach = np.partition(distance, near - 1, axis=1)[:, near - 1 : near]
    if (reach <= 0).any():
        raise NotEstimableError("loess needs more different values in each neighbourhood")
    weight = np.where(
        distance > 0.999 * reach, 0.0, (1 - np.minimum(distance / reach, 1) ** 3) ** 3
    )
    weight[distance <= 0.001 * reach] = 1.0
    # Scaled by the reach, the powers stay of one size.
    powers = (gap / reach)[:, :, None] ** np.arange(degree + 1)
    moments = np.einsum("mn,mni,mnj->mij", weight, powers, powers, optimize=True)
    if (np.linalg.cond(moments) > 1e12).any():
        raise NotEstimableError("loess needs more different values in each neighbourhood")
    unit = np.zeros((at.size, degree + 1, 1))
    unit[:, 0] = 1
    solution = np.linalg.solve(moments, unit)[:, :, 0]
    return np.asarray(weight * np.einsum("mni,mi->mn", powers, solution))
