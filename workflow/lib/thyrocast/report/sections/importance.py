"""The section on permutation importance: what the models rely on."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from thyrocast.contract.explanation import IMPORTANCE, Permuted
from thyrocast.contract.names import Model, Status
from thyrocast.pages import drawing, numbers, palette
from thyrocast.pages.parts import Cell, Grid, Panel, estimate, label
from thyrocast.report import words
from thyrocast.report.study import StudyResults

#: Most rows of a figure.
MOST_SHOWN = 8
#: What is no column of the cohort, in words.
_NAMES = {
    "network_logit": "Log-odds of the network",
    "signature_logit": "Log-odds of the signature",
    "image": "Everything from the image",
    "clinical": "All clinical predictors",
    "all": "All features of the image",
}
_CAUTION = (
    "It describes the models, not the disease: a predictor on which no model relies may still be informative, "
    "and one that only takes the place of another may be important. If strongly correlated predictors are "
    "permuted one by one, each is replaced by the others and seems unimportant; sets of them are therefore also "
    "permuted together (named after the first). Permuted patients may be impossible ones, such as a large gland with a small area. "
    "Intervals contain the sampling of test patients, not that of training patients. A loss of exactly 0 without a width: the "
    "model does not use the predictor, or all test patients have one value of it, or none."
)


@dataclass(frozen=True)
class ImportanceSection:
    """Permutation importance in one design.

    Attributes
    ----------
    text, caution
        What was done, and what it does not show.
    panels
        The largest losses of each model.
    grids
        All losses, by model.
    """

    text: str
    caution: str
    panels: Sequence[Panel]
    grids: Sequence[Grid]


def importance_section(study: StudyResults) -> ImportanceSection | None:
    """Importance in the design with the strongest evidence; None if none was measured."""
    table = study.tables.get(IMPORTANCE.name)
    if table is None or table.empty:
        return None
    by_model = {
        model.value: rows
        for model in Model
        if not (rows := table[table["model"] == model.value]).empty
    }
    panels = (_panel(study, model, _headline(rows)) for model, rows in by_model.items())
    return ImportanceSection(
        text=_text(study, table),
        caution=_CAUTION,
        panels=[panel for panel in panels if panel is not None],
        grids=[_grid(study, model, rows) for model, rows in by_model.items()],
    )


def _text(study: StudyResults, table: pd.DataFrame) -> str:
    design = words.design(table["design"].iloc[0])
    known = table[table["status"] == Status.ESTIMATED]
    times = numbers.count(known["permutations"].max()) if len(known) else "no"
    tested = known["n"].dropna()
    who = f"{numbers.count(tested.max())} test patients" if len(tested) else "test patients"
    return (
        f"In {who} of the design “{design}”, every predictor was given the values of other patients ({times} "
        f"permutations), and the model predicted again. What its AUC loses is the importance (Breiman 2001; Fisher "
        f"et al. 2019), with its {study.level} confidence interval: a loss whose interval contains 0 is not shown to differ from none."
    )


def _headline(rows: pd.DataFrame) -> pd.DataFrame:
    """What a figure shows: the model as it predicts, or the first member's features; sets in place of their members."""
    members = [name for name in dict.fromkeys(rows["member"]) if name]
    first = rows["split"][rows["member"] == members[0]].iloc[0] if members else ""
    chosen = rows[
        (rows["member"] == "")
        | ((rows["member"] == (members or [""])[0]) & (rows["split"] == first))
    ]
    alone = (chosen["kind"] != Permuted.PREDICTOR) | (chosen["connected"] == "")
    known: pd.DataFrame = chosen[alone & (chosen["status"] == Status.ESTIMATED)]
    return known


def _name(row: Mapping[Hashable, Any], *, member: bool = False) -> str:
    """A predictor, set or part in words."""
    own = str(row["predictor"])
    text = _NAMES.get(own) or (f"Feature {own}" if own.isdigit() else words.column(own))
    if row["kind"] == Permuted.CORRELATED:
        text += f" and {int(row['predictors']) - 1} more"
    return f"{text} ({row['member']})" if member and row["member"] else text


def _panel(study: StudyResults, model: str, rows: pd.DataFrame) -> Panel | None:
    if rows.empty:
        return None
    shown = rows.sort_values("auc_loss", ascending=False, kind="stable").head(MOST_SHOWN)[::-1]
    place = np.arange(len(shown))
    tone = palette.light(model if model in palette.COLORS else "ink")
    low, middle, high = (
        shown[name].to_numpy(float) for name in ("auc_low", "auc_loss", "auc_high")
    )
    with drawing.panel(height=62 + 21 * len(shown), left=190) as (figure, (axes,)):
        axes.axvline(0, color=palette.light("rule"), linewidth=1.1)
        axes.hlines(place, low, high, color=tone, linewidth=1.6)
        axes.plot(middle, place, "o", color=tone, markersize=5)
        names = [_name(row, member=True) for row in shown.to_dict("records")]
        axes.set_yticks(place, names, fontsize=9.5)
        axes.tick_params(axis="y", length=0)
        axes.grid(False, axis="y")
        axes.set(xlabel="Loss of AUC", ylim=(-0.7, len(shown) - 0.3))
        svg = drawing.svg(
            figure,
            f"importance-{model}",
            f"Loss of AUC of the model {words.model(model)} by the permutation of "
            f"{words.plural(len(shown), 'predictor or set', 'predictors or sets')}.",
        )
    auc = rows["auc"].iloc[0]
    others = len(rows) - len(shown)
    note = f"{words.plural(others, 'more row')} in the table." if others else ""
    return Panel(f"{words.model(model)}, AUC {numbers.number(auc)}", svg, note=note)


def _grid(study: StudyResults, model: str, rows: pd.DataFrame) -> Grid:
    header = ["Predictor", "Together with", "AUC", "Loss of AUC", "Loss of Brier score"]
    body = []
    for row in rows.to_dict("records"):
        where = f"{row['split']}, {row['member']}" if row["member"] else ""
        name = label(_name(row), where)
        if row["status"] != Status.ESTIMATED:
            reason = "not shown" if row["status"] == Status.SUPPRESSED else str(row["note"])
            body.append([name, label(""), *[Cell(numbers.MISSING)] * 2, label(reason)])
            continue
        body.append(
            [
                name,
                label(_partners(row, rows)),
                Cell(numbers.number(row["auc"])),
                estimate(row["auc_loss"], row["auc_low"], row["auc_high"], 3),
                estimate(row["brier_loss"], row["brier_low"], row["brier_high"], 3),
            ]
        )
    note = "Features exist within one member; their loss is that of the member’s own prediction."
    return Grid(
        f"Importance, {words.model(model)}", header, body, note if model == Model.SIGNATURE else ""
    )


def _partners(row: Mapping[Hashable, Any], rows: pd.DataFrame) -> str:
    """The other predictors of a set."""
    if row["kind"] != Permuted.CORRELATED:
        return ""
    same = rows[
        (rows["split"] == row["split"])
        & (rows["member"] == row["member"])
        & (rows["kind"] == Permuted.PREDICTOR)
        & (rows["connected"] == row["connected"])
        & (rows["predictor"] != row["predictor"])
    ]
    return ", ".join(_name(one) for one in same.to_dict("records"))
