"""Registry of what is computed from a design's predictions: one entry per metric or table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd

from thyrocast.contract.evaluation import (
    CALIBRATION,
    CALIBRATION_GROUPS,
    COMPARISONS,
    DECISION_CURVE,
    PERFORMANCE,
    ROC,
)
from thyrocast.contract.names import GroupKind, Metric
from thyrocast.contract.table import Table
from thyrocast.evaluation import (
    bootstrap,
    comparison,
    curves,
    estimates,
    metrics,
    weighted_metrics,
)
from thyrocast.evaluation.estimates import of
from thyrocast.evaluation.groups import Batch
from thyrocast.evaluation.metrics import clipped, closed
from thyrocast.evaluation.samples import Sample
from thyrocast.evaluation.settings import Settings
from thyrocast.statistics import calibration

#: Metrics in the order of `PERFORMANCE`. The first row of a metric is its headline: the interval with
#: the best coverage (benchmarks/coverage_of_intervals.py). Bootstrap intervals follow.
METRICS: tuple[estimates.Scorer, ...] = (
    metrics.auc_within_parts,
    of(Metric.AUC, metrics.auc, note=metrics.auc_note, when=metrics.predicted_once),
    metrics.decisions,
    metrics.prediction_sets,
    metrics.own_prediction_sets,
    of(Metric.BRIER, closed(calibration.brier)),
    of(Metric.SCALED_BRIER, closed(calibration.scaled_brier)),
    of(Metric.LOG_LOSS, closed(calibration.log_loss), note=clipped),
    of(Metric.OE_RATIO, closed(calibration.observed_expected), note=metrics.one_outcome),
    of(Metric.CALIBRATION_IN_THE_LARGE, closed(calibration.in_the_large), note=clipped),
    of(Metric.CALIBRATION_SLOPE, closed(calibration.slope), note=clipped),
    of(Metric.CALIBRATION_INTERCEPT, closed(calibration.intercept), note=clipped),
    of(Metric.NET_BENEFIT, metrics.net_benefit, at=metrics.reference),
    metrics.curve_errors,
    bootstrap.intervals,
    weighted_metrics.weighted_by_follow_up,
    metrics.spiegelhalter,
)


def performance(sample: Sample, settings: Settings) -> pd.DataFrame:
    """Rows of `PERFORMANCE`: all metrics of a sample."""
    found = [estimate for score in METRICS for estimate in score(sample, settings)]
    return estimates.frame(sample, found)


@dataclass(frozen=True)
class SampleScorer:
    """Computes rows of a table from one sample, for some kinds of group."""

    table: Table
    score: Callable[[Sample, Settings], pd.DataFrame]
    kinds: Sequence[GroupKind] = (GroupKind.POOLED, GroupKind.CENTER)


@dataclass(frozen=True)
class BatchScorer:
    """Computes rows of a table from all models of a split and set together."""

    table: Table
    score: Callable[[Batch, Settings], Sequence[pd.DataFrame]]


SAMPLE_SCORERS = (
    SampleScorer(PERFORMANCE, performance, tuple(GroupKind)),
    SampleScorer(ROC, curves.roc_curve),
    SampleScorer(CALIBRATION, curves.calibration),
    SampleScorer(CALIBRATION_GROUPS, curves.calibration_groups),
    SampleScorer(DECISION_CURVE, curves.decision_curve),
)
BATCH_SCORERS = (
    BatchScorer(DECISION_CURVE, curves.references),
    BatchScorer(COMPARISONS, comparison.compare),
)
