"""DICOM objects of a prediction: valid, readable by others, about the right patient."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import NuclearMedicineImageStorage

import write_dicom
from tests.unit.prospective import example_prospective as example
from tests.unit.prospective.test_sheets import tables
from thyrocast.config.prospective import DicomPatient
from thyrocast.contract import deployment, io
from thyrocast.prospective import dicom_objects, overview

ENHANCED_SR = "1.2.840.10008.5.1.4.1.1.88.22"
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"


def scan(**changes: object) -> Dataset:
    """The header of a scintigram with two frames."""
    found = Dataset()
    cells = {
        "SpecificCharacterSet": "ISO_IR 192", "SOPClassUID": NuclearMedicineImageStorage,
        "SOPInstanceUID": "1.2.3.4", "StudyInstanceUID": "1.2.3", "SeriesInstanceUID": "1.2.3.1",
        "PatientID": "MRN4711", "PatientName": "Møller^Ana", "PatientBirthDate": "19700101",
        "PatientSex": "F", "StudyDate": "20260227", "StudyTime": "101500", "StudyID": "1",
        "AccessionNumber": "A1", "ReferringPhysicianName": "", "Modality": "NM", "NumberOfFrames": 2,
        "Rows": 128, "Columns": 128, "SamplesPerPixel": 1, "PixelRepresentation": 0,
    }  # fmt: skip
    for name, value in (cells | changes).items():
        if value is not None:
            setattr(found, name, value)
    return found


def objects(
    folder: Path,
    source: Dataset | None,
    simulated: bool = False,
    end: bytes = b"",
    **changes: object,
) -> dict[str, Path]:
    """Write both objects of a patient; `end` is appended to the file of the picture."""
    rows = example.rows(**changes)
    prediction = dicom_objects.Prediction(rows, "f" * 64, source, [1], simulated)
    captured = dicom_objects.capture(prediction, example.picture() + end)
    made = {"map": captured, "report": dicom_objects.report(prediction, captured)}
    for name, one in made.items():
        one.save_as(folder / f"{name}.dcm")
    return {name: folder / f"{name}.dcm" for name in made}


HEADERS = {
    "complete": scan(),
    "sparse": scan(PatientBirthDate=None, StudyDate=None, AccessionNumber=None, PatientSex="W"),
    "pseudonym": None,
}


@pytest.mark.parametrize("kind", HEADERS)
def test_dciodvfy_finds_no_error(tmp_path: Path, kind: str, needs: Callable[..., None]) -> None:
    needs("dciodvfy")
    for name, file in objects(tmp_path, HEADERS[kind], acquisition="pixel_mm").items():
        done = subprocess.run(["dciodvfy", "-new", file], capture_output=True, text=True)
        assert ("EnhancedSR" if name == "report" else "SCImage") in done.stderr
        assert not [line for line in done.stderr.splitlines() if line.startswith("Error")]


def test_another_reader_shows_the_report(tmp_path: Path, needs: Callable[..., None]) -> None:
    needs("dsrdump")
    files = objects(tmp_path, scan(), prediction=["not_cured", "uncertain"])
    done = subprocess.run(
        ["dsrdump", "--print-all-codes", "--print-long-values", "--convert-to-utf8", files["report"]],
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for words in (
        "Møller^Ana", "MRN4711", "PRELIMINARY", "0.734", "0.333333", "Cannot decide: cured or not cured",
        f"locked model SHA-256 {example.HASH}", "FOR RESEARCH USE ONLY", "(NM image",
    ):  # fmt: skip
        assert words in done.stdout, words
    dumped = subprocess.run(["dcmdump", files["map"]], capture_output=True, text=True)
    assert dumped.returncode == 0
    assert "1.2.3.4" in dumped.stdout


def test_they_belong_to_the_patient_and_study_of_the_scan(tmp_path: Path) -> None:
    files = objects(tmp_path, scan())
    capture, report = (pydicom.dcmread(files[name]) for name in ("map", "report"))
    for one in (capture, report):
        assert (one.PatientID, one.StudyInstanceUID, one.AccessionNumber) == (
            "MRN4711",
            "1.2.3",
            "A1",
        )
        assert "research use only" in one.SeriesDescription
    assert (report.SOPClassUID, capture.SOPClassUID) == (ENHANCED_SR, SECONDARY_CAPTURE)
    assert capture.SourceImageSequence[0].ReferencedSOPInstanceUID == "1.2.3.4"
    series = report.CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence[0]
    assert series.ReferencedSOPSequence[0].ReferencedSOPInstanceUID == "1.2.3.4"
    # the picture and a band below it
    assert capture.pixel_array.shape == (256 + 24, 256, 3)


def test_objects_of_a_pseudonym_name_nobody(tmp_path: Path) -> None:
    files = objects(tmp_path, None)
    for file in files.values():
        content = file.read_bytes()
        assert b"4711" not in content
        assert b"west-0123456789ab" in content
    report, capture = pydicom.dcmread(files["report"]), pydicom.dcmread(files["map"])
    series = report.CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence[0]
    assert series.ReferencedSOPSequence[0].ReferencedSOPInstanceUID == capture.SOPInstanceUID


def test_equal_predictions_give_equal_objects_and_others_other_ones(tmp_path: Path) -> None:
    first, second, other = (tmp_path / name for name in ("first", "second", "other"))
    for folder in (first, second, other):
        folder.mkdir()
    made, again = objects(first, scan()), objects(second, scan())
    changed = objects(other, scan(), clinical_changed=True)
    for name, file in made.items():
        assert file.read_bytes() == again[name].read_bytes()
        uids = {pydicom.dcmread(one[name]).SOPInstanceUID for one in (made, changed)}
        assert len(uids) == 2


def test_a_bad_header_stops_no_other_patient(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    files = tables(tmp_path)
    rows = overview.table(files, "west", "signature")
    io.write(deployment.PROSPECTIVE, rows, tmp_path / "own.csv")
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for patient in ("west-1", "west-2"):
        (pictures / f"{patient}.png").write_bytes(example.picture(64))
    good = scan()
    good.file_meta = pydicom.dataset.FileMetaDataset()
    good.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    pydicom.dcmwrite(tmp_path / "2.dcm", good, enforce_file_format=True)
    (tmp_path / "ok.dcm").write_bytes(b"no DICOM, of patient 4711")
    arguments = (
        tmp_path / "own.csv", files.patients, files.scans, files.records, pictures, tmp_path,
    )  # fmt: skip
    with caplog.at_level("WARNING", "thyrocast"):
        write_dicom.run(*arguments, DicomPatient.SOURCE, tmp_path / "dicom", False)
    names = sorted(file.name for file in (tmp_path / "dicom").iterdir())
    assert names == ["west-2-map.dcm", "west-2-report.dcm"]
    assert all(file.stat().st_mode & 0o077 == 0 for file in (tmp_path / "dicom").iterdir())
    assert "west-1" in caplog.text
    assert "4711" not in caplog.text
    write_dicom.run(*arguments, DicomPatient.PSEUDONYM, tmp_path / "pseudonyms", False)
    assert len(list((tmp_path / "pseudonyms").iterdir())) == 4


def comments(file: Path) -> str:
    """All texts of a report."""
    found: list[str] = []
    pydicom.dcmread(file).walk(
        lambda _, element: (
            found.append(str(element.value)) if element.keyword == "TextValue" else None
        )
    )
    return "\n".join(found)


def test_warnings_of_the_sheet_are_in_the_report(tmp_path: Path) -> None:
    file = objects(tmp_path, scan(), simulated=True, clinical_changed=True)["report"]
    text = comments(file)
    for words in (
        "learned from simulated patients", "networks on the other side of the threshold: 20%",
        "clinical values changed since the prediction: yes",
    ):  # fmt: skip
        assert words in text
    plain = comments(objects(tmp_path, scan())["report"])
    assert "simulated" not in plain
    assert "clinical values" not in plain


def test_another_picture_is_another_object(tmp_path: Path) -> None:
    uids = []
    for end in (b"", b"", b"x"):
        files = objects(tmp_path, scan(), end=end)
        uids.append([str(pydicom.dcmread(file).SOPInstanceUID) for file in files.values()])
    assert uids[0] == uids[1]
    assert not set(uids[0]) & set(uids[2])
