"""Where a site has environment modules, a rule that names one runs in it instead of in conda's."""

import json
import os
from pathlib import Path

import pytest

from tests.conda.conftest import HERE, Conda
from tests.conftest import require

SNAKEFILE = ("--snakefile", str(HERE / "toy" / "Snakefile"))
# Debian's environment-modules; a login shell reads it, the shell of a job does only through BASH_ENV.
INIT = Path("/usr/share/modules/init/bash")


@pytest.fixture
def modulepath(tmp_path, toy, snakemake, conda: Conda) -> Path:
    """A site's modulefiles; the module's Python is that of an environment which is not the rule's."""
    require(INIT.exists(), "needs Debian's environment-modules (tests/system-packages.txt)")
    done = snakemake(toy, *SNAKEFILE, "stats.json")
    assert done.returncode == 0, done.stdout
    prefix = json.loads((toy / "stats.json").read_text())["prefix"]
    file = tmp_path / "modulefiles" / "thyrocast" / "stats"
    file.parent.mkdir(parents=True)
    file.write_text(f"#%Module1.0\nprepend-path PATH {prefix}/bin\nsetenv THYROCAST_MODULE stats\n")
    return file.parents[1]


@pytest.mark.parametrize("deployment", ["env-modules", "conda env-modules"])
def test_module_goes_before_conda(toy, snakemake, modulepath, deployment):
    done = snakemake(
        toy,
        *SNAKEFILE,
        "module.json",
        deployment=deployment,
        BASH_ENV=str(INIT),
        MODULEPATH=str(modulepath),
    )
    assert done.returncode == 0, done.stdout
    stats = json.loads((toy / "stats.json").read_text())["prefix"]
    assert json.loads((toy / "module.json").read_text())["prefix"] == stats


def test_without_bash_env_no_module_command_is_found(toy, snakemake, modulepath):
    environment = {"BASH_ENV": "", "MODULEPATH": str(modulepath)}
    done = snakemake(toy, *SNAKEFILE, "module.json", deployment="env-modules", **environment)
    assert done.returncode != 0
    assert "module: command not found" in done.stdout


def test_without_modules_the_same_rule_runs_in_conda(toy, snakemake, conda: Conda):
    done = snakemake(toy, *SNAKEFILE, "module.json", BASH_ENV=os.devnull)
    assert done.returncode == 0, done.stdout
    prefix = json.loads((toy / "module.json").read_text())["prefix"]
    assert Path(prefix).is_relative_to(conda.prefix)
