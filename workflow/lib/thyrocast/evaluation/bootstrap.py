"""Bootstrap intervals of a sample's metrics: how patients are drawn, and what is computed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy import special

from thyrocast.config.evaluation import BootstrapInterval
from thyrocast.contract.names import GroupKind, Metric
from thyrocast.evaluation.estimates import Estimate, estimated, not_estimable
from thyrocast.evaluation.metrics import DECISIONS, apparent
from thyrocast.evaluation.samples import Sample
from thyrocast.evaluation.settings import Settings
from thyrocast.statistics import discrimination, resampling, weighted
from thyrocast.statistics import intervals as closed_forms
from thyrocast.statistics.inputs import EDGE, Floats, NotEstimableError
from thyrocast.statistics.intervals import Interval

METRICS = (Metric.AUC, *DECISIONS, Metric.BRIER)
#: With fewer centers, drawing centers gives no information on their variation.
FEWEST_CENTERS = 5

Function = Callable[[Any], Mapping[str, Floats]]


class ResamplingPlan(NamedTuple):
    """A way to draw resamples, and its name in `ci_method`."""

    name: str
    draw: Callable[[np.random.Generator], Iterator[resampling.Counts]]


class Drawn(NamedTuple):
    """Metrics of the sample, of its resamples and, for BCa, without each patient in turn."""

    whole: Mapping[str, Floats]
    replicates: Mapping[str, Floats]
    jackknife: Mapping[str, Floats]


def intervals(sample: Sample, settings: Settings) -> Iterator[Estimate]:
    """Compute metrics with bootstrap intervals.

    These intervals are the headline where patients were predicted more than once. The AUC then has
    the standard error of its logit that pooling needs.
    """
    for plan in _plans(sample, settings):
        drawn = _draw(sample, settings, plan)
        bca = settings.config.bootstrap_interval is BootstrapInterval.BCA and not sample.repeated
        method = f"{plan.name}_{'bca' if bca else 'percentile'}"
        for metric in METRICS:
            if metric not in drawn.whole:
                continue
            note = apparent(sample) if metric in DECISIONS else ""
            try:
                found = _interval(metric, drawn, settings.config.confidence)
            except NotEstimableError as reason:
                yield not_estimable(metric, reason, method=method)
                continue
            found = found._replace(method=method)
            if metric is Metric.AUC and sample.repeated:
                found, note = _with_error(found, sample, settings.config.confidence)
            yield estimated(metric, found, note)


def _plans(sample: Sample, settings: Settings) -> Iterator[ResamplingPlan]:
    number = settings.config.resamples

    def patients(random: np.random.Generator) -> Iterator[resampling.Counts]:
        return resampling.cluster_draws(sample.patient, number, random)

    def centers(random: np.random.Generator) -> Iterator[resampling.Counts]:
        return resampling.cluster_draws(sample.center, number, random)

    def within(random: np.random.Generator) -> Iterator[resampling.Counts]:
        strata = resampling.strata(sample.outcome, sample.center)
        return resampling.draws(strata, number, random)

    if sample.repeated:
        yield ResamplingPlan("bootstrap_by_patient", patients)
        return
    yield ResamplingPlan("bootstrap_stratified", within)
    pooled = sample.group.kind is GroupKind.POOLED
    if pooled and np.unique(sample.center).size >= FEWEST_CENTERS:
        yield ResamplingPlan("bootstrap_by_center", centers)


def _draw(sample: Sample, settings: Settings, plan: ResamplingPlan) -> Drawn:
    functions = _functions(sample)
    itself = [np.ones((1, sample.size), dtype=np.uint16)]
    jackknife: Mapping[str, Floats] = {}
    # The jackknife must leave out patients; with several rows of a patient it would leave out rows.
    if settings.config.bootstrap_interval is BootstrapInterval.BCA and not sample.repeated:
        jackknife = weighted.replicate(functions, resampling.leave_one_out(sample.size))
    return Drawn(
        weighted.replicate(functions, itself),
        weighted.replicate(functions, plan.draw(settings.random(sample))),
        jackknife,
    )


def _functions(sample: Sample) -> Sequence[Function]:
    y, p = sample.outcome, sample.probability
    area = weighted.auc(y, p)
    found: list[Function] = [lambda weights: {"auc": area(weights)}, weighted.scores(y, p)]
    if sample.decision is not None:
        found.append(weighted.decisions(y, sample.decision))
    return found


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
