"""The fitted models of a split as they are stored, and how they predict a new patient."""

from __future__ import annotations

from collections.abc import Mapping

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

    def __call__(self, odds: Array) -> Array:
        """Probability of cure (n,) from log-odds (n,)."""
        return np.asarray(expit(self.intercept + self.slope * odds))


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
        With `matrix`, maps an embedding by the full network to the features of the forest; None if
        the forest was fitted to the embeddings themselves.
    matrix : ndarray, (2048, s), or None
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
        """The forest's features (n, s) from embeddings (n, 2048) by the full network."""
        if self.matrix is None or self.constant is None:
            return embeddings[:, self.features]
        return np.asarray(self.constant + embeddings @ self.matrix)


class SignatureModel(StoredModel):
    """Everything that is fitted to a split's embeddings and predictors, except the trees.

    Attributes
    ----------
    embeddings
        Which networks embedded the training patients.
    recalibration
        Recalibration of ``network``, and of each other model that is recalibrated.
    signature
    baselines
        Baselines with at least one predictor.
    heads
        Linear models on embeddings by the full network.
    """

    embeddings: Embeddings
    recalibration: dict[Model, Recalibration]
    signature: Signature
    baselines: dict[Model, Baseline]
    heads: dict[Model, Head]


def predict(
    model: SignatureModel,
    classifier: forest.Classifier,
    cohort: pd.DataFrame,
    embeddings: NDArray[np.floating],
    logits: Array,
) -> dict[Model, Array]:
    """Predict patients who were not used to fit the models.

    Parameters
    ----------
    model
        Content of model.json.
    classifier
        Content of forest.skops.
    cohort : DataFrame
        n rows of `COHORT`.
    embeddings : ndarray, (n, 2048)
        Embeddings by the full network.
    logits : ndarray, (n,)
        Log-odds of cure by the full network.

    Returns
    -------
    dict
        Probability of cure (n,) by every model, in the order of the report.
    """
    probabilities = {Model.NETWORK: model.recalibration[Model.NETWORK](logits)}
    features = model.signature.select(np.asarray(embeddings, dtype=np.float64))
    probabilities[Model.SIGNATURE] = recalibrated_forest(
        model.recalibration, forest.probability(classifier, features)
    )
    for name in BASELINES:
        if name in model.baselines:
            predictors = baselines.predictors(name, cohort, probabilities)
            odds = model.baselines[name].odds(predictors)
            probabilities[name] = recalibrated(model.recalibration, name, odds)
    for name in HEADS:
        if name in model.heads:
            odds = model.heads[name].odds(np.asarray(embeddings, dtype=np.float64))
            probabilities[name] = recalibrated(model.recalibration, name, odds)
    return probabilities


def recalibrated(recalibration: Mapping[Model, Recalibration], name: Model, odds: Array) -> Array:
    """Probability of cure (n,) from a model's log-odds (n,), unchanged if it is not recalibrated."""
    return recalibration.get(name, Recalibration(intercept=0.0, slope=1.0))(odds)


def recalibrated_forest(recalibration: Mapping[Model, Recalibration], probability: Array) -> Array:
    """Probability of cure (n,) from the forest's (n,), unchanged if it is not recalibrated."""
    if Model.SIGNATURE not in recalibration:
        return probability
    return recalibration[Model.SIGNATURE](ridge.bounded_odds(probability))
