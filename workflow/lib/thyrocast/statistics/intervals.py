"""Intervals in closed form: the interval of a proportion, and quantiles of normal and t."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from thyrocast.statistics.inputs import Floats, NotEstimableError

#: Scale on which a standard error is given.
Scale = Literal["identity", "log", "logit"]


class Interval(NamedTuple):
    """An estimate with its confidence interval.

    Attributes
    ----------
    estimate, low, high : float
        Estimate and confidence limits, on the scale of the metric.
    method : str
        Name of the method.
    std_error : float or None
        Standard error on `scale`; None if the interval does not come from a standard error.
    scale : {"identity", "log", "logit"} or None
        Scale of the standard error; None without one. The interval itself need not be symmetric there.
    """

    estimate: float
    low: float
    high: float
    method: str
    std_error: float | None = None
    scale: Scale | None = None


def tail(confidence: float) -> float:
    """Probability beyond each limit of an interval.

    Parameters
    ----------
    confidence : float
        Confidence level, above 0 and below 1.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If the confidence is not between 0 and 1, such as 95.

    Examples
    --------
    >>> round(tail(0.95), 3)
    0.025
    """
    if not 0 < confidence < 1:
        raise ValueError(f"a confidence level must be between 0 and 1, not {confidence:g}")
    return (1 - confidence) / 2


def normal_quantile(confidence: float) -> float:
    """Two-sided quantile of the standard normal distribution.

    Parameters
    ----------
    confidence : float
        Confidence level, above 0 and below 1.

    Returns
    -------
    float

    Examples
    --------
    >>> round(normal_quantile(0.95), 2)
    1.96
    """
    return -float(special.ndtri(tail(confidence)))


def t_quantile(confidence: float, degrees: float) -> float:
    """Two-sided quantile of Student's t distribution.

    Parameters
    ----------
    confidence : float
        Confidence level, above 0 and below 1.
    degrees : float
        Degrees of freedom.

    Returns
    -------
    float

    Examples
    --------
    >>> round(t_quantile(0.95, 10), 3)
    2.228
    """
    return -float(special.stdtrit(degrees, tail(confidence)))


def normal_p_value(z: float) -> float:
    """Two-sided p value of a standard normal statistic.

    Parameters
    ----------
    z : float
        Statistic.

    Returns
    -------
    float

    Examples
    --------
    >>> round(normal_p_value(1.96), 3)
    0.05
    """
    return float(2 * special.ndtr(-abs(z)))


def t_p_value(t: float, degrees: float) -> float:
    """Two-sided p value of a statistic with Student's t distribution.

    Parameters
    ----------
    t : float
        Statistic.
    degrees : float
        Degrees of freedom.

    Returns
    -------
    float

    Examples
    --------
    >>> round(t_p_value(2.228, 10), 3)
    0.05
    """
    return float(2 * special.stdtr(degrees, -abs(t)))


def wilson(successes: int, n: int, confidence: float = 0.95) -> Interval:
    """Wilson's score interval of a proportion, without continuity correction.

    Parameters
    ----------
    successes : int
        From 0 to `n`.
    n : int
        Patients.
    confidence : float
        Confidence level.

    Returns
    -------
    Interval
        Without a standard error.

    Raises
    ------
    NotEstimableError
        If `n` is 0.
    ValueError
        If `successes` is not from 0 to `n`.

    Notes
    -----
    Wilson, J Am Stat Assoc 1927;22:209. Coverage of 95 % intervals of sensitivity, specificity,
    predictive values and accuracy: 93.6-97.9 %.

    Examples
    --------
    >>> found = wilson(9, 12)
    >>> round(found.estimate, 2), round(found.low, 3), round(found.high, 3)
    (0.75, 0.468, 0.911)
    """
    if n == 0:
        raise NotEstimableError("the proportion has no patients in its denominator")
    if not 0 <= successes <= n:
        raise ValueError(f"{successes} of {n} is not a proportion")
    low, high = _wilson_limits(np.array(successes / n), n, confidence)
    return Interval(successes / n, float(low), float(high), "wilson")


def _wilson_limits(share: Floats, n: int, confidence: float) -> tuple[Floats, Floats]:
    """Wilson's limits of shares of `n` patients, of the shape of `share`."""
    z = normal_quantile(confidence)
    denominator = 1 + z * z / n
    middle = (share + z * z / (2 * n)) / denominator
    half = z * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / denominator
    # At 0 and 1, rounding errors could put a limit on the wrong side of the estimate.
    low, high = np.where(share <= 0, 0.0, middle - half), np.where(share >= 1, 1.0, middle + half)
    return low, high


def weighted_difference(
    gained: ArrayLike, lost: ArrayLike, n: int, weight: ArrayLike, confidence: float = 0.95
) -> tuple[Floats, Floats]:
    """Limits of gained - weight x lost, two exclusive shares of the same patients.

    Each limit combines those of Wilson's intervals of both shares, with the correlation of two shares of
    a multinomial sample (MOVER): unlike a t interval it is not symmetric, as the estimate is not.

    Parameters
    ----------
    gained, lost : array_like, (m,)
        Shares of the patients; each patient is in one of them, or in none.
    n : int
        Patients.
    weight : array_like, (m,)
        Weight of a lost patient, above 0.
    confidence : float
        Confidence level.

    Returns
    -------
    low, high : ndarray of float, (m,)
        From -`weight` to 1.

    Notes
    -----
    Zou and Donner, Stat Med 2008;27:1693; for equal weights Newcombe, Stat Med 1998;17:2635.

    Examples
    --------
    >>> low, high = weighted_difference([0.6], [0.2], 50, [1.5])
    >>> low.round(3), high.round(3)
    (array([-0.001]), array([0.529]))
    """
    a, b, w = (np.asarray(values, dtype=np.float64) for values in (gained, lost, weight))
    (a_low, a_high), (b_low, b_high) = (_wilson_limits(share, n, confidence) for share in (a, b))
    spread = a * (1 - a) * b * (1 - b)
    shared = np.where(spread > 0, a * b / np.sqrt(np.where(spread > 0, spread, 1.0)), 0.0)

    def reach(one: Floats, other: Floats) -> Floats:
        # Shares of one sample are negatively correlated, and a difference has the greater variance.
        square = one**2 + other**2 + 2 * shared * one * other
        return np.asarray(np.sqrt(np.maximum(square, 0.0)))

    middle = a - w * b
    low = middle - reach(a - a_low, w * (b_high - b))
    high = middle + reach(a_high - a, w * (b - b_low))
    return np.maximum(low, -w), np.minimum(high, 1.0)
