"""Linear models on the aligned embeddings, alternatives to the signature's LASSO and forest."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit

from thyrocast.baselines.stored import StoredModel, Vector
from thyrocast.config.signature import SignatureConfig
from thyrocast.contract.names import Model
from thyrocast.signature import elastic_net_head, lasso_head, ridge_head
from thyrocast.signature.alignment import LinearMap

Array = NDArray[np.float64]

# A predicted prevalence is kept at least this far from 0 and 1.
_EDGE = 1e-6


class Head(StoredModel):
    """A linear model on embeddings.

    Attributes
    ----------
    intercept : float
    weights : ndarray, (p,)
        All 0 if the prevalence is predicted.
    """

    intercept: float
    weights: Vector

    def odds(self, embeddings: Array) -> Array:
        """Log-odds of cure (n,) from embeddings (n, p)."""
        return np.asarray(self.intercept + embeddings @ self.weights)

    def after(self, mapped: LinearMap | None) -> Head:
        """The same model on embeddings before a map."""
        if mapped is None:
            return self
        constant, weights = mapped.weighted(self.weights)
        return Head(intercept=self.intercept + constant, weights=weights)


def fit(
    name: Model,
    embeddings: Array,
    outcome: Array,
    config: SignatureConfig,
    seed: int,
    patient: NDArray[np.int64] | None = None,
) -> Head:
    """Fit a head to training patients.

    Parameters
    ----------
    name
        One of `HEADS`.
    embeddings : ndarray, (n, p)
    outcome : ndarray, (n,)
        1 cured, 0 not cured.
    config
    seed : int
    patient : ndarray of int, (n,), optional
        Number of each row's patient, if patients have several rows, as in a bootstrap sample.
    """
    if len(np.unique(outcome)) < 2:
        odds = float(logit(np.clip(outcome.mean(), _EDGE, 1 - _EDGE)))
        return Head(intercept=odds, weights=np.zeros(embeddings.shape[1]))
    if name is Model.RIDGE:
        intercept, weights = ridge_head.fit(embeddings, outcome, patient)
    elif name is Model.LASSO:
        intercept, weights = lasso_head.fit(embeddings, outcome, config, seed, patient)
    else:
        intercept, weights = elastic_net_head.fit(embeddings, outcome, config, seed, patient)
    return Head(intercept=intercept, weights=weights)
