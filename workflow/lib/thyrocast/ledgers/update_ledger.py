"""The ledger of who was used to update a locked model: private, next to the pseudonym key.

An updated model has no row of a patient, so nothing in it shows that it meets the patients to whom it was
fitted. The site knows: results on these patients are in-sample.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from thyrocast.contract.documents import Document
from thyrocast.contract.manifest import Sha256
from thyrocast.ledgers import chain, lines, looks

#: What a line is, for messages.
_EXPECTED = "one updated model"


class Entry(Document):
    """One updated model.

    Attributes
    ----------
    locked_model
        Its hash.
    marks
        A mark of each patient to whom it was fitted (`marks`).
    """

    locked_model: Sha256
    marks: list[str]


def place(key: str | Path) -> Path:
    """Return the ledger's path: next to the key from which pseudonyms are computed."""
    file = Path(key).expanduser()
    return file.with_name(f"{file.name}.updated.jsonl")


def marks(cohort: pd.DataFrame, people: Mapping[str, str]) -> list[str]:
    """Return a mark of each patient with an outcome, sorted.

    Parameters
    ----------
    cohort
        Table `COHORT`.
    people
        Keyed hash of the identifier, by pseudonym: it does not change if the center is renamed, as
        pseudonyms do. Centers that number their patients alike cannot be distinguished.
    """
    return sorted(set(_by_patient(cohort, people).values()))


def _by_patient(cohort: pd.DataFrame, people: Mapping[str, str]) -> dict[str, str]:
    known = cohort.loc[cohort["outcome"].notna(), "patient"]
    return {
        str(patient): chain.digest(f"update {people[str(patient)]}")[: looks.MARK]
        for patient in known
    }


def append(path: Path, model: str, cohort: pd.DataFrame, people: Mapping[str, str]) -> None:
    """Record the patients of the table `COHORT` with an outcome, to whom a model was fitted.

    A model that is written again without a change is in the ledger already.
    """
    entry = Entry(locked_model=model, marks=marks(cohort, people))
    lines.append(path, entry, _EXPECTED, lambda one: one == entry)


def read(path: Path) -> list[Entry]:
    """Return the entries; none if nothing was updated.

    Raises
    ------
    InputError
        If the ledger cannot be read.
    """
    return lines.read(path, Entry, _EXPECTED)


def fitted_to(path: Path, model: str, cohort: pd.DataFrame, people: Mapping[str, str]) -> int:
    """Return how many patients with an outcome of the table `COHORT` a model was fitted to.

    Raises
    ------
    InputError
        If the ledger cannot be read.
    """
    used = {mark for entry in read(path) if entry.locked_model == model for mark in entry.marks}
    # Lines of older versions have marks of pseudonyms.
    return sum(
        mark in used or looks.mark(patient) in used
        for patient, mark in _by_patient(cohort, people).items()
    )
