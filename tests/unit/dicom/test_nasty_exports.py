"""Exports whose header says less, or something else, than their pixels: a reason, or a flag, never a guess."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset
from scipy import ndimage

from tests.unit.example_scans import (
    ANTERIOR,
    POSTERIOR,
    code,
    confirmed,
    detector,
    neck,
    nm,
    save,
    window,
)
from tests.unit.hospital import Hospital
from thyrocast.contract.names import ScanFlag
from thyrocast.dicom.pixels import read_frames

PEAK, SCATTER = window(126, 154), window(92, 125)
NOT_ONE_VIEW = "several frames of one detector, which are not parts of one view"


def front() -> Any:
    return neck(64, 4.0, seed=11)


def back() -> Any:
    """The posterior image: mirrored, fainter, blurred."""
    seen = ndimage.gaussian_filter(neck(64, 4.0, seed=12).astype(float)[:, ::-1], 2) * 0.35
    return np.random.default_rng(13).poisson(seen).astype(np.uint16)


def scattered() -> Any:
    seen = ndimage.gaussian_filter(neck(64, 4.0, seed=14).astype(float), 4) * 0.5
    return np.random.default_rng(15).poisson(seen).astype(np.uint16)


def test_two_windows_of_which_one_is_listed(tmp_path: Path) -> None:
    frames = np.stack([scattered(), front()])
    found = confirmed(
        tmp_path,
        nm(frames, windows=[PEAK], NumberOfEnergyWindows=2, EnergyWindowVector=[1, 1]),
    )
    assert found.reason == NOT_ONE_VIEW
    found = confirmed(
        tmp_path, nm(frames, windows=[PEAK], NumberOfEnergyWindows=2, EnergyWindowVector=None)
    )
    assert found.reason == "energy window not stated"


@pytest.mark.parametrize(
    ("windows", "vector", "heads"),
    [
        ([SCATTER, PEAK], [2, 2], [1, 1]),
        ([SCATTER, PEAK, SCATTER], [1, 1, 1], [1, 1, 1]),
        ([SCATTER, PEAK], [1, 1, 1, 1], [1, 1, 2, 2]),
    ],
)
def test_a_vector_that_names_one_of_several_windows(
    tmp_path: Path, windows: list[Dataset], vector: list[int], heads: list[int]
) -> None:
    frames = np.stack([front()] * len(vector))
    dataset = nm(
        frames, [detector(ANTERIOR), detector(POSTERIOR)][: max(heads)], windows,
        EnergyWindowVector=vector, DetectorVector=heads,
    )  # fmt: skip
    reason = "energy windows that the vector of the frames does not distinguish"
    assert confirmed(tmp_path, dataset).reason == reason


def test_front_and_back_under_one_detector_are_not_summed(tmp_path: Path) -> None:
    frames = np.stack([front(), back()])
    for heads, declared in ((2, 2), (1, 2), (1, 1)):
        listed = [detector(ANTERIOR), detector(POSTERIOR)][:heads]
        dataset = nm(frames, listed, DetectorVector=[1, 1], NumberOfDetectors=declared)
        assert confirmed(tmp_path, dataset).reason == NOT_ONE_VIEW


@pytest.mark.parametrize("number", [1, None])
def test_pixels_of_more_frames_than_declared(tmp_path: Path, number: int | None) -> None:
    dataset = nm(np.stack([back(), front()]), NumberOfFrames=number, DetectorVector=[1],
                 EnergyWindowVector=[1])  # fmt: skip
    assert confirmed(tmp_path, dataset).reason == "more frames than declared"


def test_a_byte_of_padding_is_no_frame(tmp_path: Path) -> None:
    dataset = nm(np.ones((65, 65), np.uint8))
    dataset.PixelData += b"\0"
    assert confirmed(tmp_path, dataset).scans


@pytest.mark.parametrize("slope", ["-1", "0"])
def test_a_slope_that_is_not_positive_is_refused(tmp_path: Path, slope: str) -> None:
    found = confirmed(tmp_path, nm(front(), RescaleSlope=slope, RescaleIntercept="900"))
    assert found.reason == "a rescale slope that is not above zero"


def test_high_bits_that_are_not_stored_are_no_counts(tmp_path: Path) -> None:
    counts = np.minimum(front(), 4095)
    dataset = nm(counts | np.uint16(0x8000), BitsStored=12, HighBit=11)
    path = save(dataset, tmp_path / "scan")
    (read,) = read_frames(path, 10**6, [0])
    assert np.array_equal(read, counts)


@pytest.mark.parametrize("text", ["OBL. IZQUIERDA", "OAD 30°", "schräg rechts", "vista posterior"])
def test_a_code_that_the_description_contradicts(tmp_path: Path, text: str) -> None:
    found = confirmed(tmp_path, nm(front(), SeriesDescription=text))
    assert found.reason.startswith("view code (anterior) and description")
    trusted = confirmed(
        tmp_path, nm(front(), SeriesDescription=text), views={"contradictions": "label"}
    )
    assert trusted.scans[0].flags == (ScanFlag.VIEW_CONTRADICTION,)


def test_orientation_and_code_outvote_the_description(tmp_path: Path) -> None:
    head = detector(ANTERIOR, ImageOrientationPatient=[1, 0, 0, 0, 0, -1])
    (scan,) = confirmed(tmp_path, nm(front(), [head], SeriesDescription="LAO")).scans
    assert scan.flags == (ScanFlag.VIEW_CONTRADICTION,)


def test_a_code_of_another_view_is_not_overruled_by_a_description(tmp_path: Path) -> None:
    dataset = nm(front(), [detector(code("R-10220", "LAO"))], SeriesDescription="ANT")
    assert confirmed(tmp_path, dataset).reason == "a view other than anterior"


@pytest.mark.parametrize(
    ("spacing", "zoom", "field", "flags"),
    [
        ([8.28, 8.28], 2.0, 530.0, "pixel_size_differs"),
        ([6.25, 6.25], 1.6, 400.0, "pixel_size_differs"),
        ([4.14, 4.14], 2.0, 530.0, None),
        ([4.14, 4.14], 2.0, 265.0, None),
        ([1.0, 1.0], 1.0, 530.0, "pixel_size_by_field"),
    ],
)
def test_a_zoom_that_the_pixel_size_forgot(
    tmp_path: Path, spacing: list[float], zoom: float, field: float, flags: str | None
) -> None:
    north = Hospital(tmp_path)
    north.patient("1")
    head = detector(ANTERIOR, FieldOfViewDimensions=[field, field], ZoomFactor=[zoom, zoom])
    north.scan("a", nm(front(), [head], PatientID="1", PixelSpacing=spacing))
    (row,) = north.register().register.to_dict("records")
    assert row["included"]
    assert (row["flags"] if isinstance(row["flags"], str) else None) == flags


@pytest.mark.parametrize(("spacing", "flags"), [(1.0, "pixel_size_of_one"), (1.0001, None)])
def test_a_pixel_size_of_exactly_one_is_questioned(
    tmp_path: Path, spacing: float, flags: str | None
) -> None:
    north = Hospital(tmp_path)
    north.patient("1")
    image = np.kron(front(), np.ones((2, 2), np.uint16))
    north.scan("a", nm(image, PatientID="1", PixelSpacing=[spacing, spacing]))
    (row,) = north.register().register.to_dict("records")
    assert row["included"]
    assert (row["flags"] if isinstance(row["flags"], str) else None) == flags


def test_pixels_that_are_far_from_square(tmp_path: Path) -> None:
    north = Hospital(tmp_path)
    north.patient("1")
    north.scan("a", nm(front(), PatientID="1", PixelSpacing=[4.0, 2.0]))
    ((_, reason),) = north.reasons()
    assert reason == "pixel size implausible: pixels that are far from square"
