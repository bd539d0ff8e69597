"""Metrics of a sample with intervals in closed form."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from thyrocast.contract.names import Design, GroupKind, Metric, Set, Status, ThresholdRule
from thyrocast.evaluation import validity
from thyrocast.evaluation.estimates import Estimate, estimated, not_estimable
from thyrocast.evaluation.samples import Sample
from thyrocast.evaluation.settings import Settings
from thyrocast.statistics import (
    calibration,
    calibration_curve,
    conformal,
    cross_validation,
    discrimination,
    intervals,
    utility,
)
from thyrocast.statistics.inputs import EDGE, Booleans, NotEstimableError
from thyrocast.statistics.intervals import Interval

#: Remark on decisions at a threshold that was chosen on the same patients.
APPARENT = "threshold chosen on these patients"
#: So many different probabilities, or fewer, are a reader's, not a model's.
FEW_VALUES = 10
#: Metrics of decisions at a threshold.
DECISIONS = (Metric.SENSITIVITY, Metric.SPECIFICITY, Metric.PPV, Metric.NPV, Metric.ACCURACY)


def predicted_once(sample: Sample) -> bool:
    """Whether each patient was predicted once; some intervals in closed form need that."""
    return not sample.repeated


def closed(
    function: Callable[[ArrayLike, ArrayLike, float, ArrayLike | None], Interval],
) -> Callable[[Sample, Settings], Interval]:
    """Return a function that computes a statistic (with `cluster`) of a sample."""

    def compute(sample: Sample, settings: Settings) -> Interval:
        level = settings.config.confidence
        return function(sample.outcome, sample.probability, level, sample.cluster)

    return compute


def clipped(sample: Sample, _found: Interval | None = None) -> str:
    """Remark on probabilities that are clipped where a logit or logarithm is computed."""
    count = int(np.sum((sample.probability < EDGE) | (sample.probability > 1 - EDGE)))
    return f"{count} probabilities clipped to {EDGE:g} and 1 - {EDGE:g}" if count else ""


def few_values(sample: Sample, metric: Metric) -> str:
    """Remark on the interval of a calibration curve's distance where probabilities are tied.

    The simulated ones are ICI, E50 and E90. Ten patients or fewer always have few values.
    """
    count = int(np.unique(sample.probability).size)
    if count > FEW_VALUES or sample.patients <= FEW_VALUES or metric is Metric.EMAX:
        return ""
    found = validity.measured(f"{metric.value}:few_values")
    covered = "" if found is None else f"; in simulations, 95 % intervals covered {found.text}"
    return f"{count} different probabilities{covered}"


def auc(sample: Sample, settings: Settings) -> Interval:
    """AUC."""
    level = settings.config.confidence
    return discrimination.auc_interval(sample.outcome, sample.probability, level)


def in_parts(sample: Sample) -> bool:
    """Whether parts of all patients were predicted by models that share training patients."""
    if sample.origin is None or sample.group.kind is not GroupKind.POOLED:
        return False
    shared = sample.design in (Design.KFOLD, Design.HOLDOUT)
    return shared and sample.size < sample.patients * np.unique(sample.origin).size


def auc_within_parts(sample: Sample, settings: Settings) -> Iterator[Estimate]:
    """Mean AUC within parts; the AUC of the joined predictions follows."""
    if not in_parts(sample) or sample.origin is None:
        return
    y, p, level = sample.outcome, sample.probability, settings.config.confidence
    try:
        found = cross_validation.auc_within_parts(y, p, sample.origin, sample.patient, level)
    except NotEstimableError:
        return
    yield estimated(Metric.AUC, found, auc_note(sample, found))


def auc_note(sample: Sample, found: Interval) -> str:
    """Remark on an AUC that has no variance, and on models without signal in the training set."""
    parts = (no_signal(sample), _parts(sample, found), _no_variance(sample, found))
    return "; ".join(part for part in parts if part)


def no_signal(sample: Sample) -> str:
    """Remark on a model that does not rank its training patients better than chance."""
    silent, splits = sample.signals.count(False), len(sample.signals)
    if not silent:
        return ""
    where = f"s of {silent} of {splits} splits" if splits > 1 else ""
    return f"no signal in the training set{where}: the prevalence is as good a prediction"


def _parts(sample: Sample, found: Interval) -> str:
    """Remark on what an AUC of cross-validation is of: some of the parts, or joined predictions."""
    if sample.origin is None or not in_parts(sample):
        return ""
    if found.method != cross_validation.METHOD:
        return "joined predictions of several models, whose scales may differ"
    names = np.unique(sample.origin)
    both = [np.unique(sample.outcome[sample.origin == name]).size == 2 for name in names]
    if all(both):
        return ""
    return f"mean of {sum(both)} of {names.size} parts: the others have one outcome only"


def _no_variance(sample: Sample, found: Interval) -> str:
    if found.method == cross_validation.METHOD and found.std_error is None:
        return "the same AUC in all parts, so that their variance is 0: Newcombe's interval"
    # Few patients alone are no reason for a remark.
    few = min(sample.events, sample.patients - sample.events) < discrimination.FEWEST
    if found.method in ("delong_logit", cross_validation.METHOD) or (
        few and 0 < found.estimate < 1
    ):
        return ""
    return "AUC without a DeLong variance"


def one_outcome(_sample: Sample, found: Interval) -> str:
    """Remark on observed/expected with Wilson's interval."""
    return "nobody or everybody cured" if found.method == "wilson" else ""


