"""The ridge head fitted to many outcomes of the same patients.

`signature.ridge_head` for one outcome after the other would repeat the factorization of the
embeddings. In the coordinates of their singular vectors the largest curvature of the likelihood is
diagonal, so that one matrix product is a step for all outcomes: minimization by majorization
(Böhning and Lindsay, Ann Inst Stat Math 1988;40:641), with Nesterov's acceleration.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import linalg
from scipy.special import expit

from thyrocast.signature.ridge_head import SHARES
from thyrocast.statistics import logistic

Array = NDArray[np.float64]

#: Steps before Newton's method is used.
STEPS = 120
#: Largest last step of a coordinate's contribution to the log-odds.
TOLERANCE = 1e-9


def scores(train: Array, test: Array, outcomes: Array) -> Array:
    """Log-odds of test patients by the ridge head of each outcome.

    Parameters
    ----------
    train : ndarray, (n, p)
        Embeddings of the training patients.
    test : ndarray, (t, p)
    outcomes : ndarray, (m, n)
        In each row, both outcomes occur.

    Returns
    -------
    ndarray, (m, t)
        Equal to `ridge_head.fit` for each row.
    """
    mean, scale = train.mean(axis=0), train.std(axis=0)
    scale = np.where(scale > 1e-10 * np.abs(mean).max(initial=1e-300), scale, np.inf)
    left, singular, right = np.linalg.svd((train - mean) / scale, full_matrices=False)
    kept = singular > 1e-8 * max(singular.max(initial=0), 1e-300)
    left, singular, right = left[:, kept], singular[kept], right[kept]
    coordinates = left * singular
    n = len(train)
    unit = float((singular**2).sum()) / n / 4
    weights = np.zeros((len(outcomes), 1 + len(singular)))
    best, least = weights, np.full(len(outcomes), np.inf)
    for share in SHARES:
        weights = _minimize(coordinates, singular, outcomes, share * unit, weights)
        loss = _left_out_losses(coordinates, outcomes, weights, share * unit)
        better = loss < least
        best = np.where(better[:, None], weights, best)
        least = np.where(better, loss, least)
    shifted = (test - mean) / scale @ right.T
    return np.asarray(best[:, :1] + best[:, 1:] @ shifted.T)


def _minimize(
    coordinates: Array, singular: Array, outcomes: Array, penalty: float, start: Array
) -> Array:
    """Minimize mean loss + penalty / 2 * |weights|² for each outcome; the intercept is free."""
    n = len(coordinates)
    # The coordinates are centered: the intercept's curvature is separate from theirs.
    curvature = np.r_[0.25, singular**2 / (4 * n) + penalty]
    ridge = np.r_[0.0, np.full(len(singular), penalty)]
    size = np.r_[1.0, singular / np.sqrt(n)]
    design = np.hstack([np.ones((n, 1)), coordinates])
    active = np.arange(len(outcomes))
    result, ahead, previous = start.copy(), start.copy(), start.copy()
    momentum = np.ones(len(outcomes))
    for _ in range(STEPS):
        gradient = (expit(ahead @ design.T) - outcomes[active]) @ design / n + ridge * ahead
        after = ahead - gradient / curvature
        step = after - previous
        # Momentum against the gradient is dropped (O'Donoghue and Candès 2015).
        restart = np.einsum("mj,mj->m", gradient, step) > 0
        following = np.where(restart, 1.0, (1 + np.sqrt(1 + 4 * momentum**2)) / 2)
        push = np.where(restart, 0.0, (momentum - 1) / following)
        ahead = after + push[:, None] * step
        moved = np.abs((after - previous) * size).max(axis=1) + np.abs(
            gradient / curvature * size
        ).max(axis=1)
        going = moved > TOLERANCE
        result[active] = after
        if not going.any():
            return result
        active, ahead, previous = active[going], ahead[going], after[going]
        momentum = following[going]
    # Outcomes that are separated have a flat likelihood, on which Newton's method is faster.
    for row in active:
        result[row] = logistic.solve(design, outcomes[row], penalty=ridge)
    return result


def _left_out_losses(coordinates: Array, outcomes: Array, weights: Array, penalty: float) -> Array:
    """Log loss (m,) of each patient by a fit without the patient, as `ridge_head` approximates it."""
    design = np.hstack([np.ones((len(coordinates), 1)), coordinates])
    ridge = len(design) * np.r_[0.0, np.full(coordinates.shape[1], penalty)]
    linear = weights @ design.T
    probability = expit(linear)
    curvature = probability * (1 - probability)
    leverage = np.empty_like(linear)
    for row, w in enumerate(curvature):
        half = design * np.sqrt(w)[:, None]
        lower = linalg.cholesky(half.T @ half + np.diag(ridge), lower=True, check_finite=False)
        reach = linalg.solve_triangular(lower, design.T, lower=True, check_finite=False)
        leverage[row] = np.einsum("ji,ji->i", reach, reach)
    shift = leverage * (outcomes - probability) / np.maximum(1 - leverage * curvature, 1e-6)
    left_out = linear - shift
    return np.asarray(np.mean(np.logaddexp(0, left_out) - outcomes * left_out, axis=1))
