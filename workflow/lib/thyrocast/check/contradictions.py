"""Contradictions in a center's data, and patients who look like one person."""

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from thyrocast.check.center import Center
from thyrocast.check.findings import Example, Finding, Section
from thyrocast.check.people import file_name
from thyrocast.cohort import duplicates
from thyrocast.cohort.duplicates import Person
from thyrocast.config.cohort import Duplicates
from thyrocast.contract.check import RemarkCode, Severity
from thyrocast.contract.names import Contradiction

_IDENTITY = "Find out whose images these are. If two people share an identifier, separate them."
_DATES = "Check these dates in the table (day and month exchanged? wrong year?) and in the images."
_KINDS: Mapping[Contradiction, tuple[RemarkCode, str, str]] = {
    Contradiction.SEX: (
        RemarkCode.IDENTITY, "The sex in the image differs from the table.", _IDENTITY,
    ),
    Contradiction.BIRTH: (
        RemarkCode.IDENTITY, "The birth date in the image differs from the table.", _IDENTITY,
    ),
    Contradiction.AGE: (
        RemarkCode.IDENTITY, "The age in the table does not fit the image, or the birth date in the table.",
        "Check the column of the age and its unit, or find out whose images these are.",
    ),
    Contradiction.FILES: (
        RemarkCode.IDENTITY,
        "The files of one patient are of different people: birth date, age, sex, name or issuer differ, or another "
        "patient has images of the same study.",
        _IDENTITY,
    ),
    Contradiction.THERAPY: (
        RemarkCode.DATES, "The therapy is before every scan.",
        "Check the therapy date, and export the scan before therapy.",
    ),
    Contradiction.BORN: (RemarkCode.DATES, "Born after scan or therapy.", _DATES),
    Contradiction.VISIT: (
        RemarkCode.DATES, "A follow-up visit is not after the therapy.", _DATES,
    ),
    Contradiction.OUTCOME: (
        RemarkCode.OUTCOME_AGAINST_VISITS, "The stated outcome differs from that of the visits.",
        "Check outcome and visits of these patients, and the codes of `outcome`.",
    ),
}  # fmt: skip


def contradictions(center: Center) -> Iterator[Finding]:
    """Yield a finding for each kind of contradiction."""
    for kind, rows in center.contradictions.groupby("kind", sort=False):
        code, text, action = _KINDS[Contradiction(str(kind))]
        yield Finding(
            code,
            Severity.REMARK,
            text,
            action,
            Section.CONTRADICTIONS,
            len(rows),
            subject=str(kind),
            examples=[
                Example(
                    row["patient"],
                    "" if pd.isna(row["identifier"]) else row["identifier"],
                    _where(row),
                )
                for row in rows.to_dict("records")
            ],
        )


def _where(row: Mapping[Any, Any]) -> str:
    file = row["file"]
    place = f"row {row['row']}"
    return place if pd.isna(file) else f"{place}, {file_name(str(file))}"


def same_people(center: Center) -> Iterator[Finding]:
    """Yield findings about patients who look like one person, within and across centers."""
    settings = center.settings.cohort
    known = {frozenset(pair) for pair in settings.distinct}
    own = set(center.register["patient"])
    pairs: dict[str, list[tuple[str, str]]] = {}
    for pair, why in duplicates.find(_people(center)).items():
        if own & set(pair) and frozenset(pair) not in known:
            pairs.setdefault(why, []).append(pair)
    severity = {
        Duplicates.STOP: Severity.BLOCKER,
        Duplicates.EXCLUDE: Severity.REMARK,
        Duplicates.KEEP: Severity.NOTE,
    }[settings.duplicates]
    names = center.identifiers
    for why, found in pairs.items():
        across = any(set(pair) - own for pair in found)
        yield Finding(
            RemarkCode.DUPLICATE,
            severity,
            f"Patients who look like one person by {why}{', also in another center' if across else ''}.",
            "If they are one person, remove one of them or set `cohort.duplicates: exclude`; if they "
            "are two, list the pair under `cohort.distinct`.",
            Section.CONTRADICTIONS,
            len(found),
            "pairs",
            why,
            examples=[
                Example(a, names.get(a, ""), f"and {names.get(b, b)}" if b in own else f"and {b}")
                for a, b in (sorted(pair, key=lambda one: one not in own) for pair in found)
            ],
        )


def _people(center: Center) -> list[Person]:
    tables = {center.name: (center.scans, center.digests)}
    tables |= {name: (other.scans, other.digests) for name, other in center.others.items()}
    people = []
    for name, (scans, digests) in tables.items():
        best = scans[scans["rank"] == 0]
        people += duplicates.people(best.assign(center=name, digest=best["patient"].map(digests)))
    return people
