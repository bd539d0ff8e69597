"""Write a center's included patients as a package for a study at another site.

The package is what the center itself would analyze: it is read like a center's data after it is
written, and a patient of whom other scans, or another outcome, would be used is left out.
"""

import collections
import datetime
import logging
import math
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from pydicom.filewriter import dcmwrite

from thyrocast import fileio
from thyrocast.cohort.deidentify import ORIGINAL, Disguise, RefusedError, dataset_of, refusal
from thyrocast.cohort.package_table import THERAPY_DAY, PackageTable, without_patterns
from thyrocast.cohort.registration import Registration, register_center
from thyrocast.config.center import CenterConfig
from thyrocast.config.cohort import CohortConfig
from thyrocast.config.reading import read_block
from thyrocast.contract import io
from thyrocast.contract.names import ValueSource
from thyrocast.dicom.acquisition import acquired, has_clock, zone
from thyrocast.dicom.elements import Header
from thyrocast.dicom.exclusion import frame_count
from thyrocast.dicom.frames import FileVerdict, judge
from thyrocast.dicom.header import read_elements, read_header
from thyrocast.dicom.names import unquote_name
from thyrocast.dicom.pixels import PixelError, read_stored

LOG = logging.getLogger("thyrocast")
# Descriptions, of which the first is used with which a file means the same.
_DESCRIPTIONS = (
    "Thyroid", "Thyroid anterior", "Syringe full", "Syringe residual", "Syringe", "",
)  # fmt: skip
# Hour of the first image of a day.
_FIRST_HOUR = datetime.timedelta(hours=8)
_LATEST = datetime.timedelta(hours=15)
#: What must be the same in the package for each scan of a patient.
_COMPARED = (
    "frames", "kind", "turn", "row_mm", "column_mm", "spacing_by", "duration_s", "duration_by",
    "tc_activity_mbq", "delay_min", "vendor", "camera", "collimator", "simulated", "days_before",
    "syringe_frame", "syringe_s", "syringe_min", "residual_frame", "residual_s", "residual_min",
)  # fmt: skip


def package_center(
    center: CenterConfig, cohort: CohortConfig, key: bytes, index: Path, target: Path, threads: int
) -> int:
    """Register a center and write its package; see `write_package`.

    Parameters
    ----------
    center, cohort
        The center's block and the cohort's block of the config.
    key, target
        As in `write_package`.
    index, threads
        As in `thyrocast.cohort.registration.register_center`.
    """
    registration = register_center(center, cohort, key, index, threads)
    return write_package(registration, center, cohort, key, target)


