"""The learning curve: how much more patients may add."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from thyrocast.contract.learning_curve import LEARNING_CURVE
from thyrocast.contract.names import Status
from thyrocast.pages import drawing, numbers, palette
from thyrocast.pages.parts import Cell, Grid, Key, Panel, estimate, label
from thyrocast.report import words
from thyrocast.report.figures import performance_figures
from thyrocast.report.study import StudyResults


@dataclass(frozen=True)
class LearningCurveSection:
    """The learning curve of a study.

    Attributes
    ----------
    text
        What was done, and what it does not show.
    panels
        The curves, with what is extrapolated.
    grid
        AUC now and extrapolated, and the gain, by model.
    """

    text: str
    panels: Sequence[Panel]
    grid: Grid


def learning_curve_section(study: StudyResults) -> LearningCurveSection | None:
    """The learning curve; None if none was measured."""
    table = study.tables.get(LEARNING_CURVE.name)
    if table is None or table.empty:
        return None
    text = (
        f"Each model was fitted again to {numbers.count(table['repeats'].max())} random subsamples of 40 to 100 % "
        "of the development patients and scored in the folds without their patients. Networks were "
        "not trained again: at every size, the embeddings are by networks that have seen all patients of the other folds. "
        "The curves of signature and heads therefore show what more patients add to these models on given "
        "embeddings. They are no learning curve of the network, which more patients would improve as well. This curve does not say how many patients "
        "are enough: it shows what may be gained."
    )
    known = table[table["status"] == Status.ESTIMATED]
    return LearningCurveSection(text, _panels(known), _grid(table))


def _panels(rows: pd.DataFrame) -> list[Panel]:
    if rows.empty:
        return []
    legend: list[Key] = []
    with drawing.panel(height=280) as (figure, (axes,)):
        for model, part in rows.groupby("model", sort=False):
            part = part.sort_values("share")
            measured = part["kind"] == "measured"
            n, auc = part["patients"].to_numpy(float), part["auc"].to_numpy(float)
            color = palette.light(palette.of_model(str(model)))
            performance_figures.line(axes, str(model), n[measured], auc[measured])
            axes.plot(n[measured], auc[measured], "o", color=color, markersize=4)
            axes.errorbar(
                n[~measured], auc[~measured], fmt="none", ecolor=color, elinewidth=1, alpha=0.6,
                yerr=abs(part.loc[~measured, ["ci_low", "ci_high"]].to_numpy(float).T - auc[~measured]),
            )  # fmt: skip
            axes.plot(
                n[~measured], auc[~measured], "o", color=color, markerfacecolor="none", markersize=6
            )
            legend.append(performance_figures.key(str(model)))
        axes.set(xlabel="Development patients", ylabel="AUC")
        svg = drawing.svg(
            figure, "learning-curve", "AUC by number of patients; the table has the values."
        )
    note = "Filled: measured. Empty, with 95 % intervals: extrapolated by an inverse power law."
    return [Panel("Learning curve", svg, legend, note)]


def _grid(table: pd.DataFrame) -> Grid:
    shares = sorted(share for share in table["share"].unique() if share >= 1)
    known = table[table["status"] == Status.ESTIMATED]
    size = {
        share: numbers.count(known.loc[known["share"] == share, "patients"].max())
        for share in shares
    }
    heads = ["Model", f"AUC, {size[1.0]} patients"]
    for share in shares[1:]:
        heads += [f"{size[share]} patients ({share:g} ×)", "Gain"]
    rows = []
    for model, part in table.groupby("model", sort=False):
        by_share = {row["share"]: row for row in part.to_dict("records")}
        note = str(by_share[1.0]["note"])
        cells = [label(words.model(str(model)), note), _auc(by_share[1.0])]
        for share in shares[1:]:
            row = by_share[share]
            cells += [_auc(row), estimate(row["gain"], row["gain_low"], row["gain_high"], 3)]
        rows.append(cells)
    return Grid(
        "AUC now and extrapolated",
        heads,
        rows,
        "95 % intervals contain the sampling of patients and, if extrapolated, the unknown shape of the curve. More "
        "patients are assumed not to make a model worse. In simulations, intervals of the extrapolated AUC covered "
        "89 to 99 %, those of the gain 78 to 100 %: a gain can be greater than it seems.",
    )


def _auc(row: Mapping[Hashable, Any]) -> Cell:
    return estimate(row["auc"], row["ci_low"], row["ci_high"])
