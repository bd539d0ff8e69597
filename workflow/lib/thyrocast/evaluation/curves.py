"""Rows of roc.csv, calibration.csv, calibration_groups.csv and decision_curve.csv."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import numpy as np

from thyrocast.evaluation.layout import Row, number
from thyrocast.evaluation.sample import Sample
from thyrocast.evaluation.settings import Settings
from thyrocast.statistics import calibration_curve, resampling, roc, utility
from thyrocast.statistics.inputs import Floats, NotEstimableError

REFERENCES = ("treat_all", "treat_none")


def _key(sample: Sample, group: str) -> tuple[str, ...]:
    return (sample.design, sample.split, sample.model, sample.set, group)


def roc_rows(sample: Sample, group: str, settings: Settings) -> Iterator[Row]:
    """Corners of the ROC curve with the bootstrap band of the sensitivity; none with one outcome."""
    try:
        curve = roc.corners(sample.outcome, sample.probability)
    except NotEstimableError:
        return
    random, resamples = settings.random(sample, group), settings.resamples
    if sample.repeated:
        drawn = resampling.cluster_draws(sample.patient, resamples, random)
    else:
        drawn = resampling.draws(resampling.strata(sample.outcome), resamples, random)
    band: tuple[Floats, Floats] | None = None
    with contextlib.suppress(NotEstimableError):
        band = roc.band(sample.outcome, sample.probability, curve.fpr, drawn, settings.confidence)
    for index, point in enumerate(zip(curve.fpr, curve.tpr, strict=True)):
        ends = (None, None) if band is None else (band[0][index], band[1][index])
        yield (*_key(sample, group), *(number(v) for v in (*point, *ends)))


def calibration_rows(sample: Sample, group: str, settings: Settings) -> Iterator[Row]:
    """Smooth calibration curve; none where it cannot be estimated."""
    try:
        curve = calibration_curve.spline_curve(
            sample.outcome, sample.probability, settings.confidence, cluster=sample.cluster
        )
    except NotEstimableError:
        return
    for values in zip(*curve, strict=True):
        yield (*_key(sample, group), *(number(v) for v in values))


def calibration_group_rows(sample: Sample, group: str, settings: Settings) -> Iterator[Row]:
    """Make rows of grouped calibration; groups have at least the smallest number of patients reported."""
    fewest = int(settings.block["minimum_count"]["patients"])
    count = min(int(settings.block["calibration_groups"]), max(1, sample.size // fewest))
    found = calibration_curve.groups(
        sample.outcome, sample.probability, count, settings.confidence, fewest
    )
    for index, part in enumerate(found, start=1):
        # Wilson's interval counts patients; it has nothing to say of several rows of one.
        limits = (None, None) if sample.repeated else part.observed[1:3]
        values = (part.predicted, part.observed.estimate, *limits)
        yield (*_key(sample, group), index, *(number(v) for v in values), part.n)


def thresholds(settings: Settings) -> Floats:
    """Threshold probabilities of the decision curve, the clinical range among them."""
    block = settings.block["decision"]
    low = min(block["range"][0], block["clinical"][0])
    high = max(block["range"][1], block["clinical"][1])
    count = round((high - low) / block["step"]) + 1
    # Rounded, so that 0.3 is 0.3 and equals a probability of 0.3.
    return np.asarray(np.round(np.linspace(low, high, count), 6), dtype=np.float64)


def decision_rows(sample: Sample, group: str, settings: Settings) -> Iterator[Row]:
    """Decision curve of a model."""
    yield from _decision(sample, group, settings, sample.probability, sample.model)


def reference_rows(sample: Sample, group: str, settings: Settings) -> Iterator[Row]:
    """Decision curves of treating all and none of the same patients."""
    yield from _decision(sample, group, settings, np.ones(sample.size), REFERENCES[0])
    yield from _decision(sample, group, settings, np.zeros(sample.size), REFERENCES[1])


def _decision(
    sample: Sample, group: str, settings: Settings, probability: Floats, model: str
) -> Iterator[Row]:
    try:
        curve = utility.net_benefit(
            sample.outcome, probability, thresholds(settings), settings.confidence, sample.cluster
        )
    except NotEstimableError:
        return
    if settings.block["decision"]["smooth"] and model not in REFERENCES:
        # Too few thresholds are left as they are.
        with contextlib.suppress(NotEstimableError):
            curve = utility.smooth(curve)
    key = (sample.design, sample.split, model, sample.set, group)
    for values in zip(*curve, strict=True):
        yield (*key, *(number(v) for v in values))
