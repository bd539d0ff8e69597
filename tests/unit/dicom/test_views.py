"""The view of a frame: geometry before labels, and a contradiction is never resolved in silence."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset

from tests.unit.example_scans import (
    ANTERIOR,
    POSTERIOR,
    code,
    detector,
    judged,
    neck,
    nm,
)
from thyrocast.dicom.frames import FileVerdict

TWO = np.stack([neck(64, 4.0, seed=1), neck(64, 4.0, seed=2)])
FRONT = [1, 0, 0, 0, 0, -1]
BACK = [-1, 0, 0, 0, 0, -1]
AXIAL = [1, 0, 0, 0, 1, 0]
LAO = code("399074003", "Left anterior oblique")


def rules(found: FileVerdict) -> list[tuple[tuple[int, ...], str, tuple[str, ...]]]:
    return [(scan.frames, str(scan.rule), tuple(scan.flags)) for scan in found.scans]


@pytest.mark.parametrize(
    "label", [ANTERIOR, code("FACE", "FACE ANT", "99SDM"), code("1", "ANT", "99NMG")]
)
@pytest.mark.parametrize("front", [0, 1])
def test_an_anterior_label_on_both_heads_does_not_hide_the_orientation(
    tmp_path: Path, label: Dataset, front: int
) -> None:
    axes = [FRONT, BACK] if front == 0 else [BACK, FRONT]
    heads = [detector(label, ImageOrientationPatient=axis) for axis in axes]
    assert [scan.frames for scan in judged(tmp_path, nm(TWO, heads)).scans] == [(front,)]


def test_of_two_opposite_heads_with_exchanged_labels_the_orientation_decides(
    tmp_path: Path,
) -> None:
    heads = [
        detector(POSTERIOR, ImageOrientationPatient=FRONT),
        detector(ANTERIOR, ImageOrientationPatient=BACK),
    ]
    found = judged(tmp_path, nm(TWO, heads))
    assert rules(found) == [((0,), "orientation_of_heads", ("view_contradiction",))]


@pytest.mark.parametrize(
    "meaning",
    ["FACE", "FACE ANT", "THYROIDE", "ANT LATE", "ANT 20MIN POST INJ", "Static", "15 min p.i.",
     "Tarczyca przednia", "TIROID ON", "Schilddrüse 20 min nach Injektion", "ANT 20 MIN"],
)  # fmt: skip
@pytest.mark.parametrize("scheme", ["99SDM", "99NMG", "99LOCAL"])
def test_a_free_text_label_does_not_reject_an_anterior_orientation(
    tmp_path: Path, meaning: str, scheme: str
) -> None:
    head = detector(code("X1", meaning, scheme), ImageOrientationPatient=FRONT)
    found = judged(tmp_path, nm(detectors=[head]))
    assert [scan.view_by in {"code", "orientation"} for scan in found.scans] == [True]


@pytest.mark.parametrize(
    "label", [POSTERIOR, LAO, code("x", "L LAT", "99X"), code("x", "OAG", "99X")]
)
def test_a_label_of_another_view_on_an_anterior_orientation_needs_the_centers_word(
    tmp_path: Path, label: Dataset
) -> None:
    dataset = nm(detectors=[detector(label, ImageOrientationPatient=FRONT)])
    assert "contradict each other" in judged(tmp_path, dataset).reason
    trusted = judged(tmp_path, dataset, views={"contradictions": "orientation"})
    assert rules(trusted) == [((0,), "orientation", ("view_contradiction",))]
    assert not judged(tmp_path, dataset, views={"contradictions": "label"}).scans


def test_an_anterior_label_on_a_posterior_orientation_needs_the_centers_word(
    tmp_path: Path,
) -> None:
    dataset = nm(detectors=[detector(ANTERIOR, ImageOrientationPatient=BACK)])
    assert "contradict each other" in judged(tmp_path, dataset).reason
    trusted = judged(tmp_path, dataset, views={"contradictions": "label"})
    assert rules(trusted) == [((0,), "configured_label", ("view_contradiction",))]


@pytest.mark.parametrize("axis", [FRONT, BACK, AXIAL])
@pytest.mark.parametrize(("angles", "front"), [((180, 360), 0), ((0, 180), 1), ((-180, 0), 0)])
def test_start_angles_tell_heads_of_one_orientation_apart(
    tmp_path: Path, axis: list[int], angles: tuple[int, int], front: int
) -> None:
    heads = [detector(ImageOrientationPatient=axis, StartAngle=angle) for angle in angles]
    found = judged(tmp_path, nm(TWO, heads))
    assert rules(found) == [((front,), "start_angle", ())]
    counted = judged(tmp_path, nm(TWO, heads), views={"start_angle_zero": "front"})
    assert rules(counted) == [((1 - front,), "start_angle", ())]


def test_labels_tell_heads_of_one_orientation_apart(tmp_path: Path) -> None:
    heads = [
        detector(POSTERIOR, ImageOrientationPatient=FRONT),
        detector(ANTERIOR, ImageOrientationPatient=FRONT),
    ]
    assert rules(judged(tmp_path, nm(TWO, heads))) == [((1,), "code", ())]


def test_reversed_start_angles_are_flagged(tmp_path: Path) -> None:
    heads = [
        detector(ImageOrientationPatient=FRONT, StartAngle=0),
        detector(ImageOrientationPatient=BACK, StartAngle=180),
    ]
    found = judged(tmp_path, nm(TWO, heads))
    assert rules(found) == [((0,), "orientation", ("start_angle_reversed",))]
    heads = [detector(ANTERIOR, StartAngle=0), detector(POSTERIOR, StartAngle=180)]
    found = judged(tmp_path, nm(TWO, heads))
    assert rules(found) == [((0,), "code", ("start_angle_reversed",))]


def test_a_center_can_say_which_detector_is_in_front(tmp_path: Path) -> None:
    dataset = nm(TWO, [detector(ANTERIOR), detector(ANTERIOR)])
    assert judged(tmp_path, dataset).reason == "several detector heads with one orientation"
    found = judged(tmp_path, dataset, views={"anterior_detector": 2})
    assert rules(found) == [((1,), "configured_head", ())]


@pytest.mark.parametrize("where", [{"PatientOrientation": ["L", "P"]}, {}])
@pytest.mark.parametrize(
    ("text", "taken"), [("THYROID ANT", True), ("Thyroïde face", True), ("LAO", False), ("", False)]
)
def test_an_axial_orientation_states_nothing(
    tmp_path: Path, where: dict[str, Any], text: str, taken: bool
) -> None:
    head = detector(**({} if where else {"ImageOrientationPatient": AXIAL}))
    found = judged(tmp_path, nm(detectors=[head], SeriesDescription=text, **where))
    assert bool(found.scans) == taken


@pytest.mark.parametrize(
    ("creator", "group", "element", "label", "taken"),
    [
        ("GEMS_GENIE_1", 0x0011, 0x12, "ANT_EM", True),
        ("GEMS_GENIE_1", 0x0009, 0x22, "ANTERIOR", True),
        ("GEMS_GENIE_1", 0x0011, 0x10, "Thyroid POST", False),
        ("GEMS_GENIE_1", 0x0011, 0x12, "RAO", False),
        ("SIEMENS MED NM", 0x0009, 0x80, "Anterior", True),
        ("SIEMENS MED NM", 0x0009, 0x80, "Static", False),
        ("SOMEBODY", 0x0009, 0x80, "Anterior", False),
    ],
)
def test_private_elements_of_known_cameras_name_the_view(
    tmp_path: Path, creator: str, group: int, element: int, label: str, taken: bool
) -> None:
    dataset = nm(detectors=[detector()])
    dataset.private_block(group, creator, create=True).add_new(element, "LO", label)
    found = judged(tmp_path, dataset)
    assert [scan.rule for scan in found.scans] == (["private_label"] if taken else [])


@pytest.mark.parametrize(
    ("text", "view"),
    [
        ("Tarczyca projekcja przednia", True),
        ("TİROİD ÖN", True),
        ("Tiroid anterior", True),
        ("ANTERIORE", True),
        ("face antérieure", True),
        ("Vooraanzicht", True),
        ("ANT1", True),
        ("ant_5min", True),
        ("передняя проекция", True),
        ("LAO", False),
        ("RAO thyroid", False),
        ("OAG", False),
        ("OAD", False),
        ("Left anterior oblique", False),
        ("oblique antérieure droite", False),
        ("SOL ÖN OBLİK", False),
        ("skośna lewa przednia", False),
        ("skos lewy przedni", False),
        ("Linksvorne schräg", False),
        ("profil gauche", False),
        ("L LAT", False),
        ("Thyroid POST", False),
        ("tylna", False),
        ("arka", False),
        ("Tireoide frente", True),
        ("Tiroide di fronte", True),
        ("front view", True),
        ("Schilddrüse a.p.", True),
        ("ANT 15 min posterior a la inyección", True),
        ("ANT 20 sin marcador", True),
        ("ANT 20 MIN right lobe", True),
        ("ANT 30 min", True),
        ("Schraeg links", False),
        ("Rueckansicht", False),
        ("P.A.", False),
        ("face postérieure", False),
        ("face latérale gauche", False),
        ("ANT 45 L", False),
        ("45° links", False),
        ("links 45", False),
        ("ANT 30 grados", False),
        ("ANTOBL", False),
        ("OBG", False),
        ("sırt", False),
        ("15 min posterior a inyección", None),
        ("THYROID", None),
        ("ANT LAO RAO", None),
        ("ANT/POST", None),
        ("Bilateral", None),
        ("on table", None),
        ("20 min post inj", None),
        ("post therapy", None),
    ],
)
def test_views_in_the_languages_of_europe(tmp_path: Path, text: str, view: bool | None) -> None:
    found = judged(tmp_path, nm(detectors=[detector()], SeriesDescription=text))
    expected = {True: "", False: "a view other than anterior", None: "view not stated"}
    assert found.reason == expected[view]


def test_a_centers_own_words_come_first(tmp_path: Path) -> None:
    dataset = nm(detectors=[detector()], SeriesDescription="POST")
    assert judged(tmp_path, dataset, views={"anterior": [r"\bpost\b"]}).scans


def test_the_list_of_views_in_a_study_contradicts_none_of_them(tmp_path: Path) -> None:
    head = detector(ImageOrientationPatient=FRONT)
    dataset = nm(detectors=[head], StudyDescription="Thyroid RAO", SeriesDescription="1")
    assert judged(tmp_path, dataset).scans


@pytest.mark.parametrize("text", ["ANT LAO", "ANT POST", "LAO POST"])
def test_a_description_of_several_views_is_not_taken_as_the_configured_view(
    tmp_path: Path, text: str
) -> None:
    one = nm(TWO[0], [detector()], SeriesDescription=text)
    found = judged(tmp_path, one, fallbacks={"view": "anterior"})
    assert found.reason == "view codes or a description that name several views"
    assert judged(tmp_path, one, views={"anterior": [text]}).scans


def test_codes_that_contradict_themselves(tmp_path: Path) -> None:
    one = nm(TWO[0], [detector(code("399321004", "LAO"))])
    found = judged(tmp_path, one, fallbacks={"view": "anterior"})
    assert found.reason == "view codes or a description that name several views"
    one.SeriesDescription = "ANT"
    assert rules(judged(tmp_path, one)) == [((0,), "description", ("view_contradiction",))]
