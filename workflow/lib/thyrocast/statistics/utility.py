"""Decision curves: what a model is worth to those who act on it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from thyrocast.statistics import influence, inputs, intervals, smoothing
from thyrocast.statistics.discrimination import Difference
from thyrocast.statistics.inputs import Booleans, Floats, NotEstimableError


class DecisionCurve(NamedTuple):
    """Net benefit at each threshold probability with a pointwise band; each (m,).

    ``avoided`` is the net reduction of interventions against treating all, per 100 patients, with
    its own band.
    """

    threshold: Floats
    net_benefit: Floats
    low: Floats
    high: Floats
    avoided: Floats
    avoided_low: Floats
    avoided_high: Floats


def contributions(outcome: Booleans, chosen: Booleans, threshold: float) -> Floats:
    """Each patient's share of the net benefit, (n,): 1, -odds of the threshold, or 0."""
    odds = threshold / (1 - threshold)
    return np.where(chosen, np.where(outcome, 1.0, -odds), 0.0)


def net_benefit(
    outcome: ArrayLike,
    probability: ArrayLike,
    thresholds: ArrayLike,
    confidence: float = 0.95,
    cluster: ArrayLike | None = None,
) -> DecisionCurve:
    """Decision curve of a model; a patient is treated at a probability at or above the threshold.

    Net benefit = true positives / n - false positives / n x threshold / (1 - threshold). The
    interval is Student's t of the patients' contributions, prevalence being random as well.

    Parameters
    ----------
    probability : array_like, (n,)
        All 1 gives treat-all, all 0 treat-none.
    thresholds : array_like, (m,)
        Threshold probabilities, above 0 and below 1.
    cluster : array_like, (n,), optional
        Predictions of one patient, which the interval then counts as one.

    Notes
    -----
    Vickers and Elkin, Med Decis Making 2006;26:565. O((n + m) log n). Coverage of 95 % intervals:
    93.8-96.5 %; of those of the interventions avoided 93.2-96.1 % (threshold .6).
    """
    y = inputs.outcome_array(outcome)
    p = inputs.probability_array(probability, y.size)
    t = _thresholds(thresholds)
    odds = t / (1 - t)
    true, false = (
        (group.size - np.searchsorted(np.sort(group), t, side="left")) / y.size
        for group in (p[y], p[~y])
    )
    if y.size < 2:
        raise NotEstimableError("an interval of the net benefit needs at least two patients")
    # Who is spared: those who were not treated, the cured among them at a loss.
    spared, missed = 1 - y.mean() - false, y.mean() - true
    value, avoided = true - false * odds, spared - missed / odds
    if cluster is None:
        # The mean of the squares of contributions that are 1, -odds (or its inverse) or 0.
        squares = true + false * odds**2, spared + missed / odds**2
        errors = [
            np.sqrt(np.maximum(square - mean**2, 0) / (y.size - 1))
            for square, mean in zip(squares, (value, avoided), strict=True)
        ]
        degrees = y.size - 1
    else:
        gains = np.stack([contributions(y, p >= at, at) for at in t], axis=1)
        all_treated = np.where(y[:, None], 1.0, -odds)
        errors, units = [], 0
        for each, mean in ((gains, value), ((gains - all_treated) / odds, avoided)):
            sums = influence.cluster_sums(each - mean, cluster)
            units = len(sums)
            if units < 2:
                raise NotEstimableError(
                    "an interval of the net benefit needs at least two patients"
                )
            errors.append(np.sqrt((sums**2).sum(axis=0) / y.size**2 * units / (units - 1)))
        degrees = units - 1
    half, half_avoided = (intervals.t_quantile(confidence, degrees) * error for error in errors)
    band = (100 * (avoided - half_avoided), 100 * (avoided + half_avoided))
    return DecisionCurve(t, value, value - half, value + half, 100 * avoided, *band)


def smooth(curve: DecisionCurve, span: float = 0.2) -> DecisionCurve:
    """Smooth a decision curve over its thresholds by loess, as R's dcurves does when asked.

    The band moves with the curve and keeps its width.

    Raises
    ------
    NotEstimableError
        If there are too few thresholds for the span.
    """

    def smoothed(values: Floats) -> Floats:
        return smoothing.loess(curve.threshold, values, curve.threshold, span).value

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
        raise ValueError("threshold probabilities must lie above 0 and below 1")
    return t


def difference(
    outcome: ArrayLike,
    probability_a: ArrayLike,
    probability_b: ArrayLike,
    threshold: float,
    confidence: float = 0.95,
    cluster: ArrayLike | None = None,
) -> Difference:
    """Difference in net benefit of two models of the same patients at one threshold."""
    y = inputs.outcome_array(outcome)
    t = float(_thresholds(threshold)[0])
    a, b = (inputs.probability_array(p, y.size) for p in (probability_a, probability_b))
    gain = contributions(y, a >= t, t) - contributions(y, b >= t, t)
    return paired_mean(gain, confidence, cluster)


def brier_difference(
    outcome: ArrayLike,
    probability_a: ArrayLike,
    probability_b: ArrayLike,
    confidence: float = 0.95,
    cluster: ArrayLike | None = None,
) -> Difference:
    """Difference in Brier score of two models of the same patients (below 0: a is better)."""
    y = inputs.outcome_array(outcome)
    a, b = (inputs.probability_array(p, y.size) for p in (probability_a, probability_b))
    return paired_mean((y - a) ** 2 - (y - b) ** 2, confidence, cluster)


def paired_mean(
    values: Floats, confidence: float = 0.95, cluster: ArrayLike | None = None
) -> Difference:
    """Mean of paired differences with Student's t interval and test.

    Parameters
    ----------
    values : (n,)
    cluster : array_like, (n,), optional
        Differences of one patient, which count as one.

    Raises
    ------
    NotEstimableError
        With fewer than two patients, or differences that are equal but not 0.
    """
    mean = float(values.mean())
    error, degrees = influence.standard_error(values, cluster)
    method = "t_paired" if cluster is None else "t_paired_by_patient"
    if error < 1e-15:
        if abs(mean) > 1e-15:
            raise NotEstimableError("every patient differs alike: no spread to test with")
        return Difference(0.0, 0.0, 0.0, 1.0, method)
    half = intervals.t_quantile(confidence, degrees) * error
    p_value = intervals.t_p_value(mean / error, degrees)
    return Difference(mean, mean - half, mean + half, p_value, method)
