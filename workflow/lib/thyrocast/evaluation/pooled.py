"""Rows of pooled.csv: random-effects means of the centers' results, from performance.csv alone.

Nothing but the table is read, so that a center whose data may not leave takes part with its own.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from scipy import special

from thyrocast.evaluation.layout import Row, number
from thyrocast.statistics import discrimination, intervals, pooling
from thyrocast.statistics.inputs import NotEstimableError

Cells = Mapping[str, str]
#: Estimator of the variance between centers and interval of the mean; the first is the headline:
#: where centers agree by chance, the plain Hartung-Knapp interval shrinks to nothing.
METHODS = (
    ("reml", "hartung_knapp_truncated"),
    ("reml", "hartung_knapp"),
    ("paule_mandel", "hartung_knapp"),
)


#: Designs whose centers the models never saw; of a new center the others say nothing.
UNSEEN = ("loco", "external")


class Effect(NamedTuple):
    """One center's result on the scale on which it is pooled."""

    center: str
    row: Cells
    value: float
    variance: float
    remark: str


class Scale(NamedTuple):
    """How a metric is pooled: its scale, the way back, and each center's effect and variance."""

    name: str
    back: Callable[[float], float]
    read: Callable[[Cells, float], tuple[float, float, str]]


def _same(value: float) -> float:
    return value


def _expit(value: float) -> float:
    return float(special.expit(value))


def _exp(value: float) -> float:
    # Two centers and a high confidence can put a limit beyond what a float holds.
    return math.exp(min(value, 700.0))


def _area(row: Cells, confidence: float) -> tuple[float, float, str]:
    """Logit AUC; the variance is that of the DeLong interval, symmetric on this scale."""
    cured, n = int(row["events"]), int(row["n"])
    area, failed = float(row["estimate"]), n - cured
    if row["ci_method"].startswith("delong_logit"):
        low, high = (float(special.logit(float(row[end]))) for end in ("ci_low", "ci_high"))
        error = (high - low) / (2 * intervals.normal_quantile(confidence))
        return float(special.logit(area)), error**2, ""
    if row["ci_method"].startswith("bootstrap_by_patient") and 0 < area < 1:
        ends = [min(max(float(row[end]), 1e-6), 1 - 1e-6) for end in ("ci_low", "ci_high")]
        low, high = (float(special.logit(end)) for end in ends)
        error = (high - low) / (2 * intervals.normal_quantile(confidence))
        return float(special.logit(area)), error**2, "variance from the bootstrap by patient"
    # An AUC of 0 or 1 gives away half a pair, and has the variance of Newcombe's interval there.
    pairs = cured * failed
    moved = min(max(area, 0.5 / pairs), 1 - 0.5 / pairs)
    variance = discrimination.hanley_mcneil_variance(moved, cured, failed)
    variance /= (moved * (1 - moved)) ** 2
    return float(special.logit(moved)), variance, "AUC without a variance of its own"


def _ratio(row: Cells, confidence: float) -> tuple[float, float, str]:
    """Log of observed/expected; half a patient is moved where none or all were cured."""
    cured, n = int(row["events"]), int(row["n"])
    if 0 < cured < n:
        low, high = (math.log(float(row[end])) for end in ("ci_low", "ci_high"))
        error = (high - low) / (2 * intervals.t_quantile(confidence, n - 1))
        return math.log(float(row["estimate"])), error**2, ""
    # The interval is Wilson's over the expected proportion, which its upper limit gives away.
    expected = n * intervals.wilson(cured, n, confidence).high / float(row["ci_high"])
    observed = 0.5 if cured == 0 else n - 0.5
    variance = (1 - observed / n) / observed
    return math.log(observed / expected), variance, "nobody or everybody cured"


def _wald(row: Cells, confidence: float) -> tuple[float, float, str]:
    width = float(row["ci_high"]) - float(row["ci_low"])
    error = width / (2 * intervals.normal_quantile(confidence))
    return float(row["estimate"]), error**2, ""


def _mean(row: Cells, confidence: float) -> tuple[float, float, str]:
    width = float(row["ci_high"]) - float(row["ci_low"])
    error = width / (2 * intervals.t_quantile(confidence, int(row["n"]) - 1))
    return float(row["estimate"]), error**2, ""


SCALES = {
    "auc": Scale("logit", _expit, _area),
    "oe_ratio": Scale("log", _exp, _ratio),
    "calibration_in_the_large": Scale("identity", _same, _wald),
    "calibration_slope": Scale("identity", _same, _wald),
    "net_benefit": Scale("identity", _same, _mean),
}


