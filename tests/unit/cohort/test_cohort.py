"""Every patient is included or excluded with a reason, and the numbers add up."""

import datetime
import json
import logging
import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.unit.example_scans import (
    IODINE131,
    neck,
    nm,
)
from tests.unit.hospital import SIZE, Hospital, assemble, read_cohort, scan
from thyrocast.cohort import registration as cohorts
from thyrocast.config.study import Outcomes
from thyrocast.contract import io
from thyrocast.contract.cohort import OUTCOMES, PATIENTS, REGISTER
from thyrocast.errors import InputError
from thyrocast.image import standardize


@pytest.fixture
def north(tmp_path: Path) -> Hospital:
    hospital = Hospital(tmp_path)
    for identifier in ("1", "2", "3"):
        hospital.patient(identifier, "no" if identifier == "2" else "yes")
        hospital.scan(f"{identifier}/scan", scan(identifier, seed=int(identifier)))
    return hospital


def test_every_patient_has_a_row_and_a_reason(north: Hospital) -> None:
    north.patient("4")  # nobody's images
    north.patient("5", "maybe")
    north.patient("6", "")
    north.patient("7")
    north.patient("", "yes")
    for identifier in ("5", "6", "99"):
        north.scan(f"{identifier}/scan", scan(identifier))
    north.scan("7/scan", scan("7", radionuclide=IODINE131))
    north.scan("nobody", scan(""))
    (north.dicom / "notes.txt").write_text("no scan")
    assert north.reasons() == [
        ("1", ""),
        ("2", ""),
        ("3", ""),
        ("4", "no images"),
        ("5", "outcome code not in the config"),
        ("6", "outcome not known"),
        ("7", "another radionuclide or tracer"),
        ("?", "no identifier in the clinical table"),
        ("?", "no identifier in the DICOM header"),
        ("?", "not in the clinical table"),
    ]
    register = north.register().register
    sources = ["both"] * 3 + ["clinical"] + ["both"] * 3 + ["clinical"] + ["dicom"] * 2
    assert register["source"].tolist() == sources
    assert register["included"].tolist() == [True] * 3 + [False] * 7


@pytest.mark.parametrize(
    ("days", "reason"),
    [
        ({"a": "20200103"}, ""),
        ({"a": "20200301"}, "scans only after, or too near to, the therapy"),
        ({"a": "20180301"}, "no scan within the window before the therapy"),
    ],
)
def test_the_scan_is_within_the_window(tmp_path: Path, days: dict[str, str], reason: str) -> None:
    north = Hospital(tmp_path)
    north.patient("1", therapy="2020-02-01")
    for name, day in days.items():
        north.scan(name, scan("1", AcquisitionDate=day))
    assert north.reasons() == [("1", reason)]


def chosen(north: Hospital, **settings: Any) -> list[str]:
    scans = north.register(**settings).scans
    return scans.loc[scans["rank"] == 0, "file"].tolist()


def test_the_nearest_scan_before_therapy_is_taken(tmp_path: Path) -> None:
    north = Hospital(tmp_path)
    north.patient("1", therapy="2020-02-01")
    for day in ("20191210", "20200131", "20200202", "20190101"):
        north.scan(day, scan("1", AcquisitionDate=day))
    assert chosen(north) == ["20200131"]
    assert chosen(north, scan_window_days=[30, 60]) == ["20191210"]


def test_the_earliest_scan_is_taken_without_a_therapy_date(tmp_path: Path) -> None:
    north = Hospital(tmp_path)
    north.patient("1", therapy="")
    for day in ("20200131", "20191210"):
        north.scan(day, scan("1", AcquisitionDate=day))
    assert chosen(north) == ["20191210"]
    assert north.reasons(without_dates="exclude") == [
        ("1", "several scans and no date to choose by")
    ]


def test_static_comes_before_dynamic(tmp_path: Path) -> None:
    north = Hospital(tmp_path)
    north.patient("1")
    dynamic = nm(
        np.stack([neck(64, 4.0), neck(64, 4.0)]),
        PatientID="1",
        ImageType=["ORIGINAL", "PRIMARY", "DYNAMIC", "EMISSION"],
        AcquisitionTime="080000",
    )
    north.scan("a", dynamic)
    north.scan("b", scan("1"))
    assert chosen(north) == ["b"]


