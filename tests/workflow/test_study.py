"""The smoke study from DICOM to report, and what a second run of it does."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
import yaml

from tests.conftest import Study, prepare
from thyrocast import fileio

DOCUMENTED = {
    "cohort/cohort.csv": "patient,center,role,outcome",
    "splits.csv": "design,split,patient,set,fold",
    "evaluation/predictions.csv": "design,split,model,set,patient,center,outcome,probability",
    "evaluation/performance.csv": "design,split,model,set,group,metric,estimate,ci_low,ci_high,ci_method,n,events",
    "evaluation/thresholds.csv": "design,split,model,rule,threshold",
}


def copy(study: Study, folder: Path) -> Study:
    """A copy of a finished study that a test may change."""
    shutil.copytree(study.folder, folder, symlinks=True)
    return Study(folder, study.name)


@pytest.fixture
def finished(smoke_study: Study, tmp_path: Path) -> Study:
    return copy(smoke_study, tmp_path / "copy")


def change(study: Study, **changes: Any) -> None:
    file = study.folder / "config.yaml"
    config = yaml.safe_load(file.read_text())
    for key, value in changes.items():
        config[key] = config.get(key, {}) | value if isinstance(value, dict) else value
    file.write_text(yaml.safe_dump(config, allow_unicode=True, sort_keys=False))


@pytest.mark.parametrize("file", DOCUMENTED)
def test_contract_is_kept(smoke_study: Study, file: str) -> None:
    header = (smoke_study.results / file).read_text().splitlines()[0]
    assert header.startswith(DOCUMENTED[file])


def test_everybody_is_accounted_for(smoke_study: Study) -> None:
    flow = fileio.read_json(smoke_study.results / "cohort" / "flow.json")["centers"]
    cohort = fileio.read_csv(smoke_study.results / "cohort" / "cohort.csv")
    for center, counts in flow.items():
        register = fileio.read_csv(smoke_study.results / "cohort" / center / "register.csv")
        assert counts["found"] == len(register)
        assert counts["found"] == counts["analysed"] + sum(counts["excluded"].values())
        assert counts["analysed"] == sum(row["center"] == center for row in cohort)
        assert all(bool(row["reason"]) != (row["included"] == "1") for row in register)
    images = np.load(smoke_study.results / "cohort" / "images.npy", mmap_mode="r")
    assert images.shape == (len(cohort), 64, 64)
    assert images.dtype == np.float32
    assert np.isfinite(images).all()


def test_nobody_is_on_both_sides(smoke_study: Study) -> None:
    rows = fileio.read_csv(smoke_study.results / "splits.csv")
    seen = [(row["design"], row["split"], row["patient"]) for row in rows]
    assert len(seen) == len(set(seen))


def test_every_model_predicts_every_patient(smoke_study: Study) -> None:
    rows = fileio.read_csv(smoke_study.results / "evaluation" / "predictions.csv")
    assert {row["model"] for row in rows} == {
        "network", "signature", "handcrafted", "clinical", "combined",
    }  # fmt: skip
    assert all(0 <= float(row["probability"]) <= 1 for row in rows)
    for split in {(r["design"], r["split"]) for r in rows}:
        mine = [r for r in rows if (r["design"], r["split"]) == split]
        patients = {
            r["model"]: {x["patient"] for x in mine if x["model"] == r["model"]} for r in mine
        }
        assert len({frozenset(p) for p in patients.values()}) == 1


def test_no_table_holds_a_silent_nan(smoke_study: Study) -> None:
    for file in smoke_study.results.rglob("*.csv"):
        cells = {cell for row in fileio.read_csv(file) for cell in row.values()}
        # "none" is an antithyroid drug that was not given
        assert not cells & {"nan", "NaN", "NA", "inf", "-inf", "None"}, file


def test_locked_model_is_whole(smoke_study: Study) -> None:
    from thyrocast.planning.fingerprints import file_hash

    model = smoke_study.results / "model"
    manifest = fileio.read_json(model / "manifest.json")
    files = {
        str(f.relative_to(model / "files")) for f in (model / "files").rglob("*") if f.is_file()
    }
    files -= {name for name in files if name.startswith(".snakemake")}
    assert set(manifest["files"]) == files
    assert all(file_hash(model / "files" / name) == h for name, h in manifest["files"].items())
    assert set(manifest["training_cohort"]) == {"alpha", "beta"}


def test_provenance_names_code_data_and_versions(smoke_study: Study) -> None:
    told = fileio.read_json(smoke_study.results / "provenance.json")
    assert told["seed"] == 20250
    assert told["versions"]["snakemake"] == "9.27.1"
    assert "clinical table of gamma" in told["inputs"]
    assert "dicom" not in json.dumps(told["config"]["centers"])


def test_a_second_run_does_nothing(smoke_study: Study) -> None:
    assert smoke_study.plan() == {}


BEFORE_TRAINING = {"register_center", "standardize_images", "assemble_cohort", "make_splits"}


def test_a_training_setting_reruns_from_training_on(finished: Study) -> None:
    change(finished, network={"epochs": 3})
    plan = finished.plan()
    assert plan["train_network"] == 12
    assert not BEFORE_TRAINING & set(plan)


def test_an_evaluation_setting_retrains_nothing(finished: Study) -> None:
    change(finished, evaluation={"resamples": 300})
    plan = finished.plan()
    assert plan["evaluate_design"] == 3
    assert not (BEFORE_TRAINING | {"train_network", "fit_signature"}) & set(plan)


def test_a_new_center_recomputes_no_image_of_the_others(finished: Study) -> None:
    data = finished.folder / "data" / "smoke"
    shutil.copytree(data / "beta", data / "delta")
    config = yaml.safe_load((finished.folder / "config.yaml").read_text())
    fourth = json.loads(json.dumps(config["centers"][1]).replace("beta", "delta"))
    change(finished, centers=[*config["centers"], fourth])
    plan = finished.plan()
    assert plan["register_center"] == 1
    assert plan["standardize_images"] == 2
    assert plan["assemble_cohort"] == 1


def test_a_replaced_file_reruns_only_the_job_that_holds_its_patient(finished: Study) -> None:
    scan = min((finished.folder / "data/smoke/beta/dicom").rglob("*.dcm"))
    data = pydicom.dcmread(scan)
    data.PatientSize = 1.7
    data.save_as(scan)
    plan = finished.plan()
    assert (plan["register_center"], plan["standardize_images"]) == (1, 1)


def test_an_edited_row_reruns_only_the_job_that_holds_its_patient(finished: Study) -> None:
    table = finished.folder / "data/smoke/alpha/clinical.csv"
    lines = table.read_text().splitlines()
    lines[3] = lines[3].replace(",male,", ",m,").replace(",female,", ",male,")
    table.write_text("\n".join(lines) + "\n")
    plan = finished.plan()
    assert (plan["register_center"], plan["standardize_images"]) == (1, 1)


def test_patients_per_job_changes_no_byte(finished: Study) -> None:
    cohort = finished.results / "cohort"
    before = {
        name: (cohort / name).read_bytes() for name in ("images.npy", "masks.npy", "cohort.csv")
    }
    change(finished, patients_per_job=7)
    finished.snakemake("--until", "assemble_cohort")
    assert all((cohort / name).read_bytes() == content for name, content in before.items())


def test_another_machine_with_another_key_gives_the_same_study(
    smoke_data: Path, smoke_study: Study, tmp_path: Path
) -> None:
    """Pseudonyms differ, the division of patients and the images do not."""
    other = prepare(tmp_path / "other", data=smoke_data)
    other.snakemake("--until", "make_splits")
    images = [(s.results / "cohort" / "images.npy").read_bytes() for s in (smoke_study, other)]
    assert images[0] == images[1]
    division = [
        [
            (r["design"], r["split"], r["set"], r["fold"])
            for r in fileio.read_csv(s.results / "splits.csv")
        ]
        for s in (smoke_study, other)
    ]
    assert division[0] == division[1]
    names = [
        {r["patient"] for r in fileio.read_csv(s.results / "splits.csv")}
        for s in (smoke_study, other)
    ]
    assert not names[0] & names[1]
