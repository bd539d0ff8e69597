"""The cells of one row of a center's table, read as text, number, date or code."""

import datetime
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from thyrocast.contract.text import fold, look_up
from thyrocast.tables.clock import parse_clock, parse_days
from thyrocast.tables.codes import CODES, antithyroid_drug, decode, levothyroxine, names_hormone
from thyrocast.tables.columns import Column
from thyrocast.tables.numbers import Bound
from thyrocast.tables.table import Table


@dataclass(frozen=True)
class Fault:
    """A cell that could not be read, and why; the text never quotes the cell."""

    column: str
    text: str


class Row:
    """Cells of a row by column name; a cell that can't be read counts as missing and adds a fault.

    Parameters
    ----------
    table
        The table.
    position
        The row's position in it, from 0.

    Attributes
    ----------
    faults
        Cells that could not be read so far.
    unreadable_dates
        Columns whose cell is filled but not a date.
    """

    def __init__(self, table: Table, position: int) -> None:
        self._table = table
        self._position = position
        self.faults: list[Fault] = []
        self.unreadable_dates: list[str] = []

    def fault(self, column: str | None, text: str) -> None:
        """Add a fault of a column."""
        found = Fault(str(column), text)
        if found not in self.faults:
            self.faults.append(found)

    def text(self, column: str | None) -> str:
        """Return a cell; "" for a column that the center does not have, and for "not known"."""
        return self._table.texts(column)[self._position] if column else ""

    def number(self, column: str | None, quantity: str, factor: float = 1.0) -> float | None:
        """Return a number in our unit; None, with a fault, if it is not a number or out of range.

        Parameters
        ----------
        column
            The center's column.
        quantity
            Our name of the quantity, as in `numbers.RANGES`.
        factor
            Converts the center's unit to ours. A unit in the cell itself, such as a percent sign,
            applies whatever the unit of the center is.
        """
        if not column:
            return None
        value: float | None = self._value(self._table.numbers(column, quantity, factor))
        return value

    def bound(self, column: str | None, quantity: str, factor: float = 1.0) -> Bound | None:
        """Return whether the number of a cell is a limit, as in ``<0.01``; None if it is not."""
        if not column:
            return None
        return self._table.numbers(column, quantity, factor).bounds.get(self._position)

    def date(self, column: str | None, birth: bool = False) -> datetime.date | None:
        """Return a date; None if the cell is empty, or, with a fault, if it is not a date."""
        if not column:
            return None
        read = self._table.dates(column, birth)
        if read.undecided and read.order is None:  # `Table.stops` says so
            return None
        if self._position in read.problems and column not in self.unreadable_dates:
            self.unreadable_dates.append(column)
        value: datetime.date | None = self._value(read)
        return value

    def clock(self, column: str | None) -> datetime.time | None:
        """Return a time of day; None if the cell is empty, or, with a fault, if it is no time."""
        text = self.text(column)
        if not text:
            return None
        found = parse_clock(text)
        if found is None:
            self.fault(column, "not a time of day, expected one such as 10:30")
        return found

    def days(self, column: str | None) -> frozenset[datetime.date]:
        """Return the dates that a cell with a time of day may state."""
        return parse_days(self.text(column))

    def code(self, column: str | None, name: str, codes: Mapping[str, str | None]) -> str | None:
        """Return our code for a cell; None if not known, or, with a fault, if it is undefined.

        Parameters
        ----------
        column
            The center's column.
        name
            Our column, as in `codes.CODES`.
        codes
            The center's codes and ours.
        """
        expected = f"expected one of {', '.join(CODES[name])} or of codes.{name}"
        value: str | None = self.word(
            column, name, lambda text: decode(name, text, codes), expected
        )
        return value

    def takes_drug(self, column: str | None, codes: Mapping[str, str | None]) -> bool | None:
        """Return whether antithyroid drugs are taken; None, with a fault, if the cell is unclear.

        Parameters
        ----------
        column
            The center's column.
        codes
            The center's codes of ``antithyroid_drug`` and ours.
        """
        if not self.text(column):
            return antithyroid_drug("", codes)
        expected = (
            "expected yes, no, a dose, the name of a drug, or a code of codes.antithyroid_drug"
        )

        def read(text: str) -> bool:
            try:
                return antithyroid_drug(text, codes)
            except ValueError:
                raise ValueError("not understood") from None

        value: bool | None = self.word(column, "drug", read, expected)
        return value

    def word(
        self, column: str | None, name: str, read: Callable[[str], Any], expected: str = ""
    ) -> Any:
        """Return what a word means; None if the cell is empty, or, with a fault, if it is unclear.

        Parameters
        ----------
        column
            The center's column.
        name
            Our name of what the words mean.
        read
            Returns the meaning of a cell, or raises `ValueError`.
        expected
            What was expected, for the fault.
        """
        if not column:
            return None
        return self._value(self._table.codes(column, name, read), expected)

    def takes_levothyroxine(
        self, column: str | None, codes: Mapping[str, str | None]
    ) -> bool | None:
        """Return whether levothyroxine is taken; None, with a fault, if the cell is unclear.

        Parameters
        ----------
        column
            The center's column.
        codes
            The center's codes of ``levothyroxine`` and ours.
        """
        if not self.text(column):
            return levothyroxine("", codes)

        def read(text: str) -> bool | None:
            try:
                return levothyroxine(text, codes)
            except ValueError:
                raise ValueError("not understood") from None

        expected = (
            "expected yes, no, a dose, the name of a hormone, or a code of codes.levothyroxine"
        )
        value: bool | None = self.word(column, "levothyroxine", read, expected)
        return value

    def names_hormone(self, column: str | None) -> bool:
        """Return whether a cell names a thyroid hormone."""
        return names_hormone(self.text(column))

    def _value(self, column: Column, expected: str = "") -> Any:
        problem = column.problems.get(self._position)
        if problem:
            self.fault(column.header, ", ".join(filter(None, (problem, expected))))
        return column.values[self._position]


def words(meanings: Mapping[str, Any], problem: str) -> Callable[[str], Any]:
    """Return a reader of the words in a mapping; case does not matter."""
    table = {fold(theirs): ours for theirs, ours in meanings.items()}

    def read(text: str) -> Any:
        try:
            return look_up(table, fold(text))
        except KeyError:
            raise ValueError(problem) from None

    return read
