"""What is found in a center's data: each finding with its patients, and what to do about it."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from thyrocast.contract.check import RemarkCode, Severity, Verdict


class Section(StrEnum):
    """Section of the page that shows a finding's details; its id there."""

    COLUMNS = "understood"
    PEOPLE = "who-is-in"
    IMAGES = "images"
    SHEET = "contact-sheet"
    LEFT_OUT = "left-out"
    CONTRADICTIONS = "contradictions"


@dataclass(frozen=True)
class Example:
    """A patient or file that a finding is about; private.

    Attributes
    ----------
    patient, identifier
        Pseudonym and identifier; "" if the finding is not about a patient.
    note
        File, row or what differs.
    """

    patient: str = ""
    identifier: str = ""
    note: str = ""


@dataclass(frozen=True)
class Finding:
    """One thing to correct or to look at.

    Attributes
    ----------
    code, severity, subject
        As in `contract.check.Remark`.
    count, unit
        How many, and of what (``patients``, ``files``, ``cells``); None if it is not about a number.
    text, detail
        What was found: a sentence without numbers of patients, which a public page may not show, and
        a private sentence that follows it.
    action
        What to do.
    section
        Where the page shows more.
    examples
        Patients and files.
    """

    code: RemarkCode
    severity: Severity
    text: str
    action: str
    section: Section
    count: int | None = None
    unit: str = "patients"
    subject: str = ""
    detail: str = ""
    examples: Sequence[Example] = ()


_ORDER = [*Severity]


def ordered(findings: Sequence[Finding]) -> list[Finding]:
    """Return the findings in the order in which to correct them: blockers, then the most frequent."""
    return sorted(
        findings,
        key=lambda one: (_ORDER.index(one.severity), -(one.count or 0), one.code, one.subject),
    )


def verdict(findings: Sequence[Finding]) -> Verdict:
    """Return whether the center is ready."""
    worst = {finding.severity for finding in findings}
    if Severity.BLOCKER in worst:
        return Verdict.NOT_READY
    return Verdict.REMARKS if Severity.REMARK in worst else Verdict.READY
