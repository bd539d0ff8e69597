"""Read a text table: encoding, delimiter, and rows that are broken in a way that hides patients."""

import csv
import io
import itertools
import re
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from thyrocast.errors import InputError
from thyrocast.tables import headers
from thyrocast.tables.limits import check_rows

DELIMITERS = ",;\t|"
# Bytes of the file from which it is judged whether it is text, and the least share of NUL bytes
# at even or odd positions that shows UTF-16.
_START = 4096
_UTF16 = 0.3
# A cell may be a letter, but not the rest of the table.
_LONGEST_CELL = 2**20


def read_rows(
    file: Path, encoding: str | None, names: Collection[str]
) -> tuple[list[tuple[int, list[str]]], list[str]]:
    """Read a text table.

    Parameters
    ----------
    file
        The table.
    encoding
        Encoding of a table that is neither UTF-8 nor UTF-16; Windows-1252 if None.
    names
        Names of columns that the table should have.

    Returns
    -------
    tuple
        Rows as (line from 1, cells), and remarks on the file.

    Raises
    ------
    InputError
        If the file is not text, or quotes or line breaks make its rows uncertain.
    """
    data = file.read_bytes()
    check_rows(file, data.count(b"\n") // 4)  # a cell may contain several lines
    text, notes = _decode(file, data, encoding)
    # Some programs write a first line that only declares the delimiter; Excel reads it, too.
    declared = re.match(r'"?sep=([,;\t|])"?\r?\n', text)
    lines = list(io.StringIO(text, newline=""))
    skip = 1 if declared else 0
    delimiter = declared[1] if declared else _delimiter(lines, names)
    rows = list(_records(file, lines, skip, delimiter))
    _check_spans(file, lines, rows, delimiter)
    notes += _check_short(file, [(start, row) for start, _, row in rows], names)
    return [(end, row) for _, end, row in rows], notes


def _decode(file: Path, data: bytes, encoding: str | None) -> tuple[str, list[str]]:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return _strict(file, data, "utf-16"), []
    start = data[:_START]
    for offset, name in ((1, "utf-16-le"), (0, "utf-16-be")):
        part = start[offset::2]
        text_like = len(data) % 2 == 0 and not start[1 - offset :: 2].count(0)
        if text_like and part.count(0) > _UTF16 * len(part):
            return _strict(file, data, name), []
    if b"\0" in start:
        raise InputError(f"table {file} is a binary file, expected CSV, TSV or XLSX")
    if b"\0" in data:
        line = data[: data.index(b"\0")].count(b"\n") + 1
        raise InputError(f"table {file}, line {line} contains a NUL byte: export the table again")
    try:
        return data.decode("utf-8-sig"), []
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
    text = _strict(file, data, encoding or "cp1252")
    if encoding:
        return text, []
    return text, [
        f"{file} is not UTF-8 (line {line}) and is read as Windows-1252: if letters are wrong, set "
        "`encoding`"
    ]


def _strict(file: Path, data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise InputError(
            f"table {file}, line {line} is neither UTF-8 nor {encoding}: set `encoding` to the "
            "encoding of the table, or save it as `CSV UTF-8`"
        ) from None


def _delimiter(lines: Sequence[str], names: Collection[str]) -> str:
    """Return the delimiter with which the first rows contain most of the expected columns."""
    head = [line for line in lines[: 4 * headers.SEARCHED] if line.strip()]

    def fit(delimiter: str) -> tuple[int, int]:
        rows = list(_lenient(head, delimiter))
        best = headers.find(rows, names)
        return headers.score(rows[best], names) if rows else 0, len(rows[best]) if rows else 0

    return max(DELIMITERS, key=fit)


def _lenient(lines: Sequence[str], delimiter: str) -> Iterator[list[str]]:
    """Yield the first rows; a quote that is not closed is found later, with its line."""
    try:
        for number, row in enumerate(csv.reader(lines, delimiter=delimiter)):
            if number >= headers.SEARCHED:
                return
            if any(map(str.strip, row)):
                yield row
    except csv.Error:
        return


def _records(
    file: Path, lines: Sequence[str], skip: int, delimiter: str
) -> Iterator[tuple[int, int, list[str]]]:
    """Yield first line, last line and cells of each record."""
    csv.field_size_limit(_LONGEST_CELL)
    reader = csv.reader(lines[skip:], delimiter=delimiter, strict=True)
    count, start = 0, skip + 1
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            last = reader.line_num + skip
            if "end of data" in str(error) or "field larger" in str(error):
                problem = "a quote that opens there is never closed: close or remove it"
            else:
                at = f" (noticed in line {last})" if last > start else ""
                problem = (
                    f"text follows a closing quote{at}: a quote within a cell must be doubled, or a "
                    "quote is missing"
                )
            raise InputError(f"table {file}, line {start}: {problem}") from None
        end = reader.line_num + skip
        yield start, end, row
        start = end + 1
        count += 1
        check_rows(file, count)


def _check_spans(
    file: Path,
    lines: Sequence[str],
    rows: Sequence[tuple[int, int, list[str]]],
    delimiter: str,
) -> None:
    """Refuse a quoted cell that seems to contain whole rows.

    A line within the cell seems to be a row if it has as many delimiters, and if its first cell has
    the form of the others' first cells, such as five digits.
    """
    width = max((len(row) for _, _, row in rows), default=0)
    forms = {_form(row[0]) for start, end, row in rows[1:] if start == end and row}
    for start, end, _ in rows:
        inside = [line for line in lines[start:end] if line.count(delimiter) == width - 1]
        if width > 1 and any(_form(line.partition(delimiter)[0]) in forms for line in inside):
            raise InputError(
                f"table {file}, line {start}: a quoted cell ends in line {end} and contains whole "
                "rows: close the quote where the cell ends"
            )


def _form(cell: str) -> str:
    return re.sub(r"[^\W\d_]", "A", re.sub(r"\d", "9", cell.strip().strip('"')))


def _check_short(
    file: Path, rows: Sequence[tuple[int, list[str]]], names: Collection[str]
) -> list[str]:
    """Refuse a row that a line break divides; return a remark on other rows that are too short."""
    filled = [(line, row) for line, row in rows if any(map(str.strip, row))]
    if not filled:
        return []
    top = headers.find([row for _, row in filled], names)
    width = len(filled[top][1])
    short = [
        (number, line)
        for number, (line, row) in enumerate(filled)
        if number > top and len(row) < width
    ]
    for (first, line), (second, _) in itertools.pairwise(short):
        if second == first + 1 and len(filled[first][1]) + len(filled[second][1]) == width + 1:
            raise InputError(
                f"table {file}, line {line}: a line break divides the row: quote the cell that contains "
                "it, or remove it"
            )
    if not short:
        return []
    return [
        f"{file}: {len(short)} rows have fewer cells than the header (the first in line "
        f"{short[0][1]}); the missing cells count as empty"
    ]
