"""What contradicts itself in a patient's row and files; nothing is decided by it."""

from collections.abc import Iterator, Sequence

from thyrocast.cohort import outcome, strangers
from thyrocast.cohort.birth import OLDEST
from thyrocast.cohort.outcome import Outcome
from thyrocast.cohort.strangers import MOST_AGE_YEARS, Between, Difference
from thyrocast.config.center import PersonFact
from thyrocast.config.outcome import OutcomeConfig
from thyrocast.contract.names import Contradiction, OutcomeRule
from thyrocast.contract.table import Cells
from thyrocast.dicom.acquisition import acquired
from thyrocast.dicom.frames import PatientFile
from thyrocast.dicom.names import quote_name
from thyrocast.tables.clinical import ClinicalPatient
from thyrocast.tables.dates import DAYS_PER_YEAR

_KINDS = {
    PersonFact.BIRTH_DATE: Contradiction.BIRTH, PersonFact.SEX: Contradiction.SEX,
    strangers.AGE: Contradiction.AGE,
}  # fmt: skip


def of_patient(
    pseudonym: str,
    patient: ClinicalPatient,
    files: Sequence[PatientFile],
    differences: Sequence[Difference],
    decided: Outcome,
    rule: OutcomeConfig | None,
) -> list[Cells]:
    """Return the rows of `contract.cohort.CONTRADICTIONS` of a patient, one for each kind.

    Parameters
    ----------
    pseudonym, patient
        The patient's row of the clinical table.
    files
        The patient's files.
    differences
        What `thyrocast.cohort.strangers` found.
    decided, rule
        The patient's outcome, and the center's rule.
    """
    readable = [file for file in files if not file.header.reason]
    found = [
        *_identity(differences),
        *_dates(patient, readable),
        *_visits(patient, decided, rule),
    ]
    first: dict[Contradiction, tuple[str, str]] = {}
    for kind, file, note in found:
        first.setdefault(kind, (file, note))
    return [
        {
            "patient": pseudonym,
            "identifier": patient.identifier,
            "kind": kind,
            "row": patient.line,
            "file": quote_name(file) if file else None,
            "note": note,
        }
        for kind, (file, note) in first.items()
    ]


_Found = tuple[Contradiction, str, str]


def _identity(differences: Sequence[Difference]) -> Iterator[_Found]:
    """Yield what shows that images or row are another person's."""
    for one in differences:
        kind = _KINDS[one.what] if one.between is Between.TABLE else Contradiction.FILES
        article = "" if one.between is Between.PATIENTS else "the "
        yield kind, one.file, f"{article}{strangers.in_words(differences, one.between)}"


def _dates(patient: ClinicalPatient, files: Sequence[PatientFile]) -> Iterator[_Found]:
    scans = [(file.name, moment.date()) for file in files
             if file.verdict.scans and (moment := acquired(file.header))]  # fmt: skip
    therapy, birth = patient.therapy, patient.birth
    if therapy and scans and all(day > therapy for _, day in scans):
        yield Contradiction.THERAPY, scans[0][0], "the therapy is before every scan"
    age = patient.values.get("age")
    if birth and therapy and isinstance(age, int | float):
        years = (therapy - birth).days / DAYS_PER_YEAR
        if years > 0 and min(years, age) < OLDEST and abs(years - age) > MOST_AGE_YEARS:
            yield Contradiction.AGE, "", "age and birth date of the row differ"
    if birth and therapy and birth >= therapy:
        yield Contradiction.BORN, "", "born after the therapy"
    for name, day in scans:
        if birth and birth >= day:
            yield Contradiction.BORN, name, "born after the scan"
    if any(visit.days is not None and visit.days <= 0 for visit in patient.followup.visits):
        yield Contradiction.VISIT, "", "a follow-up visit is not after the therapy"


def _visits(
    patient: ClinicalPatient, decided: Outcome, rule: OutcomeConfig | None
) -> Iterator[_Found]:
    """Compare a stated outcome with the one that the visits give, where the table has both."""
    if rule is None or rule.rule is not OutcomeRule.GIVEN or not patient.followup.visits:
        return
    shown = outcome.from_visits(patient, rule)
    if None not in (decided.cured, shown.cured) and decided.cured != shown.cured:
        yield Contradiction.OUTCOME, "", "the stated outcome differs from that of the visits"
