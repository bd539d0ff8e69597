"""A package names nobody, is valid DICOM, and gives another site the same study."""

import logging
import re
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
from tests.unit.example_scans import ANTERIOR, POSTERIOR, code, cohort, detector, neck, nm
from tests.unit.hospital import KEY, Hospital, assemble, read_cohort
from thyrocast.cohort import package as packages
from thyrocast.cohort import registration as cohorts
from thyrocast.cohort.deidentify import refusal
from thyrocast.config.center import CenterConfig
from thyrocast.config.reading import read_block
from thyrocast.dicom.elements import Header
from thyrocast.dicom.header import read_elements


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
    dose[30:33, 30:33] = 20_000
    north.scan(
        "0/syringe",
        nm(dose, [detector()], PatientID="A0000001", SeriesDescription="Syringe full",
           PatientBirthDate="", PatientSex="",
           ActualFrameDuration=10_000, AcquisitionTime="100000"),
    )  # fmt: skip
    return north


def pack(hospital: Hospital, target: Path) -> int:
    return packages.write_package(hospital.register(), hospital.center, cohort(), KEY, target)


def other_site(tmp_path: Path, package: Path) -> Hospital:
    """The other site, with the block that the package brings and a key of its own."""
    (block,) = yaml.safe_load((package / "center.yaml").read_text())["centers"]
    files = {"dicom": str(package / "dicom"), "clinical": str(package / "clinical.csv")}
    other = Hospital(tmp_path / "other")
    other.center, other.dicom = read_block(CenterConfig, block | files), package / "dicom"

    def register(**settings: Any) -> cohorts.Registration:
        return cohorts.register_center(
            other.center, cohort(**settings), b"o" * 32, tmp_path / "other index"
        )

    other.register = register  # type: ignore[method-assign]  # the hospital's own register
    return other


def assert_same_study(tmp_path: Path, hospital: Hospital, patients: int) -> pd.DataFrame:
    """Both sites register and standardize; cohorts and images are equal to the bit."""
    package = tmp_path / "sent" / "north"
    assert pack(hospital, package) == patients
    here = assemble(tmp_path / "here", [hospital])
    there = assemble(tmp_path / "there", [other_site(tmp_path, package)])
    for name in ("images.npy", "masks.npy"):
        np.testing.assert_array_equal(*(np.load(folder / name) for folder in (here, there)))
    ours, theirs = (read_cohort(folder).drop(columns="patient") for folder in (here, there))
    pd.testing.assert_frame_equal(ours, theirs, check_exact=True)
    assert len(ours) == patients
    return ours


def test_a_package_gives_the_same_study(tmp_path: Path, hospital: Hospital) -> None:
    assert assert_same_study(tmp_path, hospital, 3)["q_uptake"].notna()[0]


def test_every_candidate_and_the_rescaling_are_in_the_package(tmp_path: Path) -> None:
    """The best scan shows no gland; the next has a slope that whole counts would round away."""
    north = Hospital(
        tmp_path, fallbacks={"sensitivity": 90.0, "duration_s": 200.0, "view": "anterior"}
    )
    north.patient("1")
    flat = np.random.default_rng(1).poisson(20, (64, 64)).astype(np.uint16)
    north.scan("best", nm(flat, PatientID="1", AcquisitionDate="20200131"))
    for name, day, more in (
        ("next", "20200120", {"RescaleSlope": "0.01", "RescaleIntercept": "-0.5"}),
        ("last", "20200110", {"ActualFrameDuration": None}),
    ):
        pixels = (100 * neck(64, 4.0, seed=3).astype(np.uint32)).astype(np.uint32)
        north.scan(name, nm(pixels, PatientID="1", AcquisitionDate=day, **more))
    north.patient("2")
    north.scan("two", nm(neck(64, 4.0, seed=4), [detector()], PatientID="2"))
    cohorts_ = assert_same_study(tmp_path, north, 2)
    assert cohorts_["view_by"].tolist() == ["code", "fallback"]
    assert cohorts_["q_uptake"].notna().all()
    assert len(list((tmp_path / "sent").rglob("*.dcm"))) == 4


@pytest.mark.parametrize(
    ("view", "elements"),
    [
        ({"ImageOrientationPatient": [1, 0, 0, 0, 0, -1]}, {"SeriesDescription": "Zoe Doe"}),
        ({}, {"SeriesDescription": "Schilddruese von vorn, Zoe Doe"}),
        ({}, {"SeriesDescription": "THYROIDE FACE ANT Zoe Doe"}),
    ],
)
def test_texts_are_replaced_by_their_meaning(
    tmp_path: Path, view: dict[str, Any], elements: dict[str, Any]
) -> None:
    north = Hospital(tmp_path)
    north.patient("1")
    head = detector(
        code("X1", "FACE Zoe") if not view and "FACE" in str(elements) else None, **view
    )
    north.scan("a", nm(neck(64, 4.0), [head], PatientID="1", PatientName="Doe^Zoe", **elements))
    assert_same_study(tmp_path, north, 1)
    assert found(tmp_path / "sent", ["Zoe ", "Doe ", "Zoe\0"]) == []


