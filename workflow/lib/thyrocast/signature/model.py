"""The fitted models of a split as they are stored, and how they predict a new patient.

A split has one member (``full``, as published) or one for each fold of its training set (``fold-k``, which
was fitted without fold k). Each member has a network and every model that is fitted to its features. A new
patient is predicted by all members: their log-odds are standardized, averaged and recalibrated.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from thyrocast.baselines import models as baselines
from thyrocast.baselines import ridge
from thyrocast.baselines.models import Baseline
from thyrocast.baselines.stored import Indices, Matrix, StoredModel, Vector
from thyrocast.config.signature import Embeddings
from thyrocast.contract.names import BASELINES, HEADS, Model
from thyrocast.signature import forest
from thyrocast.signature.heads import Head
from thyrocast.statistics import conformal

Array = NDArray[np.float64]


class Recalibration(StoredModel):
    """Recalibration of a model's log-odds, fitted to the training patients.

    Attributes
    ----------
    intercept, slope : float
        With 0 and 1 the log-odds do not change.
    """

    intercept: float
    slope: float

    def odds(self, odds: Array) -> Array:
        """Recalibrated log-odds, of the shape of the log-odds."""
        return np.asarray(self.intercept + self.slope * odds)

    def __call__(self, odds: Array) -> Array:
        """Probability of cure (n,) from log-odds (n,)."""
        return np.asarray(expit(self.odds(odds)))


class Signature(StoredModel):
    """Selected features; the trees are in forest.skops.

    Attributes
    ----------
    features : ndarray of int, (s,)
        Indices of the selected features.
    coefficients : ndarray, (s,)
        Coefficients of the LASSO, per unit of the feature.
    intercept : float
        Intercept of the LASSO.
    constant : ndarray, (s,), or None
        With `matrix`, maps an embedding by the member's network to the features of the forest; None
        if the forest was fitted to the embeddings themselves.
    matrix : ndarray, (p, s), or None
    penalty : float or None
        Chosen penalty of the LASSO; None if there was only one outcome.
    chosen : int
        Position of this penalty on the path.
    importances : ndarray, (s,)
        Importance of each feature in the forest; empty if the prevalence is predicted.
    prevalence : float
        Share of cured training patients.
    trees, smallest_leaf : int
        Number of trees and smallest leaf of the forest; 0 if the prevalence is predicted.
    """

    features: Indices
    coefficients: Vector
    intercept: float
    constant: Vector | None
    matrix: Matrix | None
    penalty: float | None
    chosen: int
    importances: Vector
    prevalence: float
    trees: int
    smallest_leaf: int

    def select(self, embeddings: Array) -> Array:
        """The forest's features (n, s) from embeddings (n, p) by the member's network."""
        if self.matrix is None or self.constant is None:
            return embeddings[:, self.features]
        return np.asarray(self.constant + embeddings @ self.matrix)


class Scale(StoredModel):
    """Mean and spread of a member's log-odds in the fold that it did not see, without outcomes.

    Attributes
    ----------
    mean : float
    spread : float
        Standard deviation; 0 if the member gives all patients the same log-odds.
    """

    mean: float
    spread: float

    def __call__(self, odds: Array) -> Array:
        """Standardized log-odds (n,); 0 for all patients if the spread is 0."""
        if self.spread == 0:
            return np.zeros_like(odds)
        return np.asarray((odds - self.mean) / self.spread)


class FittedMember(StoredModel):
    """The models of one member, except the trees.

    Attributes
    ----------
    signature
    baselines
        Baselines with at least one predictor.
    heads
        Linear models on embeddings by the member's network.
    scales
        How the log-odds of a model are standardized; those of other models do not change.
    """

    signature: Signature
    baselines: dict[Model, Baseline]
    heads: dict[Model, Head]
    scales: dict[Model, Scale]

    def predict(
        self,
        classifier: forest.Classifier,
        cohort: pd.DataFrame,
        embeddings: NDArray[np.floating],
        logits: Array,
    ) -> tuple[dict[Model, Array], Array]:
        """Predict patients who were not used to fit this member.

        Parameters
        ----------
        classifier
            The member's forest.
        cohort : DataFrame
            n rows of `COHORT`.
        embeddings : ndarray, (n, p)
            By the member's network.
        logits : ndarray, (n,)
            The network's log-odds of cure.

        Returns
        -------
        odds : dict
            Log-odds of cure (n,) by every model, standardized, in the order of the report.
        votes : ndarray, (n,)
            Probability of cure by the forest as it is.
        """
        space = np.asarray(embeddings, dtype=np.float64)
        votes = np.full(len(space), self.signature.prevalence)
        if len(self.signature.features) > 0:
            votes = forest.probability(classifier, self.signature.select(space))
        odds = {
            Model.NETWORK: self.scaled(Model.NETWORK, logits),
            Model.SIGNATURE: self.scaled(Model.SIGNATURE, ridge.bounded_odds(votes)),
        }
        images = self.shown(odds, votes)
        for name, baseline in in_order(self.baselines, BASELINES):
            found = baseline.odds(baselines.predictors(name, cohort, images))
            odds[name] = self.scaled(name, found)
        for name, head in in_order(self.heads, HEADS):
            odds[name] = self.scaled(name, head.odds(space))
        return odds, votes

    def shown(self, odds: Mapping[Model, Array], votes: Array) -> dict[Model, Array]:
        """Probabilities (n,) by network and signature, which the baseline ``combined`` uses.

        Parameters
        ----------
        odds : mapping of ndarray, (n,)
            Log-odds of both, standardized.
        votes : ndarray, (n,)
            Probability by the forest as it is.
        """
        images = {name: np.asarray(expit(odds[name])) for name in (Model.NETWORK, Model.SIGNATURE)}
        if Model.SIGNATURE not in self.scales:
            images[Model.SIGNATURE] = votes
        return images

    def scaled(self, name: Model, odds: Array) -> Array:
        """Standardize a model's log-odds (n,)."""
        return self.scales[name](odds) if name in self.scales else odds


