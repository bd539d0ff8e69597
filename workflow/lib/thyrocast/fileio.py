"""Files that are written whole or not at all; standard library only."""

import contextlib
import csv
import json
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any


@contextlib.contextmanager
def atomic(path: str | Path, mode: int | None = None) -> Iterator[Path]:
    """Yield a temporary path beside ``path`` that takes its name only if the block succeeds.

    Parameters
    ----------
    path
        The file to write; its folder is created if needed.
    mode
        Permissions of the file; those of the umask, if None.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(
        dir=target.parent, prefix=f".{target.name}.", suffix=target.suffix
    )
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        temporary.chmod(0o666 & ~_umask() if mode is None else mode)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def spreadsheet_safe(text: str) -> str:
    """Defuse text that a spreadsheet program would run as a formula (OWASP, CSV injection)."""
    return "'" + text if text[:1] in "=+-@\t\r" and text[:1] else text


def write_csv(
    path: str | Path, header: Sequence[str], rows: Iterable[Sequence[object] | Mapping[str, object]]
) -> None:
    """Write a comma-separated table at once or not at all; ``None`` becomes an empty cell."""
    with atomic(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        for row in rows:
            cells = [row.get(name) for name in header] if isinstance(row, Mapping) else row
            writer.writerow(["" if cell is None else cell for cell in cells])


def read_csv(path: str | Path) -> list[dict[str, str]]:
    """Rows of a table that this project wrote, every cell as text."""
    with Path(path).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def write_json(path: str | Path, value: Any) -> None:
    """Write JSON with sorted keys, at once or not at all."""
    with atomic(path) as temporary:
        temporary.write_text(
            json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n",
            encoding="utf-8",
        )


def read_json(path: str | Path) -> Any:
    """Read a JSON file."""
    return json.loads(Path(path).read_text(encoding="utf-8"))
