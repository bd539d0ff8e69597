"""Register every patient of a center, included or excluded with the reason.

A patient of the table passes five steps: parse (`clinical`), eligible (`eligibility`), outcome
(`outcome`), scans (`selection`), register (here).
"""

import datetime
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from thyrocast import identity
from thyrocast.cohort import (
    contradictions,
    copies,
    eligibility,
    files,
    outcome,
    scans,
    selection,
    strangers,
    summary,
    view_lists,
)
from thyrocast.cohort.files import FileList
from thyrocast.cohort.outcome import Outcome
from thyrocast.cohort.scans import CenterSource
from thyrocast.cohort.selection import Choice
from thyrocast.cohort.strangers import Comparison
from thyrocast.config.center import CenterConfig
from thyrocast.config.cohort import CohortConfig
from thyrocast.contract import cohort as contract
from thyrocast.contract import documents, io
from thyrocast.contract.documents import Understanding
from thyrocast.contract.names import Source
from thyrocast.contract.table import Cells
from thyrocast.dicom.acquisition import Stated
from thyrocast.dicom.frames import PatientFile
from thyrocast.dicom.index import index_folder
from thyrocast.dicom.pixel_size import PixelSizes
from thyrocast.tables import clinical
from thyrocast.tables.clinical import ClinicalPatient
from thyrocast.tables.understanding import log_warnings, understand

LOG = logging.getLogger("thyrocast")


@dataclass(frozen=True)
class Registration:
    """The tables of a registered center.

    Attributes
    ----------
    register
        `contract.cohort.REGISTER`: all patients; those of the clinical table first, in its order.
    scans
        `contract.cohort.SCANS`: the scans of included patients.
    outcomes
        `contract.cohort.OUTCOMES`: what each outcome was derived from.
    files
        `contract.cohort.FILES`: every file of the export.
    contradictions
        `contract.cohort.CONTRADICTIONS`: what contradicts itself in rows and files.
    understanding
        What was understood of the clinical table; private.
    patients
        The rows of the clinical table by pseudonym; private, not written.
    """

    register: pd.DataFrame
    scans: pd.DataFrame
    outcomes: pd.DataFrame
    files: pd.DataFrame
    contradictions: pd.DataFrame
    understanding: Understanding
    patients: Mapping[str, ClinicalPatient]


def register_center(
    center: CenterConfig,
    cohort: CohortConfig,
    key: bytes,
    index: str | Path,
    threads: int = 1,
) -> Registration:
    """Match a center's images to its clinical table and decide who is included.

    Parameters
    ----------
    center, cohort
        The center's block and the cohort's block of the config.
    key
        Secret of the pseudonyms.
    index
        Private folder for the index of headers.
    threads
        Processes that read headers.

    Raises
    ------
    InputError
        If the clinical table can't be used.
    """
    name = center.name
    read = clinical.read_table(center, cohort)
    clinical.log(read, center)
    patients = read.patients
    LOG.info("center %s: %d patients in the clinical table", name, len(patients))
    headers = index_folder(center.dicom, index, threads)
    judged = files.judge_files(headers, center, cohort)
    by_patient = files.by_identifier(judged, center)
    found = _Found(
        scans.CenterSource(center, key, cohort.photopeak_kev),
        cohort,
        PixelSizes.of_files(center, judged),
        strangers.comparison(center.identifiers.compare, by_patient),
        files.FileList(center, key),
    )
    for patient in patients:
        own = by_patient.pop(patient.identifier, []) if patient.identifier else []
        found.add(patient, own)
    found.persons.log_doubt(name)
    found.rows += _without_table(by_patient, name, key)
    for identifier, own in by_patient.items():
        found.listed.add(own, selection.Choice(), _unlisted(identifier))
    registration = Registration(
        io.build(contract.REGISTER, found.rows),
        io.build(contract.SCANS, found.scans),
        io.build(contract.OUTCOMES, found.outcomes),
        io.build(contract.FILES, found.listed.rows(judged)),
        io.build(contract.CONTRADICTIONS, found.contradictions),
        understand(center, read),
        {_pseudonym(patient, name, key): patient for patient in patients},
    )
    _log(center, registration, patients, by_patient)
    log_warnings(registration.understanding)
    return registration


def _log(
    center: CenterConfig,
    registration: Registration,
    patients: Sequence[ClinicalPatient],
    without_table: Mapping[str, Sequence[PatientFile]],
) -> None:
    summary.log_registration(
        center.name,
        registration.register,
        registration.scans,
        files=len(registration.files),
        nameless=len(without_table.get("", [])),
        sensitivity=center.fallbacks.sensitivity is not None,
    )
    if not (registration.register["source"] == Source.BOTH).any():
        summary.log_identifier_forms(
            center.name, [p.identifier for p in patients], list(without_table)
        )


