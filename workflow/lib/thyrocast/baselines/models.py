"""Baselines: ridge logistic regressions on predictors of the cohort table."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit, logit

from thyrocast.baselines import coding, dose, imputation, ridge, splines
from thyrocast.baselines.coding import Term
from thyrocast.baselines.imputation import Normal
from thyrocast.baselines.splines import Bend
from thyrocast.baselines.stored import Indices, StoredModel, Vector
from thyrocast.config.signature import SignatureConfig
from thyrocast.contract import columns
from thyrocast.contract.names import BASELINES, Model
from thyrocast.statistics import partition

logger = logging.getLogger("thyrocast")

Array = NDArray[np.float64]

# A predicted prevalence is kept at least this far from 0 and 1.
_EDGE = 1e-6
# A missing indicator needs so many patients with a value, and so many without.
LEAST_INDICATED = 5
# Columns that get a bend if they are numbers: a patient's, not an image's.
CURVED = frozenset({*columns.CLINICAL, "retained_per_gram"})


class Baseline(StoredModel):
    """A fitted baseline.

    Attributes
    ----------
    coding
        How predictors become standardized numbers; empty if there is no predictor.
    imputation
        Distribution of these numbers, by which missing ones are imputed; None if the prevalence is
        predicted.
    bends
        Nonlinear terms.
    indicators : ndarray of int
        Positions of the terms of which "missing" is a predictor.
    penalty
        Penalty of the ridge regression; None if the prevalence is predicted.
    intercept : float
    coefficients : ndarray, (p,)
        Of the terms, the bends and the indicators, in this order; empty if the prevalence is predicted.
    """

    coding: tuple[Term, ...]
    imputation: Normal | None
    bends: tuple[Bend, ...]
    indicators: Indices
    penalty: float | None
    intercept: float
    coefficients: Vector

    def odds(self, predictors: pd.DataFrame) -> Array:
        """Predict patients.

        Parameters
        ----------
        predictors : DataFrame
            Patients × predictors, as from `predictors`. A text level that does not occur in
            the training set counts as missing.

        Returns
        -------
        ndarray, (n,)
            Log-odds of cure.
        """
        if self.imputation is None:
            return np.full(len(predictors), self.intercept)
        values = coding.encode(predictors, self.coding)
        design = _design(values, self.imputation, self.bends, self.indicators)
        return np.asarray(self.intercept + design @ self.coefficients)

    def predict(self, predictors: pd.DataFrame) -> Array:
        """Probability of cure (n,), without recalibration; the arguments are those of `odds`."""
        return np.asarray(expit(self.odds(predictors)))


def predictors(
    model: Model, cohort: pd.DataFrame, probabilities: Mapping[Model, Array]
) -> pd.DataFrame:
    """Return the predictors of a baseline.

    Parameters
    ----------
    model
        ``simulated`` (quantities as read by the network that was pretrained on simulated scintigrams),
        ``handcrafted`` (quantities measured in the image), ``clinical`` (clinical columns, and
        activity per gram of gland, administered and retained after 24 h), ``combined`` (all of
        these, and the log-odds of network and signature) or ``dose`` (the absorbed dose by its formula).
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
    if model is Model.DOSE:
        return pd.DataFrame({"absorbed_dose": dose.absorbed_dose(rows)})
    read = rows[list(columns.READING_PREDICTORS)]
    if model is Model.SIMULATED:
        return read
    quantities, clinical = rows[list(columns.QUANTITIES)], rows[list(columns.CLINICAL)]
    if model is Model.HANDCRAFTED:
        return quantities
    clinical = clinical.assign(
        activity_per_gram=dose.activity_per_gram(rows),
        retained_per_gram=dose.retained_per_gram(rows),
    )
    if model is Model.CLINICAL:
        return clinical
    odds = {
        f"{image_model}_logit": ridge.bounded_odds(probabilities[image_model])
        for image_model in (Model.NETWORK, Model.SIGNATURE)
    }
    return pd.concat([clinical, quantities, read, pd.DataFrame(odds)], axis="columns")


