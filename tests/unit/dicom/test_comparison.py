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


def test_orientation_and_code_that_agree_are_flagged_only(tmp_path: Path) -> None:
    heads = [
        detector(ANTERIOR, ImageOrientationPatient=[1, 0, 0, 0, 0, -1]),
        detector(POSTERIOR, ImageOrientationPatient=[-1, 0, 0, 0, 0, -1]),
    ]
    (scan,) = confirmed(tmp_path, heads, front=1).scans
    assert (scan.frames, scan.flags) == ((0,), ("fewer_counts",))
    (scan,) = confirmed(tmp_path, heads, front=0).scans
    assert scan.flags == ()


def test_brighter_oblique_views_say_nothing_about_the_anterior_one(tmp_path: Path) -> None:
    seen = images(0.1, 40.0)
    oblique = 2 * seen[View.LEFT_ANTERIOR_OBLIQUE]
    heads = [detector(code(value, "")) for value in ("399321004", "399074003", "399108003")]
    stack = np.stack([seen[View.ANTERIOR], oblique, oblique]).astype(np.uint16)
    path = save(nm(stack, heads), tmp_path / "scan")
    found = judge(read_header(path), center(), cohort())
    (scan,) = confirm(found, functools.partial(read_frames, path, 10**6)).scans
    assert (scan.frames, scan.flags) == ((0,), ())
