"""Reading a center's own table (CSV, TSV or XLSX) as text, whatever program wrote it.

Standard library only: the launcher reads who is in the study from these tables when the workflow
is parsed, the registration reads the same cells with the same code. Nothing in a table is
executed: formulas count by their stored value, and an archive that claims too much is refused.
"""

import csv
import datetime
import io
import re
import unicodedata
import zipfile
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from thyrocast.errors import InputError

MAX_BYTES = 512 * 2**20
MAX_ROWS = 1_000_000
_XLSX = {
    "m": "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
    "r": "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
    "p": "http://schemas.openxmlformats.org/package/2006/relationships",
}
# ECMA-376 part 1, 18.8.30: the built-in number formats that show a date or time.
_DATE_FORMATS = {*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)}


@dataclass(frozen=True)
class Table:
    """A center's table: every cell as stripped text, rows as long as the header."""

    header: list[str]
    rows: list[list[str]]
    # Line (CSV) or row (XLSX) of each of ``rows`` in the file, counted from 1, for messages.
    lines: list[int]

    def column(self, name: str) -> list[str]:
        """The cells of one column; `KeyError` if there is none of that name."""
        try:
            at = self.header.index(name)
        except ValueError:
            raise KeyError(name) from None
        return [row[at] for row in self.rows]


def read_table(path: str | Path, sheet: str | None = None, encoding: str | None = None) -> Table:
    """Read a table, its first row that is not empty being the header.

    Parameters
    ----------
    path
        ``.xlsx``/``.xlsm`` are read as workbooks, everything else as delimited text, whose
        encoding (UTF-8, UTF-16, else Windows-1252) and delimiter (``, ; tab |``) are detected.
    sheet
        Name of the worksheet; the first one where none is given.
    encoding
        Encoding of a text that is neither UTF-8 nor UTF-16.

    Raises
    ------
    InputError
        If the file can't be read as a table, is too large, or has two columns of one name.
    """
    file = Path(path)
    try:
        size = file.stat().st_size
    except OSError as error:
        raise InputError(f"table {file} can't be read: {error.strerror}") from error
    if size > MAX_BYTES:
        raise InputError(f"table {file} has {size:,} bytes, expected at most {MAX_BYTES:,}")
    workbook = file.suffix.lower() in {".xlsx", ".xlsm"}
    try:
        numbered = _workbook_rows(file, sheet) if workbook else _text_rows(file, encoding)
    except InputError:
        raise
    except (
        OSError,
        zipfile.BadZipFile,
        ElementTree.ParseError,
        LookupError,
        ValueError,
        csv.Error,
    ) as error:
        # Not the error's own words: they may quote a cell.
        raise InputError(
            f"table {file} is not a readable {'workbook' if workbook else 'text table'} "
            f"({type(error).__name__}): export it anew as CSV or XLSX"
        ) from None
    return _shape(file, numbered)


def _shape(file: Path, numbered: list[tuple[int, list[str]]]) -> Table:
    filled = [
        (line, [c.strip() for c in row]) for line, row in numbered if any(map(str.strip, row))
    ]
    if not filled:
        raise InputError(f"table {file} is empty, expected a header and one row per patient")
    # Macs write accents apart, and a line may break within a name.
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
                "quote the text that holds the delimiter"
            )
        rows.append((row + [""] * width)[:width])
        lines.append(line)
    return Table(header, rows, lines)


