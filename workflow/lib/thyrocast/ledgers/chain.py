"""Append-only files whose lines follow each other: each has the hash of the line before.

An edited, moved or deleted line is noticed when the file is read; a deleted end is not.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from thyrocast.contract.documents import Document
from thyrocast.contract.manifest import Sha256
from thyrocast.errors import InputError
from thyrocast.ledgers import journal

#: Hash before the first line.
START = "0" * 64


class Link(Document):
    """A line of such a file.

    Attributes
    ----------
    previous
        Hash of the line before.
    """

    previous: Sha256

    def line(self) -> str:
        """Return the link as a line of the file."""
        # Lines without a value of a newer key are as they always were: their hashes follow each other.
        plain = self.model_dump(mode="json", exclude_defaults=True)
        return json.dumps(plain, sort_keys=True, separators=(",", ":"))


AnyLink = TypeVar("AnyLink", bound=Link)


def digest(text: str) -> str:
    """Return the SHA-256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def head(links: Sequence[Link]) -> str:
    """Return the hash of the last line, which identifies the whole file; `START` if it is empty."""
    return digest(links[-1].line()) if links else START


def read(path: Path, kind: type[AnyLink], name: str) -> list[AnyLink]:
    """Read the file; none if there is no file.

    Parameters
    ----------
    path
        The file.
    kind
        What its lines are.
    name
        What the file is, for the message.

    Raises
    ------
    InputError
        If a line was edited, moved or deleted, or the file cannot be read.
    """
    with journal.opened(path, name, write=False) as found:
        return _links(found, kind)


def _links(found: journal.Journal, kind: type[AnyLink]) -> list[AnyLink]:
    links: list[AnyLink] = []
    before = START
    for number, line in enumerate(found.lines, start=1):
        try:
            link = kind.model_validate_json(line)
        except ValidationError:
            link = None
        if link is None or link.previous != before:
            raise found.unreadable(
                number,
                f"{found.name} was edited: its lines no longer follow each other; restore it from a backup, or "
                "keep it and start a study of another name",
            )
        links.append(link)
        before = digest(line)
    return links


def append(
    path: Path,
    kind: type[AnyLink],
    name: str,
    made: Callable[[list[AnyLink], str], list[AnyLink]],
) -> list[AnyLink]:
    """Add lines to the file, and return all of them.

    Parameters
    ----------
    path, kind, name
        As in `read`; the file's folder is created if needed.
    made
        From the lines so far and the hash of the last one, the new lines. No other process writes
        between both.

    Raises
    ------
    InputError
        As `read`; also if the last line is not complete, or nothing can be written.
    """
    with journal.opened(path, name, write=True) as found:
        earlier = _links(found, kind)
        if not found.complete:
            raise InputError(
                f"{name} {path} does not end with a complete line: restore the file from a backup, or add the "
                "line break at its end if nothing else is missing"
            )
        new = made(list(earlier), head(earlier))
        found.add("".join(link.line() + "\n" for link in new))
    return [*earlier, *new]
