"""Declarations of the tables and files of a run: path, columns, key and meaning.

Standard library only, so that Snakemake can import it when it parses the workflow.
`thyrocast.contract.io`, which reads and writes declared tables, imports pandas and pandera.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from typing import Any


class Kind(Enum):
    """Type of a column, in words for messages and docs."""

    TEXT = "text"
    INTEGER = "a whole number"
    NUMBER = "a number"
    FLAG = "1 or 0"


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes
    ----------
    name
        As in the header.
    kind
        In memory: text is ``str``, a whole number ``int64``, a number ``float64``, a flag ``bool``;
        with `missing`, a whole number is ``Int64`` and a flag ``boolean``.
    meaning
        One sentence for the documentation.
    unit
        Unit of a number; empty where it has none.
    allowed
        The values that a text may have; if empty, any text.
    low, high
        Bounds of a number, included.
    missing
        Whether cells may be missing (empty in the file). Text that may not be missing may still
        be empty: it is "" in memory.
    """

    name: str
    kind: Kind
    meaning: str
    unit: str = ""
    allowed: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    missing: bool = False

    @property
    def expected(self) -> str:
        """Description of a valid cell, for messages."""
        if self.allowed:
            return f"one of {', '.join(self.allowed)}"
        words = self.kind.value
        if self.low is not None and self.high is not None:
            words += f" from {self.low:g} to {self.high:g}"
        elif self.low is not None:
            words += f" of at least {self.low:g}"
        elif self.high is not None:
            words += f" of at most {self.high:g}"
        return words


def text(
    name: str, meaning: str, allowed: type[StrEnum] | Sequence[str] = (), *, missing: bool = False
) -> Column:
    """Declare a column of text; `allowed` lists its values where they are fixed."""
    values = tuple(str(value) for value in allowed)
    return Column(name, Kind.TEXT, meaning, allowed=values, missing=missing)


def integer(
    name: str,
    meaning: str,
    unit: str = "",
    *,
    low: float | None = None,
    high: float | None = None,
    missing: bool = False,
) -> Column:
    """Declare a column of whole numbers."""
    return Column(name, Kind.INTEGER, meaning, unit, (), low, high, missing)


def number(
    name: str,
    meaning: str,
    unit: str = "",
    *,
    low: float | None = None,
    high: float | None = None,
    missing: bool = False,
) -> Column:
    """Declare a column of finite numbers."""
    return Column(name, Kind.NUMBER, meaning, unit, (), low, high, missing)


def flag(name: str, meaning: str, *, missing: bool = False) -> Column:
    """Declare a column of yes (1) and no (0)."""
    return Column(name, Kind.FLAG, meaning, missing=missing)


@dataclass(frozen=True)
class Table:
    """A table that a run writes.

    Attributes
    ----------
    path
        Below ``results/{study}/``, or below the private folder; parts in braces vary.
    meaning
        One or two sentences for the documentation.
    columns
        In the order of the file.
    key
        Columns that together identify a row; none if rows may repeat.
    private
        Whether the file may identify patients: it is readable by its owner alone and stays in the
        private folder.
    digits
        Significant digits of written numbers; None for as many as are needed to read the same
        number again.
    """

    path: str
    meaning: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    private: bool = False
    digits: int | None = 12
    _by_name: dict[str, Column] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_name", {column.name: column for column in self.columns})
        unknown = set(self.key) - set(self._by_name)
        if unknown or len(self._by_name) < len(self.columns):
            raise TypeError(f"{self.path}: key or columns are declared wrongly: {unknown}")

    @property
    def name(self) -> str:
        """File name without its ending."""
        return self.path.rpartition("/")[2].partition(".")[0]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns, in the order of the file."""
        return tuple(self._by_name)

    def column(self, name: str) -> Column:
        """Return a column by its name."""
        return self._by_name[name]


@dataclass(frozen=True)
class File:
    """A file or folder of a run that is not a table: an array, a document, a picture, a model.

    Attributes
    ----------
    path
        As in `Table`; a folder ends in ``/``.
    meaning
        What it contains, with shape, dtype and unit of an array.
    private
        As in `Table`.
    """

    path: str
    meaning: str
    private: bool = False


Cells = dict[str, Any]
