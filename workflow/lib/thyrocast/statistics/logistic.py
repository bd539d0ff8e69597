"""Unpenalized logistic regression of a few terms."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from thyrocast.statistics import influence
from thyrocast.statistics.inputs import Floats, NotEstimableError

STEPS = 60
TOLERANCE = 1e-12


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
                scores = influence.cluster_sums(design * (y - p)[:, None], cluster)
                count = len(scores)
                if count < 2:
                    raise NotEstimableError("several patients are needed, found one")
                covariance = covariance @ scores.T @ scores @ covariance * count / (count - 1)
                if np.linalg.cond(covariance) > 1e12:
                    raise NotEstimableError(f"{count} patients are too few for {len(beta)} terms")
            return Fit(beta, covariance, float(score))
    raise NotEstimableError("the logistic model does not converge (separated or constant data)")


def _log_likelihood(eta: Floats, y: Floats) -> float:
    return float(np.sum(y * eta - np.logaddexp(0, eta)))
