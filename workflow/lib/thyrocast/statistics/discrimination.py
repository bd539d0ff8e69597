"""Area under the ROC curve: estimate, variance, intervals and tests, with ties."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import optimize

from thyrocast.statistics import inputs, intervals
from thyrocast.statistics.inputs import Booleans, Floats, NotEstimableError
from thyrocast.statistics.intervals import Interval


class Difference(NamedTuple):
    """Difference a - b with its interval (None for a test without one), test and method."""

    difference: float
    low: float | None
    high: float | None
    p_value: float
    method: str


def placements(outcome: Booleans, score: Floats) -> tuple[Floats, Floats]:
    """DeLong's structural components in O(n log n).

    Returns
    -------
    cured : (m,) for each cured patient, the share of the not cured scored lower (ties half).
    failed : (k,) for each not cured patient, the share of the cured scored higher (ties half).
        Both average to the AUC.
    """
    positive, negative = score[outcome], score[~outcome]
    lower, higher = np.sort(negative), np.sort(positive)
    cured = _below(lower, positive) / negative.size
    failed = 1 - _below(higher, negative) / positive.size
    return cured, failed


def _below(ordered: Floats, values: Floats) -> Floats:
    """How many of the ordered lie below each value, ties counting half."""
    # Sorted queries walk the searched array in memory order: four times as fast at 100,000.
    order = np.argsort(values)
    queries = values[order]
    found = np.empty(values.size)
    found[order] = (
        np.searchsorted(ordered, queries, side="left")
        + np.searchsorted(ordered, queries, side="right")
    ) / 2
    return found


def auc(outcome: ArrayLike, score: ArrayLike) -> float:
    """Empirical area under the ROC curve; ties count half (Mann and Whitney).

    Parameters
    ----------
    outcome : array_like, (n,)
        1 = cured.
    score : array_like, (n,)
        Higher means more likely cured.

    Raises
    ------
    NotEstimableError
        If one outcome is missing.
    """
    y = inputs.outcome_array(outcome)
    s = inputs.score_array(score, y.size)
    inputs.require_both(y, "the AUC")
    return float(placements(y, s)[0].mean())


def delong(outcome: ArrayLike, scores: ArrayLike) -> tuple[Floats, Floats]:
    """AUCs of several scores of the same patients and their covariance.

    Parameters
    ----------
    outcome : array_like, (n,)
    scores : array_like, (models, n)

    Returns
    -------
    areas : (models,)
    covariance : (models, models)

    Raises
    ------
    NotEstimableError
        With fewer than two patients of either outcome.

    Notes
    -----
    DeLong, DeLong and Clarke-Pearson, Biometrics 1988;44:837, by sorting as in Sun and Xu, IEEE
    Signal Process Lett 2014;21:1389.
    """
    y = inputs.outcome_array(outcome)
    inputs.require_both(y, "DeLong's variance", each=2)
    rows = [placements(y, inputs.score_array(score, y.size)) for score in np.atleast_2d(scores)]
    cured = np.stack([row[0] for row in rows])
    failed = np.stack([row[1] for row in rows])
    covariance = np.atleast_2d(np.cov(cured)) / cured.shape[1]
    covariance = covariance + np.atleast_2d(np.cov(failed)) / failed.shape[1]
    return cured.mean(axis=1), covariance


def auc_interval(
    outcome: ArrayLike, score: ArrayLike, confidence: float = 0.95, method: str = "delong_logit"
) -> Interval:
    """AUC with an interval in closed form.

    Parameters
    ----------
    method : {"delong_logit", "delong", "newcombe"}
        DeLong's variance on the logit scale, on the plain scale (cut at 0 and 1), or Newcombe's
        score interval, method 5 (Stat Med 2006;25:559), which needs no estimate of the variance.
        Where DeLong's variance is 0 (an AUC of exactly 0 or 1, or constant scores), Newcombe's
        takes its place and the returned method says so.

    Notes
    -----
    Coverage of 95 % intervals: ``delong_logit`` 94.2-96.5 %, ``newcombe`` 94.8-96.7 %; ``delong``
    only 90.2-93.3 % at n = 50, and 92.8-95.9 % from n = 121 on.
    """
    y = inputs.outcome_array(outcome)
    s = inputs.score_array(score, y.size)
    cured, failed = inputs.require_both(y, "the AUC")
    if method == "newcombe" or min(cured, failed) < 2:
        return newcombe(auc(y, s), cured, failed, confidence)
    areas, covariance = delong(y, s)
    area, error = float(areas[0]), math.sqrt(max(float(covariance[0, 0]), 0.0))
    if error < 1e-12:
        return newcombe(area, cured, failed, confidence)
    half = intervals.normal_quantile(confidence) * error
    if method == "delong":
        return Interval(area, max(area - half, 0.0), min(area + half, 1.0), method)
    if method != "delong_logit":
        raise ValueError(f"unknown method {method!r}")
    centre, half = math.log(area / (1 - area)), half / (area * (1 - area))
    low, high = (1 / (1 + math.exp(-(centre + sign * half))) for sign in (-1, 1))
    return Interval(area, low, high, method)


def hanley_mcneil_variance(area: float, cured: float, failed: float) -> float:
    """Variance of an AUC from its value and the counts, as Newcombe symmetrized it."""
    spread = (cured + failed) / 2 - 1
    bracket = 1 + spread * ((1 - area) / (2 - area) + area / (1 + area))
    return area * (1 - area) * bracket / (cured * failed)


def newcombe(area: float, cured: int, failed: int, confidence: float = 0.95) -> Interval:
    """Newcombe's score interval (method 5) of an AUC from its value and the counts."""
    z = intervals.normal_quantile(confidence)

    def excess(theta: float) -> float:
        return abs(area - theta) - z * math.sqrt(hanley_mcneil_variance(theta, cured, failed))

    # The estimate itself is a root where it is 0 or 1: the limits lie a hair away from it at least.
    hair = 1e-12
    low = 0.0 if area <= 0 else float(optimize.brentq(excess, 0.0, area - hair, xtol=1e-13))
    high = 1.0 if area >= 1 else float(optimize.brentq(excess, area + hair, 1.0, xtol=1e-13))
    return Interval(area, low, high, "newcombe")


