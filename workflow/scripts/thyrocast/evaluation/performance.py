"""Rows of performance.csv: every metric of a sample, each with the intervals that suit it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from thyrocast.evaluation.layout import Row, number
from thyrocast.evaluation.sample import Sample
from thyrocast.statistics import (
    calibration,
    discrimination,
    intervals,
    metrics,
    resampling,
    utility,
)
from thyrocast.statistics.inputs import EDGE, Floats, NotEstimableError
from thyrocast.statistics.intervals import Interval
from thyrocast.tables import seed as named_seed

DECISIONS = ("sensitivity", "specificity", "ppv", "npv", "accuracy")
STRATIFIED = ("auc", *DECISIONS, "brier")
CURVE_ERRORS = ("ici", "e50", "e90", "emax")

Estimator = Callable[[], Interval]


@dataclass(frozen=True)
class Settings:
    """The evaluation block of the config and the study's seed."""

    block: Mapping[str, Any]
    seed: int

    @property
    def confidence(self) -> float:
        """Confidence level of all intervals."""
        return float(self.block["confidence"])

    @property
    def resamples(self) -> int:
        """Bootstrap resamples."""
        return int(self.block["resamples"])

    @property
    def reference(self) -> float:
        """Threshold probability at which net benefit is compared."""
        return float(self.block["decision"]["reference"])

    def random(self, sample: Sample, group: str) -> np.random.Generator:
        """Random numbers of a group of patients: the same for every model, so models are paired."""
        names = (sample.design, sample.split, sample.set, group, "bootstrap")
        return np.random.default_rng(named_seed(self.seed, *names))


def rows(sample: Sample, group: str, settings: Settings) -> Iterator[Row]:
    """Rows of one sample.

    The first row of a metric is its headline, with the interval whose coverage is best
    (``benchmarks/coverage.py``); a second one has the stratified bootstrap. What cannot be
    estimated has empty cells and the reason as its method.
    """
    key = (sample.design, sample.split, sample.model, sample.set, group)
    tail = (sample.size, sample.events)
    note = _note(sample)
    for metric, estimator in _estimators(sample, settings).items():
        yield (*key, metric, *_cells(estimator, note.get(metric, "")), *tail)
    for metric, interval in _bootstraps(sample, group, settings):
        yield (*key, metric, *_cells(interval, note.get(metric, "")), *tail)


def _cells(estimator: Estimator, note: str) -> tuple[object, ...]:
    try:
        found = estimator()
    except NotEstimableError as reason:
        return (None, None, None, f"not estimable: {reason}")
    return (number(found.estimate), number(found.low), number(found.high), found.method + note)


def _note(sample: Sample) -> dict[str, str]:
    """Remarks that a reader of a number must see beside it."""
    notes = (
        dict.fromkeys(DECISIONS, "; threshold chosen on these patients") if sample.apparent else {}
    )
    held = int(np.sum((sample.probability < EDGE) | (sample.probability > 1 - EDGE)))
    if held:
        remark = f"; {held} probabilities held {EDGE:g} off 0 and 1"
        logits = (
            "calibration_in_the_large",
            "calibration_intercept",
            "calibration_slope",
            "log_loss",
        )
        notes.update(dict.fromkeys((*logits, *CURVE_ERRORS), remark))
    return notes


def _estimators(sample: Sample, settings: Settings) -> dict[str, Estimator]:
    """Metrics with an interval in closed form, each as a function still to be called."""
    if sample.repeated:
        # Predictions of one patient in several repeats aren't independent: bootstrap alone.
        return {}
    y, p, level = sample.outcome, sample.probability, settings.confidence
    found: dict[str, Estimator] = {"auc": lambda: discrimination.auc_interval(y, p, level)}
    found |= {name: _proportion(sample, name, level) for name in DECISIONS}
    found |= {
        "brier": lambda: calibration.brier(y, p, level),
        "scaled_brier": lambda: calibration.scaled_brier(y, p, level),
        "log_loss": lambda: calibration.log_loss(y, p, level),
        "calibration_in_the_large": lambda: calibration.in_the_large(y, p, level),
        "calibration_slope": lambda: calibration.slope(y, p, level),
        "calibration_intercept": lambda: calibration.intercept(y, p, level),
        "oe_ratio": lambda: calibration.observed_expected(y, p, level),
        f"net_benefit@{settings.reference:g}": lambda: _net_benefit(sample, settings),
    }
    return found


