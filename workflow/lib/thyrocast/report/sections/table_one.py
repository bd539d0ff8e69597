"""Table 1: characteristics of the patients by center and by outcome."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from thyrocast.config.evaluation import MinimumCountConfig
from thyrocast.contract.cohort import COHORT
from thyrocast.contract.documents import CenterFlow
from thyrocast.contract.names import Role
from thyrocast.contract.table import Kind
from thyrocast.pages import numbers
from thyrocast.pages.parts import Cell, Grid, label
from thyrocast.report import words
from thyrocast.report.disclosure import protect
from thyrocast.report.sections.participants import HIDDEN, NOT_SHOWN, fraction, shown_outcomes
from thyrocast.report.study import StudyResults

#: Most codes of a column; the rest are counted together.
MOST_CODES = 8
#: Codes of a yes/no column, of which only one is shown.
_YES_NO = frozenset({"yes", "no"})


def table_one(study: StudyResults) -> list[Grid]:
    """Table 1 by center, and the same by outcome, without small counts."""
    cohort = study.cohort
    if cohort.empty:
        return []
    by_center = {name: cohort[cohort["center"] == name] for name in study.centers}
    by_outcome = {
        name: cohort[(cohort["outcome"] == outcome).fillna(False)]
        for name, outcome in (("Cured", 1), ("Not cured", 0))
    }
    least = study.config.evaluation.minimum_count
    outcomes = _outcome_cells(study, [*by_center])
    return [
        _characteristics("Table 1. Patients by center", by_center, cohort, outcomes, least),
        _characteristics("Patients by outcome", by_outcome, None, None, least),
    ]


def _outcome_cells(study: StudyResults, centers: Sequence[str]) -> list[Cell]:
    """Row of the patients who were cured: all, and by center, as in the flow of participants."""
    recorded = {
        str(name): CenterFlow(
            role=Role(part["role"].iloc[0]), found=0, in_table=0, in_dicom=0, matched=0, excluded={},
            analyzed=len(part), cured=int(part["outcome"].sum()),
        )
        for name, part in study.cohort.groupby("center", sort=False)
    }  # fmt: skip
    shown = shown_outcomes(recorded, study.config.evaluation.minimum_count)
    by_center = dict(zip(recorded, np.all(shown.cells, axis=0).tolist(), strict=True))
    cells = [_outcome(study.cohort["outcome"]) if shown.rows.all() else NOT_SHOWN]
    for name in centers:
        part = study.cohort.loc[study.cohort["center"] == name, "outcome"]
        hidden = part.notna().any() and not by_center[name]
        cells.append(NOT_SHOWN if hidden else _outcome(part))
    return cells


def _characteristics(
    caption: str,
    groups: Mapping[str, pd.DataFrame],
    whole: pd.DataFrame | None,
    cured: Sequence[Cell] | None,
    least: MinimumCountConfig,
) -> Grid:
    """Characteristics by group; ``whole`` is a column before the groups, ``cured`` a row."""
    columns = [*([] if whole is None else [whole]), *groups.values()]
    rows: list[Sequence[Cell]] = [
        [label("Patients"), *(Cell(numbers.count(len(column))) for column in columns)]
    ]
    if cured is not None:
        rows.append([label("Cured"), *cured])
    everyone = pd.concat(list(groups.values())).drop_duplicates("patient")
    not_recorded = []
    for column, title in words.COLUMNS.items():
        if everyone[column].isna().all():
            not_recorded.append(title.split(",")[0])
        else:
            values = [group[column] for group in groups.values()]
            rows += _rows(column, values, least, total=whole is not None)
    note = (
        "Median with first to third quartile, or number of patients with the share among patients with "
        "a known value; “unknown” counts patients without the value."
    )
    if not_recorded:
        note += f" Not recorded by any center: {words.listing(not_recorded)}."
    if any(NOT_SHOWN in cells for cells in rows):
        note += f" {HIDDEN.format(least=least.cells)}"
    header = ["", *([] if whole is None else ["All"]), *groups]
    return Grid(caption, header, rows, note)


def _outcome(outcomes: "pd.Series[Any]") -> Cell:
    known = outcomes.dropna()
    return fraction(int(known.sum()), len(known)) if len(known) else Cell("not known yet")


def _rows(
    column: str, groups: Sequence["pd.Series[Any]"], least: MinimumCountConfig, *, total: bool
) -> list[Sequence[Cell]]:
    """Rows of one characteristic: its median, or the number of patients with each code."""
    title = words.column(column)
    whole = pd.concat(groups)
    known = whole.dropna()
    coded = COHORT.column(column).kind is Kind.TEXT
    if not coded and not (column == "matrix" and known.nunique() <= MOST_CODES):
        shown = [whole, *groups] if total else groups
        return [[label(title), *(_median(group, least.patients) for group in shown)]]
    counts = known.value_counts()
    codes = sorted(counts.index, key=lambda code: (-counts[code], str(code)))
    yes_no = coded and set(known) <= _YES_NO
    if yes_no:
        codes = ["yes", "no"]
    named = {f"{title}: {code}": [code] for code in codes[:MOST_CODES]}
    rest = codes[MOST_CODES:]
    if rest:
        named[f"{title}: {words.plural(len(rest), 'other value')}"] = rest
    found = _coded(named, groups, least, total=total)
    if yes_no:
        return [[label(title), *found[f"{title}: yes"]]]
    return [[label(name), *cells] for name, cells in found.items()]


def _coded(
    named: Mapping[str, Sequence[object]],
    groups: Sequence["pd.Series[Any]"],
    least: MinimumCountConfig,
    *,
    total: bool,
) -> dict[str, list[Cell]]:
    """Cells of every row of codes: for all patients, if there is a total, and for each group."""
    counts = np.array(
        [
            *([int(group.isin(list(codes)).sum()) for group in groups] for codes in named.values()),
            [int(group.isna().sum()) for group in groups],
        ],
        dtype=np.int64,
    )
    small = (counts > 0) & (counts < least.cells)
    small |= (counts.sum(axis=0) < least.patients) & (counts.sum(axis=0) > 0)
    # That a value is not known says nothing about a patient.
    small[-1] = False
    shown = protect(counts, small, least.cells)
    whole = pd.concat(groups)
    rows = {}
    for n, (name, codes) in enumerate(named.items()):
        cells = [
            _share(group, codes, unknown=bool(shown.cells[-1, place]))
            if shown.cells[n, place]
            else NOT_SHOWN
            for place, group in enumerate(groups)
        ]
        if total:
            everyone = _share(whole, codes, unknown=bool(shown.rows[-1]))
            cells = [everyone if shown.rows[n] else NOT_SHOWN, *cells]
        rows[name] = cells
    return rows


def _share(values: "pd.Series[Any]", codes: Sequence[object], *, unknown: bool) -> Cell:
    known = values.dropna()
    if known.empty:
        return _unknown(values)
    hits = int(known.isin(list(codes)).sum())
    if not unknown:
        # The share among known values would give their number.
        return Cell(numbers.count(hits))
    return Cell(numbers.count(hits), _with_unknown(numbers.percent(hits / len(known)), values))


def _median(values: "pd.Series[Any]", least: int) -> Cell:
    if values.isna().all():
        return _unknown(values)
    if values.notna().sum() < least:
        return NOT_SHOWN
    middle, within = numbers.quartiles(values)
    return Cell(middle, _with_unknown(within, values))


def _unknown(values: "pd.Series[Any]") -> Cell:
    return Cell(numbers.MISSING, "unknown" if len(values) else "")


def _with_unknown(detail: str, values: "pd.Series[Any]") -> str:
    missing = int(values.isna().sum())
    return f"{detail}; {missing} unknown" if missing else detail
