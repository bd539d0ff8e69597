"""Calibration curves: smooth and grouped, and their distance from the ideal."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from thyrocast.statistics import inputs, intervals, logistic
from thyrocast.statistics.inputs import Booleans, Floats, NotEstimableError
from thyrocast.statistics.intervals import Interval

#: Largest number of probabilities at which a drawn curve is compared with the ideal.
GRID = 200
#: Share of the values at an end from which the outer knot is placed inside.
_TIED = 0.05


class Curve(NamedTuple):
    """Observed frequency against predicted probability, with a pointwise band.

    Attributes
    ----------
    predicted, observed, low, high : ndarray of float, (m,)
        Predicted probability, estimated probability and its confidence limits.
    """

    predicted: Floats
    observed: Floats
    low: Floats
    high: Floats


class CalibrationGroup(NamedTuple):
    """Patients of similar predicted probability.

    Attributes
    ----------
    predicted : float
        Mean predicted probability.
    observed : Interval
        Share of cured patients with Wilson's interval.
    n, events : int
        Patients, and cured patients among them.
    """

    predicted: float
    observed: Interval
    n: int
    events: int


def spline_basis(x: Floats, knots: Floats) -> Floats:
    """Constant, x and restricted cubic spline terms, as Harrell's rcs.

    Parameters
    ----------
    x : ndarray of float, (n,)
        Values.
    knots : ndarray of float, (k,)
        Knots in increasing order; fewer than three give a straight line.

    Returns
    -------
    ndarray of float, (n, max(k, 2))
        Linear beyond the outer knots.

    Examples
    --------
    >>> spline_basis(np.array([-2.0, 0.5, 1.0]), np.array([-1.0, 0.0, 1.0])).round(3)
    array([[ 1.   , -2.   ,  0.   ],
           [ 1.   ,  0.5  ,  0.781],
           [ 1.   ,  1.   ,  1.5  ]])
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

    Parameters
    ----------
    x : ndarray of float, (n,)
        Logits.
    outcome : ndarray of bool, (n,)
        True = cured.

    Returns
    -------
    ndarray of float, (k,)
        Three knots if either outcome has fewer than 100 patients, otherwise four; one (a straight
        line) if ties make some knots equal.

    Notes
    -----
    Equal to `rcspline.eval` of R's Hmisc. Where 5 % of the values or more are tied at an end, such
    as clipped probabilities of 0 or 1, the outer knot is the next value inside, and the other knots
    are quantiles of the values between.

    Examples
    --------
    >>> knots(np.arange(11.0), np.arange(11) % 2 == 0)
    array([4., 5., 6.])
    """
    few = min(outcome.sum(), (~outcome).sum()) < 100
    count, outer = (3, 0.1) if few else (4, 0.05)
    inside, ends = _without_tied_ends(x)
    wanted = count - len(ends)
    if inside.size == 0:
        return ends[:1] if ends.size else x[:1]
    if wanted == 1:
        places = np.array([np.median(inside)])
    else:
        low = 0.5 if wanted == 2 else outer
        places = np.quantile(inside, np.linspace(low, 1 - outer, wanted))
        if 10 <= inside.size < 100:
            # The outer knots are at the fifth value from either end.
            ordered = np.sort(inside)
            if not (ends < ordered[0]).any():
                places[0] = ordered[4]
            if not (ends > ordered[-1]).any():
                places[-1] = ordered[-5]
    found = np.unique(np.concatenate([places, ends]))
    return found if found.size == count else found[:1]


def _without_tied_ends(x: Floats) -> tuple[Floats, Floats]:
    """Values between ends at which 5 % or more are tied, and the outer knots in place of such ends."""
    values, count = np.unique(x, return_counts=True)
    share = count / x.size
    ends: list[float] = []
    # As in rcspline.eval: only if no value in between is as frequent.
    if values.size < 5 or share[1:-1].max() >= _TIED:
        return x, np.array(ends)
    if share[0] >= _TIED:
        ends.append(float(values[1]))
        x = x[x > ends[-1]]
    if share[-1] >= _TIED:
        ends.append(float(values[-2]))
        x = x[x < ends[-1]]
    return x, np.array(ends)


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
    outcome, probability : array_like, (n,)
        1 = cured; predicted probability of cure.
    confidence : float
        Confidence level of the band.
    points : int
        Number of predicted probabilities at which the curve is computed, from the patients'
        lowest to their highest.
    cluster : array_like, (n,), optional
        Patient of each prediction, if some have several; intervals then count patients.

    Returns
    -------
    Curve
        m = `points`.

    Raises
    ------
    NotEstimableError
        With fewer than three patients of an outcome, equal probabilities or a separated outcome.

    Examples
    --------
    >>> y, p = [1, 0, 1, 0, 1, 0], [0.8, 0.6, 0.7, 0.3, 0.4, 0.2]
    >>> spline_curve(y, p, points=3).observed.round(2)
    array([0.08, 0.5 , 0.92])
    """
    y, p = inputs.read(outcome, probability)
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
        # Too few data for the spline terms: a straight line may still converge.
        return logistic.fit(spline_basis(x, places[:1]), y, cluster=same), places[:1]