def _proportion(sample: Sample, name: str, confidence: float) -> Estimator:
    y, called = sample.outcome, sample.decision

    def estimate() -> Interval:
        if called is None:
            raise NotEstimableError("no threshold could be chosen on the training set")
        right, among = {
            "sensitivity": (called & y, y),
            "specificity": (~called & ~y, ~y),
            "ppv": (called & y, called),
            "npv": (~called & ~y, ~called),
            "accuracy": (called == y, np.ones_like(y)),
        }[name]
        return intervals.wilson(int(right.sum()), int(among.sum()), confidence)

    return estimate


def _net_benefit(sample: Sample, settings: Settings) -> Interval:
    curve = utility.net_benefit(
        sample.outcome, sample.probability, settings.reference, settings.confidence
    )
    value, low, high = (float(part[0]) for part in (curve.net_benefit, curve.low, curve.high))
    return Interval(value, low, high, "t")


def _bootstraps(sample: Sample, group: str, settings: Settings) -> Iterator[tuple[str, Estimator]]:
    stratum = resampling.strata(sample.outcome, sample.center)
    yield from _bootstrap(sample, group, settings, stratum, "bootstrap_stratified", STRATIFIED)
    if not sample.repeated and not group.startswith("subgroup:"):
        # Drawn without strata: their distribution depends on prevalence, which is random too.
        together = np.zeros(sample.size, dtype=np.intp)
        yield from _bootstrap(sample, group, settings, together, "bootstrap", CURVE_ERRORS)


def _bootstrap(
    sample: Sample,
    group: str,
    settings: Settings,
    stratum: np.ndarray[Any, Any],
    name: str,
    wanted: tuple[str, ...],
) -> Iterator[tuple[str, Estimator]]:
    try:
        functions = _functions(sample, wanted)
    except NotEstimableError as reason:
        message = str(reason)
        for metric in wanted:
            yield metric, _refusal(message)
        return
    random = settings.random(sample, group)
    whole = metrics.replicate(functions, [np.ones((1, sample.size), dtype=np.uint16)])
    if sample.repeated:
        drawn = _by_patient(sample, settings.resamples, random)
        name = "bootstrap_by_patient"
    else:
        drawn = resampling.draws(stratum, settings.resamples, random)
    replicates = metrics.replicate(functions, drawn)
    jackknife: Mapping[str, Floats] = {}
    if settings.block["bootstrap_interval"] == "bca":
        jackknife = metrics.replicate(functions, resampling.leave_one_out(sample.size))
    for metric in wanted:
        if metric in whole:
            yield metric, _interval(metric, whole, replicates, jackknife, name, settings.confidence)


def _functions(
    sample: Sample, wanted: tuple[str, ...]
) -> list[Callable[[Any], Mapping[str, Floats]]]:
    y, p = sample.outcome, sample.probability
    if "ici" in wanted:
        return [metrics.calibration_errors(y, p, calibration.error_basis(y, p))]
    area = metrics.auc(y, p)
    found: list[Callable[[Any], Mapping[str, Floats]]] = [
        lambda weights: {"auc": area(weights)},
        metrics.scores(y, p),
    ]
    if sample.decision is not None:
        found.append(metrics.decisions(y, sample.decision))
    return found


def _by_patient(
    sample: Sample, resamples: int, random: np.random.Generator
) -> Iterator[resampling.Counts]:
    """Draw patients within outcomes, each with all predictions made of them."""
    _, first, code = np.unique(sample.patient, return_index=True, return_inverse=True)
    stratum = resampling.strata(sample.outcome[first], sample.center[first])
    for counts in resampling.draws(stratum, resamples, random):
        yield counts[:, code]


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


def _refusal(message: str) -> Estimator:
    def estimate() -> Interval:
        raise NotEstimableError(message)

    return estimate
