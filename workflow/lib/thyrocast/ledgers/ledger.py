"""The ledger of what a site has sent: one line for each exchange file and updated model, never changed.

It is private. Without it, nobody could see that a second file of almost the same patients shows the
difference: one patient.
"""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from thyrocast.contract.documents import Document
from thyrocast.contract.exchange import Sha256
from thyrocast.ledgers import lines

#: What a line is, for messages.
_EXPECTED = "one exchange file or updated model"
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
    return lines.read(path, Entry, _EXPECTED)


def append(path: Path, entry: Entry) -> None:
    """Add an entry; a file that was written again without a change is in the ledger already."""
    lines.append(
        path, entry, _EXPECTED, lambda one: one.file == entry.file and one.people == entry.people
    )
