"""Bootstrap intervals of a sample's metrics: how patients are drawn, and what is computed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

from thyrocast.config.evaluation import BootstrapInterval
from thyrocast.contract.names import GroupKind, Metric
from thyrocast.evaluation.estimates import Estimate, estimated, not_estimable
from thyrocast.evaluation.metrics import DECISIONS, apparent
from thyrocast.evaluation.samples import Sample
from thyrocast.evaluation.settings import Settings
from thyrocast.statistics import compression, discrimination, resampling, weighted
from thyrocast.statistics import intervals as closed_forms
from thyrocast.statistics.inputs import EDGE, Floats, NotEstimableError
from thyrocast.statistics.intervals import Interval

METRICS = (Metric.AUC, *DECISIONS, Metric.BRIER)
#: Metrics that do not depend on the prevalence, which is the same in every resample within outcomes. The
#: others would cover 70-95 %.
WITHIN_OUTCOMES = (Metric.AUC, Metric.SENSITIVITY, Metric.SPECIFICITY)
#: With fewer centers, drawing centers gives no information on their variation.
FEWEST_CENTERS = 5
#: Predictions from which patients with similar scores are drawn together.
LARGE = 2_000

Function = Callable[[Any], Mapping[str, Floats]]


class ResamplingPlan(NamedTuple):
    """A way to draw resamples.

    Attributes
    ----------
    name
        Its name in `ci_method`.
    metrics
        Metrics that get an interval.
    functions
        Functions from the weights of a resample to metrics.
    whole
        Weights that represent the sample itself, (1, units).
    draw
        Yields the weights of resamples, (b, units).
    jackknife
        Yields the weights without each unit in turn; None for percentile intervals.
    """

    name: str
    metrics: Sequence[Metric]
    functions: Sequence[Function]
    whole: NDArray[Any]
    draw: Callable[[np.random.Generator], Iterator[NDArray[Any]]]
    jackknife: Callable[[], Iterator[NDArray[Any]]] | None = None


class Drawn(NamedTuple):
    """Metrics of the sample, of its resamples and, for BCa, without each unit in turn."""

    whole: Mapping[str, Floats]
    replicates: Mapping[str, Floats]
    jackknife: Mapping[str, Floats]


def intervals(sample: Sample, settings: Settings) -> Iterator[Estimate]:
    """Compute metrics with bootstrap intervals.

    These intervals are the headline where patients were predicted more than once. The AUC then has
    the standard error of its logit that pooling needs.
    """
    for plan in _plans(sample, settings):
        drawn = _draw(plan, settings.random(sample))
        method = f"{plan.name}_{'bca' if plan.jackknife else 'percentile'}"
        for metric in plan.metrics:
            if metric not in drawn.whole:
                continue
            decided = metric in DECISIONS
            note = apparent(sample) if decided else ""
            rule = settings.config.threshold.rule if decided else ""
            try:
                found = _interval(metric, drawn, settings.config.confidence)
            except NotEstimableError as reason:
                yield replace(not_estimable(metric, reason, method=method), rule=rule)
                continue
            found = found._replace(method=method)
            if metric is Metric.AUC and sample.repeated:
                found, note = _with_error(found, sample, settings.config.confidence)
            yield replace(estimated(metric, found, note), rule=rule)


def _plans(sample: Sample, settings: Settings) -> Iterator[ResamplingPlan]:
    if sample.repeated:
        yield _by_patient(sample, settings)
        return
    yield _within(sample, settings)
    pooled = sample.group.kind is GroupKind.POOLED
    if pooled and np.unique(sample.center).size >= FEWEST_CENTERS:
        yield _by_center(sample, settings)


def _by_patient(sample: Sample, settings: Settings) -> ResamplingPlan:
    y, p, number = sample.outcome, sample.probability, settings.config.resamples
    area = weighted.auc(y, p)
    functions: list[Function] = [lambda weights: {"auc": area(weights)}, weighted.scores(y, p)]
    if sample.decision is not None:
        functions.append(weighted.decisions(y, sample.decision))
    itself = np.ones((1, sample.size), dtype=np.uint16)

    def draw(random: np.random.Generator) -> Iterator[NDArray[Any]]:
        return resampling.cluster_draws(sample.patient, number, random)

    return ResamplingPlan("bootstrap_by_patient", METRICS, functions, itself, draw)


def _within(sample: Sample, settings: Settings) -> ResamplingPlan:
    """Patients are drawn within outcomes and centers; many patients by kinds of similar ones."""
    number = settings.config.resamples
    stratum = resampling.strata(sample.outcome, sample.center)
    score, decision = sample.probability, sample.decision
    called = np.zeros(sample.size, dtype=np.bool_) if decision is None else decision
    first, count = np.arange(sample.size), np.ones(sample.size, dtype=np.int64)
    if sample.size > LARGE:
        first, score, count = compression.compress(score, stratum, called)
    y = sample.outcome[first]
    area = weighted.auc(y, score)
    # Scores of a kind are tied, which moves its AUC.
    moved = 0.0
    if sample.size > LARGE and 0 < sample.events < sample.size:
        exact = discrimination.auc(sample.outcome, sample.probability)
        moved = exact - float(area(count[None])[0])
    functions: list[Function] = [lambda weights: {"auc": area(weights) + moved}]
    if decision is not None:
        functions.append(weighted.decisions(y, called[first]))

    def draw(random: np.random.Generator) -> Iterator[NDArray[Any]]:
        if sample.size > LARGE:
            return compression.draws(stratum[first], count, number, random)
        return resampling.draws(stratum, number, random)

    def leave_one_out() -> Iterator[NDArray[Any]]:
        for block in resampling.leave_one_out(count.size):
            # A patient less of one kind.
            yield count - 1 + block.astype(np.int64)

    bca = settings.config.bootstrap_interval is BootstrapInterval.BCA
    return ResamplingPlan(
        "bootstrap_stratified",
        WITHIN_OUTCOMES,
        functions,
        count[None],
        draw,
        leave_one_out if bca else None,
    )


def _by_center(sample: Sample, settings: Settings) -> ResamplingPlan:
    y, p, number = sample.outcome, sample.probability, settings.config.resamples
    center = resampling.strata(sample.center)
    area = weighted.auc_of_clusters(y, p, center)
    functions: list[Function] = [
        lambda weights: {"auc": area(weights)},
        weighted.scores(y, p, center),
    ]
    if sample.decision is not None:
        functions.append(weighted.decisions(y, sample.decision, center))
    centers = int(center.max()) + 1

    def draw(random: np.random.Generator) -> Iterator[NDArray[Any]]:
        return resampling.cluster_draws(np.arange(centers), number, random)

    itself = np.ones((1, centers), dtype=np.uint16)
    return ResamplingPlan("bootstrap_by_center", METRICS, functions, itself, draw)


def _draw(plan: ResamplingPlan, random: np.random.Generator) -> Drawn:
    return Drawn(
        weighted.replicate(plan.functions, [plan.whole]),
        weighted.replicate(plan.functions, plan.draw(random)),
        {} if plan.jackknife is None else weighted.replicate(plan.functions, plan.jackknife()),
    )


def _interval(metric: Metric, drawn: Drawn, confidence: float) -> Interval:
    value = float(drawn.whole[metric][0])
    if np.isnan(value):
        raise NotEstimableError("all patients have the same outcome or decision")
    if drawn.jackknife:
        return resampling.bca(value, drawn.replicates[metric], drawn.jackknife[metric], confidence)
    return resampling.percentile(value, drawn.replicates[metric], confidence)


def _with_error(found: Interval, sample: Sample, confidence: float) -> tuple[Interval, str]:
    """Add the standard error of the logit AUC of repeated predictions; remark on its source."""
    if not 0 < found.estimate < 1:
        cured = sample.events
        error = discrimination.score_error(found.estimate, cured, sample.patients - cured)
        return found._replace(std_error=error, scale="logit"), "AUC without a DeLong variance"
    low, high = (float(special.logit(min(max(end, EDGE), 1 - EDGE))) for end in found[1:3])
    error = (high - low) / (2 * closed_forms.normal_quantile(confidence))
    return found._replace(std_error=error, scale="logit"), "standard error from the bootstrap"
