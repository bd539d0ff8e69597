"""Images decide what the header of several frames leaves open."""

import functools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.unit.example_scans import ANTERIOR, POSTERIOR, center, code, cohort, detector, nm, save
from thyrocast.contract.names import View
from thyrocast.dicom import comparison
from thyrocast.dicom.frames import FileVerdict, confirm, judge
from thyrocast.dicom.header import read_header
from thyrocast.dicom.pixels import read_frames
from thyrocast.simulation import anatomy, camera
from thyrocast.simulation.camera import Camera

CAMERA = Camera(matrix=128, pixel_mm=2.4, sensitivity=80, resolution_mm=7.5, distance_mm=80)


@functools.cache
def images(uptake: float, mass: float) -> dict[View, NDArray[np.float64]]:
    """Images of one patient from several sides, 37,500 counts from the front in a minute."""
    neck = anatomy.build(mass, uptake, 0.3, np.random.default_rng(1))
    rates = {view: camera.count_rate(neck, view, CAMERA, 74.0) for view in View}
    scale = 37_500 / rates[View.ANTERIOR].sum()
    rng = np.random.default_rng(2)
    return {view: rng.poisson(rate * scale).astype(float) for view, rate in rates.items()}


PATIENTS = [(0.005, 10.0), (0.03, 20.0), (0.1, 40.0), (0.3, 30.0), (0.3, 100.0)]


@pytest.mark.parametrize(("uptake", "mass"), PATIENTS)
def test_another_view_is_not_a_part_of_the_anterior_one(uptake: float, mass: float) -> None:
    seen = images(uptake, mass)
    anterior = seen[View.ANTERIOR]
    rng = np.random.default_rng(3)
    parts = [rng.binomial(anterior.astype(int), 0.9).astype(float) for _ in range(4)]
    assert comparison.are_one_view(parts)
    for view in (View.LEFT_ANTERIOR_OBLIQUE, View.RIGHT_ANTERIOR_OBLIQUE):
        assert not comparison.are_one_view([*parts, seen[view]])
    # At low uptake, a few counts from behind look like those from the front.
    assert uptake < 0.1 or not comparison.are_one_view([*parts, seen[View.POSTERIOR]])


@pytest.mark.parametrize(("uptake", "mass"), PATIENTS)
def test_the_anterior_detector_sees_a_brighter_gland(uptake: float, mass: float) -> None:
    seen = images(uptake, mass)
    front, back = [seen[View.ANTERIOR]], [seen[View.POSTERIOR]]
    assert comparison.is_behind(back, front)
    assert not comparison.is_behind(front, back)
    assert not comparison.is_behind(front, [seen[View.LEFT_ANTERIOR_OBLIQUE]])


def confirmed(tmp_path: Path, heads: list[Any], front: int, **changes: Any) -> FileVerdict:
    """The verdict about two heads of which `front` sees the front of the neck."""
    seen = images(0.1, 40.0)
    both = [seen[View.POSTERIOR], seen[View.POSTERIOR]]
    both[front] = seen[View.ANTERIOR]
    path = save(nm(np.stack(both).astype(np.uint16), heads), tmp_path / "scan")
    found = judge(read_header(path), center(**changes), cohort())
    return confirm(found, functools.partial(read_frames, path, 10**6))


def test_a_start_angle_that_the_counts_contradict_excludes_the_file(tmp_path: Path) -> None:
    heads = [detector(StartAngle=0), detector(StartAngle=180)]
    assert [scan.frames for scan in confirmed(tmp_path, heads, front=1).scans] == [(1,)]
    found = confirmed(tmp_path, heads, front=0)
    assert found.reason == "anterior by start angle, but the opposite detector has more counts"
    told = confirmed(tmp_path, heads, front=0, views={"start_angle_zero": "front"})
    assert [scan.frames for scan in told.scans] == [(0,)]


AGREED = [
    detector(ANTERIOR, ImageOrientationPatient=[1, 0, 0, 0, 0, -1]),
    detector(POSTERIOR, ImageOrientationPatient=[-1, 0, 0, 0, 0, -1]),
]


