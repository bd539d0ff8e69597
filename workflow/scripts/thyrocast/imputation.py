"""Missing predictors, filled in by a multivariate normal model of the training patients.

The model knows predictors only, never the outcome: it must give a new patient, whose outcome nobody
knows, the same treatment that the training patients had (Sisk et al., Stat Methods Med Res
2023;32:1461). Each of several imputations has a model of its own, fitted by expectation
maximization to a bootstrap sample (Honaker and King's EMB, Am J Pol Sci 2010;54:561), so that the
uncertainty of the imputation model is in the spread between them. Its parameters are plain numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# Weight of a prior towards independent columns, in patients; keeps a covariance estimated from few
# patients, or from columns that repeat each other, invertible.
PRIOR = 2.0


@dataclass(frozen=True)
class Normal:
    """Mean (p,) and covariance (p, p) of the predictors."""

    mean: Array
    covariance: Array


def fit(values: Array, iterations: int = 50, tolerance: float = 1e-3) -> Normal:
    """Fit by expectation maximization to values (n, p) with NaN where missing.

    Returns
    -------
    Normal; a column without any value keeps mean 0 and variance 1.
    """
    n = len(values)
    seen = ~np.isnan(values)
    number = np.maximum(seen.sum(axis=0), 1)
    filled = np.where(seen, values, 0.0)
    mean = filled.sum(axis=0) / number
    spread = np.where(seen, (values - mean) ** 2, 0.0).sum(axis=0) / number
    prior = np.diag(np.where(spread > 1e-12, spread, 1.0))
    covariance = prior.copy()
    if seen.all():
        scatter = (values - mean).T @ (values - mean)
        return Normal(mean, (scatter + PRIOR * prior) / (n + PRIOR))
    patterns = _patterns(seen)
    for _ in range(iterations):
        complete, extra = _expect(values, patterns, Normal(mean, covariance))
        after = complete.mean(axis=0)
        scatter = (complete - after).T @ (complete - after) + extra
        updated = (scatter + PRIOR * prior) / (n + PRIOR)
        change = max(np.abs(after - mean).max(), np.abs(updated - covariance).max())
        mean, covariance = after, updated
        if change < tolerance * np.sqrt(np.diag(prior).max()):
            break
    return Normal(mean, covariance)


def complete(values: Array, model: Normal, generator: np.random.Generator | None = None) -> Array:
    """Fill missing values (n, p) in.

    Parameters
    ----------
    values : (n, p), NaN where missing
    model
        Fitted to the training patients.
    generator
        Draws from the conditional distribution, as for training patients; without one the
        conditional mean stands in, as for a patient to be predicted.
    """
    result = values.copy()
    for rows, there in _patterns(~np.isnan(values)):
        absent = ~there
        if not absent.any():
            continue
        slope, residual = _conditional(model.covariance, there)
        guess = model.mean[absent] + (values[rows][:, there] - model.mean[there]) @ slope
        if generator is not None:
            guess = guess + generator.multivariate_normal(
                np.zeros(absent.sum()), residual, size=len(rows), method="eigh"
            )
        result[np.ix_(rows, absent)] = guess
    return result


def _patterns(seen: NDArray[np.bool_]) -> list[tuple[NDArray[np.int64], NDArray[np.bool_]]]:
    """Rows that share a pattern of present columns, and the pattern."""
    kinds, which = np.unique(seen, axis=0, return_inverse=True)
    return [(np.flatnonzero(which.ravel() == i), kind) for i, kind in enumerate(kinds)]


def _conditional(covariance: Array, there: NDArray[np.bool_]) -> tuple[Array, Array]:
    """Regression (present, absent) and residual covariance of absent columns on present ones."""
    absent = ~there
    cross = covariance[np.ix_(there, absent)]
    if not there.any():
        return cross, covariance[np.ix_(absent, absent)]
    slope = np.linalg.solve(covariance[np.ix_(there, there)], cross)
    return slope, covariance[np.ix_(absent, absent)] - cross.T @ slope


def _expect(
    values: Array, patterns: list[tuple[NDArray[np.int64], NDArray[np.bool_]]], model: Normal
) -> tuple[Array, Array]:
    """Conditional means (n, p), and the conditional covariances' sum (p, p)."""
    result = values.copy()
    extra: Array = np.zeros(model.covariance.shape)
    for rows, there in patterns:
        absent = ~there
        if not absent.any():
            continue
        slope, residual = _conditional(model.covariance, there)
        result[np.ix_(rows, absent)] = (
            model.mean[absent] + (values[rows][:, there] - model.mean[there]) @ slope
        )
        extra[np.ix_(absent, absent)] += len(rows) * residual
    return result, extra
