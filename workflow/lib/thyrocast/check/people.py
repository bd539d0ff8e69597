"""Who is in: the flow of patients, and every excluded patient with the reason."""

import urllib.parse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from thyrocast.check.center import Center
from thyrocast.check.reasons import Stage
from thyrocast.contract.names import Source
from thyrocast.tables import criteria


@dataclass(frozen=True)
class Excluded:
    """An excluded patient; identifier and file are private.

    Attributes
    ----------
    patient, reason, stage
        Pseudonym, reason, and step of the exclusion.
    identifier, files
        As in table and export; "" and empty if not known.
    """

    patient: str
    reason: str
    stage: Stage
    identifier: str = ""
    files: Sequence[str] = ()


@dataclass(frozen=True)
class Flow:
    """Numbers of patients from those found to those with an image.

    Attributes
    ----------
    found, table_only, images_only, matched
        Patients in table or images, in one of them only, and in both.
    included
        Patients with table row, outcome and scan.
    usable
        Included patients whose image could be standardized.
    cured
        Cured patients among the usable ones; None for a prospective center.
    """

    found: int
    table_only: int
    images_only: int
    matched: int
    included: int
    usable: int
    cured: int | None

    @property
    def in_table(self) -> int:
        """Patients of the clinical table."""
        return self.matched + self.table_only


def flow(center: Center) -> Flow:
    """Count the patients at each step."""
    register = center.register
    sources = register["source"].value_counts()
    usable = register[
        register["patient"].isin(center.records.loc[center.records["usable"], "patient"])
    ]
    known = usable["outcome"].dropna()
    return Flow(
        found=len(register),
        table_only=int(sources.get(Source.CLINICAL, 0)),
        images_only=int(sources.get(Source.DICOM, 0)),
        matched=int(sources.get(Source.BOTH, 0)),
        included=int(register["included"].sum()),
        usable=len(usable),
        cured=int((known == 1).sum()) if len(known) else None,
    )


def excluded(center: Center) -> list[Excluded]:
    """Return every patient without an image, the most frequent reasons first."""
    reasons = center.reasons()
    # A measured value at the end would make a reason of its own for each patient.
    out = reasons[reasons != ""].str.replace(r" \([^()]*\d[^()]*\)$", "", regex=True)
    frequency = out.value_counts()
    identifiers, files = center.identifiers, _files(center)
    outcome = dict(zip(center.outcomes["patient"], center.outcomes["reason"], strict=True))
    included = set(center.register.loc[center.register["included"], "patient"])
    found = [
        Excluded(
            patient=str(patient),
            reason=reason,
            stage=_stage(str(patient), reason, outcome, included),
            identifier=identifiers.get(str(patient), ""),
            files=files.get(str(patient), ()),
        )
        for patient, reason in out.items()
    ]
    return sorted(found, key=lambda one: (-int(frequency[one.reason]), one.reason))


def _stage(patient: str, reason: str, outcome: Mapping[str, str], included: set[str]) -> Stage:
    if patient in included:
        return Stage.IMAGE
    if reason.startswith(criteria.PREFIX):
        return Stage.ELIGIBILITY
    if outcome.get(patient) == reason:
        return Stage.OUTCOME
    return Stage.SCAN if patient in outcome else Stage.TABLE


def _files(center: Center) -> dict[str, list[str]]:
    files: dict[str, list[str]] = {}
    known = center.files.dropna(subset="patient")
    for patient, file in zip(known["patient"], known["file"], strict=True):
        files.setdefault(patient, []).append(file_name(file))
    return files


def file_name(text: str) -> str:
    """Return a percent-encoded file name for reading; bytes that are no text become U+FFFD."""
    return urllib.parse.unquote(text, errors="replace")
