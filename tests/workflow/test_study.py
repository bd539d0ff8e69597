"""The smoke study from DICOM to report, and what a second run of it does."""

import csv
import importlib.metadata
import json
import re
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pydicom
import pytest
import safetensors
import yaml

import thyrocast
from tests.conftest import Study, prepare
from thyrocast import fileio
from thyrocast.contract import (
    controls,
    deployment,
    evaluation,
    files,
    io,
    learning_curve,
    stability,
)
from thyrocast.contract.cohort import COHORT, PATIENTS, REGISTER
from thyrocast.contract.names import Model
from thyrocast.contract.splits import SPLITS
from thyrocast.contract.table import File, Table


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


def declared(path: str, entries: Sequence[Table | File]) -> list[Table | File]:
    """Return the declarations that a file of a run belongs to."""
    found = []
    for entry in entries:
        pattern = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(entry.path))
        if re.fullmatch(pattern + (".*" if entry.path.endswith("/") else ""), path):
            found.append(entry)
    return found


def test_every_file_is_declared_once(smoke_study: Study) -> None:
    """Each file of the results and of the private folder, but for Snakemake's own marks."""
    of_design = [replace(t, path=t.path.replace("/", "/{design}/")) for t in evaluation.OF_DESIGN]
    public = [t for t in (*files.TABLES, *of_design, *files.FILES) if not t.private]
    private = [t for t in (*files.TABLES, *files.PRIVATE_FILES) if t.private]
    hidden = smoke_study.folder / ".thyrocast" / smoke_study.name
    for folder, entries in ((smoke_study.results, public), (hidden, private)):
        for file in filter(Path.is_file, folder.rglob("*")):
            if file.name != ".snakemake_timestamp":
                path = file.relative_to(folder).as_posix()
                assert len(declared(path, entries)) == 1, path


def test_every_table_fits_its_declaration(smoke_study: Study) -> None:
    # Only a study with several definitions, with controls, stability or a learning curve, writes these.
    optional = {"cohort/{center}/definitions.csv", "evaluation/multiverse.csv"}
    # Only a study that applies a locked model writes these.
    optional |= {table.path for table in deployment.OF_APPLICATION}
    optional |= {table.path for table in (*controls.TABLES, *stability.TABLES)}
    optional |= {table.path for table in learning_curve.TABLES}
    for table in files.TABLES:
        if not table.private:
            found = list(smoke_study.results.glob(re.sub(r"{\w+}", "*", table.path)))
            assert found or table.path in optional, table.path
            for file in found:
                io.read(table, file)


def test_everybody_is_accounted_for(smoke_study: Study) -> None:
    folder = smoke_study.results / "cohort"
    flow = fileio.read_json(folder / "flow.json")["centers"]
    cohort = io.read(COHORT, folder / "cohort.csv")
    for center, counts in flow.items():
        register = io.read(REGISTER, folder / center / "register.csv")
        assert counts["found"] == len(register)
        assert counts["found"] == counts["analyzed"] + sum(counts["excluded"].values())
        assert counts["analyzed"] == (cohort["center"] == center).sum()
        assert ((register["reason"] == "") == register["included"]).all()
    patients = io.read(PATIENTS, folder / "patients.csv")
    assert patients.loc[patients["analyzed"], "patient"].to_list() == cohort["patient"].to_list()
    assert ((patients["reason"] == "") == patients["analyzed"]).all()
    images = np.load(folder / "images.npy", mmap_mode="r")
    assert images.shape == (len(cohort), 64, 64)
    assert images.dtype == np.float32
    assert np.isfinite(images).all()


def test_every_model_predicts_every_patient(smoke_study: Study) -> None:
    rows = io.read(evaluation.PREDICTIONS, smoke_study.results / "evaluation" / "predictions.csv")
    assert set(rows["model"]) == set(Model)
    for _, split in rows.groupby(["design", "split"]):
        patients = split.groupby("model")["patient"].agg(frozenset)
        assert len(set(patients)) == 1


def test_no_table_holds_a_silent_nan(smoke_study: Study) -> None:
    for file in smoke_study.results.rglob("*.csv"):
        cells = {cell for line in file.read_text().splitlines() for cell in line.split(",")}
        # "none" is an antithyroid drug that was not given
        assert not cells & {"nan", "NaN", "NA", "<NA>", "inf", "-inf", "None"}, file


