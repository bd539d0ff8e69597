"""The anterior pertechnetate frame is found by what the header states, never by its position."""

import functools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from tests.unit.example_scans import (
    ANTERIOR,
    IODINE123,
    IODINE131,
    POSTERIOR,
    center,
    code,
    cohort,
    detector,
    judged,
    neck,
    nm,
    save,
    window,
)
from thyrocast.dicom.frames import FileVerdict, confirm, judge
from thyrocast.dicom.header import read_header
from thyrocast.dicom.pixels import read_frames

TWO = np.stack([neck(64, 4.0, seed=1), neck(64, 4.0, seed=2)])


def frames(tmp_path: Path, dataset: Dataset, **changes: Any) -> list[tuple[int, ...]]:
    found = judged(tmp_path, dataset, **changes)
    return [scan.frames for scan in found.scans]


@pytest.mark.parametrize(("vector", "expected"), [([1, 2], 1), ([2, 1], 0)])
def test_frames_follow_the_detector_vector(
    tmp_path: Path, vector: list[int], expected: int
) -> None:
    heads = [detector(POSTERIOR), detector(ANTERIOR)]
    dataset = nm(TWO, heads, DetectorVector=vector)
    assert frames(tmp_path, dataset) == [(expected,)]


@pytest.mark.parametrize(
    ("vector", "expected"),
    [([0, 1], [(1,)]), ([1], []), ([1, 7], []), ([2, 1, 2], []), ([1, 0], [(0,)])],
)
def test_vectors_with_quirks(
    tmp_path: Path, vector: list[int], expected: list[tuple[int, ...]]
) -> None:
    """Counted from 0, too short, without an item, too long; what is not stated is not guessed."""
    dataset = nm(TWO, [detector(POSTERIOR), detector(ANTERIOR)], DetectorVector=vector)
    assert frames(tmp_path, dataset) == expected


def test_two_heads_without_a_vector_are_not_guessed(tmp_path: Path) -> None:
    dataset = nm(TWO, [detector(POSTERIOR), detector(ANTERIOR)], DetectorVector=None)
    found = judged(tmp_path, dataset)
    assert not found.scans
    assert found.reason == "view not stated"


def test_the_photopeak_window_is_taken(tmp_path: Path) -> None:
    dataset = nm(TWO, windows=[window(92, 125), window(126, 154)], EnergyWindowVector=[2, 1])
    dataset.DetectorVector = [1, 1]
    assert frames(tmp_path, dataset) == [(0,)]


@pytest.mark.parametrize(
    ("view", "known"),
    [
        (code("399321004", ""), True),
        (code("G-5215", "", "SRT"), True),
        (code("X1", "Anterior", "99LOCAL"), True),
        (code("399074003", "Left anterior oblique"), False),
        (code("399001007", "Posterior projection"), False),
        (code("X2", "Left lateral", "99LOCAL"), False),
    ],
)
def test_view_codes(tmp_path: Path, view: Dataset, known: bool) -> None:
    found = judged(tmp_path, nm(detectors=[detector(view)]))
    assert bool(found.scans) == known
    assert found.reason == ("" if known else "a view other than anterior")


@pytest.mark.parametrize(
    ("cosines", "turn"),
    [
        ([1, 0, 0, 0, 0, -1], 0),
        ([-1, 0, 0, 0, 0, 1], 2),
        ([0, 0, 1, 1, 0, 0], 1),
        ([0, 0, -1, -1, 0, 0], 3),
        ([-1, 0, 0, 0, 0, -1], None),
        ([0.7071, 0.7071, 0, 0, 0, -1], None),
        ([0, 1, 0, 0, 0, -1], None),
    ],
)
def test_orientation_gives_the_view_and_the_turn(
    tmp_path: Path, cosines: list[float], turn: int | None
) -> None:
    dataset = nm(detectors=[detector(ImageOrientationPatient=cosines)])
    found = judged(tmp_path, dataset)
    if turn is None:
        assert found.reason == "a view other than anterior"
    else:
        assert [(scan.view_by, scan.turn) for scan in found.scans] == [("orientation", turn)]


def test_the_angle_distinguishes_two_heads_of_one_orientation(tmp_path: Path) -> None:
    front = [1, 0, 0, 0, 0, -1]
    heads = [detector(ImageOrientationPatient=front, StartAngle=angle) for angle in (0.0, 180.0)]
    assert frames(tmp_path, nm(TWO, heads)) == [(1,)]