def test_heads_that_are_exchanged_in_orientation_and_code_exclude_the_file(tmp_path: Path) -> None:
    (scan,) = confirmed(tmp_path, AGREED, front=0).scans
    assert scan.flags == ()
    found = confirmed(tmp_path, AGREED, front=1)
    assert found.reason == (
        "anterior by code and orientation, but the opposite detector has more counts"
    )


def test_a_contamination_behind_the_patient_is_flagged_only(tmp_path: Path) -> None:
    seen = images(0.1, 40.0)
    rows, columns = np.indices(seen[View.POSTERIOR].shape)
    spot = np.exp(-((rows - 20) ** 2 + (columns - 100) ** 2) / 12)
    behind = seen[View.POSTERIOR] + 3 * seen[View.ANTERIOR].max() * spot
    stack = np.stack([seen[View.ANTERIOR], behind]).astype(np.uint16)
    path = save(nm(stack, AGREED), tmp_path / "scan")
    found = confirm(
        judge(read_header(path), center(), cohort()), functools.partial(read_frames, path, 10**6)
    )
    (scan,) = found.scans
    assert (scan.frames, scan.flags) == ((0,), ("fewer_counts",))


@pytest.mark.parametrize(("uptake", "mass"), PATIENTS)
def test_the_gland_is_one_organ_from_both_sides(uptake: float, mass: float) -> None:
    seen = images(uptake, mass)
    front, back = [seen[View.ANTERIOR]], [seen[View.POSTERIOR]]
    assert uptake < 0.02 or comparison.is_one_organ(back, front)
    assert not comparison.is_one_organ(front, [np.roll(seen[View.POSTERIOR], 40, 0)])


def dynamic(tmp_path: Path, frames: list[NDArray[np.float64]], **elements: Any) -> FileVerdict:
    """The verdict about a dynamic study of one listed detector and no vector."""
    kind = ["ORIGINAL", "PRIMARY", "DYNAMIC", "EMISSION"]
    dataset = nm(
        np.stack(frames).astype(np.uint16), ImageType=kind, DetectorVector=None,
        FrameIncrementPointer=None, **{"ActualFrameDuration": 15_000} | elements,
    )  # fmt: skip
    path = save(dataset, tmp_path / "scan")
    found = judge(read_header(path), center(), cohort())
    return confirm(found, functools.partial(read_frames, path, 10**6))


def rising(view: View, number: int) -> list[NDArray[np.float64]]:
    """Frames of 15 s with an uptake that rises to the tenfold."""
    rng = np.random.default_rng(5)
    whole = images(0.3, 40.0)[view] / 4
    body = images(0.005, 10.0)[view] / 4
    return [
        rng.poisson((1 - share) * body + share * whole).astype(float)
        for share in np.linspace(0.1, 1, number)
    ]


def test_front_and_back_in_a_dynamic_study_without_a_vector(tmp_path: Path) -> None:
    front, back = rising(View.ANTERIOR, 20), rising(View.POSTERIOR, 20)
    reason = "front and back in the frames of a dynamic study, which no vector distinguishes"
    assert dynamic(tmp_path, front + back).reason == reason
    mixed = [frame for pair in zip(front, back, strict=True) for frame in pair]
    assert dynamic(tmp_path, mixed).reason == reason
    (scan,) = dynamic(tmp_path, front).scans
    assert scan.frames == tuple(range(20))


def test_the_flow_of_blood_is_no_image_of_uptake(tmp_path: Path) -> None:
    frames = rising(View.ANTERIOR, 30)
    reason = "a dynamic study of the flow of blood, by its short frames"
    assert dynamic(tmp_path, frames, ActualFrameDuration=2_000).reason == reason
    assert dynamic(tmp_path, frames, ActualFrameDuration=5_000).scans


def test_brighter_oblique_views_say_nothing_about_the_anterior_one(tmp_path: Path) -> None:
    seen = images(0.1, 40.0)
    oblique = 2 * seen[View.LEFT_ANTERIOR_OBLIQUE]
    heads = [detector(code(value, "")) for value in ("399321004", "399074003", "399108003")]
    stack = np.stack([seen[View.ANTERIOR], oblique, oblique]).astype(np.uint16)
    path = save(nm(stack, heads), tmp_path / "scan")
    found = judge(read_header(path), center(), cohort())
    (scan,) = confirm(found, functools.partial(read_frames, path, 10**6)).scans
    assert (scan.frames, scan.flags) == ((0,), ())
