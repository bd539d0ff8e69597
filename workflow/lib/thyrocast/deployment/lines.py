"""Private files of one JSON document for each line, to which lines are only added."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from thyrocast import fileio
from thyrocast.contract.documents import Document
from thyrocast.errors import InputError

AnyDocument = TypeVar("AnyDocument", bound=Document)


def read(path: Path, kind: type[AnyDocument], expected: str) -> list[AnyDocument]:
    """Return the documents, the earliest first; none if there is no file.

    Parameters
    ----------
    path
        The file.
    kind
        What its lines are.
    expected
        The same in words, for the message.

    Raises
    ------
    InputError
        If a line cannot be read: it might be about the same patients.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"ledger {path} cannot be read: {error}") from None
    found = []
    for number, line in enumerate(lines, start=1):
        try:
            found.append(kind.model_validate_json(line))
        except ValidationError:
            raise InputError(
                f"ledger {path}, line {number}: cannot be read, expected {expected} as JSON; restore the ledger "
                "from a backup before you continue"
            ) from None
    return found


def append(
    path: Path, entry: AnyDocument, expected: str, same: Callable[[AnyDocument], bool]
) -> None:
    """Add a document, unless a line is the same; no other process writes meanwhile.

    Parameters
    ----------
    path, expected
        As in `read`; the file's folder is created if needed.
    entry
        The document.
    same
        Whether a line says the same as the document.
    """
    fileio.private_folder(path.parent)
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, fileio.private_mode(path))
    with os.fdopen(handle, "a", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if any(map(same, read(path, type(entry), expected))):
            return
        if path.stat().st_size and not path.read_bytes().endswith(b"\n"):
            # An editor removed the last line break; two documents in one line could not be read again.
            file.write("\n")
        file.write(json.dumps(entry.model_dump(mode="json"), sort_keys=True) + "\n")
        file.flush()
        os.fsync(file.fileno())