def rows(performance: Sequence[Cells], confidence: float) -> tuple[list[Row], list[Row]]:
    """Pool every design, model and metric over the centers.

    Parameters
    ----------
    performance
        Rows of performance.csv of all designs; of each metric the first row of a center counts.
    confidence
        Confidence level at which those rows were made, and of the results.

    Returns
    -------
    pooled, centers
        Rows of pooled.csv and of pooled_centers.csv (forest plots and influence).
    """
    pooled: list[Row] = []
    centers: list[Row] = []
    for (design, model, metric), members in _headline(performance).items():
        scale = SCALES[metric.partition("@")[0]]
        alone = [row for row in members if row["group"] == "pooled"]
        effects = list(_effects(members, scale, confidence))
        taking_part = {effect.center for effect in effects}
        left_out = [
            name
            for kind, _, name in (row["group"].partition(":") for row in members)
            if kind == "center" and name not in taking_part
        ]
        detail = _detail(scale, effects, left_out)
        for method, interval in METHODS:
            key = (design, model, metric, f"{method}_{interval}")
            found, forest = _pool(effects, scale, method, interval, confidence)
            if design not in UNSEEN:
                found = (*found[:3], None, None, *found[5:])
            pooled.append((*key, *found, detail))
            centers += [(*key, *cells) for cells in forest]
        for row in alone:
            values = (row["estimate"], row["ci_low"], row["ci_high"])
            cells = [number(float(text)) if text else None for text in values]
            remark = "all test predictions as one sample; of several splits, scales are mixed"
            key = (design, model, metric, "pooled_predictions")
            pooled.append((*key, *cells, *(None,) * 6, len(effects), remark))
    return pooled, centers


def _headline(performance: Sequence[Cells]) -> dict[tuple[str, str, str], list[Cells]]:
    """First row of each metric of pooled and centers, in the split that stands for its design."""
    test = [row for row in performance if row["set"] == "test"]
    together = {row["design"] for row in test if row["split"] == "all"}
    found: dict[tuple[str, str, str], dict[str, Cells]] = {}
    for row in test:
        kind = row["group"].partition(":")[0]
        if kind == "subgroup" or (row["design"] in together and row["split"] != "all"):
            continue
        if row["metric"].partition("@")[0] in SCALES:
            key = (row["design"], row["model"], row["metric"])
            found.setdefault(key, {}).setdefault(row["group"], row)
    return {key: list(members.values()) for key, members in found.items()}


def _effects(members: Sequence[Cells], scale: Scale, confidence: float) -> Iterator[Effect]:
    for row in members:
        kind, _, center = row["group"].partition(":")
        if kind != "center" or not row["estimate"]:
            continue
        value, variance, remark = scale.read(row, confidence)
        if variance > 0:
            yield Effect(center, row, value, variance, remark)


def _detail(scale: Scale, effects: Sequence[Effect], left_out: Sequence[str]) -> str:
    parts = [f"{scale.name} scale"]
    if left_out:
        parts.append(f"left out, not estimable, without spread or too small: {', '.join(left_out)}")
    parts += [f"{effect.center}: {effect.remark}" for effect in effects if effect.remark]
    return "; ".join(parts)


def _pool(
    effects: Sequence[Effect], scale: Scale, method: str, interval: str, confidence: float
) -> tuple[tuple[object, ...], list[tuple[object, ...]]]:
    y = np.array([effect.value for effect in effects])
    v = np.array([effect.variance for effect in effects])
    k = len(effects)
    try:
        all_ = pooling.pool(y, v, method, interval=interval, confidence=confidence)
    except NotEstimableError:
        empty = (None,) * 9
        return (*empty, k), [_center(effect, None, None, scale) for effect in effects]
    without: list[pooling.Pooled | None] = [None] * k
    if k > 2:
        for index in range(k):
            rest = np.arange(k) != index
            # Centers that agree to the last digit have no Hartung-Knapp interval.
            with contextlib.suppress(NotEstimableError):
                without[index] = pooling.pool(
                    y[rest], v[rest], method, interval=interval, confidence=confidence
                )
    ends = (all_.low, all_.high, all_.prediction_low, all_.prediction_high)
    cells = (
        *(number(scale.back(value)) for value in (all_.estimate, *ends)),
        *(number(value) for value in (all_.tau2, all_.i2, all_.q, all_.q_p)),
        k,
    )
    forest = [
        _center(effect, float(weight), left, scale)
        for effect, weight, left in zip(effects, all_.weights, without, strict=True)
    ]
    return cells, forest


def _center(
    effect: Effect, weight: float | None, without: pooling.Pooled | None, scale: Scale
) -> tuple[object, ...]:
    row = effect.row
    shown = [number(float(row[name])) for name in ("estimate", "ci_low", "ci_high")]
    left: list[object] = [None, None, None]
    if without is not None:
        left = [number(scale.back(v)) for v in (without.estimate, without.low, without.high)]
    return (effect.center, *shown, number(weight), int(row["n"]), int(row["events"]), *left)
