"""Every environment is solved from its unmodified file, built, and shut off from the others."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conda.conftest import FAMILIES, HERE, ROOT, Conda, Run, import_names, lay_out

SNAKEFILE = ("--snakefile", str(HERE / "toy" / "Snakefile"))


@pytest.fixture(scope="module")
def built(snakemake: Run, tmp_path_factory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """The toy workflow, run once: all five environments are made."""
    folder = lay_out(tmp_path_factory.mktemp("toy"))
    done = snakemake(folder, *SNAKEFILE)
    assert done.returncode == 0, done.stdout
    return folder, done


def seen(folder: Path, family: str) -> dict:
    return json.loads((folder / f"{family}.json").read_text())


def made(done: subprocess.CompletedProcess[str]) -> set[str]:
    """Environments that a run made."""
    lines = [x for x in done.stdout.splitlines() if x.startswith("Creating conda environment")]
    return {Path(line.split()[3].rstrip(".")).stem for line in lines}


def test_files_are_the_projects_own(built):
    folder, done = built
    for family in FAMILIES:
        own, used = ROOT / "envs" / f"{family}.yaml", folder / "envs" / f"{family}.yaml"
        assert used.read_bytes() == own.read_bytes()
    assert made(done) == set(FAMILIES)


@pytest.mark.parametrize("family", FAMILIES)
def test_script_runs_in_its_environment(built, conda: Conda, family):
    found = seen(built[0], family)
    assert Path(found["prefix"]).is_relative_to(conda.prefix)
    assert found["conda_prefix"] == found["prefix"]


@pytest.mark.parametrize("family", FAMILIES)
def test_environment_holds_all_that_its_scripts_import(built, family):
    found = seen(built[0], family)
    assert set(found["modules"]) == set(import_names()[family])
    for name, file in found["modules"].items():
        assert Path(file).is_relative_to(found["prefix"]), f"{name} comes from {file}"


@pytest.mark.parametrize(
    ("family", "foreign"),
    [
        ("imaging", {"torch", "sklearn", "matplotlib"}),
        ("deep", {"pydicom", "sklearn", "matplotlib"}),
        ("stats", {"torch", "pydicom", "matplotlib"}),
        ("explain", {"pydicom", "skops"}),
        ("report", {"torch", "pydicom", "sklearn", "scipy"}),
    ],
)
def test_packages_of_other_families_are_out_of_reach(built, family, foreign):
    everything = set().union(*import_names().values())
    assert foreign <= everything
    assert not foreign & set(seen(built[0], family)["others"])


def test_second_run_builds_nothing(built, snakemake):
    again = snakemake(built[0], *SNAKEFILE)
    assert again.returncode == 0, again.stdout
    assert "Nothing to be done" in again.stdout
    assert made(again) == set()


def test_forced_run_reuses_the_environments(built, snakemake):
    again = snakemake(built[0], *SNAKEFILE, "--forcerun", "probe_report", "--until", "probe_report")
    assert again.returncode == 0, again.stdout
    assert made(again) == set()


def test_editing_one_file_rebuilds_one_environment(built, snakemake, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(built[0], folder)
    settings = (folder / "toy.yaml").read_text().replace(str(built[0]), str(folder))
    (folder / "toy.yaml").write_text(settings)
    before = snakemake(folder, *SNAKEFILE)
    assert "Nothing to be done" in before.stdout, before.stdout
    file = folder / "envs" / "report.yaml"
    file.write_text(file.read_text() + f"# edited for {tmp_path}\n")
    after = snakemake(folder, *SNAKEFILE)
    assert after.returncode == 0, after.stdout
    assert made(after) == {"report"}
    rerun = {x.split()[1].rstrip(":") for x in after.stdout.splitlines() if "rule probe_" in x}
    assert rerun == {"probe_report"}


def test_script_that_imports_what_its_environment_lacks_fails(built, snakemake):
    done = snakemake(built[0], *SNAKEFILE, "stray.json")
    assert done.returncode != 0
    assert "No module named 'torch'" in done.stdout


def test_dependency_removed_from_one_file_is_noticed(snakemake, toy):
    file = toy / "envs" / "imaging.yaml"
    # A package that neither another one nor the launcher installs: highdicom installs pydicom, and
    # Snakemake makes its own packages importable in every job (openpyxl is among the launcher's).
    kept = [line for line in file.read_text().splitlines() if "scipy" not in line]
    file.write_text("\n".join(kept) + "\n")
    done = snakemake(toy, *SNAKEFILE, "imaging.json")
    assert done.returncode != 0
    assert "No module named 'scipy'" in done.stdout


def test_pin_that_nothing_fits_fails_with_the_package_name(snakemake, toy):
    file = toy / "envs" / "report.yaml"
    file.write_text(file.read_text().replace("jinja2 =3.1", "jinja2 =99.1"))
    done = snakemake(toy, *SNAKEFILE, "report.json")
    assert done.returncode != 0
    assert "CreateCondaEnvironmentException" in done.stdout
    assert "jinja2" in done.stdout.split("Output:")[1]
    assert not (toy / "report.json").exists()
