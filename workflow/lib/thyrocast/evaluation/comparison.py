"""Comparisons of models in the same patients."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from thyrocast.contract import io
from thyrocast.contract.evaluation import COMPARISONS
from thyrocast.contract.names import HEADS, IMAGE_MODELS, UNSEEN_CENTERS, Metric, Model, Set, Status
from thyrocast.evaluation.groups import Batch, too_small
from thyrocast.evaluation.metrics import in_parts, reference
from thyrocast.evaluation.pooled_centers import FEWEST_CENTERS
from thyrocast.evaluation.samples import Sample
from thyrocast.evaluation.settings import Settings
from thyrocast.statistics import (
    added_value,
    cross_validation,
    differences,
    discrimination,
    influence,
    multiplicity,
    pooling,
    resampling,
    utility,
    weighted,
)
from thyrocast.statistics.differences import Difference
from thyrocast.statistics.inputs import Floats, NotEstimableError


@dataclass(frozen=True)
class ModelTest:
    """A test of the difference of two models.

    Attributes
    ----------
    metric, method
        As in `COMPARISONS`.
    compare
        Returns the difference and a remark, or raises `NotEstimableError`.
    at
        Threshold probability of a net benefit.
    """

    metric: Metric
    method: str
    compare: Callable[[], tuple[Difference, str]]
    at: float | None = None


def compare(batch: Batch, settings: Settings) -> list[pd.DataFrame]:
    """Rows of `COMPARISONS`: pairs of models, in the patients predicted by both.

    Only test sets are compared. The linear heads are compared with the signature alone, whose place
    they could take. P values are adjusted over the pairs, within a metric and method; heads and
    other models are two families, so that the heads do not weaken the main comparisons.
    """
    samples = batch.pooled
    if batch.set is not Set.TEST or not samples:
        return []
    centers = {center for sample in samples for center in np.unique(sample.center)}
    found = []
    for one, other in itertools.combinations(samples, 2):
        if not _compared(one.model, other.model):
            continue
        a, b = _paired(one, other)
        # Patients predicted by both models may be fewer than those predicted by each.
        if a.size == 0 or too_small(a, settings.config.minimum_count):
            continue
        for test in _tests(a, b, settings, across_centers=batch.divided and len(centers) > 1):
            keys = {"design": a.design, "split": a.split, "set": a.set}
            models = {"model_a": a.model, "model_b": b.model}
            found.append(keys | models | _cells(test))
    return [_adjusted(io.build(COMPARISONS, found))]


def _compared(one: str, other: str) -> bool:
    """Whether two models are compared: heads with the signature, all others with each other."""
    heads = {one, other} & set(HEADS)
    return not heads or (len(heads) == 1 and Model.SIGNATURE in (one, other))


def _adjusted(found: pd.DataFrame) -> pd.DataFrame:
    """Add Holm's p values, separately for each metric, method and family of pairs."""
    known = found[found["p_value"].notna()]
    of_head = known["model_a"].isin(HEADS) | known["model_b"].isin(HEADS)
    for rows in known.groupby([known["metric"], known["method"], of_head]).groups.values():
        found.loc[rows, "p_holm"] = multiplicity.holm(found.loc[rows, "p_value"])
    return found


def _paired(a: Sample, b: Sample) -> tuple[Sample, Sample]:
    _, in_a, in_b = np.intersect1d(a.prediction, b.prediction, return_indices=True)
    return a.among(in_a), b.among(in_b)


def _cells(test: ModelTest) -> dict[str, object]:
    cells: dict[str, object] = dict.fromkeys(
        ("difference", "ci_low", "ci_high", "p_value", "p_holm")
    )
    cells |= {"metric": test.metric, "at": test.at, "method": test.method}
    try:
        found, note = test.compare()
    except NotEstimableError as reason:
        return cells | {"status": Status.NOT_ESTIMABLE, "note": str(reason)}
    return cells | {
        "difference": found.difference,
        "ci_low": found.low,
        "ci_high": found.high,
        "p_value": found.p_value,
        "status": Status.ESTIMATED,
        "note": note,
    }


def _tests(a: Sample, b: Sample, settings: Settings, across_centers: bool) -> Iterator[ModelTest]:
    """Tests of two models; the first of a metric is its headline."""
    joint = list(_joint(a, b, settings))
    centers = list(_by_center(a, b, settings)) if across_centers and not a.repeated else []
    # Tests of the joint sample ignore that centers differ.
    enough = np.unique(a.center).size >= FEWEST_CENTERS and a.design in UNSEEN_CENTERS
    yield from (*centers, *joint) if enough else (*joint, *centers)
    base, added = (b, a) if a.model in IMAGE_MODELS else (a, b)
    if not a.repeated and base.model not in IMAGE_MODELS and added.model in IMAGE_MODELS:
        # Added value of the image over clinical data or external predictions, such as a reading.
        yield ModelTest(
            Metric.LIKELIHOOD_RATIO, "likelihood_ratio_chi2_1", lambda: _added_value(base, added)
        )


