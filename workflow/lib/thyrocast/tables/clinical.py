"""A center's clinical table as typed records, in our columns, units and codes."""

import datetime
import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from thyrocast.config.center import CenterConfig
from thyrocast.config.cohort import CohortConfig, OutOfRange
from thyrocast.config.outcome import OutcomeConfig
from thyrocast.contract.columns import CLINICAL
from thyrocast.contract.names import OutcomeRule, Role
from thyrocast.contract.text import code_texts
from thyrocast.errors import InputError
from thyrocast.identity import normalize_identifier
from thyrocast.tables import criteria, followup, layout, units
from thyrocast.tables.cells import Row, words
from thyrocast.tables.codes import CODES
from thyrocast.tables.dates import DAYS_PER_YEAR
from thyrocast.tables.followup import FollowUp
from thyrocast.tables.headers import tidy
from thyrocast.tables.numbers import RANGES, Bound
from thyrocast.tables.spreadsheet import Sheet, read_sheet
from thyrocast.tables.table import Table, is_date_key

LOG = logging.getLogger("thyrocast")
# Number of faults in cells that are logged one by one; of the others only the number is logged.
LOGGED_FAULTS = 20


@dataclass(frozen=True)
class ClinicalPatient:
    """One patient of a clinical table.

    Dates are written only as intervals, or to private files.

    Attributes
    ----------
    identifier
        Normalized; empty if the row has none.
    line
        Line of the table, from 1.
    values
        For each clinical column a number in our unit, our code, or None if not known.
    therapy, birth
        Dates of the first iodine-131 therapy and of birth.
    outcome_code
        The cell of the outcome, for the rule `given`.
    followup
        Events after the therapy, for the rule `followup`.
    conflicting
        Whether the table has other rows of this identifier that differ.
    ineligible
        Why the patient does not fulfill the center's criteria; "" for an eligible one.
    later_therapy
        Whether the row is about a second or later therapy.
    unreadable
        Why the patient is excluded for a date that is there but can't be read; "" if there is none.
    bounds
        For each number that is a limit (``<0.01``), whether the value is below or above it.
    tc_activity_mbq, injected
        Activity of the scintigram's injection in MBq and its time; None if not known.
    injected_on
        Dates that the cell with this time may state; none if it has no date.
    """

    identifier: str
    line: int
    values: Mapping[str, float | str | None] = field(default_factory=dict)
    therapy: datetime.date | None = None
    birth: datetime.date | None = None
    outcome_code: str = ""
    followup: FollowUp = field(default_factory=FollowUp)
    conflicting: bool = False
    ineligible: str = ""
    later_therapy: bool = False
    unreadable: str = ""
    bounds: Mapping[str, Bound] = field(default_factory=dict)
    tc_activity_mbq: float | None = None
    injected: datetime.time | None = None
    injected_on: frozenset[datetime.date] = frozenset()


def read_clinical(center: CenterConfig, cohort: CohortConfig) -> list[ClinicalPatient]:
    """Read a center's table.

    Parameters
    ----------
    center, cohort
        The center's block and the cohort's block of the config.

    Returns
    -------
    list of ClinicalPatient
        One per identifier in the order of the table; rows without an identifier are patients with
        an empty one. Of several rows of one identifier the first is used; if others differ from
        it, the patient is `conflicting`.

    Raises
    ------
    InputError
        If a column is missing, a unit is wrong, no row has an identifier, or a cell can't be read
        and `cohort.values` is `stop`.
    """
    read = read_table(center, cohort)
    log(read, center)
    return read.patients


@dataclass(frozen=True)
class ClinicalTable:
    """A center's table that was read.

    Attributes
    ----------
    patients
        One per identifier, see `read_clinical`.
    table
        The columns, with the evidence for how they were read.
    faults
        Cells that were not understood: center, row, column and why; without the cell itself.
    notes
        Remarks on the table.
    """

    patients: list[ClinicalPatient]
    table: Table
    faults: list[str]
    notes: list[str]


