"""Logistic regression with an L2 penalty, and bounded log-odds."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit

from thyrocast.statistics import logistic

Array = NDArray[np.float64]

PENALTIES = np.logspace(0.5, -4, 19)
# A forest's votes may be unanimous: its log-odds are limited to those of a probability of .999.
WIDEST_LOGIT = 6.9


def fit(features: Array, outcome: Array, penalty: float) -> Array:
    """Return the minimum of mean loss + penalty / 2 * |weights|^2; the intercept is not penalized.

    Parameters
    ----------
    features : ndarray, (n, p)
    outcome : ndarray, (n,)
        1 cured, 0 not cured; both occur.
    penalty : float
        Above 0.

    Returns
    -------
    ndarray, (1 + p,)
        Intercept and weights.
    """
    n, p = features.shape
    design = np.hstack([np.ones((n, 1)), features])
    return logistic.solve(design, outcome, penalty=np.r_[0.0, np.full(p, penalty)])


def choose_penalty(features: Array, outcome: Array, folds: NDArray[np.int64]) -> float:
    """Choose the penalty of `PENALTIES` with the smallest cross-validated log loss.

    Parameters
    ----------
    features : ndarray, (n, p)
    outcome : ndarray, (n,)
        1 cured, 0 not cured.
    folds : ndarray of int, (n,)
        A fold without which only one outcome is left is skipped.

    Returns
    -------
    float
        The largest penalty, if fewer than two folds can be used.
    """
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


def bounded_odds(probability: Array) -> Array:
    """Log-odds (n,) of probabilities (n,), finite for 0 and 1 as well."""
    return np.asarray(np.clip(logit(probability), -WIDEST_LOGIT, WIDEST_LOGIT))