def test_two_heads_in_one_file_stay_together(tmp_path: Path) -> None:
    north = Hospital(tmp_path)
    north.patient("1")
    frames = np.stack([neck(64, 4.0, seed=8), neck(64, 4.0, seed=9)])
    heads = [detector(POSTERIOR), detector(ANTERIOR)]
    north.scan("a", nm(frames, heads, PatientID="1", PixelSpacing=[4.0, 4.0]))
    assert_same_study(tmp_path, north, 1)


FOLLOWUP = {
    "rule": "followup",
    "months": 6,
    "visits": [
        {"date": "seen", "state": "state", "drug": "drug"},
        {"months": 12, "tsh": "tsh", "ft4": "ft4"},
    ],
    "states": {"hypo": "hypothyroid", "hyper": "hyperthyroid"},
    "second_treatments": [{"kind": "iodine", "column": "again"}],
}


def test_the_outcome_rule_is_carried_over(tmp_path: Path) -> None:
    columns = {"patient": "id", "therapy_date": "therapy", "sex": "sex", "ft4": "before"}
    north = Hospital(
        tmp_path, outcome=FOLLOWUP, columns=columns, units={"ft4": "ng/dL"}, codes={"sex": {"w": "female"}}
    )  # fmt: skip
    rows = [
        {"seen": "2020-07-30", "state": "hypo", "drug": "", "again": ""},
        {"seen": "2020-07-30", "state": "hyper", "drug": "no", "again": "no"},
        {"seen": "2020-07-28", "state": "hypo", "drug": "5 mg", "again": "2020-06-28"},
    ]
    for n, row in enumerate(rows):
        north.patient(f"p{n}", sex="w", before="3.5", tsh="1.0", ft4="1.2", **row)
        north.scan(f"{n}", nm(neck(64, 4.0, seed=n), PatientID=f"p{n}", PatientName=""))
    ours = assert_same_study(tmp_path, north, 3)
    assert ours["outcome"].tolist() == [1, 0, 0]
    assert "2020" not in (tmp_path / "sent" / "north" / "clinical.csv").read_text()


@pytest.mark.parametrize(
    ("cells", "elements"),
    [
        ({"therapy": ""}, {}),
        ({"therapy": ""}, {"StudyDate": None, "AcquisitionDate": None}),
        ({}, {"StudyDate": None, "AcquisitionDate": None}),
        ({}, {"ActualFrameDuration": None}),
        ({}, {"RadiopharmaceuticalInformationSequence": None}),
        ({}, {"AcquisitionTime": None, "StudyTime": None}),
    ],
)
def test_missing_dates_and_durations_are_missing(
    tmp_path: Path, cells: dict[str, str], elements: dict[str, Any]
) -> None:
    north = Hospital(tmp_path)
    north.patient("1", **cells)
    north.scan("a", nm(neck(64, 4.0), PatientID="1", **elements))
    assert_same_study(tmp_path, north, 1)


