"""Fit the signature and the baselines to a split's training patients and predict all patients.

All models are fitted to training patients only. The probabilities of these patients are
cross-fitted in every stage: a patient is embedded by the network of the fold that left the patient
out, and predicted by a LASSO, a forest and a baseline that were fitted without that fold. Test
patients are predicted by the fit to all training patients, as a new patient would be.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thyrocast import seeds
from thyrocast.baselines import models as baselines
from thyrocast.baselines import ridge
from thyrocast.baselines.models import Baseline
from thyrocast.config.signature import Selection, SignatureConfig
from thyrocast.contract.names import BASELINES, FULL, HEADS, Model
from thyrocast.signature import alignment, forest, heads, lasso, lasso_forest
from thyrocast.signature.cross_fitting import Training
from thyrocast.signature.heads import Head
from thyrocast.signature.lasso_forest import LassoForest
from thyrocast.signature.model import (
    FittedMember,
    Signature,
    SignatureModel,
    predict,
    recalibration_of,
)
from thyrocast.signature.split import SplitData

logger = logging.getLogger("thyrocast")

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class SignatureFit:
    """Models fitted to a split's training patients, and the probabilities of all patients.

    Attributes
    ----------
    model : SignatureModel
        Content of model.json.
    forests : dict
        Content of forest.skops: the forest of each member.
    path : CrossValidatedPath or None
        Content of path.csv; None if there was only one outcome.
    aligned : ndarray, (n_train, 2048)
        Training patients' embeddings as LASSO and forest use them.
    probabilities : dict of ndarray, (n,)
        Probability of cure by every model; cross-fitted for training patients.
    """

    model: SignatureModel
    forests: dict[str, forest.Classifier]
    path: lasso.CrossValidatedPath | None
    aligned: Array
    probabilities: dict[Model, Array]


def fit(
    data: SplitData,
    embeddings: NDArray[np.float32],
    logits: Array,
    config: SignatureConfig,
    seed: int,
    threads: int = 1,
) -> SignatureFit:
    """Fit the signature and the baselines, and predict every patient of the split.

    Parameters
    ----------
    data
        n patients; training patients have outcomes.
    embeddings : ndarray, (members, n, 2048)
        Member 0 is ``full``, member k was trained without fold k.
    logits : ndarray, (members, n)
        The networks' log-odds of cure.
    config
    seed : int
    threads : int
    """
    train = data.train
    training = Training(data.outcome[train], data.fold[train], config, seed, threads)
    _check(data, embeddings, training.cross_fitted)
    members = training.fold if training.cross_fitted else np.zeros_like(training.fold)
    odds = logits[members, np.flatnonzero(train)]
    recalibrations = {Model.NETWORK: training.recalibrate(Model.NETWORK, odds)}
    crossed = {Model.NETWORK: recalibrations[Model.NETWORK](odds)}

    to_aligned = None
    if training.cross_fitted:
        aligned, to_aligned = alignment.align(embeddings, train, data.fold)
    else:
        aligned = np.asarray(embeddings[0][train], dtype=np.float64)
    whole, votes = _fit_lasso_forest(aligned, training)
    _log_selection(whole, config)
    if len(whole.features) > 0 and training.recalibrates:
        odds = ridge.bounded_odds(votes)
        recalibrations[Model.SIGNATURE] = training.recalibrate(Model.SIGNATURE, odds)
        crossed[Model.SIGNATURE] = recalibrations[Model.SIGNATURE](odds)
    else:
        crossed[Model.SIGNATURE] = votes

    fitted_baselines = _fit_baselines(data.cohort[train], crossed, training)
    fitted_heads = _fit_heads(aligned, training)
    for name, (_, odds) in (*fitted_baselines.items(), *fitted_heads.items()):
        if training.recalibrates:
            recalibrations[name] = training.recalibrate(name, odds)
        crossed[name] = recalibration_of(recalibrations, name)(odds)
    member = FittedMember(
        signature=_signature(whole, to_aligned, float(training.outcome.mean())),
        baselines={name: baseline for name, (baseline, _) in fitted_baselines.items()},
        heads={name: head.after(to_aligned) for name, (head, _) in fitted_heads.items()},
        scales={},
    )
    model = SignatureModel(
        embeddings=config.embeddings,
        recalibration=recalibrations,
        members={FULL: member},
        calibration={},
    )
    forests = {FULL: whole.classifier}
    images = {FULL: embeddings[0][~train]}, {FULL: logits[0][~train]}
    tested = predict(model, forests, data.cohort[~train], *images).probability
    probabilities = {name: np.zeros(len(train)) for name in crossed}
    for name, probability in probabilities.items():
        probability[train], probability[~train] = crossed[name], tested[name]
    return SignatureFit(model, forests, whole.path, aligned, probabilities)


def _fit_lasso_forest(aligned: Array, training: Training) -> tuple[LassoForest, Array]:
    """LASSO and forest of embeddings (n, 2048), and the forest's probabilities (n,)."""
    prevalence = float(training.outcome.mean())

    def learn(rows: Mask, name: str) -> LassoForest:
        return lasso_forest.fit(
            aligned[rows],
            training.outcome[rows],
            training.config,
            seeds.derive(training.seed, "signature", name),
            training.threads,
        )

    def forecast(part: LassoForest, rows: Mask) -> Array:
        # If no feature is selected, every patient gets the prevalence of all training patients. The
        # prevalences without each fold would rank patients opposite to their outcomes.
        if len(part.features) == 0:
            return np.full(rows.sum(), prevalence)
        return part.predict(aligned[rows])

    return training.cross_fit(learn, forecast)


