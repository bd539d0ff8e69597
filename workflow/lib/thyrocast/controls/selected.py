"""A small model of selected features for many outcomes at once: what the leaky twins are made of."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

#: Penalty of the logistic regression: mean loss + penalty / 2 * |weights|², features standardized.
PENALTY = 0.1
STEPS = 50
TOLERANCE = 1e-8


def select(features: Array, outcomes: Array, number: int) -> Integers:
    """The features with the greatest correlation with each outcome.

    Parameters
    ----------
    features : ndarray, (n, p)
    outcomes : ndarray, (m, n)
    number : int

    Returns
    -------
    ndarray of int, (m, number)
    """
    centered = features - features.mean(axis=0)
    size = np.sqrt((centered**2).sum(axis=0))
    unit = centered / np.where(size > 1e-10 * (size.max(initial=0) or 1), size, np.inf)
    strength = np.abs((outcomes - outcomes.mean(axis=1, keepdims=True)) @ unit)
    number = min(number, features.shape[1])
    return np.argpartition(-strength, number - 1, axis=1)[:, :number]


def scores(train: Array, test: Array, outcomes: Array, chosen: Integers) -> Array:
    """Log-odds of test patients by a logistic regression on selected features.

    Parameters
    ----------
    train, test : ndarray, (n, p) and (t, p)
        Standardized features.
    outcomes : ndarray, (m, n)
    chosen : ndarray of int, (m, k)
        Features of each outcome.

    Returns
    -------
    ndarray, (m, t)
    """
    known = _design(train, chosen)
    weights = np.zeros((len(outcomes), known.shape[2]))
    # Nearly free: finite even if a fold is without one outcome.
    ridge = np.r_[1e-4, np.full(known.shape[2] - 1, PENALTY)]
    flipped = known.transpose(0, 2, 1)
    for _ in range(STEPS):
        probability = expit((known @ weights[:, :, None])[:, :, 0])
        gradient = (flipped @ (outcomes - probability)[:, :, None])[:, :, 0] / len(
            train
        ) - ridge * weights
        curved = known * (probability * (1 - probability))[:, :, None]
        hessian = flipped @ curved / len(train) + np.diag(ridge)
        step = np.linalg.solve(hessian, gradient[:, :, None])[:, :, 0]
        weights += step
        if np.abs(step).max() < TOLERANCE:
            return np.asarray((_design(test, chosen) @ weights[:, :, None])[:, :, 0])
    raise ArithmeticError("regressions on selected features do not converge")


def _design(features: Array, chosen: Integers) -> Array:
    """Constant and selected features, (m, n, 1 + k)."""
    picked = features[:, chosen].transpose(1, 0, 2)
    return np.concatenate([np.ones((*picked.shape[:2], 1)), picked], axis=2)