def write_package(
    registration: Registration,
    center: CenterConfig,
    cohort: CohortConfig,
    key: bytes,
    target: Path,
) -> int:
    """Write the package of a center's included patients, in place of an earlier one.

    Parameters
    ----------
    registration
        As `thyrocast.cohort.registration.register_center` returns it.
    center, cohort
        The center's block and the cohort's block of the config.
    key
        Secret of the pseudonyms; unique identifiers are derived from it too.
    target
        Folder for ``dicom/``, ``clinical.csv`` and ``center.yaml``, the block for another config.

    Returns
    -------
    int
        Number of patients in the package; patients who are left out are logged.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".package.") as name:
        new = Path(name)
        (new / "dicom").mkdir()
        writer = _Writer(center, cohort, key, new / "dicom")
        written = {}
        for patient, rows in _rows(registration):
            try:
                written[patient] = writer.write(patient, rows, _sex(registration, patient))
            except (RefusedError, PixelError) as error:
                LOG.warning("center %s, %s: not in the package: %s", center.name, patient, error)
                shutil.rmtree(new / "dicom" / patient, ignore_errors=True)
        table = PackageTable(center)
        _write_table(table, registration, list(written), new)
        differing = _differing(registration, written, table, cohort, new) if written else {}
        if differing:
            for patient, reason in differing.items():
                LOG.warning(
                    "center %s, %s: not in the package, since the other site would use %s than this center; "
                    "expected the same: please report this", center.name, patient, reason,
                )  # fmt: skip
                shutil.rmtree(new / "dicom" / patient)
                del written[patient]
            table = PackageTable(center)
            _write_table(table, registration, list(written), new)
        _replace(target, new)
    return len(written)


def _rows(registration: Registration) -> Iterator[tuple[str, list[dict[Any, Any]]]]:
    """Yield the scans of each included patient, best first; None for what is not known."""
    scans = registration.scans.astype(object).where(registration.scans.notna(), None)
    by_patient: dict[str, list[dict[Any, Any]]] = collections.defaultdict(list)
    for row in scans.to_dict("records"):
        by_patient[row["patient"]].append(row)
    yield from by_patient.items()


def _sex(registration: Registration, patient: str) -> str | None:
    value = registration.patients[patient].values.get("sex")
    return None if value is None else str(value)


@dataclass(frozen=True)
class _Writer:
    """Writes the objects of a patient."""

    center: CenterConfig
    cohort: CohortConfig
    key: bytes
    folder: Path

    def write(
        self, patient: str, rows: Sequence[Mapping[Any, Any]], sex: str | None
    ) -> dict[str, str]:
        """Write every file with a scan of a patient, or an image of a syringe.

        Returns
        -------
        dict
            Name in the package by the file's name in SCANS.

        Raises
        ------
        RefusedError
            If the best scan, or an image of a syringe, must not leave the center.
        """
        syringes = [row[name] for row in rows for name in ("syringe_file", "residual_file")]
        names = list(dict.fromkeys([*(row["file"] for row in rows), *filter(None, syringes)]))
        headers = {name: self._header(name) for name in names}
        moments = _shifted(_in_one_zone(headers, rows[0]["file"]), rows[0])
        first = {row["file"]: row for row in reversed(rows)}
        written: dict[str, str] = {}
        for number, name in enumerate(names, 1):
            row = first.get(name, {})
            disguise = Disguise(
                patient, sex, number, moments[name], "",
                None if row.get("activity_by") == ValueSource.CONFIG else row.get("tc_activity_mbq"),
                row.get("delay_min"),
                row.get("collimator") == "pinhole",
            )  # fmt: skip
            try:
                self._write(name, headers[name], disguise)
            except (RefusedError, PixelError) as error:
                if name == rows[0]["file"]:
                    raise
                if name in syringes:
                    raise RefusedError(f"its image of the syringe: {error}") from error
                LOG.warning(
                    "center %s, %s: scan %d of %d is not in the package: %s. If the scans before it show no thyroid, "
                    "the patient is excluded at the other site", self.center.name, patient, number, len(names), error,
                )  # fmt: skip
            else:
                written[name] = f"{patient}/{number:02}.dcm"
        return written

    def _header(self, name: str) -> Header:
        return read_header(Path(self.center.dicom) / unquote_name(name))

    def _write(self, name: str, header: Header, disguise: Disguise) -> None:
        count = frame_count(header)
        if header.reason:
            raise RefusedError(f"a picture or capture, whose pixels may show a name; {ORIGINAL}")
        path = Path(self.center.dicom) / unquote_name(name)
        pixels = read_stored(path, count, self.cohort.max_pixels)
        if reason := refusal(header, pixels):
            raise RefusedError(reason)
        before = judge(header, self.center, self.cohort)
        tried = []
        for description in _DESCRIPTIONS:
            dataset = dataset_of(
                header, pixels, replace(disguise, description=description), self.key
            )
            tried.append((dataset, self._judge(dataset, header)))
        same = [data for data, after in tried if after == before]
        alike = [data for data, after in tried if _essence(after) == _essence(before)]
        if not (same or alike):
            raise RefusedError(
                "an image of which only a text of the center states the meaning; expected a code or a usual word for "
                "the view or the syringe: correct the description in the export"
            )
        target = self.folder / disguise.patient / f"{disguise.number:02}.dcm"
        target.parent.mkdir(parents=True, exist_ok=True)
        with fileio.atomic(target) as temporary:
            dcmwrite(temporary, (same or alike)[0], enforce_file_format=True)

    def _judge(self, dataset: Any, header: Header) -> FileVerdict:
        size = len(dataset.PixelData)
        written = Header(read_elements(dataset), "", "", size, irreversible=header.irreversible)
        return judge(written, without_patterns(self.center), self.cohort)


def _essence(verdict: FileVerdict) -> tuple[Any, ...]:
    """Return what decides which frames are used, without how the view was identified."""
    scans = [(s.frames, s.kind, s.turn, s.detector, s.duration_s) for s in verdict.scans]
    return scans, verdict.syringe


def _in_one_zone(headers: Mapping[str, Header], best: str) -> dict[str, datetime.datetime | None]:
    """Return when images were acquired, by the clock of the best scan, as a package states no time zones."""
    moments = {name: acquired(header) for name, header in headers.items()}
    own = zone(headers[best])
    for name, header in headers.items():
        moment, other = moments[name], zone(header)
        if moment and has_clock(moment) and own is not None and other is not None:
            moments[name] = moment + (own - other)
    return moments


def _shifted(
    moments: Mapping[str, datetime.datetime | None], best: Mapping[Any, Any]
) -> dict[str, datetime.datetime | None]:
    """Return the times of a patient's images, moved so that the therapy is on `THERAPY_DAY`.

    Without a therapy date, the first image is on that day. Within a day the intervals are kept.
    """
    known = [moment for moment in moments.values() if moment]
    if not known:
        return dict(moments)
    therapy = best["therapy_date"]
    day = datetime.date.fromisoformat(therapy) if therapy else min(known).date()
    first: dict[datetime.date, datetime.timedelta] = {}
    for one in known:
        clock = one - datetime.datetime.combine(one.date(), datetime.time())
        first[one.date()] = min(clock, first.get(one.date(), clock))
    moved: dict[str, datetime.datetime | None] = {}
    for name, moment in moments.items():
        moved[name] = None
        if moment is None:
            continue
        midnight = datetime.datetime.combine(moment.date(), datetime.time())
        after = moment - midnight - first[moment.date()]
        # A day that is longer than that keeps its clock.
        late = max(m - midnight for m in known if m.date() == moment.date())
        fits = late - first[moment.date()] <= _LATEST
        clock = _FIRST_HOUR + after if fits else moment - midnight
        start = datetime.datetime.combine(THERAPY_DAY, datetime.time())
        moved[name] = start + (moment.date() - day) + clock
    return moved


def _write_table(
    table: PackageTable, registration: Registration, patients: Sequence[str], folder: Path
) -> None:
    frame = table.build(registration, patients)
    io.write(table.table(), frame, folder / "clinical.csv")
    with fileio.atomic(folder / "center.yaml") as temporary:
        temporary.write_text(
            yaml.safe_dump({"centers": [table.block()]}, sort_keys=False), encoding="utf-8"
        )


def _differing(
    registration: Registration,
    written: Mapping[str, Mapping[str, str]],
    table: PackageTable,
    cohort: CohortConfig,
    folder: Path,
) -> dict[str, str]:
    """Register the package; return the patients of whom something else would be used, and what."""
    files = {"dicom": str(folder / "dicom"), "clinical": str(folder / "clinical.csv")}
    center = read_block(CenterConfig, table.block() | files)
    level = LOG.level
    LOG.setLevel(logging.ERROR)  # everything was logged before
    try:
        with tempfile.TemporaryDirectory() as index:
            there = register_center(center, cohort, b"another site's key", index)
    finally:
        LOG.setLevel(level)
    after = {rows[0]["identifier"]: rows for _, rows in _rows(there)}
    outcomes = dict(zip(_identifiers(there), there.register["outcome"], strict=False))
    register = registration.register.set_index("patient")
    found = {}
    for patient, rows in _rows(registration):
        if patient not in written:
            continue
        names = written[patient]
        expected = [_fingerprint(row, names) for row in rows if row["file"] in names]
        identifier = patient.upper()
        got = [_fingerprint(row, None) for row in after.get(identifier, [])]
        if not _alike(expected, got):
            found[patient] = "other scans"
        elif not _same(register.loc[patient, "outcome"], outcomes.get(identifier)):
            found[patient] = "another outcome"
    return found


def _identifiers(registration: Registration) -> list[str]:
    return [registration.patients[p].identifier for p in registration.register["patient"]
            if p in registration.patients]  # fmt: skip


def _alike(expected: Sequence[tuple[Any, ...]], got: Sequence[tuple[Any, ...]]) -> bool:
    """Return whether the same is used; a decimal string (PS3.5 6.2, DS) has 16 characters."""
    if [len(one) for one in expected] != [len(other) for other in got]:
        return False
    pairs = ((a, b) for one, other in zip(expected, got, strict=True)
             for a, b in zip(one, other, strict=True))  # fmt: skip
    return all(
        math.isclose(a, b, rel_tol=1e-9)
        if isinstance(a, float) and isinstance(b, float)
        else a == b
        for a, b in pairs
    )


def _same(one: Any, other: Any) -> bool:
    return bool((pd.isna(one) and pd.isna(other)) or one == other)


def _fingerprint(row: Mapping[Any, Any], names: Mapping[str, str] | None) -> tuple[Any, ...]:
    """Return what is used of a scan; files by their names in the package."""
    files = [row[name] for name in ("file", "syringe_file", "residual_file")]
    if names is not None:
        files = [names.get(file) if file else None for file in files]
    return (*files, *(row[name] for name in _COMPARED))


def _replace(target: Path, new: Path) -> None:
    """Put a new package in place of an earlier one; nothing else in the folder is touched."""
    target.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(target / "dicom", ignore_errors=True)
    for name in ("dicom", "clinical.csv", "center.yaml"):
        shutil.move(new / name, target / name)
