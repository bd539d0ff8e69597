"""Every patient of a center, in the study or not, with the reason."""

import collections
import datetime
import hashlib
import hmac
import logging
import urllib.parse
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from thyrocast import fileio, identity
from thyrocast.cohort import clinical, selection
from thyrocast.cohort.clinical import NO_IDENTIFIER, Patient
from thyrocast.cohort.outcome import DAYS_PER_MONTH
from thyrocast.cohort.selection import Candidate, Choice
from thyrocast.contract import columns as contract_columns
from thyrocast.dicom import pictures, terms
from thyrocast.dicom.frames import Scan, Verdict, judge
from thyrocast.dicom.header import Record
from thyrocast.dicom.index import index_folder

__all__ = ["NO_IDENTIFIER", "Registration", "register_center", "unquote_name", "write"]

LOG = logging.getLogger("thyrocast")
Settings = Mapping[str, Any]
Files = Sequence[tuple[str, Record, Verdict]]

REGISTER = (
    "patient", "center", "included", "reason", "source", "outcome",
    *contract_columns.CLINICAL,
    "state", "followup_months",
)  # fmt: skip
# Private: what standardization needs of a patient's scans, and keyed hashes by which one person is
# found in two centers.
SCANS = (
    "patient", "identifier", "rank", "file", "stamp", "frames", "kind", "view_by", "turn",
    "row_mm", "column_mm", "spacing_by", "duration_s", "duration_by", "tc_activity_mbq",
    "activity_by", "delay_min", "vendor", "camera", "collimator", "simulated", "flags",
    "syringe_file", "syringe_frame", "syringe_s", "syringe_min",
    "residual_file", "residual_frame", "residual_s", "residual_min",
    "person_identifier", "person_birth", "therapy_date",
)  # fmt: skip
OUTCOMES = (
    "patient",
    "identifier",
    "therapy_date",
    "visit_date",
    "state",
    "outcome",
    "reason",
)


@dataclass(frozen=True)
class Registration:
    """Rows of register.csv and of the private scans.csv and outcomes.csv, as column -> value."""

    register: list[dict[str, Any]]
    scans: list[dict[str, Any]]
    outcomes: list[dict[str, Any]]


def register_center(
    table: str | Path,
    folder: str | Path,
    center: Settings,
    cohort: Settings,
    key: bytes,
    index: str | Path,
    threads: int = 1,
) -> Registration:
    """Match a center's images to its clinical table and decide who is in.

    Parameters
    ----------
    table, folder
        Clinical table and DICOM export.
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
        If the table can't be used at all.
    """
    patients = clinical.read_clinical(str(table), center, cohort)
    LOG.info("center %s: %d patients in the clinical table", center["name"], len(patients))
    records = index_folder(folder, index, threads)
    by_patient = _by_patient(records, Path(folder), center, cohort)
    register: list[dict[str, Any]] = []
    scans: list[dict[str, Any]] = []
    outcomes: list[dict[str, Any]] = []
    for patient in patients:
        files = by_patient.pop(patient.identifier, []) if patient.identifier else []
        choice = selection.choose(files, patient.therapy, center, cohort)
        reason = patient.reason or choice.reason
        row = _register_row(patient, center, key, reason, "both" if files else "clinical")
        register.append(row)
        outcomes.append(_outcome_row(row, patient))
        if not reason:
            scans += _scan_rows(row["patient"], patient, choice, files, center, key, Path(folder))
    register += _without_table(by_patient, center, key)
    _tell_fallbacks(scans, center["name"])
    if not any(row["source"] == "both" for row in register):
        _tell_shapes([p.identifier for p in patients], by_patient, center["name"])
    _summarize(register, records, by_patient, center["name"])
    return Registration(register, scans, outcomes)


def _by_patient(
    records: Mapping[str, Record], folder: Path, center: Settings, cohort: Settings
) -> dict[str, list[tuple[str, Record, Verdict]]]:
    """Files by normalized PatientID (an empty one where the header has none)."""
    found: dict[str, list[tuple[str, Record, Verdict]]] = collections.defaultdict(list)
    reasons: collections.Counter[str] = collections.Counter()
    for name, header in records.items():
        record = header
        if center["accept"]["exports"] and pictures.is_picture(name):
            record = pictures.read_record(folder / name)
        verdict = judge(record, center, cohort)
        if verdict.reason:
            reasons[verdict.reason] += 1
        if "reason" in record:
            continue
        identifier = identity.normalize_identifier(
            str(record.get("PatientID") or ""), center["identifiers"]
        )
        found[identifier].append((name, record, verdict))
    for reason, count in reasons.most_common():
        LOG.info("center %s: %d files left out: %s", center["name"], count, reason)
    return found


