"""Area under the ROC curve: estimate, variance, intervals and tests, with ties."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy import optimize

from thyrocast.statistics import differences, inputs, intervals
from thyrocast.statistics.differences import Difference
from thyrocast.statistics.inputs import Booleans, Floats
from thyrocast.statistics.intervals import Interval

#: Fewest patients of the rarer outcome for an interval from DeLong's variance.
FEWEST = 15


def placements(outcome: Booleans, score: Floats) -> tuple[Floats, Floats]:
    """DeLong's structural components in O(n log n).

    Parameters
    ----------
    outcome : ndarray of bool, (n,)
        True = cured.
    score : ndarray of float, (n,)
        Higher means more likely cured.

    Returns
    -------
    cured : ndarray of float, (m,)
        For each cured patient, the share of the not cured with a lower score (ties half).
    failed : ndarray of float, (k,)
        For each patient not cured, the share of the cured with a higher score (ties half). Both
        average to the AUC.

    Examples
    --------
    >>> placements(np.array([True, True, False]), np.array([0.9, 0.4, 0.4]))
    (array([1. , 0.5]), array([0.75]))
    """
    positive, negative = score[outcome], score[~outcome]
    lower, higher = np.sort(negative), np.sort(positive)
    cured = _below(lower, positive) / negative.size
    failed = 1 - _below(higher, negative) / positive.size
    return cured, failed


def _below(ordered: Floats, values: Floats) -> Floats:
    """Number of `ordered` that are below each of `values` (n,); ties count half."""
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

    Returns
    -------
    float

    Raises
    ------
    NotEstimableError
        If one outcome is missing.

    See Also
    --------
    weighted.auc : The same for many bootstrap resamples at once.

    Examples
    --------
    >>> auc([1, 1, 0, 0], [0.9, 0.4, 0.4, 0.1])
    0.875
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
        1 = cured.
    scores : array_like, (models, n)
        Higher means more likely cured.

    Returns
    -------
    areas : ndarray of float, (models,)
    covariance : ndarray of float, (models, models)

    Raises
    ------
    NotEstimableError
        With fewer than two patients of either outcome.

    Notes
    -----
    DeLong, DeLong and Clarke-Pearson, Biometrics 1988;44:837, by sorting as in Sun and Xu, IEEE
    Signal Process Lett 2014;21:1389.

    Examples
    --------
    >>> areas, covariance = delong([1, 1, 1, 0, 0, 0], [0.9, 0.6, 0.4, 0.6, 0.3, 0.1])
    >>> areas.round(4), covariance.round(4)
    (array([0.8333]), array([[0.037]]))
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
    outcome : array_like, (n,)
        1 = cured.
    score : array_like, (n,)
        Higher means more likely cured.
    confidence : float
        Confidence level.
    method : {"delong_logit", "delong", "newcombe"}
        DeLong's variance on the logit scale, on the AUC scale (limited to 0 and 1), or Newcombe's
        score interval (`newcombe`), which does not need an estimated variance.

    Returns
    -------
    Interval
        Newcombe's if DeLong's variance is 0 (an AUC of exactly 0 or 1, or constant scores) or is
        estimated from fewer than `FEWEST` patients of an outcome; its `method` is then
        ``newcombe``.

    Raises
    ------
    NotEstimableError
        If one outcome is missing.

    Notes
    -----
    Coverage of 95 % intervals: ``delong_logit`` 94.2-96.5 %, ``newcombe`` 94.8-96.7 %; ``delong``
    only 90.2-93.3 % at n = 50, and 92.8-95.9 % from n = 121 on. With 5 to 15 patients of the rarer
    outcome (AUC .7, .8, .9) ``delong_logit`` covers 89.8-96.0 %, ``newcombe`` 95.1-97.2 %.

    Examples
    --------
    >>> found = auc_interval([1, 1, 1, 0, 0, 0], [0.9, 0.6, 0.4, 0.6, 0.3, 0.1])
    >>> round(found.estimate, 3), round(found.low, 3), round(found.high, 3), found.method
    (0.833, 0.358, 0.976, 'newcombe')
    """
    y = inputs.outcome_array(outcome)
    s = inputs.score_array(score, y.size)
    cured, failed = inputs.require_both(y, "the AUC")
    rarer = min(cured, failed)
    if method == "newcombe" or rarer < (FEWEST if method == "delong_logit" else 2):
        return newcombe(auc(y, s), cured, failed, confidence)
    areas, covariance = delong(y, s)
    area, error = float(areas[0]), math.sqrt(max(float(covariance[0, 0]), 0.0))
    if error < 1e-12:
        return newcombe(area, cured, failed, confidence)
    quantile = intervals.normal_quantile(confidence)
    if method == "delong":
        low, high = max(area - quantile * error, 0.0), min(area + quantile * error, 1.0)
        return Interval(area, low, high, method, error, "identity")
    if method != "delong_logit":
        raise ValueError(f"unknown method {method!r}")
    middle, error = math.log(area / (1 - area)), error / (area * (1 - area))
    low, high = (1 / (1 + math.exp(-(middle + sign * quantile * error))) for sign in (-1, 1))
    return Interval(area, low, high, method, error, "logit")


