"""Read a whole column of a center's table: its values, and the evidence for how it was read.

The decimal mark of a number and the order of a date can often not be decided from one cell, but
from its column.
"""

import collections
import datetime
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from thyrocast.contract.names import ColumnKind, OrderSource
from thyrocast.contract.text import fold
from thyrocast.tables import dates, numbers
from thyrocast.tables.codes import NO, YES
from thyrocast.tables.exact import Exact
from thyrocast.tables.numbers import RANGES, Bound, Mark, Number
from thyrocast.tables.units import UNITS, convert

Value = TypeVar("Value")
# Share of a column's dates that may contradict its order: a few cells are typing errors, more
# are another order, and then dates that are possible in both may be wrong as well.
_TYPING_ERRORS = 0.1


@dataclass
class Column:
    """A column whose cells were read.

    Attributes
    ----------
    header
        Name in the center's table.
    name
        Our name of the quantity or of the codes; "" for a date.
    kind
        What its cells were read as.
    texts
        The cells; "" for an empty one and for one that means "not known".
    values
        What each cell means; None for an empty and for an unreadable one.
    problems
        Why a cell is unreadable, by its position in the column.
    """

    header: str
    name: str
    kind: ColumnKind
    texts: Sequence[str]
    values: list[Any] = field(default_factory=list)
    problems: dict[int, str] = field(default_factory=dict)

    @property
    def filled(self) -> int:
        """Number of cells that are not empty."""
        return sum(map(bool, self.texts))

    @property
    def readable(self) -> int:
        """Number of cells that could be read."""
        return self.filled - len(self.problems)


@dataclass
class NumberColumn(Column):
    """A column of numbers, in our unit.

    Attributes
    ----------
    unit, factor
        The center's unit, and the factor that converts it to ours.
    mark
        Decimal mark of the column, if its cells show it.
    raw
        The numbers before they are compared with the physiological range, by position.
    as_given
        Those of them whose cell has no unit, in the center's unit.
    bounds
        Cells that are a limit, by position.
    cell_units
        How many cells have a unit, by unit.
    """

    unit: str = ""
    factor: float = 1.0
    mark: Mark | None = None
    raw: dict[int, float] = field(default_factory=dict)
    as_given: dict[int, float] = field(default_factory=dict)
    bounds: dict[int, Bound] = field(default_factory=dict)
    cell_units: collections.Counter[str] = field(default_factory=collections.Counter)


@dataclass
class DateColumn(Column):
    """A column of dates.

    Attributes
    ----------
    order, order_by
        Order of day, month and year, and how it is known; None if no cell needs it, or if it is
        not known.
    possible
        How many of the cells that need an order are a date in each.
    undecided
        Number of cells that need an order.
    both
        How many of them are a date in more than one.
    contradicting
        Positions of cells that are a date, but not in the order of the column.
    dotted
        Whether all cells that need an order have points between the parts.
    words
        Number of cells that are yes or no.
    birth, planned
        Whether they are birth dates, and whether they may be in the future.
    """

    order: str | None = None
    order_by: OrderSource | None = None
    possible: dict[str, int] = field(default_factory=dict)
    undecided: int = 0
    both: int = 0
    contradicting: list[int] = field(default_factory=list)
    dotted: bool = False
    words: int = 0
    birth: bool = False
    planned: bool = False

    @property
    def readable(self) -> int:
        """Number of cells that could be read."""
        return self.filled - len(self.problems) + self.words


@dataclass
class CodeColumn(Column):
    """A column of codes or words; the values are our codes, and None is "not known"."""


def _each(texts: Iterable[str], read: Callable[[str], Value]) -> dict[str, Value | ValueError]:
    """Read each distinct cell that is not empty once."""
    found: dict[str, Value | ValueError] = {}
    for text in texts:
        if text and text not in found:
            try:
                found[text] = read(text)
            except ValueError as error:
                found[text] = error
    return found


def read_codes(
    header: str, name: str, texts: Sequence[str], read: Callable[[str], Any]
) -> CodeColumn:
    """Read a column of codes.

    Parameters
    ----------
    header, name
        The center's and our name of the column.
    texts
        Its cells.
    read
        Returns what a cell means, or raises `ValueError`.
    """
    column = CodeColumn(header, name, ColumnKind.CODE, texts)
    meaning = _each(texts, read)
    for position, text in enumerate(texts):
        found = meaning.get(text)
        if isinstance(found, ValueError):
            column.problems[position] = str(found)
            found = None
        column.values.append(found)
    return column


def read_numbers(
    header: str, quantity: str, texts: Sequence[str], unit: str, factor: float
) -> NumberColumn:
    """Read a column of numbers.

    A unit in a cell applies to that cell, whatever the unit of the column is.

    Parameters
    ----------
    header
        The center's name of the column.
    quantity
        Our name of the quantity, as in `numbers.RANGES`.
    texts
        Its cells.
    unit, factor
        The center's unit, and the factor that converts it to ours.
    """
    column = NumberColumn(header, quantity, ColumnKind.NUMBER, texts, unit=unit, factor=factor)
    read = _each(texts, numbers.parse_number)
    column.mark = numbers.decimal_mark(
        found
        for text, found in read.items()
        if isinstance(found, Number) and not isinstance(text, Exact)
    )
    for position, text in enumerate(texts):
        column.values.append(None)
        found = read.get(text)
        if found is None:
            continue
        try:
            if isinstance(found, ValueError):
                raise found
            column.values[position] = _value(column, position, found, isinstance(text, Exact))
        except ValueError as error:
            column.problems[position] = str(error)
    return column


