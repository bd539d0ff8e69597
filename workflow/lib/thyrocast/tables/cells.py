"""The cells of one row of a center's table, read as text, number, date or code."""

import datetime
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from thyrocast.contract.text import fold
from thyrocast.tables.codes import CODES, antithyroid_drug, decode, levothyroxine, names_hormone
from thyrocast.tables.dates import parse_date
from thyrocast.tables.numbers import RANGES, parse_number
from thyrocast.tables.units import UNITS

TSH_UNIT = "mIU/L"


@dataclass(frozen=True)
class Fault:
    """A cell that could not be read, and why; the text never quotes the cell."""

    column: str
    text: str


class Row:
    """Cells of a row by column name; a cell that can't be read counts as missing and adds a fault.

    Parameters
    ----------
    cells
        Column to text.
    missing
        Folded texts that mean "not known".
    date_order
        Order of day, month and year in dates that are not ISO, such as ``dmy``.

    Attributes
    ----------
    faults
        Cells that could not be read so far.
    """

    def __init__(self, cells: Mapping[str, str], missing: Collection[str], date_order: str) -> None:
        self._cells = cells
        self._missing = missing
        self._date_order = date_order
        self.faults: list[Fault] = []

    def fault(self, column: str | None, text: str) -> None:
        """Add a fault of a column."""
        self.faults.append(Fault(str(column), text))

    def text(self, column: str | None) -> str:
        """Return a cell; "" for a column that the center does not have, and for "not known"."""
        value = self._cells.get(column, "") if column else ""
        return "" if fold(value) in self._missing else value

    def number(self, column: str | None, quantity: str, factor: float = 1.0) -> float | None:
        """Return a number in our unit; None, with a fault, if it is not a number or out of range.

        Parameters
        ----------
        column
            The center's column.
        quantity
            Our name of the quantity, as in `numbers.RANGES`.
        factor
            Converts the center's unit to ours. A cell with a percent sign is in percent, for any
            unit of the center.
        """
        text = self.text(column)
        if not text:
            return None
        unit = UNITS.get(quantity, TSH_UNIT)
        if text.endswith("%"):
            if unit != "percent":
                self.fault(column, f"a percentage, expected {unit}")
                return None
            text, factor = text.removesuffix("%"), 1.0
        try:
            value = parse_number(text) * factor
        except ValueError as error:
            self.fault(column, str(error))
            return None
        low, high = RANGES[quantity]
        if not low <= value <= high:
            self.fault(column, f"outside {low:g} to {high:g} {unit}")
            return None
        return value

    def date(self, column: str | None) -> datetime.date | None:
        """Return a date; None if the cell is empty, or, with a fault, if it is not a date."""
        text = self.text(column)
        if not text:
            return None
        try:
            return parse_date(text, self._date_order)
        except ValueError:
            self.fault(column, "not a date")
            return None

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
        text = self.text(column)
        if not text:
            return None
        try:
            return decode(name, text, codes)
        except ValueError as error:
            expected = f"expected one of {', '.join(CODES[name])} or of codes.{name}"
            self.fault(column, f"{error}, {expected}")
            return None

    def takes_drug(self, column: str | None, codes: Mapping[str, str | None]) -> bool | None:
        """Return whether antithyroid drugs are taken; None, with a fault, if the cell is unclear.

        Parameters
        ----------
        column
            The center's column.
        codes
            The center's codes of ``antithyroid_drug`` and ours.
        """
        try:
            return antithyroid_drug(self.text(column), codes)
        except ValueError:
            expected = "yes, no, a dose, the name of a drug, or a code of codes.antithyroid_drug"
            self.fault(column, f"not understood, expected {expected}")
            return None

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
        try:
            return levothyroxine(self.text(column), codes)
        except ValueError:
            expected = "yes, no, a dose, the name of a hormone, or a code of codes.levothyroxine"
            self.fault(column, f"not understood, expected {expected}")
            return None

    def names_hormone(self, column: str | None) -> bool:
        """Return whether a cell names a thyroid hormone."""
        return names_hormone(self.text(column))