def net_benefit(sample: Sample, settings: Settings) -> Interval:
    """Net benefit at the reference threshold of the config."""
    y, p, level = sample.outcome, sample.probability, settings.config.confidence
    return utility.net_benefit(y, p, reference(settings), level, sample.cluster)


def reference(settings: Settings) -> float:
    """Threshold probability at which net benefit is compared."""
    return settings.config.decision.reference


def apparent(sample: Sample) -> str:
    """Remark on decisions at a threshold that was chosen on the same patients."""
    return APPARENT if sample.apparent else ""


def decisions(sample: Sample, settings: Settings) -> Iterator[Estimate]:
    """Sensitivity, specificity, predictive values and accuracy at the thresholds of the split."""
    if sample.repeated:
        return
    rule = settings.config.threshold.rule
    rows: Iterator[Estimate]
    if sample.decision is None:
        reason = "no threshold could be chosen on the training set"
        rows = (not_estimable(metric, reason) for metric in DECISIONS)
    else:
        rows = _decisions(sample, sample.decision, settings, apparent(sample))
    yield from (replace(row, rule=rule) for row in rows)
    if sample.youden is not None:
        note = APPARENT if sample.set is Set.TRAIN else ""
        rows = _decisions(sample, sample.youden, settings, note)
        yield from (replace(row, rule=ThresholdRule.YOUDEN) for row in rows)


def _decisions(
    sample: Sample, called: Booleans, settings: Settings, note: str
) -> Iterator[Estimate]:
    y = sample.outcome
    shares = (
        (called, y),
        (~called, ~y),
        (y, called),
        (~y, ~called),
        (called == y, np.ones_like(y)),
    )
    for metric, (right, among) in zip(DECISIONS, shares, strict=True):
        yield _share(metric, right, among, settings, note)


def _share(
    metric: Metric, right: Booleans, among: Booleans, settings: Settings, note: str = ""
) -> Estimate:
    """Share of the patients in `among`, (n,), who are also in `right`, (n,)."""
    level = settings.config.confidence
    try:
        found = intervals.wilson(int((right & among).sum()), int(among.sum()), level)
    except NotEstimableError as reason:
        return not_estimable(metric, reason)
    return estimated(metric, found, note)


def prediction_sets(sample: Sample, settings: Settings) -> Iterator[Estimate]:
    """Coverage of the conformal prediction sets, and the patients without a decision."""
    if sample.repeated or sample.possible is None:
        return
    y, possible = sample.outcome, sample.possible
    everybody = np.ones_like(y)
    covered = np.where(y, possible[:, 1], possible[:, 0])
    decided = possible.sum(axis=1) == 1
    yield _share(Metric.SET_COVERAGE, covered, everybody, settings)
    yield _share(Metric.SET_COVERAGE_CURED, covered, y, settings)
    yield _share(Metric.SET_COVERAGE_NOT_CURED, covered, ~y, settings)
    yield _share(Metric.SET_ABSTENTION, ~decided, everybody, settings)
    yield _share(Metric.SET_ACCURACY, covered, decided, settings)


def own_prediction_sets(sample: Sample, settings: Settings) -> Iterator[Estimate]:
    """Coverage, and patients without a decision, if a center calibrates the sets itself."""
    if sample.repeated or sample.group.kind is not GroupKind.CENTER:
        return
    y = sample.outcome
    p_values = conformal.leave_one_out(y, sample.probability)
    possible = conformal.sets(p_values, settings.config.prediction_sets.error)
    covered = np.where(y, possible[:, 1], possible[:, 0])
    decided = possible.sum(axis=1) == 1
    everybody = np.ones_like(y)
    yield _share(Metric.SET_COVERAGE_OWN_CENTER, covered, everybody, settings)
    yield _share(Metric.SET_ABSTENTION_OWN_CENTER, ~decided, everybody, settings)


def curve_errors(sample: Sample, settings: Settings) -> Iterator[Estimate]:
    """Distances of the calibration curve from the ideal, all from the same drawn curves."""
    metrics = (Metric.ICI, Metric.E50, Metric.E90, Metric.EMAX)
    try:
        found = calibration_curve.error_intervals(
            sample.outcome,
            sample.probability,
            settings.random(sample),
            settings.config.resamples,
            settings.config.confidence,
            sample.cluster,
        )
    except NotEstimableError as reason:
        yield from (not_estimable(metric, reason) for metric in metrics)
        return
    for metric in metrics:
        notes = filter(None, (clipped(sample), few_values(sample, metric)))
        yield estimated(metric, found[metric], "; ".join(notes))


def spiegelhalter(sample: Sample, _settings: Settings) -> Iterator[Estimate]:
    """Spiegelhalter's test of calibration: statistic and p value, without intervals."""
    if sample.repeated:
        return
    metrics = (Metric.SPIEGELHALTER_Z, Metric.SPIEGELHALTER_P)
    try:
        values = calibration.spiegelhalter(sample.outcome, sample.probability)
    except NotEstimableError as reason:
        yield from (not_estimable(metric, reason) for metric in metrics)
        return
    for metric, value in zip(metrics, values, strict=True):
        yield Estimate(metric, Status.ESTIMATED, estimate=value)
