"""Participants: the flow of patients, and table 1."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from thyrocast.contract.cohort import COHORT
from thyrocast.contract.documents import CenterFlow
from thyrocast.contract.names import Role
from thyrocast.contract.table import Kind
from thyrocast.pages import numbers
from thyrocast.pages.parts import Cell, Grid, label
from thyrocast.report import eligibility, words
from thyrocast.report.study import StudyResults

#: Most codes of a column in table 1; the rest are counted together.
MOST_CODES = 8
#: Codes of a yes/no column, of which only one is shown.
_YES_NO = frozenset({"yes", "no"})


@dataclass(frozen=True)
class RoleFlow:
    """Analyzed patients of all centers of one role.

    Attributes
    ----------
    role, centers
        In words.
    analyzed, cured
        Numbers of patients; cured is None if outcomes are not known yet.
    """

    role: str
    centers: Sequence[str]
    analyzed: int
    cured: int | None


@dataclass(frozen=True)
class FlowSection:
    """Flow of participants: all centers together, and a table by center.

    Attributes
    ----------
    found, matched, table_only, dicom_only, excluded, analyzed
        Numbers of patients.
    reasons
        Reasons for exclusion with their numbers, the most frequent first.
    roles
        Analyzed patients by role.
    grid
        The flow by center.
    inconsistent
        Centers whose numbers do not add up.
    """

    found: int
    matched: int
    table_only: int
    dicom_only: int
    excluded: int
    analyzed: int
    reasons: Sequence[tuple[str, int]]
    roles: Sequence[RoleFlow]
    grid: Grid
    inconsistent: Sequence[str]


def flow_section(study: StudyResults) -> FlowSection:
    """Participant flow, for the figure and for the table."""
    recorded = study.flow.centers
    centers = {name: recorded[name] for name in study.centers if name in recorded}
    excluded: Counter[str] = Counter()
    for center in centers.values():
        excluded.update(center.excluded)
    reasons = sorted(excluded.items(), key=lambda item: (-item[1], item[0]))
    found, matched, in_table, in_dicom = (
        sum(getattr(center, key) for center in centers.values())
        for key in ("found", "matched", "in_table", "in_dicom")
    )
    return FlowSection(
        found=found,
        matched=matched,
        table_only=in_table - matched,
        dicom_only=in_dicom - matched,
        excluded=sum(excluded.values()),
        analyzed=_analyzed(centers.values()),
        reasons=reasons,
        roles=_roles(centers),
        grid=_flow_grid(centers, reasons, _eligibility(study, [*centers])),
        inconsistent=[name for name, center in centers.items() if not _adds_up(center)],
    )


def _analyzed(centers: Collection[CenterFlow]) -> int:
    return sum(center.analyzed for center in centers)


def _cured(centers: Collection[CenterFlow]) -> int:
    return sum(center.cured for center in centers)


def _adds_up(center: CenterFlow) -> bool:
    return sum(center.excluded.values()) + center.analyzed == center.found


def _roles(centers: Mapping[str, CenterFlow]) -> list[RoleFlow]:
    roles = []
    for role in Role:
        members = {name: center for name, center in centers.items() if center.role is role}
        if members:
            cured = None if role is Role.PROSPECTIVE else _cured(members.values())
            analyzed = _analyzed(members.values())
            roles.append(RoleFlow(words.ROLES[role], [*members], analyzed, cured))
    return roles


def _eligibility(study: StudyResults, centers: Sequence[str]) -> list[Cell]:
    found = [eligibility.short(study.config.center(name).eligibility) for name in centers]
    return [label("Eligibility"), *(Cell(text, number=False) for text in found), Cell("")]


def _flow_grid(
    centers: Mapping[str, CenterFlow],
    reasons: Sequence[tuple[str, int]],
    eligible: Sequence[Cell],
) -> Grid:
    def row(title: str, values: Sequence[int]) -> list[Cell]:
        return [label(title), *(Cell(numbers.count(n)) for n in (*values, sum(values)))]

    every = [*centers.values()]
    rows: list[Sequence[Cell]] = [
        eligible,
        row("Found in either source", [center.found for center in every]),
        row("In the clinical table", [center.in_table for center in every]),
        row("With DICOM images", [center.in_dicom for center in every]),
        row("In both", [center.matched for center in every]),
        *(
            row(f"Excluded: {reason}", [center.excluded.get(reason, 0) for center in every])
            for reason, _ in reasons
        ),
        row("Analyzed", [center.analyzed for center in every]),
    ]
    known = [center for center in every if center.role is not Role.PROSPECTIVE]
    rows.append(
        [
            label("Cured"),
            *(
                _fraction(center.cured, center.analyzed)
                if center.role is not Role.PROSPECTIVE
                else Cell("not known yet")
                for center in every
            ),
            _fraction(_cured(known), _analyzed(known)),
        ]
    )
    return Grid("Participants by center", ["", *centers, "All"], rows)


def _fraction(part: int, whole: int) -> Cell:
    return Cell(numbers.count(part), numbers.percent(part / whole) if whole else "")


def table_one(study: StudyResults) -> list[Grid]:
    """Table 1 by center, and the same by outcome."""
    cohort = study.cohort
    if cohort.empty:
        return []
    by_center = {name: cohort[cohort["center"] == name] for name in study.centers}
    by_outcome = {
        name: cohort[(cohort["outcome"] == outcome).fillna(False)]
        for name, outcome in (("Cured", 1), ("Not cured", 0))
    }
    return [
        _characteristics("Table 1. Patients by center", {"All": cohort} | by_center, cured=True),
        _characteristics("Patients by outcome", by_outcome, cured=False),
    ]


def _characteristics(caption: str, groups: Mapping[str, pd.DataFrame], *, cured: bool) -> Grid:
    rows: list[Sequence[Cell]] = [
        [label("Patients"), *(Cell(numbers.count(len(group))) for group in groups.values())]
    ]
    if cured:
        rows.append([label("Cured"), *(_outcome(group["outcome"]) for group in groups.values())])
    everyone = pd.concat(list(groups.values())).drop_duplicates("patient")
    not_recorded = []
    for column, title in words.COLUMNS.items():
        if everyone[column].isna().all():
            not_recorded.append(title.split(",")[0])
        else:
            values = [group[column] for group in groups.values()]
            rows += _rows(column, everyone[column].dropna(), values)
    note = (
        "Median with first to third quartile, or number of patients with the share among patients with "
        "a known value; “unknown” counts patients without the value."
    )
    if not_recorded:
        note += f" Not recorded by any center: {words.listing(not_recorded)}."
    return Grid(caption, ["", *groups], rows, note)


def _outcome(outcomes: "pd.Series[Any]") -> Cell:
    known = outcomes.dropna()
    return _fraction(int(known.sum()), len(known)) if len(known) else Cell("not known yet")


def _rows(
    column: str, known: "pd.Series[Any]", groups: Sequence["pd.Series[Any]"]
) -> list[Sequence[Cell]]:
    """Rows of one characteristic: its median, or the number of patients with each code."""
    title = words.column(column)
    coded = COHORT.column(column).kind is Kind.TEXT
    if not coded and not (column == "matrix" and known.nunique() <= MOST_CODES):
        return [[label(title), *(_median(group) for group in groups)]]
    if coded and set(known) <= _YES_NO:
        return [[label(title), *(_coded(group, ["yes"]) for group in groups)]]
    counts = known.value_counts()
    codes = sorted(counts.index, key=lambda code: (-counts[code], str(code)))
    shown, rest = codes[:MOST_CODES], codes[MOST_CODES:]
    rows: list[Sequence[Cell]] = [
        [label(f"{title}: {code}"), *(_coded(group, [code]) for group in groups)] for code in shown
    ]
    if rest:
        others = f"{title}: {words.plural(len(rest), 'other value')}"
        rows.append([label(others), *(_coded(group, rest) for group in groups)])
    return rows


def _coded(values: "pd.Series[Any]", codes: Sequence[object]) -> Cell:
    known = values.dropna()
    if known.empty:
        return _unknown(values)
    hits = int(known.isin(list(codes)).sum())
    return Cell(numbers.count(hits), _with_unknown(numbers.percent(hits / len(known)), values))


def _median(values: "pd.Series[Any]") -> Cell:
    if values.isna().all():
        return _unknown(values)
    middle, within = numbers.quartiles(values)
    return Cell(middle, _with_unknown(within, values))


def _unknown(values: "pd.Series[Any]") -> Cell:
    return Cell(numbers.MISSING, "unknown" if len(values) else "")


def _with_unknown(detail: str, values: "pd.Series[Any]") -> str:
    missing = int(values.isna().sum())
    return f"{detail}; {missing} unknown" if missing else detail
