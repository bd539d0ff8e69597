"""Fit the signature and the baselines to a split's training patients and predict all patients.

Every model has the members of the split. Member k is fitted without fold k, in all stages: its network,
the maps of the other members' embeddings to its features, LASSO, forest and heads in this
feature space, and the baselines. It predicts the patients of fold k, and every new patient. A training
patient has the probability by the member of the own fold; a test patient that of the mean
log-odds of all members, as a new patient would. As published (``in_sample``), there is one member, ``full``, which
is fitted to all training patients and predicts them as well.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from thyrocast.baselines import models as baselines
from thyrocast.baselines import ridge
from thyrocast.baselines.models import Baseline
from thyrocast.config.signature import SignatureConfig
from thyrocast.contract.names import BASELINES, FULL, Model
from thyrocast.errors import InputError
from thyrocast.signature import forest, member_fitting
from thyrocast.signature.cross_fitting import Training
from thyrocast.signature.member_fitting import ImageModels
from thyrocast.signature.model import (
    FittedMember,
    Forecast,
    Scale,
    Scores,
    SignatureModel,
    predict,
    recalibration_of,
)
from thyrocast.signature.split import SplitData

logger = logging.getLogger("thyrocast")

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

#: Fewest folds with which members can be fitted: two members of two folds share no patients.
FEWEST_FOLDS = 3


@dataclass(frozen=True)
class SignatureFit:
    """Models fitted to a split's training patients, and the predictions of all patients.

    Attributes
    ----------
    model : SignatureModel
        Content of model.json.
    forests : dict
        Content of forest.skops: the forest of each member.
    images : dict of ImageModels
        What each member learned from embeddings.
    probabilities : dict of ndarray, (n,)
        Probability of cure by every model; cross-fitted for training patients.
    odds : dict of dict of ndarray, (n,)
        Recalibrated log-odds by every member of every model; NaN for training patients to whom
        the member was fitted, unless there is no other one.
    """

    model: SignatureModel
    forests: dict[str, forest.Classifier]
    images: dict[str, ImageModels]
    probabilities: dict[Model, Array]
    odds: dict[Model, dict[str, Array]]


@dataclass
class Crossed:
    """Training patients' log-odds by the members that predict them, and the members' scales.

    Attributes
    ----------
    training
    odds : dict of ndarray, (n,)
        By model, standardized.
    scales
        By member and model; empty if log-odds are not standardized.
    votes : ndarray, (n,), or None
        Probabilities by the forest, if they are the signature's as they are.
    """

    training: Training
    odds: dict[Model, Array] = field(default_factory=dict)
    scales: dict[str, dict[Model, Scale]] = field(default_factory=dict)
    votes: Array | None = None

    def add(self, name: Model, found: Mapping[str, Array]) -> None:
        """Add a model: log-odds (m,) of the patients whom each member predicts."""
        own = {}
        for member, values in found.items():
            scales = self.scales.setdefault(member, {})
            if self.training.recalibrates:
                scales[name] = self.training.scale(values)
            own[member] = scales[name](values) if name in scales else values
        self.odds[name] = self.training.joined(own)


def fit(
    data: SplitData,
    embeddings: NDArray[np.float32],
    logits: Mapping[str, Array],
    config: SignatureConfig,
    seed: int,
    threads: int = 1,
    patient: NDArray[np.int64] | None = None,
) -> SignatureFit:
    """Fit the signature and the baselines, and predict every patient of the split.

    Parameters
    ----------
    data
        n patients; training patients have outcomes.
    embeddings : ndarray, (members, n, p)
        In the order of the members: ``full``, or ``fold-1`` and so on.
    logits : mapping of ndarray, (n,)
        The networks' log-odds of cure by member.
    config
    seed : int
    threads : int
    patient : ndarray of int, (n,), optional
        Number of each row's patient, if training patients have several rows, as in a bootstrap
        sample: penalties and leaves are not chosen on copies of the patients used in the fit.
    """
    train = data.train
    copies = None if patient is None else patient[train]
    training = Training(data.outcome[train], data.fold[train], config, seed, threads, copies)
    _check(data, embeddings, logits, training)
    parts = training.parts()
    views = [embeddings[part.position][train] for part in parts]
    images = {part.name: member_fitting.fit(part, views, training) for part in parts}
    crossed = Crossed(training)
    own = {part.name: logits[part.name][train][part.predicted] for part in parts}
    crossed.add(Model.NETWORK, own)
    votes = {name: models.votes(training.prevalence) for name, models in images.items()}
    crossed.add(Model.SIGNATURE, {name: ridge.bounded_odds(p) for name, p in votes.items()})
    shown = {name: np.asarray(expit(odds)) for name, odds in crossed.odds.items()}
    if not training.recalibrates:
        # As published: the share of votes, which may be 0 or 1.
        crossed.votes = shown[Model.SIGNATURE] = training.joined(votes)
    fitted = _fit_baselines(data.cohort[train], shown, crossed)
    for name in images[parts[0].name].heads:
        crossed.add(name, {member: models.head_odds(name) for member, models in images.items()})
    model = _model(images, fitted, crossed)
    forests = {name: models.fitted.classifier for name, models in images.items()}
    tested = predict(
        model,
        forests,
        data.cohort[~train],
        {part.name: embeddings[part.position][~train] for part in parts},
        {part.name: logits[part.name][~train] for part in parts},
    )
    return SignatureFit(model, forests, images, *_join(train, model, crossed, tested))


def _join(
    train: Mask, model: SignatureModel, crossed: Crossed, tested: Forecast
) -> tuple[dict[Model, Array], dict[Model, dict[str, Array]]]:
    """Probabilities (n,), and log-odds (n,) by each member, of training and test patients."""
    probabilities: dict[Model, Array] = {}
    odds: dict[Model, dict[str, Array]] = {}
    rows = np.flatnonzero(train)
    for name, values in crossed.odds.items():
        own = recalibration_of(model.recalibration, name).odds(values)
        probability = np.zeros(len(train))
        probability[train], probability[~train] = expit(own), tested.probability[name]
        if name is Model.SIGNATURE and crossed.votes is not None:
            probability[train] = crossed.votes
        probabilities[name], odds[name] = probability, {}
        for part in crossed.training.parts():
            by_member = np.full(len(train), np.nan)
            by_member[rows[part.predicted]] = own[part.predicted]
            by_member[~train] = tested.odds[name][part.name]
            odds[name][part.name] = by_member
    return probabilities, odds


def _fit_baselines(
    cohort: pd.DataFrame, shown: Mapping[Model, Array], crossed: Crossed
) -> dict[Model, dict[str, Baseline]]:
    """The baselines that have a predictor, by member; their log-odds are added."""
    training, result = crossed.training, {}
    for name in BASELINES:
        predictors = baselines.predictors(name, cohort, shown)
        found = {
            part.name: baselines.fit(
                predictors[part.seen],
                training.outcome[part.seen],
                training.config,
                part.seed(training.seed, name),
                name if part.name == FULL else f"{name}, {part.name}",
                training.copies(part),
            )
            for part in training.parts()
        }
        if any(baseline.coding for baseline in found.values()):
            result[name] = found
            odds = {
                part.name: found[part.name].odds(predictors[part.predicted])
                for part in training.parts()
            }
            crossed.add(name, odds)
        else:
            logger.warning("%s: no predictor in the training set, the model is not fitted", name)
    return result


def _model(
    images: Mapping[str, ImageModels],
    fitted: Mapping[Model, Mapping[str, Baseline]],
    crossed: Crossed,
) -> SignatureModel:
    """Everything that is stored, with what prediction sets need."""
    training = crossed.training
    recalibration = {
        name: training.recalibrate(name, odds)
        for name, odds in crossed.odds.items()
        if training.recalibrates
    }
    members = {
        name: FittedMember(
            signature=models.signature(training.prevalence),
            baselines={baseline: found[name] for baseline, found in fitted.items()},
            heads=models.stored_heads(),
            scales=crossed.scales[name],
        )
        for name, models in images.items()
    }
    calibration = {
        name: _scores(recalibration_of(recalibration, name).odds(odds), training)
        for name, odds in crossed.odds.items()
        if training.cross_fitted
    }
    return SignatureModel(
        embeddings=training.config.embeddings,
        recalibration=recalibration,
        members=members,
        calibration=calibration,
    )


def _scores(odds: Array, training: Training) -> dict[str, Scores]:
    """Training patients' log-odds (n,) by member and outcome, sorted."""
    cured = training.outcome == 1
    return {
        part.name: Scores(
            not_cured=np.sort(odds[part.predicted & ~cured]),
            cured=np.sort(odds[part.predicted & cured]),
        )
        for part in training.parts()
    }


def _check(
    data: SplitData,
    embeddings: NDArray[np.float32],
    logits: Mapping[str, Array],
    training: Training,
) -> None:
    """Raise ValueError if the embeddings are not those of this split."""
    parts = training.parts()
    if training.cross_fitted and len(parts) < FEWEST_FOLDS:
        raise ValueError(
            f"{len(parts)} folds of training patients: members need at least {FEWEST_FOLDS}"
        )
    names = [part.name for part in parts]
    if list(logits) != names:
        raise ValueError(f"members {', '.join(logits)}: expected {', '.join(names)}")
    if embeddings.ndim != 3 or embeddings.shape[0] != len(parts):
        raise ValueError(f"embeddings of shape {embeddings.shape}: expected {len(parts)} members")
    if embeddings.shape[1] != len(data.train):
        raise ValueError(
            f"embeddings of {embeddings.shape[1]} patients for a split of {len(data.train)}"
        )
    for part, own in zip(parts, embeddings, strict=True):
        if not np.isfinite(own).all():
            raise InputError(
                f"embeddings of member {part.name} contain numbers that are not finite: delete its weights, "
                "lower network.learning_rate and train it again"
            )
