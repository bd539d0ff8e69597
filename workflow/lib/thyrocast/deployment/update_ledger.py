"""The ledger of who was used to update a locked model: private, next to the pseudonym key.

An updated model has no row of a patient, so nothing in it shows that it meets the patients to whom it was
fitted. The site knows: results on these patients are in-sample.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pandas as pd
from pydantic import ValidationError

from thyrocast import fileio
from thyrocast.contract.documents import Document
from thyrocast.contract.manifest import Sha256
from thyrocast.deployment import looks
from thyrocast.errors import InputError


class Entry(Document):
    """One updated model.

    Attributes
    ----------
    locked_model
        Its hash.
    marks
        A mark of each patient to whom it was fitted (`looks.marks`).
    """

    locked_model: Sha256
    marks: list[str]


def place(key: str | Path) -> Path:
    """Return the ledger's path: next to the key from which pseudonyms are computed."""
    file = Path(key).expanduser()
    return file.with_name(f"{file.name}.updated.jsonl")


def append(path: Path, model: str, cohort: pd.DataFrame) -> None:
    """Record the patients of the table `COHORT` with an outcome, to whom a model was fitted."""
    entry = Entry(locked_model=model, marks=looks.marks(cohort))
    fileio.private_folder(path.parent)
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    with os.fdopen(handle, "a", encoding="utf-8") as file:
        file.write(json.dumps(entry.model_dump(mode="json"), sort_keys=True) + "\n")
        file.flush()
        os.fsync(file.fileno())


def fitted_to(path: Path, model: str, cohort: pd.DataFrame) -> int:
    """Return how many patients with an outcome of the table `COHORT` a model was fitted to.

    Raises
    ------
    InputError
        If the ledger cannot be read.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return 0
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"ledger {path} cannot be read: {error}") from None
    used: set[str] = set()
    for number, line in enumerate(lines, start=1):
        try:
            entry = Entry.model_validate_json(line)
        except ValidationError:
            raise InputError(
                f"ledger {path}, line {number}: cannot be read, expected one updated model as JSON; restore "
                "the ledger from a backup"
            ) from None
        if entry.locked_model == model:
            used |= set(entry.marks)
    return len(used & set(looks.marks(cohort)))
