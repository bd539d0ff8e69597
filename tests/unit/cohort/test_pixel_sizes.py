"""Millimeters come from the header where it states them, and are never invented."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.unit.example_scans import ANTERIOR, detector, image, neck, nm
from tests.unit.hospital import Hospital, assemble, read_cohort
from thyrocast.contract import io
from thyrocast.contract.cohort import SCANS
from thyrocast.image import standardize


def spacing(north: Hospital) -> list[tuple[float, str, str | None]]:
    """Row spacing, source and flags of each best scan."""
    scans = north.register().scans
    found = scans[scans["rank"] == 0]
    flags = [None if isinstance(f, float) else f for f in found["flags"]]
    return list(zip(found["row_mm"].round(4), found["spacing_by"], flags, strict=True))


def one(tmp_path: Path, *, fallbacks: dict[str, Any] | None = None, **elements: Any) -> Hospital:
    north = Hospital(tmp_path, fallbacks=fallbacks or {})
    north.patient("1")
    head = detector(ANTERIOR, **elements.pop("head", {}))
    north.scan("a", nm(neck(64, 4.0), [head], PatientID="1", **elements))
    return north


@pytest.mark.parametrize("given", [[0.1199, 0.1199], [0.0044, 0.0044], [440, 440], [0.48, 0.48]])
def test_a_pixel_size_in_another_unit_is_implausible(tmp_path: Path, given: list[float]) -> None:
    north = one(tmp_path / "a", PixelSpacing=given)
    size = "larger" if given[0] > 1 else "smaller"
    ((_, reason),) = north.reasons()
    assert f"a field {size} than any camera's" in reason
    north = one(tmp_path / "b", PixelSpacing=given, fallbacks={"pixel_mm": 4.4})
    assert spacing(north) == [(4.4, "config", "pixel_size_implausible")]


@pytest.mark.parametrize(
    ("head", "mm"),
    [
        ({"FieldOfViewDimensions": [256, 256]}, 4.0),
        ({"FieldOfViewDimensions": 256}, 4.0),
        ({"FieldOfViewDimensions": [540, 540], "ZoomFactor": [1.5, 1.5]}, 5.625),
        ({"FieldOfViewDimensions": [540, 400]}, None),  # smaller than the square matrix
        ({"FieldOfViewDimensions": [256, 256], "ZoomFactor": [1.5, 1.5]}, None),  # may be zoomed
        ({"FieldOfViewDimensions": [25, 25]}, None),
        ({"FieldOfViewDimensions": [0, 0]}, None),
        ({}, None),
    ],
)
def test_the_field_of_view_gives_the_pixel_size(
    tmp_path: Path, head: dict[str, Any], mm: float | None
) -> None:
    north = one(tmp_path, PixelSpacing=None, head=head)
    if mm is None:
        assert north.reasons() == [("1", "pixel size not stated")]
    else:
        assert spacing(north) == [(mm, "field_of_view", "pixel_size_by_field")]


def test_one_fallback_is_not_used_for_two_matrices(tmp_path: Path) -> None:
    def hospital(name: str, **fallbacks: Any) -> Hospital:
        north = Hospital(tmp_path / name, fallbacks=fallbacks)
        for identifier, size in (("1", 64), ("2", 128)):
            north.patient(identifier)
            pixels = neck(size, 256 / size)
            north.scan(identifier, nm(pixels, PatientID=identifier, PixelSpacing=None))
        return north

    reasons = [reason for _, reason in hospital("a", pixel_mm=4.0).reasons()]
    assert all("one number for several matrices" in reason for reason in reasons)
    by_matrix = hospital("b", pixel_mm_by_matrix={64: 4.0, 128: 2.0})
    assert [mm for mm, _, _ in spacing(by_matrix)] == [4.0, 2.0]
    rest = hospital("c", pixel_mm=4.0, pixel_mm_by_matrix={128: 2.0})
    assert [mm for mm, _, _ in spacing(rest)] == [4.0, 2.0]


PINHOLES: list[dict[str, Any]] = [
    {"head": {"CollimatorType": "PINH"}},
    {"head": {"CollimatorGridName": "PIN HOLE 4MM"}},
    {"head": {"CollimatorGridName": "PIN-HOLE"}},
    {"head": {"CollimatorGridName": "LEPINHOLE"}},
    {"SeriesDescription": "Thyroid ANT Pinhole"},
    {"SeriesDescription": "THYROIDE STENOPE"},
    {"ProtocolName": "Tiroides pin hole"},
    {"SeriesDescription": "collimatore a foro"},
]


@pytest.mark.parametrize("elements", PINHOLES)
def test_a_pinhole_is_recognized_and_has_no_millimeters(
    tmp_path: Path, elements: dict[str, Any]
) -> None:
    north = one(tmp_path / "a", fallbacks={"pixel_mm": 2.0}, **elements)
    assert north.reasons() == [("1", "a pinhole collimator, whose pixel size is not valid")]
    north = Hospital(tmp_path / "b", accept={"pinhole": True})
    north.patient("1")
    elements = {**elements}
    head = detector(ANTERIOR, **elements.pop("head", {}))
    north.scan("a", nm(neck(64, 4.0), [head], PatientID="1", **elements))
    (row,) = read_cohort(assemble(tmp_path / "c", [north])).to_dict("records")
    assert row["collimator"] == "pinhole"
    for name in ("pixel_mm", "q_area_right", "q_area_left", "q_mass", "centroid_x_mm"):
        assert np.isnan(row[name]), name
    assert np.isfinite(row["q_asymmetry"])
    assert north.register().register["flags"].tolist() == ["pinhole"]


def test_the_image_of_a_pinhole_is_scaled_by_the_gland(tmp_path: Path) -> None:
    """A gland from another distance gives the same image."""
    masks = []
    for name, size in (("near", 64), ("far", 84)):
        north = Hospital(tmp_path / name, accept={"pinhole": True})
        north.patient("1")
        head = detector(ANTERIOR, CollimatorType="PINH")
        north.scan("a", nm(neck(size, 200 / 64), [head], PatientID="1"))
        found = north.register()
        pseudonym = found.register["patient"].tolist()
        table = tmp_path / name / "scans.csv"
        io.write(SCANS, found.scans, table)
        (result,) = standardize.standardize_job(
            pseudonym, io.read(SCANS, table), north.dicom, north.center, image(size=64)
        )
        assert isinstance(result, standardize.Standardized)
        masks.append(int(result.mask.sum()))
    assert masks[0] == pytest.approx(masks[1], rel=0.15)


def test_elegp_is_not_leap() -> None:
    from thyrocast.dicom import terms
    from thyrocast.dicom.elements import Elements

    names = {
        "ELEGP": "elegp",
        "LEAP": "leap",
        "LEGP": "leap",
        "LEHR": "lehr",
        "Low Energy All Purpose": "leap",
    }
    for name, expected in names.items():
        assert terms.collimator(Elements({"CollimatorGridName": name})) == expected


@pytest.mark.parametrize(("bits", "ceiling"), [(np.uint8, 255), (np.uint16, 255), (np.uint16, 180)])
def test_a_clipped_image_is_refused(tmp_path: Path, bits: Any, ceiling: int) -> None:
    def hospital(name: str, clip: int) -> Hospital:
        north = Hospital(tmp_path / name)
        north.patient("1")
        pixels = np.minimum(neck(64, 4.0, total=200_000), clip).astype(bits)
        north.scan("a", nm(pixels, PatientID="1"))
        return north

    assert read_cohort_reason(tmp_path / "c", hospital("a", ceiling)) == (
        "clipped: too many pixels have the largest value"
    )


def read_cohort_reason(folder: Path, north: Hospital) -> str:
    found = north.register()
    table = folder / "scans.csv"
    folder.mkdir(parents=True)
    io.write(SCANS, found.scans, table)
    (result,) = standardize.standardize_job(
        found.register["patient"].tolist(), io.read(SCANS, table), north.dicom, north.center,
        image(size=32),
    )  # fmt: skip
    return result.reason if isinstance(result, standardize.Unusable) else ""


def test_an_image_that_is_not_clipped_is_used(tmp_path: Path) -> None:
    north = one(tmp_path)
    assert read_cohort_reason(tmp_path / "c", north) == ""