def test_locked_model_is_whole(smoke_study: Study, tmp_path: Path) -> None:
    from thyrocast.locked import verify

    manifest = verify.unpack(smoke_study.results / "model", tmp_path / "copy")
    assert set(manifest.training_cohort) == {"alpha", "beta"}
    assert manifest.simulated
    assert manifest.versions["train_network"]["torch"]
    # Nothing in it says where the images are: DICOM is named by the settings of reports only.
    text = (smoke_study.results / "model" / "manifest.json").read_text()
    assert re.findall(r".*dicom.*", text) == re.findall(
        r' *"dicom(?:_patient)?": (?:false|"source"),', text
    )


def test_only_the_internal_report_has_patients(smoke_study: Study) -> None:
    shareable = smoke_study.results / "report" / "report.html"
    internal = smoke_study.folder / ".thyrocast" / smoke_study.name / "report-internal.html"
    assert internal.stat().st_mode & 0o077 == 0
    page, with_patients = shareable.read_text(), internal.read_text()
    file = smoke_study.results / evaluation.PREDICTIONS.path
    with file.open(encoding="utf-8", newline="") as rows:
        # As the table prints them, not as numbers.
        predictions = list(csv.DictReader(rows))
    for name in ("patient", "probability"):
        # A probability such as 0.75 may also be a result.
        values = {row[name] for row in predictions if len(row[name]) > 8}
        assert len(values) > 50
        assert not [value for value in values if value in page]
    external = [r for r in predictions if (r["design"], r["set"]) == ("external", "test")]
    assert not [row["patient"] for row in external if row["patient"] not in with_patients]
    assert (smoke_study.results / "crate" / "results" / "report.html").read_text() == page


def test_the_methods_section_has_equations_of_the_models(smoke_study: Study) -> None:
    text = (smoke_study.results / "report" / "methods.md").read_text()
    for heading in ("Outcome", "Eligibility", "Predictors", "Missing data", "Time of the decision"):
        assert f"## {heading}\n" in text
    clinical = text[text.index("model “clinical”") : text.index("model “combined”")]
    assert re.search(r"\| Intercept \| −?\d", clinical)
    assert re.search(r"\| Sex: (fe)?male \(1 if so, else 0\) \| −?\d\.\d", clinical)
    model = fileio.read_json(
        smoke_study.results / "splits" / "external" / "all" / "signature" / "model.json"
    )
    size = len(model["members"])
    assert (f"The mean of {size} members" in clinical) is (size > 1)


def test_provenance_names_code_data_and_versions(smoke_study: Study) -> None:
    recorded = fileio.read_json(smoke_study.results / "provenance.json")
    assert recorded["seed"] == 20250
    assert recorded["contract"] == 2
    assert recorded["thyrocast"] == thyrocast.__version__
    assert recorded["versions"]["launcher"]["snakemake"] == "9.27.1"
    assert recorded["versions"]["deep"]["torch"] == importlib.metadata.version("torch")
    assert recorded["versions"]["stats"]["scikit-learn"]
    assert recorded["version_conflicts"] == {}
    assert recorded["jobs_without_versions"] == []
    assert "clinical table of gamma" in recorded["inputs"]
    assert "dicom" not in json.dumps(recorded["config"]["centers"])


def test_a_second_run_does_nothing(smoke_study: Study) -> None:
    assert smoke_study.plan() == {}


BEFORE_TRAINING = {"register_center", "standardize_images", "assemble_cohort", "make_splits"}


def test_a_training_setting_reruns_from_training_on(finished: Study) -> None:
    change(finished, network={"epochs": 3})
    plan = finished.plan()
    assert plan["train_network"] == 12
    assert not BEFORE_TRAINING & set(plan)


def test_another_folder_of_pretrained_networks_reruns_no_training(finished: Study) -> None:
    change(finished, network={"simulation": {"folder": "elsewhere"}})
    trained = {"train_network", "extract_embeddings", "fit_signature", "explain_network"}
    assert not (BEFORE_TRAINING | trained) & set(finished.plan())