def hanley_mcneil_variance(area: float, cured: float, failed: float) -> float:
    """Variance of an AUC from its value and the counts.

    Parameters
    ----------
    area : float
        AUC.
    cured, failed : float
        Numbers of cured patients and of those not cured.

    Returns
    -------
    float

    Notes
    -----
    Hanley and McNeil, Radiology 1982;143:29, made symmetric in the counts by Newcombe, Stat Med
    2006;25:559, method 5.

    Examples
    --------
    >>> round(hanley_mcneil_variance(0.8, 20, 30), 6)
    0.004178
    """
    spread = (cured + failed) / 2 - 1
    bracket = 1 + spread * ((1 - area) / (2 - area) + area / (1 + area))
    return area * (1 - area) * bracket / (cured * failed)


def half_a_pair_inside(area: float, cured: int, failed: int) -> float:
    """Move an AUC of 0 or 1, which has no logit, inside by half a pair of patients.

    Parameters
    ----------
    area : float
        AUC.
    cured, failed : int
        Numbers of cured patients and of those not cured.

    Returns
    -------
    float
        The AUC, unchanged if it is at least half a pair away from 0 and 1.

    Examples
    --------
    >>> half_a_pair_inside(1.0, 5, 4), half_a_pair_inside(0.8, 5, 4)
    (0.975, 0.8)
    """
    pairs = cured * failed
    return min(max(area, 0.5 / pairs), 1 - 0.5 / pairs)


def score_error(area: float, cured: int, failed: int) -> float:
    """Standard error of the logit of an AUC for which DeLong's variance is not available.

    Parameters
    ----------
    area : float
        AUC; 0 and 1 are moved by `half_a_pair_inside`.
    cured, failed : int
        Numbers of cured patients and of those not cured.

    Returns
    -------
    float
        From `hanley_mcneil_variance`, which `newcombe` uses.

    Examples
    --------
    >>> round(score_error(1.0, 5, 4), 3)
    2.402
    """
    moved = half_a_pair_inside(area, cured, failed)
    variance = hanley_mcneil_variance(moved, cured, failed) / (moved * (1 - moved)) ** 2
    return math.sqrt(variance)


def newcombe(area: float, cured: int, failed: int, confidence: float = 0.95) -> Interval:
    """Newcombe's score interval of an AUC from its value and the counts.

    Parameters
    ----------
    area : float
        AUC.
    cured, failed : int
        Numbers of cured patients and of those not cured.
    confidence : float
        Confidence level.

    Returns
    -------
    Interval
        A score interval does not come from a standard error; its `std_error` is `score_error`,
        for pooling.

    Notes
    -----
    Newcombe, Stat Med 2006;25:559, method 5.

    Examples
    --------
    >>> found = newcombe(1.0, 8, 8)
    >>> round(found.low, 3), found.high
    (0.756, 1.0)
    """
    z = intervals.normal_quantile(confidence)

    def excess(theta: float) -> float:
        return abs(area - theta) - z * math.sqrt(hanley_mcneil_variance(theta, cured, failed))

    # The estimate itself is a root if it is 0 or 1; the limits are at least this far away from it.
    margin = 1e-12
    low = 0.0 if area <= 0 else float(optimize.brentq(excess, 0.0, area - margin, xtol=1e-13))
    high = 1.0 if area >= 1 else float(optimize.brentq(excess, area + margin, 1.0, xtol=1e-13))
    return Interval(area, low, high, "newcombe", score_error(area, cured, failed), "logit")


def paired_test(
    outcome: ArrayLike, score_a: ArrayLike, score_b: ArrayLike, confidence: float = 0.95
) -> Difference:
    """DeLong's test of two scores of the same patients.

    Parameters
    ----------
    outcome : array_like, (n,)
        1 = cured.
    score_a, score_b : array_like, (n,)
        Higher means more likely cured.
    confidence : float
        Confidence level.

    Returns
    -------
    Difference
        In AUC. Identical rankings give a difference of 0 and a p value of 1.

    Raises
    ------
    NotEstimableError
        With fewer than two patients of either outcome, or a difference without variance.

    Examples
    --------
    >>> found = paired_test([1, 1, 1, 0, 0, 0], [6, 5, 3, 4, 2, 1], [6, 4, 1, 5, 3, 2])
    >>> round(found.difference, 3), round(found.p_value, 3)
    (0.333, 0.083)
    """
    y = inputs.outcome_array(outcome)
    pair = np.stack([inputs.score_array(score, y.size) for score in (score_a, score_b)])
    areas, covariance = delong(y, pair)
    difference = float(areas[0] - areas[1])
    variance = float(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])
    return differences.normal(difference, variance, confidence)
