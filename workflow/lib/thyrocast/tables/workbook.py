"""Read the cells of an XLSX workbook as the text that its sheet shows.

openpyxl reads the cells, because it keeps each cell's number format and its formula. It is imported
when a workbook is opened. python-calamine is faster to import, but returns a percentage (62 % is
stored as 0.62) as a number, and an error or a formula without a stored value as an empty cell.
"""

import datetime
import re
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from thyrocast.errors import InputError
from thyrocast.tables import limits

if TYPE_CHECKING:
    from openpyxl import Workbook

# First bytes of an OLE2 file, which is an encrypted or an old workbook, and the name of the stream
# of an encrypted one (MS-OFFCRYPTO 2.3.4.4).
_OLE2 = bytes.fromhex("d0cf11e0a1b11ae1")
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
# Namespace of Strict Open XML (ISO/IEC 29500); openpyxl reads the transitional one only.
_STRICT = b"http://purl.oclc.org/ooxml/"
_BOOK = "xl/workbook.xml"
_XML_START = 4096
_FORMULA = re.compile(rb"<(?:\w+:)?f[\s/>]")
# What a number format shows literally: quoted text, escaped characters, colors and conditions.
_LITERAL = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]')
_SAVE_AGAIN = "save it as `Excel Workbook (.xlsx)` or CSV"
# Excel computes with 15 significant digits; whole numbers up to there are exact.
_EXACT = 1e15


@dataclass
class _Doubts:
    """Rows with cells that may not be read as expected."""

    percent: list[int] = field(default_factory=list)
    errors: list[int] = field(default_factory=list)
    unsaved: list[int] = field(default_factory=list)

    def notes(self, file: Path) -> list[str]:
        sentences = (
            (self.percent, "are formatted as percent: 0.62 is read as 62%"),
            (self.errors, "contain an error such as #DIV/0! and count as empty"),
            (
                self.unsaved,
                "contain a formula without a stored value and count as empty: open and save the "
                "table in a spreadsheet program",
            ),
        )
        return [
            f"{file}: {len(rows)} cells {text} (the first in row {rows[0]})"
            for rows, text in sentences
            if rows
        ]


def read_rows(file: Path, sheet: str | None) -> tuple[list[tuple[int, list[str]]], list[str]]:
    """Read a worksheet.

    Hidden rows and columns are read like the others. In merged cells, the first has the value.

    Parameters
    ----------
    file
        ``.xlsx`` or ``.xlsm``.
    sheet
        Name of the worksheet; the first one if None.

    Returns
    -------
    tuple
        Rows as (number from 1, cells as text), and notes on cells that may not be read as expected.

    Raises
    ------
    InputError
        If the workbook can't be read or is too large, or has no such worksheet.
    """
    try:
        has_formulas = _check_archive(file)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # on styles and extensions that are not read
            doubts = _Doubts()
            rows = list(_text_rows(file, sheet, doubts))
            if has_formulas:
                doubts.unsaved = list(_unsaved_formulas(file, sheet, dict(rows)))
    except (InputError, MemoryError):
        raise
    except ModuleNotFoundError as error:
        raise InputError(
            f"table {file} cannot be read: the Python that runs Snakemake has no package "
            f"{error.name}: install requirements/launcher.txt there, or save the table as CSV"
        ) from error
    except Exception as error:  # noqa: BLE001 - a broken workbook raises anything in openpyxl
        # Without the text of the error, because it may quote a cell.
        raise InputError(
            f"table {file} is not a readable workbook ({type(error).__name__}): {_SAVE_AGAIN}"
        ) from None
    return rows, doubts.notes(file)


