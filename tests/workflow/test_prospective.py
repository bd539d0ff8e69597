"""Predictions before the outcome, in a whole project: frozen, then scored when outcomes arrive."""

import os
import shutil
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pydicom
import pytest
import yaml

from tests.conftest import ROOT, Study, build_once
from tests.workflow.test_apply import TRAINING, hospital
from thyrocast.contract import deployment, io
from thyrocast.contract.evaluation import PERFORMANCE, PREDICTIONS

#: All scans are earlier than the clock of the first run. Some therapies are planned again for a later day (`REPLANNED`).
CLOCK = """
import sys
from importlib.machinery import PathFinder

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name != "thyrocast.application.apply":
            return None
        spec = PathFinder.find_spec(name, path)
        load = spec.loader.exec_module

        def exec_module(module):
            load(module)
            module.now = lambda: "2023-01-01T12:00:00Z"

        spec.loader.exec_module = exec_module
        return spec

sys.meta_path.insert(0, Finder())
"""
REPLANNED = datetime(2024, 6, 1)
FROZEN = Path(".thyrocast") / "applied" / "frozen.jsonl"
NUMBERS = ["probability", "called_cured", "p_not_cured", "p_cured", "prediction"]


def with_roles(study: Study, role: str, **changes: Any) -> None:
    """Write the config again; a prospective center has no outcome, and no column of it."""
    config = yaml.safe_load((ROOT / "config" / "smoke.yaml").read_text())
    center = config["centers"][2] | {"role": role}
    if role == "prospective":
        del center["outcome"]
        center["columns"] = {
            name: column for name, column in center["columns"].items() if name != "outcome"
        }
    kept = yaml.safe_load((study.folder / "config.yaml").read_text())
    (study.folder / "config.yaml").write_text(
        yaml.safe_dump(
            kept | {"centers": [center], "cohort": {"scan_window_days": [0, 3650]}} | changes
        )
    )


@pytest.fixture(scope="module")
def frozen(tmp_path_factory: pytest.TempPathFactory, smoke_study: Study, smoke_data: Path) -> Study:
    """Patients without outcomes whose predictions were made in 2023."""

    def build(folder: Path) -> None:
        study = hospital(folder, smoke_study, smoke_data)
        with_roles(study, "prospective")
        clock = folder / "clock"
        clock.mkdir()
        (clock / "sitecustomize.py").write_text(CLOCK)
        path = os.pathsep.join([str(clock), *filter(None, [os.environ.get("PYTHONPATH")])])
        target = "results/applied/deployment/patients.csv"
        assert not TRAINING & set(study.plan("--", target))
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PYTHONPATH", path)
            study.snakemake("--", target)
        shutil.copytree(study.results / "deployment", folder / "made")

    return Study(build_once(tmp_path_factory, "frozen-study", build), "applied")


@pytest.fixture(scope="module")
def scored(frozen: Study) -> Study:
    """The same project when the outcomes are known, and every second therapy took place later."""
    with_roles(frozen, "external")
    file = frozen.folder / "data" / "smoke" / "gamma" / "clinical.xlsx"
    book = openpyxl.load_workbook(file)
    header, *rows = book.active.iter_rows()
    named = {cell.value: number for number, cell in enumerate(header)}
    for row in rows[::2]:
        therapy, age = row[named["therapy"]], row[named["age"]]
        if isinstance(therapy.value, datetime) and isinstance(age.value, int | float):
            # The age is that at the therapy.
            age.value += REPLANNED.year - therapy.value.year
            therapy.value = REPLANNED
    book.save(file)
    names = ("evaluation/performance.csv", "deployment/apart.csv", "deployment/looks.csv")
    frozen.snakemake("--", *(f"results/applied/{name}" for name in names))
    return frozen


def test_what_was_predicted_is_scored(scored: Study) -> None:
    made, used = (
        io.read(deployment.APPLIED, folder / "predictions.csv").set_index(["patient", "model"])
        for folder in (scored.folder / "made", scored.results / "deployment")
    )
    assert len(made) > 40
    pd.testing.assert_frame_equal(made[NUMBERS], used.loc[made.index, NUMBERS], check_exact=True)
    assert set(used["predicted_at"]) == {"2023-01-01T12:00:00Z"}
    assert (
        len((scored.folder / FROZEN).read_text().splitlines())
        == made.index.get_level_values(0).nunique()
    )


def test_only_predictions_before_the_outcome_are_in_the_results(scored: Study) -> None:
    """The others are scored apart, and are in no look."""
    patients = io.read(deployment.APPLIED_PATIENTS, scored.results / "deployment" / "patients.csv")
    before = set(patients.loc[patients["standing"] == "before", "patient"])
    assert set(patients["standing"]) == {"before", "undated"}
    table = io.read(PREDICTIONS, scored.results / "evaluation" / "predictions.csv")
    assert set(table.loc[table["outcome"].notna(), "patient"]) == before
    whole = io.read(PERFORMANCE, scored.results / "evaluation" / "performance.csv")
    whole = whole[(whole["group_kind"] == "pooled") & (whole["status"] == "estimated")]
    assert set(whole["n"]) == {len(before)}
    apart = io.read(deployment.APART, scored.results / "deployment" / "apart.csv")
    apart = apart[(apart["group_kind"] == "pooled") & (apart["status"] == "estimated")]
    assert set(apart["n"]) == {len(patients) - len(before)}
    looks = io.read(deployment.LOOKS, scored.results / "deployment" / "looks.csv")
    assert looks["patients"].tolist() == [len(before)]


def another_image(study: Study) -> Path:
    """Half of one patient's scan is covered."""
    file = min((study.folder / "data" / "smoke" / "gamma" / "dicom").iterdir())
    scan = pydicom.dcmread(file)
    pixels = scan.pixel_array.copy()
    pixels[..., : pixels.shape[-1] // 2] = pixels.min()
    scan.PixelData = pixels.tobytes()
    scan.save_as(file)
    return file


def test_another_image_is_refused(scored: Study, tmp_path: Path) -> None:
    """In a copy, with another file of the same name; the ledger stays as it was."""
    copy = Study(Path(shutil.copytree(scored.folder, tmp_path / "copy", symlinks=True)), "applied")
    before = (copy.folder / FROZEN).read_bytes()
    assert another_image(copy).is_file()
    target = "results/applied/deployment/patients.csv"
    done = copy.snakemake("--", target, check=False)
    assert done.returncode
    words = "the standardized image is not the one whose prediction is frozen"
    assert words in done.stdout + done.stderr
    assert (copy.folder / FROZEN).read_bytes() == before
