"""Jobs that fail in every way a cluster knows: one clear message each; a rerun completes the study."""

from collections.abc import Iterator

import pytest

from tests.slurm.cluster import Cluster
from tests.slurm.conftest import Run, Toy, furnished, message


@pytest.fixture(scope="module")
def slow_toy(tmp_path_factory: pytest.TempPathFactory, cluster: Cluster) -> Iterator[Toy]:
    yield from furnished(tmp_path_factory.mktemp("slow"), cluster)


@pytest.fixture(scope="module", autouse=True)
def slow_trainings(slow_toy: Toy) -> Run:
    """Two trainings that need 110 s.

    One has a limit of one minute, SLURM's shortest; the other is warned in its second minute.
    SLURM looks at limits twice a minute, so either may pass before a training of 90 s is stopped.
    They run at the same time as the other tests of this module.
    """
    return slow_toy.start(
        "--retries=6",  # on a busy machine, the rest of a training may take several attempts
        "--set-resources=render_report:runtime=2",
        "--config",
        "runtime_full=1",
        "runtime_fold-1=2",
        "extra_fold-1=--signal=TERM@30",
        TOY_EPOCH_SECONDS="11",
    )


def test_faults_of_jobs(toy: Toy, undisturbed: dict[str, bytes]) -> None:
    toy.fault("standardize_images-east", "echo east: column TRAb is missing >&2; exit 1")
    toy.fault("standardize_images-north", "printf 'center\\nno' > results/north.csv; kill -9 $$")
    toy.fault(
        "standardize_images-south",
        "python3 -c \"import time; held = b'x' * 700_000_000; time.sleep(30)\"; exit 1",
    )
    toy.hold("standardize_images-west")
    run = toy.start("--retries=0")
    run.until(lambda: toy.struck("standardize_images-west"))
    toy.cluster.command("scancel", toy.struck("standardize_images-west"))
    output = run.finish(success=False)

    # the message: rule and center, what SLURM said, and the end of the job's own log
    east = message(output, "standardize_images center=east")
    assert "FAILED" in east
    assert "column TRAb is missing" in east
    assert "FAILED" in message(output, "standardize_images center=north")
    assert not (toy.folder / "results" / "north.csv").exists(), "half an output was left"
    assert "exceeded" in message(output, "standardize_images center=south").lower()
    assert "CANCELLED" in message(output, "standardize_images center=west")

    # the same again without these faults, but with a training that is killed and one that SLURM
    # starts again
    toy.fault("train_network-full", "export TOY_DIE_AFTER=4")
    toy.hold("train_network-fold-1")
    run = toy.start("--retries=1")
    run.until(lambda: toy.struck("train_network-fold-1"))
    toy.cluster.command("scontrol", "requeue", toy.struck("train_network-fold-1"))
    output = run.finish()
    assert "Error in rule train_network" in output
    log = (toy.folder / "logs/train_network/full.log").read_text()
    assert "resuming after epoch 4" in log
    assert toy.results == undisturbed


def test_time_limit_and_warning(
    slow_toy: Toy, slow_trainings: Run, undisturbed: dict[str, bytes]
) -> None:
    output = slow_trainings.finish()
    assert "SLURM status is: 'TIMEOUT'" in output
    for member in ("full", "fold-1"):
        log = (slow_toy.folder / f"logs/train_network/{member}.log").read_text()
        assert "resuming after epoch" in log
    assert slow_toy.results == undisturbed
