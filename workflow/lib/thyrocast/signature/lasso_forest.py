"""LASSO and random forest: the part of the signature that is fitted to embeddings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thyrocast.config.signature import SignatureConfig
from thyrocast.signature import forest, lasso
from thyrocast.statistics import partition

Array = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class LassoForest:
    """LASSO and forest fitted to some patients.

    Attributes
    ----------
    features : ndarray of int, (s,)
        Indices of the selected features.
    coefficients : ndarray, (s,)
        Coefficients of the LASSO, per unit of the feature.
    intercept : float
        Intercept of the LASSO.
    classifier
        The forest on the selected features.
    path
        The LASSO path with its cross-validated deviance; None if there was only one outcome.
    chosen : int
        Position of the chosen penalty on the path.
    """

    features: Integers
    coefficients: Array
    intercept: float
    classifier: forest.Classifier
    path: lasso.CrossValidatedPath | None
    chosen: int

    def predict(self, embeddings: Array) -> Array:
        """Probability of cure (n,) from embeddings (n, p)."""
        return forest.probability(self.classifier, embeddings[:, self.features])


def fit(
    embeddings: Array,
    outcome: Array,
    config: SignatureConfig,
    seed: int,
    threads: int = 1,
    patient: Integers | None = None,
) -> LassoForest:
    """Select features by LASSO and fit the forest on them.

    Parameters
    ----------
    embeddings : ndarray, (n, p)
    outcome : ndarray, (n,)
        1 cured, 0 not cured.
    config
    seed : int
    threads : int
    patient : ndarray of int, (n,), optional
        Number of each row's patient, if patients have several rows, as in a bootstrap sample: all
        rows of a patient are in one tuning fold.

    Returns
    -------
    LassoForest
        If the LASSO selects no feature, every prediction is the prevalence.
    """
    path, chosen = None, 0
    selected = np.zeros(0, dtype=np.int64)
    coefficients, intercept = np.zeros(0), 0.0
    if len(np.unique(outcome)) == 2:
        penalties = lasso.penalties(embeddings, outcome, config.penalties, config.smallest_penalty)
        folds = partition.tuning_folds(outcome, config.tuning_folds, seed, patient)
        path = lasso.cross_validate(embeddings, outcome, folds, penalties)
        chosen = lasso.choose(path, config.selection, config.features)
        weights = path.path.coefficients[chosen]
        selected = np.flatnonzero(weights)
        coefficients, intercept = weights[selected], float(path.path.intercepts[chosen])
    classifier = forest.fit(embeddings[:, selected], outcome, config.forest, seed, threads, patient)
    return LassoForest(selected, coefficients, intercept, classifier, path, chosen)