def test_identifiers_are_matched_by_the_configured_form_only(tmp_path: Path) -> None:
    north = Hospital(tmp_path, identifiers={"strip_prefix": "P-", "strip_zeros": True})
    north.patient("17")
    north.scan("a", scan("P-0017"))
    north.scan("b", scan("P-17A"))
    assert north.register().register["reason"].tolist() == ["", "not in the clinical table"]


@pytest.mark.parametrize(
    ("elements", "changes", "size"),
    [
        ({"PixelSpacing": None}, {}, None),
        ({"PixelSpacing": ["", ""]}, {}, None),
        ({"PixelSpacing": [0.0, 0.0]}, {}, None),
        ({"PixelSpacing": None}, {"fallbacks": {"pixel_mm": 3.5}}, 3.5),
        ({}, {"fallbacks": {"pixel_mm": 3.5}}, 2.0),
    ],
)
def test_a_missing_pixel_size_is_missing(
    tmp_path: Path, elements: dict[str, Any], changes: dict[str, Any], size: float | None
) -> None:
    north = Hospital(tmp_path, **changes)
    north.patient("1")
    north.scan("a", scan("1", **elements))
    scans = north.register().scans
    assert scans["row_mm"].tolist() == ([] if size is None else [size])
    assert north.reasons() == [("1", "pixel size not stated" if size is None else "")]


def test_a_pinhole_has_no_valid_millimeters(tmp_path: Path) -> None:
    north = Hospital(tmp_path)
    north.patient("1")
    dataset = scan("1")
    dataset.DetectorInformationSequence[0].CollimatorType = "PINH"
    north.scan("a", dataset)
    assert north.reasons() == [("1", "a pinhole collimator, whose pixel size is not valid")]


@pytest.mark.parametrize(
    ("dose", "expected"), [(74.0, 74.0), (0.0, None), (74_000_000.0, 74.0), (None, None)]
)
def test_a_dose_of_zero_is_not_known(
    tmp_path: Path, dose: float | None, expected: float | None
) -> None:
    north = Hospital(tmp_path)
    north.patient("1")
    dataset = scan("1")
    dataset.RadiopharmaceuticalInformationSequence[0].RadionuclideTotalDose = dose
    north.scan("a", dataset)
    (row,) = north.register().scans.to_dict("records")
    assert row["tc_activity_mbq"] == pytest.approx(
        np.nan if expected is None else expected, nan_ok=True
    )
    assert (row["duration_s"], row["delay_min"]) == (300.0, 15.0)


def test_numbers_add_up_and_job_size_changes_nothing(tmp_path: Path, north: Hospital) -> None:
    north.patient("4")
    flat = np.full((64, 64), 40, np.uint16)
    north.patient("5")
    north.scan("5/scan", nm(flat, PatientID="5"))
    north.scan("99/scan", scan("99"))
    out = assemble(tmp_path / "a", [north])
    flow = json.loads((out / "flow.json").read_text())["centers"]["north"]
    assert flow == {
        "role": "development", "found": 6, "in_table": 5, "in_dicom": 5, "matched": 4,
        "excluded": {
            "no images": 1,
            "no thyroid found in the image": 1,
            "not in the clinical table": 1,
        },
        "analyzed": 3, "cured": 2,
    }  # fmt: skip
    assert flow["found"] == flow["analyzed"] + sum(flow["excluded"].values())
    assert read_cohort(out)["outcome"].tolist() == [1, 0, 1]
    patients = io.read(PATIENTS, out / "patients.csv")
    assert (
        patients.loc[patients["analyzed"], "patient"].tolist()
        == read_cohort(out)["patient"].tolist()
    )
    excluded = patients.loc[~patients["analyzed"], "reason"].value_counts().to_dict()
    assert excluded == flow["excluded"]
    images = np.load(out / "images.npy", mmap_mode="r")
    masks = np.load(out / "masks.npy", mmap_mode="r")
    assert images.shape == masks.shape == (3, SIZE, SIZE)
    for picture, mask in zip(images, masks, strict=True):
        assert picture[mask == 1].mean() == pytest.approx(1, abs=0.01)
    one = assemble(tmp_path / "b", [north], size=1)
    for name in ("cohort.csv", "images.npy", "masks.npy", "flow.json"):
        assert (one / name).read_bytes() == (out / name).read_bytes(), name


