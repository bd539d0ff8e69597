"""Unpenalized logistic regression of a few terms, one fit or thousands of reweighted ones."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from thyrocast.statistics.inputs import Floats, NotEstimableError

STEPS = 60
TOLERANCE = 1e-12
#: Beyond this a linear predictor has left every real calibration model: the data are separated.
RUNAWAY = 40.0


class Fit(NamedTuple):
    """Maximum likelihood fit: coefficients (p,), covariance (p, p) and log likelihood."""

    coefficients: Floats
    covariance: Floats
    log_likelihood: float


def expit(x: ArrayLike) -> Floats:
    """Inverse of the logit."""
    return np.asarray(special.expit(x), dtype=np.float64)


def fit(
    design: Floats,
    outcome: NDArray[np.generic],
    offset: Floats | None = None,
    cluster: NDArray[np.generic] | None = None,
) -> Fit:
    """Fit by Newton's method with step halving.

    Parameters
    ----------
    design : (n, p)
        Columns of the model, the constant among them if there is one.
    outcome : (n,)
    offset : (n,), optional
        Term of the linear predictor with a coefficient held at 1.
    cluster : (n,), optional
        Rows of one patient; the covariance is then the sandwich of Liang and Zeger, Biometrika
        1986;73:13, times clusters / (clusters - 1).

    Raises
    ------
    NotEstimableError
        If the outcome is separated or the columns are collinear.
    """
    y = outcome.astype(np.float64)
    fixed = np.zeros(y.size) if offset is None else offset
    beta = np.zeros(design.shape[1])
    score = _log_likelihood(design @ beta + fixed, y)
    for _ in range(STEPS):
        p = expit(design @ beta + fixed)
        information = (design * (p * (1 - p))[:, None]).T @ design
        try:
            step = np.linalg.solve(information, design.T @ (y - p))
        except np.linalg.LinAlgError:
            break
        new = _log_likelihood(design @ (beta + step) + fixed, y)
        while not new >= score - 1e-10 and np.abs(step).max() > TOLERANCE:
            step /= 2
            new = _log_likelihood(design @ (beta + step) + fixed, y)
        beta, score = beta + step, new
        # The step must vanish, not the likelihood: under separation that flattens out as well.
        if np.abs(step).max() <= TOLERANCE * (1 + np.abs(beta).max()):
            p = expit(design @ beta + fixed)
            information = (design * (p * (1 - p))[:, None]).T @ design
            if np.linalg.cond(information) > 1e14:
                break
            covariance = np.asarray(np.linalg.inv(information), dtype=np.float64)
            if cluster is not None:
                scores = cluster_sums(design * (y - p)[:, None], cluster)
                count = len(scores)
                covariance = covariance @ scores.T @ scores @ covariance * count / (count - 1)
            return Fit(beta, covariance, float(score))
    raise NotEstimableError("the logistic model does not converge (separated or constant data)")


def cluster_sums(values: Floats, cluster: NDArray[np.generic]) -> Floats:
    """Sum the rows of (n, m) within clusters: (clusters, m)."""
    _, code = np.unique(cluster, return_inverse=True)
    sums = np.zeros((int(code.max()) + 1, values.shape[1]))
    np.add.at(sums, code, values)
    return sums


def _log_likelihood(eta: Floats, y: Floats) -> float:
    return float(np.sum(y * eta - np.logaddexp(0, eta)))


def fit_many(
    design: Floats,
    outcome: Floats,
    weights: NDArray[np.generic],
    offset: Floats | None = None,
    start: Floats | None = None,
) -> Floats:
    """Coefficients (b, p) of b fits that differ by their weights (b, n).

    ``start`` (p,) are coefficients nearby, which save half of the steps. Rows that do not converge (separated, or without one of the outcomes) are NaN.
    """
    b, p = len(weights), design.shape[1]
    w = weights.astype(np.float64)
    fixed = np.zeros(outcome.size) if offset is None else offset
    upper = np.triu_indices(p)
    products = design[:, upper[0]] * design[:, upper[1]]
    beta = np.zeros((b, p)) if start is None else np.tile(start, (b, 1))
    done = np.zeros(b, dtype=np.bool_)
    active = np.arange(b)
    for _ in range(25):
        now = w if active.size == b else w[active]
        probability = special.expit(beta[active] @ design.T + fixed)
        gradient = (now * (outcome - probability)) @ design
        packed = (now * (probability * (1 - probability))) @ products
        information = np.empty((active.size, p, p))
        information[:, upper[0], upper[1]] = packed
        information[:, upper[1], upper[0]] = packed
        # A ridge of rounding size keeps one singular resample from stopping all others.
        trace = np.trace(information, axis1=1, axis2=2)
        information[:, range(p), range(p)] += (1e-13 * trace + 1e-300)[:, None]
        step = np.linalg.solve(information, gradient[:, :, None])[:, :, 0]
        length = np.abs(step @ design.T).max(axis=1) if p > 1 else np.abs(step[:, 0])
        step *= np.minimum(1, 4 / np.maximum(length, 1e-300))[:, None]
        beta[active] += step
        # Newton doubles the digits: after a step this short, ten of them stand.
        finished = length < 1e-5
        done[active[finished]] = True
        lost = np.abs(beta[active]).max(axis=1) > RUNAWAY**2
        active = active[~finished & ~lost]
        if active.size == 0:
            break
    beta[~done] = np.nan
    return beta