@pytest.mark.parametrize(
    ("letters", "known"), [(["L", "F"], True), (["R", "F"], False), (["R", "H"], True)]
)
def test_patient_orientation_gives_the_view(
    tmp_path: Path, letters: list[str], known: bool
) -> None:
    dataset = nm(detectors=[detector()], PatientOrientation=letters)
    assert bool(judged(tmp_path, dataset).scans) == known


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("THYROID_ANT", ""),
        ("Schilddrüse ventral", ""),
        ("Tiroide anteriore", ""),
        ("甲状腺 正面", ""),
        ("甲状腺 側面", "a view other than anterior"),
        ("LAO", "a view other than anterior"),
        ("Thyroid", "view not stated"),
        ("ANT MARKER", "a marker image by its description"),
        ("Spritze voll", "a syringe by its description"),
    ],
)
def test_descriptions_give_the_view_of_a_single_frame(
    tmp_path: Path, text: str, reason: str
) -> None:
    found = judged(tmp_path, nm(detectors=[detector()], SeriesDescription=text))
    assert found.reason == reason
    assert bool(found.scans) == (not reason)


def test_a_description_does_not_give_the_view_of_two_frames(tmp_path: Path) -> None:
    dataset = nm(TWO, [detector(), detector()], SeriesDescription="THYROID ANT")
    assert judged(tmp_path, dataset).reason == "view not stated"


def test_an_unknown_view_is_anterior_only_by_config(tmp_path: Path) -> None:
    found = judged(tmp_path, nm(detectors=[detector()]), fallbacks={"view": "anterior"})
    assert found.scans[0].view_by == "fallback"


@pytest.mark.parametrize("isotope", [IODINE123, IODINE131, code("X", "Gallium")])
def test_other_radionuclides_are_excluded(tmp_path: Path, isotope: Dataset) -> None:
    dataset = nm(radionuclide=isotope)
    assert judged(tmp_path, dataset).reason == "another radionuclide or tracer"


def test_the_energy_window_identifies_iodine_if_no_radionuclide_is_named(tmp_path: Path) -> None:
    dataset = nm(radionuclide=None, windows=[window(143, 175)])
    assert judged(tmp_path, dataset).reason == "an energy window without the photopeak"
    assert judged(tmp_path, nm(radionuclide=None)).scans


@pytest.mark.parametrize(
    ("half_life", "reason"), [(21_600.0, ""), (47_520.0, "another radionuclide or tracer")]
)
def test_the_half_life_identifies_the_radionuclide(
    tmp_path: Path, half_life: float, reason: str
) -> None:
    dataset = nm(radionuclide=None)
    dataset.RadiopharmaceuticalInformationSequence[0].RadionuclideHalfLife = half_life
    assert judged(tmp_path, dataset).reason == reason


@pytest.mark.parametrize(
    ("elements", "reason"),
    [
        ({"ImageType": ["ORIGINAL", "PRIMARY", "WHOLE BODY", "EMISSION"]}, "a whole-body image"),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "TOMO", "EMISSION"]}, "a tomographic image"),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "STATIC", "TRANSMISSION"]}, "a transmission image"),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "GATED", "EMISSION"]}, "a gated image"),
        ({"PhotometricInterpretation": "PALETTE COLOR"}, "a color image"),
        ({"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB"}, "a color image"),
        ({"LossyImageCompression": "01"}, "compressed with loss"),
        ({"Rows": 60_000, "Columns": 60_000}, "a larger matrix or more frames than any scintigram"),
        ({"NumberOfFrames": 10_000_000}, "a larger matrix or more frames than any scintigram"),
        ({"Rows": 1000}, "fewer pixels than declared"),
        ({"PixelData": None}, "no pixel data"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.2"}, "not a nuclear-medicine image"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7"}, "a secondary capture"),
    ],
)
def test_other_files_are_excluded_with_their_reason(
    tmp_path: Path, elements: dict[str, Any], reason: str
) -> None:
    assert judged(tmp_path, nm(**elements)).reason == reason


