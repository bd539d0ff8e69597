"""Read and write tables; both are checked against the declaration.

Text is converted to numbers only here. A table that does not match its declaration is rejected with
one sentence that names file, row, column, what was found and what was expected.
"""

import csv
import functools
import numbers
import re
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pandera.pandas as pa

from thyrocast import fileio
from thyrocast.contract.table import Column, Kind, Table
from thyrocast.errors import InputError

# A spreadsheet program runs cells that begin like this as formulas (OWASP, CSV injection).
# An apostrophe is put before them, also if they already begin with one; reading removes it.
_FORMULA = r"'*[=+\-@\t\r\n＝＋－＠]"
_TEXT = pd.StringDtype(na_value=np.nan)
_YES, _NO = ("1", "true", "True"), ("0", "false", "False")
_WHOLE = re.compile(r" *([+-]?[0-9]+)(\.0*)? *")
_LARGEST = 2**63 - 1
# Above this, float64 cannot represent every whole number.
_EXACT = 2**53
# Python limits a cell to 131,072 characters to detect wrong delimiters; here the header is checked.
_LONGEST_CELL = 2**31 - 1


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
    columns = [_as_text(table.column(name), checked[name], table.digits) for name in table.names]
    try:
        lines = "".join(map(_line, [table.names, *zip(*columns, strict=True)])).encode()
    except UnicodeEncodeError as error:  # half of a surrogate pair
        raise ContractError(f"{table.path}: a text cannot be written as UTF-8") from error
    target = Path(path)
    if table.private:
        fileio.private_folder(target.parent)
    with fileio.atomic(
        target, mode=fileio.private_mode(target) if table.private else None
    ) as temporary:
        temporary.write_bytes(lines)


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
        _check_declared(table, record)
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
    _check_declared(table, frame.columns)
    frame = frame.reset_index(drop=True)
    try:
        typed = {
            name: _typed(table.column(name), frame[name], table.private) for name in table.names
        }
    except TypeError as error:
        raise ContractError(f"{table.path}: {error}") from error
    result = pd.DataFrame(typed, columns=list(table.names), index=frame.index)
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


def _typed(column: Column, values: "pd.Series[Any]", private: bool) -> "pd.Series[Any]":
    """Return values with the declared dtype; text and numbers are not converted to each other."""
    missing = values.isna()
    if missing.any() and not column.missing and column.kind is not Kind.TEXT:
        raise TypeError(f"column {column.name}: a value is missing, expected {column.expected}")
    if values.dtype == _dtype(column):
        return values
    convert = _CONVERTERS[column.kind]
    plain = []
    for value in values.astype(object)[~missing]:
        converted = convert(value)
        if converted is None:
            raise TypeError(f"column {column.name}: {_misfit(value, column.kind, private)}")
        plain.append(converted)
    nothing = np.nan if column.kind in (Kind.TEXT, Kind.NUMBER) else pd.NA
    result = pd.Series(nothing, index=values.index, dtype=object)
    result[~missing] = plain
    return result.astype(_dtype(column))


def _misfit(value: object, kind: Kind, private: bool) -> str:
    shown = "a value" if private else repr(value)
    if kind is Kind.TEXT:
        return f"{shown} is not text"
    return f"{'text' if isinstance(value, str) else shown} where {kind.value} is declared"


def _to_text(value: Any) -> str | None:
    return str(value) if isinstance(value, str) else None


def _to_integer(value: Any) -> int | None:
    if isinstance(value, bool | np.bool_):
        return None
    if isinstance(value, numbers.Integral):
        whole = int(value)
        return whole if abs(whole) <= _LARGEST else None
    if not isinstance(value, float | np.floating):
        return None
    number = float(value)
    return int(number) if abs(number) <= _EXACT and number.is_integer() else None


def _to_number(value: Any) -> float | None:
    if isinstance(value, bool | np.bool_) or not isinstance(value, numbers.Real):
        return None
    try:
        return float(value)
    except OverflowError:
        return None


def _to_flag(value: Any) -> bool | None:
    if isinstance(value, bool | np.bool_):
        return bool(value)
    whole = _to_integer(value)
    return None if whole not in (0, 1) else whole == 1


_CONVERTERS: Mapping[Kind, Callable[[Any], Any]] = {
    Kind.TEXT: _to_text,
    Kind.INTEGER: _to_integer,
    Kind.NUMBER: _to_number,
    Kind.FLAG: _to_flag,
}


def _whole(cell: str) -> int | None:
    """A cell as a whole number, exactly; None if it is none or does not fit 64 bits."""
    found = _WHOLE.fullmatch(cell)
    return _to_integer(int(found[1])) if found and len(found[1]) < 30 else None


