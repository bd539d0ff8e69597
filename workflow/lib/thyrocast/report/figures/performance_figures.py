"""Figures of performance: ROC, calibration and decision curves as inline SVG."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import PercentFormatter

from thyrocast.pages import drawing, numbers, palette
from thyrocast.pages.parts import Key
from thyrocast.report import words

#: Most points of a curve: a panel has no more pixels.
POINTS = 240
#: Bins of the histogram of predicted probabilities; neighbors are joined until they are large enough.
HISTOGRAM = np.linspace(0, 1, 26)
#: False-positive rates at which ROC curves are drawn.
GRID = np.linspace(0, 1, 41)
Floats = npt.NDArray[np.float64]


def key(model: str, value: str = "") -> Key:
    """Legend entry of a model."""
    name = palette.of_model(model)
    dashes = " ".join(f"{dash * 1.9:g}" for dash in palette.DASHES[name])
    return Key(name, dashes, words.model(model), value)


def line(axes: Axes, model: str, x: Floats, y: Floats, **more: Any) -> None:
    """Draw a model's curve, in its color and dashes."""
    name = palette.of_model(model)
    x, y = thin(x, y)
    axes.plot(
        x, y, color=palette.light(name), dashes=tuple(palette.DASHES[name]) or (None, None), **more
    )


def band(
    axes: Axes, color: str, x: Floats, low: Floats, high: Floats, *, opacity: float = 0.16
) -> None:
    """Draw the band around a curve; nothing where a limit is missing."""
    known = np.isfinite(low) & np.isfinite(high)
    if known.sum() > 1:
        x, low, high = thin(x[known], low[known], high[known])
        axes.fill_between(x, low, high, color=palette.light(color), alpha=opacity, linewidth=0)


def thin(*columns: Floats) -> tuple[Floats, ...]:
    """Keep at most `POINTS` points of curves of one length, first and last included."""
    size = len(columns[0])
    if size <= POINTS:
        return columns
    keep = np.unique(np.linspace(0, size - 1, POINTS).round().astype(int))
    return tuple(column[keep] for column in columns)


def on_grid(x: Floats, *columns: Floats) -> tuple[Floats, ...]:
    """Interpolate an ROC curve at the places of `GRID`; the corner of a step is one patient.

    Parameters
    ----------
    x : ndarray, (n,)
        False-positive rates, which do not decrease.
    columns : ndarrays, (n,)
        True-positive rates and limits. Where x is repeated, the last value is taken.
    """
    if not len(x):
        return (x, *columns)
    order = np.lexsort((columns[0], x))
    last = np.append(np.diff(x[order]) > 0, True)
    kept = order[last]
    # The curve begins at its lowest point, not at the top of a first vertical step.
    grid = np.concatenate([[x[order[0]]], GRID[x[order[0]] < GRID]])
    found = [np.interp(grid, x[kept], column[kept]) for column in columns]
    for values, column in zip(found, columns, strict=True):
        values[0] = column[order[0]]
    return (grid, *found)


def roc(
    name: str, curves: Mapping[str, Sequence[pd.DataFrame]], banded: Sequence[str], spoken: str
) -> str:
    """Draw the ROC curves of several models.

    Parameters
    ----------
    name
        Unique on the page.
    curves
        For each model its curves (one, or one for each split), columns fpr, tpr, tpr_low, tpr_high.
    banded
        Models whose confidence band is drawn.
    spoken
        The AUCs in words, for screen readers.

    Returns
    -------
    str
        Inline SVG.
    """
    with drawing.panel(height=390) as (figure, (axes,)):
        axes.plot([0, 1], [0, 1], color=palette.light("rule"), linewidth=1.2)
        for model, parts in curves.items():
            for rows in parts:
                x, y, low, high = on_grid(*_floats(rows, "fpr", "tpr", "tpr_low", "tpr_high"))
                if model in banded:
                    band(axes, palette.of_model(model), x, low, high)
                thinner = {} if len(parts) == 1 else {"linewidth": 1.1, "alpha": 0.8}
                line(axes, model, x, y, **thinner)
        _shares(axes)
        axes.set(xlabel="1 − specificity", ylabel="Sensitivity")
        return drawing.svg(figure, name, f"ROC curves. {spoken}")