def test_shuffled_outcomes_stay_within_their_center(tmp_path: Path) -> None:
    hospitals = []
    for name, result in (("north", "yes"), ("south", "no")):
        hospital = Hospital(tmp_path, name)
        for n in range(6):
            identifier = f"{name}{n}"
            hospital.patient(identifier, "yes" if n < 2 else result)
            seed = n + 10 * (name == "south")
            hospital.scan(identifier, scan(identifier, seed=seed))
        hospitals.append(hospital)
    plain = read_cohort(assemble(tmp_path / "a", hospitals))
    shuffled = read_cohort(assemble(tmp_path / "b", hospitals, outcomes=Outcomes.SHUFFLED))
    assert shuffled.groupby("center")["outcome"].sum().to_dict() == {"north": 6, "south": 2}
    assert plain["outcome"].tolist() != shuffled["outcome"].tolist()
    assert plain["patient"].tolist() == shuffled["patient"].tolist()


def test_identifiers_that_never_match_are_described_by_their_form(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    north = Hospital(tmp_path)
    north.patient("0471123")
    north.patient("0471124")
    north.scan("a", scan("NK-4711"))
    with caplog.at_level(logging.WARNING, "thyrocast"):
        north.register()
    assert "9999999 (2) in the table" in caplog.text
    assert "AA-9999 (1) in the images" in caplog.text
    assert "4711" not in caplog.text


def test_values_from_the_config_are_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    north = Hospital(tmp_path, fallbacks={"pixel_mm": 4.0, "duration_s": 300})
    north.patient("1")
    north.scan("a", scan("1", PixelSpacing=None, ActualFrameDuration=None))
    with caplog.at_level(logging.WARNING, "thyrocast"):
        north.register()
    assert "1 scans take their pixel size from the config" in caplog.text
    assert "1 scans take their duration from the config" in caplog.text


def test_outcomes_of_prospective_centers_stay_empty(tmp_path: Path) -> None:
    north = Hospital(
        tmp_path, role="prospective", outcome=None, columns={"patient": "id", "sex": "sex"}
    )
    north.patient("1")
    north.scan("a", scan("1"))
    patients = read_cohort(assemble(tmp_path / "a", [north]))
    assert patients["outcome"].isna().tolist() == [True]
    assert patients["role"].tolist() == ["prospective"]


@pytest.mark.parametrize(
    ("role", "days", "words"),
    [
        ("prospective", 20, ""),
        ("prospective", 800, "a date more than 730 days in the future"),
        ("external", 20, "a date in the future"),
    ],
)
def test_therapies_of_prospective_patients_may_be_planned(
    tmp_path: Path, role: str, days: int, words: str
) -> None:
    """A therapy that was given has no date in the future; that of a waiting patient has."""
    today = datetime.date.today()
    day = (today + datetime.timedelta(days=days)).isoformat()
    waiting = {"outcome": None, "columns": {"patient": "id", "therapy_date": "therapy"}}
    north = Hospital(tmp_path, role=role, **(waiting if role == "prospective" else {}))
    for name in ("1", "2", "3"):
        north.patient(name, therapy=day)
        north.scan(name, scan(name, int(name), AcquisitionDate=f"{today:%Y%m%d}"))
    if words:
        with pytest.raises(InputError, match=words):
            north.register()
    else:
        assert len(read_cohort(assemble(tmp_path / "a", [north]))) == 3


def test_rerunning_reads_only_what_changed(
    north: Hospital, caplog: pytest.LogCaptureFixture
) -> None:
    for path in north.dicom.rglob("scan"):
        os.utime(path, (1_600_000_000, 1_600_000_000))
    first = north.register()
    with caplog.at_level(logging.INFO, "thyrocast"):
        again = north.register()
        pd.testing.assert_frame_equal(again.register, first.register)
        pd.testing.assert_frame_equal(again.scans, first.scans)
        assert "3 files, 0 to read" in caplog.text
        caplog.clear()
        changed = north.scan("2/scan", scan("2", radionuclide=IODINE131))
        os.utime(changed, (1_600_000_001, 1_600_000_001))
        reasons = dict(north.reasons())
        assert "3 files, 1 to read" in caplog.text
    assert reasons == {"1": "", "2": "another radionuclide or tracer", "3": ""}


def test_pictures_count_only_if_the_center_opts_in(tmp_path: Path) -> None:
    from PIL import Image

    grey = np.minimum(neck(128, 2.0), 255).astype(np.uint8)
    changes = {"accept": {"exports": True}, "fallbacks": {"pixel_mm": 2.0}}
    for name, block in (("north", {}), ("south", changes)):
        hospital = Hospital(tmp_path, name, **block)
        for identifier in ("A1", "A2", "A3"):
            hospital.patient(identifier)
        hospital.dicom.mkdir(parents=True)
        Image.fromarray(grey).save(hospital.dicom / "A1__ant.png")
        # Printed dark on white, as a picture for people.
        Image.fromarray(255 - grey[::-1]).save(hospital.dicom / "A2.tif")
        Image.fromarray(np.stack([grey] * 3, -1)).save(hospital.dicom / "A3.png")
        if not block:
            assert {reason for _, reason in hospital.reasons()} == {"no images"}
            continue
        assert hospital.reasons() == [("A1", ""), ("A2", ""), ("A3", "a color image")]
        patients = read_cohort(assemble(tmp_path / "a", [hospital]))
    assert patients["q_counts"].isna().tolist() == [True, True]
    assert patients["q_area_left"].between(10, 18).all()


def test_states_and_dates_of_outcomes_stay_private(tmp_path: Path) -> None:
    rule = {
        "rule": "followup",
        "months": 6,
        "visits": [{"date": "seen", "state": "state"}],
    }
    columns = {"patient": "id", "therapy_date": "therapy"}
    north = Hospital(tmp_path, outcome=rule, columns=columns)
    north.patient("1", therapy="2020-01-02", seen="2020-07-09", state="hypothyroid")
    north.scan("a", scan("1", AcquisitionDate="20200101"))
    registration = north.register()
    private = tmp_path / "private"
    cohorts.write(
        registration,
        tmp_path / "register.csv",
        private,
    )
    (row,) = io.read(OUTCOMES, private / "outcomes.csv").to_dict("records")
    assert (row["therapy_date"], row["visit_date"]) == ("2020-01-02", "2020-07-09")
    (public,) = io.read(REGISTER, tmp_path / "register.csv").to_dict("records")
    assert (public["state"], public["followup_months"]) == ("hypothyroid", 6.2)
    for path in (private, *private.iterdir()):
        assert path.stat().st_mode & 0o077 == 0
    assert "2020" not in (tmp_path / "register.csv").read_text()


def test_an_included_patient_without_an_image_stops(
    north: Hospital, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a change of other patients' data, which the patient's job does not notice."""
    job = standardize.standardize_job
    monkeypatch.setattr(standardize, "standardize_job", lambda all_, *rest: job(all_[:-1], *rest))
    with pytest.raises(InputError, match="1 included patients .* --forcerun standardize_images"):
        assemble(tmp_path / "a", [north])


def test_a_date_in_the_future_is_not_that_of_the_acquisition(tmp_path: Path) -> None:
    north = Hospital(tmp_path)
    north.patient("1")
    north.scan("a", scan("1", AcquisitionDate="20990103"))
    assert north.reasons() == [("1", "")]
    (flags,) = north.register().register["flags"]
    assert flags == "dates_differ"


def test_a_study_date_that_would_fit_is_told(tmp_path: Path) -> None:
    north = Hospital(tmp_path)
    north.patient("1")
    north.scan("a", scan("1", AcquisitionDate="20200302"))
    (reason,) = north.register().files["reason"]
    assert reason == (
        "after, or too near to, the therapy, by the date of acquisition, which that of the study contradicts"
    )