def test_ages_from_90_are_one_group(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    columns = {"patient": "id", "outcome": "result", "therapy_date": "therapy", "age": "age"}
    north = Hospital(tmp_path, columns=columns)
    for n, age in enumerate(("89", "90", "97")):
        north.patient(f"{n}", age=age)
        north.scan(f"{n}", nm(neck(64, 4.0, seed=n), PatientID=f"{n}", PatientBirthDate=""))
    with caplog.at_level(logging.INFO, "thyrocast"):
        assert pack(north, tmp_path / "sent") == 3
    table = pd.read_csv(tmp_path / "sent" / "clinical.csv")
    assert table["age"].tolist() == [89, 90, 90]
    assert "the age of 2 patients older than 89 is written as 90" in caplog.text


def test_a_patient_who_left_the_table_leaves_the_package(
    tmp_path: Path, hospital: Hospital
) -> None:
    package = tmp_path / "sent"
    pack(hospital, package)
    (package / "letter.txt").write_text("kept")
    before = {path.parent.name for path in package.rglob("*.dcm")}
    del hospital.rows[1]
    assert pack(hospital, package) == 2
    after = {path.parent.name for path in package.rglob("*.dcm")}
    assert after < before
    assert set(pd.read_csv(package / "clinical.csv")["patient"]) == after
    assert sorted(path.name for path in package.iterdir()) == [
        "center.yaml", "clinical.csv", "dicom", "letter.txt",
    ]  # fmt: skip
    hospital.rows.clear()
    hospital.patient("nobody")
    assert pack(hospital, package) == 0
    assert not list(package.rglob("*.dcm"))


def drawn(pixels: np.ndarray, value: int, text: str = "DOE JANE") -> np.ndarray:
    """An image with a name drawn into it."""
    from PIL import Image, ImageDraw

    canvas = Image.new("L", pixels.shape[::-1])
    ImageDraw.Draw(canvas).text((2, 2), text, fill=255)
    return np.where(np.asarray(canvas) > 128, value, pixels).astype(pixels.dtype)


@pytest.mark.parametrize(
    ("pixels", "elements", "reason"),
    [
        (neck(64, 4.0), {"ImageType": ["DERIVED", "SECONDARY", "STATIC", "EMISSION"]}, "original"),
        (neck(64, 4.0), {"ImageType": ["ORIGINAL", "SECONDARY", "STATIC", "EMISSION"]}, "original"),
        (neck(64, 4.0), {"ImageType": ["DERIVED", "PRIMARY", "STATIC", "EMISSION"]}, "original"),
        (neck(64, 4.0), {"ImageType": None}, "original"),
        (np.minimum(neck(64, 4.0), 250).astype(np.uint8), {}, "8-bit"),
        (neck(64, 4.0), {"ConversionType": "WSD"}, "capture"),
        (drawn(neck(64, 4.0), 4095), {}, "drawn text"),
        (drawn(neck(64, 4.0), 150), {}, "drawn text"),
        # Faint text in an image with few counts, dark text in one with many, and two letters.
        (drawn(neck(128, total=60_000), 20), {}, "drawn text"),
        (drawn(neck(128, total=4_000_000), 0), {}, "drawn text"),
        (drawn(neck(128), 4000, "DJ"), {}, "drawn text"),
        # Values of a few counts where there are none.
        (drawn(neck(128, background=0.0), 5), {}, "drawn text"),
        (drawn(neck(128, background=0.0, total=60_000), 3), {}, "drawn text"),
    ],
)
def test_what_is_no_original_count_image_stays(
    tmp_path: Path,
    pixels: np.ndarray,
    elements: dict[str, Any],
    reason: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    north = Hospital(tmp_path)
    north.patient("1")
    dataset = nm(pixels, PatientID="1", BurnedInAnnotation="NO", **elements)
    north.scan("a", dataset)
    assert pack(north, tmp_path / "sent") == 0
    if north.reasons() == [("1", "")]:  # otherwise it is not used here either
        assert reason in caplog.text


@pytest.mark.parametrize("total", [1e4, 4e5, 1e7])
@pytest.mark.parametrize("background", [0.0, 0.04, 0.3])
def test_a_round_field_and_a_column_out_of_order_are_no_text(
    total: float, background: float
) -> None:
    for size in (64, 128):
        pixels = neck(size, 256 / size, total=total, background=background).copy()
        rows, columns = np.indices(pixels.shape) - (size - 1) / 2
        pixels[np.hypot(rows, columns) > size / 2] = 0
        pixels[:, size // 4] = 0
        header = Header(read_elements(nm(pixels)))
        assert refusal(header, pixels[None]) == ""


@pytest.mark.parametrize("mean", [0.05, 0.3, 0.6])
def test_single_counts_are_no_text(mean: float) -> None:
    for seed in range(5):
        expected = np.full((256, 256), mean)
        expected[100:140, 100:140] += 40
        pixels = np.random.default_rng(seed).poisson(expected).astype(np.uint16)
        assert refusal(Header(read_elements(nm(pixels))), pixels[None]) == ""


def test_patterns_of_descriptions_stay_at_the_center(tmp_path: Path) -> None:
    patterns = {
        "anterior": ["smith front"], "excluded": ["dr jones"], "kept": ["marker clinic"],
        "syringe": ["dose of smith"], "contradictions": "orientation",
    }  # fmt: skip
    north = Hospital(tmp_path, views=patterns)
    north.patient("1")
    elements = {"PatientID": "1", "SeriesDescription": "Marker clinic Smith front"}
    north.scan("a", nm(neck(64, 4.0), [detector()], PixelSpacing=[4.0, 4.0], **elements))
    package = tmp_path / "sent"
    assert pack(north, package) == 1
    text = (package / "center.yaml").read_text()
    assert not {"smith", "jones", "clinic"} & set(re.findall(r"\w+", text.lower()))
    (block,) = yaml.safe_load(text)["centers"]
    assert block["views"]["contradictions"] == "orientation"
    assert not any(block["views"].get(name) for name in patterns if name != "contradictions")


def test_a_pixel_size_of_more_characters_than_allowed_is_packaged(tmp_path: Path) -> None:
    north = Hospital(tmp_path)
    north.patient("1")
    size = "4.7951998710632324"
    north.scan("a", nm(neck(64, 4.0), PatientID="1", PixelSpacing=[size, size]))
    assert pack(north, tmp_path / "sent") == 1


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


def test_a_prospective_center_has_a_package(tmp_path: Path) -> None:
    columns = {"patient": "id", "therapy_date": "therapy", "sex": "sex"}
    north = Hospital(tmp_path, role="prospective", outcome=None, columns=columns)
    north.patient("1")
    north.scan("a", nm(neck(64, 4.0), PatientID="1"))
    assert_same_study(tmp_path, north, 1)


def test_the_block_names_only_columns_with_values(hospital: Hospital, tmp_path: Path) -> None:
    pack(hospital, tmp_path / "sent")
    block = yaml.safe_load((tmp_path / "sent" / "center.yaml").read_text())["centers"][0]
    assert list(block["columns"]) == ["patient", "therapy_date", "outcome", "sex", "age"]
