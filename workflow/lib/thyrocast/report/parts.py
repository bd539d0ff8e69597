"""Pieces that every section is made of: table cells and tables."""

from collections.abc import Sequence
from dataclasses import dataclass

from thyrocast.report import words


@dataclass(frozen=True)
class Cell:
    """A table's cell: what it says, and in smaller print what qualifies it."""

    text: str
    detail: str = ""
    number: bool = True


@dataclass(frozen=True)
class Grid:
    """A table; the first cell of every row is the row's header."""

    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    note: str = ""


def label(text: object, detail: str = "") -> Cell:
    """A cell of words."""
    return Cell(str(text), detail, number=False)


def estimate(value: object, low: object = None, high: object = None, digits: int = 2) -> Cell:
    """A cell of an estimate with its interval below."""
    return Cell(words.number(value, digits), words.interval(low, high, digits))
