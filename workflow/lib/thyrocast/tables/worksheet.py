"""What a worksheet hides and merges, from its XML; openpyxl does not show it while it streams."""

import re
import zipfile
from dataclasses import dataclass, field
from xml.etree import ElementTree

_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_ROW = re.compile(rb"<(?:\w+:)?row\b[^>]*>")
_COLUMN = re.compile(rb"<(?:\w+:)?col\b[^>]*>")
_MERGED = re.compile(rb"<(?:\w+:)?mergeCell\b[^>]*\bref=\"([A-Z]+)(\d+):([A-Z]+)(\d+)\"")
_HIDDEN = re.compile(rb"\bhidden=\"(?:1|true)\"")
_NUMBER = {name: re.compile(rb"\b" + name + rb"=\"(\d+)\"") for name in (b"r", b"min", b"max")}
# Columns of a worksheet; a hidden range may reach to the last one.
_COLUMNS = 16_384


@dataclass
class Looks:
    """What a reader of the worksheet does not see.

    Attributes
    ----------
    rows
        Numbers of hidden rows, from 1.
    columns
        Numbers of hidden columns, from 0.
    merged
        Merged areas that are one column wide: column from 0, first and last row from 1.
    wide
        Number of merged areas that are several columns wide.
    """

    rows: set[int] = field(default_factory=set)
    columns: set[int] = field(default_factory=set)
    merged: list[tuple[int, int, int]] = field(default_factory=list)
    wide: int = 0


def part_of(archive: zipfile.ZipFile, title: str) -> str | None:
    """Return the part of a workbook that contains the worksheet of a title; None if not found.

    Document types were refused before, so the XML contains no entities.
    """
    book = ElementTree.fromstring(archive.read("xl/workbook.xml"))  # noqa: S314 - see above
    links = ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))  # noqa: S314 - see above
    targets = {link.get("Id"): str(link.get("Target")) for link in links}
    for element in book.iter():
        if element.tag.endswith("}sheet") and element.get("name") == title:
            target = targets.get(element.get(_RELATION), "")
            path = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
            return path if path in archive.namelist() else None
    return None


def looks(xml: bytes) -> Looks:
    """Return what a worksheet hides and merges."""
    found = Looks()
    number = 0
    for tag in _ROW.findall(xml):
        match = _NUMBER[b"r"].search(tag)
        number = int(match[1]) if match else number + 1
        if _HIDDEN.search(tag):
            found.rows.add(number)
    for tag in _COLUMN.findall(xml):
        low, high = _NUMBER[b"min"].search(tag), _NUMBER[b"max"].search(tag)
        if _HIDDEN.search(tag) and low and high:
            found.columns |= set(range(int(low[1]) - 1, min(int(high[1]), _COLUMNS)))
    for left, top, right, bottom in _MERGED.findall(xml):
        if left == right:
            found.merged.append((_position(left), int(top), int(bottom)))
        else:
            found.wide += 1
    return found


def _position(letters: bytes) -> int:
    """Return the number of a column from its letters, from 0."""
    number = 0
    for letter in letters:
        number = number * 26 + letter - ord("A") + 1
    return number - 1
