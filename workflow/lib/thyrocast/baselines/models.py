"""Baselines: ridge logistic regressions on predictors of the cohort table."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit, logit

from thyrocast.baselines import coding, imputation, ridge
from thyrocast.baselines.coding import Term
from thyrocast.baselines.imputation import Normal
from thyrocast.baselines.stored import StoredModel, Vector
from thyrocast.contract import columns
from thyrocast.contract.names import Model
from thyrocast.statistics import partition

logger = logging.getLogger("thyrocast")

Array = NDArray[np.float64]

# A predicted prevalence is kept at least this far from 0 and 1.
_EDGE = 1e-6


class ImputedFit(StoredModel):
    """A ridge regression fitted to one imputation of the training patients.

    Attributes
    ----------
    predictors
        Distribution of the predictors, by which missing ones are imputed; None if there is nothing
        but the intercept.
    intercept : float
    coefficients : ndarray, (p,)
    """

    predictors: Normal | None
    intercept: float
    coefficients: Vector


class Baseline(StoredModel):
    """A fitted baseline.

    Attributes
    ----------
    coding
        How predictors become standardized numbers; empty if there is no predictor.
    penalty
        Penalty of the ridge regression; None if the prevalence is predicted.
    fits
        One for each imputation.
    """

    coding: tuple[Term, ...]
    penalty: float | None
    fits: tuple[ImputedFit, ...]

    def predict(self, predictors: pd.DataFrame) -> Array:
        """Predict patients; log-odds are averaged over the imputations.

        Parameters
        ----------
        predictors : DataFrame
            Patients × predictors, as from `predictors`. A text level that does not occur in
            the training set counts as missing.

        Returns
        -------
        ndarray, (n,)
            Probability of cure.
        """
        odds = np.zeros(len(predictors))
        for part in self.fits:
            odds += part.intercept
            if part.predictors is not None:
                values = coding.encode(predictors, self.coding)
                odds += imputation.complete(values, part.predictors) @ part.coefficients
        return np.asarray(expit(odds / len(self.fits)))


def predictors(
    model: Model, cohort: pd.DataFrame, probabilities: Mapping[Model, Array]
) -> pd.DataFrame:
    """Return the predictors of a baseline.

    Parameters
    ----------
    model
        ``handcrafted`` (quantities measured in the image), ``clinical`` (clinical columns and the
        activity per gram of gland) or ``combined`` (both, and the log-odds of network and signature).
    cohort : DataFrame
        Rows of `COHORT`.
    probabilities
        Probability of cure (n,) by ``network`` and ``signature``, of the same patients.

    Returns
    -------
    DataFrame
        n patients × predictors; index 0 to n - 1.
    """
    rows = cohort.reset_index(drop=True)
    quantities, clinical = rows[list(columns.QUANTITIES)], rows[list(columns.CLINICAL)]
    if model is Model.HANDCRAFTED:
        return quantities
    clinical = clinical.assign(activity_per_gram=activity_per_gram(rows))
    if model is Model.CLINICAL:
        return clinical
    odds = {
        f"{image_model}_logit": ridge.bounded_odds(probabilities[image_model])
        for image_model in (Model.NETWORK, Model.SIGNATURE)
    }
    return pd.concat([clinical, quantities, pd.DataFrame(odds)], axis="columns")


def activity_per_gram(cohort: pd.DataFrame) -> pd.Series[Any]:
    """Administered activity per gram of gland (MBq/g); NaN if one is missing or the mass is 0."""
    mass = cohort["gland_mass"]
    return cohort["activity"] / mass.where(mass > 0)


def fit(
    predictors: pd.DataFrame,
    outcome: Array,
    tuning_folds: int,
    imputations: int,
    seed: int,
    name: str | None,
) -> Baseline:
    """Fit a baseline to training patients.

    Parameters
    ----------
    predictors : DataFrame
        Training patients × predictors: numbers are float64, NaN if missing; text is str, NaN if
        missing, and becomes indicators unless it has many different values.
    outcome : ndarray, (n,)
        1 cured, 0 not cured.
    tuning_folds : int
        Folds on which the penalty is chosen.
    imputations : int
        Number of imputations; 1 is enough if no value is missing.
    seed : int
    name
        Name of the model for the log; None: nothing is logged.

    Returns
    -------
    Baseline
        If there is no predictor, or only one outcome, it predicts the prevalence.
    """
    learned = coding.learn(predictors)
    if name and learned.dropped:
        logger.info("%s: predictors left out: %s", name, "; ".join(learned.dropped))
    if not learned.terms or len(np.unique(outcome)) < 2:
        if name:
            logger.warning(
                "%s: no predictor or only one outcome, the prevalence is predicted", name
            )
        return _prevalence(learned.terms, outcome)
    values = coding.encode(predictors, learned.terms)
    generator = np.random.default_rng(seed)
    folds = partition.tuning_folds(outcome, tuning_folds, seed)
    penalty, fits = None, []
    for _ in range(imputations if np.isnan(values).any() else 1):
        normal, filled = _imputed(values, generator)
        if penalty is None:
            penalty = ridge.choose_penalty(filled, outcome, folds)
        weights = ridge.fit(filled, outcome, penalty)
        fits.append(
            ImputedFit(predictors=normal, intercept=float(weights[0]), coefficients=weights[1:])
        )
    return Baseline(coding=learned.terms, penalty=penalty, fits=tuple(fits))


def _imputed(values: Array, generator: np.random.Generator) -> tuple[Normal, Array]:
    """Impute training patients once: the imputation model, and the values (n, p)."""
    if not np.isnan(values).any():
        return imputation.fit(values), values
    sample = generator.integers(0, len(values), len(values))
    normal = imputation.fit(values[sample])
    return normal, imputation.complete(values, normal, generator)


def _prevalence(terms: tuple[Term, ...], outcome: Array) -> Baseline:
    odds = float(logit(np.clip(outcome.mean(), _EDGE, 1 - _EDGE)))
    constant = ImputedFit(predictors=None, intercept=odds, coefficients=np.zeros(0))
    return Baseline(coding=terms, penalty=None, fits=(constant,))
