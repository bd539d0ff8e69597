"""Read and write tables; both are checked against the declaration.

Text is converted to numbers only here. A table that does not match its declaration is rejected with
one sentence that names file, row, column, what was found and what was expected.
"""

import csv
import functools
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pandera.pandas as pa

from thyrocast.contract.table import Column, Kind, Table
from thyrocast.errors import InputError
from thyrocast.fileio import atomic

# A spreadsheet program runs cells that begin like this as formulas (OWASP, CSV injection).
# An apostrophe is put before them, also if they already begin with one; reading removes it.
_FORMULA = r"'*[=+\-@\t\r]"
_TEXT = pd.StringDtype(na_value=np.nan)
_YES, _NO = ("1", "true", "True"), ("0", "false", "False")


class ContractError(TypeError):
    """A table made by the project's own code does not match its declaration: a bug."""


def read(table: Table, path: str | Path) -> pd.DataFrame:
    """Read a table that this project wrote.

    Parameters
    ----------
    table
        The table's declaration.
    path
        The file: comma-separated UTF-8, missing values empty.

    Returns
    -------
    DataFrame
        Columns, dtypes, allowed values and keys as declared; index 0 to n - 1.

    Raises
    ------
    InputError
        If the file is missing, has other columns than declared, or a cell or key is not valid.
    """
    file = Path(path)
    cells = _cells(file, table)
    parsed = {
        name: _parse(table.column(name), cells[name], file, table.private) for name in table.names
    }
    frame = pd.DataFrame(parsed, columns=list(table.names))
    fault = _fault(table, frame)
    if fault:
        raise InputError(f"{file}{fault}")
    return frame


def write(table: Table, frame: pd.DataFrame, path: str | Path) -> None:
    """Write a table atomically, with its columns in the declared order.

    Raises
    ------
    ContractError
        If a column is unknown or missing, or a value or key does not match the declaration.
    """
    checked = conform(table, frame)
    written = pd.DataFrame(
        {name: _as_text(table.column(name), checked[name], table.digits) for name in table.names},
        columns=list(table.names),
    )
    target = Path(path)
    if table.private:
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with atomic(target, mode=0o600 if table.private else None) as temporary:
        written.to_csv(temporary, index=False, lineterminator="\n", encoding="utf-8")


