"""Installation elsewhere: snakedeploy, remote modules, conda pins, profiles, releases."""

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import pytest
import yaml

from tests.conftest import ROOT, prepare, require
from thyrocast.config.reading import read_study
from thyrocast.contract import io
from thyrocast.contract.cohort import COHORT
from thyrocast.planning import controller, fingerprints

SNAKEDEPLOY = ROOT / ".cache" / "snakedeploy" / "bin" / "snakedeploy"


def run(
    command: list[str], folder: Path, environment: Mapping[str, str] | None = None
) -> tuple[bool, str]:
    """Run a command; return whether it succeeded, and all its output."""
    done = subprocess.run(
        command,
        cwd=folder,
        env=os.environ | (environment or {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return done.returncode == 0, done.stdout


def make(*words: str, **environment: str) -> tuple[bool, str]:
    """Run make, which installs nothing because the tests run in the environment already."""
    return run(["make", "-o", ".venv/launcher.stamp", *words], ROOT, environment)


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A local clone of this repository, without environments and results."""
    folder = tmp_path_factory.mktemp("local") / "thyrocast"
    for name in ("workflow", "config", "profiles", "envs"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("LICENSE", "Snakefile", ".snakemake-workflow-catalog.yml"):
        shutil.copy(ROOT / name, folder)
    return folder


@pytest.fixture
def deployed(clone: Path, tmp_path: Path, smoke_data: Path) -> Path:
    """The folder that snakedeploy makes of the clone, completed as docs/usage.md says."""
    require(SNAKEDEPLOY.is_file(), "needs snakedeploy: make .cache/snakedeploy/bin/snakedeploy")
    folder = tmp_path / "deployed"
    command = [str(SNAKEDEPLOY), "deploy-workflow", str(clone), str(folder), "--branch", "main"]
    success, output = run(command, tmp_path)
    assert success, output
    snakefile = folder / "workflow" / "Snakefile"
    text = snakefile.read_text()
    assert '"workflow/Snakefile"' in text, (
        "snakedeploy now gives another path: correct docs/usage.md"
    )
    text = text.replace('"workflow/Snakefile"', f'"{clone}/workflow/Snakefile"')
    snakefile.write_text(f"{text}\n\nonstart:\n    thyrocast.onstart()\n")
    # the importing workflow's own config
    prepare(folder, data=smoke_data)
    (folder / "config.yaml").replace(folder / "config" / "config.yaml")
    return folder


def snakemake(folder: Path, *words: str, **environment: str) -> tuple[bool, str]:
    """Run Snakemake where a workflow is deployed."""
    command = [sys.executable, "-m", "snakemake", "--cores", "1", *words]
    return run(command, folder, {"COLUMNS": "200"} | environment)


def test_snakedeploy_deploys_a_local_clone(deployed: Path) -> None:
    """The plan is complete, jobs run with the importing workflow's config, in its folder."""
    success, plan = snakemake(deployed, "--dry-run", "--quiet", "rules")
    assert success, plan
    assert "train_network" in plan
    assert "render_report" in plan
    cohort = "results/smoke/cohort/cohort.csv"
    success, output = snakemake(deployed, "--config", "patients_per_job=100", "--", cohort)
    assert success, output
    assert {row["center"] for row in io.read(COHORT, deployed / cohort).to_dict("records")} == {
        "alpha",
        "beta",
        "gamma",
    }
    assert (deployed / ".thyrocast" / "smoke" / "key-fingerprint.txt").exists()


@pytest.mark.parametrize("name", ["*_graves", "graves*"])
def test_rules_of_a_module_may_have_any_name(
    clone: Path, tmp_path: Path, smoke_data: Path, name: str
) -> None:
    """They run, and a job whose code was edited after the run's start is recognized by its new name."""
    prepare(tmp_path, data=smoke_data)
    (tmp_path / "Snakefile").write_text(
        'configfile: "config.yaml"\nmodule study:\n'
        f'    snakefile: "{clone}/workflow/Snakefile"\n    config: config\n'
        f"use rule * from study as {name}\nonstart:\n    study.onstart()\n"
    )
    register, rule = "results/smoke/cohort/alpha/register.csv", name.replace("*", "register_center")
    success, output = snakemake(tmp_path, register)
    assert success, output
    assert f"rule {rule}:" in output
    edited = controller.Controller("login1", 1, "a1", "", {"register_center": "of the run's start"})
    records = tmp_path / ".snakemake" / "controllers"
    records.mkdir()
    study = read_study(yaml.safe_load((tmp_path / "config.yaml").read_text()))
    known = asdict(edited) | {"config": fingerprints.digest(study.plain())}
    (records / "smoke.json").write_text(json.dumps(known))
    job = ["--mode", "remote", "--target-jobs", f"{rule}:center=alpha", "--"]
    success, output = snakemake(tmp_path, "--nolock", *job)
    assert not success
    assert "The code of register_center was edited after this run started" in output


def test_a_deployed_study_is_not_started_while_its_jobs_are_in_the_queue(deployed: Path) -> None:
    """The guard works in the importing workflow, whose `onstart` calls this one's."""
    records = deployed / ".snakemake" / "controllers"
    records.mkdir(parents=True)
    lost = '{"host": "login1", "process": 1, "run": "a1", "config": "", "code": {}}'
    (records / "smoke.json").write_text(lost)
    squeue = deployed / "bin" / "squeue"
    squeue.parent.mkdir()
    line = f"7|RUNNING|thyrocast_a1|rule_train_network_wildcards_full|{deployed}"
    squeue.write_text(f"#!/bin/sh\necho '{line}'\n")
    squeue.chmod(0o755)
    path = f"{squeue.parent}:{os.environ['PATH']}"
    success, output = snakemake(deployed, "results/smoke/cohort/alpha/register.csv", PATH=path)
    assert not success
    assert (
        "An earlier run in this folder still has 1 jobs in the queue: train_network full" in output
    )


def test_a_remote_module_is_refused_with_what_to_do(clone: Path, tmp_path: Path) -> None:
    """Snakemake fetches single files of a remote workflow, never the package next to it."""
    git = ["git", "-c", "user.name=test", "-c", "user.email=test@example.org"]
    for words in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-qm", "all"]):
        success, output = run([*git, *words], clone)
        assert success, output
    prepare(tmp_path)
    (tmp_path / "Snakefile").write_text(
        'configfile: "config.yaml"\nmodule thyrocast:\n'
        f'    snakefile: "git+file://{clone}/workflow/Snakefile@main"\n    config: config\n'
        "use rule * from thyrocast\n"
    )
    success, output = snakemake(tmp_path, "--dry-run")
    shutil.rmtree(clone / ".git")
    assert not success
    assert "clone the repository to a folder that all nodes share" in " ".join(output.split())


@pytest.mark.parametrize(
    ("conda", "said"), [("", "needs conda on the path"), ("exit 1", "nothing")]
)
def test_pins_are_made_only_where_conda_forge_can_be_reached(
    tmp_path: Path, conda: str, said: str
) -> None:
    program = tmp_path / "conda"
    if conda:
        program.write_text(f"#!/bin/sh\n{conda}\n")
        program.chmod(0o755)
    before = sorted((ROOT / "envs").iterdir())
    success, output = make("pin", PATH=f"{tmp_path}:/usr/bin:/bin")
    assert not success
    assert said in output
    assert sorted((ROOT / "envs").iterdir()) == before


def test_no_conda_pin_is_committed_that_no_solver_made() -> None:
    assert not list((ROOT / "envs").glob("*.pin.txt"))


def test_the_slurm_profile_is_linked_and_never_replaces_one(tmp_path: Path) -> None:
    link = tmp_path / "snakemake" / "slurm"
    for _ in range(2):  # the second time the link exists, and must not be made inside the profile
        success, output = make("slurm-profile", XDG_CONFIG_HOME=str(tmp_path))
        assert success, output
        assert link.is_symlink()
        assert (link / "config.yaml").samefile(ROOT / "profiles" / "slurm" / "config.yaml")
    assert not (ROOT / "profiles" / "slurm" / "slurm").exists()
    link.unlink()
    link.mkdir()
    (link / "config.yaml").write_text("jobs: 7\n")
    success, output = make("slurm-profile", XDG_CONFIG_HOME=str(tmp_path))
    assert not success
    assert "is a profile of your own" in output
    assert [file.name for file in link.iterdir()] == ["config.yaml"]


def test_several_profiles_are_given_in_their_order() -> None:
    for target in ("resume", "doctor"):
        success, output = make(
            "--dry-run", target, "PROFILE=slurm my-site.yaml", "CONFIG=study.yaml"
        )
        assert success, output
        assert "--profile slurm --profile my-site.yaml --configfile study.yaml" in output
    success, output = make("--dry-run", "resume", "CANCEL=1", "GONE=1")
    assert success, output
    assert "resume.py --cancel --gone" in output


def test_a_bill_of_materials_is_made_of_each_lock(tmp_path: Path) -> None:
    """Without a network: everything is in the locks."""
    tool = ROOT / ".cache" / "sbom" / "bin" / "cyclonedx-py"
    require(tool.is_file(), "needs cyclonedx-bom: make .cache/sbom/bin/cyclonedx-py")
    shutil.copy(ROOT / "Makefile", tmp_path)
    shutil.copytree(ROOT / "requirements", tmp_path / "requirements")
    (tmp_path / ".cache").symlink_to(ROOT / ".cache")
    nowhere = dict.fromkeys(("http_proxy", "https_proxy"), "http://127.0.0.1:9")
    success, output = run(["make", "sbom"], tmp_path, nowhere)
    assert success, output
    for name in ("launcher", "local", "onnx", "dev"):
        bill = json.loads((tmp_path / "sbom" / f"{name}.cdx.json").read_text())
        assert bill["bomFormat"] == "CycloneDX"
        listed = {part["name"].lower(): part["version"] for part in bill["components"]}
        lock = (tmp_path / "requirements" / f"{name}.txt").read_text()
        pinned = dict(re.findall(r"^([\w.-]+)(?:\[.*\])?==([^\s;\\]+)", lock, re.M))
        assert pinned
        assert listed == {package.lower(): version for package, version in pinned.items()}
        assert all(part["purl"].startswith("pkg:pypi/") for part in bill["components"])


def test_the_catalog_entry_says_what_the_workflow_needs() -> None:
    entry = yaml.safe_load((ROOT / ".snakemake-workflow-catalog.yml").read_text())["usage"]
    assert entry["mandatory-flags"]["flags"] == "--software-deployment-method conda"
    assert entry["software-stack-deployment"]["conda"] is True


CHANGES = """# Changelog

## 0.3.0 (not released yet)
- next

## 0.2.0 (2026-12-01)

### Report
- new

## 0.1.0 (2026-01-01)
- first
"""


def test_release_notes_are_the_section_of_one_version(tmp_path: Path) -> None:
    file = ROOT / ".ci" / "release_notes.py"
    spec = importlib.util.spec_from_file_location("release_notes", file)
    assert spec is not None
    assert spec.loader is not None
    notes = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(notes)
    assert notes.section(CHANGES, "0.2.0") == "### Report\n- new"
    assert notes.section(CHANGES, "0.1.0") == "- first"
    for version, fault in (("0.3.0", "gives no date"), ("0.2", "has no section")):
        with pytest.raises(ValueError, match=fault):
            notes.section(CHANGES, version)
    for name in (*notes.NAMED, "CHANGELOG.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    version = yaml.safe_load((ROOT / "CITATION.cff").read_text())["version"]
    changes = (ROOT / "CHANGELOG.md").read_text().replace("(not released yet)", "(2026-12-01)")
    (tmp_path / "CHANGELOG.md").write_text(changes)
    assert notes.main(tmp_path, version)
    with pytest.raises(ValueError, match=r"pyproject.toml names version .*, not 9\.9\.9"):
        notes.main(tmp_path, "9.9.9")