def test_a_network_without_shipped_weights_is_pretrained_first(finished: Study) -> None:
    simulated = {"pretraining": "simulation", "simulation": {"phantoms": 16, "batch_size": 8}}
    change(finished, network={"epochs": 1} | simulated)
    trained = finished.results / "splits" / "external" / "all" / "network" / "fold-1"
    finished.snakemake(str((trained / "weights.safetensors").relative_to(finished.folder)))
    (network,) = (finished.folder / "pretrained").glob("resnet50-*.safetensors")
    with safetensors.safe_open(trained / "weights.safetensors", framework="np") as file:
        assert network.stem in json.dumps(file.metadata())
    assert not {"pretrain_network", *BEFORE_TRAINING} & set(finished.plan())


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


def test_a_replaced_file_reruns_only_the_job_of_its_patient(finished: Study) -> None:
    scan = min((finished.folder / "data/smoke/beta/dicom").rglob("*.dcm"))
    data = pydicom.dcmread(scan)
    data.PatientSize = 1.7
    data.save_as(scan)
    plan = finished.plan()
    assert (plan["register_center"], plan["standardize_images"]) == (1, 1)


def test_an_edited_row_reruns_only_the_job_of_its_patient(finished: Study) -> None:
    table = finished.folder / "data/smoke/alpha/clinical.csv"
    lines = table.read_text().splitlines()
    lines[3] = lines[3].replace(",male,", ",m,").replace(",female,", ",male,")
    table.write_text("\n".join(lines) + "\n")
    plan = finished.plan()
    assert (plan["register_center"], plan["standardize_images"]) == (1, 1)


def test_a_center_that_sends_a_file_is_pooled_like_its_data(finished: Study) -> None:
    """The external center is added once more under another name, by its exchange file."""
    change(finished, exchange={"patients": 10, "outcomes": 3, "cell": 3})
    target = "results/smoke/exchange/gamma.json"
    finished.snakemake("--", target)
    shutil.copyfile(finished.folder / target, finished.folder / "sent.json")
    config = yaml.safe_load((finished.folder / "config.yaml").read_text())
    sent = {"name": "delta", "exchange": "sent.json"}
    change(finished, centers=[*config["centers"], sent])
    assert set(finished.plan("--", "results/smoke/evaluation/pooled.csv")) == {"pool_centers"}
    sources_file = "results/smoke/evaluation/sources.csv"
    # One center twice, as data and as a file, would count twice.
    done = finished.snakemake("--", sources_file, check=False)
    assert "has exactly the results of center gamma" in done.stdout + done.stderr
    # With other last digits, the results count as those of another center.
    results = fileio.read_json(finished.folder / "sent.json")
    for model in results["models"].values():
        for one in model["results"]:
            if one["metric"] == "auc" and one["estimate"] is not None:
                one["estimate"] *= 1 - 1e-12
    fileio.write_json(finished.folder / "sent.json", results)
    finished.snakemake("--", sources_file)
    folder = finished.results / "evaluation"
    rows = io.read(evaluation.POOLED_CENTERS, folder / "pooled_centers.csv")
    rows = rows[(rows["design"] == "external") & (rows["metric"] != "net_benefit")]
    columns = [
        "model",
        "metric",
        "method",
        "estimate",
        "ci_low",
        "ci_high",
        "weight",
        "n",
        "events",
    ]
    own, other = (
        rows.loc[rows["center"] == name, columns].reset_index(drop=True)
        for name in ("gamma", "delta")
    )
    assert len(own) > 0
    pd.testing.assert_frame_equal(own, other, rtol=1e-9)
    sources = io.read(evaluation.SOURCES, folder / "sources.csv").set_index(["design", "center"])
    assert sources.loc[("external", "delta"), "source"] == "exchange"
    # The file states the model that this study locked.
    assert sources.loc[("external", "delta"), "models"] == "same"
    sent["exchange"] = "nowhere.json"
    change(finished, centers=[*config["centers"], sent])
    done = finished.snakemake("--dry-run", check=False)
    message = "center delta, key exchange: nowhere.json: there is no such file"
    assert message in done.stdout + done.stderr


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
    divisions = [io.read(SPLITS, s.results / "splits.csv") for s in (smoke_study, other)]
    columns = ["design", "split", "set", "fold"]
    assert divisions[0][columns].equals(divisions[1][columns])
    assert not set(divisions[0]["patient"]) & set(divisions[1]["patient"])
