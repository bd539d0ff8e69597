"""A baseline fitted to many outcomes of the same patients.

Coding, imputation and splines do not depend on outcomes and are learned once. The regressions of all
outcomes take each Newton step together (`statistics.logistic.solve` fits one of them at a time).
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from thyrocast.baselines import coding, models
from thyrocast.baselines.ridge import PENALTIES
from thyrocast.config.signature import SignatureConfig
from thyrocast.statistics import partition

Array = NDArray[np.float64]

STEPS = 100
#: Largest last step of a coefficient, relative to the largest coefficient.
TOLERANCE = 1e-10


def scores(
    train: pd.DataFrame, test: pd.DataFrame, outcomes: Array, config: SignatureConfig, seed: int
) -> Array | None:
    """Log-odds of test patients by the baseline of each outcome.

    Parameters
    ----------
    train, test : DataFrame
        Patients × predictors, as from `models.predictors`.
    outcomes : ndarray, (m, n)
        Of the training patients; in each row, both outcomes occur.
    config
    seed : int
        Seed of the folds on which the penalty is chosen.

    Returns
    -------
    ndarray, (m, t), or None
        Equal to `models.fit` for each row; None if there is no predictor.
    """
    learned = coding.learn(train)
    if not learned.terms:
        return None
    columns = models.learn_design(train, learned.terms, config)
    design = _with_constant(columns(train))
    folds = np.stack([partition.tuning_folds(y, config.tuning_folds, seed) for y in outcomes])
    chosen = _choose_penalties(design, outcomes, folds)
    weights = np.zeros((len(outcomes), design.shape[1]))
    for penalty in np.unique(chosen):
        rows = chosen == penalty
        everyone = np.ones((int(rows.sum()), len(design)))
        weights[rows] = solve(design, outcomes[rows], everyone, float(penalty), weights[rows])
    return np.asarray(weights @ _with_constant(columns(test)).T)


def _with_constant(columns: Array) -> Array:
    return np.hstack([np.ones((len(columns), 1)), columns])


def _choose_penalties(design: Array, outcomes: Array, folds: NDArray[np.int64]) -> Array:
    """The penalty (m,) with the smallest cross-validated log loss, as `ridge.choose_penalty`."""
    total = np.zeros((len(PENALTIES), len(outcomes)))
    fitted = np.zeros(len(outcomes), dtype=np.int64)
    for fold in range(folds.max() + 1):
        used = folds != fold
        cured, size = (outcomes * used).sum(axis=1), used.sum(axis=1)
        rows = np.flatnonzero((cured > 0) & (cured < size) & (size < used.shape[1]))
        fitted[rows] += 1
        y, kept = outcomes[rows], used[rows].astype(np.float64)
        weights = np.zeros((len(rows), design.shape[1]))
        for number, penalty in enumerate(PENALTIES):
            weights = solve(design, y, kept, float(penalty), weights)
            linear = weights @ design.T
            total[number, rows] += ((np.logaddexp(0, linear) - y * linear) * (1 - kept)).sum(axis=1)
    best: Array = PENALTIES[np.argmin(total, axis=0)]
    return np.where(fitted > 1, best, PENALTIES[0])


def solve(design: Array, outcomes: Array, used: Array, penalty: float, start: Array) -> Array:
    """Minimize mean loss of the used patients + penalty / 2 * |weights|² for each outcome.

    Parameters
    ----------
    design : ndarray, (n, p)
        The first column is the constant, whose coefficient is not penalized.
    outcomes, used : ndarray, (m, n)
        Outcome, and 1 for each patient who is used in a fit, else 0.
    penalty : float
    start : ndarray, (m, p)

    Returns
    -------
    ndarray, (m, p)
    """
    p = design.shape[1]
    upper = np.triu_indices(p)
    products = design[:, upper[0]] * design[:, upper[1]]
    ridge = np.r_[0.0, np.full(p - 1, penalty)]
    share = used / used.sum(axis=1, keepdims=True)
    result, active = start.copy(), np.arange(len(outcomes))

    def losses(weights: Array) -> Array:
        linear = weights @ design.T
        loss = ((np.logaddexp(0, linear) - outcomes[active] * linear) * share[active]).sum(axis=1)
        return np.asarray(loss + (ridge * weights**2).sum(axis=1) / 2)

    for _ in range(STEPS):
        weights = result[active]
        probability = expit(weights @ design.T)
        gradient = ((outcomes[active] - probability) * share[active]) @ design - ridge * weights
        packed = (probability * (1 - probability) * share[active]) @ products
        hessian = np.zeros((len(active), p, p))
        hessian[:, upper[0], upper[1]] = packed
        hessian[:, upper[1], upper[0]] = packed
        hessian[:, np.arange(p), np.arange(p)] += ridge + 1e-12
        step = np.linalg.solve(hessian, gradient[:, :, None])[:, :, 0]
        before = losses(weights)
        while (worse := losses(weights + step) > before + 1e-12).any():
            step[worse] /= 2
        result[active] = weights + step
        going = np.abs(step).max(axis=1) > TOLERANCE * (1 + np.abs(result[active]).max(axis=1))
        active = active[going]
        if not len(active):
            return result
    raise ArithmeticError("regressions of permuted outcomes do not converge")
