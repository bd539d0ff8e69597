"""One simulated hospital: its patients, its scans, its folder, its table, and the truth apart."""

import datetime
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thyrocast import fileio, seeds
from thyrocast.errors import InputError
from thyrocast.simulation import anatomy, camera, export, objects, physiology
from thyrocast.simulation.objects import Scan, Subject

logger = logging.getLogger("thyrocast")
Values = NDArray[np.int64]

TRUTH = (
    "patient",
    "dicom_patient",
    "status",
    "probability",
    "outcome",
    "gland_mass",
    "uptake",
    "heterogeneity",
    "activity",
)
README = """Export of the nuclear medicine department (SIMULATED: no patient exists behind it).
Scintigrams before and after therapy, as they came out of the archive.
"""
GIVEN_NAMES = ("Anna", "Maria", "Lena", "Ines", "Clara", "Paul", "Jonas", "Luis", "Peter", "Marta")


@dataclass(frozen=True)
class _Person:
    """A patient: ``activity`` MBq of Tc-99m at ``injected``, the scan ``delay`` minutes later."""

    index: int
    status: str
    number: int
    subject: Subject
    injected: datetime.datetime
    therapy: datetime.date
    activity: float
    delay: float
    neck: anatomy.Neck
    rng: np.random.Generator


def _camera(block: Mapping[str, Any]) -> camera.Camera:
    names = ("matrix", "pixel_mm", "sensitivity", "resolution_mm", "distance_mm")
    return camera.Camera(**{name: block["camera"][name] for name in names})


def _statuses(block: Mapping[str, Any], rng: np.random.Generator) -> list[str]:
    names = ("complete", "lost", "table_only", "dicom_only")
    counts = (block["patients"], block["lost"], block["table_only"], block["dicom_only"])
    return [str(s) for s in rng.permutation(np.repeat(names, counts))]


