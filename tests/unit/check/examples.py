"""Centers on disk, registered, standardized and checked as the rules do it."""

from collections.abc import Sequence
from pathlib import Path

from tests.unit.example_scans import image
from tests.unit.hospital import SIZE, Hospital
from thyrocast.check.center import Center, CenterFiles, Settings, read
from thyrocast.cohort import registration as cohorts
from thyrocast.config.check import CheckConfig
from thyrocast.config.reading import read_block
from thyrocast.contract import io
from thyrocast.contract.cohort import SCANS
from thyrocast.image import standardize


def register(hospital: Hospital) -> CenterFiles:
    """Register and standardize a hospital; return its files."""
    out = hospital.folder / "out"
    registration = hospital.register()
    register, scans, outcomes = (out / f"{name}.csv" for name in ("register", "scans", "outcomes"))
    cohorts.write(registration, register, scans, outcomes)
    results = standardize.standardize_job(
        registration.register["patient"].tolist(),
        io.read(SCANS, scans),
        hospital.dicom,
        hospital.center,
        image(size=SIZE),
    )
    images, records = out / "1.npz", out / "1.csv"
    standardize.write_job(results, SIZE, images, records)
    return CenterFiles(register, scans, outcomes, [images], [records])


def settings(hospital: Hospital, smallest: int = 10, **changes: object) -> Settings:
    """The config of a check."""
    return Settings(
        study="example",
        center=hospital.center,
        check=read_block(CheckConfig, dict(changes)),
        image=image(size=SIZE),
        smallest=smallest,
    )


def center(hospital: Hospital, others: Sequence[Hospital] = (), **changes: object) -> Center:
    """A hospital as the check reads it, compared with others."""
    return read(
        settings(hospital, **changes),
        register(hospital),
        {other.name: register(other) for other in others},
    )


def hospital(folder: Path, name: str = "north", patients: int = 6, **changes: object) -> Hospital:
    """A hospital without faults; cured and not cured patients in turn."""
    made = Hospital(folder, name, **changes)
    for number in range(patients):
        identifier = f"{name[0].upper()}{number}"
        made.patient(identifier, "yes" if number % 2 else "no")
        made.scan(f"{identifier}.dcm", clean_scan(identifier, number))
    return made


def clean_scan(identifier: str, seed: int):  # type: ignore[no-untyped-def]
    """A scan whose pixels are no other patient's."""
    from tests.unit.hospital import scan

    return scan(identifier, seed=seed + 100)
