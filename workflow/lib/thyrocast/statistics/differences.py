"""Difference of two models with its interval and test."""

from __future__ import annotations

import math
from typing import NamedTuple

from numpy.typing import ArrayLike

from thyrocast.statistics import influence, intervals
from thyrocast.statistics.inputs import Floats, NotEstimableError


class Difference(NamedTuple):
    """Difference a - b of two models with its interval and test.

    Attributes
    ----------
    difference : float
        Estimate of model a minus that of model b.
    low, high : float or None
        Confidence limits; None for a test without an interval.
    p_value : float
        Two-sided.
    """

    difference: float
    low: float | None
    high: float | None
    p_value: float


def normal(difference: float, variance: float, confidence: float) -> Difference:
    """Interval and two-sided test of a difference with a normal distribution.

    Parameters
    ----------
    difference : float
        Estimate.
    variance : float
        Its variance; 0 is allowed only for a difference of 0, which then has a p value of 1.
    confidence : float
        Confidence level.

    Returns
    -------
    Difference

    Raises
    ------
    NotEstimableError
        If the variance is 0 and the difference is not.

    Examples
    --------
    >>> round(normal(0.2, 0.01, 0.95).p_value, 3)
    0.046
    """
    if variance < 1e-24:
        if abs(difference) > 1e-12:
            raise NotEstimableError(
                "the difference has no variance in these patients, so it cannot be tested"
            )
        return Difference(0.0, 0.0, 0.0, 1.0)
    error = math.sqrt(variance)
    half = intervals.normal_quantile(confidence) * error
    p_value = intervals.normal_p_value(difference / error)
    return Difference(difference, difference - half, difference + half, p_value)


def paired_mean(
    values: Floats, confidence: float = 0.95, cluster: ArrayLike | None = None
) -> Difference:
    """Mean of paired differences with Student's t interval and test.

    Parameters
    ----------
    values : ndarray of float, (n,)
        Differences.
    confidence : float
        Confidence level.
    cluster : array_like, (n,), optional
        Patient of each difference, if some have several; intervals then count patients.

    Returns
    -------
    Difference

    Raises
    ------
    NotEstimableError
        With fewer than two patients, or differences that are equal but not 0.

    Examples
    --------
    >>> import numpy as np
    >>> found = paired_mean(np.array([0.1, 0.3, 0.2, 0.4]))
    >>> round(found.difference, 2), round(found.p_value, 3)
    (0.25, 0.03)
    """
    mean = float(values.mean())
    error, degrees = influence.standard_error(values, cluster)
    if error < 1e-15:
        if abs(mean) > 1e-15:
            raise NotEstimableError(
                "the difference is equal in all patients: without variance it cannot be tested"
            )
        return Difference(0.0, 0.0, 0.0, 1.0)
    half = intervals.t_quantile(confidence, degrees) * error
    p_value = intervals.t_p_value(mean / error, degrees)
    return Difference(mean, mean - half, mean + half, p_value)
