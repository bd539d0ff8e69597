"""What contradicts itself in a patient's row and files; nothing is decided by it."""

import datetime
from collections.abc import Iterator, Sequence

from thyrocast.contract.names import Contradiction
from thyrocast.contract.table import Cells
from thyrocast.dicom.acquisition import acquired
from thyrocast.dicom.frames import PatientFile
from thyrocast.dicom.names import quote_name
from thyrocast.tables.clinical import ClinicalPatient
from thyrocast.tables.dates import DAYS_PER_YEAR

_SEX = {"F": "female", "M": "male", "O": "other"}
#: The ages of table and header are rounded, and the therapy may be months after the scan.
AGE_YEARS = 2.0


def of_patient(
    pseudonym: str, patient: ClinicalPatient, files: Sequence[PatientFile]
) -> list[Cells]:
    """Return the rows of `contract.cohort.CONTRADICTIONS` of a patient, one for each kind.

    Parameters
    ----------
    pseudonym, patient
        The patient's row of the clinical table.
    files
        The patient's files.
    """
    readable = [file for file in files if not file.header.reason]
    found = [
        *_identity(patient, readable),
        *_dates(patient, readable),
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


def _identity(patient: ClinicalPatient, files: Sequence[PatientFile]) -> Iterator[_Found]:
    """Compare sex, birth date and age of the table with those of each header (C.7.1.1)."""
    sex, age = patient.values.get("sex"), patient.values.get("age")
    for file in files:
        header = file.header
        stated = _SEX.get(header.text("PatientSex").upper())
        if sex and stated and "other" not in (sex, stated) and sex != stated:
            yield Contradiction.SEX, file.name, "the sex differs between table and image"
        born = _date(header.text("PatientBirthDate"))
        if patient.birth and born and patient.birth != born:
            yield Contradiction.BIRTH, file.name, "the birth date differs between table and image"
        if not patient.birth and born and patient.therapy and isinstance(age, float):
            years = (patient.therapy - born).days / DAYS_PER_YEAR
            if abs(years - age - 0.5) > AGE_YEARS:
                yield Contradiction.AGE, file.name, "the age does not fit the image's birth date"
    for name in ("PatientBirthDate", "PatientSex"):
        if len({value for file in files if (value := file.header.text(name))}) > 1:
            what = "birth date" if name == "PatientBirthDate" else "sex"
            yield Contradiction.FILES, files[0].name, f"the {what} differs among the files"


def _dates(patient: ClinicalPatient, files: Sequence[PatientFile]) -> Iterator[_Found]:
    scans = [(file.name, moment.date()) for file in files
             if file.verdict.scans and (moment := acquired(file.header))]  # fmt: skip
    therapy, birth = patient.therapy, patient.birth
    if therapy and scans and all(day > therapy for _, day in scans):
        yield Contradiction.THERAPY, scans[0][0], "the therapy is before every scan"
    if birth and therapy and birth >= therapy:
        yield Contradiction.BORN, "", "born after the therapy"
    for name, day in scans:
        if birth and birth >= day:
            yield Contradiction.BORN, name, "born after the scan"
    if any(visit.days is not None and visit.days <= 0 for visit in patient.followup.visits):
        yield Contradiction.VISIT, "", "a follow-up visit is not after the therapy"


def _date(text: str) -> datetime.date | None:
    try:
        return datetime.datetime.strptime(text[:8], "%Y%m%d").date()
    except ValueError:
        return None
