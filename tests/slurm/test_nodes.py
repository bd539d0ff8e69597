"""A cluster of several nodes of which one fails."""

from collections.abc import Iterator

import pytest

from tests.slurm.cluster import OTHERS, Cluster
from tests.slurm.conftest import Toy

SEVERAL = [
    f"{rule}:slurm_partition=several"
    for rule in ("standardize_images", "train_network", "render_report")
]


@pytest.fixture
def nodes(cluster: Cluster) -> Iterator[Cluster]:
    """The cluster with two more nodes."""
    cluster.recover(*OTHERS)
    yield cluster
    for node in OTHERS:
        cluster.stop(f"slurmd@{node}")


@pytest.mark.parametrize("requeued", [True, False])
def test_a_node_fails_and_the_study_is_completed_on_another(
    nodes: Cluster, toy: Toy, undisturbed: dict[str, bytes], requeued: bool
) -> None:
    """SLURM starts the job again, or Snakemake does; in both cases the run says what happened."""
    toy.hold("train_network-full")
    gpu = "train_network:gpu=0"  # only the first node has GPUs
    site = toy.folder / "site.yaml"
    site.write_text(f"slurm-requeue: {requeued}\nslurm-no-requeue: {not requeued}\n")
    run = toy.start("--profile", str(site), "--set-resources", *SEVERAL, gpu)
    run.until(lambda: toy.struck("train_network-full"))
    number = toy.struck("train_network-full")
    failed = nodes.command("squeue", "--noheader", f"--jobs={number}", "--format=%N").strip()
    assert failed in OTHERS
    nodes.fail(failed)
    output = run.finish()
    assert toy.results == undisturbed
    if requeued:
        assert f"SLURM put job {number} back into the queue" in output
    else:
        assert f"SLURM-job '{number}' failed, SLURM status is: 'NODE_FAIL'" in output
