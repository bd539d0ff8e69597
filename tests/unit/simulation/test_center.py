"""What a simulated center exports, and the truth about it."""

import csv
import datetime
import hashlib
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
import yaml
from pydicom.uid import NuclearMedicineImageStorage

from thyrocast import seeds
from thyrocast.config.reading import read_simulation
from thyrocast.config.simulated_export import TableColumn, TableConfig
from thyrocast.config.simulation import SimulationConfig
from thyrocast.contract import io
from thyrocast.contract.simulation import TRUTH
from thyrocast.errors import InputError
from thyrocast.simulation import center, export, physiology, truth
from thyrocast.statistics.discrimination import auc
from thyrocast.tables import spreadsheet

ROOT = Path(__file__).parents[3]
COHORTS = ("demo", "paper", "smoke")


def settings(name: str, *more: str) -> SimulationConfig:
    read = [
        yaml.safe_load((ROOT / f"config/simulation/{n}.yaml").read_text()) for n in (name, *more)
    ]
    for other in read[1:]:
        read[0]["centers"] |= other["centers"]
    return read_simulation(read[0])


def write(cohort: SimulationConfig, name: str, folder: Path) -> None:
    center.simulate(
        name,
        cohort.centers[name],
        cohort.outcome,
        cohort.seed,
        folder / name,
        folder / "truth" / f"{name}.csv",
    )


def small(cohort: SimulationConfig, **extras: int) -> SimulationConfig:
    """Few patients of every center, with every kind of extra image."""
    given = {"later": 1, "iodine": 1, "syringe": 1, "capture": 1, "readme": True} | extras
    counts = {"patients": 3, "lost": 1, "table_only": 1, "dicom_only": 1}
    centers = {
        name: center.plain() | counts | {"extras": given} for name, center in cohort.centers.items()
    }
    return SimulationConfig.read(cohort.plain() | {"centers": centers})


def dicom_files(folder: Path) -> list[Path]:
    return [f for f in sorted(folder.rglob("*")) if f.is_file() and f.suffix != ".txt"]


