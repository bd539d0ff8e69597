"""Private text files to which lines are only added: locking, reading and adding; each damage in one sentence."""

from __future__ import annotations

import contextlib
import fcntl
import io
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from thyrocast import fileio
from thyrocast.errors import InputError


@dataclass(frozen=True)
class Journal:
    """An open file, while no other process writes to it.

    Attributes
    ----------
    path
        The file.
    name
        What it is, for messages.
    lines
        Its lines when it was opened, without line breaks.
    complete
        Whether the last one ends with a line break; also if there is no line.
    """

    path: Path
    name: str
    lines: list[str]
    complete: bool
    _file: IO[bytes]

    def add(self, text: str) -> None:
        """Write at the end, wholly or not at all.

        Raises
        ------
        InputError
            If the disk is full, or the file cannot be written.
        """
        size = os.fstat(self._file.fileno()).st_size
        try:
            rest = text.encode()
            while rest:
                # A disk that is nearly full takes a part, and refuses the next.
                rest = rest[self._file.write(rest) :]
            os.fsync(self._file.fileno())
        except OSError as error:
            # What was written of the line would stop every later run.
            with contextlib.suppress(OSError):
                os.ftruncate(self._file.fileno(), size)
                os.fsync(self._file.fileno())
            raise InputError(
                f"{self.path}: nothing was added to {self.name} ({error.strerror}): make room on the disk or "
                "correct its permissions, and run the same command again"
            ) from None

    def unreadable(self, number: int, otherwise: str) -> InputError:
        """Return the fault of a line that cannot be read.

        Parameters
        ----------
        number
            The line, from 1.
        otherwise
            What is wrong with it and what to do, unless it is the file's end that is missing.
        """
        where = f"{self.path}, line {number}: "
        if number == len(self.lines) and not self.complete:
            return InputError(
                f"{where}{self.name} ends within a line: if the file was cut off while it was copied, copy it "
                "again or restore it from a backup; if a run was stopped while it wrote, delete this last "
                "line, which nothing depends on yet"
            )
        return InputError(where + otherwise)


@contextlib.contextmanager
def opened(path: Path, name: str, *, write: bool) -> Iterator[Journal]:
    """Open and read the file; without a file, to read, one without lines.

    Parameters
    ----------
    path
        The file. To be written, it is created if needed, with its folder, for its owner alone.
    name
        What it is, for messages.
    write
        Whether lines are added.

    Raises
    ------
    InputError
        If it cannot be opened or locked, or is not text in UTF-8.
    """
    if path.is_symlink() and not path.exists():
        # Otherwise a disk that is not mounted would look like an empty ledger.
        raise InputError(
            f"{path}: {name} is a link to {path.readlink()}, which is not there: mount its disk, restore the "
            "file, or remove the link if there never was one"
        )
    if not write and not path.exists():
        yield Journal(path, name, [], True, io.BytesIO())
        return
    if write:
        fileio.private_folder(path.parent)
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND if write else os.O_RDONLY
    try:
        descriptor = os.open(path, flags, fileio.private_mode(path))
        # Without a buffer: what could not be written would be written when the file is closed.
        file = os.fdopen(descriptor, "a+b" if write else "rb", buffering=0)
    except OSError as error:
        raise _refusal(path, name, error) from None
    with file:
        try:
            # Without it, a line that another process is writing would look damaged.
            fcntl.flock(file, fcntl.LOCK_EX if write else fcntl.LOCK_SH)
            file.seek(0)
            content = file.read()
        except OSError as error:
            raise _refusal(path, name, error) from None
        try:
            text = content.decode()
        except UnicodeDecodeError as error:
            line = content[: error.start].count(b"\n") + 1
            raise InputError(
                f"{path}, line {line}: {name} is not text in UTF-8: it was damaged, or saved by another program "
                "in another encoding; restore it from a backup"
            ) from None
        lines = text.split("\n")
        complete = not lines[-1]
        if complete:
            lines.pop()
        yield Journal(path, name, [line.rstrip("\r") for line in lines], complete, file)


def _refusal(path: Path, name: str, error: OSError) -> InputError:
    return InputError(
        f"{path}: {name} cannot be opened, read or locked ({error.strerror}): it must be a file of yours on a disk "
        "that supports locks (flock); correct its permissions, or restore it from a backup"
    )