def calibration(
    name: str,
    model: str,
    curve: pd.DataFrame,
    groups: pd.DataFrame,
    predictions: pd.DataFrame,
    least: int,
) -> str:
    """Draw the calibration of one model: smooth curve with band, groups, histogram of predictions.

    Parameters
    ----------
    name
        Unique on the page.
    model
        As in the tables.
    curve, groups
        Rows of calibration.csv and calibration_groups.csv.
    predictions
        Columns probability and outcome (1 or 0) of the same patients.
    least
        Fewest patients in a bar of the histogram.

    Returns
    -------
    str
        Inline SVG.
    """
    color = palette.of_model(model)
    with drawing.panel(height=350, width=drawing.NARROW, ratios=(4, 1)) as (figure, (axes, below)):
        axes.plot([0, 1], [0, 1], color=palette.light("rule"), linewidth=1.2)
        if not curve.empty:
            x, y = _floats(curve, "predicted", "observed")
            band(axes, color, x, *_floats(curve, "ci_low", "ci_high"))
            line(axes, model, x, y)
        if not groups.empty:
            x, y, low, high = _floats(groups, "predicted", "observed", "ci_low", "ci_high")
            axes.vlines(x, low, high, color=palette.light("ink"), linewidth=1)
            axes.plot(x, y, "o", color=palette.light("ink"), markersize=4.5)
        _shares(axes)
        axes.set(ylabel="Cured, observed")
        axes.tick_params(labelbottom=False)
        _histogram(below, predictions, least)
        return drawing.svg(
            figure,
            name,
            f"Calibration of {words.model(model)}: observed share of cured patients against the "
            "predicted probability, with a histogram of the predictions by outcome below.",
        )


def _histogram(axes: Axes, predictions: pd.DataFrame, least: int) -> None:
    """Draw the density of patients by predicted probability: cured upwards, not cured downwards."""
    probability = predictions["probability"].to_numpy(dtype=np.float64)
    edges = joined_bins(probability, least)
    for outcome, tone, sign in ((1, "cured", 1), (0, "failed", -1)):
        chosen = predictions.loc[predictions["outcome"] == outcome, "probability"]
        heights = np.histogram(chosen, edges)[0] / np.diff(edges)
        # One path for all bars: a patch for each would take most of the figure's time.
        axes.stairs(sign * heights, edges, fill=True, color=palette.light(tone), linewidth=0)
    axes.axhline(0, color=palette.light("muted"), linewidth=0.8)
    axes.set(xlim=(-0.01, 1.01), xlabel="Predicted probability of cure", yticks=[])
    _share(axes.xaxis)
    axes.spines["left"].set_visible(False)
    axes.grid(False)


def joined_bins(probability: Floats, least: int) -> Floats:
    """Edges of bins that contain no patient, or at least ``least``.

    Parameters
    ----------
    probability : ndarray, (n,)
        Predicted probabilities.
    least
        Fewest patients of a bin.

    Returns
    -------
    ndarray, (b + 1,)
        A subset of `HISTOGRAM`, with its first and last edge.
    """
    counts = np.histogram(probability, HISTOGRAM)[0]
    edges, inside = [HISTOGRAM[0]], 0
    for count, upper in zip(counts, HISTOGRAM[1:], strict=True):
        inside += int(count)
        if inside == 0 or inside >= least:
            edges.append(upper)
            inside = 0
    if inside:
        # The rest joins the bin before it.
        edges = edges[:-1] or edges
        while len(edges) > 1 and _between(probability, edges[-1]) < least:
            edges.pop()
    if edges[-1] < HISTOGRAM[-1]:
        edges.append(HISTOGRAM[-1])
    return np.array(edges)


def _between(probability: Floats, low: float) -> int:
    return int((probability >= low).sum())


def decision(
    name: str,
    curves: Mapping[str, pd.DataFrame],
    everyone: pd.DataFrame,
    limits: tuple[float, float],
    banded: Sequence[str],
) -> str:
    """Draw net benefit over a range of thresholds.

    Parameters
    ----------
    name
        Unique on the page.
    curves
        Rows of decision_curve.csv for each model.
    everyone
        The rows of treat_all; may be empty.
    limits
        First and last threshold shown.
    banded
        Models whose confidence band is drawn.

    Returns
    -------
    str
        Inline SVG.
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
        models = words.listing([words.model(model) for model in curves])
        return drawing.svg(
            figure,
            name,
            f"Decision curves from {numbers.percent(limits[0])} to {numbers.percent(limits[1])}: net "
            f"benefit of {models}, of treating all and of treating none.",
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
    """Set both axes to 0 to 100 %, with room for a line along the edge."""
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01))
    for axis in (axes.xaxis, axes.yaxis):
        _share(axis)


def _share(axis: Axis) -> None:
    axis.set_ticks([0, 0.25, 0.5, 0.75, 1])
    axis.set_major_formatter(PercentFormatter(1, 0, " %"))