def _parse(column: Column, cells: "pd.Series[Any]", file: Path, private: bool) -> "pd.Series[Any]":
    """Return the cells of a file with the declared dtype."""
    blank = cells == ""
    if column.kind is Kind.TEXT:
        guarded = cells.str.startswith("'") & cells.str.match(_FORMULA)
        plain = cells.where(~guarded, cells.str[1:])
        return (plain.where(~blank, np.nan) if column.missing else plain).astype(_dtype(column))
    if column.kind is Kind.FLAG:
        parsed = cells.map(dict.fromkeys(_YES, True) | dict.fromkeys(_NO, False)).astype(object)
    elif column.kind is Kind.INTEGER:
        parsed = pd.Series([_whole(cell) for cell in cells], index=cells.index, dtype=object)
    else:
        parsed = pd.to_numeric(cells, errors="coerce").astype("float64")
    wrong = parsed.isna() & ~(blank & column.missing)
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        found = "is empty, " if blank.iloc[row] else f"is {cells.iloc[row]!r}, "
        raise InputError(
            f"{file}, row {row + 2}, column {column.name}: {'' if private else found}"
            f"expected {column.expected}"
        )
    return _typed(column, parsed, private)


def _as_text(column: Column, values: "pd.Series[Any]", digits: int | None) -> list[str]:
    """Values as the cells of a file."""
    if column.kind is Kind.TEXT:
        plain = values.fillna("")
        return list(plain.where(~plain.str.match(_FORMULA), "'" + plain))
    present = values.astype(object)[values.notna()]
    if column.kind is not Kind.NUMBER:
        cells = present.map(lambda value: str(int(value)))
    elif digits is None:
        cells = present.map(repr)
    else:
        cells = present.map(lambda value: repr(float(f"{value:.{digits}g}")))
    return list(cells.reindex(values.index, fill_value=""))


def _line(cells: Sequence[str]) -> str:
    """A line of a file (RFC 4180); csv.writer does not quote a bare carriage return."""
    quoted = [
        '"' + cell.replace('"', '""') + '"' if any(c in cell for c in ',"\r\n') else cell
        for cell in cells
    ]
    return (",".join(quoted) or '""') + "\n"


def _cells(file: Path, table: Table) -> pd.DataFrame:
    """Return the cells of a file as text; the columns have the names in its header."""
    # pandas would fill short rows and rename repeated columns without a warning.
    csv.field_size_limit(_LONGEST_CELL)
    try:
        with file.open(newline="", encoding="utf-8-sig") as lines:
            header, *rows = [*csv.reader(lines, strict=True)] or [[]]
    except FileNotFoundError:
        raise InputError(f"{file}: there is no such file, expected {table.path}") from None
    except OSError as error:
        raise InputError(
            f"{file}: cannot be read ({error.strerror}), expected {table.path}"
        ) from None
    except (csv.Error, UnicodeDecodeError) as error:
        raise InputError(f"{file} is not a comma-separated UTF-8 table: {error}") from None
    _check_names(table, header, file)
    for number, row in enumerate(rows, start=2):
        if len(row) != len(header):
            raise InputError(
                f"{file}, row {number}: has {len(row)} cells, expected {len(header)} as in the header"
            )
    return pd.DataFrame(rows, columns=header, dtype=_TEXT)


def _check_names(table: Table, found: Sequence[str], file: Path) -> None:
    if twice := [name for name in table.names if found.count(name) > 1]:
        raise InputError(f"{file}: column {twice[0]!r} occurs twice, expected once")
    if difference := _difference(table, found, hidden=table.private):
        raise InputError(
            f"{file}{difference}; the columns of {table.path} are {', '.join(table.names)}: was it "
            "written by another version of thyrocast?"
        )


def _check_declared(table: Table, found: Iterable[Hashable]) -> None:
    names = list(found)
    if twice := [name for name in table.names if names.count(name) > 1]:
        raise ContractError(f"{table.path}: column {twice[0]} occurs twice")
    if difference := _difference(table, names):
        raise ContractError(f"{table.path}{difference}")


def _difference(table: Table, found: Sequence[Hashable], hidden: bool = False) -> str:
    """Say which columns are missing or unknown; empty if none is.

    With `hidden`, unknown columns are not named: in a file without a header, they are a patient.
    """
    missing = sorted(set(table.names) - set(found))
    unknown = sorted(map(_word, set(found) - set(table.names)))
    parts = [f"column {', '.join(missing)} is missing"] if missing else []
    if unknown:
        parts.append(
            "other columns are unknown" if hidden else f"column {', '.join(unknown)} is unknown"
        )
    return ": " + "; ".join(parts) if parts else ""


def _word(name: Hashable) -> str:
    """A column's name in a message; one that would break its line or not be seen is quoted."""
    plain = isinstance(name, str) and name.strip() == name != "" and name.isprintable()
    return str(name) if plain else ascii(name)


def _fault(table: Table, frame: pd.DataFrame) -> str:
    """Return what does not match the declaration; "" if everything does."""
    try:
        schema(table).validate(frame)
    except pa.errors.SchemaError as error:
        return _sentence(table, frame, error)
    return ""


def _shown(value: Any) -> str:
    if pd.isna(value):
        return "missing"
    if isinstance(value, float):
        return f"{value:g}"
    return repr(value.item() if isinstance(value, np.generic) else value)


def _sentence(table: Table, frame: pd.DataFrame, error: pa.errors.SchemaError) -> str:
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
    repeated = int(np.flatnonzero(frame.duplicated(list(table.key)))[0])
    return f", row {repeated + 2}: a second row with the same {', '.join(table.key)}, expected one"