def _register_row(
    patient: Patient, center: Settings, key: bytes, reason: str, source: str
) -> dict[str, Any]:
    name = center["name"]
    # A row without an identifier is told apart by its line; no identifier holds a line break.
    identifier = patient.identifier or f"\nrow {patient.line}"
    decided = patient.outcome
    return {
        "patient": identity.pseudonym(key, name, identifier),
        "center": name,
        "included": int(not reason),
        "reason": reason,
        "source": source,
        "outcome": "" if decided.cured is None else int(decided.cured),
        **patient.values,
        "state": decided.state,
        "followup_months": "" if decided.months is None else f"{decided.months:.1f}",
    }


def _outcome_row(row: Mapping[str, Any], patient: Patient) -> dict[str, Any]:
    """The thyroid state and the dates that an outcome came from."""
    visit = None
    if patient.therapy and patient.outcome.months:
        visit = patient.therapy + datetime.timedelta(
            days=round(patient.outcome.months * DAYS_PER_MONTH)
        )
    return {
        "patient": row["patient"],
        "identifier": patient.identifier,
        "therapy_date": patient.therapy,
        "visit_date": visit,
        "state": patient.outcome.state,
        "outcome": row["outcome"],
        "reason": patient.outcome.reason,
    }


def _without_table(
    by_patient: Mapping[str, Files], center: Settings, key: bytes
) -> Iterable[dict[str, Any]]:
    for identifier in sorted(by_patient):
        yield {
            "patient": identity.pseudonym(key, center["name"], identifier or "\nno PatientID"),
            "center": center["name"],
            "included": 0,
            "reason": "not in the clinical table"
            if identifier
            else "no identifier in the DICOM header",
            "source": "dicom",
        }


def _scan_rows(
    pseudonym: str,
    patient: Patient,
    choice: Choice,
    files: Files,
    center: Settings,
    key: bytes,
    folder: Path,
) -> list[dict[str, Any]]:
    first = choice.scans[0].record
    sex = patient.values.get("sex") or {"F": "female", "M": "male"}.get(
        str(first.get("PatientSex")), ""
    )
    birth = (
        patient.birth.strftime("%Y%m%d")
        if patient.birth
        else str(first.get("PatientBirthDate") or "")
    )
    # Where only the year is known or shown, people write the first of January.
    birth = "" if birth.endswith("0101") else birth
    person = {
        "person_identifier": _hash(key, "identifier", patient.identifier.lstrip("0")),
        "person_birth": _hash(key, "birth", birth, sex) if birth and sex else "",
        "therapy_date": patient.therapy.isoformat() if patient.therapy else "",
    }
    rows = []
    for rank, candidate in enumerate(choice.scans):
        row = _scan_row(candidate, center, folder)
        if patient.therapy and candidate.moment:
            row["days_before"] = (patient.therapy - candidate.moment.date()).days
        for kind, (file, frame, seconds, minutes) in selection.syringes(files, candidate).items():
            prefix = "syringe" if kind == "full" else "residual"
            row |= {
                f"{prefix}_file": quote_name(file),
                f"{prefix}_frame": frame,
                f"{prefix}_s": seconds,
                f"{prefix}_min": minutes,
            }
        rows.append(
            {"patient": pseudonym, "identifier": patient.identifier, "rank": rank, **row, **person}
        )
    return rows


def _scan_row(candidate: Candidate, center: Settings, folder: Path) -> dict[str, Any]:
    record, scan = candidate.record, candidate.scan
    fallbacks = center["fallbacks"]
    activity, delay = selection.injection(record, candidate.moment)
    text = f"{record.get('ImageComments')} {record.get('Manufacturer')} {record.get('ManufacturerModelName')}"
    return {
        "file": quote_name(candidate.name),
        "stamp": _stamp(folder / candidate.name),
        "frames": " ".join(map(str, scan.frames)),
        "kind": scan.kind,
        "view_by": scan.view_by,
        "turn": scan.turn,
        "row_mm": candidate.spacing[0],
        "column_mm": candidate.spacing[1],
        "spacing_by": candidate.spacing_by,
        **_duration(scan, fallbacks),
        "tc_activity_mbq": activity or fallbacks["tc_activity_mbq"],
        "activity_by": "header" if activity else "config" if fallbacks["tc_activity_mbq"] else "",
        "delay_min": delay,
        "vendor": terms.vendor(record),
        "camera": terms.camera(record),
        "collimator": terms.collimator(selection.detector(record, scan)),
        "simulated": int("simulat" in text.lower()),
        "flags": " ".join(scan.flags),
    }


