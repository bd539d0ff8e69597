"""Bring a table with one row per visit (long form, as REDCap exports it) to one row per patient."""

from collections.abc import Iterable, Mapping, Sequence

from thyrocast.config.center import CenterConfig
from thyrocast.config.outcome import VisitConfig
from thyrocast.config.table import Layout
from thyrocast.contract.text import fold
from thyrocast.errors import InputError
from thyrocast.identity import normalize_identifier
from thyrocast.tables.headers import tidy
from thyrocast.tables.spreadsheet import Sheet

# Columns of an export of REDCap with several events or instruments per patient.
_REDCAP = ("redcap_event_name", "redcap_repeat_instrument", "redcap_repeat_instance")
# Repeated identifiers from which a table seems to have one row per visit: number and share.
_LEAST, _SHARE = 3, 0.5
# Between different values of one patient in what should be one cell; no value contains it.
_SEVERAL = " ¦ "


def one_row_per_patient(sheet: Sheet, center: CenterConfig) -> tuple[Sheet, CenterConfig]:
    """Return a table with one row per patient, and a config that names its columns.

    Each column of a visit becomes a column per visit. Of the other columns the value of the baseline
    visit is taken, or, where no visit uses the column, the patient's only value.

    Parameters
    ----------
    sheet
        The table as text; it has the columns of the config.
    center
        The center's block of the config.

    Raises
    ------
    InputError
        If the table has one row per visit but the config does not say so, or does not say which row
        has the values before therapy.
    """
    groups = _rows_by_patient(sheet, center)
    if center.layout is Layout.WIDE:
        _check_wide(sheet, center, groups)
        return sheet, center
    table = _Long(sheet, center, groups)
    visits = table.visits()
    outcome = center.outcome and center.outcome.model_copy(update={"visits": visits})
    return table.sheet(), center.model_copy(update={"outcome": outcome})


def _rows_by_patient(sheet: Sheet, center: CenterConfig) -> dict[str, list[int]]:
    """Return the positions of each patient's rows; a row without an identifier is a patient."""
    groups: dict[str, list[int]] = {}
    for position, cell in enumerate(sheet.column(center.columns.patient)):
        identifier = normalize_identifier(cell, center.identifiers)
        groups.setdefault(identifier or f"\n{position}", []).append(position)
    return groups


def _check_wide(sheet: Sheet, center: CenterConfig, groups: Mapping[str, Sequence[int]]) -> None:
    different = [
        positions
        for positions in groups.values()
        if len(positions) > 1
        and any(sheet.rows[at] != sheet.rows[positions[0]] for at in positions)
    ]
    event = next((name for name in _REDCAP if name in sheet.header), None)
    several_therapies = center.eligibility is not None and center.eligibility.therapy_number
    many = len(different) >= max(_LEAST, _SHARE * len(groups)) and not several_therapies
    if not different or not (event or many):
        return
    lines = ", ".join(str(sheet.lines[at]) for at in different[0][:3])
    named = f"`columns.visit: {event}`" if event else "`columns.visit` with the column of the visit"
    raise InputError(
        f"center {center.name}: table {center.clinical} has several different rows for "
        f"{len(different)} of {len(groups)} patients (rows {lines} are one patient), expected one row "
        f"per patient: if it has one row per visit, set `layout: long` and {named}; otherwise remove "
        "the repeated rows"
    )


