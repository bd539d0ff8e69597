"""Bootstrap intervals of a sample's metrics: what is drawn, and what is computed of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from thyrocast.evaluation.sample import Sample
from thyrocast.evaluation.settings import Settings
from thyrocast.statistics import metrics, resampling
from thyrocast.statistics.inputs import Floats, NotEstimableError
from thyrocast.statistics.intervals import Interval

DECISIONS = ("sensitivity", "specificity", "ppv", "npv", "accuracy")
STRATIFIED = ("auc", *DECISIONS, "brier")
#: With fewer centers than this, drawing centers says nothing.
FEWEST_CENTERS = 5

Estimator = Callable[[], Interval]
Function = Callable[[Any], Mapping[str, Floats]]


class Plan(NamedTuple):
    """One way to draw, and the metrics that are computed of the draws."""

    name: str
    draw: Callable[[np.random.Generator], Iterator[resampling.Counts]]
    metrics: Sequence[str]


def intervals(sample: Sample, group: str, settings: Settings) -> Iterator[tuple[str, Estimator]]:
    """Metrics with a bootstrap interval, each as a function still to be called."""
    functions = _functions(sample)
    for plan in _plans(sample, group, settings):
        once = np.ones((1, sample.size), dtype=np.uint16)
        whole = metrics.replicate(functions, [once])
        replicates = metrics.replicate(functions, plan.draw(settings.random(sample, group)))
        jackknife: Mapping[str, Floats] = {}
        # Leaving out one row of several of a patient would be no jackknife.
        if settings.block["bootstrap_interval"] == "bca" and not sample.repeated:
            jackknife = metrics.replicate(functions, resampling.leave_one_out(sample.size))
        for metric in plan.metrics:
            if metric in whole:
                yield (
                    metric,
                    _interval(metric, whole, replicates, jackknife, plan.name, settings.confidence),
                )


def _plans(sample: Sample, group: str, settings: Settings) -> Iterator[Plan]:
    number = settings.resamples

    def patients(random: np.random.Generator) -> Iterator[resampling.Counts]:
        return resampling.cluster_draws(sample.patient, number, random)

    def centers(random: np.random.Generator) -> Iterator[resampling.Counts]:
        return resampling.cluster_draws(sample.center, number, random)

    def within(random: np.random.Generator) -> Iterator[resampling.Counts]:
        strata = resampling.strata(sample.outcome, sample.center)
        return resampling.draws(strata, number, random)

    if sample.repeated:
        yield Plan("bootstrap_by_patient", patients, STRATIFIED)
    else:
        yield Plan("bootstrap_stratified", within, STRATIFIED)
        if group == "pooled" and np.unique(sample.center).size >= FEWEST_CENTERS:
            yield Plan("bootstrap_by_center", centers, STRATIFIED)


def _functions(sample: Sample) -> list[Function]:
    y, p = sample.outcome, sample.probability
    area = metrics.auc(y, p)
    found: list[Function] = [lambda weights: {"auc": area(weights)}, metrics.scores(y, p)]
    if sample.decision is not None:
        found.append(metrics.decisions(y, sample.decision))
    return found


def _interval(
    metric: str,
    whole: Mapping[str, Floats],
    replicates: Mapping[str, Floats],
    jackknife: Mapping[str, Floats],
    name: str,
    confidence: float,
) -> Estimator:
    def estimate() -> Interval:
        value = float(whole[metric][0])
        if np.isnan(value):
            raise NotEstimableError("one outcome or call is missing")
        if jackknife:
            found = resampling.bca(value, replicates[metric], jackknife[metric], confidence)
            return found._replace(method=f"{name}_bca")
        found = resampling.percentile(value, replicates[metric], confidence)
        return found._replace(method=f"{name}_percentile")

    return estimate
