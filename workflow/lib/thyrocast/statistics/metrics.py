"""Every metric of many weighted samples at once, for bootstrap and jackknife.

``weights`` (b, n) says how often each patient counts in each of b samples. Results are (b,); a
sample that has no value (one outcome missing, nothing in a denominator) is NaN, which
``resampling.percentile`` counts and refuses when there are many.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thyrocast.statistics import inputs
from thyrocast.statistics.inputs import Booleans, Floats

Weights = NDArray[Any]
Metric = Callable[[Weights], Floats]


def auc(outcome: Booleans, score: Floats) -> Metric:
    """AUC with ties, from counts of presorted patients: O(b n) after one sort."""
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


def decisions(outcome: Booleans, decision: Booleans) -> Callable[[Weights], dict[str, Floats]]:
    """Sensitivity, specificity, predictive values and accuracy of decisions already taken."""
    cells = np.stack(
        [outcome & decision, outcome & ~decision, ~outcome & decision, ~outcome & ~decision], axis=1
    ).astype(np.float64)

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


def scores(outcome: Booleans, probability: Floats) -> Callable[[Weights], dict[str, Floats]]:
    """Brier score, its scaled form, log loss and observed/expected ratio."""
    y = outcome.astype(np.float64)
    held = np.clip(probability, inputs.EDGE, 1 - inputs.EDGE)
    loss = -np.where(outcome, np.log(held), np.log1p(-held))
    columns = np.stack([np.ones_like(y), y, (y - probability) ** 2, loss, probability], axis=1)

    def compute(weights: Weights) -> dict[str, Floats]:
        n, events, squared, lost, expected = (weights @ columns).T
        brier, prevalence = _ratio(squared, n), _ratio(events, n)
        return {
            "brier": brier,
            "scaled_brier": 1 - _ratio(brier, prevalence * (1 - prevalence)),
            "log_loss": _ratio(lost, n),
            "oe_ratio": _ratio(events, expected),
        }

    return compute


def replicate(
    functions: Iterable[Callable[[Weights], Mapping[str, Floats]]], blocks: Iterable[Weights]
) -> dict[str, Floats]:
    """Run metric functions over blocks of resamples and join their values."""
    functions = list(functions)
    parts: dict[str, list[Floats]] = {}
    for block in blocks:
        for function in functions:
            for name, values in function(block).items():
                parts.setdefault(name, []).append(values)
    return {name: np.concatenate(values) for name, values in parts.items()}


def _ratio(numerator: Floats, denominator: Floats) -> Floats:
    ratio = np.full(np.shape(numerator), np.nan)
    np.divide(numerator, denominator, out=ratio, where=np.asarray(denominator) > 0)
    return ratio
