"""L2-penalized logistic regression by Newton's method, and logistic recalibration.

Small dense problems (tens of predictors), fitted thousands of times while a penalty is chosen for
every imputation of every fold: a Newton step costs microseconds, where scikit-learn's estimator
spends a millisecond on checks alone. Agrees with it to 1e-8.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

Array = NDArray[np.float64]

PENALTIES = np.logspace(0.5, -4, 19)
# Log-odds of a forest's votes, which may be unanimous, stay within what a probability of .999 gives.
WIDEST_LOGIT = 6.9


def fit(features: Array, outcome: Array, penalty: float, iterations: int = 100) -> Array:
    """Minimize mean loss + penalty / 2 * |weights|^2; the intercept is not penalized.

    Parameters
    ----------
    features : (n, p)
    outcome : (n,) of 0 and 1

    Returns
    -------
    (1 + p,), intercept first; NaN where there is no solution (no penalty, and outcomes that a plane
    separates).
    """
    n, p = features.shape
    design = np.hstack([np.ones((n, 1)), features])
    ridge = np.full(1 + p, penalty)
    ridge[0] = 0.0
    weights = np.zeros(1 + p)
    weights[0] = np.log(outcome.mean() / (1 - outcome.mean()))
    value = _objective(design @ weights, outcome, weights, ridge)
    for _ in range(iterations):
        probability = expit(design @ weights)
        gradient = design.T @ (probability - outcome) / n + ridge * weights
        if np.abs(gradient).max() < 1e-10:
            break
        curvature = probability * (1 - probability)
        hessian = (design * curvature[:, None]).T @ design / n
        hessian[np.diag_indices_from(hessian)] += ridge + 1e-12
        step = np.linalg.solve(hessian, gradient)
        size = 1.0
        while True:
            tried = weights - size * step
            after = _objective(design @ tried, outcome, tried, ridge)
            if after <= value + 1e-14 or size < 1e-6:
                break
            size /= 2
        weights, value = tried, after
    else:
        return np.full(1 + p, np.nan)
    separated = penalty == 0 and ((design @ weights > 0) == (outcome > 0.5)).all()
    return np.full(1 + p, np.nan) if separated else weights


def choose_penalty(features: Array, outcome: Array, folds: NDArray[np.int64]) -> float:
    """Find the penalty of `PENALTIES` with the smallest cross-validated log loss."""
    total = np.zeros(len(PENALTIES))
    fitted = 0
    for fold in np.unique(folds):
        train, test = folds != fold, folds == fold
        if len(np.unique(outcome[train])) < 2:
            continue
        fitted += 1
        for i, penalty in enumerate(PENALTIES):
            weights = fit(features[train], outcome[train], penalty)
            linear = weights[0] + features[test] @ weights[1:]
            total[i] += np.sum(np.logaddexp(0, linear) - outcome[test] * linear)
    return float(PENALTIES[int(np.argmin(total))]) if fitted > 1 else float(PENALTIES[0])


def recalibrate(linear: Array, outcome: Array) -> tuple[float, float]:
    """Intercept and slope that bring a model's log-odds in line with observed outcomes.

    Parameters
    ----------
    linear : (n,)
        Log-odds for patients that the model was not fitted to.
    outcome : (n,) of 0 and 1

    Returns
    -------
    Intercept and slope. The slope is 1, and the intercept alone is fitted, where the fitted slope
    is not positive (a model that found nothing must not have its ranking turned over) or does not
    exist (separated outcomes); 0 and 1 where there is one outcome only.

    References
    ----------
    Cox, Biometrika 1958;45:562.
    """
    if len(np.unique(outcome)) < 2:
        return 0.0, 1.0
    intercept, slope = fit(linear[:, None], outcome, 0.0)
    if np.isfinite(slope) and slope > 0:
        return float(intercept), float(slope)
    intercept = 0.0
    for _ in range(100):
        probability = expit(intercept + linear)
        curvature = max(float(np.sum(probability * (1 - probability))), 1e-9)
        step = float(np.sum(outcome - probability)) / curvature
        intercept += float(np.clip(step, -2, 2))
        if abs(step) < 1e-10:
            break
    return intercept, 1.0


def bounded_odds(probability: Array) -> Array:
    """Log-odds (n,), those of 0 and 1 finite."""
    return np.asarray(np.clip(logit(probability), -WIDEST_LOGIT, WIDEST_LOGIT))


def _objective(linear: Array, outcome: Array, weights: Array, ridge: Array) -> float:
    loss = np.mean(np.logaddexp(0, linear) - outcome * linear)
    return float(loss + 0.5 * np.sum(ridge * weights**2))
