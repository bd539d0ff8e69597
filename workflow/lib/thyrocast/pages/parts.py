"""Parts that every section is made of: cells, tables and figures."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from thyrocast.contract.names import Status
from thyrocast.pages import numbers


@dataclass(frozen=True)
class Cell:
    """A cell of a table.

    Attributes
    ----------
    text, detail
        Content, and smaller text below it.
    number
        Whether digits are aligned.
    picture
        Data URL of a small picture above the text.
    """

    text: str
    detail: str = ""
    number: bool = True
    picture: str = ""


@dataclass(frozen=True)
class Grid:
    """A table of the page; the first cell of every row is the row's header."""

    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    note: str = ""


@dataclass(frozen=True)
class Key:
    """An entry of a legend.

    Attributes
    ----------
    color
        Name in the palette.
    dashes
        SVG dash pattern; empty for a solid line.
    label, value
        Text, and a value in bold after it.
    shape
        ``line``, ``circle``, ``triangle`` or ``square``.
    """

    color: str
    dashes: str
    label: str
    value: str = ""
    shape: str = "line"


@dataclass(frozen=True)
class Panel:
    """A figure on the page with its legend."""

    title: str
    svg: str
    legend: Sequence[Key] = ()
    note: str = ""


def label(text: str, detail: str = "") -> Cell:
    """A cell of words."""
    return Cell(text, detail, number=False)


def estimate(value: object, low: object = None, high: object = None, digits: int = 2) -> Cell:
    """A cell with an estimate and its interval below."""
    return Cell(numbers.number(value, digits), numbers.interval(low, high, digits))


def result(row: "Mapping[Hashable, Any] | pd.Series[Any] | None") -> Cell:
    """A cell with an estimate and its interval, or why there is none.

    Parameters
    ----------
    row
        With estimate, ci_low, ci_high, status and note; None if there is no such row.
    """
    if row is None:
        return Cell(numbers.MISSING)
    if numbers.is_number(row["estimate"]):
        return estimate(row["estimate"], row["ci_low"], row["ci_high"])
    if row["status"] == Status.SUPPRESSED:
        reason = "not shown"
    else:
        reason = f"not estimable: {row['note']}" if row["note"] else "not estimable"
    return Cell(numbers.MISSING, reason, number=False)


def sizes(row: "Mapping[Hashable, Any] | pd.Series[Any] | None") -> Cell:
    """A cell with the numbers of patients and of cured patients (``n``, ``events``)."""
    if row is None or not numbers.is_number(row["n"]):
        return Cell(numbers.MISSING)
    return Cell(numbers.count(row["n"]), f"{numbers.count(row['events'])} cured")


def first_rows(rows: pd.DataFrame, *key: str) -> dict[tuple[str, ...], dict[Hashable, Any]]:
    """The first row for each value of the key: the headline of results of several kinds."""
    records = rows.drop_duplicates(list(key)).to_dict("records")
    return {tuple(str(row[name]) for name in key): row for row in records}


def suppression_note(rows: pd.DataFrame) -> str:
    """Say why results are not shown; empty if all are.

    Parameters
    ----------
    rows
        Rows of performance.csv in a table.
    """
    if not (rows["status"] == Status.SUPPRESSED).any():
        return ""
    return (
        "Not shown: the group has too few patients, or a group with too few patients could be derived "
        "from it."
    )
