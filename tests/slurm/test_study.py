"""The smoke study on SLURM: the same results as without, with accounting and without."""

import filecmp
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT, Study, prepare, require
from tests.slurm.cluster import Cluster, missing
from tests.slurm.conftest import PROFILE, SCRIPTS, Run

# One design and few, larger jobs: a third of the smoke study's jobs, and all of its rules.
SMALL = ["--config", "designs=['external']", "patients_per_job=100"]
# the end of every kind of job that learns
TARGET = "results/smoke/splits/external/all/predictions.csv"


@pytest.fixture(scope="module")
def accounted(cluster: Cluster) -> Iterator[Cluster]:
    """The cluster with accounting, as most sites have it."""
    reason = missing(accounting=True)
    require(not reason, reason)
    cluster.up(accounting=True)
    yield cluster
    cluster.up()


Launch = Callable[..., Run]


@pytest.fixture
def launch(cluster: Cluster) -> Iterator[Launch]:
    """Start a study on the cluster as a user would; what has not ended with the test is killed."""
    runs: list[Run] = []

    def start(study: Study, *arguments: str) -> Run:
        command = [sys.executable, "-m", "snakemake", "-s", str(ROOT / "Snakefile"), *PROFILE]
        command += ["--configfile", "config.yaml", *arguments]
        environment = cluster.environment | SCRIPTS | {"OMP_NUM_THREADS": "1"}
        runs.append(Run(command, study.folder, environment))
        return runs[-1]

    yield start
    for run in runs:
        if run.process.poll() is None:
            run.kill()
            cluster.command("scancel", "--user=root", check=False)


def same_weights(study: Study, local: Study) -> None:
    """Networks trained on the cluster are those trained here, to the last bit."""
    trained = sorted(study.results.rglob("weights.safetensors"))
    assert trained
    for file in trained:
        twin = local.results / file.relative_to(study.results)
        assert filecmp.cmp(file, twin, shallow=False), file


@pytest.fixture
def study(tmp_path: Path, smoke_data: Path, smoke_study: Study) -> Study:
    """A new smoke study, its pseudonyms those of the local run."""
    anew = prepare(tmp_path / "study", data=smoke_data)
    shutil.copy(smoke_study.folder / "key", anew.folder / "key")
    return anew


def test_without_accounting(study: Study, smoke_study: Study, launch: Launch) -> None:
    """A part of the study, its trainings on the declared GPUs."""
    gpu = ["train_network:gpu=1", "train_network:slurm_partition=gpu", "train_network:mem_mb=3000"]
    launch(study, *SMALL, "--set-resources", *gpu, "--", TARGET).finish(seconds=800)
    assert filecmp.cmp(study.folder / TARGET, smoke_study.folder / TARGET, shallow=False)
    same_weights(study, smoke_study)


def test_with_accounting(
    study: Study, smoke_study: Study, accounted: Cluster, launch: Launch
) -> None:
    """All rules, the account named."""
    account = ["--default-resources", "slurm_account=study", "mem_mb=600", "runtime=30"]
    launch(study, *SMALL, *account).finish(seconds=800)
    same_weights(study, smoke_study)
    assert (study.results / "report" / "report.html").exists()
    states = accounted.command("sacct", "-X", "-n", "-P", "-o", "Account,State").split()
    assert "study|COMPLETED" in states


def test_requeued_training_on_two_gpus(
    tmp_path: Path, smoke_study: Study, cluster: Cluster, launch: Launch
) -> None:
    """Two processes train one member; SLURM restarts them in mid-training: the same bits."""
    weights = "results/smoke/splits/external/all/network/fold-1/weights.safetensors"
    studies = [Study(tmp_path / name, "smoke") for name in ("undisturbed", "requeued")]
    for copy in studies:
        shutil.copytree(smoke_study.folder, copy.folder, symlinks=True)
        config = copy.folder / "config.yaml"
        more = "network: { gpus: 2, allow_cpu: true, epochs: 12,"
        config.write_text(config.read_text().replace("network: { epochs: 2,", more))
    undisturbed, requeued = studies
    undisturbed.snakemake(weights)

    resources = ["train_network:slurm_partition=gpu", "train_network:mem_mb=5000"]
    run = launch(requeued, "--set-resources", *resources, "--", weights)
    log = requeued.results / "logs/train_network/external/all/fold-1.log"
    run.until(lambda: log.exists() and "epoch 3 of 12" in log.read_text())
    number = re.findall(r"SLURM job (\d+)", log.read_text())[-1]
    granted = cluster.command("scontrol", "show", "job", number)
    assert re.search(r"TresPerJob=gres[:/]gpu[:=]2", granted), granted
    cluster.command("scontrol", "requeue", number)
    run.finish()
    assert "resuming from the saved state" in log.read_text()
    assert filecmp.cmp(requeued.folder / weights, undisturbed.folder / weights, shallow=False)
