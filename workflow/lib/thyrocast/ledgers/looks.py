"""The append-only log of evaluations of locked models: who was looked at, how often.

A result on patients who were scored before is no further validation. Each line of the log has the hash
of the line before, so that an edited, moved or deleted line is noticed; a deleted end is not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import pandas as pd
from pydantic import Field

from thyrocast.contract import io
from thyrocast.contract.deployment import LOOKS
from thyrocast.contract.manifest import Sha256
from thyrocast.ledgers import chain

#: What the file is, for messages.
NAME = "the log of evaluations"
#: End of the name of a study that applies an updated model.
UPDATED = "-updated"
#: Characters of a patient's mark.
MARK = 16


class Look(chain.Link):
    """One evaluation of a locked model.

    Attributes
    ----------
    date
        ISO 8601, UTC.
    locked_model
        Hash of the model.
    cohort
        Fingerprint of patients and outcomes.
    marks
        A mark of each patient with an outcome: a hash of the pseudonym.
    results
        AUC of each model; None if it could not be estimated.
    fitted
        How many of the patients an updated model was fitted to.
    """

    date: str
    locked_model: Sha256
    cohort: Sha256
    marks: list[Annotated[str, Field(pattern="^[0-9a-f]{16}$")]]
    results: dict[str, float | None]
    fitted: int = 0


def fingerprint(cohort: pd.DataFrame) -> str:
    """Return the hash of the patients and outcomes of a cohort, in any order."""
    known = cohort[cohort["outcome"].notna()]
    pairs = zip(known["patient"], known["outcome"].astype(int), strict=True)
    return chain.digest("\n".join(sorted(f"{patient} {outcome}" for patient, outcome in pairs)))


def marks(cohort: pd.DataFrame) -> list[str]:
    """Return a mark of each patient with an outcome, sorted."""
    known = cohort.loc[cohort["outcome"].notna(), "patient"]
    return sorted(mark(str(patient)) for patient in known)


def mark(patient: str) -> str:
    """Return the mark of a pseudonym."""
    return chain.digest(f"look {patient}")[:MARK]


def read(path: Path) -> list[Look]:
    """Read the log; none if there is no file.

    Raises
    ------
    InputError
        If a line was edited, moved or deleted.
    """
    return chain.read(path, Look, NAME)


def append(
    path: Path,
    date: str,
    model: str,
    cohort: pd.DataFrame,
    results: Mapping[str, float | None],
    fitted: int = 0,
) -> list[Look]:
    """Add an evaluation to the log, and return all of them.

    Parameters
    ----------
    path
        The log; its folder is created if needed.
    date
        ISO 8601, UTC.
    model
        Hash of the locked model.
    cohort
        Table `COHORT` of the patients who were evaluated.
    results
        AUC of each model.
    fitted
        How many of the patients the model was fitted to (`update_ledger.fitted_to`).
    """

    def look(_: list[Look], previous: str) -> list[Look]:
        return [
            Look(
                previous=previous,
                date=date,
                locked_model=model,
                cohort=fingerprint(cohort),
                marks=marks(cohort),
                results=dict(results),
                fitted=fitted,
            )
        ]

    return chain.append(path, Look, NAME, look)


def related(journal: Path) -> Path:
    """Return the log of a model's updates, or, from theirs, that of the model.

    A study that applies an updated model has the name of the study that applies its parent, and a suffix.
    """
    study = journal.parent.name
    parent = study.removesuffix(UPDATED)
    other = parent if parent != study else study + UPDATED
    return journal.parent.with_name(other) / journal.name


def table(looks: Sequence[Look], others: Sequence[Look] = (), least: int = 5) -> pd.DataFrame:
    """Return the table `LOOKS`.

    Parameters
    ----------
    looks
        The log of the study.
    others
        The log `related` to it, whose patients were seen before as well.
    least
        Smallest number of patients that may be shown.
    """
    rows = []
    seen: set[str] = set()
    for number, look in enumerate(looks, start=1):
        related_looks = [one for one in others if one.date <= look.date]
        before = {mark for one in related_looks for mark in one.marks}
        earlier = [*looks[: number - 1], *related_looks]
        again = (seen | before) & set(look.marks)
        rows.append(
            {
                "look": number,
                "date": look.date,
                "locked_model": look.locked_model,
                "cohort": look.cohort,
                "patients": len(look.marks),
                "seen_before": len(again),
                "fitted_to": look.fitted,
                "differs_little": any(_differs_little(look, one, least) for one in earlier),
                "note": _note(look, looks[: number - 1], len(again), least),
            }
        )
        seen |= set(look.marks)
    return io.build(LOOKS, rows)


def _differs_little(look: Look, other: Look, least: int) -> bool:
    """Whether two looks are at almost, but not exactly, the same patients and outcomes."""
    return look.cohort != other.cohort and len({*look.marks} ^ {*other.marks}) < least


def _note(look: Look, earlier: Sequence[Look], again: int, least: int) -> str:
    """What is special about a look; it is in the page that is passed on, so it has no small count."""
    if not again:
        return ""
    same = [
        n
        for n, other in enumerate(earlier, start=1)
        if other.cohort == look.cohort and other.locked_model == look.locked_model
    ]
    if same:
        unchanged = earlier[same[0] - 1].results == look.results
        ending = "with the same result" if unchanged else "with another result"
        return f"repeats look {same[0]}: the same model and patients, {ending}"
    of = len(look.marks)
    if again < least:
        return f"a further look at fewer than {least} of its patients"
    if 0 < of - again < least:
        return f"a further look at all but fewer than {least} of its patients"
    return f"a further look at {again} of {of} patients"
