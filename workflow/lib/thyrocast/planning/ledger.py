"""Assign patients to standardization jobs, independently of who joins or leaves the study later.

Standard library only: the launcher and the registration's job import it.
"""

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from thyrocast import fileio


def assign_jobs(joined: Sequence[str], present: Collection[str], size: int) -> dict[str, list[str]]:
    """Divide patients among jobs by the order in which they joined the study.

    A patient who joins or leaves later does not move other patients to another job.

    Parameters
    ----------
    joined
        All patients ever registered, oldest first (`read_ledger`).
    present
        Patients in the current clinical table.
    size
        Patients per job.
    """
    here = set(present)
    jobs: dict[str, list[str]] = {}
    for place, patient in enumerate(dict.fromkeys([*joined, *present])):
        if patient in here:
            jobs.setdefault(f"{place // size + 1:04d}", []).append(patient)
    return jobs


def read_ledger(path: str | Path) -> list[str]:
    """Return the pseudonyms in the order of joining; empty if the file does not exist yet."""
    file = Path(path)
    return file.read_text(encoding="utf-8").split() if file.exists() else []


def join_ledger(path: str | Path, present: Iterable[str]) -> None:
    """Add new patients to the end of the ledger."""
    joined = read_ledger(path)
    order = list(dict.fromkeys([*joined, *present]))
    if order != joined:
        with fileio.atomic(path) as temporary:
            temporary.write_text("".join(f"{p}\n" for p in order), encoding="utf-8")
