"""One SOPInstanceUID is one image; two images with one are a contradiction."""

from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset
from pydicom.uid import ImplicitVRLittleEndian

from tests.unit.example_scans import POSTERIOR, detector, neck, nm, save
from tests.unit.hospital import Hospital
from thyrocast.contract.names import FileUse

UID = "2.25.77"
PIXELS = "one SOPInstanceUID with different pixels"
HEADERS = "one SOPInstanceUID with different headers"


def image(seed: int = 1, detectors: list[Dataset] | None = None, **elements: Any) -> Dataset:
    elements = {"PatientID": "1", "SOPInstanceUID": UID} | elements
    return nm(neck(64, 4.0, seed=seed), detectors, **elements)


@pytest.fixture
def north(tmp_path: Path) -> Hospital:
    hospital = Hospital(tmp_path)
    hospital.patient("1")
    hospital.scan("a", image())
    return hospital


def test_a_copy_is_one_image(north: Hospital) -> None:
    north.scan("b/copy", image())
    save(image(), north.dicom / "c", ImplicitVRLittleEndian)
    registration = north.register()
    assert registration.scans["file"].tolist() == ["a"]
    files = registration.files
    assert files["verdict"].tolist() == [FileUse.USED, FileUse.EXCLUDED, FileUse.EXCLUDED]
    assert files["reason"].tolist() == ["", *["a copy of another file"] * 2]


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        (image(seed=2), PIXELS),
        (image(RescaleSlope=2), PIXELS),
        (nm(neck(128, 2.0), PatientID="1", SOPInstanceUID=UID), PIXELS),
        (image(AcquisitionDate="20200120"), HEADERS),
        (image(detectors=[detector(POSTERIOR)]), HEADERS),
        (image(PixelSpacing=[2.5, 2.5]), HEADERS),
    ],
)
def test_different_images_with_one_number_exclude_the_patient(
    north: Hospital, other: Dataset, reason: str
) -> None:
    north.scan("0", other)
    assert north.reasons() == [("1", reason)]
    assert reason in north.register().files["reason"].tolist()


def test_a_doubtful_image_that_would_not_be_used_excludes_nobody(north: Hospital) -> None:
    for name, seed in (("old", 2), ("old 2", 3)):
        north.scan(name, image(seed, SOPInstanceUID="2.25.8", AcquisitionDate="20100101"))
    assert north.reasons() == [("1", "")]


def test_a_broken_copy_contradicts_nothing(north: Hospital) -> None:
    path = north.scan("0", image())
    path.write_bytes(path.read_bytes()[:-1000])
    assert north.reasons() == [("1", "")]
    assert north.register().scans["file"].tolist() == ["a"]


def test_different_images_without_a_number_are_no_contradiction(north: Hospital) -> None:
    for n in range(2):
        path = north.scan(f"{n}", image(seed=n))
        blank = UID.encode().ljust(8, b"\0")
        path.write_bytes(path.read_bytes().replace(blank, bytes(len(blank))))
    assert north.reasons() == [("1", "")]
