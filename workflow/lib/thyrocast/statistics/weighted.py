"""Metrics of many weighted samples at once, for bootstrap and jackknife.

`weights`, (b, n), contain how often each patient counts in each of b samples. Results are (b,).
They are NaN for a sample without a value (one outcome missing, or a denominator of 0).
`resampling.percentile` counts these and raises an error if there are too many.

The metrics are those of `discrimination` and `calibration`. Here they are computed from counts,
because drawing the patients of every resample takes much longer. Tests compare both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from thyrocast.statistics import influence, inputs, losses
from thyrocast.statistics.inputs import Booleans, Floats, Integers

#: Newton steps of an intercept, and the size of the last one.
_STEPS, _PRECISION = 60, 1e-10
Weights = NDArray[Any]
Metric = Callable[[Weights], Floats]


def auc(outcome: Booleans, score: Floats) -> Metric:
    """Return a function that computes AUCs with ties from weights: O(b n) after one sort.

    Parameters
    ----------
    outcome : ndarray of bool, (n,)
        True = cured.
    score : ndarray of float, (n,)
        Higher means more likely cured.

    Returns
    -------
    callable
        From weights (b, n) to AUCs (b,).

    Examples
    --------
    >>> area = auc(np.array([True, True, False, False]), np.array([0.9, 0.4, 0.4, 0.1]))
    >>> area(np.array([[1, 1, 1, 1], [2, 0, 1, 1]]))
    array([0.875, 1.   ])
    """
    cured, failed = np.flatnonzero(outcome), np.flatnonzero(~outcome)
    failed = failed[np.argsort(score[failed], kind="stable")]
    below = np.searchsorted(score[failed], score[cured], side="left")
    upto = np.searchsorted(score[failed], score[cured], side="right")
    tied = bool((below != upto).any())

    def compute(weights: Weights) -> Floats:
        positive = weights[:, cured].astype(np.float64)
        running = np.zeros((len(weights), failed.size + 1))
        np.cumsum(weights[:, failed], axis=1, dtype=np.float64, out=running[:, 1:])
        total = positive.sum(axis=1) * running[:, -1]
        wins = np.einsum("bi,bi->b", positive, running[:, below])
        if tied:
            wins = (wins + np.einsum("bi,bi->b", positive, running[:, upto])) / 2
        return _ratio(wins, total)

    return compute


def auc_of_clusters(outcome: Booleans, score: Floats, cluster: Integers) -> Metric:
    """Return a function that computes AUCs from the weights of a few whole clusters.

    Parameters
    ----------
    outcome : ndarray of bool, (n,)
        True = cured.
    score : ndarray of float, (n,)
        Higher means more likely cured.
    cluster : ndarray of int, (n,)
        Cluster of each patient, from 0 to k - 1.

    Returns
    -------
    callable
        From weights (b, k) to AUCs (b,).

    Examples
    --------
    >>> y, s = np.array([True, True, False, False]), np.array([0.9, 0.4, 0.4, 0.1])
    >>> auc_of_clusters(y, s, np.array([0, 1, 0, 1]))(np.array([[1, 1], [2, 0]]))
    array([0.875, 1.   ])
    """
    k = int(cluster.max()) + 1
    wins = np.zeros((k, k))
    for other in range(k):
        failed = np.sort(score[~outcome & (cluster == other)])
        below = sum(np.searchsorted(failed, score[outcome], side=s) for s in ("left", "right")) / 2
        wins[:, other] = np.bincount(cluster[outcome], weights=below, minlength=k)
    cured, lost = (np.bincount(cluster[who], minlength=k) for who in (outcome, ~outcome))

    def compute(weights: Weights) -> Floats:
        w = weights.astype(np.float64)
        return _ratio(np.einsum("bi,ij,bj->b", w, wins, w, optimize=True), (w @ cured) * (w @ lost))

    return compute


def decisions(
    outcome: Booleans, decision: Booleans, cluster: Integers | None = None
) -> Callable[[Weights], dict[str, Floats]]:
    """Return a function that computes sensitivity, specificity, predictive values and accuracy.

    Parameters
    ----------
    outcome : ndarray of bool, (n,)
        True = cured.
    decision : ndarray of bool, (n,)
        True = called cured.
    cluster : ndarray of int, (n,), optional
        Cluster of each patient, from 0 to k - 1, if whole clusters are drawn.

    Returns
    -------
    callable
        From weights (b, n), or (b, k) with clusters, to a dict of metrics (b,).

    Examples
    --------
    >>> rates = decisions(np.array([True, True, False]), np.array([True, False, False]))
    >>> {name: float(value[0]) for name, value in rates(np.array([[1, 3, 2]])).items()}
    {'sensitivity': 0.25, 'specificity': 1.0, 'ppv': 1.0, 'npv': 0.4, 'accuracy': 0.5}
    """
    cells = np.stack(
        [outcome & decision, outcome & ~decision, ~outcome & decision, ~outcome & ~decision], axis=1
    ).astype(np.float64)
    cells = _within(cells, cluster)

    def compute(weights: Weights) -> dict[str, Floats]:
        tp, fn, fp, tn = (weights @ cells).T
        return {
            "sensitivity": _ratio(tp, tp + fn),
            "specificity": _ratio(tn, tn + fp),
            "ppv": _ratio(tp, tp + fp),
            "npv": _ratio(tn, tn + fn),
            "accuracy": _ratio(tp + tn, tp + fn + fp + tn),
        }

    return compute


def _within(columns: Floats, cluster: Integers | None) -> Floats:
    """Sums of columns (n, m) within clusters, (k, m)."""
    return columns if cluster is None else influence.cluster_sums(columns, cluster)


def scores(
    outcome: Booleans, probability: Floats, cluster: Integers | None = None
) -> Callable[[Weights], dict[str, Floats]]:
    """Return a function that computes Brier and scaled Brier score, log loss, observed/expected.

    Parameters
    ----------
    outcome : ndarray of bool, (n,)
        True = cured.
    probability : ndarray of float, (n,)
        Predicted probability of cure.
    cluster : ndarray of int, (n,), optional
        As in `decisions`.

    Returns
    -------
    callable
        From weights (b, n), or (b, k) with clusters, to a dict of metrics (b,).

    Examples
    --------
    >>> found = scores(np.array([True, False]), np.array([0.8, 0.4]))(np.array([[1, 1]]))
    >>> round(float(found["brier"][0]), 2)
    0.1
    """
    y = outcome.astype(np.float64)
    squared = losses.squared_errors(outcome, probability)
    loss = losses.log_losses(outcome, probability)
    columns = _within(np.stack([np.ones_like(y), y, squared, loss, probability], axis=1), cluster)

    def compute(weights: Weights) -> dict[str, Floats]:
        n, events, error, lost, expected = (weights @ columns).T
        brier, prevalence = _ratio(error, n), _ratio(events, n)
        return {
            "brier": brier,
            "scaled_brier": 1 - _ratio(brier, prevalence * (1 - prevalence)),
            "log_loss": _ratio(lost, n),
            "oe_ratio": _ratio(events, expected),
        }

    return compute


def in_the_large(outcome: Booleans, probability: Floats) -> Metric:
    """Return a function that computes calibration in the large from weights.

    Parameters
    ----------
    outcome : ndarray of bool, (n,)
        True = cured.
    probability : ndarray of float, (n,)
        Predicted probability of cure.

    Returns
    -------
    callable
        From weights (b, n) to intercepts (b,) of logistic models with the logit as offset.

    Examples
    --------
    >>> found = in_the_large(np.array([True, True, True, False]), np.full(4, 0.5))
    >>> found(np.array([[1, 1, 1, 1], [0, 1, 1, 1]])).round(3)
    array([1.099, 0.693])
    """
    y, offset = outcome.astype(np.float64), inputs.logit(probability)

    def compute(weights: Weights) -> Floats:
        weight = weights.astype(np.float64)
        events, total = weight @ y, weight.sum(axis=1)
        intercept = np.zeros(len(weight))
        for _ in range(_STEPS):
            expected = special.expit(offset + intercept[:, None])
            curvature = np.einsum("bi,bi->b", weight, expected * (1 - expected))
            step = _ratio(events - np.einsum("bi,bi->b", weight, expected), curvature)
            # A step of at most 1 can't leave the region in which the curvature is a number.
            intercept += np.clip(step, -1, 1)
            if not np.nanmax(np.abs(step), initial=0.0) > _PRECISION:
                break
        separated = (events <= 0) | (events >= total)
        return np.where(separated, np.nan, intercept)

    return compute


def replicate(
    functions: Iterable[Callable[[Weights], Mapping[str, Floats]]], blocks: Iterable[Weights]
) -> dict[str, Floats]:
    """Compute metrics of all blocks of resamples.

    Parameters
    ----------
    functions : iterable of callable
        From weights (b, n) to a dict of metrics (b,).
    blocks : iterable of ndarray, (b, n)
        Weights; b may differ.

    Returns
    -------
    dict of ndarray of float, (resamples,)

    Examples
    --------
    >>> rates = decisions(np.array([True, False]), np.array([True, True]))
    >>> replicate([rates], [np.array([[1, 1]]), np.array([[2, 0]])])["accuracy"]
    array([0.5, 1. ])
    """
    functions = list(functions)
    parts: dict[str, list[Floats]] = {}
    for block in blocks:
        for function in functions:
            for name, values in function(block).items():
                parts.setdefault(name, []).append(values)
    return {name: np.concatenate(values) for name, values in parts.items()}


def _ratio(numerator: Floats, denominator: Floats) -> Floats:
    ratio = np.full(np.shape(numerator), np.nan)
    np.divide(
        numerator, denominator, out=ratio, where=np.asarray(denominator) > inputs.NOTHING_EXPECTED
    )
    return ratio
