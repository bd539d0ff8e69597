"""One simulated hospital: its folder of images, its clinical table and, separately, the truth."""

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from thyrocast.config.simulated_export import TableColumn
from thyrocast.config.simulation import RiskConfig, SimulatedCenterConfig
from thyrocast.contract import io
from thyrocast.contract.names import SimulatedStatus
from thyrocast.contract.simulation import TRUTH
from thyrocast.errors import InputError
from thyrocast.simulation import export, objects, physiology, scanning
from thyrocast.simulation.export import Record
from thyrocast.simulation.objects import SimulatedScan
from thyrocast.simulation.people import SimulatedPerson, build_people, draw_statuses
from thyrocast.simulation.physiology import SimulatedPatients
from thyrocast.simulation.site import Site

logger = logging.getLogger("thyrocast")

README = """Export of the nuclear medicine department (SIMULATED: no patient exists behind it).
Scintigrams before and after therapy, as they came out of the archive.
"""
#: Further images of some patients, by the names in the config.
EXTRAS = ("later", "iodine", "syringe", "capture")
#: Standard deviation of the logarithm of a mass by ultrasound.
ULTRASOUND_ERROR = 0.15
#: Measurements of the table that may be blank.
MAY_BE_BLANK = (
    TableColumn.GLAND_MASS,
    TableColumn.TRAB,
    TableColumn.FT4,
    TableColumn.FT3,
    TableColumn.UPTAKE_24H,
    TableColumn.ORBITOPATHY,
    TableColumn.SMOKING,
)


def simulate(
    name: str,
    config: SimulatedCenterConfig,
    risk: RiskConfig,
    seed: int,
    folder: Path,
    truth: Path,
) -> None:
    """Write a center's export and, separately, the truth about its patients.

    Parameters
    ----------
    name
        The center's name.
    config
        The center's config.
    risk
        Intercept and coefficients of the true risk (`physiology.cure_probability`).
    seed
        The cohort's seed, from which seeds of centers and patients are derived, so that no center
        changes another one.
    folder
        Folder to write ``dicom/`` and the clinical table to.
    truth
        TRUTH table to write.

    Raises
    ------
    InputError
        If the config asks for more extra images than there are patients, or two images have the
        same path.
    """
    site = Site(name, config, seed)
    rng = site.generator()
    statuses = draw_statuses(site, rng)
    patients = physiology.draw(len(statuses), config.case_mix, config.treatment, risk, rng)
    numbers = rng.permutation(10_000 + np.cumsum(rng.integers(1, 60, len(statuses))))
    people = build_people(site, statuses, numbers, patients)
    _write_images(folder / "dicom", site, people, patients, rng)
    listed = [person for person in people if person.status is not SimulatedStatus.DICOM_ONLY]
    records = [_record(person, site, patients) for person in listed]
    export.write(folder / config.table.file, records, config.table)
    io.write(TRUTH, io.build(TRUTH, [_true(p, site, patients) for p in people]), truth)


def _write_images(
    folder: Path,
    site: Site,
    people: list[SimulatedPerson],
    patients: SimulatedPatients,
    rng: np.random.Generator,
) -> None:
    """Write all scans, and the extra images, which a registration must distinguish from them."""
    folder.mkdir(parents=True, exist_ok=True)
    chosen = _choose_extras(site, people, rng)
    scanned = [person for person in people if person.status is not SimulatedStatus.TABLE_ONLY]
    for done, person in enumerate(scanned, start=1):
        files = list(scanning.scans(person, site, "scintigraphy"))
        for scan in files:
            _save(folder, person, scan, site)
        if person.index in chosen["syringe"]:
            _save(folder, person, scanning.syringe_scan(person, site), site)
        if person.index in chosen["capture"]:
            capture = replace(files[0], series=80, description="Screen")
            _save(folder, person, capture, site, capture=True)
        if person.index in chosen["later"]:
            for scan in scanning.later_scans(person, site, patients):
                _save(folder, person, scan, site)
        if person.index in chosen["iodine"]:
            _save(folder, person, scanning.iodine_scan(person, site, patients), site)
        if done % 25 == 0 or done == len(scanned):
            logger.info("%d / %d patients imaged", done, len(scanned))
    if site.config.extras.readme:
        (folder / "README.txt").write_text(README, encoding="utf-8")


