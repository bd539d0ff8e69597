"""Another workflow imports this one, and what parsing it imports, known without running a job."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.workflow.test_plans import SMOKE, study

MODULE = """
configfile: "config.yaml"


module thyrocast:
    snakefile:
        "{snakefile}"
    config:
        config


use rule * from thyrocast as thyrocast_*


onstart:
    thyrocast.onstart()
"""


@pytest.fixture
def importing(tmp_path: Path) -> Path:
    """The folder of a workflow that imports this one as a module."""
    folder = study(tmp_path / "importing", SMOKE).folder
    snakefile = ROOT / "workflow" / "Snakefile"
    (folder / "Snakefile").write_text(MODULE.format(snakefile=snakefile))
    return folder


def run_snakemake(folder: Path, *arguments: str, **environment: str) -> str:
    """Run Snakemake in a folder as its user would; return all its output."""
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "--cores", "1", *arguments],
        cwd=folder,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_another_workflow_imports_this_one_as_a_module(importing: Path) -> None:
    plan = run_snakemake(importing, "--dry-run", "--quiet", "rules")
    own = study(importing.parent / "own", SMOKE).plan()
    for rule, jobs in own.items():
        assert f"thyrocast_{rule} {jobs}" in " ".join(plan.split()), plan


def test_rules_of_a_module_run(importing: Path) -> None:
    register = "results/smoke/cohort/alpha/register.csv"
    run_snakemake(importing, register)
    assert (importing / register).read_text().count("\n") == 31
    log = (importing / "results/smoke/logs/register_center/alpha.log").read_text()
    assert "[thyrocast_register_center alpha]" in log


# Reports each import of a slow package by this project, even if Snakemake has imported it before.
SITECUSTOMIZE = """
import builtins
import sys

SLOW = {"numpy", "pandas", "pandera", "scipy", "sklearn", "torch", "pydicom", "matplotlib"}
plain_import = builtins.__import__


def watched_import(name, globals=None, locals=None, fromlist=(), level=0):
    importer = str((globals or {}).get("__name__"))
    if name.split(".")[0] in SLOW and importer.startswith("thyrocast"):
        print("SLOW IMPORT of", name, "by", importer, file=sys.stderr)
    return plain_import(name, globals, locals, fromlist, level)


builtins.__import__ = watched_import
"""


def test_parsing_imports_no_slow_package(tmp_path: Path) -> None:
    """Snakemake parses the workflow again for every job on a cluster."""
    folder = study(tmp_path / "study", SMOKE).folder
    (tmp_path / "sitecustomize.py").write_text(SITECUSTOMIZE)
    snakefile = ["--snakefile", str(ROOT / "Snakefile"), "--configfile", "config.yaml"]
    output = run_snakemake(folder, "--dry-run", *snakefile, PYTHONPATH=str(tmp_path))
    assert "train_network" in output
    assert "SLOW IMPORT" not in output, output


def test_what_parsing_imports_needs_no_slow_package() -> None:
    """The same without Snakemake, which may have imported some of them itself."""
    text = "\n".join(file.read_text() for file in (ROOT / "workflow" / "rules").glob("*.smk"))
    statements = re.findall(r"^from thyrocast\S* import (?:\([^)]*\)|[^(\n]+)", text, re.MULTILINE)
    imports = "\n".join(statements)
    slow = ["numpy", "pandas", "pandera", "scipy", "sklearn", "torch", "pydicom", "matplotlib"]
    code = f"{imports}\nimport sys; print(*({slow!r} & sys.modules.keys()))"
    code = code.replace(repr(slow), f"set({slow!r})")
    environment = {"PYTHONPATH": str(ROOT / "workflow" / "lib"), "PATH": os.environ["PATH"]}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert "thyrocast.planning" in imports
    assert done.stdout.strip() == ""


def import_as_modules(folder: Path, lines: str = "") -> subprocess.CompletedProcess[str]:
    """Plan two studies that another workflow imports, furnished in ``folder``."""
    text = ""
    for name in ("first", "second"):
        study(folder, SMOKE, study=name)
        (folder / "config.yaml").rename(folder / f"{name}.yaml")
        text += (
            f"module {name}:\n"
            f"    snakefile: {str(ROOT / 'workflow' / 'Snakefile')!r}\n"
            f"    config: yaml.safe_load(open('{name}.yaml'))\n"
            f"{lines}"
            f"use rule * from {name} as {name}_*\n"
        )
    text += "rule both:\n    default_target: True\n"
    text += "    input: rules.first_all.input, rules.second_all.input\n"
    (folder / "Snakefile").write_text(f"import yaml\n{text}")
    command = [sys.executable, "-m", "snakemake", "--dry-run", "--quiet", "rules", "--cores", "1"]
    return subprocess.run(
        [*command, "--directory", str(folder), "-s", str(folder / "Snakefile")],
        capture_output=True,
        text=True,
    )


def test_another_workflow_imports_two_studies(tmp_path: Path) -> None:
    done = import_as_modules(tmp_path)
    assert done.returncode == 0, done.stderr
    assert "first_render_report" in done.stdout + done.stderr
    assert "second_render_report" in done.stdout + done.stderr


def test_an_import_with_a_prefix_is_refused(tmp_path: Path) -> None:
    done = import_as_modules(tmp_path, "    prefix: 'sub'\n")
    assert done.returncode != 0
    assert "imported with `prefix`" in done.stdout + done.stderr
