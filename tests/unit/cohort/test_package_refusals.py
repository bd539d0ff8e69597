"""What a package carries over from unusual exports and tables, and how it says what it leaves out."""

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.unit.cohort.test_package import assert_same_study, drawn, pack
from tests.unit.example_scans import detector, neck, nm
from tests.unit.hospital import Hospital, assemble, read_cohort


def syringe(seed: int = 0) -> np.ndarray:
    y, x = np.mgrid[:64, :64] - 32
    object_ = np.exp(-(y**2 + x**2) / 2.9)
    expected = 2 + 80_000 * object_ / object_.sum()
    return np.random.default_rng(seed).poisson(expected).astype(np.uint16)


def full(**elements: Any) -> Any:
    about = {"PatientID": "1", "SeriesDescription": "Syringe full", "ActualFrameDuration": 20_000}
    return nm(syringe(), [detector()], **(about | elements))


def test_an_image_of_the_syringe_with_another_time_zone(tmp_path: Path) -> None:
    """As after the end of daylight saving time; a package states no zones."""
    north = Hospital(tmp_path)
    north.patient("1")
    north.scan("a", nm(neck(64, 4.0), PatientID="1", TimezoneOffsetFromUTC="+0100"))
    north.scan("s", full(AcquisitionTime="105500", TimezoneOffsetFromUTC="+0200"))
    assert assert_same_study(tmp_path, north, 1)["q_uptake"].notna().all()


def test_a_table_with_a_row_per_visit(tmp_path: Path) -> None:
    """Visits without names: as many as the patient with the most rows has."""
    outcome = {"rule": "followup", "visits": [{"date": "seen", "tsh": "tsh", "ft4": "ft4"}]}
    north = Hospital(
        tmp_path, layout="long", baseline_visit="before", outcome=outcome,
        columns={"patient": "id", "visit": "event", "therapy_date": "therapy", "sex": "sex"},
    )  # fmt: skip
    for patient, visits in {
        "1": [("2020-08-01", "0.01", "40"), ("2021-02-01", "1.0", "15")],
        "2": [("2021-02-05", "0.01", "45")],
    }.items():
        north.patient(patient, event="before", seen="", tsh="", ft4="")
        for day, tsh, ft4 in visits:
            north.patient(patient, therapy="", sex="", event="visit", seen=day, tsh=tsh, ft4=ft4)
        pixels = neck(64, 4.0, seed=int(patient))
        north.scan(patient, nm(pixels, PatientID=patient, PatientName=f"N{patient}"))
    assert assert_same_study(tmp_path, north, 2)["outcome"].tolist() == [1, 0]


@pytest.mark.parametrize(
    ("elements", "pixels", "reason"),
    [
        ({}, np.minimum(syringe() // 30, 255).astype(np.uint8), "8-bit gray values"),
        ({}, drawn(syringe(), 4095), "drawn text"),
    ],
)
def test_a_syringe_that_must_not_leave_is_the_reason(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    elements: dict[str, Any],
    pixels: np.ndarray,
    reason: str,
) -> None:
    north = Hospital(tmp_path)
    north.patient("1")
    north.scan("a", nm(neck(64, 4.0), PatientID="1"))
    about = {"PatientID": "1", "SeriesDescription": "Syringe full", "ActualFrameDuration": 20_000}
    north.scan("s", nm(pixels, [detector()], **about))
    assert pack(north, tmp_path / "sent") == 0
    (line,) = [r.message for r in caplog.records if "not in the package" in r.message]
    assert "center north, north-" in line
    assert f"its image of the syringe: {reason}" in line or reason in line
    assert "expected" in line


def test_another_scan_that_must_not_leave_is_told_with_what_follows(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    north = Hospital(tmp_path)
    north.patient("1")
    north.scan("a", nm(neck(64, 4.0), PatientID="1"))
    other = drawn(neck(64, 4.0, seed=9), 4095, "SMITH")
    north.scan("b", nm(other, PatientID="1", AcquisitionDate="20200102"))
    with caplog.at_level(logging.WARNING, "thyrocast"):
        assert pack(north, tmp_path / "sent") == 1
    (line,) = [r.message for r in caplog.records if "not in the package" in r.message]
    assert "scan 2 of 2 is not in the package" in line
    assert "the patient is excluded at the other site" in line


def test_a_study_without_any_image_has_an_empty_cohort(tmp_path: Path) -> None:
    north = Hospital(tmp_path)
    north.patient("1")
    flat = np.random.default_rng(1).poisson(20, (64, 64)).astype(np.uint16)
    north.scan("a", nm(flat, PatientID="1", PixelSpacing=[4.0, 4.0]))
    assert read_cohort(assemble(tmp_path / "out", [north])).empty
