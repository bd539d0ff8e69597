"""Every file of an export is listed with its patient, what became of it, and why."""

from pathlib import Path

import numpy as np

from tests.unit.example_scans import IODINE131, nm
from tests.unit.hospital import Hospital, assemble, read_cohort, scan
from thyrocast.contract.names import FileUse


def uses(hospital: Hospital) -> dict[str, tuple[str, str]]:
    """Verdict and reason by file."""
    table = hospital.register().files
    return {row.file: (row.verdict, row.reason) for row in table.itertuples()}


def test_every_file_has_a_verdict_and_a_reason(tmp_path: Path) -> None:
    north = Hospital(tmp_path)
    for identifier in ("1", "2", "3"):
        north.patient(identifier)
    north.scan("1/near", scan("1", AcquisitionDate="20200120"))
    north.scan("1/far", scan("1", AcquisitionDate="20200110"))
    north.scan("1/old", scan("1", AcquisitionDate="20150110", StudyDate="20150110"))
    north.scan("1/after", scan("1", AcquisitionDate="20200301", StudyDate="20200301"))
    north.scan("1/unsized", scan("1", PixelSpacing=None))
    north.scan("1/iodine", scan("1", radionuclide=IODINE131))
    north.scan("2/after", scan("2", AcquisitionDate="20200301", StudyDate="20200301"))
    north.scan("4/scan", scan("4"))
    north.scan("nobody", scan(""))
    (north.dicom / "notes äö.txt").write_text("no scan")
    assert uses(north) == {
        "1/near": (FileUse.USED, ""),
        "1/far": (FileUse.CANDIDATE, ""),
        "1/old": (FileUse.EXCLUDED, "too long before the therapy"),
        "1/after": (FileUse.EXCLUDED, "after, or too near to, the therapy"),
        "1/unsized": (FileUse.EXCLUDED, "pixel size not stated"),
        "1/iodine": (FileUse.EXCLUDED, "another radionuclide or tracer"),
        "2/after": (FileUse.EXCLUDED, "after, or too near to, the therapy"),
        "4/scan": (FileUse.CANDIDATE, "not in the clinical table"),
        "nobody": (FileUse.CANDIDATE, "no identifier in the DICOM header"),
        "notes %C3%A4%C3%B6.txt": (FileUse.UNREADABLE, "not a DICOM file"),
    }
    table = north.register().files.set_index("file")
    register = north.register().register
    assert table.loc["1/near", "patient"] == register["patient"][0]
    assert (
        table.loc["1/near", ["identifier", "kind", "view_by", "frames"]]
        == ["1", "static", "code", "0"]
    ).all()
    assert table.loc["nobody", ["patient", "identifier"]].isna().all()


def test_a_candidate_of_an_excluded_patient_has_the_reason_of_the_patient(tmp_path: Path) -> None:
    north = Hospital(tmp_path)
    north.patient("1", "maybe")
    north.scan("a", scan("1"))
    north.scan("b", nm(np.ones((64, 64), np.uint16), PatientID="1"))
    assert uses(north) == dict.fromkeys("ab", (FileUse.CANDIDATE, "outcome code not in the config"))


def test_what_can_not_be_read_is_the_reason_of_its_patient(tmp_path: Path) -> None:
    north = Hospital(tmp_path)
    for identifier in ("1", "2", "3"):
        north.patient(identifier)
    cut = north.scan("cut", scan("1"))
    cut.write_bytes(cut.read_bytes()[:1200])
    north.scan("unread/2.dcm", scan("2", PatientComments="x" * 30)).chmod(0o600)
    deep = north.dicom / "unread" / "2.dcm"
    element = b"\x10\x00\x40\x10SQ\0\0\xff\xff\xff\xff" + b"\xfe\xff\x00\xe0\xff\xff\xff\xff"
    data = deep.read_bytes()
    at = data.index(b"\x10\x00\x00\x40LT")
    deep.write_bytes(data[:at] + element * 900 + data[at:])
    (north.dicom / "3.zip").write_bytes(b"PK\x03\x04")
    assert north.reasons() == [
        ("1", "a truncated file"),
        ("2", "unreadable header: sequences nested too deep"),
        ("3", "no images"),
    ]
    assert uses(north) == {
        "3.zip": (FileUse.UNREADABLE, "an archive, not unpacked"),
        "cut": (FileUse.UNREADABLE, "a truncated file"),
        "unread/2.dcm": (FileUse.UNREADABLE, "unreadable header: sequences nested too deep"),
    }
    assert north.register().files["identifier"].tolist()[1:] == ["1", "2"]


def test_scans_behind_links_to_folders_are_used(tmp_path: Path) -> None:
    north = Hospital(tmp_path)
    north.patient("1")
    north.scan("../archive/1/scan", scan("1"))
    (north.dicom).mkdir(exist_ok=True)
    (north.dicom / "1").symlink_to("../archive/1")
    (north.dicom / "same").symlink_to("1")
    (north.dicom / "loop").symlink_to(".")
    assert uses(north) == {
        "1/scan": (FileUse.USED, ""),
        "loop": (FileUse.UNREADABLE, "a link to a folder that contains the export"),
        "same": (FileUse.UNREADABLE, "a link to a folder that is already read"),
    }
    assert len(read_cohort(assemble(tmp_path, [north]))) == 1
