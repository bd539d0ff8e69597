"""A center's clinical table whose columns are read once, when a cell of them is first needed."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from thyrocast.config.center import CenterConfig
from thyrocast.contract.names import OrderSource, Role
from thyrocast.contract.text import fold
from thyrocast.errors import InputError
from thyrocast.tables import columns, plausible
from thyrocast.tables.columns import CodeColumn, Column, DateColumn, NumberColumn
from thyrocast.tables.headers import tidy
from thyrocast.tables.spreadsheet import Sheet

AnyColumn = TypeVar("AnyColumn", bound=Column)
# Largest number of rows that a message names.
_NAMED_ROWS = 5
# Fewer unreadable cells are the patients' matter, not the column's.
_LEAST = 3
# Last parts of the config keys that name columns of dates.
_DATE_KEYS = {"therapy_date", "birth_date", "date", "death"}


def is_date_key(key: str) -> bool:
    """Return whether a config key names a column of dates, which has nothing else in its cells."""
    return key.rpartition(".")[2] in _DATE_KEYS


class Table:
    """The cells of a center's table, and what they mean.

    Parameters
    ----------
    sheet
        The table as text.
    center
        The center's block of the config.

    Attributes
    ----------
    sheet
        The table as text.
    """

    def __init__(self, sheet: Sheet, center: CenterConfig) -> None:
        self.sheet = sheet
        self._center = center
        self._missing = {fold(text) for text in center.missing} | {""}
        self._texts: dict[str, list[str]] = {}
        self._columns: dict[tuple[str, ...], Column] = {}
        self.keys: dict[str, list[str]] = {}
        for key, header in center.named_columns().items():
            self.keys.setdefault(tidy(header), []).append(key)

    def texts(self, header: str) -> list[str]:
        """Return the cells of a column; "" for an empty one and for "not known"."""
        if header not in self._texts:
            cells = self.sheet.column(header)
            unknown = {cell for cell in set(cells) if fold(cell) in self._missing}
            self._texts[header] = ["" if cell in unknown else cell for cell in cells]
        return self._texts[header]

    def numbers(self, header: str, quantity: str, factor: float) -> NumberColumn:
        """Return a column of numbers.

        Parameters
        ----------
        header
            The center's column.
        quantity
            Our name of the quantity, as in `numbers.RANGES`.
        factor
            Converts the center's unit to ours.
        """
        unit = str(getattr(self._center.units, quantity))
        accepted = quantity in self._center.accept.unusual_values

        def read() -> NumberColumn:
            column = columns.read_numbers(header, quantity, self.texts(header), unit, factor)
            return column if accepted else plausible.without_small_activities(column)

        return self._once(("number", header, quantity), read)

    def dates(self, header: str, birth: bool = False) -> DateColumn:
        """Return a column of dates."""
        column = self._dates(header, birth)
        if column.undecided and column.order is None:
            self._borrow_order(column)
        return column

    def _dates(self, header: str, birth: bool) -> DateColumn:
        order = self._center.date_order
        # Patients who wait for their therapy have a planned date.
        planned = (
            self._center.role is Role.PROSPECTIVE and header == self._center.columns.therapy_date
        )
        return self._once(
            ("date", header),
            lambda: columns.read_dates(header, self.texts(header), order, birth, planned),
        )

    def codes(self, header: str, name: str, read: Callable[[str], Any]) -> CodeColumn:
        """Return a column of codes or words; `read` raises `ValueError` for an unknown one."""
        return self._once(
            ("code", header, name),
            lambda: columns.read_codes(header, name, self.texts(header), read),
        )

    def _once(self, key: tuple[str, ...], read: Callable[[], AnyColumn]) -> AnyColumn:
        if key not in self._columns:
            self._columns[key] = read()
        found: Any = self._columns[key]
        return found  # type: ignore[no-any-return]  # the key says which kind of column it is

    def _borrow_order(self, column: DateColumn) -> None:
        """Take the order of the table's other dates, if they show one and it is possible here."""
        for key, header in self._center.named_columns().items():
            if is_date_key(key):
                self._dates(header, birth=key == "columns.birth_date")
        known = {
            other.order
            for other in self.read()
            if isinstance(other, DateColumn) and other.order_by is OrderSource.COLUMN
        }
        order = known.pop() if len(known) == 1 else None
        if order and column.possible[order] == column.undecided:
            column.order, column.order_by = order, OrderSource.OTHER_COLUMNS
            columns.date_values(column, order)

    def read(self) -> list[Column]:
        """Return the columns that were read so far."""
        return list(self._columns.values())

    def quantity(self, name: str) -> NumberColumn | None:
        """Return the column of a quantity before therapy, if it was read and has 3 numbers."""
        for column in self.read():
            if (
                isinstance(column, NumberColumn)
                and f"columns.{name}" in self.keys.get(tidy(column.header), ())
                and len(column.as_given) >= _LEAST
            ):
                return column
        return None

    def rows(self, positions: Iterable[int]) -> str:
        """Return positions of cells as rows of the file, in words."""
        lines = [self.sheet.lines[position] for position in positions]
        shown = ", ".join(map(str, lines[:_NAMED_ROWS]))
        more = f" and {len(lines) - _NAMED_ROWS} more" if len(lines) > _NAMED_ROWS else ""
        return f"row{'s' if len(lines) > 1 else ''} {shown}{more}"

    def stops(self) -> Iterator[str]:
        """Yield why the columns that were read can't be used as they are; public, quotes no cell."""
        for column in self.read():
            where = f"center {self._center.name}, column {column.header!r}"
            if fault := self._fault(column):
                yield f"{where}: {fault}"
            elif column.filled >= _LEAST and not column.readable and self._is_whole(column):
                first = min(column.problems)
                yield (
                    f"{where}: none of its {column.filled} cells can be read ({self.rows([first])}: "
                    f"{column.problems[first]}), expected {_expected(column)}: correct the config "
                    "or the table, or remove the column from the config"
                )

    def _is_whole(self, column: Column) -> bool:
        """Return whether all cells of a column should be readable as what they were read as."""
        dates = isinstance(column, DateColumn)
        return not dates or any(map(is_date_key, self.keys.get(tidy(column.header), ())))

    def _fault(self, column: Column) -> str:
        """Return why the order of a column's dates or its unit must be configured."""
        if isinstance(column, DateColumn):
            return columns.order_fault(column, self.rows)
        if isinstance(column, NumberColumn):
            accepted = column.name in self._center.accept.unusual_values
            return "" if accepted else plausible.fault(column)
        return ""

    def check(self) -> None:
        """Raise `InputError` with everything that `stops` yields."""
        faults = list(self.stops())
        if faults:
            raise InputError(faults[0] if len(faults) == 1 else "\n".join(["", *faults]))


def _expected(column: Column) -> str:
    if isinstance(column, DateColumn):
        return "dates such as 2020-05-31"
    if isinstance(column, NumberColumn):
        return f"numbers in {column.unit}"
    return "codes of the config"
