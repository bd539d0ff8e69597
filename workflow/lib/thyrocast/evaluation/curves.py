"""Curves of a sample: ROC, calibration and decision curve, each as rows of its table."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thyrocast.contract.evaluation import CALIBRATION, DECISION_CURVE, ROC
from thyrocast.contract.names import GroupKind, Strategy
from thyrocast.contract.table import Table
from thyrocast.evaluation import bootstrap
from thyrocast.evaluation.groups import Batch
from thyrocast.evaluation.samples import Sample
from thyrocast.evaluation.settings import Settings
from thyrocast.statistics import calibration_curve, compression, resampling, roc, utility
from thyrocast.statistics.inputs import Floats, NotEstimableError

#: Most false positive rates at which the ROC band is computed.
MOST_RATES = 100


def _none(table: Table) -> pd.DataFrame:
    return pd.DataFrame(columns=list(table.names))


def roc_curve(sample: Sample, settings: Settings) -> pd.DataFrame:
    """Rows of `ROC`: corners with the bootstrap band of the sensitivity; none with one outcome."""
    y, p = sample.outcome, sample.probability
    try:
        curve = roc.corners(y, p)
    except NotEstimableError:
        return _none(ROC)
    low = high = np.full(curve.fpr.size, np.nan)
    with contextlib.suppress(NotEstimableError):
        low, high = _roc_band(sample, curve.fpr, settings)
    columns = {"fpr": curve.fpr, "tpr": curve.tpr, "tpr_low": low, "tpr_high": high}
    return pd.DataFrame(sample.keys() | columns)


def _roc_band(sample: Sample, fpr: Floats, settings: Settings) -> tuple[Floats, Floats]:
    """Band at false positive rates, (m,); of many rates it is computed at some and interpolated."""
    y, p = sample.outcome, sample.probability
    random, resamples = settings.random(sample), settings.config.resamples
    level = settings.config.confidence
    rates = np.unique(fpr)
    if rates.size > MOST_RATES:
        rates = rates[np.linspace(0, rates.size - 1, MOST_RATES).round().astype(np.intp)]
    drawn: Iterator[NDArray[Any]]
    if sample.repeated:
        drawn = resampling.cluster_draws(sample.patient, resamples, random)
    elif sample.size > bootstrap.LARGE:
        first, p, count = compression.compress(p, y, bins=2 * MOST_RATES)
        y = y[first]
        drawn = compression.draws(y, count, resamples, random)
    else:
        drawn = resampling.draws(resampling.strata(y), resamples, random)
    low, high = roc.band(y, p, rates, drawn, level)
    return np.interp(fpr, rates, low), np.interp(fpr, rates, high)


def calibration(sample: Sample, settings: Settings) -> pd.DataFrame:
    """Rows of `CALIBRATION`: the smooth curve; none if it cannot be estimated."""
    try:
        curve = calibration_curve.spline_curve(
            sample.outcome,
            sample.probability,
            settings.config.confidence,
            cluster=sample.cluster,
        )
    except NotEstimableError:
        return _none(CALIBRATION)
    columns = {
        "predicted": curve.predicted,
        "observed": curve.observed,
        "ci_low": curve.low,
        "ci_high": curve.high,
    }
    return pd.DataFrame(sample.keys() | columns)


def calibration_groups(sample: Sample, settings: Settings) -> pd.DataFrame:
    """Rows of `CALIBRATION_GROUPS`; no group is smaller than the smallest that is reported."""
    fewest = settings.config.minimum_count.patients
    count = min(settings.config.calibration_groups, max(1, sample.size // fewest))
    found = calibration_curve.groups(
        sample.outcome, sample.probability, count, settings.config.confidence, fewest
    )
    # Wilson's interval needs independent patients.
    known = not sample.repeated
    columns = {
        "bin": range(1, len(found) + 1),
        "predicted": [group.predicted for group in found],
        "observed": [group.observed.estimate for group in found],
        "ci_low": [group.observed.low if known else np.nan for group in found],
        "ci_high": [group.observed.high if known else np.nan for group in found],
        "n": [group.n for group in found],
    }
    return pd.DataFrame(sample.keys() | columns)


def thresholds(settings: Settings) -> Floats:
    """Threshold probabilities of the decision curve, (m,); they include the clinical range."""
    block = settings.config.decision
    low = min(block.range[0], block.clinical[0])
    high = max(block.range[1], block.clinical[1])
    count = round((high - low) / block.step) + 1
    # Rounded, so that a threshold of 0.3 equals a probability of 0.3.
    return np.asarray(np.round(np.linspace(low, high, count), 6), dtype=np.float64)


def decision_curve(sample: Sample, settings: Settings) -> pd.DataFrame:
    """Rows of `DECISION_CURVE` of a model."""
    return _decision(sample, settings, sample.probability, sample.model)


def references(batch: Batch, settings: Settings) -> list[pd.DataFrame]:
    """Rows of `DECISION_CURVE` for treating everybody and nobody, of all patients and by center.

    They are computed for the patients of the model that predicted the most patients.
    """
    if not batch.pooled:
        return []
    largest = max(batch.pooled, key=lambda sample: sample.size)
    return [
        _decision(sample, settings, np.full(sample.size, treated), strategy)
        for sample in batch.reported
        if sample.model == largest.model and sample.group.kind is not GroupKind.SUBGROUP
        for strategy, treated in ((Strategy.TREAT_ALL, 1.0), (Strategy.TREAT_NONE, 0.0))
    ]


def _decision(sample: Sample, settings: Settings, probability: Floats, model: str) -> pd.DataFrame:
    level = settings.config.confidence
    try:
        curve = utility.decision_curve(
            sample.outcome, probability, thresholds(settings), level, sample.cluster
        )
    except NotEstimableError:
        return _none(DECISION_CURVE)
    if settings.config.decision.smooth and model not in tuple(Strategy):
        # With too few thresholds the curve is not smoothed.
        with contextlib.suppress(NotEstimableError):
            curve = utility.smooth(curve)
    columns = {
        "threshold": curve.threshold,
        "net_benefit": curve.net_benefit,
        "ci_low": curve.low,
        "ci_high": curve.high,
        "interventions_avoided": curve.avoided,
        "avoided_low": curve.avoided_low,
        "avoided_high": curve.avoided_high,
    }
    return pd.DataFrame(sample.keys() | {"model": model} | columns)
