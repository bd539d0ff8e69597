"""A dose syringe is not a gland, and its image gives the injected activity."""

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from tests.unit.example_scans import ANTERIOR, IODINE131, detector, image, neck, nm, window
from tests.unit.hospital import Hospital, assemble, read_cohort, scan
from thyrocast import physics
from thyrocast.check.quality import impossible
from thyrocast.cohort.registration import write
from thyrocast.config.image import ImageConfig
from thyrocast.contract import io
from thyrocast.contract.cohort import RECORDS, SCANS
from thyrocast.image.field import GRID_MM, to_grid
from thyrocast.image.gland import find_gland
from thyrocast.image.quantities import measure
from thyrocast.image.standardize import Unusable, standardize_job


@cache
def tissue() -> float:
    """How much more activity the gland of `scan` has than its counts in air would say."""
    grid = to_grid(neck(64, 4.0, seed=1).astype(float), (2.0, 2.0))
    gland = find_gland(grid, GRID_MM, (4.0, 150.0))
    found = measure(grid, gland, GRID_MM, 1.0, 1e6, depth_mm=ImageConfig().gland_depth_mm)
    assert found.q_uptake is not None
    assert found.q_rate is not None
    return found.q_uptake / found.q_rate * 1e4


def test_a_syringe_in_the_image_gives_way_to_the_gland(tmp_path: Path) -> None:
    north = Hospital(tmp_path)
    north.patient("1")
    axis = (np.arange(64) + 0.5) * 4.0 - 128
    rod = np.exp(-((axis[:, None] / 5) ** 2) / 2 - (axis[None, :] / 12) ** 2 / 2)
    dose = np.random.default_rng(1).poisson(2000 * rod).astype(np.uint16)
    # The same description as the gland's, and taken for longer.
    north.scan("a", nm(dose, PatientID="1", ActualFrameDuration=400_000))
    north.scan("b", scan("1"))
    out = assemble(tmp_path / "a", [north])
    assert read_cohort(out)["duration_s"].tolist() == [300]


def test_the_uptake_comes_from_the_syringe(tmp_path: Path) -> None:
    north = Hospital(tmp_path)
    north.patient("1")
    dose = np.zeros((64, 64), np.uint16)
    dose[30:33, 30:33] = 20_000
    north.scan(
        "a",
        nm(
            dose, [detector()], PatientID="1", SeriesDescription="Syringe full",
            ActualFrameDuration=10_000, AcquisitionTime="101500",
        ),
    )  # fmt: skip
    north.scan("b", scan("1"))
    (row,) = read_cohort(assemble(tmp_path / "a", [north])).to_dict("records")
    assert row["q_uptake"] == pytest.approx(100 * row["q_rate"] / 18_000 * tissue(), rel=1e-4)


def test_of_two_syringes_without_description_the_earlier_is_full(tmp_path: Path) -> None:
    north = Hospital(tmp_path)
    north.patient("1")
    for name, counts, time in (("z", 20_000, "101000"), ("a", 1_000, "102000")):
        dose = np.zeros((64, 64), np.uint16)
        dose[30:33, 30:33] = counts
        north.scan(
            name,
            nm(
                dose, [detector()], PatientID="1", SeriesDescription="Spritze",
                ActualFrameDuration=10_000, AcquisitionTime=time,
            ),
        )  # fmt: skip
    north.scan("b", scan("1"))
    (row,) = read_cohort(assemble(tmp_path / "a", [north])).to_dict("records")
    # The later one is what remained.
    rate = 18_000 * physics.tc99m_left(5) - 900 * physics.tc99m_left(-5)
    assert row["q_uptake"] == pytest.approx(100 * row["q_rate"] / rate * tissue(), rel=1e-4)


def shot(
    name: str, counts: int, north: Hospital, background: int = 0, **elements: Any
) -> NDArray[np.uint16]:
    """Save the image of a syringe in nine pixels with `counts` in each."""
    dose = np.random.default_rng(1).poisson(np.full((64, 64), background)).astype(np.uint16)
    dose[30:33, 30:33] += np.uint16(counts)
    elements = {"ActualFrameDuration": 10_000, "AcquisitionTime": "101500"} | elements
    north.scan(name, nm(dose, [detector()], PatientID="1", **elements))
    return dose