def _duration(scan: Scan, fallbacks: Settings) -> dict[str, Any]:
    if scan.duration_s:
        return {"duration_s": scan.duration_s, "duration_by": "header"}
    if fallbacks["duration_s"] and scan.kind != "capture":
        return {"duration_s": fallbacks["duration_s"], "duration_by": "config"}
    return {}


def _stamp(path: Path) -> str:
    try:
        status = path.stat()
    except OSError:
        return ""
    return f"{status.st_size}-{status.st_mtime_ns}"


def _hash(key: bytes, kind: str, *parts: str) -> str:
    """Keyed hash of something about a person; empty where it is not known."""
    if not any(parts):
        return ""
    text = "\0".join(["person", kind, *parts])
    return hmac.new(key, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:24]


def quote_name(name: str) -> str:
    """A file's name as plain text that any table holds; `unquote_name` undoes it."""
    return urllib.parse.quote(name, safe="/ ", errors="surrogateescape")


def unquote_name(text: str) -> str:
    """The file's name that `quote_name` wrote."""
    return urllib.parse.unquote(text, errors="surrogateescape")


def _tell_fallbacks(scans: Sequence[Mapping[str, Any]], center: str) -> None:
    """How many of the chosen scans are what the config says in place of the header."""
    for column, what in (
        ("spacing_by", "pixel size"),
        ("duration_by", "duration"),
        ("activity_by", "injected activity"),
    ):
        count = sum(scan["rank"] == 0 and scan.get(column) == "config" for scan in scans)
        if count:
            LOG.warning("center %s: %d scans have their %s from the config", center, count, what)
    count = sum(scan["rank"] == 0 and scan["view_by"] == "fallback" for scan in scans)
    if count:
        LOG.warning("center %s: %d scans are taken as anterior by the config", center, count)


def _tell_shapes(table: Iterable[str], dicom: Iterable[str], center: str) -> None:
    """How the identifiers of table and images are built where none of them match, naming none."""
    shapes = [
        ", ".join(
            f"{shape} ({count})"
            for shape, count in collections.Counter(map(_shape, filter(None, side))).most_common(3)
        )
        for side in (table, dicom)
    ]
    if all(shapes):
        LOG.warning(
            "center %s: no identifier of the table is a PatientID of the images. 9 being a digit "
            "and A a letter, most identifiers look like %s in the table and like %s in the images "
            "(number of patients): if they are the same people, say in the center's block "
            "`identifiers` what tells them apart (strip_prefix, zero_pad, strip_zeros)",
            center, *shapes,
        )  # fmt: skip


def _shape(identifier: str) -> str:
    """Digits as 9, letters as A, all else that is printed as it is, no longer than a line holds."""
    mask = (
        "9" if c.isdigit() else "A" if c.isalpha() else c if c.isascii() else "?"
        for c in identifier
    )
    return "".join(mask)[:32]


def _summarize(
    register: Sequence[Mapping[str, Any]],
    records: Mapping[str, Record],
    by_patient: Mapping[str, Files],
    center: str,
) -> None:
    included = sum(row["included"] for row in register)
    LOG.info(
        "center %s: %d files, %d patients, %d of them in",
        center,
        len(records),
        len(register),
        included,
    )
    if "" in by_patient:
        LOG.warning("center %s: %d files without a PatientID", center, len(by_patient[""]))
    reasons = collections.Counter(row["reason"] for row in register if row["reason"])
    for reason, count in reasons.most_common():
        LOG.info("center %s: %d patients out: %s", center, count, reason)


def write(registration: Registration, register: str | Path, scans: str | Path) -> None:
    """Write register.csv and, readable for their owner alone, scans.csv and outcomes.csv."""
    private = Path(scans)
    private.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    private.parent.chmod(0o700)
    kept = private.with_name("outcomes.csv")
    fileio.write_csv(private, SCANS, registration.scans)
    fileio.write_csv(kept, OUTCOMES, registration.outcomes)
    private.chmod(0o600)
    kept.chmod(0o600)
    fileio.write_csv(register, REGISTER, registration.register)