def build(table: Table, rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Make a table from records (column to value); None is a missing value.

    Raises
    ------
    ContractError
        If a column of a record is unknown or missing, or a value does not match the declaration.
    """
    records = list(rows)
    names = list(table.names)
    for record in records:
        if record.keys() != set(names):
            raise ContractError(f"{table.path}{_difference(set(names), set(record))}")
    return conform(table, pd.DataFrame(records, columns=names))


def empty(table: Table) -> pd.DataFrame:
    """Make a table without rows."""
    return build(table, [])


def concat(table: Table, frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Concatenate the rows of tables that have the same declaration."""
    filled = [frame for frame in frames if len(frame)]
    if not filled:
        return empty(table)
    return conform(table, pd.concat(filled, ignore_index=True))


def conform(table: Table, frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame with the declared columns, in order, and the declared dtypes.

    Raises
    ------
    ContractError
        If a column is unknown or missing, or a value or key does not match the declaration.
    """
    if set(frame.columns) != set(table.names):
        raise ContractError(f"{table.path}{_difference(set(table.names), set(frame.columns))}")
    try:
        typed = {name: _typed(table.column(name), frame[name]) for name in table.names}
    except (TypeError, ValueError) as error:
        raise ContractError(f"{table.path}: {error}") from error
    result = pd.DataFrame(typed, columns=list(table.names)).reset_index(drop=True)
    fault = _fault(table, result)
    if fault:
        raise ContractError(f"{table.path}{fault}")
    return result


@functools.cache
def schema(table: Table) -> pa.DataFrameSchema:
    """Return the pandera schema of a table: strict, with a unique key."""
    return pa.DataFrameSchema(
        {column.name: _schema_column(column) for column in table.columns},
        strict=True,
        unique=list(table.key) or None,
        description=table.meaning,
    )


def _schema_column(column: Column) -> pa.Column:
    checks = []
    if column.allowed:
        checks.append(pa.Check.isin(list(column.allowed)))
    if column.low is not None:
        checks.append(pa.Check.ge(column.low))
    if column.high is not None:
        checks.append(pa.Check.le(column.high))
    if column.kind is Kind.NUMBER:
        checks.append(pa.Check(lambda values: np.isfinite(values), name="finite"))
    return pa.Column(
        _dtype(column),
        checks,
        nullable=column.missing,
        description=column.meaning,
        metadata={"unit": column.unit},
    )


def _dtype(column: Column) -> Any:
    if column.kind is Kind.TEXT:
        return _TEXT
    if column.kind is Kind.NUMBER:
        return np.dtype("float64")
    if column.kind is Kind.INTEGER:
        return pd.Int64Dtype() if column.missing else np.dtype("int64")
    return pd.BooleanDtype() if column.missing else np.dtype("bool")


def _typed(column: Column, values: "pd.Series[Any]") -> "pd.Series[Any]":
    """Return values with the declared dtype; text and numbers are not converted to each other."""
    if values.dtype == _dtype(column) and (column.missing or not values.isna().any()):
        return values
    if column.kind is Kind.TEXT:
        present = values[values.notna()]
        wrong = [value for value in present if not isinstance(value, str)]
        if wrong:
            raise TypeError(f"column {column.name}: {wrong[0]!r} is not text")
        plain = values.map(str, na_action="ignore") if len(present) else values
        return plain.astype(_dtype(column))
    if column.kind in (Kind.INTEGER, Kind.NUMBER) and values.map(_is_text).any():
        raise TypeError(f"column {column.name}: text where {column.kind.value} is declared")
    if values.isna().any() and not column.missing:
        raise TypeError(f"column {column.name}: a value is missing, expected {column.expected}")
    if column.kind is Kind.NUMBER:
        return pd.to_numeric(values.astype(object).where(values.notna(), np.nan)).astype("float64")
    if column.missing:
        return values.astype(object).where(values.notna(), pd.NA).astype(_dtype(column))
    return values.astype(_dtype(column))


def _is_whole(value: float) -> bool:
    return float(value).is_integer()


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _parse(column: Column, cells: "pd.Series[Any]", file: Path, private: bool) -> "pd.Series[Any]":
    """Return the cells of a file with the declared dtype."""
    blank = cells == ""
    if column.kind is Kind.TEXT:
        guarded = cells.str.startswith("'") & cells.str.match(_FORMULA)
        plain = cells.where(~guarded, cells.str[1:])
        return (plain.where(~blank, np.nan) if column.missing else plain).astype(_dtype(column))
    if column.kind is Kind.FLAG:
        parsed = cells.map(dict.fromkeys(_YES, True) | dict.fromkeys(_NO, False)).astype(object)
    else:
        parsed = pd.to_numeric(cells, errors="coerce").astype(object)
        if column.kind is Kind.INTEGER:
            parsed = parsed.where(parsed.map(_is_whole), np.nan)
    wrong = parsed.isna() & ~(blank & column.missing)
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        found = "is empty, " if blank.iloc[row] else f"is {cells.iloc[row]!r}, "
        raise InputError(
            f"{file}, row {row + 2}, column {column.name}: {'' if private else found}"
            f"expected {column.expected}"
        )
    return _typed(column, parsed)


def _as_text(
    column: Column, values: "pd.Series[Any]", digits: int | None
) -> "pd.Series[Any] | pd.Series[str]":
    if column.kind is Kind.TEXT:
        plain = values.fillna("")
        risky = plain.str.match(_FORMULA)
        return plain.where(~risky, "'" + plain)
    if column.kind is Kind.FLAG:
        return values.astype("Int64")
    if column.kind is Kind.NUMBER and digits is not None:
        return values.map(lambda value: float(f"{value:.{digits}g}"))
    return values


def _cells(file: Path, table: Table) -> pd.DataFrame:
    """Return the cells of a file as text; the columns have the names in its header."""
    # pandas would fill short rows and rename repeated columns without a warning.
    try:
        with file.open(newline="", encoding="utf-8-sig") as lines:
            header, *rows = [*csv.reader(lines, strict=True)] or [[]]
    except FileNotFoundError:
        raise InputError(f"{file}: there is no such file, expected {table.path}") from None
    except (csv.Error, UnicodeDecodeError) as error:
        raise InputError(f"{file} is not a comma-separated UTF-8 table: {error}") from None
    _check_names(table, header, file)
    for number, row in enumerate(rows, start=2):
        if len(row) != len(header):
            raise InputError(
                f"{file}, row {number}: has {len(row)} cells, expected {len(header)} as in the header"
            )
    return pd.DataFrame(rows, columns=header, dtype=_TEXT)


def _check_names(table: Table, found: Iterable[str], file: Path) -> None:
    names = list(found)
    repeated = {name for name in names if names.count(name) > 1}
    if repeated:
        raise InputError(f"{file}: column {sorted(repeated)[0]!r} occurs twice, expected once")
    if set(names) != set(table.names):
        difference = _difference(set(table.names), set(names))
        raise InputError(
            f"{file}{difference}; the columns of {table.path} are {', '.join(table.names)}: was it "
            "written by another version of thyrocast?"
        )


def _difference(declared: set[str], found: set[str]) -> str:
    parts = []
    if missing := sorted(declared - found):
        parts.append(f"column {', '.join(missing)} is missing")
    if unknown := sorted(found - declared):
        parts.append(f"column {', '.join(unknown)} is unknown")
    return ": " + "; ".join(parts)


def _fault(table: Table, frame: pd.DataFrame) -> str:
    """Return what does not match the declaration; "" if everything does."""
    try:
        schema(table).validate(frame)
    except pa.errors.SchemaError as error:
        return _sentence(table, error)
    return ""


def _shown(value: Any) -> str:
    if pd.isna(value):
        return "missing"
    if isinstance(value, float):
        return f"{value:g}"
    return repr(value.item() if isinstance(value, np.generic) else value)


def _sentence(table: Table, error: pa.errors.SchemaError) -> str:
    cases = error.failure_cases
    if not isinstance(cases, pd.DataFrame) or cases.empty:
        return f": {error}"
    first = cases.iloc[0]
    row = "" if pd.isna(first.get("index")) else f", row {int(first['index']) + 2}"
    name = error.schema.name
    if name in table.names:
        column = table.column(str(name))
        found = "" if table.private else f"is {_shown(first['failure_case'])}, "
        return f"{row}, column {name}: {found}expected {column.expected}"
    key = ", ".join(table.key)
    return f"{row}: a second row with the same {key}, expected one"