def read_table(center: CenterConfig, cohort: CohortConfig) -> ClinicalTable:
    """Read a center's table, with the evidence for how it was read; logs nothing.

    Parameters
    ----------
    center, cohort
        The center's block and the cohort's block of the config.

    Raises
    ------
    InputError
        As `read_clinical`.
    """
    sheet = read_cells(center)
    _check_columns(sheet, center)
    sheet, center = layout.one_row_per_patient(sheet, center)
    factors = {
        name: units.factor(name, getattr(center.units, name), center.name) for name in units.UNITS
    }
    table = Table(sheet, center)
    notes = [f"table {note}" for note in sheet.notes]
    patients: list[ClinicalPatient] = []
    faults: list[str] = []
    first_rows: dict[str, tuple[int, list[str]]] = {}  # index in `patients`, and cells
    for position, (line, cells) in enumerate(zip(sheet.lines, sheet.rows, strict=True)):
        row = Row(table, position)
        patient = _read_patient(row, line, center, factors)
        where = f"center {center.name}, row {line}"
        faults += [f"{where}, column {fault.column!r}: {fault.text}" for fault in row.faults]
        if patient.identifier in first_rows:
            at, first = first_rows[patient.identifier]
            patients[at], note = _merge(patients[at], patient, first == cells)
            notes += [note] if note else []
            continue
        if patient.identifier:
            first_rows[patient.identifier] = (len(patients), cells)
        patients.append(patient)
    table.check()
    if faults and cohort.values is OutOfRange.STOP:
        raise InputError(
            f"{faults[0]} ({len(faults)} such cells): correct the table, or set cohort.values: missing"
        )
    return ClinicalTable(patients, table, faults, notes)


def read_cells(center: CenterConfig) -> Sheet:
    """Return a center's table as text.

    Raises
    ------
    InputError
        If the file can't be read as a table.
    """
    try:
        return read_sheet(
            center.clinical,
            center.sheet,
            center.encoding,
            frozenset(center.named_columns().values()),
            center.hidden_rows,
        )
    except InputError as error:
        raise InputError(f"center {center.name}: {error}") from None


def _check_columns(sheet: Sheet, center: CenterConfig) -> None:
    absent = [
        f"center {center.name}, key {key}: table {center.clinical} has no column {name!r}, "
        f"expected one of {', '.join(map(repr, sheet.header))}"
        for key, name in center.named_columns().items()
        if tidy(name) not in sheet.header
    ]
    if absent:
        raise InputError(absent[0] if len(absent) == 1 else "\n".join(["", *absent]))
    _check_identifiers(sheet, center)
    if not sheet.rows or not any(sheet.column(center.columns.patient)):
        raise InputError(
            f"center {center.name}, column {center.columns.patient!r}: no patient in table "
            f"{center.clinical}, expected one row per patient with an identifier"
        )


def _check_identifiers(sheet: Sheet, center: CenterConfig) -> None:
    """Refuse identifiers of which a spreadsheet program kept only the first digits."""
    cells = sheet.column(center.columns.patient)
    cut = [
        line
        for line, cell in zip(sheet.lines, cells, strict=True)
        if re.fullmatch(r"\d([.,]\d+)?E\+\d+", cell, re.IGNORECASE)
    ]
    if cut:
        raise InputError(
            f"center {center.name}, column {center.columns.patient!r}, row {cut[0]}: {len(cut)} "
            "identifiers have an exponent, because a spreadsheet program read them as numbers and "
            "dropped digits: export the table again with this column as text"
        )


def _read_patient(
    row: Row, line: int, center: CenterConfig, factors: Mapping[str, float]
) -> ClinicalPatient:
    columns, codes = center.columns, center.codes
    therapy = row.date(columns.therapy_date)
    birth = _born_before(row.date(columns.birth_date, birth=True), therapy, row, columns.birth_date)
    values = {
        name: row.code(getattr(columns, name), name, getattr(codes, name))
        if name in CODES
        else row.number(getattr(columns, name), name, factors[name])
        for name in CLINICAL
    }
    if values["age"] is None and therapy and birth:
        values["age"] = _age(row, columns.birth_date, birth, therapy)
    patient = ClinicalPatient(
        normalize_identifier(row.text(columns.patient), center.identifiers),
        line,
        values,
        therapy,
        birth,
        ineligible=criteria.reason(row, center, therapy, values),
        later_therapy=criteria.is_later_therapy(row, center),
        bounds={
            name: bound
            for name in RANGES
            if name in CLINICAL
            and (bound := row.bound(getattr(columns, name), name, factors[name]))
        },
        tc_activity_mbq=row.number(columns.tc_activity, "tc_activity", factors["tc_activity"]),
        injected=row.clock(columns.injection_time),
        injected_on=row.days(columns.injection_time),
    )
    return _with_dates_checked(_with_outcome(patient, row, center, factors), row, center)


