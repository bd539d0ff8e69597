"""How discrimination and cure rate change with the definition of the outcome."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from thyrocast.contract.evaluation import MULTIVERSE
from thyrocast.pages import numbers
from thyrocast.pages.parts import Cell, Grid, label, result
from thyrocast.report import definitions, words
from thyrocast.report.study import StudyResults


@dataclass(frozen=True)
class MultiverseSection:
    """The definitions of the outcome, compared.

    Attributes
    ----------
    rules
        Each definition in words: (name, text), the main one first.
    grids
        One table per design.
    """

    rules: Sequence[tuple[str, str]]
    grids: Sequence[Grid]


def multiverse_section(study: StudyResults) -> MultiverseSection | None:
    """Compare the definitions; None if the study has one definition only."""
    table = study.tables.get(MULTIVERSE.name)
    if table is None or table.empty:
        return None
    rules = [(one.name, definitions.sentence(one)) for one in study.config.definitions()]
    return MultiverseSection(rules, [_grid(study, design) for design in study.designs])


def _grid(study: StudyResults, design: str) -> Grid:
    rows = study.select(MULTIVERSE, design=design)
    models = study.models(design)
    least = study.config.evaluation.minimum_count.cells
    body = [
        _row(str(name), part, models, least)
        for name, part in rows.groupby("definition", sort=False)
    ]
    header = [
        "Definition", "Cure rate", "Scored", *(f"AUC, {words.model(model)}" for model in models),
        "Other outcome", "Lost", "Not scored",
    ]  # fmt: skip
    note = (
        "Models, predictions, thresholds and training outcomes are those of the main definition; only "
        "the outcomes of test patients change. Cure rate: among all eligible patients with an outcome. "
        "Other outcome, lost: test patients whose outcome is another one, or who have none. Not scored: "
        "patients of all designs with an outcome under this definition only; they were in no test set, "
        "so no model predicted them. Outcomes that a center states in its table are the same in every "
        f"row. Fewer than {least} patients are not counted."
    )
    return Grid(f"Definitions of the outcome: {words.design(design)}", header, body, note)


def _row(name: str, rows: pd.DataFrame, models: Sequence[str], least: int) -> list[Cell]:
    first = rows.iloc[0]
    by_model = {str(row["model"]): row for row in rows.to_dict("records")}
    rate = Cell(
        numbers.percent(first["cure_rate"]),
        f"{numbers.count(first['decided'])} decided, {numbers.count(first['undecided'])} not",
    )
    scored = Cell(numbers.count(rows["n"].max()), f"{numbers.count(rows['events'].max())} cured")
    return [
        label(f"{name} (main)" if first["main"] else name),
        rate,
        scored,
        *(result(by_model.get(model)) for model in models),
        *(_few(int(rows[key].max()), least) for key in ("changed", "lost", "not_scored")),
    ]


def _few(size: int, least: int) -> Cell:
    return Cell(f"< {least}") if 0 < size < least else Cell(numbers.count(size))
