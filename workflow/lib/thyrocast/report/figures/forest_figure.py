"""Forest plot of a model's centers."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from thyrocast.contract.names import Metric
from thyrocast.pages import drawing, numbers, palette
from thyrocast.report import words

#: AUC of a model that cannot distinguish patients.
CHANCE = 0.5
_LONGEST_NAME = 18


@dataclass(frozen=True)
class _Line:
    """Text to the left and to the right of a line of the plot."""

    left: str
    right: str


def forest(name: str, model: str, rows: pd.DataFrame, pooled: "pd.Series | None") -> str:
    """Draw one model's AUC by center, with the pooled estimate and prediction interval.

    Parameters
    ----------
    name
        Unique on the page.
    model
        As in the tables.
    rows
        Columns center, estimate, ci_low, ci_high, n, events; one row per center.
    pooled
        A row of pooled.csv, or None.

    Returns
    -------
    str
        Inline SVG.
    """
    records = rows.to_dict("records")
    predicted = pooled is not None and numbers.is_number(pooled["pi_low"])
    size = len(records) + (pooled is not None) + predicted
    with drawing.panel(height=54 + 34 * size, left=112, right=92) as (figure, (axes,)):
        axes.axvline(CHANCE, color=palette.light("rule"), linewidth=1.2)
        lines = _centers(axes, palette.light(palette.of_model(model)), records)
        if pooled is not None:
            lines += _pooled(axes, pooled, -len(records), predicted=predicted)
        _label(axes, lines)
        _limit(axes, rows, pooled)
        axes.set_xlabel(words.metric(Metric.AUC))
        spoken = "; ".join(
            f"{row['center']} {numbers.estimate(row['estimate'], row['ci_low'], row['ci_high'])}"
            for row in records
        )
        return drawing.svg(
            figure,
            name,
            f"Forest plot of {words.model(model)}, {words.metric(Metric.AUC)}: {spoken}.",
        )


def _centers(axes: Axes, color: str, records: Sequence[dict[Hashable, Any]]) -> list[_Line]:
    """Draw one square with its interval per center, larger with more patients."""
    known = [float(row["n"]) for row in records if numbers.is_number(row["n"])]
    largest = max([*known, 1.0])
    lines = []
    for place, row in enumerate(records):
        size = f"{numbers.count(row['n'])}, {numbers.count(row['events'])} cured"
        value = _stacked(row["estimate"], row["ci_low"], row["ci_high"])
        lines.append(_Line(f"{_clip(row['center'])}\n{size}", value))
        if numbers.is_number(row["estimate"]):
            axes.hlines(-place, row["ci_low"], row["ci_high"], color=color, linewidth=1.6)
            width = 4 + 5 * np.sqrt(float(row["n"]) / largest)
            axes.plot([row["estimate"]], [-place], "s", color=color, markersize=width)
    return lines


def _pooled(axes: Axes, pooled: pd.Series, at: int, *, predicted: bool) -> list[_Line]:
    """Draw a diamond for the mean of the centers, and a line for a new center."""
    ink = palette.light("ink")
    low, middle, high = (float(pooled[part]) for part in ("ci_low", "estimate", "ci_high"))
    axes.axhline(at + 0.5, color=palette.light("rule"), linewidth=0.9)
    axes.fill([low, middle, high, middle], [at, at + 0.24, at, at - 0.24], color=ink)
    lines = [_Line("All centers\nrandom effects", _stacked(middle, low, high))]
    if predicted:
        axes.hlines(at - 1, pooled["pi_low"], pooled["pi_high"], color=ink, linewidth=1.6)
        value = numbers.interval(pooled["pi_low"], pooled["pi_high"])
        lines.append(_Line("A new center\nprediction interval", value))
    return lines


def _label(axes: Axes, lines: Sequence[_Line]) -> None:
    places = [-float(place) for place in range(len(lines))]
    ink = palette.light("ink")
    right = axes.twinx()
    axes.set_yticks(places, [line.left for line in lines], fontsize=10, color=ink)
    right.set_yticks(places, [line.right for line in lines], fontsize=10, color=ink)
    for one in (axes, right):
        one.set_ylim(-len(lines) + 0.45, 0.55)
        one.tick_params(axis="y", length=0)
        one.grid(False, axis="y")
        one.spines["left"].set_visible(False)


def _limit(axes: Axes, rows: pd.DataFrame, pooled: "pd.Series | None") -> None:
    ends = [*rows["ci_low"], *rows["ci_high"], *rows["estimate"], CHANCE]
    if pooled is not None:
        ends += [pooled[part] for part in ("pi_low", "pi_high", "ci_low", "ci_high")]
    known = [float(end) for end in ends if numbers.is_number(end)]
    margin = 0.06 * (max(known) - min(known) or 1)
    axes.set_xlim(min(known) - margin, max(known) + margin)


def _stacked(middle: object, low: object, high: object) -> str:
    within = numbers.interval(low, high)
    return numbers.number(middle) + (f"\n{within}" if within else "")


def _clip(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1] + "…"
