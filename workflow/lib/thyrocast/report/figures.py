"""The report's figures of performance, each a function from rows to one inline SVG panel."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import PercentFormatter

from thyrocast.report import drawing, palette, words

# More points than a panel has pixels only make the page heavier.
POINTS = 240
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Key:
    """A legend's entry: colour and dashes as drawn, and what it says."""

    colour: str
    dashes: str
    label: str
    value: str = ""
    shape: str = "line"


@dataclass(frozen=True)
class Panel:
    """A figure on the page."""

    title: str
    svg: str
    legend: Sequence[Key] = ()
    note: str = ""


def key(model: str, value: str = "") -> Key:
    """Legend entry of a model."""
    name = palette.of_model(model)
    dashes = " ".join(f"{dash * 1.9:g}" for dash in palette.DASHES[name])
    return Key(name, dashes, words.model(model), value)


def line(axes: Axes, model: str, x: Floats, y: Floats, **more: Any) -> None:
    """A model's curve, in its colour and dashes."""
    name = palette.of_model(model)
    x, y = thin(x, y)
    axes.plot(
        x, y, color=palette.light(name), dashes=tuple(palette.DASHES[name]) or (None, None), **more
    )


def band(
    axes: Axes, colour: str, x: Floats, low: Floats, high: Floats, *, opacity: float = 0.16
) -> None:
    """An interval around a curve; nothing where its ends are unknown."""
    known = np.isfinite(low) & np.isfinite(high)
    if known.sum() > 1:
        x, low, high = thin(x[known], low[known], high[known])
        axes.fill_between(x, low, high, color=palette.light(colour), alpha=opacity, linewidth=0)


def thin(*columns: Floats) -> tuple[Floats, ...]:
    """Keep at most `POINTS` places of curves of one length, the ends among them."""
    size = len(columns[0])
    if size <= POINTS:
        return columns
    keep = np.unique(np.linspace(0, size - 1, POINTS).round().astype(int))
    return tuple(column[keep] for column in columns)


def roc(
    name: str, curves: Mapping[str, Sequence[pd.DataFrame]], banded: Sequence[str], spoken: str
) -> str:
    """Receiver operating characteristic of several models.

    Parameters
    ----------
    name
        Unique on the page.
    curves
        For each model its curves (one, or one for each split), columns fpr, tpr, tpr_low, tpr_high.
    banded
        Models whose confidence band is drawn.
    spoken
        The areas under the curves, for the description.
    """
    with drawing.panel(height=390) as (figure, (axes,)):
        axes.plot([0, 1], [0, 1], color=palette.light("rule"), linewidth=1.2)
        for model, parts in curves.items():
            for rows in parts:
                x, y = _floats(rows, "fpr", "tpr")
                if model in banded:
                    band(axes, palette.of_model(model), x, *_floats(rows, "tpr_low", "tpr_high"))
                line(
                    axes,
                    model,
                    x,
                    y,
                    **({} if len(parts) == 1 else {"linewidth": 1.1, "alpha": 0.8}),
                )
        _shares(axes)
        axes.set(xlabel="1 − specificity", ylabel="Sensitivity")
        return drawing.svg(figure, name, f"ROC curves. {spoken}")


