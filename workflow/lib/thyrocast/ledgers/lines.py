"""Private files of one JSON document for each line, to which lines are only added."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from thyrocast.contract.documents import Document
from thyrocast.ledgers import journal

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
    with journal.opened(path, _name(expected), write=False) as found:
        return _documents(found, kind, expected)


def _name(expected: str) -> str:
    return f"the ledger (a line for each {expected.removeprefix('one ')})"


def _documents(found: journal.Journal, kind: type[AnyDocument], expected: str) -> list[AnyDocument]:
    documents = []
    for number, line in enumerate(found.lines, start=1):
        try:
            documents.append(kind.model_validate_json(line))
        except ValidationError:
            raise found.unreadable(
                number,
                f"cannot be read, expected {expected} as JSON; restore the ledger from a backup before you "
                "continue",
            ) from None
    return documents


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

    Raises
    ------
    InputError
        As `read`; also if nothing can be written.
    """
    with journal.opened(path, _name(expected), write=True) as found:
        if any(map(same, _documents(found, type(entry), expected))):
            return
        line = json.dumps(entry.model_dump(mode="json"), sort_keys=True)
        # An editor removed the last line break; two documents in one line could not be read again.
        found.add(f"{'' if found.complete else chr(10)}{line}\n")
