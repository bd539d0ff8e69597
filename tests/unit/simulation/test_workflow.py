"""The workflow that simulates: a center more makes a center more, and nothing else."""

import shutil
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[3]


def snakemake(folder: Path, *arguments: str | Path) -> str:
    command = [sys.executable, "-m", "snakemake", "-s", ROOT / "workflow" / "simulation.smk"]
    command += ["--directory", folder, "--cores", "2", *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    return done.stdout + done.stderr


def planned(output: str) -> set[str]:
    return {
        line.split("wildcards: center=")[1]
        for line in output.splitlines()
        if "wildcards: center=" in line
    }


def test_a_center_more_leaves_the_others_alone(tmp_path: Path) -> None:
    cohort = yaml.safe_load((ROOT / "config" / "simulation" / "smoke.yaml").read_text())
    third = {"centers": {"gamma": cohort["centers"].pop("gamma")}}
    for block in cohort["centers"].values():
        block["patients"] = 4
    two, more = tmp_path / "two.yaml", tmp_path / "more.yaml"
    two.write_text(yaml.safe_dump(cohort, allow_unicode=True))
    more.write_text(yaml.safe_dump(third, allow_unicode=True))

    assert planned(snakemake(tmp_path, "--configfile", two)) == {"alpha", "beta"}
    data = tmp_path / "data" / "smoke"
    assert {p.name for p in data.iterdir()} == {"alpha", "beta", "truth", "logs", "summary.json"}
    assert "Nothing to be done" in snakemake(tmp_path, "--configfile", two)
    assert planned(snakemake(tmp_path, "--configfile", two, more, "--dry-run")) == {"gamma"}

    shutil.rmtree(data / "beta")
    assert planned(snakemake(tmp_path, "--configfile", two, "--dry-run")) == {"beta"}

    cohort["centers"]["alpha"]["camera"]["zoomm"] = 2
    two.write_text(yaml.safe_dump(cohort, allow_unicode=True))
    message = snakemake(tmp_path, "--configfile", two)
    assert "center alpha, key camera: unknown key 'zoomm': did you mean 'zoom'?" in message
    assert "--configfile config/simulation/demo.yaml" in snakemake(tmp_path)
