"""Write the clinical table with the center's own column names, units, codes and file format."""

import datetime
import io
import re
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import openpyxl

from thyrocast import fileio
from thyrocast.config.simulated_export import TableColumn, TableConfig, TableUnit

#: Value in each unit that equals 1 in our unit.
UNITS: dict[str, float] = {
    "MBq": 1.0,
    "GBq": 1e-3,
    "mCi": 1.0 / 37.0,
    "g": 1.0,
    "mL": 1.0,
    "%": 1.0,
    "IU/L": 1.0,
    "pmol/L": 1.0,
    # Thyroxine 776.87 g/mol, triiodothyronine 650.97 g/mol.
    "ng/dL": 776.87e-4,
    "pg/mL": 650.97e-3,
}
_DIGITS = {"activity": 1, "gland_mass": 1, "trab": 1, "ft4": 2, "ft3": 2, "uptake_24h": 0}
# Time of writing in every workbook, so that the same center gives the same bytes.
_STAMP = datetime.datetime(2024, 1, 1)


#: Cell of a record in our columns and units; None is a blank.
Cell = str | int | float | datetime.date | None
Record = dict[TableColumn, Cell]


def cells(record: Mapping[TableColumn, Cell], table: TableConfig, workbook: bool) -> list[object]:
    """Convert one patient's record to the center's columns, units and codes.

    Parameters
    ----------
    record
        Values by our columns, in our units.
    table
        Config of the table.
    workbook
        Whether numbers and dates keep their type; otherwise all cells are text.
    """
    row: list[object] = []
    for ours in table.columns:
        value = record.get(ours)
        codes = table.codes.get(ours, {})
        if value is None:
            row.append(None if workbook else "")
        elif str(value) in codes:
            row.append(codes[str(value)])
        elif isinstance(value, datetime.date):
            row.append(value if workbook else value.strftime(table.date_format))
        elif isinstance(value, float):
            unit = table.units.get(ours)
            number = value * UNITS[unit] if unit else value
            number = round(number, 4 if unit is TableUnit.GBQ else _DIGITS.get(ours, 0))
            if workbook:
                row.append(number)
            else:
                row.append(f"{number:g}".replace(".", table.decimal))
        else:
            row.append(value if workbook else str(value))
    return row


def write(path: Path, records: Sequence[Record], table: TableConfig) -> None:
    """Write the table as text in the center's encoding, or as a workbook (``.xlsx``)."""
    header = list(table.columns.values())
    workbook = path.suffix == ".xlsx"
    rows = [cells(record, table, workbook) for record in records]
    if workbook:
        _write_workbook(path, header, rows, table.sheet)
        return
    delimiter = table.delimiter

    def quoted(cell: object) -> str:
        text = str(cell)
        if any(mark in text for mark in (delimiter, '"', "\n")):
            return '"' + text.replace('"', '""') + '"'
        return text

    everything: list[Sequence[object]] = [header, *rows]
    lines = [delimiter.join(map(quoted, row)) for row in everything]
    with fileio.atomic(path) as temporary:
        temporary.write_bytes(("\r\n".join(lines) + "\r\n").encode(table.encoding))


def _write_workbook(
    path: Path, header: Sequence[str], rows: Sequence[Sequence[object]], sheet: str
) -> None:
    book = openpyxl.Workbook()
    page = book.active
    page.title = sheet
    page.append(list(header))
    for row in rows:
        page.append(list(row))
    book.properties.creator = "thyrocast"
    made = io.BytesIO()
    book.save(made)
    # openpyxl writes the current time to the workbook and to every member of the archive.
    with (
        fileio.atomic(path) as temporary,
        zipfile.ZipFile(made) as source,
        zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for name in source.namelist():
            content = source.read(name)
            if name == "docProps/core.xml":
                stamp = f"{_STAMP:%Y-%m-%dT%H:%M:%SZ}".encode()
                content = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", stamp, content)
            member = zipfile.ZipInfo(name, _STAMP.timetuple()[:6])
            member.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(member, content)
