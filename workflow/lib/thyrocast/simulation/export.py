"""The clinical table as a center's secretary keeps it: own words, units, codes and file format."""

import datetime
import io
import re
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import openpyxl

from thyrocast import fileio

# How many of the unit make one of ours.
UNITS = {
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
# Every workbook says that it was written at this time, so that the same center gives the same bytes.
_STAMP = datetime.datetime(2024, 1, 1)


def cells(record: Mapping[str, Any], settings: Mapping[str, Any], workbook: bool) -> list[object]:
    """One patient's row in the center's columns, units and codes.

    Parameters
    ----------
    record
        Our column names to values in our units; None is a blank.
    settings
        The center's ``table`` block (`thyrocast.config.simulated_export.TableConfig`).
    workbook
        Numbers and dates stay what they are; otherwise all is text.
    """
    row: list[object] = []
    for ours in settings["columns"]:
        value = record.get(ours)
        codes = settings["codes"].get(ours, {})
        if value is None:
            row.append(None if workbook else "")
        elif str(value) in codes:
            row.append(codes[str(value)])
        elif isinstance(value, datetime.date):
            # A workbook holds a date as such; a text file as the center writes dates.
            row.append(value if workbook else value.strftime(settings["date_format"]))
        elif isinstance(value, float):
            unit = settings["units"].get(ours)
            number = value * UNITS[unit] if unit else value
            number = round(number, 4 if unit == "GBq" else _DIGITS.get(ours, 0))
            if workbook:
                row.append(number)
            else:
                row.append(f"{number:g}".replace(".", settings["decimal"]))
        else:
            row.append(value if workbook else str(value))
    return row


def write(path: Path, records: Sequence[Mapping[str, Any]], settings: Mapping[str, Any]) -> None:
    """Write the table as text in the center's encoding, or as a workbook (``.xlsx``)."""
    header = list(settings["columns"].values())
    workbook = path.suffix == ".xlsx"
    rows = [cells(record, settings, workbook) for record in records]
    if workbook:
        _write_workbook(path, header, rows, settings["sheet"])
        return
    delimiter = settings["delimiter"]

    def quoted(cell: object) -> str:
        text = str(cell)
        if any(mark in text for mark in (delimiter, '"', "\n")):
            return '"' + text.replace('"', '""') + '"'
        return text

    lines = [delimiter.join(map(quoted, row)) for row in (header, *rows)]
    with fileio.atomic(path) as temporary:
        temporary.write_bytes(("\r\n".join(lines) + "\r\n").encode(settings["encoding"]))


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
    # openpyxl stamps the present time on the workbook and on every member of the archive.
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
