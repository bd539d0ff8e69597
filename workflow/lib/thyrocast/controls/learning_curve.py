"""The AUC of every model when it is fitted to fewer patients, and what more patients may add."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thyrocast import seeds
from thyrocast.baselines import models as baselines
from thyrocast.baselines import ridge
from thyrocast.config.evaluation import MinimumCountConfig
from thyrocast.config.learning_curve import LearningCurveConfig
from thyrocast.config.signature import Embeddings, SignatureConfig
from thyrocast.contract import io
from thyrocast.contract.learning_curve import LEARNING_CURVE
from thyrocast.contract.names import ALL_SPLITS, BASELINES, HEADS, Design, Model, Set, Status
from thyrocast.evaluation import groups
from thyrocast.evaluation.samples import Sample
from thyrocast.signature import alignment, heads, lasso_forest
from thyrocast.signature.split import SplitData
from thyrocast.statistics import learning_curve
from thyrocast.statistics.inputs import NotEstimableError

logger = logging.getLogger("thyrocast")

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
#: Log-odds (m,) of the second patients by a model that is fitted to the first; the seed is that of the fit.
Learner = Callable[[Mask, Mask, int], Array]

SHARES = (0.4, 0.55, 0.7, 0.85, 1.0)
EXTRAPOLATED = (1.5, 2.0)
#: Fewest patients of each outcome in the smallest subsample of a fold.
FEWEST = 5


def run(
    data: SplitData,
    embeddings: NDArray[np.float32],
    names: tuple[str, str],
    config: LearningCurveConfig,
    signature: SignatureConfig,
    least: MinimumCountConfig,
    seed: int,
) -> pd.DataFrame:
    """Measure the learning curves of a split's training patients; return the table `LEARNING_CURVE`.

    Parameters
    ----------
    data
        Patients of the split.
    embeddings : ndarray, (members, n, 2048)
        Of all its patients, by every member.
    names
        Design and split.
    config, signature
        Blocks of the config.
    least
        Fewest patients of a reported group.
    seed : int
        The study's seed.
    """
    train = data.train
    cohort = data.cohort[train].reset_index(drop=True)
    outcome, fold = data.outcome[train], data.fold[train]
    common = {
        "design": names[0], "split": names[1], "repeats": config.repeats,
        "n": len(outcome), "events": int(outcome.sum()), "status": Status.NOT_ESTIMABLE.value,
    }  # fmt: skip
    # One model after the other would map the embeddings again for each; members are mapped once.
    views = [view[train] for view in embeddings]
    deep = signature.embeddings is Embeddings.CROSS_FITTED
    spaces = _spaces(views, fold) if deep else {}
    rows: list[dict[str, Any]] = []
    reason = _too_few(outcome, fold)
    hidden = _is_hidden(cohort, outcome, least)
    for model in (Model(name.value) for name in config.models):
        row = common | {"model": model.value}
        if hidden:
            text = "too few training patients"
            empty = {"n": None, "events": None, "status": Status.SUPPRESSED.value, "note": text}
            rows += _empty(row | empty)
        elif reason:
            rows += _empty(row | {"note": reason})
        elif model not in BASELINES and not deep:
            text = (
                "signature.embeddings is in_sample: networks have seen the outcomes of all patients"
            )
            rows += _empty(row | {"note": text})
        else:
            learners = _learners(model, cohort, outcome, spaces, fold, signature)
            rows += _curve(row, learners, outcome, fold, config.repeats, seed)
            logger.info("%s: learning curve measured", model)
    return io.build(LEARNING_CURVE, rows)


def subsampled(
    learners: dict[int, Learner], outcome: Array, fold: NDArray[np.int64], repeats: int, seed: int
) -> Array:
    """Log-odds of every patient by models that were fitted to subsamples, without the patient's fold.

    Parameters
    ----------
    learners
        By fold.
    outcome, fold : ndarray, (n,)
    repeats : int
        Subsamples of each size, stratified by outcome. In a repeat, the smaller ones are part of the larger
        ones, and the same patients are used for all folds. All patients are used once only: there is
        one such subsample, and its models are fitted once.
    seed : int

    Returns
    -------
    ndarray, (shares, repeats, n)
    """
    result = np.empty((len(SHARES), repeats, len(outcome)))
    for repeat in range(repeats):
        rng = np.random.default_rng(seeds.derive(seed, "learning curve", repeat))
        rank = np.empty(len(outcome))
        for value in (0, 1):
            who = np.flatnonzero(outcome == value)
            rank[rng.permutation(who)] = (np.arange(len(who)) + 0.5) / len(who)
        for step, share in enumerate(SHARES):
            if share == 1 and repeat > 0:
                result[step, repeat] = result[step, 0]
                continue
            for k, learn in learners.items():
                used = (rank < share) & (fold != k)
                own = seeds.derive(seed, "learning curve", repeat, step, k)
                result[step, repeat, fold == k] = learn(used, fold == k, own)
    return result


def _curve(
    row: dict[str, Any],
    learners: dict[int, Learner],
    outcome: Array,
    fold: NDArray[np.int64],
    repeats: int,
    seed: int,
) -> list[dict[str, Any]]:
    """Rows of one model."""
    scores = subsampled(learners, outcome, fold, repeats, seed)
    try:
        found = learning_curve.measure(outcome, scores, fold, SHARES)
    except NotEstimableError as error:
        return _empty(row | {"note": str(error)})
    row = row | {"status": Status.ESTIMATED.value, "note": ""}
    low, high = learning_curve.interval(found)
    rows = [
        _cells(row, "measured", share, auc=found.auc[i], ci_low=low[i], ci_high=high[i])
        for i, share in enumerate(SHARES)
    ]
    more = learning_curve.extrapolate(found, EXTRAPOLATED, seeds.derive(seed, "extrapolation"))
    rows += [
        _cells(
            row, "extrapolated", share, auc=more.auc[i], ci_low=more.low[i], ci_high=more.high[i],
            gain=more.gain[i], gain_low=more.gain_low[i], gain_high=more.gain_high[i],
        )
        for i, share in enumerate(EXTRAPOLATED)
    ]  # fmt: skip
    return rows


def _cells(row: dict[str, Any], kind: str, share: float, **values: float) -> dict[str, Any]:
    patients = None if row["n"] is None else round(share * row["n"])
    blank = dict.fromkeys(LEARNING_CURVE.names)
    return blank | row | {"kind": kind, "share": share, "patients": patients} | values


def _empty(row: dict[str, Any]) -> list[dict[str, Any]]:
    """Rows of a model without a curve."""
    return [
        *(_cells(row, "measured", share) for share in SHARES),
        *(_cells(row, "extrapolated", share) for share in EXTRAPOLATED),
    ]


def _too_few(outcome: Array, fold: NDArray[np.int64]) -> str:
    """Why there is no curve; empty if there is one."""
    for k in np.unique(fold):
        seen, own = outcome[fold != k], outcome[fold == k]
        smallest = SHARES[0] * min(seen.sum(), len(seen) - seen.sum())
        if smallest < FEWEST or min(own.sum(), len(own) - own.sum()) < 2:
            return (
                f"fewer than {FEWEST} patients of an outcome in the smallest subsample, or fewer than 2 "
                "in a fold"
            )
    return ""


def _is_hidden(cohort: pd.DataFrame, outcome: Array, least: MinimumCountConfig) -> bool:
    everyone = Sample(
        Design.EXTERNAL, ALL_SPLITS, "", Set.TRAIN,
        patient=cohort["patient"].to_numpy(dtype=np.str_),
        center=cohort["center"].to_numpy(dtype=np.str_),
        outcome=outcome == 1, probability=np.zeros(len(outcome)),
    )  # fmt: skip
    return groups.too_small(everyone, least)


def _spaces(
    views: Sequence[NDArray[np.float32]], fold: NDArray[np.int64]
) -> dict[int, NDArray[np.float64]]:
    """Embeddings (n, 2048) of the training patients in the feature space of each member, by fold."""
    return {int(k): alignment.into_member(views, fold, int(k))[0] for k in np.unique(fold)}


def _learners(
    model: Model,
    cohort: pd.DataFrame,
    outcome: Array,
    spaces: dict[int, NDArray[np.float64]],
    fold: NDArray[np.int64],
    config: SignatureConfig,
) -> dict[int, Learner]:
    """How a model is fitted for each fold."""
    if model in BASELINES:
        one = _baseline(baselines.predictors(model, cohort, {}), outcome, config)
        return {int(k): one for k in np.unique(fold)}
    return {k: _deep(model, space, outcome, config) for k, space in spaces.items()}


def _baseline(predictors: pd.DataFrame, outcome: Array, config: SignatureConfig) -> Learner:
    def learn(used: Mask, new: Mask, seed: int) -> Array:
        fitted = baselines.fit(predictors[used], outcome[used], config, seed, None)
        return fitted.odds(predictors[new])

    return learn


def _deep(model: Model, space: Array, outcome: Array, config: SignatureConfig) -> Learner:
    def learn(used: Mask, new: Mask, seed: int) -> Array:
        if model in HEADS:
            return heads.fit(model, space[used], outcome[used], config, seed).odds(space[new])
        fitted = lasso_forest.fit(space[used], outcome[used], config, seed)
        if len(fitted.features) == 0:
            return np.zeros(int(new.sum()))
        return ridge.bounded_odds(fitted.predict(space[new]))

    return learn
