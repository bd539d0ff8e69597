"""Patients without an outcome, and the evaluation that is weighted for them."""

import pandas as pd

from thyrocast.config.evaluation import FollowUpWeighting
from thyrocast.contract.cohort import WITHOUT_OUTCOME
from thyrocast.contract.evaluation import PERFORMANCE
from thyrocast.contract.names import GroupKind, Set, Status
from thyrocast.pages import numbers
from thyrocast.pages.parts import Cell, Grid, label, result
from thyrocast.report import words
from thyrocast.report.study import StudyResults

#: Kind of interval of weighted results in performance.csv.
METHOD = "bootstrap_follow_up_weighted"


def without_outcome(study: StudyResults) -> Grid | None:
    """Compare the analyzed with those whose outcome is not known; None if it is known for all."""
    table = study.tables.get(WITHOUT_OUTCOME.name)
    if table is None or table.empty:
        return None
    if (table["status"] == Status.SUPPRESSED).all():
        note = "Nothing is shown: too few patients have no outcome, or too few have one."
        return Grid("Patients without an outcome", ["", "Analyzed", "Without outcome"], [], note)
    rows = [_row(row) for row in table.to_dict("records")]
    note = (
        "Eligible patients with a scan. Mean, or share of patients with a known value. Difference: "
        "standardized; above 0.1 it is often taken as imbalance. Images of patients without an outcome "
        "were not standardized, so some might have been excluded later."
    )
    header = ["", "Analyzed", "Without outcome", "Difference"]
    return Grid("Patients without an outcome", header, rows, note)


def _row(row: dict[object, object]) -> list[Cell]:
    name = str(row["variable"])
    title = "Center" if name == "center" else words.column(name)
    if row["level"]:
        title += f": {row['level']}"
    if row["status"] == Status.SUPPRESSED:
        return [label(title), *[Cell(numbers.MISSING, "not shown")] * 2, Cell(numbers.MISSING)]
    shown = (
        (numbers.percent(row[key]) if row["level"] else numbers.significant(row[key]))
        for key in ("analyzed", "without")
    )
    return [label(title), *map(Cell, shown), Cell(numbers.number(row["difference"]))]


def weighted_grid(study: StudyResults) -> Grid | None:
    """Return results weighted by the inverse probability of follow-up; None without them."""
    if study.config.evaluation.follow_up_weighting is FollowUpWeighting.NONE:
        return None
    rows = [
        [label(f"{words.design(design)}: {words.model(model)}"), *cells]
        for design in study.designs
        for model in study.models(design)
        for cells in [_cells(_rows(study, design, model))]
    ]
    metrics = ["auc", "brier", "calibration_in_the_large"]
    header = ["", *(words.METRICS[metric] for metric in metrics)]
    note = (
        "Each patient counts with the inverse of the probability of having an outcome, given center and "
        "clinical columns; intervals from a bootstrap that fits these probabilities again. Without "
        "weights: the tables above. All test predictions of a design are one sample."
    )
    return Grid("Weighted by the inverse probability of follow-up", header, rows, note)


def _rows(study: StudyResults, design: str, model: str) -> pd.DataFrame:
    return study.select(
        PERFORMANCE, design=design, split=study.overall(design), set=Set.TEST, model=model,
        group_kind=GroupKind.POOLED, ci_method=METHOD,
    )  # fmt: skip


def _cells(rows: pd.DataFrame) -> list[Cell]:
    found = {str(row["metric"]): row for row in rows.to_dict("records")}
    return [result(found.get(name)) for name in ("auc", "brier", "calibration_in_the_large")]
