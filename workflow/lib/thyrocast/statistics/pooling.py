"""Random-effects pooling of the centers' estimates, with the interval for a new center."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import optimize, special

from thyrocast.statistics import intervals
from thyrocast.statistics.inputs import Floats, NotEstimableError

METHODS = ("reml", "paule_mandel")
INTERVALS = ("hartung_knapp", "hartung_knapp_truncated", "normal")


class Pooled(NamedTuple):
    """Random-effects summary of k centers, on the scale of the effects.

    Attributes
    ----------
    estimate, error, low, high : float
        Mean over centers, its standard error and confidence limits.
    prediction_low, prediction_high : float
        Limits of the prediction interval of a new center.
    tau2 : float
        Variance between centers.
    i2 : float
        Share of the variation that is between centers, in percent.
    q, q_p : float
        Cochran's Q and its p value.
    k : int
        Number of centers.
    p_value : float
        P value of the null hypothesis that the mean is 0.
    weights : ndarray of float, (k,)
        Weight of each center; they add up to 1.
    """

    estimate: float
    error: float
    low: float
    high: float
    prediction_low: float
    prediction_high: float
    tau2: float
    i2: float
    q: float
    q_p: float
    k: int
    p_value: float
    weights: Floats


def pool(
    effect: ArrayLike,
    variance: ArrayLike,
    method: str = "reml",
    *,
    interval: str = "hartung_knapp",
    confidence: float = 0.95,
) -> Pooled:
    """Pool the centers' effects.

    Parameters
    ----------
    effect, variance : array_like, (k,)
        On a scale where the effects are about normal (logit AUC, log O/E, slope).
    method : {"reml", "paule_mandel"}
        Estimator of the variance between centers.
    interval : {"hartung_knapp", "hartung_knapp_truncated", "normal"}
        Hartung and Knapp's interval (t, with an empirical variance); the same with a variance that
        is not smaller than that of the normal interval, because the first has almost
        no width if a few centers agree by chance (metafor's ``test = "adhoc"``); or the normal
        interval.
    confidence : float
        Confidence level.

    Returns
    -------
    Pooled
        The prediction interval uses t with k - 1 degrees of freedom with Hartung-Knapp and the
        normal distribution otherwise, as R's metafor does.

    Raises
    ------
    NotEstimableError
        With fewer than two centers, or with Hartung-Knapp if all effects are identical.
    ValueError
        If an effect is not finite or a variance is not above 0.

    Notes
    -----
    Coverage is in docs/statistics.md. The prediction interval covers a new center less often if
    the centers differ: few centers give little information on their spread.

    Viechtbauer, J Educ Behav Stat 2005;30:261; Paule and Mandel, J Res Natl Bur Stand
    1982;87:377; Hartung and Knapp, Stat Med 2001;20:3875; IntHout et al., BMJ Open 2016;6:e010247.

    Examples
    --------
    >>> found = pool([0.2, 0.9, 1.4, 0.1], [0.05, 0.04, 0.06, 0.05])
    >>> round(found.estimate, 3), round(found.tau2, 3), round(found.i2, 1)
    (0.647, 0.318, 86.6)
    """
    y, v = _check(effect, variance, method, interval)
    k = y.size
    tau2 = _reml(y, v) if method == "reml" else _paule_mandel(y, v)
    w = 1 / (v + tau2)
    estimate = float(w @ y / w.sum())
    error = 1 / math.sqrt(w.sum())
    if interval == "normal":
        quantile = intervals.normal_quantile(confidence)
        p_value = intervals.normal_p_value(estimate / error)
    else:
        scale = float(w @ (y - estimate) ** 2) / (k - 1)
        error *= math.sqrt(max(scale, 1.0) if interval == "hartung_knapp_truncated" else scale)
        if error == 0:
            raise NotEstimableError(
                "the centers' estimates are identical: Hartung-Knapp has no width"
            )
        quantile = intervals.t_quantile(confidence, k - 1)
        p_value = intervals.t_p_value(estimate / error, k - 1)
    reach = quantile * math.sqrt(tau2 + error**2)
    q = _q(y, v, 0.0)
    fixed = 1 / v
    typical = (k - 1) / (fixed.sum() - (fixed**2).sum() / fixed.sum())
    return Pooled(
        estimate,
        error,
        estimate - quantile * error,
        estimate + quantile * error,
        estimate - reach,
        estimate + reach,
        tau2,
        float(100 * tau2 / (tau2 + typical)),
        q,
        float(special.chdtrc(k - 1, q)),
        k,
        p_value,
        w / w.sum(),
    )


def _check(
    effect: ArrayLike, variance: ArrayLike, method: str, interval: str
) -> tuple[Floats, Floats]:
    """Check the arguments of `pool`; return effects and variances as arrays, (k,)."""
    y = np.asarray(effect, dtype=np.float64)
    v = np.asarray(variance, dtype=np.float64)
    if y.ndim != 1 or y.shape != v.shape:
        raise ValueError(f"effects {y.shape} and variances {v.shape} must be (k,) both")
    if not (np.isfinite(y).all() and np.isfinite(v).all() and (v > 0).all()):
        raise ValueError("effects must be finite, and variances finite and above 0")
    if method not in METHODS:
        raise ValueError(f"unknown method {method!r}, expected one of {', '.join(METHODS)}")
    if interval not in INTERVALS:
        raise ValueError(f"unknown interval {interval!r}, expected one of {', '.join(INTERVALS)}")
    if y.size < 2:
        raise NotEstimableError(f"pooling needs at least two centers, found {y.size}")
    return y, v


def _q(y: Floats, v: Floats, tau2: float) -> float:
    w = 1 / (v + tau2)
    mean = w @ y / w.sum()
    return float(w @ (y - mean) ** 2)


def _paule_mandel(y: Floats, v: Floats) -> float:
    """The tau² at which the generalized Q is k - 1; 0 if Q is smaller already at tau² = 0."""
    expected = y.size - 1
    if _q(y, v, 0.0) <= expected:
        return 0.0
    upper = float(np.ptp(y) ** 2 + v.max())
    while _q(y, v, upper) > expected:
        upper *= 2
    root = optimize.brentq(lambda tau2: _q(y, v, tau2) - expected, 0.0, upper, xtol=1e-14)
    return float(root)


def _reml(y: Floats, v: Floats) -> float:
    """Global maximum of the restricted likelihood over tau² >= 0.

    The likelihood may have two maxima. A grid finds the higher one; Brent's method refines it.
    """

    def slope(tau2: float) -> float:
        w = 1 / (v + tau2)
        mean = w @ y / w.sum()
        return 0.5 * float(w.sum() - (w**2).sum() / w.sum() - (w**2) @ (y - mean) ** 2)

    upper = 10 * float(np.ptp(y) ** 2 + v.max())
    grid = np.concatenate([[0.0], np.geomspace(1e-8 * upper, upper, 200)])
    total = v + grid[:, None]
    w = 1 / total
    mean = (w @ y / w.sum(axis=1))[:, None]
    minus = np.log(total).sum(axis=1) + np.log(w.sum(axis=1)) + (w * (y - mean) ** 2).sum(axis=1)
    best = int(np.argmin(minus))
    low, high = grid[max(best - 1, 0)], grid[min(best + 1, grid.size - 1)]
    if slope(low) >= 0:
        return 0.0 if best == 0 else float(low)
    return float(optimize.brentq(slope, low, high, xtol=1e-15, rtol=1e-14))


def common_variance(variance: ArrayLike, n: ArrayLike) -> Floats:
    """Variances of means over patients, from one variance between patients for all centers.

    A mean of few patients and its own variance are correlated: a center in which nobody is treated has a
    net benefit of 0 with a variance of 0, and weights from such variances pull the mean of the centers
    towards these. With a common variance, weights depend on the numbers of patients alone.

    Parameters
    ----------
    variance : array_like, (k,)
        Variance of the mean of each center, 0 or above.
    n : array_like, (k,)
        Patients of each center, at least two.

    Returns
    -------
    ndarray of float, (k,)

    Raises
    ------
    NotEstimableError
        If patients differ in no center.

    Examples
    --------
    >>> common_variance([0.02, 0.0], [10, 20]).round(4)
    array([0.0064, 0.0032])
    """
    v, size = np.asarray(variance, dtype=np.float64), np.asarray(n, dtype=np.float64)
    if v.size == 0 or not (v > 0).any():
        raise NotEstimableError("patients do not differ in any center")
    between_patients = float((size - 1) @ (v * size) / (size - 1).sum())
    return np.asarray(between_patients / size, dtype=np.float64)


def leave_one_out(
    effect: ArrayLike,
    variance: ArrayLike,
    method: str = "reml",
    *,
    interval: str = "hartung_knapp",
    confidence: float = 0.95,
) -> list[Pooled | None]:
    """Pooled result without each center in turn: the influence of single centers.

    Parameters
    ----------
    effect, variance, method, interval, confidence
        As in `pool`.

    Returns
    -------
    list of Pooled or None, (k,)
        None where the others cannot be pooled, such as with fewer than three centers.

    Examples
    --------
    >>> without = leave_one_out([0.5, 0.52, 3.0], [0.01, 0.01, 0.01])
    >>> [round(one.estimate, 2) for one in without]
    [1.76, 1.75, 0.51]
    """
    y, v = np.asarray(effect, dtype=np.float64), np.asarray(variance, dtype=np.float64)
    found: list[Pooled | None] = []
    for index in range(y.size):
        rest = np.arange(y.size) != index
        try:
            found.append(pool(y[rest], v[rest], method, interval=interval, confidence=confidence))
        except NotEstimableError:
            found.append(None)
    return found
