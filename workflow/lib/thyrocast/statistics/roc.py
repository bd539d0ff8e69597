"""The ROC curve itself: corners, partial area, operating points and a band."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from thyrocast.statistics import inputs, intervals
from thyrocast.statistics.inputs import Booleans, Floats, Integers, NotEstimableError
from thyrocast.statistics.intervals import Interval


class Roc(NamedTuple):
    """False and true positive rates from (0, 0) to (1, 1); each (m,)."""

    fpr: Floats
    tpr: Floats


def corners(outcome: ArrayLike, score: ArrayLike, most: int = 1000) -> Roc:
    """Empirical ROC curve without the points that lie on a straight line between others.

    Parameters
    ----------
    most : int
        Curves with more corners are thinned to about as many, for plotting.

    Raises
    ------
    NotEstimableError
        If one outcome is missing.
    """
    fpr, tpr = _curve(outcome, score)
    bend = np.diff(fpr[:-1]) * np.diff(tpr[1:]) != np.diff(tpr[:-1]) * np.diff(fpr[1:])
    keep = np.concatenate([[True], bend, [True]])
    fpr, tpr = fpr[keep], tpr[keep]
    if fpr.size > most:
        chosen = np.unique(np.linspace(0, fpr.size - 1, most).round().astype(np.intp))
        fpr, tpr = fpr[chosen], tpr[chosen]
    return Roc(fpr, tpr)


def _curve(outcome: ArrayLike, score: ArrayLike) -> Roc:
    y = inputs.outcome_array(outcome)
    s = inputs.score_array(score, y.size)
    cured, failed = inputs.require_both(y, "the ROC curve")
    order = np.argsort(-s, kind="stable")
    last = np.append(np.flatnonzero(np.diff(s[order])), y.size - 1)
    true = np.cumsum(y[order])[last]
    false = last + 1 - true
    return Roc(np.append(0, false) / failed, np.append(0, true) / cured)


def partial_auc(
    outcome: ArrayLike,
    score: ArrayLike,
    bounds: tuple[float, float],
    focus: str = "specificity",
    *,
    standardized: bool = False,
) -> float:
    """Area under a part of the ROC curve, as R's pROC.

    Parameters
    ----------
    bounds : (low, high)
        Range of specificity or sensitivity.
    focus : {"specificity", "sensitivity"}
    standardized : bool
        McClish's correction: 0.5 for no discrimination, 1 for perfect.
    """
    low, high = sorted(bounds)
    if not 0 <= low < high <= 1:
        raise ValueError(f"bounds {bounds} must be two different numbers from 0 to 1")
    fpr, tpr = _curve(outcome, score)
    if focus == "specificity":
        x, height, start, stop = fpr, tpr, 1 - high, 1 - low
    elif focus == "sensitivity":
        # Specificity as a function of sensitivity: the area to the right of the curve.
        x, height, start, stop = tpr, 1 - fpr, low, high
    else:
        raise ValueError(f"unknown focus {focus!r}")
    area = _area(x, height, start, stop)
    if not standardized:
        return area
    width = stop - start
    least = width * (start + stop) / 2
    if focus == "sensitivity":
        least = width - least
    return 0.5 * (1 + (area - least) / (width - least))


def _area(x: Floats, height: Floats, start: float, stop: float) -> float:
    """Trapezoid area between start and stop of a curve with vertical steps."""
    total = 0.0
    for x0, x1, h0, h1 in zip(x[:-1], x[1:], height[:-1], height[1:], strict=True):
        left, right = max(x0, start), min(x1, stop)
        if right > left:
            gradient = (h1 - h0) / (x1 - x0)
            total += (right - left) * (h0 + gradient * ((left + right) / 2 - x0))
    return float(total)


def at_specificity(outcome: ArrayLike, score: ArrayLike, specificity: ArrayLike) -> Floats:
    """Sensitivity at given specificities, by linear interpolation of the ROC curve.

    Where the curve rises vertically, its upper end counts.
    """
    fpr, tpr = _curve(outcome, score)
    return _read(fpr, tpr, 1 - np.atleast_1d(np.asarray(specificity, dtype=np.float64)))


def at_sensitivity(outcome: ArrayLike, score: ArrayLike, sensitivity: ArrayLike) -> Floats:
    """Specificity at given sensitivities, by linear interpolation of the ROC curve."""
    fpr, tpr = _curve(outcome, score)
    wanted = np.atleast_1d(np.asarray(sensitivity, dtype=np.float64))
    # Seen from the other end the curve is a ROC curve too, so that the better end counts here too.
    return _read((1 - tpr)[::-1], (1 - fpr)[::-1], 1 - wanted)


def operating_point(
    outcome: ArrayLike,
    score: ArrayLike,
    at: float,
    given: str = "specificity",
    confidence: float = 0.95,
    interval: Callable[[int, int, float], Interval] = intervals.wilson,
) -> Interval:
    """Sensitivity at the cut that keeps a specificity, or the reverse, with its interval.

    Of all cuts between patients with ``given`` at or above ``at``, the one with the greatest other
    measure: a share of whole patients, without interpolation. It describes a ROC curve; the
    performance of a threshold is that on patients whom it was not chosen on (``threshold``).

    Parameters
    ----------
    given : {"specificity", "sensitivity"}
    interval : callable
        ``intervals.wilson`` or ``intervals.clopper_pearson``.

    Raises
    ------
    NotEstimableError
        If one outcome is missing.

    Notes
    -----
    The interval takes the cut as given, although it was found in the same patients: for the
    sensitivity at a specificity of 0.9 and an AUC of 0.8 nominal 95 % intervals cover 60-88 %
    (Wilson) and 63-90 % (Clopper-Pearson), least where few are not cured. :func:`band` draws both.
    """
    if given not in ("specificity", "sensitivity") or not 0 <= at <= 1:
        raise ValueError(f"cannot hold {given!r} at {at}")
    fpr, tpr = _curve(outcome, score)
    held, other = (1 - fpr, tpr) if given == "specificity" else (tpr, 1 - fpr)
    y = inputs.outcome_array(outcome)
    n = int(np.sum(y if given == "specificity" else ~y))
    best = float(other[held >= at - 1e-12].max())
    return interval(round(best * n), n, confidence)


def _read(x: Floats, y: Floats, wanted: Floats) -> Floats:
    """Interpolate a rising curve from (0, 0); on a vertical step take the upper end."""
    left = np.clip(np.searchsorted(x, wanted, side="right") - 1, 0, x.size - 2)
    # Only at and beyond the end can the step found be vertical, and there the last value counts.
    width = np.maximum(x[left + 1] - x[left], np.finfo(float).tiny)
    share = np.clip((wanted - x[left]) / width, 0, 1)
    return np.asarray(np.where(wanted >= x[-1], y[-1], y[left] + (y[left + 1] - y[left]) * share))


def band(
    outcome: ArrayLike,
    score: ArrayLike,
    fpr: ArrayLike,
    drawn: Iterable[NDArray[Any]],
    confidence: float = 0.95,
) -> tuple[Floats, Floats]:
    """Pointwise bootstrap band of the sensitivity at given false positive rates.

    Parameters
    ----------
    fpr : array_like, (m,)
    drawn : blocks of counts (b, n)
        From ``resampling.draws``, stratified by outcome.

    Returns
    -------
    low, high : (m,)

    Raises
    ------
    NotEstimableError
        If one outcome is missing, or from 5 % of the resamples or more.
    """
    y = inputs.outcome_array(outcome)
    s = inputs.score_array(score, y.size)
    inputs.require_both(y, "a ROC band")
    wanted = np.asarray(fpr, dtype=np.float64)
    order = np.argsort(-s, kind="stable")
    last = np.append(np.flatnonzero(np.diff(s[order])), y.size - 1)
    rates, lost, total = [], 0, 0
    for block in drawn:
        usable = (block[:, y].sum(axis=1) > 0) & (block[:, ~y].sum(axis=1) > 0)
        total, lost = total + usable.size, lost + int(np.sum(~usable))
        if usable.any():
            rates.append(_read_many(block[usable][:, order], y[order], last, wanted))
    if lost >= 0.05 * total:
        raise NotEstimableError(f"{lost} of {total} bootstrap resamples lack an outcome")
    tail = intervals.tail(confidence)
    low, high = np.quantile(np.concatenate(rates), (tail, 1 - tail), axis=0)
    return low, high


def _read_many(counts: NDArray[Any], y: Booleans, last: Integers, wanted: Floats) -> Floats:
    """Sensitivity (b, m) at false positive rates of resamples whose patients run down the scores.

    ``last`` are the places at which a run of equal scores ends.
    """
    true, false = (
        np.pad(np.cumsum(counts * group, axis=1)[:, last], ((0, 0), (1, 0))).astype(np.float64)
        for group in (y, ~y)
    )
    width = false.shape[1]
    rows = np.arange(len(counts))[:, None]
    # The hair keeps a rate of k / n from falling short of k.
    goal = wanted * false[:, -1:] + 1e-9
    # One search for all resamples: each row is lifted above the one before it.
    lift = rows * (2.0 * y.size)
    found = np.searchsorted((false + lift).ravel(), (goal + lift).ravel(), side="right") - 1
    left = np.minimum(found.reshape(goal.shape) - rows * width, width - 2)
    x0, x1, y0, y1 = (
        np.take_along_axis(table, at, axis=1)
        for table, at in ((false, left), (false, left + 1), (true, left), (true, left + 1))
    )
    share = np.clip((goal - x0) / np.maximum(x1 - x0, 1e-12), 0, 1)
    return np.asarray((y0 + (y1 - y0) * share) / true[:, -1:])
