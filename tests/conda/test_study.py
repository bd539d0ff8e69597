"""The whole smoke study, from simulated exports to the report, every rule in its own environment."""

import json
import re
from pathlib import Path

import pytest

from tests.conda.conftest import ROOT, Conda, Run
from tests.conftest import prepare

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
SIMULATION = ROOT / "workflow" / "simulation.smk"
STUDY = ROOT / "Snakefile"


def command(snakefile: Path, config: Path) -> tuple[str, ...]:
    return ("--snakefile", str(snakefile), "--configfile", str(config))


@pytest.fixture(scope="module")
def study(snakemake: Run, tmp_path_factory) -> Path:
    """The folder in which the study ran."""
    folder = prepare(tmp_path_factory.mktemp("study")).folder
    # One design and few, larger jobs: all rules in a third of the jobs.
    own = folder / "config.yaml"
    small = "patients_per_job: 100\ndesigns: [external]\n"
    own.write_text(own.read_text().replace("patients_per_job: 20\n", small))
    for snakefile, config in (
        (SIMULATION, ROOT / "config" / "simulation" / "smoke.yaml"),
        (STUDY, own),
    ):
        done = snakemake(folder, *command(snakefile, config))
        assert done.returncode == 0, done.stdout[-20_000:]
    return folder


def interpreters(folder: Path) -> dict[str, str]:
    """Prefix of the Python that ran each job, from the first lines of its log."""
    found = {}
    for log in folder.rglob("logs/**/*.log"):
        match = re.search(r"Python \S+ in (\S+) on \S+$", log.read_text(), re.MULTILINE)
        found[str(log.relative_to(folder))] = match[1] if match else ""
    return found


def test_report_is_there(study):
    assert (study / "results/smoke/report/report.html").stat().st_size > 100_000


def test_every_script_ran_in_an_environment(study, conda: Conda):
    ran = interpreters(study)
    rules = {path.split("/logs/")[1].split("/")[0].removesuffix(".log") for path in ran}
    assert {"simulate_center", "register_center", "train_network", "fit_signature"} <= rules
    assert {"explain_network", "evaluate_design", "render_report", "lock_model"} <= rules
    for log, prefix in ran.items():
        assert Path(prefix).is_relative_to(conda.prefix), f"{log}: ran in {prefix or 'unknown'}"
    assert len(set(ran.values())) == len(list((ROOT / "envs").glob("*.yaml")))


def test_provenance_has_the_versions_of_every_environment(study):
    recorded = json.loads((study / "results/smoke/provenance.json").read_text())
    versions = recorded["versions"]
    assert set(versions) == {"imaging", "deep", "explain", "stats", "report", "launcher"}
    assert {"numpy", "torch", "torchvision", "safetensors"} <= versions["deep"].keys()
    assert {"pydicom", "pylibjpeg-libjpeg"} <= versions["imaging"].keys()
    assert {"scikit-learn", "skops"} <= versions["stats"].keys()
    assert {"torch", "grad-cam"} <= versions["explain"].keys()
    assert recorded["jobs_without_versions"] == []


def test_the_locked_model_names_the_versions_that_trained_it(study):
    manifest = json.loads((study / "results/smoke/model/manifest.json").read_text())
    assert "torch" in manifest["versions"]["train_network"]
    assert "scikit-learn" in manifest["versions"]["fit_signature"]
    assert "torch" not in manifest["versions"]["fit_signature"]


def test_second_run_has_nothing_to_do(study, snakemake):
    again = snakemake(study, *command(STUDY, study / "config.yaml"))
    assert again.returncode == 0, again.stdout
    assert "Nothing to be done" in again.stdout
    assert "Creating conda environment" not in again.stdout
