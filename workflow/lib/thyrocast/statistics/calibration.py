"""Whether probabilities agree with outcomes: intercepts, slope, ratio and scores.

Coverage of 95 % intervals, for a model with a slope of 0.8: calibration in the large 94.0-95.9 %,
slope 94.3-96.9 %, intercept 94.1-96.4 %, Brier score 93.9-96.7 %, scaled Brier score 94.0-96.3 %, log
loss 92.7-96.2 %, lowest at n = 50; observed/expected is in docs/statistics.md.

In every function, `cluster` is the patient of each prediction, (n,). The interval then counts
patients, not predictions.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from thyrocast.statistics import influence, inputs, intervals, logistic, losses
from thyrocast.statistics.inputs import NOTHING_EXPECTED, Booleans, Floats, NotEstimableError
from thyrocast.statistics.intervals import Interval

#: Largest change of calibration in the large, in standard errors, if probabilities of 0 or 1 are clipped
#: ten times further inside. If all are 0 or 1, the clipping alone decides the estimate.
MOST_MOVED = 0.1


def in_the_large(
    outcome: ArrayLike,
    probability: ArrayLike,
    confidence: float = 0.95,
    cluster: ArrayLike | None = None,
) -> Interval:
    """Calibration in the large: intercept of a logistic model with the logit as offset.

    0 is ideal; above 0 more patients were cured than predicted. It is a separate model. The
    Intercept of rms's val.prob is that of the joint model (`intercept`).

    Parameters
    ----------
    outcome, probability : array_like, (n,)
        1 = cured; predicted probability of cure.
    confidence : float
        Confidence level.
    cluster : array_like, (n,), optional
        Patient of each prediction.

    Returns
    -------
    Interval
        Method ``sandwich_t``, or ``sandwich_t_by_patient``. The sandwich variance does not assume
        that the slope is 1.

    Raises
    ------
    NotEstimableError
        If one outcome is missing, or so many probabilities are 0 or 1 (nearer than `inputs.EDGE`)
        that the estimate depends on the value that replaces their infinite logit.

    Examples
    --------
    >>> round(in_the_large([1, 1, 1, 0], [0.5, 0.5, 0.5, 0.5]).estimate, 3)
    1.099
    """
    y, p = inputs.read(outcome, probability)
    inputs.require_both(y, "calibration in the large")
    same = np.arange(y.size) if cluster is None else np.asarray(cluster)
    constant, logits = np.ones((y.size, 1)), inputs.logit(p)
    fit = logistic.fit(constant, y, offset=logits, cluster=same)
    estimate, error = float(fit.coefficients[0]), math.sqrt(fit.covariance[0, 0])
    certain = _certain(p)
    if certain.any():
        nearer = np.where(certain, logits - np.sign(logits) * math.log(10), logits)
        if abs(logistic.solve(constant, y, offset=nearer)[0] - estimate) > MOST_MOVED * error:
            raise NotEstimableError(
                f"{certain.sum()} of {p.size} probabilities are 0 or 1: calibration in the large would "
                "depend on how they are clipped"
            )
    units = y.size if cluster is None else len(np.unique(same))
    half = intervals.t_quantile(confidence, units - 1) * error
    method = "sandwich_t" if cluster is None else "sandwich_t_by_patient"
    return Interval(estimate, estimate - half, estimate + half, method, error, "identity")


def slope(
    outcome: ArrayLike,
    probability: ArrayLike,
    confidence: float = 0.95,
    cluster: ArrayLike | None = None,
) -> Interval:
    """Calibration slope: coefficient of the logit, with a free intercept. 1 is ideal.

    Parameters
    ----------
    outcome, probability, confidence, cluster
        As in `in_the_large`.

    Returns
    -------
    Interval
        Method ``wald``, or ``wald_by_patient`` with the sandwich variance.

    Raises
    ------
    NotEstimableError
        If one outcome is missing, all probabilities are equal, the outcome is separated, or a
        probability is 0 or 1 (nearer than `inputs.EDGE`). The slope then depends on the value that
        replaces the infinite logit, and no variance is right: with 2 to 24 % of such probabilities
        Wald intervals cover 58-96 %, sandwich intervals 66-98 %.

    Examples
    --------
    >>> y, p = [1, 0, 1, 0, 1, 0], [0.8, 0.6, 0.7, 0.3, 0.4, 0.2]
    >>> round(slope(y, p).estimate, 3)
    1.742
    """
    return _wald(_joint(outcome, probability, cluster), 1, confidence, cluster)


def intercept(
    outcome: ArrayLike,
    probability: ArrayLike,
    confidence: float = 0.95,
    cluster: ArrayLike | None = None,
) -> Interval:
    """Intercept of the joint model of intercept and slope (val.prob's Intercept). 0 is ideal.

    Parameters
    ----------
    outcome, probability, confidence, cluster
        As in `in_the_large`.

    Returns
    -------
    Interval
        As in `slope`.

    Raises
    ------
    NotEstimableError
        As `slope`.

    Examples
    --------
    >>> y, p = [1, 0, 1, 0, 1, 0], [0.8, 0.6, 0.7, 0.3, 0.4, 0.2]
    >>> round(intercept(y, p).estimate, 3)
    0.0
    """
    return _wald(_joint(outcome, probability, cluster), 0, confidence, cluster)


def _joint(outcome: ArrayLike, probability: ArrayLike, cluster: ArrayLike | None) -> logistic.Fit:
    y, p = inputs.read(outcome, probability)
    inputs.require_both(y, "the calibration slope")
    certain = _certain(p)
    if certain.any():
        raise NotEstimableError(
            f"{certain.sum()} of {p.size} probabilities are 0 or 1: the calibration slope would depend on "
            "how they are clipped"
        )
    x = inputs.logit(p)
    if np.ptp(x) < 1e-12:
        raise NotEstimableError("the calibration slope needs probabilities that differ")
    if x[y].min() >= x[~y].max() or x[y].max() <= x[~y].min():
        raise NotEstimableError("the outcome is separated: no finite calibration slope")
    same = None if cluster is None else np.asarray(cluster)
    return logistic.fit(np.stack([np.ones_like(x), x], axis=1), y, cluster=same)


def _certain(p: Floats) -> Booleans:
    """Which probabilities are 0 or 1, (n,)."""
    return np.asarray((p < inputs.EDGE) | (p > 1 - inputs.EDGE))


def _wald(fit: logistic.Fit, index: int, confidence: float, cluster: ArrayLike | None) -> Interval:
    estimate = float(fit.coefficients[index])
    error = math.sqrt(fit.covariance[index, index])
    half = intervals.normal_quantile(confidence) * error
    method = "wald" if cluster is None else "wald_by_patient"
    return Interval(estimate, estimate - half, estimate + half, method, error, "identity")


def observed_expected(
    outcome: ArrayLike,
    probability: ArrayLike,
    confidence: float = 0.95,
    cluster: ArrayLike | None = None,
) -> Interval:
    """Ratio of observed to expected cures, with a t interval on the logit scale (delta method).

    Both numbers are random. The scale is the logit of the observed proportion, which few cured and few
    not cured patients limit alike; on the log scale the interval covers 91-93 % if 12 of 121 patients
    are not cured. If nobody or everybody was cured, the interval is Wilson's of the observed
    proportion, divided by the expected one.

    Parameters
    ----------
    outcome, probability, confidence, cluster
        As in `in_the_large`.

    Returns
    -------
    Interval
        Method ``logit_t``, ``logit_t_by_patient`` or ``wilson``. `std_error` is on the log scale, for
        pooling; with ``wilson`` it is that of `half_a_patient_inside`.

    Raises
    ------
    NotEstimableError
        If all probabilities are 0, or nobody or everybody was cured and predictions are clustered.

    Examples
    --------
    >>> round(observed_expected([1, 1, 1, 0], [0.9, 0.5, 0.4, 0.2]).estimate, 3)
    1.5
    """
    y, p = inputs.read(outcome, probability)
    observed, expected = float(y.mean()), float(p.mean())
    if expected < NOTHING_EXPECTED:
        raise NotEstimableError("observed/expected cannot be computed: all probabilities are 0")
    if observed in (0, 1):
        if cluster is not None:
            raise NotEstimableError("nobody or everybody was cured")
        share = intervals.wilson(int(y.sum()), y.size, confidence)
        ratio, low, high = (value / expected for value in share[:3])
        _, error = half_a_patient_inside(int(y.sum()), y.size)
        return Interval(ratio, low, high, "wilson", error, "log")
    ratio = observed / expected
    error, degrees = influence.standard_error(y - ratio * p, cluster)
    half = intervals.t_quantile(confidence, degrees) * error / (observed * (1 - observed))
    middle = math.log(observed / (1 - observed))
    low, high = (float(logistic.expit(middle + sign * half)) / expected for sign in (-1, 1))
    method = "logit_t" if cluster is None else "logit_t_by_patient"
    return Interval(ratio, low, high, method, error / observed, "log")


def half_a_patient_inside(cured: int, n: int) -> tuple[float, float]:
    """Move a count of 0 or `n` cured patients inside by half a patient; with the error of its log.

    Parameters
    ----------
    cured : int
        0 or `n`.
    n : int
        Patients.

    Returns
    -------
    observed : float
        0.5 or `n` - 0.5.
    error : float
        Binomial standard error of log(`observed`).

    Examples
    --------
    >>> observed, error = half_a_patient_inside(0, 40)
    >>> observed, round(error, 3)
    (0.5, 1.405)
    """
    observed = 0.5 if cured == 0 else n - 0.5
    return observed, math.sqrt((1 - observed / n) / observed)


def brier(
    outcome: ArrayLike,
    probability: ArrayLike,
    confidence: float = 0.95,
    cluster: ArrayLike | None = None,
) -> Interval:
    """Brier score, the mean squared difference between outcome and probability.

    Parameters
    ----------
    outcome, probability, confidence, cluster
        As in `in_the_large`.

    Returns
    -------
    Interval
        Student's t on the log scale.

    Raises
    ------
    NotEstimableError
        With fewer than two patients.

    Examples
    --------
    >>> round(brier([1, 0, 1, 0], [0.8, 0.4, 0.6, 0.2]).estimate, 3)
    0.1
    """
    squared = losses.squared_errors(*inputs.read(outcome, probability))
    return influence.interval(float(squared.mean()), squared, confidence, cluster, log=True)


def scaled_brier(
    outcome: ArrayLike,
    probability: ArrayLike,
    confidence: float = 0.95,
    cluster: ArrayLike | None = None,
) -> Interval:
    """1 - Brier score / Brier score of the observed prevalence; 1 is perfect, 0 is useless.

    Parameters
    ----------
    outcome, probability, confidence, cluster
        As in `in_the_large`.

    Returns
    -------
    Interval
        Student's t by the delta method; the prevalence is random as well.

    Raises
    ------
    NotEstimableError
        If one outcome is missing.

    Examples
    --------
    >>> round(scaled_brier([1, 0, 1, 0], [0.8, 0.4, 0.6, 0.2]).estimate, 3)
    0.6
    """
    y, p = inputs.read(outcome, probability)
    inputs.require_both(y, "the scaled Brier score")
    squared, prevalence = losses.squared_errors(y, p), y.mean()
    reference = prevalence * (1 - prevalence)
    ratio = float(squared.mean() / reference)
    effect = ratio * (1 - 2 * prevalence) * (y - prevalence) - squared
    return influence.interval(1 - ratio, effect / reference, confidence, cluster)


def log_loss(
    outcome: ArrayLike,
    probability: ArrayLike,
    confidence: float = 0.95,
    cluster: ArrayLike | None = None,
) -> Interval:
    """Mean negative log likelihood, in nats; probabilities are clipped to 1e-6 and 1 - 1e-6.

    Parameters
    ----------
    outcome, probability, confidence, cluster
        As in `in_the_large`.

    Returns
    -------
    Interval
        Student's t on the log scale.

    Raises
    ------
    NotEstimableError
        With fewer than two patients.

    Examples
    --------
    >>> round(log_loss([1, 0, 1, 0], [0.8, 0.4, 0.6, 0.2]).estimate, 3)
    0.367
    """
    loss = losses.log_losses(*inputs.read(outcome, probability))
    return influence.interval(float(loss.mean()), loss, confidence, cluster, log=True)


def spiegelhalter(outcome: ArrayLike, probability: ArrayLike) -> tuple[float, float]:
    """Spiegelhalter's test of calibration.

    Parameters
    ----------
    outcome, probability : array_like, (n,)
        1 = cured; predicted probability of cure.

    Returns
    -------
    z : float
        Standard normal if the model is calibrated.
    p_value : float
        Two-sided.

    Raises
    ------
    NotEstimableError
        If all probabilities are 0, 0.5 or 1.

    Notes
    -----
    Spiegelhalter, Stat Med 1986;5:421.

    Examples
    --------
    >>> z, p_value = spiegelhalter([1, 0, 1, 0], [0.8, 0.4, 0.6, 0.2])
    >>> round(z, 3), round(p_value, 3)
    (-1.091, 0.275)
    """
    y, p = inputs.read(outcome, probability)
    variance = float(np.sum((1 - 2 * p) ** 2 * p * (1 - p)))
    if variance <= 0:
        raise NotEstimableError("Spiegelhalter's test needs probabilities other than 0, 0.5 and 1")
    z = float(np.sum((y - p) * (1 - 2 * p))) / math.sqrt(variance)
    return z, intervals.normal_p_value(z)
