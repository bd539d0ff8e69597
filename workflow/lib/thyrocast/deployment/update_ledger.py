"""The ledger of who was used to update a locked model: private, next to the pseudonym key.

An updated model has no row of a patient, so nothing in it shows that it meets the patients to whom it was
fitted. The site knows: results on these patients are in-sample.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
from pydantic import ValidationError

from thyrocast import fileio
from thyrocast.contract.documents import Document
from thyrocast.contract.manifest import Sha256
from thyrocast.deployment import chain, looks
from thyrocast.errors import InputError


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
        pseudonyms do. Centers that number their patients alike cannot be told apart.
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
    fileio.private_folder(path.parent)
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    with os.fdopen(handle, "a", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if entry in read(path):
            return
        file.write(json.dumps(entry.model_dump(mode="json"), sort_keys=True) + "\n")
        file.flush()
        os.fsync(file.fileno())


def read(path: Path) -> list[Entry]:
    """Return the entries; none if nothing was updated.

    Raises
    ------
    InputError
        If the ledger cannot be read.
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
                f"ledger {path}, line {number}: cannot be read, expected one updated model as JSON; restore "
                "the ledger from a backup"
            ) from None
    return found


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
