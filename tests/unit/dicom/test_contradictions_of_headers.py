"""Statements of one header that contradict each other in geometry, labels, vectors or type."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from tests.unit.dicom.test_nasty_exports import NOT_ONE_VIEW, back, front
from tests.unit.example_scans import ANTERIOR, POSTERIOR, code, confirmed, detector, nm, window

FRONT, BACK = [1, 0, 0, 0, 0, -1], [-1, 0, 0, 0, 0, -1]
DYNAMIC = ["ORIGINAL", "PRIMARY", "DYNAMIC", "EMISSION"]
CONFUSED = "detectors that the vector of the frames does not distinguish"


def test_two_statements_of_the_orientation(tmp_path: Path) -> None:
    head = detector(ImageOrientationPatient=FRONT)
    dataset = nm(front(), [head], PatientOrientation=["R", "F"])
    reason = "orientation (anterior) and PatientOrientation (posterior) contradict each other"
    assert confirmed(tmp_path, dataset).reason == reason
    (scan,) = confirmed(tmp_path, dataset, views={"contradictions": "orientation"}).scans
    assert scan.flags == ("view_contradiction",)
    coded = detector(ANTERIOR, ImageOrientationPatient=FRONT)
    (scan,) = confirmed(tmp_path, nm(front(), [coded], PatientOrientation=["R", "F"])).scans
    assert scan.flags == ("view_contradiction",)
    (scan,) = confirmed(tmp_path, nm(front(), [head], PatientOrientation=["L", "F"])).scans
    assert scan.flags == ()


def test_the_letters_of_a_file_describe_one_of_two_detectors(tmp_path: Path) -> None:
    heads = [detector(ImageOrientationPatient=axes) for axes in (BACK, FRONT)]
    dataset = nm(np.stack([back(), front()]), heads, PatientOrientation=["R", "F"])
    (scan,) = confirmed(tmp_path, dataset).scans
    assert (scan.frames, scan.flags) == ((1,), ())


def test_a_private_label_that_contradicts_the_code(tmp_path: Path) -> None:
    dataset = nm(front())
    dataset.private_block(0x11, "GEMS_GENIE_1", create=True).add_new(0x12, "LO", "LAO")
    reason = "view code (anterior) and label of the camera (another view) contradict each other"
    assert confirmed(tmp_path, dataset).reason == reason


def test_several_codes_of_different_views_state_nothing(tmp_path: Path) -> None:
    head = detector()
    head.ViewCodeSequence = Sequence([ANTERIOR, POSTERIOR])
    assert confirmed(tmp_path, nm(front(), [head])).reason == "view not stated"
    head.ViewCodeSequence = Sequence([code("X", "Static", "99X"), ANTERIOR])
    assert confirmed(tmp_path, nm(front(), [head])).scans


@pytest.mark.parametrize(
    ("angle", "flags"),
    [
        (45, ("start_angle_reversed",)),
        (225, ("start_angle_reversed",)),
        (180, ()),
        (0, ()),
        (90, ()),
    ],
)
@pytest.mark.parametrize("label", ["code", "text", "orientation"])
def test_an_oblique_start_angle_is_told(
    tmp_path: Path, angle: int, flags: tuple[str, ...], label: str
) -> None:
    more = {"ImageOrientationPatient": FRONT} if label == "orientation" else {}
    head = detector(ANTERIOR if label == "code" else None, StartAngle=angle, **more)
    text = "ANT" if label == "text" else ""
    (scan,) = confirmed(tmp_path, nm(front(), [head], SeriesDescription=text)).scans
    assert scan.flags == flags


def phase(frames: int) -> Dataset:
    item = Dataset()
    item.NumberOfFramesInPhase, item.ActualFrameDuration = frames, 10_000
    return item


@pytest.mark.parametrize("vector", [[1] * 6, [0] * 6, None])
@pytest.mark.parametrize("listed", [1, 2])
def test_front_and_back_of_a_dynamic_study_under_one_detector_are_not_summed(
    tmp_path: Path, vector: list[int] | None, listed: int
) -> None:
    heads = [detector(ANTERIOR), detector(POSTERIOR)][:listed]
    dataset = nm(
        np.stack([front()] * 3 + [back()] * 3), heads, ImageType=DYNAMIC, DetectorVector=vector,
        NumberOfDetectors=2, ActualFrameDuration=10_000, SeriesDescription="ANT",
        PhaseInformationSequence=Sequence([phase(3)]), PhaseVector=[1] * 6,
    )  # fmt: skip
    assert confirmed(tmp_path, dataset).reason == CONFUSED


def test_a_dynamic_study_of_one_of_two_detectors_is_used(tmp_path: Path) -> None:
    heads = [detector(ANTERIOR), detector(POSTERIOR)]
    dataset = nm(
        np.stack([front()] * 4), heads, ImageType=DYNAMIC, DetectorVector=[1] * 4,
        PhaseInformationSequence=Sequence([phase(4)]), PhaseVector=[1] * 4,
    )  # fmt: skip
    (scan,) = confirmed(tmp_path, dataset).scans
    assert (scan.frames, scan.duration_s) == ((0, 1, 2, 3), 40)


def test_views_in_a_file_that_calls_itself_dynamic_are_not_summed(tmp_path: Path) -> None:
    frames = np.stack([front(), back()])
    assert confirmed(tmp_path, nm(frames, ImageType=DYNAMIC)).reason == NOT_ONE_VIEW
    assert confirmed(tmp_path, nm(frames, ImageType=DYNAMIC, ActualFrameDuration=10_000)).scans


@pytest.mark.parametrize("kind", [DYNAMIC, None])
@pytest.mark.parametrize(
    ("vector", "tag", "reason"),
    [
        ("AngularViewVector", 0x00540090, "a tomographic image"),
        ("SliceVector", 0x00540080, "a tomographic image"),
        ("TimeSlotVector", 0x00540070, "a gated image"),
    ],
)
def test_what_the_frames_are_counted_by_contradicts_the_type(
    tmp_path: Path, kind: list[str] | None, vector: str, tag: int, reason: str
) -> None:
    more = {vector: [1, 2, 3], "FrameIncrementPointer": [tag]}
    assert confirmed(tmp_path, nm(np.stack([front()] * 3), ImageType=kind, **more)).reason == reason


def test_exchanged_limits_of_an_energy_window(tmp_path: Path) -> None:
    assert confirmed(tmp_path, nm(front(), windows=[window(154, 126)])).scans
    found = confirmed(tmp_path, nm(front(), windows=[window(125, 92)]))
    assert found.reason == "an energy window without the photopeak"


def test_seconds_written_as_milliseconds_in_many_frames(tmp_path: Path) -> None:
    dataset = nm(np.stack([front()] * 120), ImageType=DYNAMIC, ActualFrameDuration=60)
    (scan,) = confirmed(tmp_path, dataset).scans
    assert (scan.duration_s, scan.flags) == (None, ("duration_implausible",))


@pytest.mark.parametrize(
    "elements",
    [
        {"ImageType": ["ORIGINAL", "PRIMARY", "SCREEN SAVE"]},
        {"ImageType": ["ORIGINAL", "PRIMARY", "STATIC", "SNAPSHOT"]},
        {"ImageType": ["DERIVED", "PRIMARY", "RESULT", "EMISSION"]},
        {"ImageType": ["SECONDARY", "DERIVED"]},
        {"SecondaryCaptureDeviceManufacturer": "X"},
    ],
)
def test_screen_saves_that_say_so_elsewhere(tmp_path: Path, elements: dict[str, Any]) -> None:
    found = confirmed(tmp_path, nm(front(), **elements))
    assert found.reason == "a screen save in the class of counts"


@pytest.mark.parametrize(
    ("part", "series", "reason", "flags"),
    [
        ("KIDNEY", "ANT", "the kidneys by the body part in its header", ()),
        ("LSPINE", "ANT", "another part of the body by the body part in its header", ()),
        ("KIDNEY", "Thyroid ANT", "", ("body_part_differs",)),
        ("THYROID", "ANT", "", ()),
        ("NECK", "ANT", "", ()),
        ("HEAD", "ANT", "", ()),
        ("CHEST", "ANT", "", ()),
        ("WHOLEBODY", "ANT", "", ()),
    ],
)
def test_the_body_part_of_another_organ(
    tmp_path: Path, part: str, series: str, reason: str, flags: tuple[str, ...]
) -> None:
    found = confirmed(tmp_path, nm(front(), BodyPartExamined=part, SeriesDescription=series))
    assert found.reason == reason
    assert [scan.flags for scan in found.scans] == ([] if reason else [flags])


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("64033007", "the kidneys by the region code in its header"),
        ("T-71000", "the kidneys by the region code in its header"),
        ("40689003", "the testes by the region code in its header"),
        ("38266002", ""),
        ("T-D0010", ""),
        ("69748006", ""),
        ("45048000", ""),
        ("999", ""),
    ],
)
@pytest.mark.parametrize("meaning", ["", "Organ"])
def test_the_code_of_a_region_counts_without_its_meaning(
    tmp_path: Path, value: str, reason: str, meaning: str
) -> None:
    region = Sequence([code(value, meaning)])
    assert confirmed(tmp_path, nm(front(), AnatomicRegionSequence=region)).reason == reason


@pytest.mark.parametrize(
    ("value", "flags"), [("64033007", ("body_part_differs",)), ("38266002", ()), ("69748006", ())]
)
def test_a_description_of_the_thyroid_is_nearer_than_a_region_code(
    tmp_path: Path, value: str, flags: tuple[str, ...]
) -> None:
    region = Sequence([code(value, "")])
    dataset = nm(front(), AnatomicRegionSequence=region, SeriesDescription="Thyroid ANT")
    (scan,) = confirmed(tmp_path, dataset).scans
    assert scan.flags == flags


@pytest.mark.parametrize(
    ("of_detector", "of_rotation", "flags"),
    [
        (180, 0, ("start_angle_reversed",)),
        (None, 45, ("start_angle_reversed",)),
        (180, 175, ()),
        (None, 180, ()),
        (355, 5, ()),
    ],
)
def test_the_start_angle_of_a_rotation(
    tmp_path: Path, of_detector: int | None, of_rotation: int, flags: tuple[str, ...]
) -> None:
    head = detector(ANTERIOR, **({} if of_detector is None else {"StartAngle": of_detector}))
    rotation = Dataset()
    rotation.StartAngle = of_rotation
    dataset = nm(front(), [head], RotationInformationSequence=Sequence([rotation]))
    (scan,) = confirmed(tmp_path, dataset).scans
    assert scan.flags == flags


def test_start_angles_that_contradict_each_other_decide_nothing(tmp_path: Path) -> None:
    rotation = Dataset()
    rotation.StartAngle = 0
    more = {"RotationInformationSequence": Sequence([rotation])}
    assert confirmed(tmp_path, nm(front(), [detector(StartAngle=180)], **more)).reason == (
        "view not stated"
    )
    assert confirmed(tmp_path, nm(front(), [detector(StartAngle=180)])).scans


def test_phases_with_fewer_frames_than_the_file(tmp_path: Path) -> None:
    dataset = nm(
        np.stack([front()] * 3 + [back()] * 3), ImageType=DYNAMIC, DetectorVector=None,
        ActualFrameDuration=10_000, PhaseInformationSequence=Sequence([phase(3)]),
        FrameIncrementPointer=None,
    )  # fmt: skip
    assert confirmed(tmp_path, dataset).reason == CONFUSED