def _fit_baselines(
    cohort: pd.DataFrame, crossed: Mapping[Model, Array], training: Training
) -> dict[Model, tuple[Baseline, Array]]:
    """The baselines that have a predictor, and training patients' log-odds (n,) by each."""
    result = {}
    for name in BASELINES:
        predictors = baselines.predictors(name, cohort, crossed)
        baseline, odds = _fit_baseline(name, predictors, training)
        if baseline.coding:
            result[name] = baseline, odds
        else:
            logger.warning("%s: no predictor in the training set, the model is not fitted", name)
    return result


def _fit_baseline(
    name: Model, predictors: pd.DataFrame, training: Training
) -> tuple[Baseline, Array]:
    """A baseline on training patients' predictors, and their log-odds (n,)."""

    def learn(rows: Mask, part: str) -> Baseline:
        return baselines.fit(
            predictors[rows],
            training.outcome[rows],
            training.config,
            seeds.derive(training.seed, name, part),
            name if part == "all" else None,
        )

    return training.cross_fit_odds(learn, lambda baseline: baseline.odds(predictors))


def _fit_heads(aligned: Array, training: Training) -> dict[Model, tuple[Head, Array]]:
    """The heads of the config on embeddings (n, 2048), and training patients' log-odds (n,)."""

    def fit_one(name: Model) -> tuple[Head, Array]:
        def learn(rows: Mask, part: str) -> Head:
            seed = seeds.derive(training.seed, name, part)
            return heads.fit(name, aligned[rows], training.outcome[rows], training.config, seed)

        return training.cross_fit_odds(learn, lambda head: head.odds(aligned))

    asked = {head.value for head in training.config.heads}
    return {name: fit_one(name) for name in HEADS if name.value in asked}


def _log_selection(fitted: LassoForest, config: SignatureConfig) -> None:
    """Log the number of selected features, with a warning if it is unusual."""
    if fitted.path is None:
        logger.warning("signature: only one outcome, the prevalence is predicted")
    elif len(fitted.features) == 0:
        logger.warning("signature: the LASSO selects no feature, the prevalence is predicted")
    else:
        logger.info("signature: %d features selected", len(fitted.features))
        last = fitted.chosen == len(fitted.path.path.penalties) - 1
        if last and config.selection is not Selection.COUNT:
            logger.warning(
                "signature: the smallest penalty of the path was chosen, the best may be smaller"
            )


def _signature(
    fitted: LassoForest, to_aligned: alignment.LinearMap | None, prevalence: float
) -> Signature:
    parameters = fitted.classifier.get_params()
    selected = fitted.features
    return Signature(
        features=selected,
        coefficients=fitted.coefficients,
        intercept=fitted.intercept,
        constant=None if to_aligned is None else to_aligned.constant[selected],
        matrix=None if to_aligned is None else to_aligned.coefficients[:, selected],
        penalty=None if fitted.path is None else float(fitted.path.path.penalties[fitted.chosen]),
        chosen=fitted.chosen,
        importances=forest.importances(fitted.classifier),
        prevalence=prevalence,
        trees=parameters.get("n_estimators", 0),
        smallest_leaf=parameters.get("min_samples_leaf", 0),
    )


def _check(data: SplitData, embeddings: NDArray[np.float32], cross_fitted: bool) -> None:
    """Raise ValueError if the embeddings are not those of this split."""
    expected = 1 + int(data.fold.max(initial=0)) if cross_fitted else 1
    if embeddings.ndim != 3 or embeddings.shape[0] < expected:
        raise ValueError(
            f"embeddings of shape {embeddings.shape}: expected {expected} members, "
            "`full` and one for each fold"
        )
    if embeddings.shape[1] != len(data.train):
        raise ValueError(
            f"embeddings of {embeddings.shape[1]} patients for a split of {len(data.train)}"
        )
    if cross_fitted and len(np.unique(data.fold[data.train])) < 2:
        raise ValueError("cross-fitting needs at least two folds of training patients")
