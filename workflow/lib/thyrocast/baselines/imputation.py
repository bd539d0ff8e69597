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
    kinds, which = _patterns(seen)
    times = np.bincount(which, minlength=len(kinds))
    for _ in range(iterations):
        complete, spreads = _expect(values, kinds, which, Normal(mean, covariance))
        after = complete.mean(axis=0)
        scatter = (complete - after).T @ (complete - after) + np.tensordot(times, spreads, 1)
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
    seen = ~np.isnan(values)
    if seen.all():
        return values.copy()
    kinds, which = _patterns(seen)
    result, spreads = _expect(values, kinds, which, model)
    if generator is not None:
        # Columns that are there have no spread; the little on the diagonal lets roots exist.
        roots = np.linalg.cholesky(spreads + 1e-12 * np.eye(values.shape[1]))
        noise = generator.standard_normal(values.shape)
        result += np.where(seen, 0.0, np.einsum("nij,nj->ni", roots[which], noise))
    return result


def _patterns(seen: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Different patterns of present columns (k, p), and each row's (n,)."""
    kinds, which = np.unique(seen, axis=0, return_inverse=True)
    return kinds, which.ravel()


def _expect(
    values: Array, kinds: NDArray[np.bool_], which: NDArray[np.int64], model: Normal
) -> tuple[Array, Array]:
    """Conditional means (n, p), and each pattern's conditional covariance (k, p, p).

    The missing columns' conditional covariance is the inverse of their block of the precision
    matrix; all patterns' blocks, filled up by ones on the diagonal, are inverted together.
    """
    precision = np.linalg.inv(model.covariance)
    both = ~kinds[:, :, None] & ~kinds[:, None, :]
    block = np.linalg.inv(np.where(both, precision, np.eye(len(model.mean))))
    spreads: Array = np.where(both, block, 0.0)
    seen = kinds[which]
    pull = np.where(seen, values - model.mean, 0.0) @ precision
    shift = np.einsum("nij,nj->ni", spreads[which], pull)
    return np.where(seen, values, model.mean - shift), spreads