def test_dynamic_frames_are_summed_with_their_durations(tmp_path: Path) -> None:
    phase = Dataset()
    phase.ActualFrameDuration, phase.NumberOfFramesInPhase = 60_000, 2
    dataset = nm(
        TWO,
        [detector(ANTERIOR)],
        ImageType=["ORIGINAL", "PRIMARY", "DYNAMIC", "EMISSION"],
        PhaseInformationSequence=Sequence([phase]),
        PhaseVector=[1, 1],
        DetectorVector=[1, 1],
    )
    (scan,) = judged(tmp_path, dataset).scans
    assert (scan.kind, scan.frames, scan.duration_s) == ("dynamic", (0, 1), 120.0)


def test_a_secondary_capture_counts_only_if_the_center_opts_in(tmp_path: Path) -> None:
    dataset = nm(SOPClassUID="1.2.840.10008.5.1.4.1.1.7", SeriesDescription="Thyroid ANT")
    assert judged(tmp_path, dataset).reason == "a secondary capture"
    found = judged(tmp_path, dataset, accept={"secondary_capture": True})
    assert found.scans[0].kind == "capture"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("Pertechnetate", ""),
        ("NaTcO4", ""),
        ("some solution", ""),
        ("Tc99m MIBI", "another radionuclide or tracer"),
        ("I-131 NaI", "another radionuclide or tracer"),
    ],
)
def test_the_tracers_name_identifies_the_radionuclide(
    tmp_path: Path, name: str, reason: str
) -> None:
    dataset = nm(radionuclide=None)
    dataset.RadiopharmaceuticalInformationSequence[0].Radiopharmaceutical = name
    assert judged(tmp_path, dataset).reason == reason


@pytest.mark.parametrize(
    "text",
    ["TİROİD ANTERİOR", "tiroid anterıor", "ＡＮＴ", "Schilddrüse Vorderansicht", "ön", "전면",
     "Thyroid ANT 20 min post injection", "ant post inj"],
)  # fmt: skip
def test_an_anterior_view_in_many_spellings(tmp_path: Path, text: str) -> None:
    assert judged(tmp_path, nm(detectors=[detector()], SeriesDescription=text)).scans


def test_the_images_identifier_gives_the_view(tmp_path: Path) -> None:
    dataset = nm(detectors=[detector()], SeriesDescription="static", ImageID="ANT")
    assert judged(tmp_path, dataset).scans


@pytest.mark.parametrize("meaning", ["Anteriore", "Antérieure", "Vorderansicht", "前面", "AP"])
def test_view_codes_of_a_scheme_of_its_own(tmp_path: Path, meaning: str) -> None:
    view = code("X-1", meaning, "99LOCAL")
    assert judged(tmp_path, nm(detectors=[detector(view)])).scans
    assert not judged(tmp_path, nm(detectors=[detector(code("X-2", "Vertex", "99LOCAL"))])).scans


@pytest.mark.parametrize(
    "text", ["Vollspritze", "Leerspritze", "Seringues pleines", "SYR full", "シリンジ", "enjektör"]
)
def test_syringes_in_many_languages(tmp_path: Path, text: str) -> None:
    found = judged(tmp_path, nm(SeriesDescription=text, StudyDescription="Thyroid"))
    assert found.syringe
    assert not found.scans


@pytest.mark.parametrize(
    ("study", "series", "taken"),
    [
        ("Bone scan", "ANT", False),
        ("Nierenszintigraphie", "Thorax ANT", False),
        ("Parathyroid", "ANT early", False),
        ("Thyroid / Parathyroid", "ANT", True),
        ("Thyroid uptake with syringe", "ANT", True),
        ("Thyroïde", "marqueur ANT", False),
        ("核医学中心 甲状腺", "正面", True),
    ],
)
def test_the_study_identifies_the_organ(
    tmp_path: Path, study: str, series: str, taken: bool
) -> None:
    found = judged(tmp_path, nm(StudyDescription=study, SeriesDescription=series))
    assert bool(found.scans) == taken


@pytest.mark.parametrize("text", ["I-131 Uptake 24h", "J-131", "123I Thyroid ANT", "Jod-123"])
def test_a_description_identifies_iodine_if_nothing_else_does(tmp_path: Path, text: str) -> None:
    dataset = nm(radionuclide=None, windows=[], SeriesDescription=text)
    assert judged(tmp_path, dataset).reason == "another radionuclide or tracer"
    assert judged(tmp_path, nm(SeriesDescription=text)).scans  # the header says technetium


