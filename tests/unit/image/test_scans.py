"""Scans from their table; records of usable and unusable patients."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.unit.example_scans import center, image, neck, nm, save
from tests.unit.hospital import Hospital, assemble, read_cohort
from thyrocast.contract import io
from thyrocast.contract.cohort import RECORDS, SCANS
from thyrocast.contract.names import ScanKind
from thyrocast.image import standardize
from thyrocast.image.scans import SyringeImage, scans_by_patient
from thyrocast.image.standardize import Standardized, Unusable
from thyrocast.physics import TC99M_HALF_LIFE_MIN


def scans(*changes: dict[str, Any]) -> pd.DataFrame:
    row = dict.fromkeys(SCANS.names) | {
        "patient": "north-1", "identifier": "1", "rank": 0, "file": "a.dcm", "frames": "0",
        "kind": "static", "view_by": "code", "turn": 0, "row_mm": 2.0, "column_mm": 2.0,
        "spacing_by": "header", "simulated": False,
    }  # fmt: skip
    return io.build(SCANS, [row | change for change in changes])


def test_texts_of_the_table_are_parsed_once() -> None:
    table = scans(
        {"rank": 1, "file": "b.dcm"},
        {
            "file": "caf%C3%A9/a%25.dcm", "frames": "3 5", "kind": "dynamic", "duration_s": 300.0,
            "vendor": "ge", "syringe_file": "s.dcm", "syringe_frame": 0, "syringe_s": 10.0,
            "syringe_min": 25.0,
        },
    )  # fmt: skip
    first, second = scans_by_patient(table)["north-1"]
    assert (first.file, first.frames, first.kind) == ("café/a%.dcm", (3, 5), ScanKind.DYNAMIC)
    assert (first.duration_s, first.vendor, first.camera) == (300.0, "ge", None)
    assert first.syringe == SyringeImage("s.dcm", 0, 10.0, 25.0)
    assert first.residual is None
    assert second.file == "b.dcm"


def test_usable_and_unusable_patients_have_a_record(tmp_path: Path) -> None:
    save(nm(), tmp_path / "a.dcm")
    save(nm(np.zeros((128, 128), np.uint16)), tmp_path / "b.dcm")
    table = scans({}, {"patient": "north-2", "file": "b.dcm"})
    everyone = ["north-2", "north-1", "north-3"]
    results = standardize.standardize_job(everyone, table, tmp_path, center(), image(size=32))
    first, second = results
    assert first == Unusable("north-2", "an image without counts")
    assert isinstance(second, Standardized)
    standardize.write_job(results, 32, tmp_path / "0.npz", tmp_path / "0.csv")
    records = io.read(RECORDS, tmp_path / "0.csv")
    assert list(records["patient"]) == ["north-2", "north-1"]
    assert list(records["usable"]) == [False, True]
    assert list(records["reason"]) == ["an image without counts", ""]
    assert records.loc[0, RECORDS.names[3:]].isna().all()
    assert records.loc[1, "matrix"] == 128
    assert records.loc[1, "q_score"] > 0.5
    with np.load(tmp_path / "0.npz") as job:
        assert list(job["patient"]) == ["north-1"]
        assert job["image"].shape == (1, 32, 32)


def test_a_worse_scan_replaces_an_unusable_one(tmp_path: Path) -> None:
    save(nm(), tmp_path / "b.dcm")
    table = scans({"file": "missing.dcm"}, {"rank": 1, "file": "b.dcm"})
    (result,) = standardize.standardize_job(["north-1"], table, tmp_path, center(), image(size=32))
    assert isinstance(result, Standardized)


def test_gray_values_of_a_picture_are_no_counts(tmp_path: Path) -> None:
    save(nm(), tmp_path / "a.dcm")
    table = scans({"kind": "capture", "duration_s": 300.0})
    (result,) = standardize.standardize_job(["north-1"], table, tmp_path, center(), image(size=32))
    assert isinstance(result, Standardized)
    assert result.quantities.q_counts is None
    assert result.quantities.q_rate is None
    assert result.quantities.q_mass is not None


def test_a_gland_with_few_counts_is_refused_with_its_counts(tmp_path: Path) -> None:
    save(nm(), tmp_path / "a.dcm")
    settings = image(size=32, min_counts=1e8)
    (result,) = standardize.standardize_job(["north-1"], scans({}), tmp_path, center(), settings)
    assert isinstance(result, Unusable)
    expected = "too few counts in the gland: expected at least 100000000 (min_counts)"
    assert result.reason == expected
    assert standardize.records([result])["q_counts"].gt(0).all(), "shown on the check page"


def test_activity_is_a_share_of_the_injected_one_at_the_time_of_the_image(tmp_path: Path) -> None:
    save(nm(), tmp_path / "a.dcm")
    known = {"tc_activity_mbq": 100.0, "duration_s": 300.0}
    sums = []
    for delay in (0.0, TC99M_HALF_LIFE_MIN):
        (result,) = standardize.standardize_job(
            ["north-1"],
            scans(known | {"delay_min": delay}),
            tmp_path,
            center(fallbacks={"sensitivity": 80.0}),
            image(size=32, intensity="activity"),
        )
        assert isinstance(result, Standardized)
        sums.append(float(result.image.sum()) * (160 / 32) ** 2 / 100)
    # Percent of the injected activity in the field; after a half-life the same counts are twice of it.
    assert sums[1] / sums[0] == pytest.approx(2, rel=1e-5)
    quantities = result.quantities
    assert sums[1] > 100 * quantities.q_counts / (300 * 80 * 100 / 2)
    (result,) = standardize.standardize_job(
        ["north-1"], scans(known), tmp_path, center(), image(size=32, intensity="activity")
    )
    assert isinstance(result, Unusable)
    assert "fallbacks.sensitivity" in result.reason


def test_a_pinhole_is_scaled_by_its_gland(tmp_path: Path) -> None:
    save(nm(), tmp_path / "a.dcm")
    table = scans({"row_mm": None, "column_mm": None, "spacing_by": None})
    (result,) = standardize.standardize_job(["north-1"], table, tmp_path, center(), image(size=64))
    assert isinstance(result, Standardized)
    rows, columns = np.nonzero(result.mask)
    longer = max(np.ptp(rows), np.ptp(columns)) + 1
    assert longer == pytest.approx(64 * 60 / 160, abs=2)
    assert result.quantities.q_mass is None
    assert result.quantities.q_asymmetry is not None


def test_a_matrix_that_registration_accepted_is_decoded(tmp_path: Path) -> None:
    """The config's limit is the only one: this matrix is larger than the default limit."""
    save(nm(np.zeros((4100, 4200), np.uint8), PixelSpacing=[0.1, 0.1]), tmp_path / "a.dcm")
    spacing = {"row_mm": 0.1, "column_mm": 0.1}
    (result,) = standardize.standardize_job(
        ["north-1"], scans(spacing), tmp_path, center(), image(size=32)
    )
    assert result == Unusable("north-1", "an image without counts")


def test_pixels_that_are_no_counts_give_no_counts(tmp_path: Path) -> None:
    north = Hospital(tmp_path, fallbacks={"sensitivity": 90.0})
    north.patient("1")
    north.scan("a", nm((neck(64, 4.0) * 7).astype(np.uint16), PixelSpacing=[4.0, 4.0]))
    (row,) = read_cohort(assemble(tmp_path / "a", [north])).to_dict("records")
    assert np.isnan([row["q_rate"], row["q_uptake"], row["q_heterogeneity"]]).all()
    assert row["q_area_right"] > 5