def calibration(
    name: str, model: str, curve: pd.DataFrame, groups: pd.DataFrame, predictions: pd.DataFrame
) -> str:
    """Calibration of one model: smooth curve with band, groups, and who was predicted what.

    Parameters
    ----------
    curve, groups
        Rows of calibration.csv and calibration_groups.csv.
    predictions
        Columns probability and outcome ("1" or "0") of the same patients.
    """
    colour = palette.of_model(model)
    with drawing.panel(height=350, width=drawing.NARROW, ratios=(4, 1)) as (figure, (axes, below)):
        axes.plot([0, 1], [0, 1], color=palette.light("rule"), linewidth=1.2)
        if not curve.empty:
            x, y = _floats(curve, "predicted", "observed")
            band(axes, colour, x, *_floats(curve, "ci_low", "ci_high"))
            line(axes, model, x, y)
        if not groups.empty:
            x, y, low, high = _floats(groups, "predicted", "observed", "ci_low", "ci_high")
            axes.vlines(x, low, high, color=palette.light("ink"), linewidth=1)
            axes.plot(x, y, "o", color=palette.light("ink"), markersize=4.5)
        _shares(axes)
        axes.set(ylabel="Cured, observed")
        axes.tick_params(labelbottom=False)
        bins = np.linspace(0, 1, 26)
        for outcome, tone, sign in (("1", "cured", 1), ("0", "failed", -1)):
            chosen = predictions.loc[predictions["outcome"] == outcome, "probability"]
            heights = np.histogram(chosen, bins)[0]
            below.bar(
                bins[:-1],
                sign * heights,
                np.diff(bins) * 0.85,
                align="edge",
                color=palette.light(tone),
            )
        below.axhline(0, color=palette.light("muted"), linewidth=0.8)
        below.set(xlim=(-0.01, 1.01), xlabel="Predicted probability of cure", yticks=[])
        _share(below.xaxis)
        below.spines["left"].set_visible(False)
        below.grid(False)
        return drawing.svg(
            figure,
            name,
            f"Calibration of {words.model(model)}: observed share of cured patients against the "
            "predicted probability, with a histogram of the predictions by outcome below.",
        )


def decision(
    name: str,
    curves: Mapping[str, pd.DataFrame],
    everyone: pd.DataFrame,
    limits: tuple[float, float],
    banded: Sequence[str],
) -> str:
    """Net benefit over a range of thresholds.

    Parameters
    ----------
    curves
        Rows of decision_curve.csv for each model.
    everyone
        The rows of treat_all.
    limits
        First and last threshold shown.
    banded
        Models whose confidence band is drawn.
    """
    with drawing.panel(height=330) as (figure, (axes,)):
        axes.axhline(0, color=palette.light("muted"), linewidth=1.3)
        top = [0.05]
        if not everyone.empty:
            x, y = _within(everyone, limits)
            axes.plot(x, y, color=palette.light("muted"), linewidth=1.3, dashes=(2, 2))
            top += [*y]
        for model, rows in curves.items():
            if model in banded:
                x, low, high = _within(rows, limits, "ci_low", "ci_high")
                band(axes, palette.of_model(model), x, low, high, opacity=0.12)
            x, y = _within(rows, limits)
            line(axes, model, x, y)
            top += [*y]
        highest = float(np.nanmax(top)) * 1.12
        axes.set(
            xlim=limits, ylim=(-0.22 * highest, highest),
            xlabel="Threshold probability of cure", ylabel="Net benefit",
        )  # fmt: skip
        axes.xaxis.set_major_formatter(PercentFormatter(1, 0, " %"))
        return drawing.svg(
            figure,
            name,
            f"Decision curves from {words.percent(limits[0])} to {words.percent(limits[1])}: net "
            f"benefit of {words.listing([words.model(m) for m in curves])} beside treating all "
            "and none.",
        )


