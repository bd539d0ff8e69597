"""Limits on the size of a center's table."""

from pathlib import Path

from thyrocast.errors import InputError

MAX_BYTES = 512 * 2**20
MAX_ROWS = 1_000_000
#: Columns of a worksheet (ECMA-376: the last one is XFD).
MAX_COLUMNS = 16_384


def check_rows(file: Path, count: int) -> None:
    """Raise `InputError` for a table with too many rows."""
    if count > MAX_ROWS:
        raise InputError(f"table {file} has more than {MAX_ROWS:,} rows, expected one per patient")