def injected_rate(tmp_path: Path, north: Hospital) -> float:
    """Count rate of the injected activity that the uptake of the only patient rests on."""
    (row,) = read_cohort(assemble(tmp_path / "a", [north])).to_dict("records")
    return float(100 * row["q_rate"] / row["q_uptake"] * tissue())


@pytest.mark.parametrize(
    ("full", "empty"),
    [
        ("SP", "SV"),
        ("THYROIDE SP", "THYROIDE SV"),
        ("DOSE PLEINE", "DOSE VIDE"),
        ("Pre dose", "Post dose"),
        ("Seringa cheia", "Seringa vazia"),
        ("Vollspritze", "Leerspritze"),
        ("Spritze vor Injektion", "Spritze nach Injektion"),
        ("jeringa llena", "jeringa vacía"),
        ("siringa piena", "siringa vuota"),
        ("volle spuit", "lege spuit"),
        ("pełna strzykawka", "pusta strzykawka"),
        ("dolu enjektör", "boş enjektör"),
        ("Seringue avant", "Seringue après"),
        ("Full syringe", "Empty syringe"),
        ("syringe pre", "syringe post"),
    ],
)
def test_full_and_empty_syringes_in_nine_languages(tmp_path: Path, full: str, empty: str) -> None:
    north = Hospital(tmp_path)
    # The empty syringe has an earlier time, so that only its description tells it apart.
    shot("a", 100, north, SeriesDescription=empty, AcquisitionTime="101000")
    shot("b", 2000, north, SeriesDescription=full)
    north.patient("1")
    north.scan("c", scan("1"))
    (row,) = north.register().scans.to_dict("records")
    assert (row["syringe_file"], row["residual_file"]) == ("b", "a")


@pytest.mark.parametrize(
    "text",
    ["ANT 20 min post dose", "Thyroid post dose", "ANT post dose", "Thyroid 15min post dose"],
)
def test_a_gland_after_its_dose_is_no_syringe(tmp_path: Path, text: str) -> None:
    north = Hospital(tmp_path)
    north.patient("1")
    north.scan("a", scan("1", SeriesDescription=text))
    assert north.reasons() == [("1", "")]


def test_the_background_of_a_syringes_image_is_subtracted(tmp_path: Path) -> None:
    north = Hospital(tmp_path)
    north.patient("1")
    shot("a", 20_000, north, background=20, SeriesDescription="Syringe full")
    north.scan("b", scan("1"))
    assert injected_rate(tmp_path, north) == pytest.approx(18_000, rel=0.02)


def test_a_syringe_is_matched_by_energy_window_and_detector(tmp_path: Path) -> None:
    north = Hospital(tmp_path)
    north.patient("1")
    # Detector 1 scatter, detector 1 photopeak, detector 2 photopeak; the scan is of detector 1.
    counts = np.zeros((3, 64, 64), np.uint16)
    for frame, each in enumerate((50_000, 20_000, 10_000)):
        counts[frame, 30:33, 30:33] = each
    north.scan(
        "a",
        nm(
            counts, [detector(), detector()], [window(92, 125), window(126, 154)],
            PatientID="1", SeriesDescription="Syringe full", ActualFrameDuration=10_000,
            EnergyWindowVector=[1, 2, 2], DetectorVector=[1, 1, 2],
        ),
    )  # fmt: skip
    north.scan("b", scan("1"))
    assert injected_rate(tmp_path, north) == pytest.approx(18_000, rel=1e-3)


