"""Missing predictors, imputed by regression on the present ones.

Training patients and patients who are predicted get the same values: the conditional mean, given what
is known of the patient, in a multivariate normal model of the training patients' predictors. The model
never contains the outcome, which a new patient does not have yet. This is regression imputation. Sisk et
al. (Stat Methods Med Res 2023;32:1461) found that its predictions are as good as those of multiple
imputation, that the outcome should be omitted from it, and that missing indicators help in many cases
but harm if the outcome influences what is missing. Random draws for training patients and conditional
means for new ones would be two different predictors: draws without the outcome weaken the coefficients.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from thyrocast.baselines.stored import Matrix, StoredModel, Vector

Array = NDArray[np.float64]

# Weight of a prior of independent columns, in patients. It keeps the covariance invertible if there
# are few patients or collinear columns.
PRIOR = 2.0


class Normal(StoredModel):
    """Multivariate normal distribution of p predictors.

    Attributes
    ----------
    mean : ndarray, (p,)
    covariance : ndarray, (p, p)
    """

    mean: Vector
    covariance: Matrix


def fit(values: Array, iterations: int = 50, tolerance: float = 1e-3) -> Normal:
    """Fit the distribution by expectation maximization.

    Parameters
    ----------
    values : ndarray, (n, p)
        NaN if missing.
    iterations : int
        Largest number of iterations.
    tolerance : float
        Change of mean and covariance below which the iteration ends, relative to the largest
        standard deviation.

    Returns
    -------
    Normal
        A column without any value has mean 0 and variance 1.
    """
    n = len(values)
    present = ~np.isnan(values)
    number = np.maximum(present.sum(axis=0), 1)
    mean = np.where(present, values, 0.0).sum(axis=0) / number
    variance = np.where(present, (values - mean) ** 2, 0.0).sum(axis=0) / number
    prior = np.diag(np.where(variance > 1e-12, variance, 1.0))
    covariance = prior.copy()
    if present.all():
        scatter = (values - mean).T @ (values - mean)
        return Normal(mean=mean, covariance=(scatter + PRIOR * prior) / (n + PRIOR))
    patterns, pattern = _patterns(present)
    times = np.bincount(pattern, minlength=len(patterns))
    for _ in range(iterations):
        filled, conditional = _expect(values, patterns, pattern, mean, covariance)
        after = filled.mean(axis=0)
        scatter = (filled - after).T @ (filled - after) + np.tensordot(times, conditional, 1)
        updated = (scatter + PRIOR * prior) / (n + PRIOR)
        change = max(np.abs(after - mean).max(), np.abs(updated - covariance).max())
        mean, covariance = after, updated
        if change < tolerance * np.sqrt(np.diag(prior).max()):
            break
    return Normal(mean=mean, covariance=covariance)


def complete(values: Array, model: Normal) -> Array:
    """Impute missing values by their conditional means.

    Parameters
    ----------
    values : ndarray, (n, p)
        NaN if missing.
    model
        Fitted to the training patients.

    Returns
    -------
    ndarray, (n, p)
        Values without NaN.
    """
    present = ~np.isnan(values)
    if present.all():
        return values.copy()
    patterns, pattern = _patterns(present)
    return _expect(values, patterns, pattern, model.mean, model.covariance)[0]


def _patterns(present: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Different patterns of present columns (k, p), and the pattern of each row (n,)."""
    # One sortable key for each row, in the same order: np.unique of rows takes ten times as long.
    keys = np.packbits(present, axis=1)
    keys = keys.view(f"S{keys.shape[1]}") if keys.shape[1] > 1 else keys
    _, first, pattern = np.unique(keys.ravel(), return_index=True, return_inverse=True)
    return present[first], pattern.ravel()


def _expect(
    values: Array,
    patterns: NDArray[np.bool_],
    pattern: NDArray[np.int64],
    mean: Array,
    covariance: Array,
) -> tuple[Array, Array]:
    """Conditional means (n, p), and the conditional covariance of each pattern (k, p, p).

    The conditional covariance of missing columns is the inverse of their block of the precision
    matrix. The blocks of all patterns, with ones on the diagonal for present columns, are inverted
    together.
    """
    precision = np.linalg.inv(covariance)
    both_missing = ~patterns[:, :, None] & ~patterns[:, None, :]
    block = np.linalg.inv(np.where(both_missing, precision, np.eye(len(mean))))
    conditional: Array = np.where(both_missing, block, 0.0)
    present = patterns[pattern]
    pull = np.where(present, values - mean, 0.0) @ precision
    shift = np.einsum("nij,nj->ni", conditional[pattern], pull)
    return np.where(present, values, mean - shift), conditional