def _check_archive(file: Path) -> bool:
    """Reject a file that can't or must not be opened; return whether a sheet contains formulas."""
    data = file.read_bytes()
    if data.startswith(_OLE2):
        if _ENCRYPTED in data:
            raise InputError(f"table {file} is protected by a password: save it without one")
        raise InputError(f"table {file} is a workbook of Excel 97-2003 (.xls): {_SAVE_AGAIN}")
    with zipfile.ZipFile(file) as archive:
        entries = archive.infolist()
        declared = sum(entry.file_size for entry in entries)
        if declared > limits.MAX_BYTES:
            raise InputError(
                f"table {file} unpacks to {declared:,} bytes, expected at most {limits.MAX_BYTES:,}"
            )
        if any(entry.flag_bits & 1 for entry in entries):
            raise InputError(f"table {file} is protected by a password: save it without one")
        names = {entry.filename for entry in entries}
        if _BOOK not in names:
            raise InputError(f"table {file} is not an XLSX workbook: {_SAVE_AGAIN}")
        for name in names:
            if name.endswith((".xml", ".rels")):
                _refuse_entities(archive, name)
        if _STRICT in archive.read(_BOOK):
            raise InputError(f"table {file} is a Strict Open XML workbook: {_SAVE_AGAIN}")
        return any(
            _FORMULA.search(archive.read(name))
            for name in names
            if name.startswith("xl/worksheets/")
        )


def _refuse_entities(archive: zipfile.ZipFile, name: str) -> None:
    """Reject a part of a workbook that declares a document type: it may contain an entity bomb."""
    with archive.open(name) as stream:
        if b"<!DOCTYPE" in stream.read(_XML_START).upper():
            raise InputError(
                f"table {archive.filename} declares XML entities, which no workbook does"
            )


def _open(file: Path, *, stored_values: bool) -> "Workbook":
    import openpyxl

    return openpyxl.load_workbook(file, read_only=True, data_only=stored_values, keep_links=False)


def _cells(book: "Workbook", file: Path, sheet: str | None) -> Iterator[tuple[int, Sequence[Any]]]:
    """Yield number and cells of every row of a worksheet."""
    sheets = {worksheet.title: worksheet for worksheet in book.worksheets}
    if not sheets or (sheet is not None and sheet not in sheets):
        only = ", ".join(sheets) or "none"
        raise InputError(f"table {file} has no worksheet {sheet!r}, only {only}")
    chosen: Any = sheets[sheet] if sheet is not None else next(iter(sheets.values()))
    chosen.reset_dimensions()  # many programs declare them wrongly
    for count, row in enumerate(chosen.iter_rows(), 1):
        limits.check_rows(file, count)
        number = next((cell.row for cell in row if cell.value is not None), count)
        if len(row) > limits.MAX_COLUMNS:
            raise InputError(f"table {file}, row {number} has a cell beyond column XFD")
        yield number, row


def _text_rows(file: Path, sheet: str | None, doubts: _Doubts) -> Iterator[tuple[int, list[str]]]:
    book = _open(file, stored_values=True)
    try:
        for number, row in _cells(book, file, sheet):
            yield number, [_text(cell, number, doubts) for cell in row]
    finally:
        book.close()


def _unsaved_formulas(file: Path, sheet: str | None, texts: dict[int, list[str]]) -> Iterator[int]:
    """Yield the row of each formula whose value is not stored."""
    book = _open(file, stored_values=False)
    try:
        for number, row in _cells(book, file, sheet):
            for cell, text in zip(row, texts.get(number, ()), strict=False):
                if cell.value is not None and cell.data_type == "f" and not text:
                    yield number
    finally:
        book.close()


def _text(cell: Any, row: int, doubts: _Doubts) -> str:
    """Return a cell as its sheet shows it, except that dates are ISO and decimals have a point."""
    value = cell.value
    if value is None:
        return ""
    if cell.data_type == "e":
        doubts.errors.append(row)
        return ""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, int | float):
        if "%" in _LITERAL.sub("", cell.number_format or ""):
            doubts.percent.append(row)
            return f"{_number_text(value * 100)}%"
        return _number_text(value)
    if isinstance(value, datetime.datetime):
        return _date_text(value)
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    return str(value)


def _number_text(value: float) -> str:
    # Excel stores 0.1 + 0.2 with its rounding error; 15 digits show the intended number.
    whole = float(value).is_integer() and abs(value) < _EXACT
    return str(int(value)) if whole else f"{value:.15g}"


def _date_text(moment: datetime.datetime) -> str:
    whole = moment.replace(microsecond=0)
    if moment.microsecond >= 500_000:
        whole += datetime.timedelta(seconds=1)
    at_midnight = whole.time() == datetime.time()
    return whole.date().isoformat() if at_midnight else whole.isoformat(" ")
