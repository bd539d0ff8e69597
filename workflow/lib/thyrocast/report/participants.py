"""Who was in the study: the flow of participants, and table 1."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from thyrocast.report import words
from thyrocast.report.parts import Cell, Grid, label
from thyrocast.report.reading import YES, Study

MOST_CODES = 8


def flow(study: Study) -> dict[str, Any]:
    """Participant flow of all centers, for the figure and for the table."""
    names = [name for name in study.centers if name in study.flow]
    centers = {name: study.flow[name] for name in names}
    excluded: Counter[str] = Counter()
    for center in centers.values():
        excluded.update(
            {str(reason): int(n) for reason, n in (center.get("excluded") or {}).items()}
        )
    reasons = sorted(excluded.items(), key=lambda item: (-item[1], item[0]))
    roles = []
    for role in words.ROLES:
        members = {name: c for name, c in centers.items() if c.get("role") == role}
        if members:
            roles.append(
                {
                    "role": words.ROLES[role],
                    "centers": [*members],
                    "analysed": _sum(members, "analysed"),
                    "cured": None if role == "prospective" else _sum(members, "cured"),
                }
            )
    header = ["", *names, "All"]
    rows = [
        [label(title), *(Cell(words.count(centers[name].get(key))) for name in names),
         Cell(words.count(_sum(centers, key)))]
        for key, title in (
            ("found", "Found in either source"),
            ("in_table", "In the clinical table"),
            ("in_dicom", "With DICOM images"),
            ("matched", "In both"),
        )
    ]  # fmt: skip
    for reason, total in reasons:
        each = [(centers[name].get("excluded") or {}).get(reason, 0) for name in names]
        rows.append(
            [
                label(f"Excluded: {reason}"),
                *(Cell(words.count(n)) for n in each),
                Cell(words.count(total)),
            ]
        )
    rows.append(
        [label("Analysed"), *(Cell(words.count(centers[name].get("analysed"))) for name in names),
         Cell(words.count(_sum(centers, "analysed")))]
    )  # fmt: skip
    rows.append(
        [label("Cured"), *(_cured(centers[name]) for name in names), _cured_of_all(centers)]
    )
    return {
        "found": _sum(centers, "found"),
        "table_only": _sum(centers, "in_table") - _sum(centers, "matched"),
        "dicom_only": _sum(centers, "in_dicom") - _sum(centers, "matched"),
        "matched": _sum(centers, "matched"),
        "reasons": reasons,
        "excluded": sum(excluded.values()),
        "analysed": _sum(centers, "analysed"),
        "roles": roles,
        "grid": Grid("Participants by center", header, rows),
        "unequal": [name for name, center in centers.items() if not _adds_up(center)],
    }


def _sum(centers: Mapping[str, Mapping[str, Any]], key: str) -> int:
    return sum(int(center.get(key) or 0) for center in centers.values())


def _adds_up(center: Mapping[str, Any]) -> bool:
    excluded = sum(int(n) for n in (center.get("excluded") or {}).values())
    return excluded + int(center.get("analysed") or 0) == int(center.get("found") or 0)


def _cured(center: Mapping[str, Any]) -> Cell:
    if center.get("role") == "prospective":
        return Cell("not known yet")
    return _fraction(int(center.get("cured") or 0), int(center.get("analysed") or 0))


def _cured_of_all(centers: Mapping[str, Mapping[str, Any]]) -> Cell:
    known = {name: c for name, c in centers.items() if c.get("role") != "prospective"}
    return _fraction(_sum(known, "cured"), _sum(known, "analysed"))


def _fraction(part: int, whole: int) -> Cell:
    return Cell(words.count(part), words.percent(part / whole) if whole else "")


def table_one(study: Study) -> list[Grid]:
    """Table 1 by center, and the same by outcome."""
    cohort = study.cohort
    if cohort.empty:
        return []
    everyone = {"All": cohort}
    by_center = {str(name): cohort[cohort["center"] == name] for name in study.centers}
    by_outcome = {
        "Cured": cohort[cohort["outcome"] == "1"],
        "Not cured": cohort[cohort["outcome"] == "0"],
    }
    return [
        _characteristics("Table 1. Patients by center", everyone | by_center),
        _characteristics("Patients by outcome", by_outcome),
    ]


def _characteristics(caption: str, groups: Mapping[str, pd.DataFrame]) -> Grid:
    rows: list[Sequence[Cell]] = [
        [label("Patients"), *(Cell(words.count(len(group))) for group in groups.values())]
    ]
    if len({*groups} & {"Cured", "Not cured"}) == 0:
        rows.append([label("Cured"), *(_outcome(group) for group in groups.values())])
    everyone = pd.concat(list(groups.values())).drop_duplicates("patient")
    left_out = []
    for column in words.COLUMNS:
        if column not in everyone:
            continue
        known = everyone.loc[everyone[column] != "", column]
        if known.empty:
            left_out.append(words.column(column).split(",")[0])
        else:
            rows += _rows(column, known, groups)
    note = (
        "Medians with first to third quartile, or patients with their share of those known; "
        "“unknown” counts patients without the value."
    )
    if left_out:
        note += f" Not recorded by any center: {words.listing(left_out)}."
    return Grid(caption, ["", *groups], rows, note)


def _outcome(group: pd.DataFrame) -> Cell:
    known = group.loc[group["outcome"] != "", "outcome"]
    return _fraction(int((known == "1").sum()), len(known)) if len(known) else Cell("not known yet")


def _rows(
    column: str, known: pd.Series, groups: Mapping[str, pd.DataFrame]
) -> list[Sequence[Cell]]:
    values = sorted(known.unique())
    title = words.column(column)
    if set(values) <= {"0", "1", "yes", "no", "0.0", "1.0"}:
        cells = [_coded(group[column], YES) for group in groups.values()]
        return [[label(title), *cells]]
    numbers = pd.to_numeric(known, errors="coerce")
    if numbers.notna().all() and not (column == "matrix" and len(values) <= MOST_CODES):
        return [[label(title), *(_median(group[column]) for group in groups.values())]]
    counts = known.value_counts()
    shown = sorted(counts.index, key=lambda code: (-counts[code], code))[:MOST_CODES]
    rows: list[Sequence[Cell]] = [
        [
            label(f"{title}: {code}"),
            *(_coded(group[column], (code,)) for group in groups.values()),
        ]
        for code in shown
    ]
    rest = [code for code in counts.index if code not in shown]
    if rest:
        rows.append(
            [
                label(f"{title}: {words.plural(len(rest), 'other value')}"),
                *(_coded(group[column], rest) for group in groups.values()),
            ]
        )
    return rows


def _coded(values: pd.Series, codes: Sequence[str]) -> Cell:
    known = values[values != ""]
    if known.empty:
        return Cell(words.MISSING, "unknown" if len(values) else "")
    hits = int(known.isin(list(codes)).sum())
    return Cell(words.count(hits), _qualified(words.percent(hits / len(known)), values))


def _median(values: pd.Series) -> Cell:
    known = values[values != ""]
    if known.empty:
        return Cell(words.MISSING, "unknown" if len(values) else "")
    middle, within = words.quartiles(known)
    return Cell(middle, _qualified(within, values))


def _qualified(detail: str, values: pd.Series) -> str:
    missing = int((values == "").sum())
    return f"{detail}; {missing} unknown" if missing else detail