def digests(folder: Path) -> dict[str, str]:
    return {
        str(f.relative_to(folder)): hashlib.sha256(f.read_bytes()).hexdigest()
        for f in folder.rglob("*")
        if f.is_file()
    }


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A few patients of every center that the project describes."""
    folder = tmp_path_factory.mktemp("exports")
    for names in (("demo", "east"), ("paper",), ("smoke",)):
        cohort = small(settings(*names))
        for name in cohort.centers:
            write(cohort, name, folder)
    return folder


@pytest.fixture(scope="module")
def smoke(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("smoke")
    cohort = settings("smoke")
    for name in cohort.centers:
        write(cohort, name, folder)
    return folder


def test_dicom_validator_finds_no_error(exports: Path, needs: Callable[..., None]) -> None:
    needs("dciodvfy")
    files = [
        f for name in exports.iterdir() if name.name != "truth" for f in dicom_files(name / "dicom")
    ]
    assert len(files) > 60
    for file in files:
        done = subprocess.run(["dciodvfy", file], capture_output=True, text=True)
        errors = [line for line in (done.stdout + done.stderr).splitlines() if "Error" in line]
        assert not errors, f"{file}: {errors}"


def test_every_image_says_that_it_is_simulated(exports: Path) -> None:
    kinds = set()
    for file in exports.glob("*/dicom/**/*"):
        if file.is_file() and file.suffix != ".txt":
            data = pydicom.dcmread(file)
            assert data.ImageComments.startswith("SIMULATED")
            assert data.SOPInstanceUID.startswith("2.25.")
            assert len(data.SOPInstanceUID) <= 64
            kinds.add(data.SOPClassUID)
    assert NuclearMedicineImageStorage in kinds
    assert len(kinds) == 2


def test_instances_have_identifiers_of_their_own(exports: Path) -> None:
    read = [
        pydicom.dcmread(f, stop_before_pixels=True)
        for f in exports.glob("*/dicom/**/*")
        if f.is_file() and f.suffix != ".txt"
    ]
    assert len({d.SOPInstanceUID for d in read}) == len(read)
    people = {(d.InstitutionName, d.PatientID): (d.PatientBirthDate, d.PatientSex) for d in read}
    # Nobody is mistaken for somebody else of the same cohort.
    assert len(set(people.values())) == len(people)


def test_frames_follow_the_detector_vector(exports: Path) -> None:
    """The center in the south stores the posterior frame first."""
    seen = 0
    for file in dicom_files(exports / "south" / "dicom"):
        data = pydicom.dcmread(file)
        if data.SOPClassUID != NuclearMedicineImageStorage or data.NumberOfFrames != 2:
            continue
        if data.ImageType[2] != "STATIC":
            continue
        seen += 1
        assert list(data.DetectorVector) == [2, 1]
        views = [d.ViewCodeSequence[0].CodeValue for d in data.DetectorInformationSequence]
        assert views == ["G-5215", "G-5216"]
        by_view = dict(
            zip([views[i - 1] for i in data.DetectorVector], data.pixel_array, strict=True)
        )
        assert by_view["G-5215"].max() > 2 * by_view["G-5216"].max()
    assert seen >= 4


def test_view_codes_may_be_missing_but_not_the_orientation(exports: Path) -> None:
    for file in dicom_files(exports / "west" / "dicom"):
        data = pydicom.dcmread(file)
        if data.SOPClassUID == NuclearMedicineImageStorage:
            for detector in data.DetectorInformationSequence:
                assert "ViewCodeSequence" not in detector
                assert len(detector.ImageOrientationPatient) == 6


def test_preset_counts_stop_the_acquisition(exports: Path) -> None:
    durations = []
    for file in dicom_files(exports / "west" / "dicom"):
        data = pydicom.dcmread(file)
        if data.get("AcquisitionTerminationCondition") == "CNTS":
            durations.append(data.ActualFrameDuration)
            anterior = data.pixel_array[list(data.DetectorVector).index(1)]
            assert int(anterior.sum()) == pytest.approx(300_000, rel=0.02)
    assert len(set(durations)) > 2


def test_scan_comes_before_therapy_and_follow_up_after(exports: Path) -> None:
    for row in csv.DictReader((exports / "north" / "clinical.csv").open(encoding="utf-8")):
        therapy = datetime.date.fromisoformat(row["therapy_date"])
        for file in (exports / "north" / "dicom" / row["MRN"]).rglob("*.dcm"):
            data = pydicom.dcmread(file, stop_before_pixels=True)
            day = datetime.datetime.strptime(data.StudyDate, "%Y%m%d").date()
            later = file.parent.name in {"followup", "iodine"}
            assert (day > therapy) if later else (0 < (therapy - day).days < 29)


def test_dose_and_times_give_the_decay(exports: Path) -> None:
    for file in dicom_files(exports / "east" / "dicom"):
        data = pydicom.dcmread(file)
        if "scintigraphy_1" not in file.name:
            continue
        drug = data.RadiopharmaceuticalInformationSequence[0]
        assert 74 <= drug.RadionuclideTotalDose <= 111
        start, scan = (
            datetime.datetime.strptime(t, "%H%M%S")
            for t in (drug.RadiopharmaceuticalStartTime, data.AcquisitionTime)
        )
        assert 14 <= (scan - start).total_seconds() / 60 <= 26


def test_same_seed_same_bytes_and_another_center_changes_nothing(
    tmp_path: Path, smoke: Path
) -> None:
    cohort = settings("smoke")
    alone = cohort.model_copy(update={"centers": {"gamma": cohort.centers["gamma"]}})
    write(alone, "gamma", tmp_path / "again")
    assert digests(tmp_path / "again" / "gamma") == digests(smoke / "gamma")
    assert (tmp_path / "again/truth/gamma.csv").read_bytes() == (
        smoke / "truth/gamma.csv"
    ).read_bytes()
    write(cohort.model_copy(update={"seed": 1}), "gamma", tmp_path / "other")
    other = set(digests(tmp_path / "other" / "gamma").values())
    assert not other & set(digests(smoke / "gamma").values())


def test_tables_are_as_the_centers_write_them(exports: Path) -> None:
    raw = (exports / "south" / "clinical.csv").read_bytes()
    assert "Aktivität I-131 [MBq]".encode("latin-1") in raw
    german = spreadsheet.read_sheet(exports / "south" / "clinical.csv")
    assert set(german.column("Geschlecht")) <= {"w", "m"}
    assert all(
        b"," in cell.encode() or cell.isdigit() for cell in german.column("Aktivität I-131 [MBq]")
    )
    spanish = spreadsheet.read_sheet(exports / "west" / "clinical.xlsx")
    assert all(8 < float(cell) < 18 for cell in spanish.column("Dosis I131 (mCi)"))
    french = spreadsheet.read_sheet(exports / "east" / "clinical.tsv")
    assert french.header[0] == "IPP"
    assert len(french.rows) == 5


def test_statuses_show_in_table_and_folder(smoke: Path) -> None:
    rows = io.read(TRUTH, smoke / "truth" / "alpha.csv").to_dict("records")
    table = spreadsheet.read_sheet(smoke / "alpha" / "clinical.csv")
    outcomes = dict(zip(table.column("id"), table.column("result"), strict=True))
    images = {
        pydicom.dcmread(f, stop_before_pixels=True).PatientID
        for f in dicom_files(smoke / "alpha" / "dicom")
    }
    assert {row["status"] for row in rows} == {"complete", "lost", "table_only", "dicom_only"}
    for row in rows:
        assert (row["patient"] in outcomes) == (row["status"] != "dicom_only")
        assert (row["dicom_patient"] in images) == (row["status"] != "table_only")
        if row["status"] == "complete":
            assert outcomes[row["patient"]] == str(row["outcome"])
        if row["status"] == "lost":
            assert outcomes[row["patient"]] == ""


def test_probability_is_the_stated_formula(smoke: Path) -> None:
    cohort = settings("smoke")
    table = io.read(TRUTH, smoke / "truth" / "alpha.csv")
    facts = truth.summarize({"alpha": table}, cohort.outcome, cohort.seed)
    weight = facts.coefficients
    for row in table.to_dict("records"):
        logit = (
            facts.intercept
            + weight["gland_mass"] * np.log2(row["gland_mass"] / 40)
            + weight["uptake"] * np.log2(row["uptake"] / 0.12)
            + weight["heterogeneity"] * (row["heterogeneity"] - 0.4)
            + weight["activity"] * np.log2(row["activity"] / 550)
        )
        assert row["probability"] == pytest.approx(1 / (1 + np.exp(-logit)), abs=1e-3)


def _drawn(name: str, cohort: SimulationConfig) -> tuple[np.ndarray, np.ndarray]:
    block = cohort.centers[name]
    patients = physiology.draw(
        20_000,
        block.case_mix,
        block.treatment,
        cohort.outcome,
        np.random.default_rng(5),
    )
    return patients.outcome, patients.probability


@pytest.mark.parametrize("name", ["north", "south", "west", "east"])
def test_true_risk_discriminates_as_designed(name: str) -> None:
    outcome, probability = _drawn(name, settings("demo", "east"))
    assert 0.85 < auc(outcome, probability) < 0.89
    assert 0.6 < outcome.mean() < 0.75
    # The outcome is a fair draw: among patients of one risk, that share is cured.
    for low in (0.1, 0.3, 0.5, 0.7, 0.9):
        near = np.abs(probability - low) < 0.05
        assert outcome[near].mean() == pytest.approx(low, abs=0.05)


def test_expected_auc_is_that_of_all_outcomes() -> None:
    # Two patients of risks .2 and .8 who differ: the better one is cured in 16 of 17 such draws.
    assert truth.expected_auc(np.array([0.2, 0.8])) == pytest.approx(0.64 / 0.68)


def test_without_both_outcomes_there_is_no_auc(smoke: Path) -> None:
    table = io.read(TRUTH, smoke / "truth" / "alpha.csv")
    assert truth.discrimination(table).auc is not None
    cured = table[table["outcome"] == 1]
    assert truth.discrimination(cured).auc is None
    assert truth.discrimination(cured).prevalence == 1


def test_units_are_those_of_the_laboratory() -> None:
    table = TableConfig.read(
        {
            "file": "a.csv",
            "columns": {
                "activity": "a", "ft4": "b", "ft3": "c", "patient": "d", "outcome": "e",
                "therapy_date": "f",
            },
            "units": {"activity": "mCi", "ft4": "ng/dL", "ft3": "pg/mL"},
            "decimal": ",",
            "outcome": {"cured": [1], "not_cured": [0]},
        }
    )  # fmt: skip
    record: export.Record = {
        TableColumn.ACTIVITY: 370.0,
        TableColumn.FT4: 12.87,
        TableColumn.FT3: 1.536,
    }
    assert export.cells(record, table, workbook=False) == ["10", "1", "1", "", "", ""]


def test_no_two_centers_of_a_cohort_share_birth_dates() -> None:
    for names in (("demo", "east"), ("paper",), ("smoke",)):
        days = {seeds.derive(0, name, "birth") % 61 for name in settings(*names).centers}
        assert len(days) == len(settings(*names).centers)


def test_more_extras_than_patients_are_refused(tmp_path: Path) -> None:
    cohort = small(settings("smoke"), later=4)
    with pytest.raises(InputError, match=r"center beta, key extras\.later"):
        write(cohort, "beta", tmp_path)


@pytest.mark.parametrize("name", COHORTS)
def test_a_misspelled_key_is_named(name: str) -> None:
    cohort = yaml.safe_load((ROOT / f"config/simulation/{name}.yaml").read_text())
    first = next(iter(cohort["centers"].values()))
    first["camera"]["pixel_size"] = 2
    with pytest.raises(InputError, match="pixel_size"):
        read_simulation(cohort)
