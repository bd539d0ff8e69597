"""Read the cells of an XLSX workbook as the text that its sheet shows.

openpyxl reads the cells, because it keeps each cell's number format and its formula. It is imported
when a workbook is opened. python-calamine is faster to import, but returns a percentage (62 % is
stored as 0.62) as a number, and an error or a formula without a stored value as an empty cell.
"""

import datetime
import io
import itertools
import re
import warnings
import zipfile
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from thyrocast.config.table import HiddenRows
from thyrocast.errors import InputError
from thyrocast.tables import headers, limits, worksheet
from thyrocast.tables.exact import Exact

if TYPE_CHECKING:
    from openpyxl import Workbook

#: First bytes of an OLE2 file, which is an encrypted or an old workbook, and the name of the stream
# of an encrypted one (MS-OFFCRYPTO 2.3.4.4).
OLE2 = bytes.fromhex("d0cf11e0a1b11ae1")
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
# Namespace of Strict Open XML (ISO/IEC 29500); openpyxl reads the transitional one only.
_STRICT = b"http://purl.oclc.org/ooxml/"
_BOOK = "xl/workbook.xml"
_XML_START = 4096
# Parts that other workbooks have.
_OTHER_BOOKS = {
    "xl/workbook.bin": "a binary workbook (.xlsb)",
    "Index/Document.iwa": "a file of Apple Numbers",
    "word/document.xml": "a text document (.docx)",
}
_FORMULA = re.compile(rb"<(?:\w+:)?f[\s/>]")
# What a number format shows literally: quoted text, escaped characters, colors and conditions.
_LITERAL = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]')
_SAVE_AGAIN = "save it as `Excel Workbook (.xlsx)` or CSV"
# Excel computes with 15 significant digits; whole numbers up to there are exact.
_EXACT = 1e15


@dataclass(frozen=True)
class Book:
    """A worksheet as text.

    Attributes
    ----------
    rows
        Rows as (number from 1, cells).
    notes
        Remarks on cells that may not be read as expected; each begins with the file name.
    unsaved
        Row from 1 and column from 0 of each formula without a stored value.
    """

    rows: list[tuple[int, list[str]]]
    notes: list[str]
    unsaved: set[tuple[int, int]]


@dataclass
class _Doubts:
    """Rows with cells that may not be read as expected."""

    percent: list[int] = field(default_factory=list)
    errors: list[int] = field(default_factory=list)
    unsaved: list[tuple[int, int]] = field(default_factory=list)

    def notes(self, file: Path) -> list[str]:
        sentences = (
            (self.percent, "are formatted as percent: 0.62 is read as 62%"),
            (self.errors, "contain an error such as #DIV/0! and count as empty"),
            (
                [row for row, _ in self.unsaved],
                "contain a formula without a stored value and count as empty: open and save the "
                "table in a spreadsheet program",
            ),
        )
        return [
            f"{file}: {len(rows)} cells {text} (the first in row {rows[0]})"
            for rows, text in sentences
            if rows
        ]


def read_rows(
    file: Path, sheet: str | None, names: Collection[str], hidden_rows: HiddenRows | None
) -> Book:
    """Read a worksheet.

    Hidden columns are read like the others. A merged area that is one column wide has its value in
    each of its rows; of another, only the first cell has it.

    Parameters
    ----------
    file
        ``.xlsx`` or ``.xlsm``.
    sheet
        Name of the worksheet; if None, the only visible one with the columns `names`, otherwise the
        first visible one.
    names
        Names of columns that the table should have.
    hidden_rows
        What happens with hidden rows; None stops.

    Raises
    ------
    InputError
        If the workbook can't be read or is too large, has no such worksheet, several worksheets
        have the columns, or rows are hidden and `hidden_rows` is None.
    """
    try:
        has_formulas = _check_archive(file)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # on styles and extensions that are not read
            doubts = _Doubts()
            title, notes = _choose(file, sheet, names)
            rows = list(_text_rows(file, title, doubts))
            if has_formulas:
                doubts.unsaved = list(_unsaved_formulas(file, title, dict(rows)))
            rows, remarks = _as_seen(file, title, rows, hidden_rows)
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
    return Book(rows, [*notes, *remarks, *doubts.notes(file)], set(doubts.unsaved))


def _choose(file: Path, sheet: str | None, names: Collection[str]) -> tuple[str, list[str]]:
    """Return the title of the worksheet to read, and remarks on others that could be meant."""
    book = _open(file, stored_values=True)
    try:
        states = {page.title: page.sheet_state for page in book.worksheets}
        if not states or (sheet is not None and sheet not in states):
            only = ", ".join(states) or "none"
            raise InputError(f"table {file} has no worksheet {sheet!r}, only {only}")
        if sheet is not None:
            hidden = states[sheet] != "visible"
            return sheet, [f"{file}: worksheet {sheet!r} is hidden"] if hidden else []
        visible = [title for title, state in states.items() if state == "visible"] or list(states)
        if len(visible) == 1 or not names:
            return visible[0], []
        fitting = [title for title in visible if _has(book, file, title, names)]
    finally:
        book.close()
    if len(fitting) > 1:
        raise InputError(
            f"table {file}: worksheets {', '.join(map(repr, fitting))} have all columns of the "
            "config: set the center's key `sheet` to the right one"
        )
    title = fitting[0] if fitting else visible[0]
    return title, [f"{file}: of {len(visible)} worksheets, {title!r} is read"]


