"""Metrics weighted by the inverse probability of follow-up."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from thyrocast.contract.names import Metric, Set
from thyrocast.evaluation.estimates import Estimate, estimated, not_estimable
from thyrocast.evaluation.samples import Sample
from thyrocast.evaluation.settings import Settings
from thyrocast.statistics import follow_up, resampling, weighted
from thyrocast.statistics.inputs import Floats, NotEstimableError
from thyrocast.statistics.intervals import Interval

#: Metrics that are computed with weights, and the kind of their interval.
METRICS = (Metric.AUC, Metric.BRIER, Metric.CALIBRATION_IN_THE_LARGE)
METHOD = "bootstrap_follow_up_weighted"
# Resamples that are computed at once, for memory.
_BLOCK = 200


def weighted_by_follow_up(sample: Sample, settings: Settings) -> Iterator[Estimate]:
    """Compute metrics of a test set in which patients also stand for those without an outcome."""
    weights = settings.follow_up
    if weights is None or sample.set is not Set.TEST:
        return
    places = np.array([weights.position[one] for one in sample.patient])
    weight = weights.weight[places]
    size = follow_up.effective_size(weight)
    note = f"inverse-probability-of-follow-up weights, effective sample size {size:.0f}"
    y, p = sample.outcome, sample.probability
    area = weighted.auc(y, p)
    large = weighted.in_the_large(y, p)
    scores = weighted.scores(y, p)

    def metrics(block: NDArray[np.generic]) -> dict[str, Floats]:
        return {
            Metric.AUC: area(block),
            Metric.BRIER: scores(block)["brier"],
            Metric.CALIBRATION_IN_THE_LARGE: large(block),
        }

    value = metrics(weight[None])
    blocks = (
        weights.drawn[start : start + _BLOCK, places].astype(np.float64)
        for start in range(0, len(weights.drawn), _BLOCK)
    )
    replicates = weighted.replicate([metrics], blocks)
    for metric in METRICS:
        estimate = float(value[metric][0])
        try:
            if np.isnan(estimate):
                raise NotEstimableError("all patients have the same outcome")
            found = resampling.percentile(estimate, replicates[metric], settings.config.confidence)
        except NotEstimableError as reason:
            yield not_estimable(metric, reason, method=METHOD)
            continue
        yield estimated(metric, Interval(*found[:3], METHOD), note)