def fit(
    predictors: pd.DataFrame,
    outcome: Array,
    config: SignatureConfig,
    seed: int,
    name: str | None,
    patient: NDArray[np.int64] | None = None,
) -> Baseline:
    """Fit a baseline to training patients.

    Parameters
    ----------
    predictors : DataFrame
        Training patients × predictors: numbers are float64, NaN if missing; text is str, NaN if
        missing, and becomes indicators unless it has many different values.
    outcome : ndarray, (n,)
        1 cured, 0 not cured.
    config
    seed : int
        Seed of the folds on which the penalty is chosen.
    name
        Name of the model for the log; None: nothing is logged.
    patient : ndarray of int, (n,), optional
        Number of each row's patient, if patients have several rows, as in a bootstrap sample.

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
    parts = learn_design(predictors, learned.terms, config)
    design = parts(predictors)
    folds = partition.tuning_folds(outcome, config.tuning_folds, seed, patient)
    penalty = ridge.choose_penalty(design, outcome, folds)
    weights = ridge.fit(design, outcome, penalty)
    return Baseline(
        coding=learned.terms,
        imputation=parts.imputation,
        bends=parts.bends,
        indicators=parts.indicators,
        penalty=penalty,
        intercept=float(weights[0]),
        coefficients=weights[1:],
    )


@dataclass(frozen=True)
class DesignMatrix:
    """How predictors become the columns of a regression, learned without outcomes.

    Attributes
    ----------
    coding, imputation, bends, indicators
        As in `Baseline`.
    """

    coding: tuple[Term, ...]
    imputation: Normal
    bends: tuple[Bend, ...]
    indicators: Indices

    def __call__(self, predictors: pd.DataFrame) -> Array:
        """Columns (n, p) of patients × predictors."""
        values = coding.encode(predictors, self.coding)
        return _design(values, self.imputation, self.bends, self.indicators)


def most_parameters(cohort: pd.DataFrame, config: SignatureConfig) -> tuple[Model, int]:
    """Count the coefficients of every baseline, without outcomes.

    Parameters
    ----------
    cohort : DataFrame
        Rows of `COHORT`.
    config

    Returns
    -------
    model, count
        The baseline with the most coefficients, intercept not counted.
    """
    different = np.linspace(0.1, 0.9, max(len(cohort), 1))[: len(cohort)]
    probabilities = dict.fromkeys((Model.NETWORK, Model.SIGNATURE), different)
    counts = {}
    for name in BASELINES:
        columns_of = predictors(name, cohort, probabilities)
        terms = coding.learn(columns_of).terms
        counts[name] = (
            learn_design(columns_of, terms, config)(columns_of[:1]).shape[1] if terms else 0
        )
    most = max(counts, key=lambda name: counts[name])
    return most, counts[most]


def learn_design(
    predictors: pd.DataFrame, terms: tuple[Term, ...], config: SignatureConfig
) -> DesignMatrix:
    """Learn from training patients how predictors become the columns of a regression.

    Parameters
    ----------
    predictors : DataFrame
        As in `fit`.
    terms
        At least one, as `coding.learn` returns them.
    config
    """
    values = coding.encode(predictors, terms)
    normal = imputation.fit(values)
    filled = imputation.complete(values, normal)
    curved = [
        position
        for position, term in enumerate(terms)
        if config.splines and term.level is None and term.column in CURVED
    ]
    bends = splines.learn(filled, curved)
    indicated = _indicators(values) if config.missing_indicators else np.zeros(0, dtype=np.int64)
    return DesignMatrix(terms, normal, bends, indicated)


def _design(values: Array, normal: Normal, bends: tuple[Bend, ...], indicators: Indices) -> Array:
    """Terms, bends and missing indicators from terms (n, t) with missing values."""
    filled = imputation.complete(values, normal)
    missing = np.isnan(values[:, indicators]).astype(np.float64)
    return np.hstack([filled, splines.encode(filled, bends), missing])


def _indicators(values: Array) -> Indices:
    """Positions of terms whose missingness is a predictor; one of terms missing together."""
    missing = np.isnan(values)
    found: dict[bytes, int] = {}
    for position, column in enumerate(missing.T):
        if LEAST_INDICATED <= column.sum() <= len(values) - LEAST_INDICATED:
            found.setdefault(column.tobytes(), position)
    return np.array(list(found.values()), dtype=np.int64)


def _prevalence(terms: tuple[Term, ...], outcome: Array) -> Baseline:
    return Baseline(
        coding=terms,
        imputation=None,
        bends=(),
        indicators=np.zeros(0, dtype=np.int64),
        penalty=None,
        intercept=float(logit(np.clip(outcome.mean(), _EDGE, 1 - _EDGE))),
        coefficients=np.zeros(0),
    )
