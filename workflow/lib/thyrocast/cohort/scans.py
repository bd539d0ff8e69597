"""Rows of the private table of scans: what standardization needs, and hashes of the patient."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from thyrocast.cohort import birth as births
from thyrocast.cohort import naming, selection, strangers
from thyrocast.cohort.person_hashes import given_hashes, keyed, name_hashes
from thyrocast.cohort.selection import Candidate, Choice, SyringeFile
from thyrocast.config.center import CenterConfig
from thyrocast.contract.names import ScanKind, ValueSource
from thyrocast.contract.table import Cells
from thyrocast.dicom import terms
from thyrocast.dicom.elements import Header
from thyrocast.dicom.frames import PatientFile, Scan
from thyrocast.dicom.names import quote_name
from thyrocast.dicom.pixel_size import detector_of, is_pinhole
from thyrocast.tables.clinical import ClinicalPatient

LOG = logging.getLogger("thyrocast")


@dataclass(frozen=True)
class CenterSource:
    """Where a center's scans come from.

    Attributes
    ----------
    center
        The center's block of the config.
    key
        Secret of the pseudonyms and hashes.
    photopeak_kev
        Photopeak that an energy window must contain.
    """

    center: CenterConfig
    key: bytes
    photopeak_kev: float


def scan_rows(
    pseudonym: str,
    patient: ClinicalPatient,
    choice: Choice,
    files: Sequence[PatientFile],
    source: CenterSource,
) -> list[Cells]:
    """Return the rows of `contract.cohort.SCANS` of an included patient, the best scan first."""
    person = _person(patient, choice.scans[0].header, source.key)
    images = [selection.syringes(files, one, source.photopeak_kev) for one in choice.scans]
    if not images[0].full and images[0].unused:
        # The name of the file may contain that of the patient.
        unused = "; ".join(images[0].unused)
        LOG.warning("%s: no image of the syringe is used for the uptake: %s", pseudonym, unused)
    for which in images[0].several:
        LOG.warning(
            "%s: there are several images %s, expected one: the first is used for the uptake; if another one is right, "
            "leave this one out of the export", pseudonym, which,
        )  # fmt: skip
    return [
        {
            "patient": pseudonym,
            "identifier": patient.identifier,
            "rank": rank,
            "scan_date": candidate.moment.date().isoformat() if candidate.moment else None,
            "days_before": _days_before(candidate, patient),
            **_scan(candidate, source),
            **_syringe("syringe", images[rank].full),
            **_syringe("residual", images[rank].residual),
            **person,
        }
        for rank, candidate in enumerate(choice.scans)
    ]


def _days_before(candidate: Candidate, patient: ClinicalPatient) -> int | None:
    if patient.therapy is None or candidate.moment is None:
        return None
    return (patient.therapy - candidate.moment.date()).days


def _scan(candidate: Candidate, source: CenterSource) -> Cells:
    header, scan, pixel = candidate.header, candidate.scan, candidate.pixel
    fallback = source.center.fallbacks.tc_activity_mbq
    injected = candidate.injected
    activity_by = ValueSource.CONFIG if fallback else None
    return {
        "file": quote_name(candidate.file),
        "stamp": _stamp(Path(source.center.dicom) / candidate.file),
        "frames": " ".join(map(str, scan.frames)),
        "kind": scan.kind,
        "view_by": scan.view_by,
        "view_evidence": scan.rule,
        "turn": scan.turn,
        "row_mm": pixel.row_mm,
        "column_mm": pixel.column_mm,
        "spacing_by": pixel.by,
        **_duration(scan, source.center.fallbacks.duration_s),
        "tc_activity_mbq": injected.activity_mbq or fallback,
        "activity_by": injected.activity_by or activity_by,
        "delay_min": injected.delay_min,
        "delay_by": injected.delay_by,
        "vendor": terms.vendor(header),
        "camera": terms.camera(header),
        "collimator": _collimator(header, scan),
        "simulated": terms.is_simulated(header),
        "flags": " ".join(candidate.flags) or None,
    }


def _collimator(header: Header, scan: Scan) -> str | None:
    if is_pinhole(header, scan):
        return "pinhole"
    return terms.collimator(detector_of(header, scan))


def _duration(scan: Scan, fallback: float | None) -> Cells:
    if scan.duration_s:
        return {"duration_s": scan.duration_s, "duration_by": ValueSource.HEADER}
    if fallback and scan.kind is not ScanKind.CAPTURE:
        return {"duration_s": fallback, "duration_by": ValueSource.CONFIG}
    return {"duration_s": None, "duration_by": None}


def _stamp(path: Path) -> str | None:
    """Return size and modification time of a file; None if it can't be read."""
    try:
        status = path.stat()
    except OSError:
        return None
    return f"{status.st_size}-{status.st_mtime_ns}"


def _syringe(prefix: str, image: SyringeFile | None) -> Cells:
    return {
        f"{prefix}_file": quote_name(image.file) if image else None,
        f"{prefix}_frame": image.frame if image else None,
        f"{prefix}_s": image.duration_s if image else None,
        f"{prefix}_min": image.minutes if image else None,
    }


def _person(patient: ClinicalPatient, header: Header, key: bytes) -> Cells:
    """Return keyed hashes that identify a person who is registered twice, and the therapy's date."""
    sex = patient.values.get("sex") or strangers.sex_of(header.text("PatientSex"))
    birth = patient.birth.isoformat() if patient.birth else header.text("PatientBirthDate")
    born = births.born(birth)
    names = naming.parse(header.text("PatientName"), header.text("PatientID")).values()
    return {
        "person_identifier": keyed(key, "identifier", patient.identifier.lstrip("0")),
        "person_birth": keyed(key, "birth", f"{born.year}{born.day}", str(sex))
        if born and born.day and sex
        else None,
        "person_name": name_hashes(key, names),
        "person_given": given_hashes(key, names),
        "therapy_date": patient.therapy.isoformat() if patient.therapy else None,
    }