def _joint(a: Sample, b: Sample, settings: Settings) -> Iterator[ModelTest]:
    """Tests of all patients as one sample."""
    y, p, q = a.outcome, a.probability, b.probability
    level, at, cluster = settings.config.confidence, reference(settings), a.cluster
    if in_parts(a):
        yield ModelTest(Metric.AUC, cross_validation.METHOD, lambda: (_in_parts(a, b, level), ""))
    if a.repeated:
        yield ModelTest(Metric.AUC, "bootstrap_by_patient", lambda: (_redrawn(a, b, settings), ""))
    else:
        yield ModelTest(
            Metric.AUC, "delong_paired", lambda: (discrimination.paired_test(y, p, q, level), "")
        )
    t_test = "t_paired_by_patient" if a.repeated else "t_paired"
    yield ModelTest(
        Metric.BRIER, t_test, lambda: (utility.brier_difference(y, p, q, level, cluster), "")
    )
    yield ModelTest(
        Metric.NET_BENEFIT,
        t_test,
        lambda: (utility.net_benefit_difference(y, p, q, at, level, cluster), ""),
        at,
    )


def _added_value(base: Sample, added: Sample) -> tuple[Difference, str]:
    y, p, center = base.outcome, base.probability, base.center
    found = added_value.likelihood_ratio(y, p, added.probability, center)
    used = added_value.informative(y, p, center)
    notes = ["own intercept and slope of each center"] if np.unique(center[used]).size > 1 else []
    if not used.all():
        notes.append(f"{int(np.sum(~used))} patients without information on it are left out")
    return found, "; ".join(notes)


def _in_parts(a: Sample, b: Sample, confidence: float) -> Difference:
    y, p, q = a.outcome, a.probability, b.probability
    if a.origin is None:
        raise NotEstimableError("the predictions are of one split")
    return cross_validation.auc_difference(y, p, q, a.origin, a.patient, confidence)


def _redrawn(a: Sample, b: Sample, settings: Settings) -> Difference:
    """Difference in AUC where patients were predicted more than once: bootstrap by patient."""
    level = settings.config.confidence
    areas = [weighted.auc(one.outcome, one.probability) for one in (a, b)]
    functions = [lambda weights: {"difference": areas[0](weights) - areas[1](weights)}]
    itself = np.ones((1, a.size), dtype=np.uint16)
    difference = float(weighted.replicate(functions, [itself])["difference"][0])
    drawn = resampling.cluster_draws(a.patient, settings.config.resamples, settings.random(a))
    found = weighted.replicate(functions, drawn)["difference"]
    interval = resampling.percentile(difference, found, level)
    variance = float(np.nanvar(found, ddof=1))
    test = differences.normal(difference, variance, level)
    return test._replace(low=interval.low, high=interval.high)


def _by_center(a: Sample, b: Sample, settings: Settings) -> Iterator[ModelTest]:
    """Random-effects means of the differences within centers, so that scales are not mixed."""
    level, at = settings.config.confidence, reference(settings)

    def area(one: Sample, other: Sample) -> tuple[float, float]:
        areas, covariance = discrimination.delong(
            one.outcome, np.stack([one.probability, other.probability])
        )
        variance = float(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])
        return float(areas[0] - areas[1]), variance

    def brier(one: Sample, other: Sample) -> tuple[float, float]:
        return _mean(utility.brier_gains(one.outcome, one.probability, other.probability))

    def net_benefit(one: Sample, other: Sample) -> tuple[float, float]:
        return _mean(utility.net_benefit_gains(one.outcome, one.probability, other.probability, at))

    for metric, within, threshold in (
        (Metric.AUC, area, None),
        (Metric.BRIER, brier, None),
        (Metric.NET_BENEFIT, net_benefit, at),
    ):
        means = metric is not Metric.AUC
        compute = functools.partial(_over_centers, a, b, within, level, means=means)
        yield ModelTest(metric, "reml_hartung_knapp_truncated", compute, threshold)


def _mean(values: Floats) -> tuple[float, float]:
    error, _ = influence.standard_error(values)
    return float(values.mean()), error**2


def _over_centers(
    a: Sample,
    b: Sample,
    within: Callable[[Sample, Sample], tuple[float, float]],
    confidence: float,
    *,
    means: bool,
) -> tuple[Difference, str]:
    """Mean over centers; `means`: the differences within centers are means over patients."""
    rows: list[tuple[float, float, int]] = []
    centers = np.unique(a.center)
    for center in centers:
        inside = a.center == center
        own = a.among(inside)
        try:
            effect, variance = within(own, b.among(inside))
        except NotEstimableError:
            continue
        # Where two models rank alike, the difference of the AUC is 0 and has no variance.
        if means or variance > 1e-12:
            rows.append((effect, variance, own.patients))
    effects, variances, sizes = ([row[place] for row in rows] for place in range(3))
    if means:
        variances = [float(value) for value in pooling.common_variance(variances, sizes)]
    found = pooling.pool(
        effects, variances, interval="hartung_knapp_truncated", confidence=confidence
    )
    difference = Difference(found.estimate, found.low, found.high, found.p_value)
    left_out = centers.size - found.k
    others = f"; {left_out} without variance or with too few patients left out" if left_out else ""
    return difference, f"mean of {found.k} centers{others}"
