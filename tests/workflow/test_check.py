"""The check of centers in a run: what is run for one center, and what a center that is not ready stops."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.conftest import ROOT, Study, prepare
from thyrocast import fileio

ALONE = ("--config", "check={compare: present}")


def test_the_check_of_one_center_runs_nothing_else(tmp_path: Path, smoke_data: Path) -> None:
    study = prepare(tmp_path, data=smoke_data)
    plan = study.plan(*ALONE, "--nolock", "results/smoke/check/beta.json")
    assert plan == {"register_center": 1, "standardize_images": 2, "check_center": 1}


def test_make_check_names_the_page_of_the_configs_study() -> None:
    command = ["make", "--dry-run", "--old-file", ".venv/local.stamp", "check"]
    command += ["CENTER=beta", "CONFIG=config/smoke.yaml"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    target = re.search(r"results/\$\(.*\)/check/beta\.json", done.stdout)
    assert target
    shown = subprocess.run(
        ["bash", "-c", f"echo {target[0]}"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert shown.stdout.strip() == "results/smoke/check/beta.json"


@pytest.fixture
def not_ready(tmp_path: Path, smoke_data: Path) -> Study:
    """A study one of whose centers has outcome codes that are not in its config."""
    study = prepare(tmp_path, data=smoke_data)
    file = study.folder / "config.yaml"
    config = yaml.safe_load(file.read_text())
    beta = next(center for center in config["centers"] if center["name"] == "beta")
    beta["outcome"]["cured"] = ["geheilt", "Erfolg "]
    beta["outcome"]["not_cured"] = ["nein"]
    config["check"] = {"most_excluded": 0.1}
    file.write_text(yaml.safe_dump(config, allow_unicode=True))
    return study


def test_a_center_that_is_not_ready_stops_before_training(not_ready: Study) -> None:
    done = not_ready.snakemake("--until", "train_network", check=False)
    output = done.stdout + done.stderr
    assert done.returncode != 0
    assert "center beta is not ready: " in output
    assert ".thyrocast/smoke/beta/check.html" in output
    assert "outcome.cured" in output
    assert not list(not_ready.results.glob("splits/**/weights.safetensors"))
    pages = [not_ready.folder / f".thyrocast/smoke/{name}/check.html" for name in ("alpha", "beta")]
    assert all(page.stat().st_mode & 0o077 == 0 for page in pages)
    file = not_ready.folder / "config.yaml"
    config = yaml.safe_load(file.read_text())
    config["check"]["not_ready"] = "continue"
    file.write_text(yaml.safe_dump(config, allow_unicode=True))
    not_ready.snakemake("results/smoke/approval.json")
    verdicts = fileio.read_json(not_ready.results / "approval.json")["verdicts"]
    assert verdicts["beta"] == "not_ready"