def _has(book: "Workbook", file: Path, title: str, names: Collection[str]) -> bool:
    """Return whether one of a worksheet's first rows has all names."""
    rows = itertools.islice(_cells(book, file, title), headers.SEARCHED)
    wanted = len(set(names))
    return any(
        headers.score([str(cell.value or "") for cell in row], set(names)) == wanted
        for _, row in rows
    )


def _as_seen(
    file: Path, title: str, rows: list[tuple[int, list[str]]], hidden_rows: HiddenRows | None
) -> tuple[list[tuple[int, list[str]]], list[str]]:
    """Return the rows with merged cells filled and hidden rows left out if so configured."""
    with zipfile.ZipFile(file) as archive:
        part = worksheet.part_of(archive, title)
        looks = worksheet.looks(archive.read(part)) if part else worksheet.Looks()
    notes = []
    by_number = dict(rows)
    for column, first, last in looks.merged:
        value = next(iter(by_number.get(first, [])[column : column + 1]), "")
        for number in range(first + 1, min(last, first + len(rows)) + 1):
            row = by_number.get(number)
            if value and row is not None:
                row += [""] * (column + 1 - len(row))
                row[column] = value
    if looks.merged:
        notes.append(f"{file}: merged cells of one column have the value of the first in each row")
    hidden = [number for number, row in rows if number in looks.rows and any(map(str.strip, row))]
    if hidden and hidden_rows is None:
        raise InputError(
            f"table {file} has {len(hidden)} hidden rows (the first is row {hidden[0]}), which a "
            "filter may have left out: unhide or delete them, or set the center's key `hidden_rows` "
            "to `read` or `skip`"
        )
    if hidden:
        what = "read" if hidden_rows is HiddenRows.READ else "left out"
        notes.append(f"{file}: {len(hidden)} hidden rows are {what} (the first is row {hidden[0]})")
    if hidden_rows is HiddenRows.SKIP:
        rows = [(number, row) for number, row in rows if number not in looks.rows]
    filled = {at for _, row in rows for at, cell in enumerate(row) if cell.strip()}
    if looks.columns & filled:
        notes.append(f"{file}: {len(looks.columns & filled)} hidden columns are read as well")
    return rows, notes


def _check_archive(file: Path) -> bool:
    """Reject a file that can't or must not be opened; return whether a sheet contains formulas."""
    data = file.read_bytes()
    if data.startswith(OLE2):
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
        for part, what in _OTHER_BOOKS.items():
            if part in names:
                raise InputError(f"table {file} is {what}: {_SAVE_AGAIN}")
        if "mimetype" in names and b"opendocument" in archive.read("mimetype"):
            raise InputError(f"table {file} is an OpenDocument file (.ods): {_SAVE_AGAIN}")
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

    # As a stream, because openpyxl refuses a workbook whose name ends in `.csv`.
    stream = io.BytesIO(file.read_bytes())
    return openpyxl.load_workbook(stream, read_only=True, data_only=stored_values, keep_links=False)


def _cells(book: "Workbook", file: Path, title: str) -> Iterator[tuple[int, Sequence[Any]]]:
    """Yield number and cells of every row of a worksheet."""
    chosen: Any = book[title]
    chosen.reset_dimensions()  # many programs declare them wrongly
    for count, row in enumerate(chosen.iter_rows(), 1):
        limits.check_rows(file, count)
        number = next((cell.row for cell in row if cell.value is not None), count)
        if len(row) > limits.MAX_COLUMNS:
            raise InputError(f"table {file}, row {number} has a cell beyond column XFD")
        yield number, row


def _text_rows(file: Path, title: str, doubts: _Doubts) -> Iterator[tuple[int, list[str]]]:
    book = _open(file, stored_values=True)
    try:
        for number, row in _cells(book, file, title):
            yield number, [_text(cell, number, doubts) for cell in row]
    finally:
        book.close()


def _unsaved_formulas(
    file: Path, title: str, texts: dict[int, list[str]]
) -> Iterator[tuple[int, int]]:
    """Yield row and column of each formula whose value is not stored."""
    book = _open(file, stored_values=False)
    try:
        for number, row in _cells(book, file, title):
            for column, (cell, text) in enumerate(zip(row, texts.get(number, ()), strict=False)):
                if cell.value is not None and cell.data_type == "f" and not text:
                    yield number, column
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
        return str(value).upper()
    if isinstance(value, int | float):
        if "%" in _LITERAL.sub("", cell.number_format or ""):
            doubts.percent.append(row)
            return Exact(f"{_number_text(value * 100)}%")
        return Exact(_number_text(value))
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