def _with_dates_checked(
    patient: ClinicalPatient, row: Row, center: CenterConfig
) -> ClinicalPatient:
    """Add why a patient is excluded whose row has a date that can't be read."""
    if not row.unreadable_dates:
        return patient
    for key, header in center.named_columns().items():
        # What may be a date or a word has its own reasons in `criteria` and `followup`.
        if header in row.unreadable_dates and is_date_key(key):
            return replace(patient, unreadable=f"date of {_event(key)} not readable")
    return patient


def _event(key: str) -> str:
    """Return the event whose date the column of a config key contains."""
    for part, event in (
        (".visits[", "a visit"), ("second_treatment", "a second treatment"), (".death", "death"),
    ):  # fmt: skip
        if part in key:
            return event
    return key.removeprefix("columns.").removesuffix("_date").replace("_", " ")


def _with_outcome(
    patient: ClinicalPatient, row: Row, center: CenterConfig, factors: Mapping[str, float]
) -> ClinicalPatient:
    """Add what the center's outcome rule needs."""
    columns, therapy = center.columns, patient.therapy
    outcome = center.outcome
    if outcome is None or center.role is Role.PROSPECTIVE:
        return patient
    if outcome.rule is OutcomeRule.GIVEN:
        row.word(
            columns.outcome, "outcome", _outcomes(outcome), "expected a code of the outcome rule"
        )
        patient = replace(patient, outcome_code=row.text(columns.outcome))
        if not outcome.visits:
            return patient
    # If the outcome is given, the visits only show whether they contradict it.
    return replace(patient, followup=followup.read_followup(row, center, therapy, factors))


def _outcomes(rule: OutcomeConfig) -> Callable[[str], Any]:
    """Return a reader of the codes of a given outcome."""
    meanings = dict.fromkeys(code_texts(rule.cured), "cured")
    return words(
        meanings | dict.fromkeys(code_texts(rule.not_cured), "not cured"), "an unknown code"
    )


def _born_before(
    birth: datetime.date | None, therapy: datetime.date | None, row: Row, column: str | None
) -> datetime.date | None:
    """Return a birth date; one with a year of two digits is before the therapy."""
    if birth is None or therapy is None or birth < therapy or re.search(r"\d{4}", row.text(column)):
        return birth
    return birth.replace(year=birth.year - 100)


def _age(
    row: Row, column: str | None, birth: datetime.date, therapy: datetime.date
) -> float | None:
    """Return the completed years at therapy; None, with a fault, if they are out of range."""
    years = (therapy - birth).days / DAYS_PER_YEAR
    low, high = RANGES["age"]
    if low <= years <= high:
        return float(int(years))
    row.fault(column, f"an age outside {low:g} to {high:g} years")
    return None


def _merge(
    first: ClinicalPatient, second: ClinicalPatient, same: bool
) -> tuple[ClinicalPatient, str]:
    """Combine a patient with a second row of the same identifier; return a note, too."""
    if same:
        return first, f"row {second.line} repeats row {first.line} and is ignored"
    if first.later_therapy != second.later_therapy:
        ours, later = (second, first) if first.later_therapy else (first, second)
        again = followup.later_therapy(later.therapy, ours.therapy)
        seconds = (*ours.followup.seconds, again)
        return replace(ours, followup=replace(ours.followup, seconds=seconds)), ""
    if first.later_therapy:
        return first, ""
    note = (
        f"rows {first.line} and {second.line} have the same identifier but differ: the patient is "
        "excluded"
    )
    return replace(first, conflicting=True), note


def log(read: ClinicalTable, center: CenterConfig) -> None:
    """Log remarks on a center's table and the cells that were not understood, quoting none."""
    faults = read.faults
    for note in read.notes:
        LOG.warning("center %s: %s", center.name, note)
    for fault in faults[:LOGGED_FAULTS]:
        LOG.warning("%s, treated as not known", fault)
    if len(faults) > LOGGED_FAULTS:
        more = len(faults) - LOGGED_FAULTS
        LOG.warning("%d more cells are not understood and treated as not known", more)
    criteria.log_criteria(center, [patient.ineligible for patient in read.patients])
