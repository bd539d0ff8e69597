"""A center's clinical table as typed records, in our columns, units and codes."""

import datetime
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from thyrocast.config.center import CenterConfig
from thyrocast.config.cohort import CohortConfig, OutOfRange
from thyrocast.contract.columns import CLINICAL
from thyrocast.contract.names import OutcomeRule, Role
from thyrocast.contract.text import fold
from thyrocast.errors import InputError
from thyrocast.identity import normalize_identifier
from thyrocast.tables import criteria, followup, units
from thyrocast.tables.cells import Row
from thyrocast.tables.codes import CODES
from thyrocast.tables.dates import DAYS_PER_YEAR
from thyrocast.tables.followup import FollowUp
from thyrocast.tables.numbers import RANGES
from thyrocast.tables.spreadsheet import Sheet, read_sheet

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
    sheet = read_sheet(center.clinical, center.sheet, center.encoding)
    _check_columns(sheet, center)
    for note in sheet.notes:
        LOG.warning("center %s: table %s", center.name, note)
    factors = {
        name: units.factor(name, getattr(center.units, name), center.name) for name in units.UNITS
    }
    missing = {fold(text) for text in center.missing} | {""}
    patients: list[ClinicalPatient] = []
    faults: list[str] = []
    first_rows: dict[str, tuple[int, list[str]]] = {}  # index in `patients`, and cells
    for line, cells in zip(sheet.lines, sheet.rows, strict=True):
        row = Row(dict(zip(sheet.header, cells, strict=True)), missing, center.date_order)
        patient = _read_patient(row, line, center, factors)
        where = f"center {center.name}, row {line}"
        faults += [f"{where}, column {fault.column!r}: {fault.text}" for fault in row.faults]
        if patient.identifier in first_rows:
            position, first = first_rows[patient.identifier]
            same = first == cells
            patients[position] = _merge(patients[position], patient, same, center.name)
            continue
        if patient.identifier:
            first_rows[patient.identifier] = (len(patients), cells)
        patients.append(patient)
    _report(faults, cohort)
    criteria.log_criteria(center, [patient.ineligible for patient in patients])
    return patients


def _check_columns(sheet: Sheet, center: CenterConfig) -> None:
    for key, name in center.named_columns().items():
        if name not in sheet.header:
            raise InputError(
                f"center {center.name}, key {key}: the clinical table has no column {name!r}, "
                f"expected one of {', '.join(map(repr, sheet.header))}"
            )
    if not sheet.rows or not any(sheet.column(center.columns.patient)):
        raise InputError(
            f"center {center.name}, column {center.columns.patient!r}: no patient in the "
            "clinical table, expected one row per patient with an identifier"
        )


def _read_patient(
    row: Row, line: int, center: CenterConfig, factors: Mapping[str, float]
) -> ClinicalPatient:
    columns, codes = center.columns, center.codes
    therapy = row.date(columns.therapy_date)
    birth = row.date(columns.birth_date)
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
    )
    outcome = center.outcome
    if outcome is None or center.role is Role.PROSPECTIVE:
        return patient
    if outcome.rule is OutcomeRule.GIVEN:
        return replace(patient, outcome_code=row.text(columns.outcome))
    return replace(patient, followup=followup.read_followup(row, center, therapy, factors))


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
    first: ClinicalPatient, second: ClinicalPatient, same: bool, center: str
) -> ClinicalPatient:
    """Combine a patient with a second row of the same identifier."""
    if same:
        LOG.warning(
            "center %s, row %d repeats row %d and is ignored", center, second.line, first.line
        )
        return first
    if first.later_therapy != second.later_therapy:
        ours, later = (second, first) if first.later_therapy else (first, second)
        again = followup.later_therapy(later.therapy, ours.therapy)
        seconds = (*ours.followup.seconds, again)
        return replace(ours, followup=replace(ours.followup, seconds=seconds))
    if first.later_therapy:
        return first
    LOG.warning(
        "center %s, rows %d and %d have the same identifier but differ: the patient is excluded",
        center, first.line, second.line,
    )  # fmt: skip
    return replace(first, conflicting=True)


def _report(faults: Sequence[str], cohort: CohortConfig) -> None:
    for fault in faults[:LOGGED_FAULTS]:
        LOG.warning("%s, treated as not known", fault)
    if len(faults) > LOGGED_FAULTS:
        more = len(faults) - LOGGED_FAULTS
        LOG.warning("%d more cells are not understood and treated as not known", more)
    if faults and cohort.values is OutOfRange.STOP:
        raise InputError(
            f"{faults[0]} ({len(faults)} such cells): correct the table, or set cohort.values: missing"
        )