def errors(curve: ArrayLike, probability: ArrayLike) -> dict[str, float]:
    """ICI, E50, E90 and Emax: mean, median, 90 % quantile and maximum of |curve - predicted|.

    Parameters
    ----------
    curve : array_like, (n,)
        Value of a calibration curve at each patient's probability.
    probability : array_like, (n,)
        The predicted probabilities.

    Returns
    -------
    dict
        Keys ``ici``, ``e50``, ``e90``, ``emax``.

    Notes
    -----
    Austin and Steyerberg, Stat Med 2019;38:4051.

    Examples
    --------
    >>> {k: round(v, 2) for k, v in errors([0.2, 0.5, 0.9], [0.3, 0.5, 0.7]).items()}
    {'ici': 0.1, 'e50': 0.1, 'e90': 0.18, 'emax': 0.2}
    """
    gap = np.abs(np.asarray(curve) - np.asarray(probability))
    e50, e90 = np.quantile(gap, (0.5, 0.9))
    return {
        "ici": float(gap.mean()),
        "e50": float(e50),
        "e90": float(e90),
        "emax": float(gap.max()),
    }


def error_intervals(
    outcome: ArrayLike,
    probability: ArrayLike,
    random: np.random.Generator,
    draws: int = 2000,
    confidence: float = 0.95,
    cluster: ArrayLike | None = None,
) -> dict[str, Interval]:
    """ICI, E50, E90 and Emax of the spline curve, with intervals by drawing curves.

    Curves are drawn from the normal distribution of the coefficients. A drawn curve is further from
    the ideal than the fitted one, and the fitted one further than the true one. The lower quantile
    is therefore moved back by twice the mean excess; the upper one is not, because the excess is
    small where the fitted curve happens to be near the ideal. If a Wald test at 1 - confidence does
    not find miscalibration, the lower limit is 0.

    Parameters
    ----------
    outcome, probability : array_like, (n,)
        1 = cured; predicted probability of cure.
    random : numpy.random.Generator
        Source of the drawn curves.
    draws : int
        Number of drawn curves.
    confidence : float
        Confidence level.
    cluster : array_like, (n,), optional
        Patient of each prediction, if some have several; intervals then count patients.

    Returns
    -------
    dict of Interval
        Keys as in `errors`; method ``drawn_curves``, without standard errors.

    Raises
    ------
    NotEstimableError
        As `spline_curve`.

    Notes
    -----
    Coverage of 95 % intervals, for a curve that is 0.04 off on average: ICI 94-98 %, E50 and E90
    93-98 % at n = 50, 121, 400 and 1,000; with the upper quantile moved as well, E50 covered 86-90 %
    from n = 400 on. (Percentiles of
    bootstrap replicates cover 53-92 %, and never an ideal curve.) Coverage of Emax depends on the
    sample's greatest probability.

    Examples
    --------
    >>> y, p = [1, 0, 1, 0, 1, 0], [0.8, 0.6, 0.7, 0.3, 0.4, 0.2]
    >>> found = error_intervals(y, p, np.random.default_rng(1))
    >>> round(found["ici"].estimate, 3), found["ici"].low
    (0.1, 0.0)
    """
    y, p = inputs.read(outcome, probability)
    fit, places = _spline_fit(y, p, cluster)
    basis = spline_basis(inputs.logit(p), places)
    found = errors(logistic.expit(basis @ fit.coefficients), p)
    # The drawn curves are smooth: quantiles of many probabilities represent all of them.
    grid = p if p.size <= GRID else np.quantile(p, (np.arange(GRID) + 0.5) / GRID)
    terms = spline_basis(inputs.logit(grid), places)
    root = np.linalg.cholesky(fit.covariance)
    drawn = fit.coefficients + random.normal(size=(draws, len(root))) @ root.T
    gap = np.abs(logistic.expit(drawn @ terms.T) - grid)
    e50, e90, greatest = np.quantile(gap, (0.5, 0.9, 1.0), axis=1)
    replicates = {"ici": gap.mean(axis=1), "e50": e50, "e90": e90, "emax": greatest}
    calibrated = _wald_p_value(fit) > 1 - confidence
    tail = intervals.tail(confidence)
    result = {}
    for name, values in replicates.items():
        excess = float(values.mean()) - found[name]
        low, high = np.quantile(values, (tail, 1 - tail))
        low = 0.0 if calibrated else min(max(float(low) - 2 * excess, 0.0), found[name])
        high = min(max(float(high), found[name]), 1.0)
        result[name] = Interval(found[name], low, high, "drawn_curves")
    return result


