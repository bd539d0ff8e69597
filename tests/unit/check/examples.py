"""Centers on disk, registered, standardized and checked as the rules do it."""

import datetime
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydicom.dataset import Dataset

from tests.unit import hospital as hospitals
from tests.unit.example_scans import cohort, image
from tests.unit.hospital import SIZE, Hospital
from thyrocast.check.center import Center, CenterFiles, Settings, read
from thyrocast.cohort import registration as cohorts
from thyrocast.config.check import CheckConfig
from thyrocast.config.reading import read_block
from thyrocast.contract import io
from thyrocast.contract.cohort import SCANS
from thyrocast.image import standardize


def scan(identifier: str, seed: int = 1, **elements: Any) -> Dataset:
    """A neck with the pixel size that it was drawn with: a gland of usual size is no remark."""
    return hospitals.scan(identifier, seed, **{"PixelSpacing": [4.0, 4.0]} | elements)


def register(hospital: Hospital) -> CenterFiles:
    """Register and standardize a hospital; return its files."""
    out = hospital.folder / "out"
    registration = hospital.register()
    register, scans = out / "register.csv", out / "scans.csv"
    cohorts.write(registration, register, out)
    results = standardize.standardize_job(
        registration.register["patient"].tolist(),
        io.read(SCANS, scans),
        hospital.dicom,
        hospital.center,
        image(size=SIZE),
    )
    images, records = out / "1.npz", out / "1.csv"
    standardize.write_job(results, SIZE, images, records)
    return CenterFiles(register, scans, out, [images], [records])


def settings(hospital: Hospital, smallest: int = 10, **changes: object) -> Settings:
    """The config of a check."""
    return Settings(
        study="example",
        center=hospital.center,
        check=read_block(CheckConfig, dict(changes)),
        cohort=cohort(),
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


def seed(name: str, number: int) -> int:
    """The seed of a patient's image, which is no other patient's."""
    return 1000 * (zlib.crc32(name.encode()) % 1000) + number


def hospital(folder: Path, name: str = "north", patients: int = 6, **changes: object) -> Hospital:
    """A hospital without faults; cured and not cured patients in turn."""
    made = Hospital(folder, name, **{"eligibility": {"all_rows": True}, **changes})
    for number in range(patients):
        identifier = f"{name[0].upper()}{number}"
        born = datetime.date(1950, 1, 2) + datetime.timedelta(
            days=100 * number + zlib.crc32(name.encode()) % 97
        )
        made.patient(identifier, "yes" if number % 2 else "no", birth=born.isoformat())
        birth = born.strftime("%Y%m%d")
        made.scan(
            f"{identifier}.dcm", scan(identifier, seed=seed(name, number), PatientBirthDate=birth)
        )
    return made