def _birth(therapy: datetime.date, age: int, name: str, taken: set[datetime.date]) -> datetime.date:
    """Find a birth date that nobody shares.

    Two patients with one birth date and sex may be one person, for whom a study rightly stops.
    Centers keep to days of their own, so that one center's dates need not know another's.
    """
    days = 61
    latest = therapy.replace(year=therapy.year - age, day=min(therapy.day, 28)).toordinal()
    first = latest - (latest - seeds.derive(0, name, "birth")) % days
    steps = range(365 // days)
    dates = [datetime.date.fromordinal(first - days * step) for step in steps]
    birth = next((date for date in dates if date not in taken), dates[0])
    taken.add(birth)
    return birth


def _people(
    statuses: list[str],
    numbers: Values,
    patients: physiology.Patients,
    name: str,
    block: Mapping[str, Any],
) -> list[_Person]:
    """Everything about one patient follows from the center's name and the patient's index."""
    people, plan = [], block["scintigraphy"]
    taken: set[datetime.date] = set()
    first = datetime.date(block["years"][0], 1, 1)
    days = (datetime.date(block["years"][1] + 1, 1, 1) - first).days
    for index, (status, number) in enumerate(zip(statuses, numbers.tolist(), strict=True)):
        rng = np.random.default_rng(seeds.derive(block["seed"], name, "patient", index))
        therapy = first + datetime.timedelta(days=int(rng.integers(days)))
        day = therapy - datetime.timedelta(days=int(rng.integers(1, 29)))
        injected = datetime.datetime.combine(day, datetime.time(8))
        subject = Subject(
            identifier=block["header"]["identifier"].format(number=number),
            name=f"Simulated^{GIVEN_NAMES[index % len(GIVEN_NAMES)]} {name.title()}{number}",
            sex=str(patients.sex[index]),
            birth=_birth(therapy, int(patients.age[index]), name, taken),
        )
        people.append(
            _Person(
                index=index,
                status=status,
                number=number,
                subject=subject,
                injected=injected + datetime.timedelta(minutes=int(rng.integers(480))),
                therapy=therapy,
                activity=float(rng.uniform(*plan["activity_mbq"])),
                delay=round(float(rng.uniform(*plan["delay_min"])), 1),
                neck=anatomy.build(
                    float(patients.mass[index]),
                    float(patients.uptake[index]),
                    float(patients.heterogeneity[index]),
                    rng,
                ),
                rng=rng,
            )
        )
    return people


def scans(
    person: _Person, block: Mapping[str, Any], study: str, description: str = ""
) -> Iterator[Scan]:
    """Image one patient's gland, a scan a file; ``description`` leads the series' names."""
    plan, device = block["scintigraphy"], _camera(block)
    started = person.injected + datetime.timedelta(minutes=person.delay)
    left = person.activity * camera.decay(person.delay)
    rates = {view: camera.count_rate(person.neck, view, device, left) for view in plan["views"]}
    seconds = float(plan["duration_s"])
    if plan["stop"] == "counts":
        # All heads stop when the one in front has its counts.
        seconds = float(np.clip(plan["counts"] / rates["anterior"].sum(), 30.0, 1200.0))
        seconds = round(seconds, 3)
    names = block["header"]["series_descriptions"]
    together = plan["files"] == "one"
    for series, views in enumerate(
        [plan["views"]] if together else [[v] for v in plan["views"]], 1
    ):
        # Frames need not stand in the order of the detectors: only the vector tells.
        order = list(range(1, len(views) + 1))
        if plan["reverse_frames"]:
            order.reverse()
        yield Scan(
            pixels=np.stack(
                [camera.acquire(rates[views[item - 1]], seconds, person.rng) for item in order]
            ),
            views=views,
            detectors=order,
            pixel_mm=device.pixel_mm,
            seconds=seconds,
            started=started + datetime.timedelta(seconds=int((series - 1) * (seconds + 60))),
            description=f"{description} {names['all' if len(views) > 1 else views[0]]}".strip(),
            study=study,
            series=series,
            injected=person.injected,
            activity_mbq=person.activity,
            stopped_by="CNTS" if plan["stop"] == "counts" else "TIME",
        )


def _later_scans(
    person: _Person, patients: physiology.Patients, block: Mapping[str, Any]
) -> Iterator[Scan]:
    """Image the gland half a year after therapy: it has shrunk, more so if cured."""
    i, rng = person.index, person.rng
    rest = 0.3 if patients.outcome[i] else 0.75
    day = person.therapy + datetime.timedelta(days=int(rng.integers(150, 260)))
    neck = anatomy.build(
        float(patients.mass[i]) * rest,
        float(patients.uptake[i]) * rest,
        float(patients.heterogeneity[i]),
        rng,
    )
    later = replace(
        person, injected=datetime.datetime.combine(day, datetime.time(9, 30)), neck=neck
    )
    yield from scans(later, block, "followup", block["header"]["series_descriptions"]["later"])


def _iodine_scan(person: _Person, patients: physiology.Patients, block: Mapping[str, Any]) -> Scan:
    """Image the therapy's iodine in the whole body, some days after it."""
    given = datetime.datetime.combine(person.therapy, datetime.time(10))
    started = given + datetime.timedelta(days=int(person.rng.integers(3, 8)))
    rows, columns, pixel = 512, 128, 4.0
    y = (np.arange(rows) - 90)[:, None] * pixel
    x = (np.arange(columns) - (columns - 1) / 2)[None, :] * pixel
    body = 0.15 * np.exp(-((x / 150.0) ** 6)) * ((y > -160) & (y < 1500))
    gland = 400.0 * np.exp(-(np.square(np.abs(x) - 18.0) / 300.0 + np.square(y) / 900.0))
    bladder = 15.0 * np.exp(-(np.square(x) + np.square(y - 700.0)) / 2500.0)
    frame = camera.acquire(np.asarray(body + gland + bladder), 1.0, person.rng)
    return Scan(
        pixels=np.stack([frame, frame[:, ::-1] // 2]),
        views=["anterior", "posterior"],
        detectors=[1, 2],
        pixel_mm=pixel,
        seconds=900.0,
        started=started,
        description=block["header"]["series_descriptions"]["iodine"],
        study="iodine",
        series=1,
        nuclide="I-131",
        injected=given,
        activity_mbq=float(patients.activity[person.index]),
        whole_body=True,
    )


def _syringe_scan(person: _Person, block: Mapping[str, Any]) -> Scan:
    """Image the syringe before injection, under the patient's own study."""
    device = _camera(block)
    full = person.activity / camera.decay(10.0)
    return Scan(
        pixels=camera.acquire(camera.syringe(device, full), 10.0, person.rng)[None],
        views=["anterior"],
        detectors=[1],
        pixel_mm=device.pixel_mm,
        seconds=10.0,
        started=person.injected - datetime.timedelta(minutes=10),
        description=block["header"]["series_descriptions"]["syringe"],
        study="scintigraphy",
        series=90,
    )


def _save(
    folder: Path,
    person: _Person,
    scan: Scan,
    name: str,
    block: Mapping[str, Any],
    capture: bool = False,
) -> None:
    path = folder / block["header"]["files"].format(
        patient=person.subject.identifier,
        number=person.number,
        study=scan.study,
        date=f"{scan.started:%Y%m%d}",
        series=scan.series,
        uid=objects.unique_identifier(
            block["seed"], name, person.number, scan.study, scan.series, "file"
        ),
    )
    if path.exists():
        raise InputError(
            f"center {name}, key header.files: two images would be {path.name}: add {{study}}, "
            "{series} or {uid} to the path"
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = objects.write_capture if capture else objects.write_image
    writer(path, person.subject, scan, name, block)


def _record(
    person: _Person, patients: physiology.Patients, block: Mapping[str, Any]
) -> dict[str, Any]:
    """Give the patient's row of the clinical table, in our columns and units."""
    i, rng, settings = person.index, person.rng, block["table"]
    record: dict[str, Any] = {
        "patient": settings["identifier"].format(number=person.number),
        "sex": str(patients.sex[i]),
        "age": float(patients.age[i]),
        # Ultrasound is right within some 15 %.
        "gland_mass": float(patients.mass[i] * np.exp(rng.normal(0.0, 0.15))),
        "remark": "SIMULATED",
        "therapy_date": person.therapy,
    }
    for column in ("activity", "trab", "ft4", "ft3", "uptake_24h"):
        record[column] = float(getattr(patients, column)[i])
    for column in ("antithyroid_drug", "orbitopathy", "smoking"):
        record[column] = str(getattr(patients, column)[i])
    record["withdrawal_days"] = int(patients.withdrawal_days[i])
    for column in ("gland_mass", "trab", "ft4", "ft3", "uptake_24h", "orbitopathy", "smoking"):
        if rng.random() < settings["missing"]:
            record[column] = None
    codes = settings["outcome"]["cured" if patients.outcome[i] else "not_cured"]
    # Of several codes the first is the commonest, as hypothyroidism is among the cured.
    weights = 1.0 / np.arange(1, len(codes) + 1)
    record["outcome"] = str(codes[int(rng.choice(len(codes), p=weights / weights.sum()))])
    if person.status == "lost":
        record["outcome"] = None
    return record


def _write_images(
    folder: Path,
    people: list[_Person],
    patients: physiology.Patients,
    name: str,
    block: Mapping[str, Any],
    rng: np.random.Generator,
) -> None:
    """Write everybody's scans, and beside them what a registrar must tell from the scans."""
    folder.mkdir(parents=True, exist_ok=True)
    scanned = [person for person in people if person.status != "table_only"]
    complete = [person.index for person in people if person.status == "complete"]
    for extra, count in block["extras"].items():
        if count > len(complete):
            raise InputError(
                f"center {name}, key extras.{extra}: {count} patients, but only {len(complete)} "
                "have scan and outcome: give fewer"
            )
    chosen = {
        extra: set(rng.choice(complete, count, replace=False).tolist())
        for extra, count in block["extras"].items()
        if extra != "readme"
    }
    for done, person in enumerate(scanned, start=1):
        files = list(scans(person, block, "scintigraphy"))
        for scan in files:
            _save(folder, person, scan, name, block)
        if person.index in chosen["syringe"]:
            _save(folder, person, _syringe_scan(person, block), name, block)
        if person.index in chosen["capture"]:
            capture = replace(files[0], series=80, description="Screen")
            _save(folder, person, capture, name, block, capture=True)
        if person.index in chosen["later"]:
            for scan in _later_scans(person, patients, block):
                _save(folder, person, scan, name, block)
        if person.index in chosen["iodine"]:
            _save(folder, person, _iodine_scan(person, patients, block), name, block)
        if done % 25 == 0 or done == len(scanned):
            logger.info("%d / %d patients imaged", done, len(scanned))
    if block["extras"]["readme"]:
        (folder / "README.txt").write_text(README, encoding="utf-8")


def _true(person: _Person, patients: physiology.Patients, block: Mapping[str, Any]) -> list[str]:
    """Give the patient's row of the truth file (`TRUTH`)."""
    i = person.index
    values = (
        patients.probability[i],
        patients.outcome[i],
        patients.mass[i],
        patients.uptake[i],
        patients.heterogeneity[i],
        patients.activity[i],
    )
    identifier = block["table"]["identifier"].format(number=person.number)
    return [
        identifier,
        person.subject.identifier,
        person.status,
        *(f"{value:.6g}" for value in values),
    ]


def simulate(
    name: str,
    block: Mapping[str, Any],
    outcome: Mapping[str, Any],
    seed: int,
    folder: Path,
    truth: Path,
) -> None:
    """Write a center's export and, apart from it, the truth about its patients.

    Parameters
    ----------
    name
        The center's name.
    block
        Its settings: a `thyrocast.config.simulation.SimulatedCenterConfig` as plain data.
    outcome
        Intercept and coefficients of the true risk (`physiology.cure_probability`).
    seed
        The cohort's seed; center and patient get theirs from it, so that no center changes another.
    folder
        Takes ``dicom/`` and the clinical table.
    truth
        CSV with the columns `TRUTH`: status is complete, lost (no outcome in the table),
        table_only or dicom_only.
    """
    block = {**block, "seed": seed}
    rng = np.random.default_rng(seeds.derive(seed, name))
    statuses = _statuses(block, rng)
    patients = physiology.draw(len(statuses), block["case_mix"], block["treatment"], outcome, rng)
    numbers = rng.permutation(10_000 + np.cumsum(rng.integers(1, 60, len(statuses))))
    people = _people(statuses, numbers, patients, name, block)
    _write_images(folder / "dicom", people, patients, name, block, rng)
    records = [_record(p, patients, block) for p in people if p.status != "dicom_only"]
    export.write(folder / block["table"]["file"], records, block["table"])
    fileio.write_csv(truth, TRUTH, [_true(person, patients, block) for person in people])
