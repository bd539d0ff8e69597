"""Rows of comparisons.csv: models against each other in the same patients."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from thyrocast.evaluation import groups
from thyrocast.evaluation.layout import Row, number
from thyrocast.evaluation.sample import IMAGE_MODELS, Sample
from thyrocast.evaluation.settings import Settings
from thyrocast.statistics import (
    added_value,
    discrimination,
    metrics,
    multiplicity,
    pooling,
    resampling,
    utility,
)
from thyrocast.statistics.discrimination import Difference
from thyrocast.statistics.inputs import NotEstimableError


def rows(samples: Mapping[str, Sample], settings: Settings, across_centers: bool) -> list[Row]:
    """Compare every pair of models in the patients whom both predicted.

    Parameters
    ----------
    samples : mapping of model to sample, all of one split and set
    across_centers : bool
        Add the random-effects mean of the centers' differences in AUC.

    Returns
    -------
    list of rows
        The last cell is Holm's p value over the pairs, within one metric and method.
    """
    found: list[tuple[str, Row, float | None]] = []
    for name_a, name_b in itertools.combinations(samples, 2):
        a, b = _paired(samples[name_a], samples[name_b])
        # Patients whom both predicted may be fewer than either's.
        if a.size == 0 or groups.too_small(a, settings.block["minimum_count"]):
            continue
        key = (a.design, a.split, a.set, name_a, name_b)
        for kind, compare in _tests(a, b, settings, across_centers).items():
            cells, p_value = _cells(compare)
            found.append((kind, (*key, kind.partition("/")[0], *cells), p_value))
    return _adjusted(found)


def _adjusted(found: Sequence[tuple[str, Row, float | None]]) -> list[Row]:
    """Add Holm's p value over each kind of test to its rows."""
    adjusted: dict[int, float] = {}
    for kind in {kind for kind, _, _ in found}:
        family = {i: p for i, (k, _, p) in enumerate(found) if k == kind and p is not None}
        values = multiplicity.holm(list(family.values()))
        adjusted |= {i: float(p) for i, p in zip(family, values, strict=True)}
    return [(*row, number(adjusted.get(index))) for index, (_, row, _) in enumerate(found)]


def _paired(a: Sample, b: Sample) -> tuple[Sample, Sample]:
    _, in_a, in_b = np.intersect1d(a.prediction, b.prediction, return_indices=True)
    return a.among(in_a), b.among(in_b)


def _cells(compare: Callable[[], Difference]) -> tuple[Row, float | None]:
    try:
        found = compare()
    except NotEstimableError as reason:
        return (None, None, None, None, f"not estimable: {reason}"), None
    cells = (found.difference, found.low, found.high, found.p_value)
    return (*(number(cell) for cell in cells), found.method), found.p_value


def _tests(
    a: Sample, b: Sample, settings: Settings, across_centers: bool
) -> dict[str, Callable[[], Difference]]:
    y, p, q = a.outcome, a.probability, b.probability
    level, at, cluster = settings.confidence, settings.reference, a.cluster
    found: dict[str, Callable[[], Difference]] = {
        "auc": lambda: discrimination.paired_test(y, p, q, level),
        "brier": lambda: utility.brier_difference(y, p, q, level, cluster),
        f"net_benefit@{at:g}": lambda: utility.difference(y, p, q, at, level, cluster),
    }
    if a.repeated:
        found["auc"] = lambda: _redrawn(a, b, settings)
        return found
    if across_centers:
        found["auc/centers"] = lambda: _over_centers(a, b, level)
    base, more = (b, a) if a.model in IMAGE_MODELS else (a, b)
    if base.model not in IMAGE_MODELS and more.model in IMAGE_MODELS:
        # What does the image add to what is known without it, or to somebody's reading?
        found["likelihood_ratio"] = lambda: added_value.likelihood_ratio(
            y, base.probability, more.probability
        )
    return found


def _redrawn(a: Sample, b: Sample, settings: Settings) -> Difference:
    """Difference in AUC where patients were predicted several times: drawn by patient."""
    areas = [metrics.auc(one.outcome, one.probability) for one in (a, b)]
    functions = [lambda weights: {"difference": areas[0](weights) - areas[1](weights)}]
    once = np.ones((1, a.size), dtype=np.uint16)
    difference = float(metrics.replicate(functions, [once])["difference"][0])
    drawn = resampling.cluster_draws(a.patient, settings.resamples, settings.random(a, "pooled"))
    found = metrics.replicate(functions, drawn)["difference"]
    interval = resampling.percentile(difference, found, settings.confidence)
    spread = discrimination.normal_difference(
        difference, float(np.nanvar(found, ddof=1)), settings.confidence, "bootstrap_by_patient"
    )
    return spread._replace(low=interval.low, high=interval.high)


def _over_centers(a: Sample, b: Sample, confidence: float) -> Difference:
    """Random-effects mean of the differences within centers, which no scale of a split disturbs."""
    effects, variances = [], []
    for center in np.unique(a.center):
        inside = a.center == center
        try:
            areas, covariance = discrimination.delong(
                a.outcome[inside], np.stack([a.probability[inside], b.probability[inside]])
            )
        except NotEstimableError:
            continue
        variance = float(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])
        if variance > 1e-12:
            effects.append(float(areas[0] - areas[1]))
            variances.append(variance)
    found = pooling.pool(
        np.array(effects),
        np.array(variances),
        interval="hartung_knapp_truncated",
        confidence=confidence,
    )
    name = f"reml_hartung_knapp_truncated over {found.k} centers"
    return Difference(found.estimate, found.low, found.high, found.p_value, name)