def test_a_radionuclides_name_in_place_of_its_code(tmp_path: Path) -> None:
    assert judged(tmp_path, nm(radionuclide=code("Tc-99m", ""))).scans
    assert not judged(tmp_path, nm(radionuclide=code("I-123", ""))).scans


@pytest.mark.parametrize("where", [{"PatientOrientation": ["L", "F"]}, {}])
def test_two_heads_that_nothing_distinguishes_are_excluded(
    tmp_path: Path, where: dict[str, Any]
) -> None:
    front = {} if where else {"ImageOrientationPatient": [1, 0, 0, 0, 0, -1]}
    dataset = nm(TWO, [detector(**front), detector(**front)], **where)
    assert judged(tmp_path, dataset).reason == "several detector heads with one orientation"


def test_windows_without_limits_are_identified_by_their_names(tmp_path: Path) -> None:
    named = [Dataset(), Dataset()]
    named[0].EnergyWindowName, named[1].EnergyWindowName = "Tc99m scatter", "Tc99m"
    dataset = nm(TWO, [detector(ANTERIOR)], named, EnergyWindowVector=[1, 2], DetectorVector=[1, 1])
    assert [scan.frames for scan in judged(tmp_path, dataset).scans] == [(1,)]


def test_text_burned_into_the_pixels_are_refused(tmp_path: Path) -> None:
    assert judged(tmp_path, nm(BurnedInAnnotation="YES")).reason == "burned-in annotation"


def views_of_one_detector(tmp_path: Path, images: list[Any], **elements: Any) -> FileVerdict:
    stack = np.stack(images)
    path = save(nm(stack, [detector(ANTERIOR)], **elements), tmp_path / "scan")
    found = judge(read_header(path), center(), cohort())
    return confirm(found, functools.partial(read_frames, path, 10**6))


def test_parts_of_one_acquisition_are_summed_with_their_durations(tmp_path: Path) -> None:
    parts = [neck(128, 2.0, total=37_500, seed=seed) for seed in range(5)]
    (scan,) = views_of_one_detector(tmp_path, parts, ActualFrameDuration=60_000).scans
    assert (scan.frames, scan.duration_s) == ((0, 1, 2, 3, 4), 300.0)
    assert "summed_frames" in scan.flags


def test_parts_may_differ_by_the_motion_of_the_patient(tmp_path: Path) -> None:
    parts = [neck(total=40_000, seed=seed, shift=(seed * 2.0, 0.0)) for seed in range(3)]
    assert views_of_one_detector(tmp_path, parts).scans


@pytest.mark.parametrize(
    "other",
    [
        {"lobes": (1.0, 0.2)},
        {"shift": (0.0, 25.0)},
        {"lobes": (0.0, 1.0), "shift": (0.0, -10.0)},
        {"background": 0.6, "lobes": (0.5, 0.5)},
    ],
)
def test_several_views_of_one_detector_are_not_guessed(
    tmp_path: Path, other: dict[str, Any]
) -> None:
    images = [neck(seed=1), neck(seed=2), neck(seed=3, **other)]
    found = views_of_one_detector(tmp_path, images)
    assert found.reason == "several frames of one detector, which are not parts of one view"


@pytest.mark.parametrize(
    ("windows", "vector", "reason"),
    [
        ([(92, 125), (126, 154)], [1, 1], "energy windows that the vector of the frames does not distinguish"),
        ([(126, 154), (92, 125)], [1, 1], "energy windows that the vector of the frames does not distinguish"),
        ([(126, 154), (92, 125)], [1, 2], ""),
    ],
)  # fmt: skip
def test_a_vector_of_ones_does_not_tell_two_energy_windows_apart(
    tmp_path: Path, windows: list[tuple[float, float]], vector: list[int], reason: str
) -> None:
    dataset = nm(TWO, windows=[window(*limits) for limits in windows], EnergyWindowVector=vector)
    dataset.DetectorVector = [1, 1]
    assert judged(tmp_path, dataset).reason == reason


def test_frames_of_the_photopeak_alone_may_have_a_vector_of_ones(tmp_path: Path) -> None:
    heads = [detector(ANTERIOR), detector(POSTERIOR)]
    dataset = nm(TWO, heads, [window(126, 154), window(92, 125)], EnergyWindowVector=[1, 1])
    assert frames(tmp_path, dataset) == [(0,)]