class _Long:
    """A table with one row per visit."""

    def __init__(
        self, sheet: Sheet, center: CenterConfig, groups: Mapping[str, Sequence[int]]
    ) -> None:
        self._sheet, self._center, self._groups = sheet, center, groups
        column = center.columns.visit
        self._visit = [fold(cell) for cell in sheet.column(column)] if column else []
        self._added: dict[str, list[str]] = {}
        self._of_visits = {
            tidy(name)
            for visit in (center.outcome.visits if center.outcome else ())
            for name in _columns(visit).values()
        }
        self._check_names()

    def _check_names(self) -> None:
        """Stop if a visit that the config names is not in the table."""
        named = (
            [visit.visit for visit in self._center.outcome.visits] if self._center.outcome else []
        )
        for name in [*named, self._center.baseline_visit]:
            if name is not None and fold(name) not in self._visit:
                known = ", ".join(sorted({repr(cell) for cell in self._visit if cell})[:20])
                raise InputError(
                    f"center {self._center.name}: no row of column {self._center.columns.visit!r} is "
                    f"{name!r}, expected one of {known}"
                )

    def visits(self) -> tuple[VisitConfig, ...]:
        """Return the visits of the config with the columns that they have in the new table."""
        found: list[VisitConfig] = []
        for visit in self._center.outcome.visits if self._center.outcome else ():
            if visit.visit is not None:
                found.append(self._add(visit, fold(visit.visit), None))
            else:
                most = max(len(set(rows) - self._baseline()) for rows in self._groups.values())
                found += [self._add(visit, None, number) for number in range(most)]
        return tuple(found)

    def _add(self, visit: VisitConfig, name: str | None, number: int | None) -> VisitConfig:
        """Add the columns of a visit: of the rows of its name, or of the patient's nth row."""
        new = {}
        before = self._baseline()
        for key, header in _columns(visit).items():
            title = (
                f"{header} [{visit.visit if name is not None else f'row {int(number or 0) + 1}'}]"
            )
            cells = self._sheet.column(header)
            self._added[title] = [
                _only(
                    cells[at]
                    for count, at in enumerate(row for row in rows if row not in before)
                    if (self._visit[at] == name if name is not None else count == number)
                )
                for rows in self._groups.values()
            ]
            new[key] = title
        return visit.model_copy(update=new)

    def _baseline(self) -> set[int]:
        """Return the positions of the rows with the values before therapy."""
        name = self._center.baseline_visit
        return (
            set()
            if name is None
            else {at for at, visit in enumerate(self._visit) if visit == fold(name)}
        )

    def sheet(self) -> Sheet:
        """Return the table with one row per patient; the line is that of the patient's first row."""
        columns = [self._plain(name, at) for at, name in enumerate(self._sheet.header)]
        columns += self._added.values()
        return Sheet(
            [*self._sheet.header, *self._added],
            [list(row) for row in zip(*columns, strict=True)],
            [self._sheet.lines[rows[0]] for rows in self._groups.values()],
            (*self._sheet.notes, f"{len(self._sheet.rows)} rows of {len(self._groups)} patients"),
        )

    def _plain(self, name: str, column: int) -> list[str]:
        """Return a column with one cell per patient."""
        cells = [row[column] for row in self._sheet.rows]
        baseline = self._baseline()
        shared = name in self._of_visits
        if shared and not baseline and self._needs(name):
            raise InputError(
                f"center {self._center.name}, column {name!r} belongs to a visit and to the time before "
                "therapy: set `baseline_visit` to the visit whose rows have the values before therapy"
            )
        found = []
        for rows in self._groups.values():
            value = _only(cells[at] for at in rows if at in baseline)
            # A later value must not take the place of a missing one before therapy.
            found.append(value if value or shared else _only(cells[at] for at in rows))
        if name == tidy(self._center.columns.patient):
            found = [cells[rows[0]] for rows in self._groups.values()]
        return found

    def _needs(self, name: str) -> bool:
        """Return whether the config uses a column for values before therapy."""
        return any(
            tidy(header) == name
            for key, header in self._center.named_columns().items()
            if not key.startswith("outcome.visits")
        )


def _columns(visit: VisitConfig) -> dict[str, str]:
    """Return the columns of a visit by key."""
    return {
        key: str(name)
        for key, name in visit.plain().items()
        if key not in {"months", "visit"} and name is not None
    }


def _only(cells: Iterable[str]) -> str:
    """Return the only value of cells, "" if there is none; several together, which nothing reads."""
    return _SEVERAL.join(dict.fromkeys(cell for cell in cells if cell)) or ""