def paired_test(
    outcome: ArrayLike, score_a: ArrayLike, score_b: ArrayLike, confidence: float = 0.95
) -> Difference:
    """DeLong's test of two scores of the same patients.

    Identical rankings give a difference of 0 and a p value of 1.
    """
    y = inputs.outcome_array(outcome)
    pair = np.stack([inputs.score_array(score, y.size) for score in (score_a, score_b)])
    areas, covariance = delong(y, pair)
    difference = float(areas[0] - areas[1])
    variance = float(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])
    return normal_difference(difference, variance, confidence, "delong_paired")


def unpaired_test(
    outcome_a: ArrayLike,
    score_a: ArrayLike,
    outcome_b: ArrayLike,
    score_b: ArrayLike,
    confidence: float = 0.95,
) -> Difference:
    """DeLong's test of two AUCs of different patients, with Welch's degrees of freedom.

    As in R's pROC, ``roc.test(paired = FALSE)``.
    """
    parts = []
    for outcome, score in ((outcome_a, score_a), (outcome_b, score_b)):
        y = inputs.outcome_array(outcome)
        areas, covariance = delong(y, inputs.score_array(score, y.size))
        parts.append((float(areas[0]), float(covariance[0, 0]), y.size))
    (area_a, variance_a, n_a), (area_b, variance_b, n_b) = parts
    difference, variance = area_a - area_b, variance_a + variance_b
    if variance < 1e-24:
        return normal_difference(difference, variance, confidence, "delong_unpaired")
    degrees = variance**2 / (variance_a**2 / (n_a - 1) + variance_b**2 / (n_b - 1))
    half = intervals.t_quantile(confidence, degrees) * math.sqrt(variance)
    p_value = intervals.t_p_value(difference / math.sqrt(variance), degrees)
    return Difference(difference, difference - half, difference + half, p_value, "delong_unpaired")


def normal_difference(
    difference: float, variance: float, confidence: float, method: str
) -> Difference:
    """Interval and two-sided test of a difference with a normal distribution.

    A variance of 0 is allowed only for a difference of 0, which then has a p value of 1.
    """
    if variance < 1e-24:
        if abs(difference) > 1e-12:
            raise NotEstimableError("the difference has no spread in these patients to test with")
        return Difference(0.0, 0.0, 0.0, 1.0, method)
    error = math.sqrt(variance)
    half = intervals.normal_quantile(confidence) * error
    p_value = intervals.normal_p_value(difference / error)
    return Difference(difference, difference - half, difference + half, p_value, method)
