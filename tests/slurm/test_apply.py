"""A locked model applied on SLURM, in an empty project: the bits of the study that made it."""

import sys
from pathlib import Path

import yaml

from tests.conftest import ROOT, Study
from tests.slurm.cluster import Cluster
from tests.slurm.conftest import PROFILE, SCRIPTS, Run
from tests.workflow.test_apply import hospital
from thyrocast.application import comparison


def test_a_locked_model_is_applied_with_the_profile(
    tmp_path: Path, smoke_study: Study, smoke_data: Path, cluster: Cluster
) -> None:
    """Nothing is trained, no GPU is requested, and predictions are equal to the bit."""
    study = hospital(tmp_path / "site", smoke_study, smoke_data)
    config = yaml.safe_load((study.folder / "config.yaml").read_text())
    # One job standardizes all.
    (study.folder / "config.yaml").write_text(yaml.safe_dump(config | {"patients_per_job": 100}))
    command = [sys.executable, "-m", "snakemake", "-s", str(ROOT / "Snakefile"), *PROFILE]
    command += ["--configfile", "config.yaml", "--", "results/applied/deployment/predictions.csv"]
    run = Run(command, study.folder, cluster.environment | SCRIPTS | {"OMP_NUM_THREADS": "1"})
    try:
        output = run.finish(seconds=800)
    finally:
        if run.process.poll() is None:
            run.kill()
            cluster.command("scancel", "--user=root", check=False)
    assert "train_network" not in output
    assert comparison.compare(smoke_study.results, study.results) > 0
