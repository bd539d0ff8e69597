"""Read a center's own table (CSV, TSV or XLSX, from any program) as text.

When the workflow is parsed, the launcher reads from these tables who is in the study; the
registration reads the same cells with the same code. Standard library only, and openpyxl if a
workbook is opened. Nothing in a table is executed: for a formula, the stored value is read. An
archive that declares too many bytes is rejected.
"""

import csv
import io
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from thyrocast.errors import InputError
from thyrocast.tables import limits, workbook
from thyrocast.tables.limits import check_rows

_WORKBOOKS = {".xlsx", ".xlsm"}


class Exact(str):
    """Text of a cell that a workbook stores as a number: its point is the decimal mark."""

    __slots__ = ()


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
            position = self.header.index(name)
        except ValueError:
            raise KeyError(name) from None
        return [row[position] for row in self.rows]


def read_sheet(path: str | Path, sheet: str | None = None, encoding: str | None = None) -> Sheet:
    """Read a table; its first row that is not empty is the header.

    Parameters
    ----------
    path
        ``.xlsx``/``.xlsm`` are read as workbooks, everything else as delimited text, whose
        encoding (UTF-8, UTF-16, else Windows-1252) and delimiter (``, ; tab |``) are detected.
    sheet
        Name of the worksheet; the first one by default.
    encoding
        Encoding of a text table that is neither UTF-8 nor UTF-16.

    Raises
    ------
    InputError
        If the file can't be read as a table, is too large, or has two columns of the same name.
    """
    file = Path(path)
    try:
        size = file.stat().st_size
    except OSError as error:
        raise InputError(f"table {file} can't be read: {error.strerror}") from error
    if size > limits.MAX_BYTES:
        raise InputError(f"table {file} has {size:,} bytes, expected at most {limits.MAX_BYTES:,}")
    if file.suffix.lower() in _WORKBOOKS:
        rows, notes = workbook.read_rows(file, sheet)
        return _shape(file, rows, notes)
    try:
        return _shape(file, _text_rows(file, encoding), ())
    except InputError:
        raise
    except (OSError, LookupError, ValueError, csv.Error) as error:
        # Without the text of the error, because it may quote a cell.
        raise InputError(
            f"table {file} is not a readable text table ({type(error).__name__}): export it again "
            "as CSV or XLSX"
        ) from None


def _shape(file: Path, numbered: Sequence[tuple[int, list[str]]], notes: Sequence[str]) -> Sheet:
    filled = [
        (line, [c.strip() for c in row]) for line, row in numbered if any(map(str.strip, row))
    ]
    if not filled:
        raise InputError(f"table {file} is empty, expected a header and one row per patient")
    # macOS writes letter and accent separately, and a name may contain a line break.
    header = [unicodedata.normalize("NFC", " ".join(name.split())) for name in filled[0][1]]
    while header and not header[-1]:
        header = header[:-1]
    twice = sorted({name for name in header if name and header.count(name) > 1})
    if twice:
        raise InputError(f"table {file} has two columns named {twice[0]!r}: rename one of them")
    width = len(header)
    rows, lines = [], []
    for line, row in filled[1:]:
        if any(row[width:]):
            raise InputError(
                f"table {file}, row {line} has {len(row)} cells, expected {width} as in the header: "
                "quote the text that contains the delimiter"
            )
        rows.append((row + [""] * width)[:width])
        lines.append(line)
    return Sheet(header, rows, lines, tuple(notes))


def _text_rows(file: Path, encoding: str | None) -> list[tuple[int, list[str]]]:
    data = file.read_bytes()
    check_rows(file, data.count(b"\n") // 4)  # a cell may contain several lines
    text = _decode(file, data, encoding)
    # Some programs write a first line that only declares the delimiter; Excel reads it, too.
    declared = re.match(r'"?sep=([,;\t|])"?\r?\n', text)
    # The first line up to a line break that is not within quotes.
    line = re.match(r'(?:[^"\r\n]|"[^"]*")*', text.lstrip())
    bare = re.sub(r'"[^"]*"', "", line[0] if line else "")
    delimiter = declared[1] if declared else max(",;\t|", key=bare.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    if declared:
        next(reader)
    rows: list[tuple[int, list[str]]] = []
    for row in reader:
        rows.append((reader.line_num, row))
        check_rows(file, len(rows))
    return rows


def _decode(file: Path, data: bytes, encoding: str | None) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace")
    if b"\0" in data[:4096]:
        raise InputError(f"table {file} is a binary file, expected CSV, TSV or XLSX")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode(encoding or "cp1252", errors="replace")