def test_an_uptake_of_more_than_everything_is_missing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The syringe has hardly more counts than the gland; the other quantities stay."""
    north = Hospital(tmp_path)
    north.patient("1")
    shot("a", 500, north, SeriesDescription="Syringe full")
    north.scan("b", scan("1"))
    out = assemble(tmp_path / "a", [north])
    (row,) = read_cohort(out).to_dict("records")
    assert np.isnan(row["q_uptake"])
    assert np.isnan(row["q_uptake_sd"])
    assert row["q_mass"] > 0
    (record,) = io.read(RECORDS, out / "north" / "0.csv").to_dict("records")
    assert record["q_impossible"] == "q_uptake"
    assert f"{row['patient']}: an uptake of more than 100 %" in caplog.text
    assert impossible(record)
    assert not impossible(record | {"q_impossible": None})


def test_no_image_is_scaled_by_an_impossible_activity(tmp_path: Path) -> None:
    north = Hospital(tmp_path)
    north.patient("1")
    shot("a", 500, north, SeriesDescription="Syringe full")
    north.scan("b", scan("1"))
    registration = north.register()
    write(registration, tmp_path / "register.csv", tmp_path)
    scans = io.read(SCANS, tmp_path / "scans.csv")
    (result,) = standardize_job(
        registration.register["patient"].tolist(), scans, north.dicom, north.center,
        image(size=32, intensity="activity"),
    )  # fmt: skip
    assert isinstance(result, Unusable)
    assert result.reason.startswith("an uptake of more than 100 % or less than 0")


@pytest.mark.parametrize(
    ("elements", "minutes"),
    [
        ({"AcquisitionTime": "100000"}, 15.0),
        ({"AcquisitionTime": None, "StudyTime": None}, None),
        ({"AcquisitionTime": "000000"}, None),
        ({"AcquisitionTime": "230000"}, None),
        ({"AcquisitionDateTime": "20200103090000+0000"}, 75.0),
    ],
)
def test_a_syringe_without_a_time_gives_no_uptake(
    tmp_path: Path, elements: dict[str, Any], minutes: float | None
) -> None:
    north = Hospital(tmp_path)
    north.patient("1")
    dose = np.zeros((64, 64), np.uint16)
    dose[30:33, 30:33] = 20_000
    north.scan(
        "a",
        nm(dose, [detector()], PatientID="1", SeriesDescription="Syringe full",
           ActualFrameDuration=10_000, **elements),
    )  # fmt: skip
    north.scan("b", scan("1"))
    (row,) = north.register().scans.to_dict("records")
    assert (None if np.isnan(row["syringe_min"]) else row["syringe_min"]) == minutes


def test_a_syringe_of_another_detector_is_not_used(tmp_path: Path) -> None:
    north = Hospital(tmp_path)
    north.patient("1")
    heads = [detector(), detector()]
    dose = np.zeros((64, 64), np.uint16)
    dose[30:33, 30:33] = 20_000
    found = nm(dose, heads, PatientID="1", SeriesDescription="SP", DetectorVector=[2])
    north.scan("a", found)
    north.scan("b", scan("1"))
    assert north.register().scans["syringe_file"].isna().all()


def test_a_flood_that_is_called_a_syringe_gives_no_uptake(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    north = Hospital(tmp_path)
    north.patient("1")
    flood = np.random.default_rng(1).poisson(np.full((64, 64), 100.0)).astype(np.uint16)
    north.scan("secret name", nm(flood, [detector()], PatientID="1", SeriesDescription="SP"))
    north.scan("b", scan("1"))
    (row,) = read_cohort(assemble(tmp_path / "a", [north])).to_dict("records")
    assert np.isnan(row["q_uptake"])
    assert f"{row['patient']}: the image in column syringe_file" in caplog.text
    assert "secret" not in caplog.text


def test_activity_and_time_of_injection_come_from_the_table(tmp_path: Path) -> None:
    columns = {
        "patient": "id", "outcome": "result", "therapy_date": "therapy", "sex": "sex",
        "tc_activity": "tc", "injection_time": "time",
    }  # fmt: skip
    north = Hospital(tmp_path, columns=columns, units={"tc_activity": "mCi"})
    north.patient("1", tc="4", time="09:45")
    north.scan("b", scan("1"))
    (row,) = north.register().scans.to_dict("records")
    assert (row["tc_activity_mbq"], row["activity_by"]) == (148.0, "table")
    assert (row["delay_min"], row["delay_by"]) == (30.0, "table")
    assert set(row["flags"].split()) == {"activity_differs", "delay_differs"}


def test_an_implausible_duration_is_missing_and_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    north = Hospital(tmp_path)
    north.patient("1")
    north.scan("b", scan("1", ActualFrameDuration=300))
    found = north.register()
    (row,) = found.scans.to_dict("records")
    assert np.isnan(row["duration_s"])
    assert found.register["flags"].tolist() == ["duration_implausible"]
    assert "the duration in the header is implausible" in caplog.text


def test_what_is_assumed_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    north = Hospital(tmp_path, fallbacks={"sensitivity": 90.0})
    north.patient("1")
    north.scan("b", scan("1", radionuclide=None, windows=[]))
    north.register()
    assert "the uptake of 1 scans rests on fallbacks.sensitivity" in caplog.text
    assert "1 scans: technetium is assumed, as in fallbacks.radionuclide" in caplog.text


def syringe(total: float, seed: int = 1) -> NDArray[np.uint16]:
    """Counts of a syringe: 5 mm across, 30 mm long, blurred, with noise."""
    y, x = np.mgrid[:64, :64] - 32
    seen = np.exp(-((x / 1.5) ** 2) / 2 - (y / 4) ** 4)
    return np.random.default_rng(seed).poisson(total * seen / seen.sum()).astype(np.uint16)


def uptake(folder: Path, full: NDArray[np.uint16], rest: NDArray[np.uint16], name: str) -> float:
    north = Hospital(folder)
    north.patient("1")
    north.scan("b", scan("1"))
    for at, dose, file in (("095500", full, "a"), ("100500", rest, "c")):
        north.scan(
            file,
            nm(dose, [detector()], PatientID="1", SeriesDescription=name, AcquisitionTime=at,
               ActualFrameDuration=10_000, PixelSpacing=[4.0, 4.0]),
        )  # fmt: skip
    (row,) = read_cohort(assemble(folder / "out", [north])).to_dict("records")
    return float(row["q_uptake"])


def test_the_second_of_two_images_that_are_only_called_syringe_is_the_residual(
    tmp_path: Path,
) -> None:
    alone = uptake(tmp_path / "a", syringe(80_000), np.zeros((64, 64), np.uint16), "Syringe")
    both = uptake(tmp_path / "b", syringe(80_000), syringe(8_000), "Syringe")
    assert both == pytest.approx(alone / (1 - 0.1), rel=0.01)


def test_a_residual_with_the_counts_of_a_full_syringe_is_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert np.isnan(uptake(tmp_path, syringe(80_000), syringe(70_000, 2), "Syringe"))
    assert "so neither is used for the uptake" in caplog.text


def test_a_clipped_syringe_gives_no_uptake(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clipped = np.minimum(syringe(80_000), 255).astype(np.uint16)
    assert np.isnan(uptake(tmp_path, clipped, syringe(100), "SP"))
    assert "too many pixels have the largest value" in caplog.text


def test_a_syringe_whose_counts_were_multiplied_gives_no_uptake(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert np.isnan(uptake(tmp_path, 3 * syringe(20_000), syringe(100), "SP"))
    assert "its pixels are counts times a factor" in caplog.text


def iodine() -> Dataset:
    item = Dataset()
    item.RadionuclideCodeSequence = Sequence([IODINE131])
    return item


def test_two_images_of_the_full_syringe_are_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    north = Hospital(tmp_path)
    north.patient("1")
    north.scan("b", scan("1"))
    for name, counts in (("s", 5_000), ("t", 9_000)):
        shot(name, counts, north, SeriesDescription="Syringe full", AcquisitionTime="100000")
    north.register()
    assert "there are several images of the syringe before the injection" in caplog.text


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"AcquisitionTime": "000000", "StudyTime": "000000"}, "the time of it or of the scan is not stated"),
        ({"AcquisitionDate": "20200102"}, "it is of another day"),
        ({"ActualFrameDuration": 10}, "its duration is not stated or implausible"),
        ({"EnergyWindowInformationSequence": [window(143, 175)]}, "it is of another detector or energy window"),
        ({"SeriesDescription": "Syringe empty"}, "only that after the injection is known"),
        ({"Manufacturer": "GE MEDICAL SYSTEMS", "ManufacturerModelName": "Discovery NM 670"}, "it is of another manufacturer"),
        ({"ManufacturerModelName": "ECAM"}, "it is of another camera"),
        ({"DetectorInformationSequence": [detector(CollimatorGridName="HEGP")]}, "it is of another collimator"),
        ({"RadiopharmaceuticalInformationSequence": [iodine()]}, "its radionuclide is not technetium-99m"),
    ],
)  # fmt: skip
def test_why_no_syringe_is_used_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, changes: dict[str, Any], reason: str
) -> None:
    north = Hospital(tmp_path)
    north.patient("1")
    about = {"PatientID": "1", "SeriesDescription": "Syringe full", "ActualFrameDuration": 10_000}
    north.scan("secret name", nm(syringe(80_000), [detector()], **(about | changes)))
    head = detector(ANTERIOR, CollimatorGridName="LEHR")
    north.scan("b", nm(neck(64, 4.0), [head], PatientID="1"))
    north.register()
    assert f"no image of the syringe is used for the uptake: {reason}" in caplog.text
    assert "secret" not in caplog.text
