"""Atomic writing of files, and JSON files; standard library only."""

import contextlib
import json
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any


@contextlib.contextmanager
def atomic(path: str | Path, mode: int | None = None) -> Iterator[Path]:
    """Yield a temporary path; rename it to ``path`` if the block succeeds, otherwise delete it.

    Parameters
    ----------
    path
        The file to write; its folder is created if needed.
    mode
        Permissions of the file; None for those of the umask.
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


#: The folder of private files. Its owner shares it with a group by mode 2770 (set-group-ID).
PRIVATE = ".thyrocast"
_SHARED = 0o2070
# What `atomic` writes: a dot, the file's name, and eight characters by `tempfile`.
_TEMPORARY = re.compile(r"^\..+\.[a-z0-9_]{8}(\.\w+)?$")


def _is_shared(path: Path) -> bool:
    """Return whether a path is in a private folder that its owner shares with a group."""
    for folder in path.absolute().parents:
        if folder.name == PRIVATE:
            return folder.exists() and folder.stat().st_mode & _SHARED == _SHARED
    return False


def private_mode(path: str | Path) -> int:
    """Return the permissions of a private file: of its owner alone, or also of the study's group."""
    return 0o660 if _is_shared(Path(path)) else 0o600


def unshared_by_umask(path: str | Path) -> str:
    """Return the umask if a group shares a private path but could not change what this process writes.

    Returns
    -------
    str
        Three octal digits; "" if the path is not shared, or the umask is right.
    """
    mask = _umask()
    return f"{mask:03o}" if mask & 0o070 and _is_shared(Path(path)) else ""


def private_folder(path: str | Path) -> Path:
    """Make a folder, and those above it, for its owner alone, or also for the study's group."""
    folder = Path(path)
    missing = [part for part in [folder, *folder.parents] if not part.exists()]
    for part in reversed(missing):
        part.mkdir(exist_ok=True)
        part.chmod(0o2770 if _is_shared(part) else 0o700)
    return folder


def reserve(path: str | Path) -> None:
    """Allocate all of a file on disk.

    A file that is written through a memory map grows with its pages. On a full disk, the write would
    end the process by a signal (SIGBUS) without a message.

    Raises
    ------
    OSError
        If the disk has no room for the file.
    """
    with Path(path).open("r+b") as file:
        os.posix_fallocate(file.fileno(), 0, max(1, os.fstat(file.fileno()).st_size))


def sweep(*folders: str | Path) -> int:
    """Delete the temporary files that killed jobs left; call it only while no job runs.

    Returns
    -------
    int
        Number of deleted files.
    """
    left = [
        path
        for folder in folders
        for path in Path(folder).rglob(".*")
        if _TEMPORARY.match(path.name) and path.is_file()
    ]
    for path in left:
        path.unlink(missing_ok=True)
    return len(left)


def write_json(path: str | Path, value: Any, mode: int | None = None) -> None:
    """Write JSON atomically, with sorted keys; `mode` as in `atomic`."""
    with atomic(path, mode) as temporary:
        temporary.write_text(
            json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n",
            encoding="utf-8",
        )


def read_json(path: str | Path) -> Any:
    """Read a JSON file."""
    return json.loads(Path(path).read_text(encoding="utf-8"))