def _choose_extras(
    site: Site, people: list[SimulatedPerson], rng: np.random.Generator
) -> dict[str, set[int]]:
    """Choose the patients with each kind of extra image."""
    complete = [p.index for p in people if p.status is SimulatedStatus.COMPLETE]
    counts = {extra: int(getattr(site.config.extras, extra)) for extra in EXTRAS}
    for extra, count in counts.items():
        if count > len(complete):
            raise InputError(
                f"center {site.name}, key extras.{extra}: {count} patients, but only "
                f"{len(complete)} patients have scan and outcome: set a smaller number"
            )
    return {
        extra: set(rng.choice(complete, count, replace=False).tolist())
        for extra, count in counts.items()
    }


def _save(
    folder: Path, person: SimulatedPerson, scan: SimulatedScan, site: Site, capture: bool = False
) -> None:
    names = (site.seed, site.name, person.number, scan.study, scan.series, "file")
    path = folder / site.config.header.files.format(
        patient=person.subject.identifier,
        number=person.number,
        study=scan.study,
        date=f"{scan.started:%Y%m%d}",
        series=scan.series,
        uid=objects.unique_identifier(*names),
    )
    if path.exists():
        raise InputError(
            f"center {site.name}, key header.files: two images would have the path {path.name}: "
            "add {study}, {series} or {uid} to the path"
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = objects.write_capture if capture else objects.write_image
    writer(path, person.subject, scan, site)


def _record(person: SimulatedPerson, site: Site, patients: SimulatedPatients) -> Record:
    """Return the patient's row of the clinical table, in our columns and units."""
    i, rng, table = person.index, person.rng, site.config.table
    record: Record = {
        TableColumn.PATIENT: table.identifier.format(number=person.number),
        TableColumn.SEX: str(patients.sex[i]),
        TableColumn.AGE: float(patients.age[i]),
        TableColumn.GLAND_MASS: float(patients.mass[i] * np.exp(rng.normal(0.0, ULTRASOUND_ERROR))),
        TableColumn.ACTIVITY: float(patients.activity[i]),
        TableColumn.TRAB: float(patients.trab[i]),
        TableColumn.FT4: float(patients.ft4[i]),
        TableColumn.FT3: float(patients.ft3[i]),
        TableColumn.UPTAKE_24H: float(patients.uptake_24h[i]),
        TableColumn.ANTITHYROID_DRUG: str(patients.antithyroid_drug[i]),
        TableColumn.ORBITOPATHY: str(patients.orbitopathy[i]),
        TableColumn.SMOKING: str(patients.smoking[i]),
        TableColumn.WITHDRAWAL_DAYS: int(patients.withdrawal_days[i]),
        TableColumn.THERAPY_DATE: person.therapy,
        TableColumn.REMARK: "SIMULATED",
    }
    for column in MAY_BE_BLANK:
        if rng.random() < table.missing:
            record[column] = None
    codes = table.outcome.cured if patients.outcome[i] else table.outcome.not_cured
    # The first of several codes is the most frequent, as hypothyroidism among the cured.
    weights = 1.0 / np.arange(1, len(codes) + 1)
    code = str(codes[int(rng.choice(len(codes), p=weights / weights.sum()))])
    record[TableColumn.OUTCOME] = None if person.status is SimulatedStatus.LOST else code
    return record


def _true(person: SimulatedPerson, site: Site, patients: SimulatedPatients) -> dict[str, Any]:
    """Return the patient's row of the TRUTH table."""
    i = person.index
    return {
        "patient": site.config.table.identifier.format(number=person.number),
        "dicom_patient": person.subject.identifier,
        "status": person.status,
        "probability": patients.probability[i],
        "outcome": patients.outcome[i],
        "gland_mass": patients.mass[i],
        "uptake": patients.uptake[i],
        "heterogeneity": patients.heterogeneity[i],
        "activity": patients.activity[i],
    }
