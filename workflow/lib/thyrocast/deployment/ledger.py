"""The ledger of what a site has sent: one line for each exchange file and updated model, never changed.

It is private. Without it, nobody could see that a second file of almost the same patients shows the
difference: one patient.
"""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError

from thyrocast import fileio
from thyrocast.contract.documents import Document
from thyrocast.contract.exchange import Sha256
from thyrocast.errors import InputError

Outcome = Annotated[int, Field(ge=0, le=1)]


class Entry(Document):
    """One exchange file, or one updated model.

    Attributes
    ----------
    date
        When it was written (ISO 8601).
    study, center
        Names in the config.
    file
        SHA-256 of the file, or the hash of the model.
    people
        Outcome of every scored patient, by keyed hash of the identifier, which does not depend on the
        names of study and center.
    found
        Pseudonyms of all patients of the center; none for a model.
    cuts
        Limits of the probability's bins, by model; none for an updated model.
    """

    date: str
    study: str
    center: str
    file: Sha256
    people: dict[str, Outcome]
    found: list[str]
    cuts: dict[str, list[float]]

    @property
    def records(self) -> frozenset[tuple[str, int]]:
        """Scored patients with their outcomes."""
        return frozenset(self.people.items())


def place(key: str | Path) -> Path:
    """Return the ledger's path: next to the key from which its hashes are computed."""
    file = Path(key).expanduser()
    return file.with_name(f"{file.name}.exchanged.jsonl")


def read(path: Path) -> list[Entry]:
    """Return the entries, the earliest first; none if nothing was sent.

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
            found.append(Entry.model_validate_json(line))
        except ValidationError:
            raise InputError(
                f"ledger {path}, line {number}: cannot be read, expected one exchange file as JSON; "
                "restore the ledger from a backup before another file is sent"
            ) from None
    return found


def append(path: Path, entry: Entry, known: Sequence[Entry]) -> None:
    """Add an entry; a file that was written again without a change is in the ledger already."""
    if any(one.file == entry.file and one.people == entry.people for one in known):
        return
    fileio.private_folder(path.parent)
    line = json.dumps(entry.model_dump(mode="json"), sort_keys=True) + "\n"
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    with os.fdopen(handle, "a", encoding="utf-8") as file:
        file.write(line)
        file.flush()
        os.fsync(file.fileno())
