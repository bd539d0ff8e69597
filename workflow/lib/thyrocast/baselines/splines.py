"""Restricted cubic splines: a bend in the effect of a predictor, linear beyond the outer knots."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from thyrocast.baselines.stored import StoredModel

Array = NDArray[np.float64]

# Quantiles of the knots (Harrell, Regression Modeling Strategies, 2015, section 2.4.6).
QUANTILES = (0.1, 0.5, 0.9)
# Standard deviation of a bend, where a straight line has 1. The ridge regression thus penalizes bends
# 16 times more, so that they cost little if all effects are straight (docs/signature.md).
SHARE = 0.25


class Bend(StoredModel):
    """The part of a spline of three knots that is not linear, as one standardized number.

    Attributes
    ----------
    term : int
        Position of the predictor among the terms.
    knots : tuple of float
        Three knots, increasing.
    intercept, slope : float
        Least-squares line through the basis function in the training set. It is subtracted, so
        that the linear term keeps its meaning and its penalty.
    scale : float
        Divisor of the remainder, which then has the standard deviation `SHARE` in the training set.
    """

    term: int
    knots: tuple[float, float, float]
    intercept: float
    slope: float
    scale: float


def learn(values: Array, terms: Sequence[int]) -> tuple[Bend, ...]:
    """Learn the bends of some terms.

    Parameters
    ----------
    values : ndarray, (n, terms)
        Training patients, nothing missing.
    terms
        Positions of continuous terms. One whose knots are not distinct gets no bend.
    """
    bends = []
    for term in terms:
        x = values[:, term]
        first, second, third = (float(knot) for knot in np.quantile(x, QUANTILES))
        smallest = 1e-3 * float(x.std())
        if min(second - first, third - second) <= smallest:
            continue
        basis = _basis(x, (first, second, third))
        slope, intercept = np.polyfit(x, basis, 1)
        scale = float((basis - intercept - slope * x).std()) / SHARE
        if scale > 1e-9:
            bends.append(
                Bend(
                    term=term,
                    knots=(first, second, third),
                    intercept=float(intercept),
                    slope=float(slope),
                    scale=scale,
                )
            )
    return tuple(bends)


def encode(values: Array, bends: Sequence[Bend]) -> Array:
    """Bends (n, bends) of patients' terms (n, terms)."""
    columns = [
        (_basis(x, bend.knots) - bend.intercept - bend.slope * x) / bend.scale
        for bend in bends
        for x in (values[:, bend.term],)
    ]
    return np.column_stack(columns) if columns else np.zeros((len(values), 0))


def _basis(x: Array, knots: tuple[float, float, float]) -> Array:
    first, second, third = knots

    def cube(knot: float) -> Array:
        return np.maximum(x - knot, 0) ** 3

    straightened = (
        cube(first)
        - cube(second) * (third - first) / (third - second)
        + cube(third) * (second - first) / (third - second)
    )
    return np.asarray(straightened / (third - first) ** 2)
