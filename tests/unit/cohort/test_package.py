"""A package names nobody, is valid DICOM, and gives another site the same study."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pydicom
import pytest
import yaml
from pydicom.sequence import Sequence

from tests.hostile.test_identities import Planter, found
from tests.unit.example_scans import ANTERIOR, cohort, detector, neck, nm
from tests.unit.hospital import KEY, Hospital, assemble, read_cohort
from thyrocast.cohort import package as packages
from thyrocast.cohort import registration as cohorts
from thyrocast.config.center import CenterConfig
from thyrocast.config.reading import read_block


@pytest.fixture
def hospital(tmp_path: Path) -> Hospital:
    north = Hospital(tmp_path)
    for n, identifier in enumerate(("A0000001", "A0000002", "A0000003")):
        north.patient(identifier, "no" if n else "yes", birth=f"1947-08-1{n}", sex="m")
        head = detector(ANTERIOR, ImageOrientationPatient=[0, 0, 1, 1, 0, 0])
        turned = np.rot90(neck(64, 4.0, seed=n), -1)
        scan = nm(
            turned.copy(),
            [head],
            PatientID=identifier,
            PixelSpacing=[4.0, 4.0],
            PatientBirthDate=f"1947081{n}",
            PatientSex="M",
        )
        north.scan(f"{n}/scan", scan)
    dose = np.full((64, 64), 3, np.uint16)
    dose[30:33, 30:33] = 2000
    north.scan(
        "0/syringe",
        nm(dose, [detector()], PatientID="A0000001", SeriesDescription="Syringe full",
           PatientBirthDate="", PatientSex="",
           ActualFrameDuration=10_000, AcquisitionTime="100000"),
    )  # fmt: skip
    return north


def pack(hospital: Hospital, target: Path) -> int:
    return packages.write_package(hospital.register(), hospital.center, KEY, target)


def test_a_package_gives_the_same_study(tmp_path: Path, hospital: Hospital) -> None:
    package = tmp_path / "sent" / "north"
    assert pack(hospital, package) == 3
    (block,) = yaml.safe_load((package / "center.yaml").read_text())["centers"]
    files = {"dicom": str(package / "dicom"), "clinical": str(package / "clinical.csv")}
    other = Hospital(tmp_path / "other")
    other.center, other.dicom = read_block(CenterConfig, block | files), package / "dicom"

    def register(**settings: Any) -> cohorts.Registration:
        return cohorts.register_center(other.center, cohort(), b"o" * 32, tmp_path / "index")

    other.register = register  # type: ignore[method-assign]
    here = assemble(tmp_path / "here", [hospital])
    there = assemble(tmp_path / "there", [other])
    images = [np.load(folder / "images.npy") for folder in (here, there)]
    np.testing.assert_array_equal(*images)
    ours, theirs = (read_cohort(folder).drop(columns="patient") for folder in (here, there))
    pd.testing.assert_frame_equal(ours, theirs, check_exact=True)
    assert ours["q_uptake"].notna()[0]


def test_a_package_names_nobody(tmp_path: Path, hospital: Hospital) -> None:
    planter = Planter()
    for row in hospital.rows:
        row["birth"] = "1947-08-13"  # as it is planted
    for path in sorted(p for p in hospital.dicom.rglob("*") if p.is_file()):
        planter.file(path)
    package = tmp_path / "sent"
    assert pack(hospital, package) == 3
    needles = [*planter.planted, *(row["id"] for row in hospital.rows), "20200103", "2020-02-01"]
    assert found(package, needles) == []
    first = {p.name: p.read_bytes() for p in package.rglob("*.dcm")}
    shutil.rmtree(package)
    pack(hospital, package)
    assert {p.name: p.read_bytes() for p in package.rglob("*.dcm")} == first


def test_captures_are_not_packaged(tmp_path: Path) -> None:
    north = Hospital(tmp_path, accept={"secondary_capture": True}, fallbacks={"pixel_mm": 4.0})
    north.patient("1")
    north.scan(
        "a",
        nm(neck(64, 4.0), PatientID="1", SOPClassUID="1.2.840.10008.5.1.4.1.1.7",
           SeriesDescription="ANT"),
    )  # fmt: skip
    assert north.reasons() == [("1", "")]
    assert pack(north, tmp_path / "sent") == 0


def test_a_pinhole_is_packaged_without_a_pixel_size(tmp_path: Path) -> None:
    north = Hospital(tmp_path, accept={"pinhole": True})
    north.patient("1")
    head = detector(ANTERIOR, CollimatorType="PINH")
    north.scan("a", nm(neck(64, 4.0), [head], PatientID="1"))
    assert pack(north, tmp_path / "sent") == 1
    (path,) = (tmp_path / "sent").rglob("*.dcm")
    assert "PixelSpacing" not in pydicom.dcmread(path)


def test_the_objects_are_valid(
    tmp_path: Path, hospital: Hospital, needs: Callable[..., None]
) -> None:
    needs("dciodvfy")
    pack(hospital, tmp_path / "sent")
    for path in (tmp_path / "sent").rglob("*.dcm"):
        done = subprocess.run(["dciodvfy", str(path)], capture_output=True, text=True)
        faults = [line for line in done.stderr.splitlines() if line.startswith("Error")]
        assert faults == []
        dataset = pydicom.dcmread(path)
        assert dataset.PatientIdentityRemoved == "YES"
        codes = dataset.DeidentificationMethodCodeSequence
        assert isinstance(codes, Sequence)
        assert codes[0].CodeValue == "113100"
