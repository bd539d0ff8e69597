"""Files of several views with one description, and one image with two dates."""

from pathlib import Path
from typing import Any

import pytest

from tests.unit.example_scans import detector, neck, nm
from tests.unit.hospital import Hospital
from thyrocast.cohort.view_lists import REASON

FRONT, OBLIQUE = [1, 0, 0, 0, 0, -1], [0.7071, -0.7071, 0, 0, 0, -1]
STUDY = "1.2.826.0.1.3680043.8.498.4471"


@pytest.fixture
def north(tmp_path: Path) -> Hospital:
    hospital = Hospital(tmp_path)
    hospital.patient("1")
    return hospital


def scan(north: Hospital, name: str, axes: list[float], seed: int, **elements: Any) -> None:
    elements = {"SeriesDescription": "ANT LAO RAO", "StudyInstanceUID": STUDY} | elements
    head = detector(ImageOrientationPatient=axes)
    north.scan(name, nm(neck(64, 4.0, seed=seed), [head], PatientID="1", **elements))


def test_several_views_with_one_orientation_are_not_told_apart(north: Hospital) -> None:
    for name, seed in (("a", 1), ("b", 2), ("c", 3)):
        scan(north, name, FRONT, seed)
    assert north.reasons() == [("1", REASON)]
    assert set(north.register().files["reason"]) == {REASON}


def test_the_orientation_counts_if_it_tells_the_views_apart(north: Hospital) -> None:
    for name, axes, seed in (("a", OBLIQUE, 1), ("b", FRONT, 2), ("c", FRONT, 3)):
        scan(north, name, axes, seed)
    assert north.reasons() == [("1", "")]


def test_one_file_and_copies_of_it_are_one_view(north: Hospital) -> None:
    for name in ("a", "b"):
        scan(north, name, FRONT, 1, SOPInstanceUID="2.25.4471", SeriesInstanceUID="2.25.4472")
    assert north.reasons() == [("1", "")]


@pytest.mark.parametrize("description", ["ANT/POST", "Thyroid ANT", "Thyroid"])
def test_repeated_anterior_images_are_kept(north: Hospital, description: str) -> None:
    for name, seed in (("a", 1), ("b", 2)):
        scan(north, name, FRONT, seed, SeriesDescription=description)
    assert north.reasons() == [("1", "")]


def test_the_labels_of_the_images_tell_the_views_apart(north: Hospital) -> None:
    for name, label, seed in (("a", "LAO", 1), ("b", "ANT", 2), ("c", "RAO", 3)):
        scan(north, name, FRONT, seed, ImageID=label)
    assert north.register().scans["file"].tolist() == ["b"]


@pytest.mark.parametrize(
    ("date", "seed", "flag"),
    [("20200601", 1, True), ("20200601", 2, False), ("20200110", 1, False), ("19000101", 1, False),
     ("20120101", 1, False)],
)  # fmt: skip
def test_one_image_with_another_date_after_the_therapy(
    north: Hospital, date: str, seed: int, flag: bool
) -> None:
    scan(north, "a", FRONT, 1, SeriesDescription="Thyroid")
    elements = {"StudyDate": date, "AcquisitionDate": date, "StudyInstanceUID": STUDY + ".1"}
    scan(north, "b", FRONT, seed, SeriesDescription="Thyroid", **elements)
    (flags,) = north.register().register["flags"].fillna("")
    assert ("copy_after_therapy" in flags) == flag
