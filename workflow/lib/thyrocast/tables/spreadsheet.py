"""Read a center's own table (CSV, TSV or XLSX, from any program) as text.

When the workflow is parsed, the launcher reads from these tables who is in the study; the
registration reads the same cells with the same code. Standard library only, and openpyxl if a
workbook is opened. Nothing in a table is executed: for a formula, the stored value is read. An
archive that declares too many bytes is rejected.
"""

import csv
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from thyrocast.config.table import HiddenRows
from thyrocast.errors import InputError
from thyrocast.tables import delimited, headers, limits, workbook

_WORKBOOKS = {".xlsx", ".xlsm"}
_ARCHIVE = b"PK\x03\x04"
_SAVE_AGAIN = "open it in a spreadsheet program and save it as `Excel Workbook (.xlsx)` or CSV"
# First bytes of files that are no tables, although their name may say so.
_OTHERS = {
    b"%PDF": "a PDF file",
    b"$FL2": "an SPSS file",
    b"$FL3": "an SPSS file",
    b"<stata_dta>": "a Stata file",
    b"HEADER RECORD*******": "a SAS transport file",
    b"{\\rtf": "a text document (RTF)",
}


@dataclass(frozen=True)
class Sheet:
    """A center's table as text.

    Attributes
    ----------
    header
        Names of the columns.
    rows
        Cells without surrounding spaces, "" for an empty one; each row is as long as the header.
    lines
        Line (CSV) or row (XLSX) of each of `rows` in the file, from 1, for messages.
    notes
        Warnings about cells that may not be read as expected; each begins with the file name.
    """

    header: list[str]
    rows: list[list[str]]
    lines: list[int]
    notes: tuple[str, ...] = ()

    def column(self, name: str) -> list[str]:
        """Return the cells of one column; `KeyError` if there is none of that name."""
        try:
            position = self.header.index(headers.tidy(name))
        except ValueError:
            raise KeyError(name) from None
        return [row[position] for row in self.rows]


def read_sheet(
    path: str | Path,
    sheet: str | None = None,
    encoding: str | None = None,
    names: Collection[str] = (),
    hidden_rows: HiddenRows | None = HiddenRows.READ,
) -> Sheet:
    """Read a table.

    Parameters
    ----------
    path
        A workbook (``.xlsx``, ``.xlsm``), whatever its name, or delimited text, whose encoding
        (UTF-8, UTF-16, else Windows-1252) and delimiter (``, ; tab |``) are detected.
    sheet
        Name of the worksheet. By default the only visible one with the columns `names`, else the
        first visible one.
    encoding
        Encoding of a text table that is neither UTF-8 nor UTF-16.
    names
        Names of columns that the table should have. The header is the row that has most of them,
        otherwise the first row that is not empty.
    hidden_rows
        What happens with hidden rows of a worksheet; None stops.

    Raises
    ------
    InputError
        If the file can't be read as a table, is too large, has two columns of the same name, or
        has a formula without a stored value in one of the columns `names`.
    """
    file = Path(path).expanduser()
    try:
        size = file.stat().st_size
        with file.open("rb") as stream:
            start = stream.read(512)
    except OSError as error:
        raise InputError(f"table {file} can't be read: {error.strerror}") from error
    if size > limits.MAX_BYTES:
        raise InputError(f"table {file} has {size:,} bytes, expected at most {limits.MAX_BYTES:,}")
    _refuse_others(file, start)
    if start.startswith((_ARCHIVE, workbook.OLE2)) or (
        file.suffix.lower() in _WORKBOOKS and start.startswith(b"PK")
    ):
        book = workbook.read_rows(file, sheet, names, hidden_rows)
        return _shape(file, book.rows, book.notes, names, book.unsaved)
    try:
        rows, notes = delimited.read_rows(file, encoding, names)
    except InputError:
        raise
    except (OSError, LookupError, ValueError, csv.Error) as error:
        # Without the text of the error, because it may quote a cell.
        raise InputError(
            f"table {file} is not a readable text table ({type(error).__name__}): export it again "
            "as CSV or XLSX"
        ) from None
    if file.suffix.lower() in _WORKBOOKS:
        notes.append(f"{file} is no workbook, although its name says so, and is read as text")
    return _shape(file, rows, notes, names)


def _refuse_others(file: Path, start: bytes) -> None:
    """Refuse a file that is neither a workbook nor a text table."""
    for magic, what in _OTHERS.items():
        if start.startswith(magic):
            raise InputError(f"table {file} is {what}, expected CSV, TSV or XLSX")
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith((b"<html", b"<!doctype", b"<table", b"<meta", b"<head")):
        raise InputError(f"table {file} is a web page (HTML): {_SAVE_AGAIN}")
    if text.startswith(b"<?xml"):
        raise InputError(f"table {file} is an XML file: {_SAVE_AGAIN}")


def _shape(
    file: Path,
    numbered: Sequence[tuple[int, list[str]]],
    notes: Sequence[str],
    names: Collection[str],
    unsaved: Collection[tuple[int, int]] = (),
) -> Sheet:
    filled = [(line, row) for line, row in numbered if any(map(str.strip, row))]
    if not filled:
        raise InputError(f"table {file} is empty, expected a header and one row per patient")
    remarks = list(notes)
    top = headers.find([row for _, row in filled], names)
    if top:
        remarks.append(
            f"{file}: the header is row {filled[top][0]}; {top} rows above it are not read"
        )
    header = [headers.tidy(name) for name in filled[top][1]]
    while header and not header[-1]:
        header = header[:-1]
    remarks += _check_header(file, header, names)
    _check_unsaved(file, header, names, filled[top][0], unsaved)
    width = len(header)
    rows, lines = [], []
    for line, cells in filled[top + 1 :]:
        row = [_stripped(cell) for cell in cells]
        if any(row[width:]):
            raise InputError(
                f"table {file}, row {line} has {len(row)} cells, expected {width} as in the header: "
                "quote the text that contains the delimiter"
            )
        rows.append((row + [""] * width)[:width])
        lines.append(line)
    return Sheet(header, rows, lines, tuple(remarks))


def _stripped(cell: str) -> str:
    # The cell itself, if it has no spaces around it: it may be an `Exact`.
    stripped = cell.strip()
    return cell if len(stripped) == len(cell) else stripped


def _check_header(file: Path, header: Sequence[str], names: Collection[str]) -> list[str]:
    """Refuse two columns of a name that is needed; return a remark on others."""
    twice = sorted({name for name in header if name and header.count(name) > 1})
    needed = [name for name in twice if not names or name in {headers.tidy(n) for n in names}]
    if needed:
        raise InputError(f"table {file} has two columns named {needed[0]!r}: rename one of them")
    if not twice:
        return []
    return [f"{file}: several columns are named {', '.join(map(repr, twice))}; none is used"]


def _check_unsaved(
    file: Path,
    header: Sequence[str],
    names: Collection[str],
    top: int,
    unsaved: Collection[tuple[int, int]],
) -> None:
    """Refuse formulas without a stored value in a column that is needed: its values are unknown."""
    needed = {headers.tidy(name) for name in names}
    for row, column in sorted(unsaved):
        if row > top and column < len(header) and header[column] in needed:
            count = sum(at == column and line > top for line, at in unsaved)
            raise InputError(
                f"table {file}, column {header[column]!r}: {count} cells (the first in row {row}) are "
                "formulas whose value is not stored: open and save the table in a spreadsheet program"
            )
