"""Predictions of an updated locked model: those of its parent, and a few numbers of its manifest."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from thyrocast.contract.manifest import Update
from thyrocast.locked.domain import Domain
from thyrocast.signature.model import Forecast
from thyrocast.statistics import inputs

Array = NDArray[np.float64]


def components(domain: Domain, member: str, embeddings: NDArray[np.floating], count: int) -> Array:
    """First components (n, q) of embeddings (n, p) by a member's network, q at most `count`.

    They are those of the training patients, with mean 0 and about variance 1 in them: nothing is estimated
    at the site.
    """
    known = domain.members[member]
    centered = np.asarray(embeddings, dtype=np.float64) - known.mean
    scores = centered @ known.components[:count].T
    return np.asarray(scores / np.sqrt(known.variances[:count]))


def apply(
    forecast: Forecast, update: Update, domain: Domain, embeddings: NDArray[np.floating]
) -> Forecast:
    """Return the predictions of an updated model.

    Parameters
    ----------
    forecast
        Predictions of n patients by the parent.
    update
        What was changed.
    domain
        Distribution of the training patients' embeddings.
    embeddings : ndarray, (n, p)
        By the network `update.member`.
    """
    probability, odds = dict(forecast.probability), dict(forecast.odds)
    p_values = dict(forecast.p_values)
    for model, change in update.models.items():
        scores = components(domain, update.member, embeddings, len(change.coefficients))
        extra = change.intercept + scores @ np.array(change.coefficients)
        probability[model] = np.asarray(
            expit(change.slope * inputs.logit(probability[model]) + extra)
        )
        odds[model] = {
            name: np.asarray(change.slope * values + extra)
            for name, values in forecast.odds[model].items()
        }
        # Ranks do not change with an increasing function of the log-odds alone. Otherwise the calibration
        # scores of the training patients are those of another model.
        if change.coefficients or change.slope <= 0:
            p_values.pop(model, None)
    return Forecast(probability, odds, p_values)
