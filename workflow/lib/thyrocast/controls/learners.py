"""How the controls learn: regressions of many outcomes, in test sets and by cross-validation."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thyrocast.config.signature import SignatureConfig
from thyrocast.controls import baseline_refits, ridge_refits
from thyrocast.statistics import harmonization, partition

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
#: Log-odds (m, t) of the second patients, by regressions of the outcomes (m, n) of the first.
Learner = Callable[[Mask, Mask, Array], Array]

FOLDS = 5
#: Standard deviations from the mean at which the form of a distribution is described.
LIMITS = (-1.0, 0.0, 1.0)


def pixels(features: Array) -> Learner:
    """The ridge head on features (n, p) of a part of the images."""

    def learn(known: Mask, new: Mask, outcomes: Array) -> Array:
        return ridge_refits.scores(features[known], features[new], outcomes)

    return learn


def within_centers(features: Array, center: NDArray[np.str_], method: str = "zscore") -> Learner:
    """The ridge head on the form of features (n, p) that were made alike in every center (n,).

    Parameters
    ----------
    features : ndarray, (n, p)
    center : ndarray of str, (n,)
    method : {"zscore", "combat"}
        As in `statistics.harmonization`.

    Notes
    -----
    Location and spread of a center are those of its patients who are learned from, so that what is predicted has no
    influence on them. The head sees whether a feature is above the mean, and above one standard deviation below and
    above it. With `zscore`, means and standard deviations are equal in all centers by construction: a linear head of
    the features themselves would learn nothing.
    """

    def learn(known: Mask, new: Mask, outcomes: Array) -> Array:
        own = [(name, known & (center == name)) for name in np.unique(center[known])]
        # A feature that is constant in a center cannot have the same standard deviation in all.
        varies = np.all([features[rows].std(axis=0) > 0 for _, rows in own], axis=0)
        if not varies.any():
            return np.zeros((len(outcomes), int(new.sum())))
        used = features[:, varies].astype(np.float64)
        learned = harmonization.learn(used[known], center[known], method)
        form = np.zeros((len(used), len(LIMITS) * int(learned.varying.sum())))
        for name, shift in learned.centers.items():
            rows = center == name
            alike = learned.alike(used[rows], shift)
            form[rows] = np.hstack([alike > limit for limit in LIMITS])
        return ridge_refits.scores(form[known], form[new], outcomes)

    return learn


def columns(predictors: pd.DataFrame, config: SignatureConfig, seed: int) -> Learner:
    """The regression of a baseline on columns of the cohort, n patients × predictors."""

    def learn(known: Mask, new: Mask, outcomes: Array) -> Array:
        found = baseline_refits.scores(predictors[known], predictors[new], outcomes, config, seed)
        return np.zeros((len(outcomes), int(new.sum()))) if found is None else found

    return learn


def cross_fitted(learn: Learner, outcomes: Array, strata: NDArray[np.str_], seed: int) -> Array:
    """Log-odds of every patient by a regression without the patient's fold.

    Parameters
    ----------
    learn
        How the n patients are learned from.
    outcomes : ndarray, (m, n)
    strata : ndarray of str, (n,)
        By which the folds are stratified. Folds that were stratified by the observed outcome would
        distinguish it from the permuted ones.
    seed : int

    Returns
    -------
    ndarray, (m, n)
        On the scale of the regression of all patients: those of a fold are shifted and scaled by mean
        and standard deviation in the patients of its regression, because joined as they are they would
        rank patients below chance where there is no signal. NaN where only one outcome is left
        without a fold.
    """
    folds = partition.deal(strata, FOLDS, seed)
    everyone = np.ones(len(folds), dtype=bool)
    whole = learn(everyone, everyone, outcomes)
    middle, spread = whole.mean(axis=1, keepdims=True), whole.std(axis=1, keepdims=True)
    result = np.full(outcomes.shape, np.nan)
    for fold in np.unique(folds):
        held_out = folds == fold
        cured = outcomes[:, ~held_out].sum(axis=1)
        rows = np.flatnonzero((cured > 0) & (cured < (~held_out).sum()))
        found = learn(~held_out, everyone, outcomes[rows][:, ~held_out])
        own = found[:, ~held_out]
        width = own.std(axis=1, keepdims=True)
        # Without any signal, the log-odds of a regression differ by rounding errors only.
        ratio = np.where(width > 1e-9, spread[rows] / np.maximum(width, 1e-300), 0.0)
        moved = middle[rows] + ratio * (found[:, held_out] - own.mean(axis=1, keepdims=True))
        result[np.ix_(rows, np.flatnonzero(held_out))] = moved
    return result
