"""A locked model in an empty project: another hospital's patients, predicted and scored, nothing trained."""

import shutil
from pathlib import Path

import pytest
import yaml

from tests.conftest import ROOT, Study, build_once
from thyrocast import fileio
from thyrocast.application import comparison
from thyrocast.contract import deployment, io
from thyrocast.contract.evaluation import PERFORMANCE
from thyrocast.ledgers import looks

# Its set-up may run two whole studies, on a machine that runs other tests at the same time.
pytestmark = pytest.mark.timeout(1800)

TRAINING = {"train_network", "fit_signature", "lock_model"}


def hospital(folder: Path, smoke_study: Study, smoke_data: Path) -> Study:
    """A project of its own with a model, one center's data and its config, and nothing else."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copytree(smoke_study.results / "model", folder / "model")
    shutil.copytree(smoke_data / "smoke" / "gamma", folder / "data" / "smoke" / "gamma")
    # The same key gives the same pseudonyms, so that predictions can be compared by patient.
    shutil.copyfile(smoke_study.folder / "key", folder / "key")
    config = yaml.safe_load((ROOT / "config" / "smoke.yaml").read_text())
    kept = {key: config[key] for key in ("evaluation", "patients_per_job")}
    kept |= {"study": "applied", "model": "model", "centers": config["centers"][2:]}
    kept |= {"network": {"threads": 1}, "pseudonym_key": "key"}
    (folder / "config.yaml").write_text(yaml.safe_dump(kept))
    return Study(folder, "applied")


@pytest.fixture(scope="module")
def applied(
    tmp_path_factory: pytest.TempPathFactory, smoke_study: Study, smoke_data: Path
) -> Study:
    """The external center of the smoke study, scored through the locked model."""

    def build(folder: Path) -> None:
        study = hospital(folder, smoke_study, smoke_data)
        assert not TRAINING & set(study.plan())
        study.snakemake()

    return Study(build_once(tmp_path_factory, "applied-study", build), "applied")


def test_it_is_equal_to_the_external_design_to_the_bit(smoke_study: Study, applied: Study) -> None:
    assert comparison.compare(smoke_study.results, applied.results) > 0
    keys = ["model", "group_kind", "variable", "group", "metric", "at", "rule", "ci_method"]
    values = ["estimate", "ci_low", "ci_high", "n", "events"]
    tables = []
    for study in (smoke_study, applied):
        rows = io.read(PERFORMANCE, study.results / "evaluation" / "performance.csv")
        rows = rows[(rows["design"] == "external") & (rows["set"] == "test")]
        tables.append(rows.set_index(keys)[values])
    made, found = tables
    shared = found.index.intersection(made.index)
    assert len(shared) > 1000
    assert found.loc[shared].equals(made.loc[shared])


def test_predictions_name_the_model_and_who_is_unlike(smoke_study: Study, applied: Study) -> None:
    manifest = fileio.read_json(smoke_study.results / "model" / "manifest.json")
    table = io.read(deployment.APPLIED, applied.results / "deployment" / "predictions.csv")
    assert set(table["locked_model"]) == {manifest["hash"]}
    flags = io.read(deployment.APPLIED_PATIENTS, applied.results / "deployment" / "patients.csv")
    # gamma's camera has other pixels than those of the development centers
    assert flags["acquisition"].str.contains("pixel_mm").all()
    report = (applied.results / "report" / "report.html").read_text()
    assert manifest["hash"][:12] in report
    assert "training range" in report


def test_the_provenance_expects_no_job_of_training(applied: Study) -> None:
    recorded = fileio.read_json(applied.results / "provenance.json")
    assert recorded["versions"]["deep"]["torch"]
    assert recorded["jobs_without_versions"] == []


def test_a_second_look_is_shown(applied: Study) -> None:
    """Scoring the same patients again is a look of its own in log, table and report."""
    first = io.read(deployment.LOOKS, applied.results / "deployment" / "looks.csv")
    applied.snakemake("--forcerun", "record_look")
    again = io.read(deployment.LOOKS, applied.results / "deployment" / "looks.csv")
    assert len(again) == len(first) + 1
    assert "the same model and patients, with the same result" in again["note"].iloc[-1]
    assert "looked at before" in (applied.results / "report" / "report.html").read_text()
    journal = applied.folder / ".thyrocast" / "applied" / "looks.jsonl"
    assert len(looks.read(journal)) == len(again)


def test_nothing_runs_again(applied: Study) -> None:
    assert applied.plan() == {}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"image": {"size": 128}}, "image.size is 128, but the locked model was made with 64"),
        ({"model": "nowhere"}, "there is no nowhere"),
    ],
)
def test_what_contradicts_the_model_is_refused(
    applied: Study, tmp_path: Path, changes: dict, words: str
) -> None:
    config = yaml.safe_load((applied.folder / "config.yaml").read_text()) | changes
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    done = applied.snakemake("-n", "--configfile", str(tmp_path / "config.yaml"), check=False)
    assert done.returncode
    assert words in done.stdout + done.stderr


def test_a_model_that_is_updated_at_the_center_is_applied_like_any_other(
    applied: Study, smoke_study: Study
) -> None:
    """The ladder's step becomes a model that names its parent; its patients are marked as in-sample."""
    config = yaml.safe_load((applied.folder / "config.yaml").read_text())
    config |= {"exchange": {"patients": 10, "outcomes": 3}, "updating": {"level": 0.499}}
    file = applied.folder / "updating.yaml"
    file.write_text(yaml.safe_dump(config | {"study": "updating"}))
    updated = "results/updating/updated/gamma"
    applied.snakemake("--configfile", str(file), "--", f"{updated}/manifest.json")
    parent = fileio.read_json(smoke_study.results / "model" / "manifest.json")
    child = fileio.read_json(applied.folder / updated / "manifest.json")
    assert child["parent"] == parent["hash"]
    file.write_text(yaml.safe_dump(config | {"study": "child", "model": updated}))
    looked = "results/child/deployment/looks.csv"
    applied.snakemake("--configfile", str(file), "--", looked)
    table = io.read(deployment.LOOKS, applied.folder / looked)
    assert table["locked_model"].tolist() == [child["hash"]]
    assert table["fitted_to"].tolist() == table["patients"].tolist()
    exchange = "results/child/exchange/gamma.json"
    done = applied.snakemake("--configfile", str(file), "--", exchange, check=False)
    assert done.returncode
    assert "results on them are in-sample" in done.stdout + done.stderr
