"""The ROC curve: its corners and a bootstrap band."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from thyrocast.statistics import inputs, intervals
from thyrocast.statistics.inputs import Floats, Integers, NotEstimableError


class Roc(NamedTuple):
    """Corners of a ROC curve from (0, 0) to (1, 1).

    Attributes
    ----------
    fpr, tpr : ndarray of float, (m,)
        False and true positive rates, non-decreasing.
    """

    fpr: Floats
    tpr: Floats


def corners(outcome: ArrayLike, score: ArrayLike, most: int = 1000) -> Roc:
    """Empirical ROC curve without the points that lie on a straight line between others.

    Parameters
    ----------
    outcome : array_like, (n,)
        1 = cured.
    score : array_like, (n,)
        Higher means more likely cured.
    most : int
        A curve with more corners is thinned to about this number, for plotting.

    Returns
    -------
    Roc

    Raises
    ------
    NotEstimableError
        If one outcome is missing.

    Examples
    --------
    >>> corners([1, 1, 0, 0], [0.9, 0.4, 0.6, 0.1])
    Roc(fpr=array([0. , 0. , 0.5, 0.5, 1. ]), tpr=array([0. , 0.5, 0.5, 1. , 1. ]))
    """
    y = inputs.outcome_array(outcome)
    s = inputs.score_array(score, y.size)
    cured, failed = inputs.require_both(y, "the ROC curve")
    order, last = _runs(s)
    true = np.cumsum(y[order])[last]
    false = last + 1 - true
    fpr, tpr = np.append(0, false) / failed, np.append(0, true) / cured
    bend = np.diff(fpr[:-1]) * np.diff(tpr[1:]) != np.diff(tpr[:-1]) * np.diff(fpr[1:])
    keep = np.concatenate([[True], bend, [True]])
    fpr, tpr = fpr[keep], tpr[keep]
    if fpr.size > most:
        chosen = np.unique(np.linspace(0, fpr.size - 1, most).round().astype(np.intp))
        fpr, tpr = fpr[chosen], tpr[chosen]
    return Roc(fpr, tpr)


def _runs(score: Floats) -> tuple[Integers, Integers]:
    """Order of decreasing scores, and the positions in it at which runs of equal scores end."""
    order = np.argsort(-score, kind="stable")
    return order, np.append(np.flatnonzero(np.diff(score[order])), score.size - 1)


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
    outcome : array_like, (n,)
        1 = cured.
    score : array_like, (n,)
        Higher means more likely cured.
    fpr : array_like, (m,)
        False positive rates. Each resampled curve is interpolated linearly there; on a vertical
        step its upper end counts.
    drawn : iterable of ndarray, (b, n)
        How often each patient counts in each resample, from `resampling`.
    confidence : float
        Confidence level.

    Returns
    -------
    low, high : ndarray of float, (m,)

    Raises
    ------
    NotEstimableError
        If one outcome is missing, or missing in 5 % of the resamples or more.

    Examples
    --------
    With the sample itself as the only resample, both limits are its curve:

    >>> low, high = band([1, 1, 0, 0], [0.9, 0.4, 0.6, 0.1], [0.0, 0.25], [np.ones((1, 4), int)])
    >>> low, high
    (array([0.5, 0.5]), array([0.5, 0.5]))
    """
    y = inputs.outcome_array(outcome)
    s = inputs.score_array(score, y.size)
    inputs.require_both(y, "a ROC band")
    wanted = np.asarray(fpr, dtype=np.float64)
    order, last = _runs(s)
    ranked = y[order]
    cured, failed = order[ranked], order[~ranked]
    # Number of cured, and of not cured, up to the end of each run of equal scores.
    ends = np.append(0, np.cumsum(ranked)[last]), np.append(0, np.cumsum(~ranked)[last])
    rates, lost, total = [], 0, 0
    for block in drawn:
        found = _sensitivity(block[:, cured], block[:, failed], ends, wanted)
        usable = ~np.isnan(found[:, 0])
        total, lost = total + usable.size, lost + int(np.sum(~usable))
        rates.append(found[usable])
    if lost >= 0.05 * total:
        raise NotEstimableError(f"an outcome is missing in {lost} of {total} bootstrap resamples")
    tail = intervals.tail(confidence)
    low, high = np.quantile(np.concatenate(rates), (tail, 1 - tail), axis=0)
    return low, high


def _sensitivity(
    cured: NDArray[Any], failed: NDArray[Any], ends: tuple[Integers, Integers], wanted: Floats
) -> Floats:
    """Sensitivity (b, m) of resamples at false positive rates; NaN where an outcome is missing.

    Parameters
    ----------
    cured, failed : ndarray, (b, p) and (b, q)
        How often each patient was drawn, in the order of decreasing scores.
    ends : tuple of ndarray, (runs + 1,)
        Number of cured, and of not cured, patients up to the end of each run of equal scores.
    wanted : ndarray, (m,)
        False positive rates.
    """
    true, false = (_running(counts) for counts in (cured, failed))
    # The small addition avoids that rounding puts a rate of k / n below k.
    goal = wanted * false[:, -1:] + 1e-9
    rows = np.arange(len(false))[:, None]
    # One search for all resamples: each row is shifted above the one before it.
    shift = rows * (2.0 * false[:, -1].max() + 2)
    place = np.searchsorted((false + shift).ravel(), (goal + shift).ravel(), side="right") - 1
    passed = place.reshape(goal.shape) - rows * false.shape[1]
    # The last run that ends before the goal, and the next one, which crosses it.
    left = np.searchsorted(ends[1], np.arange(false.shape[1]), side="right") - 1
    run = np.minimum(left, ends[1].size - 2)[passed]
    x0, x1 = false[rows, ends[1][run]], false[rows, ends[1][run + 1]]
    y0, y1 = true[rows, ends[0][run]], true[rows, ends[0][run + 1]]
    share = np.clip((goal - x0) / np.maximum(x1 - x0, 1e-12), 0, 1)
    most = true[:, -1:] * (false[:, -1:] > 0)
    return np.asarray((y0 + (y1 - y0) * share) / np.where(most > 0, true[:, -1:], np.nan))


def _running(counts: NDArray[Any]) -> Floats:
    """Running sums of rows from 0, (b, p + 1)."""
    sums = np.zeros((len(counts), counts.shape[1] + 1))
    np.cumsum(counts, axis=1, dtype=np.float64, out=sums[:, 1:])
    return sums
