"""Random-effects means of the centers' results, from the table `PERFORMANCE` alone.

No other input is needed: a center whose data must not leave it contributes only this table.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy import special

from thyrocast.contract import io
from thyrocast.contract.evaluation import POOLED, POOLED_CENTERS
from thyrocast.contract.exchange import SCALES
from thyrocast.contract.names import UNSEEN_CENTERS, GroupKind, Metric, Scale, Status
from thyrocast.evaluation import validity
from thyrocast.evaluation.headlines import headlines
from thyrocast.statistics import calibration, discrimination, intervals, new_center, pooling
from thyrocast.statistics.inputs import NotEstimableError

#: Estimators of the variance between centers, and intervals of the mean. The first is the headline:
#: the plain Hartung-Knapp interval has almost no width if centers agree by chance.
METHODS = (
    ("reml", "hartung_knapp_truncated"),
    ("reml", "hartung_knapp"),
    ("paule_mandel", "hartung_knapp"),
)
#: The joint sample of all centers, reported alongside.
JOINT = "pooled_predictions"
#: Fewest centers for a headline over centers. An interval of the joint sample ignores that centers
#: differ: it covers their mean in 84-86 % of studies at a standard deviation of .3 between centers.
FEWEST_CENTERS = 3
JOINT_NOTE = "all test predictions as one sample; with several splits it mixes their scales"


def _exp(value: float) -> float:
    # With two centers and a high confidence a limit may be too large for a float.
    return math.exp(min(value, 700.0))


#: Functions from the scale of pooling to the scale of the metric.
BACK: dict[Scale, Callable[[float], float]] = {
    Scale.IDENTITY: lambda value: value,
    Scale.LOG: _exp,
    Scale.LOGIT: lambda value: float(special.expit(value)),
}


class PooledTables(NamedTuple):
    """The tables `POOLED` and `POOLED_CENTERS`."""

    summary: pd.DataFrame
    centers: pd.DataFrame


@dataclass(frozen=True)
class Effect:
    """The result of one center: its row of `PERFORMANCE`, and its value on the scale of pooling."""

    row: Any
    value: float
    variance: float


def pool(
    performance: pd.DataFrame, confidence: float, elsewhere: Collection[str] = ()
) -> PooledTables:
    """Pool every design, model and metric over the centers.

    Parameters
    ----------
    performance
        Table `PERFORMANCE` of all designs. The headline of each center is pooled.
    confidence
        Confidence level of the table and of the results.
    elsewhere
        Centers whose results come from another site: rows of all patients do not contain them.
    """
    summary: list[dict[str, object]] = []
    centers: list[dict[str, object]] = []
    keys = ["design", "model", "metric", "at"]
    known = headlines(performance)
    for key, rows in known.groupby(keys, sort=False, dropna=False):
        labels = dict(zip(keys, key, strict=True))
        named = _named(known, labels)
        effects = list(_effects(rows, confidence))
        expected = _new_center(effects, labels, confidence)
        over_centers = False
        for method, interval in METHODS:
            of_method = labels | {"method": f"{method}_{interval}"}
            found = _try(effects, method, interval, confidence)
            enough = len(effects) >= FEWEST_CENTERS and found.whole is not None
            first = (method, interval) == METHODS[0]
            headline = first and enough and labels["design"] in UNSEEN_CENTERS
            over_centers |= headline
            cells = _summary(named, effects, found, labels) | {"headline": headline}
            summary.append(of_method | cells | (expected if found.whole is not None else {}))
            centers += [of_method | cells for cells in _centers(effects, found, labels)]
        for row in rows[rows["group_kind"] == GroupKind.POOLED].itertuples():
            joint = _joint(row, effects, elsewhere) | {"headline": not over_centers}
            summary.append(labels | {"method": JOINT} | joint)
    return PooledTables(io.build(POOLED, summary), io.build(POOLED_CENTERS, centers))


def _named(known: pd.DataFrame, labels: dict[str, Any]) -> Sequence[str]:
    """All centers of a design and model: a suppressed one has a row of the AUC alone."""
    same = (known["design"] == labels["design"]) & (known["model"] == labels["model"])
    of_center = known["group_kind"] == GroupKind.CENTER
    return [str(name) for name in known.loc[same & of_center, "group"].unique()]


def _effects(rows: pd.DataFrame, confidence: float) -> Iterator[Effect]:
    # By name: where the rows come from changes no digit.
    usable = rows[
        (rows["group_kind"] == GroupKind.CENTER)
        & (rows["status"] == Status.ESTIMATED)
        & rows["std_error"].notna()
    ].sort_values("group", kind="stable")
    variances = usable["std_error"].to_numpy(np.float64) ** 2
    if (usable["metric"] == Metric.NET_BENEFIT).all():
        # A center in which nobody is treated has a net benefit of 0 without a variance of its own.
        with contextlib.suppress(NotEstimableError):
            variances = pooling.common_variance(variances, usable["n"].to_numpy(np.float64))
    for row, variance in zip(usable.itertuples(), variances, strict=True):
        if variance > 0:
            yield Effect(row, effect(row, confidence), float(variance))


def effect(row: Any, confidence: float) -> float:
    """A center's estimate on the scale of pooling.

    An AUC of 0 or 1, and observed/expected where nobody or everybody was cured, have no finite value
    on this scale. They are moved by half a pair of patients, or half a patient; their `std_error`
    is that of the moved value.
    """
    cured, n = int(row.events), int(row.n)
    if row.metric == Metric.AUC:
        inside = 0 < row.estimate < 1
        area = (
            row.estimate
            if inside
            else discrimination.half_a_pair_inside(row.estimate, cured, n - cured)
        )
        return float(special.logit(area))
    if row.metric != Metric.OE_RATIO:
        return float(row.estimate)
    if 0 < cured < n:
        return math.log(row.estimate)
    observed, _ = calibration.half_a_patient_inside(cured, n)
    # If nobody was cured the ratio is 0 whatever was expected: its upper limit is Wilson's limit of the
    # observed proportion, divided by the expected proportion.
    expected = (
        n / row.estimate if cured else n * intervals.wilson(0, n, confidence).high / row.ci_high
    )
    return math.log(observed / expected)


@dataclass(frozen=True)
class _Result:
    """A pooled result and the results without each center, or the reason if there is none."""

    whole: pooling.Pooled | None
    without: Sequence[pooling.Pooled | None]
    reason: str = ""


def _try(effects: Sequence[Effect], method: str, interval: str, confidence: float) -> _Result:
    y = np.array([effect.value for effect in effects])
    v = np.array([effect.variance for effect in effects])
    try:
        whole = pooling.pool(y, v, method, interval=interval, confidence=confidence)
    except NotEstimableError as reason:
        return _Result(None, [None] * len(effects), str(reason))
    without = pooling.leave_one_out(y, v, method, interval=interval, confidence=confidence)
    return _Result(whole, without)


_NUMBERS = ("estimate", "ci_low", "ci_high", "tau2", "i2", "q", "q_p")
_PREDICTION = ("pi_low", "pi_high", "pi_method", "pi_coverage_low", "pi_coverage_high")


def _new_center(
    effects: Sequence[Effect], labels: dict[str, Any], confidence: float
) -> dict[str, object]:
    """Prediction interval; empty for centers that the models saw, and for fewer than three."""
    # Results of centers used in training give no information on a new center.
    if labels["design"] not in UNSEEN_CENTERS:
        return {}
    try:
        found = new_center.predict(
            [effect.value for effect in effects],
            [effect.variance for effect in effects],
            confidence,
        )
    except NotEstimableError:
        return {}
    ends = _limits(found.low, found.high, labels)
    coverage = validity.measured(f"{labels['metric']}:new_center") or (None, None)
    return dict(zip(_PREDICTION, (*ends, found.method, *coverage), strict=True))


def _summary(
    named: Sequence[str], effects: Sequence[Effect], found: _Result, labels: dict[str, Any]
) -> dict[str, object]:
    scale = SCALES[Metric(labels["metric"])]
    cells: dict[str, object] = dict.fromkeys((*_NUMBERS, *_PREDICTION))
    cells |= {"k": len(effects), "scale": scale, "note": _note(named, effects, found)}
    whole = found.whole
    if whole is None:
        return cells | {"status": Status.NOT_ESTIMABLE}
    back = BACK[scale]
    cells |= {"tau2": whole.tau2, "i2": whole.i2, "q": whole.q, "q_p": whole.q_p}
    low, high = _limits(whole.low, whole.high, labels)
    cells |= {"estimate": back(whole.estimate), "ci_low": low, "ci_high": high}
    return cells | {"status": Status.ESTIMATED}


def _limits(low: float, high: float, labels: dict[str, Any]) -> tuple[float, float]:
    """Limits on the scale of the metric, not beyond its smallest and greatest value."""
    metric = Metric(labels["metric"])
    back = BACK[SCALES[metric]]
    ends = (back(low), back(high))
    if metric != Metric.NET_BENEFIT:
        return ends
    # Everybody treated: nobody is cured, or everybody. The prevalence of a new center is not known.
    at = float(labels["at"])
    least = -at / (1 - at)
    return min(max(ends[0], least), 1.0), max(min(ends[1], 1.0), least)


def _note(named: Sequence[str], effects: Sequence[Effect], found: _Result) -> str:
    used = {effect.row.group for effect in effects}
    left_out = [center for center in named if center not in used]
    parts = [found.reason] if found.reason else []
    if left_out:
        parts.append(
            f"left out (not estimable, without spread or too small): {', '.join(left_out)}"
        )
    parts += [f"{effect.row.group}: {effect.row.note}" for effect in effects if effect.row.note]
    return "; ".join(parts)


def _joint(row: Any, effects: Sequence[Effect], elsewhere: Collection[str]) -> dict[str, object]:
    cells: dict[str, object] = dict.fromkeys((*_NUMBERS, *_PREDICTION, "scale"))
    cells |= {name: getattr(row, name) for name in ("estimate", "ci_low", "ci_high", "status")}
    centers = [effect.row.group for effect in effects]
    missing = ", ".join(center for center in centers if center in elsewhere)
    without = f"without {missing}, whose patients are not at this site" if missing else ""
    inside = sum(center not in elsewhere for center in centers)
    return cells | {"k": inside, "note": "; ".join(filter(None, (JOINT_NOTE, without, row.note)))}


def _centers(
    effects: Sequence[Effect], found: _Result, labels: dict[str, Any]
) -> Iterator[dict[str, object]]:
    back = BACK[SCALES[Metric(labels["metric"])]]
    for index, (effect, without) in enumerate(zip(effects, found.without, strict=True)):
        row = effect.row
        yield {
            "center": row.group,
            "estimate": row.estimate,
            "ci_low": row.ci_low,
            "ci_high": row.ci_high,
            "weight": None if found.whole is None else float(found.whole.weights[index]),
            "n": int(row.n),
            "events": int(row.events),
            "without": None if without is None else back(without.estimate),
            "without_low": None if without is None else back(without.low),
            "without_high": None if without is None else back(without.high),
        }
