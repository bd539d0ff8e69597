"""Rows of performance.csv: every metric of a sample, each with the intervals that suit it."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator

import numpy as np

from thyrocast.evaluation import bootstrap
from thyrocast.evaluation.bootstrap import DECISIONS, Estimator
from thyrocast.evaluation.layout import Row, number
from thyrocast.evaluation.sample import Sample
from thyrocast.evaluation.settings import Settings
from thyrocast.statistics import (
    calibration,
    calibration_curve,
    conformal,
    discrimination,
    intervals,
    utility,
)
from thyrocast.statistics.inputs import EDGE, Booleans, NotEstimableError
from thyrocast.statistics.intervals import Interval

CURVE_ERRORS = ("ici", "e50", "e90", "emax")


def rows(sample: Sample, group: str, settings: Settings) -> Iterator[Row]:
    """Rows of one sample.

    The first row of a metric is its headline, with the interval whose coverage is best
    (``benchmarks/coverage_of_intervals.py``); further ones have bootstrap intervals. What cannot
    be estimated has empty cells and the reason as its method.
    """
    key = (sample.design, sample.split, sample.model, sample.set, group)
    tail = sample.patients
    notes = _notes(sample)
    makers = itertools.chain(
        _closed(sample, group, settings),
        _curve_errors(sample, group, settings),
        bootstrap.intervals(sample, group, settings),
    )
    for metric, estimator in makers:
        yield (*key, metric, *_cells(estimator, notes.get(metric, "")), *tail)
    if not sample.repeated:
        yield (*key, "spiegelhalter_z", *_test_of_calibration(sample), *tail)


def _test_of_calibration(sample: Sample) -> tuple[object, ...]:
    try:
        z, p_value = calibration.spiegelhalter(sample.outcome, sample.probability)
    except NotEstimableError as reason:
        return (None, None, None, f"not estimable: {reason}")
    return (number(z), None, None, f"spiegelhalter, p = {p_value:.4g}")


def _cells(estimator: Estimator, note: str) -> tuple[object, ...]:
    try:
        found = estimator()
    except NotEstimableError as reason:
        return (None, None, None, f"not estimable: {reason}")
    return (number(found.estimate), number(found.low), number(found.high), found.method + note)


def _notes(sample: Sample) -> dict[str, str]:
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


def _closed(sample: Sample, group: str, settings: Settings) -> Iterator[tuple[str, Estimator]]:
    """Metrics with an interval in closed form, each as a function still to be called."""
    y, p, level, cluster = sample.outcome, sample.probability, settings.confidence, sample.cluster
    if not sample.repeated:
        # Where patients were predicted several times, these have an interval by bootstrap alone.
        yield "auc", lambda: discrimination.auc_interval(y, p, level)
        yield from ((name, _decided(sample, name, level)) for name in DECISIONS)
        yield from _sets(sample, level)
        if group.startswith("center:"):
            yield from _own_sets(sample, settings)
    yield "brier", lambda: calibration.brier(y, p, level, cluster)
    yield "scaled_brier", lambda: calibration.scaled_brier(y, p, level, cluster)
    yield "log_loss", lambda: calibration.log_loss(y, p, level, cluster)
    yield "oe_ratio", lambda: calibration.observed_expected(y, p, level, cluster)
    yield "calibration_in_the_large", lambda: calibration.in_the_large(y, p, level, cluster)
    yield "calibration_slope", lambda: calibration.slope(y, p, level, cluster)
    yield "calibration_intercept", lambda: calibration.intercept(y, p, level, cluster)
    yield f"net_benefit@{settings.reference:g}", lambda: _net_benefit(sample, settings)


def _curve_errors(
    sample: Sample, group: str, settings: Settings
) -> Iterator[tuple[str, Estimator]]:
    """Distances of the calibration curve from the ideal: one drawing for all of them."""

    @functools.cache
    def drawn() -> dict[str, Interval]:
        return calibration_curve.error_intervals(
            sample.outcome,
            sample.probability,
            settings.random(sample, group),
            settings.resamples,
            settings.confidence,
            sample.cluster,
        )

    def pick(name: str) -> Interval:
        return drawn()[name]

    for name in CURVE_ERRORS:
        yield name, functools.partial(pick, name)


def _decided(sample: Sample, name: str, confidence: float) -> Estimator:
    y, called = sample.outcome, sample.decision

    def estimate() -> Interval:
        if called is None:
            raise NotEstimableError("no threshold could be chosen on the training set")
        return _share(
            *{
                "sensitivity": (called & y, y),
                "specificity": (~called & ~y, ~y),
                "ppv": (called & y, called),
                "npv": (~called & ~y, ~called),
                "accuracy": (called == y, np.ones_like(y)),
            }[name],
            confidence,
        )

    return estimate


def _share(right: Booleans, among: Booleans, confidence: float) -> Interval:
    return intervals.wilson(int((right & among).sum()), int(among.sum()), confidence)


def _sets(sample: Sample, confidence: float) -> Iterator[tuple[str, Estimator]]:
    """How the conformal prediction sets did: the promise is coverage, the price abstention."""
    if sample.possible is None:
        return
    y, possible = sample.outcome, sample.possible
    everybody = np.ones_like(y)
    held = np.where(y, possible[:, 1], possible[:, 0])
    single = possible.sum(axis=1) == 1
    for name, right, among in (
        ("set_coverage", held, everybody),
        ("set_coverage_cured", held, y),
        ("set_coverage_not_cured", held, ~y),
        ("set_abstention", ~single, everybody),
        ("set_accuracy", held, single),
    ):
        yield name, functools.partial(_share, right, among, confidence)


def _own_sets(sample: Sample, settings: Settings) -> Iterator[tuple[str, Estimator]]:
    """What prediction sets would do if the center calibrated them on patients of its own."""
    y = sample.outcome
    possible = conformal.sets(conformal.leave_one_out(y, sample.probability), settings.set_error)
    held = np.where(y, possible[:, 1], possible[:, 0])
    single = possible.sum(axis=1) == 1
    everybody = np.ones_like(y)
    for name, right in (("coverage", held), ("abstention", ~single)):
        maker = functools.partial(_share, right, everybody, settings.confidence)
        yield f"set_{name}_own_center", maker


def _net_benefit(sample: Sample, settings: Settings) -> Interval:
    curve = utility.net_benefit(
        sample.outcome, sample.probability, settings.reference, settings.confidence, sample.cluster
    )
    value, low, high = (float(part[0]) for part in (curve.net_benefit, curve.low, curve.high))
    return Interval(value, low, high, "t_by_patient" if sample.repeated else "t")