def _value(column: NumberColumn, position: int, number: Number, exact: bool) -> float:
    """Return a number in our unit, and note how it was read."""
    ours = UNITS[column.name]
    factor = column.factor
    if number.unit:
        converted = convert(column.name, number.unit)
        if converted is None and number.unit == "%":
            raise ValueError(f"a percentage, expected {ours}")
        if converted is None:
            raise ValueError(f"not a number, or its unit can't be converted to {ours}")
        factor = converted
        column.cell_units[number.unit] += 1
    low, high = RANGES[column.name]
    value = number.value
    if not exact:
        value = numbers.resolve(number, column.mark, low / factor, high / factor)
    if number.bound:
        column.bounds[position] = number.bound
    if not number.unit:
        column.as_given[position] = value
    value *= factor
    column.raw[position] = value
    if not low <= value <= high:
        raise ValueError(f"outside {low:g} to {high:g} {ours}")
    return value


def read_dates(
    header: str,
    texts: Sequence[str],
    configured: str | None,
    birth: bool = False,
    planned: bool = False,
) -> DateColumn:
    """Read a column of dates, in the order that the config or the column itself gives.

    The dates of a column whose order is not known are read by `date_values` when it is.

    Parameters
    ----------
    header
        The center's name of the column.
    texts
        Its cells.
    configured
        Order of day, month and year in the config; None if it is not configured.
    birth
        Whether they are birth dates.
    planned
        Whether they may be planned dates, in the future.
    """
    column = DateColumn(header, "", ColumnKind.DATE, texts, birth=birth, planned=planned)
    orders = {}
    for position, text in enumerate(texts):
        if text and (found := dates.possible_orders(text, birth, planned)):
            orders[position] = found
    column.undecided = len(orders)
    column.possible = {
        order: sum(order in found for found in orders.values()) for order in dates.ORDERS
    }
    column.both = sum(len(found) > 1 for found in orders.values())
    column.dotted = bool(orders) and all(dates.has_dots(texts[position]) for position in orders)
    if orders:
        column.order, column.order_by = _order(column, configured)
    if column.order or not orders:
        date_values(column, column.order or dates.ORDERS[0])
        column.contradicting = [
            position for position, found in orders.items() if column.order not in found
        ]
    return column


def _order(column: DateColumn, configured: str | None) -> tuple[str | None, OrderSource | None]:
    if configured:
        return configured, OrderSource.CONFIG
    fitting = [order for order, count in column.possible.items() if count == column.undecided]
    if len(fitting) == 1:
        return fitting[0], OrderSource.COLUMN
    if column.dotted and (not fitting or "dmy" in fitting) and _mostly(column, "dmy"):
        return "dmy", OrderSource.POINTS
    best = max(dates.ORDERS, key=lambda order: column.possible[order])
    if not fitting and _mostly(column, best):
        return best, OrderSource.COLUMN
    return None, None


def _mostly(column: DateColumn, order: str) -> bool:
    return column.possible[order] >= (1 - _TYPING_ERRORS) * column.undecided


def date_values(column: DateColumn, order: str) -> None:
    """Read the cells of a column in an order."""

    def read(text: str) -> datetime.date | None:
        return (
            None
            if fold(text) in YES | NO
            else dates.parse_date(text, order, column.birth, column.planned)
        )

    meaning: Mapping[str, Any] = _each(column.texts, read)
    column.values, column.problems, column.words = [], {}, 0
    for position, text in enumerate(column.texts):
        found = meaning.get(text)
        if text and found is None:
            column.words += 1
            column.problems[position] = "not a date"
        elif isinstance(found, ValueError):
            column.problems[position] = str(found)
            found = None
        column.values.append(found)


def order_fault(column: DateColumn, rows: Callable[[Iterable[int]], str]) -> str:
    """Return what is wrong with the order of a column's dates; "" if nothing is.

    Parameters
    ----------
    column
        A column as `read_dates` returns it.
    rows
        Writes positions of cells as rows of the table.
    """
    if not column.undecided:
        return ""
    fitting = [order for order, count in column.possible.items() if count == column.undecided]
    if column.order_by is OrderSource.CONFIG:
        if not column.contradicting:
            return ""
        wrong = (
            f"{len(column.contradicting)} of {column.undecided} dates are not dates in the order "
        )
        where = f"{wrong}{column.order} of the config ({rows(column.contradicting)})"
        if fitting:
            return (
                f"{where}, but all are in the order {fitting[0]}: set date_order: {fitting[0]}, or "
                "remove the key if other columns have another order"
            )
        if _mostly(column, str(column.order)):
            return ""
        return f"{where}, and in no other order all are: write the dates as 2020-05-31"
    if column.order:
        return ""
    if fitting:
        return (
            f"no date shows whether the order is {' or '.join(fitting)}: set date_order to the "
            "right one"
        )
    return "its dates are in different orders: write them as 2020-05-31"
