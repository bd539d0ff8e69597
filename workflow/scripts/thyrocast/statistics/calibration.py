"""Do the probabilities mean what they say: intercepts, slope, scores, and calibration curves."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from thyrocast.statistics import inputs, intervals, logistic
from thyrocast.statistics.inputs import Booleans, Floats, NotEstimableError
from thyrocast.statistics.intervals import Interval


class Curve(NamedTuple):
    """Observed frequency against predicted probability, with a pointwise band; each (m,)."""

    predicted: Floats
    observed: Floats
    low: Floats
    high: Floats


class Group(NamedTuple):
    """Patients of similar predicted probability."""

    predicted: float
    observed: Interval
    n: int
    events: int


def _read(outcome: ArrayLike, probability: ArrayLike) -> tuple[Booleans, Floats]:
    y = inputs.outcome_array(outcome)
    return y, inputs.probability_array(probability, y.size)


def in_the_large(
    outcome: ArrayLike,
    probability: ArrayLike,
    confidence: float = 0.95,
    cluster: ArrayLike | None = None,
) -> Interval:
    """Calibration in the large: intercept of a logistic model with the logit as offset.

    0 is ideal; above 0 more were cured than predicted. A model of its own, not the intercept
    beside the slope (:func:`intercept`), which is what rms's val.prob calls Intercept. With
    ``cluster`` (n,), as in the functions below, several predictions of a patient count as one.

    Raises
    ------
    NotEstimableError
        If one outcome is missing.
    """
    y, p = _read(outcome, probability)
    inputs.require_both(y, "calibration in the large")
    same = None if cluster is None else np.asarray(cluster)
    fit = logistic.fit(np.ones((y.size, 1)), y, offset=inputs.logit(p), cluster=same)
    return _wald(fit, 0, confidence, cluster)


def slope(
    outcome: ArrayLike,
    probability: ArrayLike,
    confidence: float = 0.95,
    cluster: ArrayLike | None = None,
) -> Interval:
    """Calibration slope: coefficient of the logit, with a free intercept. 1 is ideal.

    Raises
    ------
    NotEstimableError
        If one outcome is missing, all probabilities are equal or the outcome is separated.
    """
    return _wald(_joint(outcome, probability, cluster), 1, confidence, cluster)


def intercept(
    outcome: ArrayLike,
    probability: ArrayLike,
    confidence: float = 0.95,
    cluster: ArrayLike | None = None,
) -> Interval:
    """Intercept of the joint model of intercept and slope (val.prob's Intercept). 0 is ideal."""
    return _wald(_joint(outcome, probability, cluster), 0, confidence, cluster)


def _joint(outcome: ArrayLike, probability: ArrayLike, cluster: ArrayLike | None) -> logistic.Fit:
    y, p = _read(outcome, probability)
    inputs.require_both(y, "the calibration slope")
    x = inputs.logit(p)
    if np.ptp(x) < 1e-12:
        raise NotEstimableError("the calibration slope needs probabilities that differ")
    if x[y].min() >= x[~y].max() or x[y].max() <= x[~y].min():
        raise NotEstimableError("the outcome is separated: no finite calibration slope")
    same = None if cluster is None else np.asarray(cluster)
    return logistic.fit(np.stack([np.ones_like(x), x], axis=1), y, cluster=same)


def _wald(fit: logistic.Fit, index: int, confidence: float, cluster: ArrayLike | None) -> Interval:
    estimate = float(fit.coefficients[index])
    half = intervals.normal_quantile(confidence) * math.sqrt(fit.covariance[index, index])
    method = "wald" if cluster is None else "wald_by_patient"
    return Interval(estimate, estimate - half, estimate + half, method)


def observed_expected(
    outcome: ArrayLike, probability: ArrayLike, confidence: float = 0.95
) -> Interval:
    """Ratio of observed to expected cures; the expected number is taken as fixed.

    The interval is Wilson's of the observed proportion, so that no cure at all has one too.

    Raises
    ------
    NotEstimableError
        If all probabilities are 0.
    """
    y, p = _read(outcome, probability)
    expected = float(p.mean())
    if expected == 0:
        raise NotEstimableError("observed/expected has nothing expected: all probabilities are 0")
    share = intervals.wilson(int(y.sum()), y.size, confidence)
    ratio, low, high = (value / expected for value in share[:3])
    return Interval(ratio, low, high, "wilson")


def brier(outcome: ArrayLike, probability: ArrayLike, confidence: float = 0.95) -> Interval:
    """Brier score, the mean squared difference between outcome and probability.

    The interval is Student's t of the squared differences, cut at 0.
    """
    y, p = _read(outcome, probability)
    return mean_interval((y - p) ** 2, confidence, floor=0.0)


def scaled_brier(outcome: ArrayLike, probability: ArrayLike, confidence: float = 0.95) -> Interval:
    """One minus Brier over that of the observed prevalence; 1 is perfect, 0 no use.

    The interval is by the delta method, prevalence being as uncertain as the rest.
    """
    y, p = _read(outcome, probability)
    inputs.require_both(y, "the scaled Brier score")
    squared, prevalence = (y - p) ** 2, y.mean()
    reference = prevalence * (1 - prevalence)
    ratio = squared.mean() / reference
    influence = squared / reference - ratio * (1 - 2 * prevalence) * (y - prevalence) / reference
    spread = mean_interval(influence, confidence)
    half = (spread.high - spread.low) / 2
    return Interval(float(1 - ratio), float(1 - ratio - half), float(1 - ratio + half), "delta")


def log_loss(outcome: ArrayLike, probability: ArrayLike, confidence: float = 0.95) -> Interval:
    """Mean negative log likelihood, in nats; probabilities are held 1e-6 off 0 and 1."""
    y, p = _read(outcome, probability)
    held = np.clip(p, inputs.EDGE, 1 - inputs.EDGE)
    loss = -np.where(y, np.log(held), np.log1p(-held))
    return mean_interval(loss, confidence, floor=0.0)


def mean_interval(values: Floats, confidence: float = 0.95, floor: float = -math.inf) -> Interval:
    """Mean of independent patients' values with Student's t interval.

    Raises
    ------
    NotEstimableError
        With fewer than two values.
    """
    if values.size < 2:
        raise NotEstimableError("an interval of a mean needs at least two patients")
    half = intervals.t_quantile(confidence, values.size - 1)
    half *= float(values.std(ddof=1)) / math.sqrt(values.size)
    mean = float(values.mean())
    return Interval(mean, max(mean - half, floor), mean + half, "t")


def spiegelhalter(outcome: ArrayLike, probability: ArrayLike) -> tuple[float, float]:
    """Spiegelhalter's z of calibration and its two-sided p value (Stat Med 1986;5:421)."""
    y, p = _read(outcome, probability)
    variance = float(np.sum((1 - 2 * p) ** 2 * p * (1 - p)))
    if variance <= 0:
        raise NotEstimableError("Spiegelhalter's test needs probabilities other than 0, 0.5 and 1")
    z = float(np.sum((y - p) * (1 - 2 * p))) / math.sqrt(variance)
    return z, intervals.normal_p_value(z)


def spline_basis(x: Floats, knots: Floats) -> Floats:
    """Constant, x and restricted cubic spline terms, as Harrell's rcs: (n, knots).

    Linear beyond the outer knots; fewer than three knots give a straight line.
    """
    columns = [np.ones_like(x), x]
    last, before, width = knots[-1], knots[-2] if knots.size > 1 else 0.0, np.ptp(knots)

    def cube(knot: float) -> Floats:
        return np.asarray(np.maximum(x - knot, 0) ** 3)

    for knot in knots[:-2] if knots.size > 2 else ():
        bend = cube(knot) - cube(before) * (last - knot) / (last - before)
        bend += cube(last) * (before - knot) / (last - before)
        columns.append(bend / width**2)
    return np.stack(columns, axis=1)


def knots(x: Floats, outcome: Booleans) -> Floats:
    """Knots of the calibration curve at Harrell's quantiles.

    Three where either outcome has fewer than 100 patients, else four; ties that make them
    coincide leave fewer than three, and so a straight line.
    """
    few = min(outcome.sum(), (~outcome).sum()) < 100
    levels = (0.1, 0.5, 0.9) if few else (0.05, 0.35, 0.65, 0.95)
    places = np.quantile(x, levels)
    if 10 <= x.size < 100:
        # As in Harrell's rcspline.eval: beyond the fifth value from either end there is too little.
        ordered = np.sort(x)
        places[[0, -1]] = ordered[[4, -5]]
    found = np.unique(places)
    return found if found.size == len(levels) else found[:1]


def spline_curve(
    outcome: ArrayLike,
    probability: ArrayLike,
    confidence: float = 0.95,
    points: int = 100,
    cluster: ArrayLike | None = None,
) -> Curve:
    """Smooth calibration curve: logistic regression on a restricted cubic spline of the logit.

    The band is pointwise, normal on the logit scale.

    Parameters
    ----------
    points : int
        Predicted probabilities at which the curve is read, from the least to the greatest.

    Raises
    ------
    NotEstimableError
        If one outcome is missing, all probabilities are equal or the outcome is separated.
    """
    y, p = _read(outcome, probability)
    fit, places = _spline_fit(y, p, cluster)
    grid = np.linspace(p.min(), p.max(), points)
    basis = spline_basis(inputs.logit(grid), places)
    eta = basis @ fit.coefficients
    error = np.sqrt(np.einsum("ij,jk,ik->i", basis, fit.covariance, basis))
    half = intervals.normal_quantile(confidence) * error
    return Curve(grid, *(logistic.expit(eta + sign * half) for sign in (0, -1, 1)))


def _spline_fit(
    y: Booleans, p: Floats, cluster: ArrayLike | None = None
) -> tuple[logistic.Fit, Floats]:
    inputs.require_both(y, "a calibration curve", each=3)
    x = inputs.logit(p)
    if np.ptp(x) < 1e-12:
        raise NotEstimableError("a calibration curve needs probabilities that differ")
    places = knots(x, y)
    same = None if cluster is None else np.asarray(cluster)
    try:
        return logistic.fit(spline_basis(x, places), y, cluster=same), places
    except NotEstimableError:
        # A bend that the data cannot carry: a straight line may still do.
        return logistic.fit(spline_basis(x, places[:1]), y, cluster=same), places[:1]


def error_basis(outcome: Booleans, probability: Floats) -> Floats:
    """Columns on which :func:`metrics.calibration_errors` refits the curve of these patients."""
    _, places = _spline_fit(outcome, probability)
    return spline_basis(inputs.logit(probability), places)


def errors(curve: ArrayLike, probability: ArrayLike) -> dict[str, float]:
    """ICI, E50, E90 and Emax: mean, median, 90 % quantile and maximum of |curve - predicted|.

    Source: Austin and Steyerberg, Stat Med 2019;38:4051.

    Parameters
    ----------
    curve : array_like, (n,)
        Value of a calibration curve at each patient's probability.
    """
    gap = np.abs(np.asarray(curve) - np.asarray(probability))
    e50, e90 = np.quantile(gap, (0.5, 0.9))
    return {
        "ici": float(gap.mean()),
        "e50": float(e50),
        "e90": float(e90),
        "emax": float(gap.max()),
    }


def groups(
    outcome: ArrayLike, probability: ArrayLike, count: int, confidence: float = 0.95
) -> list[Group]:
    """Observed frequency in groups of equal size by predicted probability, with Wilson intervals.

    Equal probabilities stay together, so that there may be fewer than ``count`` groups.
    """
    y, p = _read(outcome, probability)
    edges = np.unique(np.quantile(p, np.arange(1, count) / count)) if count > 1 else np.empty(0)
    member = np.searchsorted(edges, p, side="left")
    found = []
    for index in np.unique(member):
        inside = member == index
        events, n = int(y[inside].sum()), int(inside.sum())
        found.append(
            Group(float(p[inside].mean()), intervals.wilson(events, n, confidence), n, events)
        )
    return found
