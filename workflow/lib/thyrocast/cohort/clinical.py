"""A center's clinical table in our columns, units and codes."""

import datetime
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from thyrocast.cohort import outcome, units
from thyrocast.cohort.outcome import UNDECIDED, Cells, Outcome
from thyrocast.contract.columns import CLINICAL
from thyrocast.errors import InputError
from thyrocast.identity import normalize_identifier
from thyrocast.planning.spreadsheet import Table, read_table

LOG = logging.getLogger("thyrocast")
Settings = Mapping[str, Any]
# How many faults of cells are told one by one before only their number is.
TOLD = 20
NO_IDENTIFIER = "no identifier in the clinical table"


@dataclass(frozen=True)
class Patient:
    """One patient of a clinical table.

    ``identifier`` is normalized; ``values`` are the columns of `contract_columns.CLINICAL` in our units, as
    text. ``reason`` says why the row can't be used, or is empty. Dates never leave this process
    but as intervals or in private files.
    """

    identifier: str
    line: int
    values: Mapping[str, str] = field(default_factory=dict)
    outcome: Outcome = UNDECIDED
    therapy: datetime.date | None = None
    birth: datetime.date | None = None
    reason: str = ""


def read_clinical(path: str, center: Settings, cohort: Settings) -> list[Patient]:
    """Read a center's table.

    Parameters
    ----------
    path
        CSV, TSV or XLSX.
    center, cohort
        The center's block and the cohort's block of the config.

    Returns
    -------
    list of Patient
        One per identifier in the order of the table. Rows without an identifier come as patients
        with an empty one. Several rows of one identifier that say different things make one
        patient with a reason.

    Raises
    ------
    InputError
        If a column is missing, a unit is wrong, no row has an identifier, or
        a value is out of range where `cohort.values` says `stop`.
    """
    table = read_table(path, center["sheet"], center["encoding"])
    _check_columns(table, center)
    factors = {
        name: units.factor(name, center["units"].get(name, units.UNITS[name]), center["name"])
        for name in units.UNITS
    }
    missing = {units.fold(text) for text in center["missing"]} | {""}
    seen: dict[str, tuple[int, list[str]]] = {}  # place among the patients, and the row
    patients: list[Patient] = []
    faults: list[str] = []
    for line, row in zip(table.lines, table.rows, strict=True):
        cells = Cells(table.header, row, missing)
        patient = _patient(center, cells, line, factors)
        faults += [
            f"center {center['name']}, row {line}, column {column!r}: {fault}"
            for column, fault in cells.faults
        ]
        place, first = seen.get(patient.identifier, (-1, row)) if patient.identifier else (-1, row)
        if place < 0:
            seen[patient.identifier] = (len(patients), row)
            patients.append(patient)
        else:
            patients[place] = _join(patients[place], row == first, line, center["name"])
    _tell(faults, cohort)
    return patients


def _check_columns(table: Table, center: Settings) -> None:
    for key, name in outcome.columns(center).items():
        if name not in table.header:
            raise InputError(
                f"center {center['name']}, key {key}: the clinical table has no column {name!r}, "
                f"expected one of {', '.join(map(repr, table.header))}"
            )
    if not table.rows or not any(table.column(center["columns"]["patient"])):
        raise InputError(
            f"center {center['name']}, column {center['columns']['patient']!r}: no patient in the "
            "clinical table, expected one row per patient with an identifier"
        )


def _patient(center: Settings, cells: Cells, line: int, factors: Mapping[str, float]) -> Patient:
    columns = center["columns"]
    identifier = normalize_identifier(cells.text(columns["patient"]), center["identifiers"])
    therapy = cells.date(columns.get("therapy_date"), center["date_order"])
    birth = cells.date(columns.get("birth_date"), center["date_order"])
    values: dict[str, str] = {}
    for name in CLINICAL:
        if name in units.CODES:
            values[name] = _code(name, center, cells)
        else:
            value = cells.number(columns.get(name), name, factors[name])
            values[name] = "" if value is None else f"{value:.6g}"
    if not values["age"] and therapy and birth:
        years = (therapy - birth).days / 365.25
        low, high = units.RANGES["age"]
        if low <= years <= high:
            values["age"] = str(int(years))
        else:
            cells.faults.append(
                (columns["birth_date"], f"an age outside {low:g} to {high:g} years")
            )
    decided = outcome.decide(center, cells, therapy, factors)
    reason = decided.reason if identifier else NO_IDENTIFIER
    return Patient(identifier, line, values, decided, therapy, birth, reason)


def _code(name: str, center: Settings, cells: Cells) -> str:
    column = center["columns"].get(name)
    text = cells.text(column)
    if not text:
        return ""
    try:
        return units.decode(name, text, center["codes"].get(name, {})) or ""
    except ValueError as error:
        cells.faults.append(
            (
                str(column),
                f"{error}, expected one of {', '.join(units.CODES[name])} or of codes.{name}",
            )
        )
        return ""


def _join(first: Patient, same: bool, line: int, center: str) -> Patient:
    """A second row of one identifier: the same is dropped, a different one leaves the patient out."""
    if same:
        LOG.warning("center %s, row %d repeats row %d, dropped", center, line, first.line)
        return first
    LOG.warning(
        "center %s, rows %d and %d have one identifier and differ, the patient is left out",
        center, first.line, line,
    )  # fmt: skip
    return replace(first, outcome=UNDECIDED, reason="several different rows in the clinical table")


def _tell(faults: list[str], cohort: Settings) -> None:
    for fault in faults[:TOLD]:
        LOG.warning("%s, taken as not known", fault)
    if len(faults) > TOLD:
        LOG.warning("%d more cells are not understood and taken as not known", len(faults) - TOLD)
    if faults and cohort["values"] == "stop":
        raise InputError(
            f"{faults[0]} ({len(faults)} such cells): correct the table, or set cohort.values: missing"
        )