def _wald_p_value(fit: logistic.Fit) -> float:
    """P value of the null hypothesis that the calibration curve is the ideal one."""
    ideal = np.zeros(fit.coefficients.size)
    ideal[1] = 1
    off = fit.coefficients - ideal
    wald = float(off @ np.linalg.solve(fit.covariance, off))
    return float(special.chdtrc(off.size, wald))


def groups(
    outcome: ArrayLike,
    probability: ArrayLike,
    count: int,
    confidence: float = 0.95,
    least: int = 1,
) -> list[CalibrationGroup]:
    """Observed frequency in groups of equal size by predicted probability, with Wilson intervals.

    Patients with equal probabilities stay in one group, so that there may be fewer groups than
    asked for. A group that is too small is merged with the one below it, the lowest with the one
    above.

    Parameters
    ----------
    outcome, probability : array_like, (n,)
        1 = cured; predicted probability of cure.
    count : int
        Largest number of groups.
    confidence : float
        Confidence level.
    least : int
        Fewest patients of a group.

    Returns
    -------
    list of CalibrationGroup
        Groups in the order of increasing probability.

    Examples
    --------
    >>> found = groups([0, 0, 1, 0, 1, 1], [0.1, 0.2, 0.3, 0.6, 0.7, 0.8], 2)
    >>> [(round(group.predicted, 1), group.events, group.n) for group in found]
    [(0.2, 1, 3), (0.7, 2, 3)]
    """
    y, p = inputs.read(outcome, probability)
    edges = np.unique(np.quantile(p, np.arange(1, count) / count)) if count > 1 else np.empty(0)
    member = np.searchsorted(edges, p, side="left")
    for index in np.unique(member)[:0:-1]:
        if np.sum(member == index) < least:
            member[member == index] = member[member < index].max()
    lowest, above = member == member.min(), member > member.min()
    if lowest.sum() < least and above.any():
        member[lowest] = member[above].min()
    found = []
    for index in np.unique(member):
        inside = member == index
        events, n = int(y[inside].sum()), int(inside.sum())
        found.append(
            CalibrationGroup(
                float(p[inside].mean()), intervals.wilson(events, n, confidence), n, events
            )
        )
    return found
