"""A split's models refitted to many outcomes of its training patients."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from thyrocast import seeds
from thyrocast.baselines import models as baselines
from thyrocast.config.controls import PermutedModel
from thyrocast.config.signature import SignatureConfig
from thyrocast.contract.names import BASELINES, Model
from thyrocast.controls import baseline_refits, ridge_refits
from thyrocast.controls.inputs import ControlSplit
from thyrocast.signature import heads, lasso_forest

Array = NDArray[np.float64]


def scores(
    model: PermutedModel,
    split: ControlSplit,
    outcomes: Array,
    config: SignatureConfig,
    seed: int,
    threads: int = 1,
) -> Array | None:
    """Scores of test patients by a model fitted to each of many outcomes of the training patients.

    Parameters
    ----------
    model
        Which model; it is fitted to all training patients of a split as `signature.fitting` fits it to those of
        a member.
    split
        n training and t test patients.
    outcomes : ndarray, (m, n)
        In each row, both outcomes occur.
    config
    seed : int
        That of the split's signature.
    threads : int

    Returns
    -------
    ndarray, (m, t), or None
        Log-odds, or probabilities of the signature, before recalibration; None if the model has no
        predictor in the training set.
    """
    name = Model(model.value)
    own_seed = seeds.derive(seed, name, "all")
    if name in BASELINES:
        train, test = (
            baselines.predictors(name, side.cohort, {}) for side in (split.train, split.test)
        )
        return baseline_refits.scores(train, test, outcomes, config, own_seed)
    known, new = split.train.embeddings, split.test.embeddings
    if name is Model.RIDGE:
        return ridge_refits.scores(known, new, outcomes)

    def head(outcome: Array) -> Array:
        return heads.fit(name, known, outcome, config, own_seed).odds(new)

    def signature(outcome: Array) -> Array:
        fitted = lasso_forest.fit(known, outcome, config, own_seed, threads)
        return fitted.predict(new)

    one: Callable[[Array], Array] = signature if name is Model.SIGNATURE else head
    return np.stack([one(outcome) for outcome in outcomes])