def _text_rows(file: Path, encoding: str | None) -> list[tuple[int, list[str]]]:
    data = file.read_bytes()
    _check_rows(file, data.count(b"\n") // 4)  # a cell may hold some lines
    marked = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    if b"\0" in data[:4096] and not marked:
        raise InputError(f"table {file} is a binary file, expected CSV, TSV or XLSX")
    if marked:
        text = data.decode("utf-16", errors="replace")
    else:
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = data.decode(encoding or "cp1252", errors="replace")
    # Excel heeds, and some programs write, a first line that only names the delimiter.
    said = re.match(r'"?sep=([,;\t|])"?\r?\n', text)
    # The first line to its end, which is none within quotes.
    line = re.match(r'(?:[^"\r\n]|"[^"]*")*', text.lstrip())
    bare = re.sub(r'"[^"]*"', "", line[0] if line else "")
    delimiter = said[1] if said else max(",;\t|", key=bare.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    if said:
        next(reader)
    rows: list[tuple[int, list[str]]] = []
    for row in reader:
        rows.append((reader.line_num, row))
        _check_rows(file, len(rows))
    return rows


def _check_rows(file: Path, count: int) -> None:
    if count > MAX_ROWS:
        raise InputError(f"table {file} has more than {MAX_ROWS:,} rows, expected one per patient")


def _workbook_rows(file: Path, sheet: str | None) -> list[tuple[int, list[str]]]:
    with zipfile.ZipFile(file) as archive:
        claimed = sum(entry.file_size for entry in archive.infolist())
        if claimed > MAX_BYTES:
            raise InputError(
                f"table {file} unpacks to {claimed:,} bytes, expected at most {MAX_BYTES:,}"
            )
        target, epoch = _find_sheet(file, archive, sheet)
        strings = _shared_strings(archive)
        dates = _date_styles(archive)
        rows: list[tuple[int, list[str]]] = []
        _refuse_entities(archive, target)
        with archive.open(target) as stream:
            for _, element in ElementTree.iterparse(stream):  # noqa: S314 - without entities
                if element.tag != f"{{{_XLSX['m']}}}row":
                    continue
                number = int(element.get("r") or (rows[-1][0] + 1 if rows else 1))
                cells: list[str] = []
                for cell in element.iterfind("m:c", _XLSX):
                    at = _column_index(cell.get("r")) if cell.get("r") else len(cells)
                    if at > 16_384:
                        raise InputError(f"table {file}, row {number} has a cell beyond column XFD")
                    cells.extend([""] * (at + 1 - len(cells)))
                    cells[at] = _cell_text(cell, strings, dates, epoch)
                rows.append((number, cells))
                element.clear()
                _check_rows(file, len(rows))
        return rows


def _refuse_entities(archive: zipfile.ZipFile, name: str) -> None:
    """A workbook's parts declare no document type; one that does may hold an entity bomb."""
    with archive.open(name) as stream:
        if b"<!DOCTYPE" in stream.read(4096).upper():
            raise InputError(
                f"table {archive.filename} declares XML entities, which no workbook does"
            )


def _parse(archive: zipfile.ZipFile, name: str) -> ElementTree.Element:
    _refuse_entities(archive, name)
    return ElementTree.fromstring(archive.read(name))  # noqa: S314 - without entities


def _find_sheet(
    file: Path, archive: zipfile.ZipFile, sheet: str | None
) -> tuple[str, datetime.datetime]:
    book = _parse(archive, "xl/workbook.xml")
    names = {
        s.get("name", ""): s.get(f"{{{_XLSX['r']}}}id") for s in book.iterfind(".//m:sheet", _XLSX)
    }
    if not names or (sheet is not None and sheet not in names):
        raise InputError(
            f"table {file} has no worksheet {sheet!r}, only {', '.join(names) or 'none'}"
        )
    wanted = names[sheet] if sheet is not None else next(iter(names.values()))
    relations = _parse(archive, "xl/_rels/workbook.xml.rels")
    targets = {
        r.get("Id"): r.get("Target", "") for r in relations.iterfind("p:Relationship", _XLSX)
    }
    target = targets[wanted]
    properties = book.find("m:workbookPr", _XLSX)
    from_1904 = properties is not None and properties.get("date1904") in {"1", "true"}
    epoch = datetime.datetime(1904, 1, 1) if from_1904 else datetime.datetime(1899, 12, 30)
    return (target.lstrip("/") if target.startswith("/") else f"xl/{target}"), epoch


def _shared_strings(archive: zipfile.ZipFile) -> list[str]:
    if "xl/sharedStrings.xml" not in archive.namelist():
        return []
    root = _parse(archive, "xl/sharedStrings.xml")
    return [_text_of(item) for item in root.iterfind("m:si", _XLSX)]


def _text_of(item: ElementTree.Element) -> str:
    # Runs of rich text join; phonetic hints (rPh) are no part of the text.
    direct = item.findall("m:t", _XLSX) + item.findall("m:r/m:t", _XLSX)
    return "".join(part.text or "" for part in direct)


def _date_styles(archive: zipfile.ZipFile) -> set[int]:
    if "xl/styles.xml" not in archive.namelist():
        return set()
    root = _parse(archive, "xl/styles.xml")
    dates = set(_DATE_FORMATS)
    for form in root.iterfind("m:numFmts/m:numFmt", _XLSX):
        code = re.sub(r'"[^"]*"|\[[^\]]*\]|\\.', "", form.get("formatCode", ""))
        if re.search(r"[dmyhs]", code, re.IGNORECASE) and "general" not in code.lower():
            dates.add(int(form.get("numFmtId", "-1")))
    formats = root.iterfind("m:cellXfs/m:xf", _XLSX)
    return {at for at, xf in enumerate(formats) if int(xf.get("numFmtId", "0")) in dates}


def _column_index(reference: str | None) -> int:
    index = 0
    for letter in re.match(r"[A-Z]{1,4}", reference or "A")[0]:  # type: ignore[index]
        index = index * 26 + ord(letter) - 64
    return index - 1


def _cell_text(
    cell: ElementTree.Element, strings: list[str], dates: set[int], epoch: datetime.datetime
) -> str:
    kind = cell.get("t", "n")
    if kind == "inlineStr":
        inline = cell.find("m:is", _XLSX)
        return _text_of(inline) if inline is not None else ""
    value = cell.find("m:v", _XLSX)
    text = (value.text or "") if value is not None else ""
    if kind == "s":
        at = int(text)
        return strings[at] if 0 <= at < len(strings) else ""
    if kind == "e":  # an error such as #DIV/0! is no value
        return ""
    if kind == "n" and text:
        if int(cell.get("s", "0")) in dates:
            return _date_text(text, epoch)
        number = float(text)
        # Excel stores 0.1 + 0.2 as it computes it; people mean what 15 digits show.
        return str(int(number)) if number.is_integer() and abs(number) < 1e15 else f"{number:.15g}"
    return text


def _date_text(serial: str, epoch: datetime.datetime) -> str:
    try:
        moment = epoch + datetime.timedelta(days=float(serial))
    except (OverflowError, ValueError):
        return serial
    moment = (moment + datetime.timedelta(microseconds=500_000)).replace(microsecond=0)
    return moment.date().isoformat() if moment.time() == datetime.time() else moment.isoformat(" ")