def selected(
    members: Mapping[str, FittedMember], embeddings: Mapping[str, NDArray[np.floating]]
) -> Iterator[tuple[str, NDArray[np.intp], Array]]:
    """Yield, for each member that selected features, its name, their numbers, and their values.

    Parameters
    ----------
    members
        The fitted members, by name.
    embeddings : mapping of ndarray, (n, 2048)
        By the network of each member.
    """
    for name, member in members.items():
        features = member.signature.features
        if len(features):
            own = np.asarray(embeddings[name], dtype=np.float64)
            yield name, features, member.signature.select(own)


class Scores(StoredModel):
    """Log-odds of the training patients of a member's fold, recalibrated and sorted.

    Attributes
    ----------
    not_cured, cured : ndarray, (n,)
        Of the patients with this outcome.
    """

    not_cured: Vector
    cured: Vector


class SignatureModel(StoredModel):
    """Everything that is fitted to a split's embeddings and predictors, except the trees.

    Attributes
    ----------
    embeddings
        Which networks embedded the training patients.
    recalibration
        Recalibration of ``network``, and of each other model that is recalibrated.
    members
        By name: ``full`` only, or ``fold-1`` and so on.
    calibration
        What prediction sets need, by model and member; empty if training patients were predicted by
        models that had seen them.
    """

    embeddings: Embeddings
    recalibration: dict[Model, Recalibration]
    members: dict[str, FittedMember]
    calibration: dict[Model, dict[str, Scores]]


@dataclass(frozen=True)
class Forecast:
    """Predictions of n new patients, by every model in the order of the report.

    Attributes
    ----------
    probability : dict of ndarray, (n,)
        Probability of cure.
    odds : dict of dict of ndarray, (n,)
        Log-odds of cure by every member, recalibrated; the probability is that of their mean.
    p_values : dict of ndarray, (n, 2)
        Conformal p values of not cured and of cured; empty if the model has no calibration scores.
        An outcome is excluded at an error of e if its p value is e or less.
    """

    probability: dict[Model, Array]
    odds: dict[Model, dict[str, Array]]
    p_values: dict[Model, Array]


def predict(
    model: SignatureModel,
    forests: Mapping[str, forest.Classifier],
    cohort: pd.DataFrame,
    embeddings: Mapping[str, NDArray[np.floating]],
    logits: Mapping[str, Array],
) -> Forecast:
    """Predict patients who were not used to fit the models.

    Parameters
    ----------
    model
        Content of model.json.
    forests
        Content of forest.skops: the forest of each member.
    cohort : DataFrame
        n rows of `COHORT`.
    embeddings : mapping of ndarray, (n, p)
        Embeddings of all patients by the network of each member.
    logits : mapping of ndarray, (n,)
        Log-odds of cure by the network of each member.

    Raises
    ------
    ValueError
        If a forest, embeddings or log-odds of a member are missing.
    """
    for name in model.members:
        if not (name in forests and name in embeddings and name in logits):
            raise ValueError(f"forest, embeddings or log-odds of member {name} are missing")
    found = {
        name: member.predict(forests[name], cohort, embeddings[name], logits[name])
        for name, member in model.members.items()
    }
    odds = {
        name: {
            member: recalibration_of(model.recalibration, name).odds(values[name])
            for member, (values, _) in found.items()
        }
        for name in next(iter(found.values()))[0]
    }
    probability = {
        name: np.asarray(expit(np.mean([*values.values()], axis=0)))
        for name, values in odds.items()
    }
    if Model.SIGNATURE not in model.recalibration:
        # As published: the share of votes, which may be 0 or 1.
        probability[Model.SIGNATURE] = np.mean([votes for _, votes in found.values()], axis=0)
    p_values = {
        name: conformal.cross_p_values(
            [scores.not_cured for scores in by_member.values()],
            [scores.cured for scores in by_member.values()],
            np.stack([odds[name][member] for member in by_member]),
        )
        for name, by_member in model.calibration.items()
    }
    return Forecast(probability, odds, p_values)


def recalibration_of(recalibration: Mapping[Model, Recalibration], name: Model) -> Recalibration:
    """The recalibration of a model; log-odds of a model without one do not change."""
    return recalibration.get(name, Recalibration(intercept=0.0, slope=1.0))


T = TypeVar("T")


def in_order(found: Mapping[Model, T], order: Iterable[Model]) -> list[tuple[Model, T]]:
    """The models that are present, in the order of the report."""
    return [(name, found[name]) for name in order if name in found]