@dataclass
class _Found:
    """Collects the rows of all tables, patient by patient."""

    source: CenterSource
    cohort: CohortConfig
    sizes: PixelSizes
    persons: Comparison
    listed: FileList
    rows: list[Cells] = field(default_factory=list)
    scans: list[Cells] = field(default_factory=list)
    outcomes: list[Cells] = field(default_factory=list)
    contradictions: list[Cells] = field(default_factory=list)

    def add(self, patient: ClinicalPatient, files: Sequence[PatientFile]) -> None:
        """Decide about a patient of the clinical table, by its row and the files."""
        center = self.source.center
        pseudonym = _pseudonym(patient, center.name, self.source.key)
        differences = self.persons.differences(patient, files)
        folder = Path(center.dicom)
        resolved = copies.resolve(view_lists.exclude(files), folder)
        decided = outcome.decide(patient, center)
        stated = Stated(patient.tc_activity_mbq, patient.injected, patient.injected_on)
        choice = selection.choose(resolved.files, patient.therapy, self.sizes, self.cohort, stated)
        choice = copies.flag_dates(choice, resolved.files, folder)
        unfit, stranger = eligibility.exclusion(patient), strangers.reason(differences)
        without_scan = choice.reason or resolved.doubt(choice.scans)
        reason = unfit or stranger or decided.reason or without_scan
        source = Source.BOTH if files else Source.CLINICAL
        row = _register_row(pseudonym, center.name, patient, decided, reason, source, choice)
        row["follow_up"] = None if unfit else outcome.follow_up(decided, center)
        row["scanned"] = not (stranger or without_scan)
        self.rows.append(row)
        self.outcomes.append(_outcome_row(pseudonym, patient, decided))
        self.contradictions += contradictions.of_patient(
            pseudonym, patient, files, differences, decided, center.outcome
        )
        self.listed.add(resolved.files, choice, reason)
        if not reason:
            self.scans += scans.scan_rows(pseudonym, patient, choice, resolved.files, self.source)


def _pseudonym(patient: ClinicalPatient, center: str, key: bytes) -> str:
    # A row without an identifier is identified by its line; no identifier contains a line break.
    return identity.pseudonym(key, center, patient.identifier or f"\nrow {patient.line}")


def _register_row(
    pseudonym: str,
    center: str,
    patient: ClinicalPatient,
    decided: Outcome,
    reason: str,
    source: Source,
    choice: Choice,
) -> Cells:
    months = decided.months
    return {
        "patient": pseudonym,
        "center": center,
        "included": not reason,
        "reason": reason,
        "source": source,
        **_evidence(choice, reason),
        "outcome": _as_integer(decided),
        **patient.values,
        "limits": " ".join(sorted(patient.bounds)) or None,
        "state": decided.state,
        # One decimal of a month does not reveal the dates.
        "followup_months": None if months is None else round(months, 1),
        "function": decided.function,
        "decided_by": decided.by,
    }


def _evidence(choice: Choice, reason: str) -> Cells:
    """Return how the view of the best scan was identified, and what is unusual about the scan."""
    if reason or not choice.scans:
        return {"view_evidence": None, "flags": None}
    scan = choice.scans[0].scan
    return {"view_evidence": scan.rule, "flags": " ".join(choice.scans[0].flags) or None}


def _as_integer(decided: Outcome) -> int | None:
    return None if decided.cured is None else int(decided.cured)


def _outcome_row(pseudonym: str, patient: ClinicalPatient, decided: Outcome) -> Cells:
    """Return the row with the thyroid state and the dates from which an outcome was derived."""
    therapy, visit = patient.therapy, None
    if therapy and decided.days is not None:
        visit = therapy + datetime.timedelta(days=round(decided.days))
    return {
        "patient": pseudonym,
        "identifier": patient.identifier,
        "therapy_date": therapy.isoformat() if therapy else None,
        "visit_date": visit.isoformat() if visit else None,
        "state": decided.state,
        "function": decided.function,
        "days": decided.days,
        "decided_by": decided.by,
        "outcome": _as_integer(decided),
        "reason": decided.reason,
    }


def _without_table(
    by_patient: Mapping[str, Sequence[PatientFile]], center: str, key: bytes
) -> Iterator[Cells]:
    """Yield the rows of patients with images who are not in the clinical table."""
    for identifier in sorted(by_patient):
        yield {
            **dict.fromkeys(contract.REGISTER.names),
            "patient": identity.pseudonym(key, center, identifier or "\nno PatientID"),
            "center": center,
            "included": False,
            "reason": _unlisted(identifier),
            "source": Source.DICOM,
            "scanned": False,
        }


def _unlisted(identifier: str) -> str:
    return eligibility.NOT_IN_TABLE if identifier else eligibility.NO_PATIENT_ID


def write(registration: Registration, register: Path, private: Path) -> None:
    """Write register.csv and, in a folder that only its owner can read, the private tables."""
    for table, frame in (
        (contract.SCANS, registration.scans),
        (contract.OUTCOMES, registration.outcomes),
        (contract.FILES, registration.files),
        (contract.CONTRADICTIONS, registration.contradictions),
    ):
        io.write(table, frame, private / f"{table.name}.csv")
    documents.write(registration.understanding, private / "understanding.json", private=True)
    io.write(contract.REGISTER, registration.register, register)