def forest(
    name: str,
    model: str,
    rows: pd.DataFrame,
    pooled: pd.Series | None,
    metric: str = "auc",
    reference: float = 0.5,
) -> str:
    """Forest plot of one model's centers, the pooled estimate and the prediction interval below.

    Parameters
    ----------
    rows
        Columns center, estimate, ci_low, ci_high, n, events.
    pooled
        A row of pooled.csv, or None.
    reference
        Where a vertical line stands.
    """
    colour = palette.light(palette.of_model(model))
    future = pooled is not None and words.is_number(pooled["pi_low"])
    lines = len(rows) + (pooled is not None) + future
    with drawing.panel(height=54 + 34 * lines, left=112, right=92) as (figure, (axes,)):
        ends = [*rows["ci_low"], *rows["ci_high"], *rows["estimate"], reference]
        if pooled is not None:
            ends += [pooled["pi_low"], pooled["pi_high"], pooled["ci_low"], pooled["ci_high"]]
        ends = [float(end) for end in ends if words.is_number(end)]
        axes.axvline(reference, color=palette.light("rule"), linewidth=1.2)
        labels, values = [], []
        largest = max(float(rows["n"].max()), 1.0)
        for place, row in enumerate(rows.to_dict("records")):
            labels.append(
                f"{_clip(row['center'])}\n{words.count(row['n'])}, {words.count(row['events'])} cured"
            )
            values.append(_stacked(row["estimate"], row["ci_low"], row["ci_high"]))
            if words.is_number(row["estimate"]):
                axes.hlines(-place, row["ci_low"], row["ci_high"], color=colour, linewidth=1.6)
                size = 4 + 5 * np.sqrt(row["n"] / largest)
                axes.plot([row["estimate"]], [-place], "s", color=colour, markersize=size)
        if pooled is not None:
            at = -len(rows)
            ink = palette.light("ink")
            low, middle, high = (float(pooled[end]) for end in ("ci_low", "estimate", "ci_high"))
            axes.axhline(at + 0.5, color=palette.light("rule"), linewidth=0.9)
            axes.fill([low, middle, high, middle], [at, at + 0.24, at, at - 0.24], color=ink)
            labels.append("All centers\nrandom effects")
            values.append(_stacked(middle, low, high))
            if future:
                labels.append("A new center\nprediction interval")
                values.append(words.interval(pooled["pi_low"], pooled["pi_high"]))
                axes.hlines(at - 1, pooled["pi_low"], pooled["pi_high"], color=ink, linewidth=1.6)
        axes.set_yticks(
            [-float(place) for place in range(lines)],
            labels,
            fontsize=10,
            color=palette.light("ink"),
        )
        right = axes.twinx()
        right.set_yticks(
            [-float(place) for place in range(lines)],
            values,
            fontsize=10,
            color=palette.light("ink"),
        )
        for one in (axes, right):
            one.set_ylim(-lines + 0.45, 0.55)
            one.tick_params(axis="y", length=0)
            one.grid(False, axis="y")
            one.spines["left"].set_visible(False)
        margin = 0.06 * (max(ends) - min(ends) or 1)
        axes.set_xlim(min(ends) - margin, max(ends) + margin)
        axes.set_xlabel(words.metric(metric))
        spoken = "; ".join(
            f"{row['center']} {words.estimate(row['estimate'], row['ci_low'], row['ci_high'])}"
            for row in rows.to_dict("records")
        )
        return drawing.svg(
            figure, name, f"Forest plot of {words.model(model)}, {words.metric(metric)}: {spoken}."
        )


def _floats(rows: pd.DataFrame, *columns: str) -> list[Floats]:
    return [rows[column].to_numpy(dtype=float) for column in columns]


def _within(rows: pd.DataFrame, limits: tuple[float, float], *columns: str) -> list[Floats]:
    slack = 1e-9
    rows = rows[rows["threshold"].between(limits[0] - slack, limits[1] + slack)].sort_values(
        "threshold"
    )
    return _floats(rows, "threshold", *(columns or ("net_benefit",)))


def _shares(axes: Axes) -> None:
    """Both axes from 0 to 100 %, with room for a line that runs along the edge."""
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01))
    for axis in (axes.xaxis, axes.yaxis):
        _share(axis)


def _share(axis: Axis) -> None:
    axis.set_ticks([0, 0.25, 0.5, 0.75, 1])
    axis.set_major_formatter(PercentFormatter(1, 0, " %"))


def _stacked(middle: object, low: object, high: object) -> str:
    within = words.interval(low, high)
    return words.number(middle) + (f"\n{within}" if within else "")


def _clip(name: object, length: int = 18) -> str:
    text = str(name)
    return text if len(text) <= length else text[: length - 1] + "…"
