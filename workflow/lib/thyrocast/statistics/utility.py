"""Decision curves and paired differences: the benefit of acting on a model's predictions."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from thyrocast.statistics import differences, influence, inputs, intervals, losses, smoothing
from thyrocast.statistics.differences import Difference
from thyrocast.statistics.inputs import Booleans, Floats, NotEstimableError
from thyrocast.statistics.intervals import Interval


class DecisionCurve(NamedTuple):
    """Net benefit at each threshold probability with a pointwise band.

    Attributes
    ----------
    threshold : ndarray of float, (m,)
        Threshold probabilities.
    net_benefit, low, high : ndarray of float, (m,)
        Net benefit and its confidence limits.
    avoided, avoided_low, avoided_high : ndarray of float, (m,)
        Net interventions avoided per 100 patients, compared with treating everybody, with limits.
    """

    threshold: Floats
    net_benefit: Floats
    low: Floats
    high: Floats
    avoided: Floats
    avoided_low: Floats
    avoided_high: Floats


def contributions(outcome: Booleans, chosen: Booleans, threshold: float) -> Floats:
    """Contribution of each patient to the net benefit; the mean is the net benefit.

    Parameters
    ----------
    outcome : ndarray of bool, (n,)
        True = cured.
    chosen : ndarray of bool, (n,)
        True = treated.
    threshold : float
        Threshold probability, above 0 and below 1.

    Returns
    -------
    ndarray of float, (n,)
        1 for a treated patient who was cured, minus the odds of the threshold for a treated
        patient who was not, 0 for the others.

    Examples
    --------
    >>> contributions(np.array([True, False, True]), np.array([True, True, False]), 0.5)
    array([ 1., -1.,  0.])
    """
    odds = threshold / (1 - threshold)
    return np.where(chosen, np.where(outcome, 1.0, -odds), 0.0)


def net_benefit(
    outcome: ArrayLike,
    probability: ArrayLike,
    threshold: float,
    confidence: float = 0.95,
    cluster: ArrayLike | None = None,
) -> Interval:
    """Net benefit at one threshold probability.

    Parameters
    ----------
    outcome, probability : array_like, (n,)
        1 = cured; predicted probability of cure. A patient is treated if the probability is at
        or above the threshold.
    threshold : float
        Threshold probability, above 0 and below 1.
    confidence : float
        Confidence level.
    cluster : array_like, (n,), optional
        Patient of each prediction, if some have several; intervals then count patients.

    Returns
    -------
    Interval
        Method ``mover_wilson`` (`intervals.weighted_difference`), or ``t_by_patient``. The standard error
        is that of the mean of the patients' contributions; the prevalence is random as well.

    Raises
    ------
    NotEstimableError
        With fewer than two patients.

    Notes
    -----
    True positives / n - false positives / n x threshold / (1 - threshold): Vickers and Elkin, Med
    Decis Making 2006;26:565. Coverage is in docs/statistics.md. A t interval covers 91-95 % where few
    patients decide the net benefit (12 of 121 not cured, or cured).

    Examples
    --------
    >>> round(net_benefit([1, 1, 1, 0, 0], [0.9, 0.6, 0.2, 0.6, 0.1], 0.5).estimate, 3)
    0.2
    """
    y, p = inputs.read(outcome, probability)
    at = float(_thresholds(threshold)[0])
    gain = contributions(y, p >= at, at)
    found = influence.interval(float(gain.mean()), gain, confidence, cluster)
    if cluster is not None:
        return found
    treated = p >= at
    if np.ptp(p) == 0 and not treated.any():
        # That a constant below the threshold treats nobody is certain, as in `decision_curve`.
        return found._replace(low=0.0, high=0.0, method="mover_wilson")
    true, false = (float(np.mean(treated & who)) for who in (y, ~y))
    low, high = intervals.weighted_difference(true, false, y.size, at / (1 - at), confidence)
    return found._replace(low=float(low), high=float(high), method="mover_wilson")


def decision_curve(
    outcome: ArrayLike,
    probability: ArrayLike,
    thresholds: ArrayLike,
    confidence: float = 0.95,
    cluster: ArrayLike | None = None,
) -> DecisionCurve:
    """Net benefit at many threshold probabilities, and the interventions avoided.

    Parameters
    ----------
    outcome, probability : array_like, (n,)
        As in `net_benefit`. If all probabilities are 1, everybody is treated; if all are 0, nobody.
    thresholds : array_like, (m,)
        Threshold probabilities, above 0 and below 1.
    confidence : float
        Confidence level.
    cluster : array_like, (n,), optional
        As in `net_benefit`.

    Returns
    -------
    DecisionCurve

    Raises
    ------
    NotEstimableError
        With fewer than two patients.

    Notes
    -----
    As `net_benefit` at each threshold, in O((n + m) log n).

    Examples
    --------
    >>> curve = decision_curve([1, 1, 1, 0, 0], [0.9, 0.6, 0.2, 0.6, 0.1], [0.2, 0.5])
    >>> curve.net_benefit.round(3)
    array([0.55, 0.2 ])
    """
    y, p = inputs.read(outcome, probability)
    t = _thresholds(thresholds)
    odds = t / (1 - t)
    true, false = (
        (group.size - np.searchsorted(np.sort(group), t, side="left")) / y.size
        for group in (p[y], p[~y])
    )
    if y.size < 2:
        raise NotEstimableError("an interval of the net benefit needs at least two patients")
    # Patients who are not treated: a gain if not cured, a loss if cured.
    spared, missed = 1 - y.mean() - false, y.mean() - true
    value, avoided = true - false * odds, spared - missed / odds
    if cluster is None:
        # Shares are differences of others: rounding may put one a little below 0.
        pairs = (
            (np.clip(gained, 0, 1), np.clip(lost, 0, 1), weight)
            for gained, lost, weight in ((true, false, odds), (spared, missed, 1 / odds))
        )
        band, saved = (
            intervals.weighted_difference(gained, lost, y.size, weight, confidence)
            for gained, lost, weight in pairs
        )
        if np.ptp(p) == 0:
            # Treating nobody, or avoiding nothing by treating everybody, is certain.
            nobody, everybody = p[0] < t, p[0] >= t
            band = (np.where(nobody, 0.0, band[0]), np.where(nobody, 0.0, band[1]))
            saved = (np.where(everybody, 0.0, saved[0]), np.where(everybody, 0.0, saved[1]))
    else:
        errors, degrees = _clustered_errors(y, p, t, cluster)
        halves = (intervals.t_quantile(confidence, degrees) * error for error in errors)
        band, saved = (
            (middle - half, middle + half)
            for middle, half in zip((value, avoided), halves, strict=True)
        )
    return DecisionCurve(t, value, *band, 100 * avoided, 100 * saved[0], 100 * saved[1])


def _clustered_errors(
    y: Booleans, p: Floats, t: Floats, cluster: ArrayLike
) -> tuple[list[Floats], int]:
    """Standard errors, (m,), of net benefit and interventions avoided, and degrees of freedom."""
    odds = t / (1 - t)
    gains = np.stack([contributions(y, p >= at, at) for at in t], axis=1)
    saved = (gains - np.where(y[:, None], 1.0, -odds)) / odds
    sums = [influence.cluster_sums(each - each.mean(axis=0), cluster) for each in (gains, saved)]
    units = len(sums[0])
    if units < 2:
        raise NotEstimableError("an interval of the net benefit needs at least two patients")
    errors = [np.sqrt((s**2).sum(axis=0) / y.size**2 * units / (units - 1)) for s in sums]
    return errors, units - 1


def smooth(curve: DecisionCurve, span: float = 0.2) -> DecisionCurve:
    """Smooth a decision curve over its thresholds by loess, as R's dcurves can do.

    Parameters
    ----------
    curve : DecisionCurve
        The curve.
    span : float
        Share of the thresholds in each neighborhood.

    Returns
    -------
    DecisionCurve
        The band moves with the curve and keeps its width.

    Raises
    ------
    NotEstimableError
        If there are too few thresholds for the span.

    Examples
    --------
    >>> curve = decision_curve([1, 0, 1, 0], [0.9, 0.2, 0.6, 0.7], np.linspace(0.1, 0.9, 41))
    >>> smooth(curve).net_benefit.shape
    (41,)
    """

    def smoothed(values: Floats) -> Floats:
        return smoothing.loess(curve.threshold, values, curve.threshold, span)

    value, avoided = smoothed(curve.net_benefit), smoothed(curve.avoided)
    moved, shifted = value - curve.net_benefit, avoided - curve.avoided
    return DecisionCurve(
        curve.threshold,
        value,
        curve.low + moved,
        curve.high + moved,
        avoided,
        curve.avoided_low + shifted,
        curve.avoided_high + shifted,
    )


def _thresholds(thresholds: ArrayLike) -> Floats:
    t = np.atleast_1d(np.asarray(thresholds, dtype=np.float64))
    if not ((t > 0) & (t < 1)).all():
        raise ValueError("threshold probabilities must be above 0 and below 1")
    return t


def net_benefit_difference(
    outcome: ArrayLike,
    probability_a: ArrayLike,
    probability_b: ArrayLike,
    threshold: float,
    confidence: float = 0.95,
    cluster: ArrayLike | None = None,
) -> Difference:
    """Difference in net benefit of two models of the same patients at one threshold.

    Parameters
    ----------
    outcome : array_like, (n,)
        1 = cured.
    probability_a, probability_b : array_like, (n,)
        Predicted probabilities of cure of both models.
    threshold : float
        Threshold probability, above 0 and below 1.
    confidence : float
        Confidence level.
    cluster : array_like, (n,), optional
        Patient of each prediction, if some have several; intervals then count patients.

    Returns
    -------
    Difference
        Paired t test.

    Raises
    ------
    NotEstimableError
        As `differences.paired_mean`.

    Examples
    --------
    >>> found = net_benefit_difference([1, 1, 0, 0], [0.9, 0.8, 0.3, 0.6], [0.9, 0.4, 0.3, 0.2], 0.5)
    >>> found.difference, round(found.p_value, 3)
    (0.0, 1.0)
    """
    gain = net_benefit_gains(outcome, probability_a, probability_b, threshold)
    return differences.paired_mean(gain, confidence, cluster)


def net_benefit_gains(
    outcome: ArrayLike, probability_a: ArrayLike, probability_b: ArrayLike, threshold: float
) -> Floats:
    """Each patient's difference in net benefit, (n,), as in `net_benefit_difference`.

    Examples
    --------
    >>> net_benefit_gains([1, 0], [0.9, 0.2], [0.4, 0.7], 0.5)
    array([1., 1.])
    """
    y, a = inputs.read(outcome, probability_a)
    b = inputs.probability_array(probability_b, y.size)
    t = float(_thresholds(threshold)[0])
    return np.asarray(contributions(y, a >= t, t) - contributions(y, b >= t, t))


def brier_difference(
    outcome: ArrayLike,
    probability_a: ArrayLike,
    probability_b: ArrayLike,
    confidence: float = 0.95,
    cluster: ArrayLike | None = None,
) -> Difference:
    """Difference in Brier score of two models of the same patients; below 0 if a is better.

    Parameters
    ----------
    outcome, probability_a, probability_b, confidence, cluster
        As in `net_benefit_difference`.

    Returns
    -------
    Difference
        Paired t test.

    Raises
    ------
    NotEstimableError
        As `differences.paired_mean`.

    Examples
    --------
    >>> found = brier_difference([1, 1, 0, 0], [0.9, 0.8, 0.3, 0.1], [0.5, 0.4, 0.4, 0.2])
    >>> round(found.difference, 3)
    -0.165
    """
    gain = brier_gains(outcome, probability_a, probability_b)
    return differences.paired_mean(gain, confidence, cluster)


def brier_gains(outcome: ArrayLike, probability_a: ArrayLike, probability_b: ArrayLike) -> Floats:
    """Each patient's difference in squared error, (n,), as in `brier_difference`.

    Examples
    --------
    >>> brier_gains([1, 0], [0.9, 0.2], [0.4, 0.2]).round(2)
    array([-0.35,  0.  ])
    """
    y, a = inputs.read(outcome, probability_a)
    b = inputs.probability_array(probability_b, y.size)
    return np.asarray(losses.squared_errors(y, a) - losses.squared_errors(y, b))
