"""Jobs that are preempted, never start, or leave the queue unseen; a scheduler that is silent."""

import re
import shutil
import time
from pathlib import Path

import pytest

from tests.slurm.conftest import Toy, message

WEIGHTS = "results/full/weights.txt"


@pytest.mark.parametrize("way", ["cancelled", "requeued", "suspended"])
def test_a_preempted_training_is_completed(
    toy: Toy, undisturbed: dict[str, bytes], way: str
) -> None:
    """Each partition is named after what happens to its jobs when an urgent one needs the node."""
    toy.hold("train_network-full")
    run = toy.start("--set-resources", f"train_network:slurm_partition={way}", "--", WEIGHTS)
    run.until(lambda: toy.struck("train_network-full"))
    number = toy.struck("train_network-full")
    urgent = ["--partition=urgent", f"--ntasks={toy.cluster.cpus}", "--mem=100", "--time=1"]
    toy.cluster.command("sbatch", *urgent, "--output=/dev/null", "--wrap=sleep 8")
    state = ("squeue", "--noheader", "--states=all", f"--jobs={number}", "--format=%T")
    run.until(lambda: "RUNNING" not in toy.cluster.command(*state, check=False))
    toy.release("train_network-full")
    output = run.finish()
    assert toy.results[WEIGHTS.removeprefix("results/")] == undisturbed["full/weights.txt"]
    if way == "cancelled":
        assert "SLURM status is: 'PREEMPTED'" in output
    if way == "suspended":
        assert f"SLURM job {number} is SUSPENDED: waiting for it" in output


def hide(toy: Toy, program: str, words: str) -> dict[str, str]:
    """Let a program of SLURM not know any job, from when the file `hidden` exists."""
    path = toy.cluster.environment["PATH"]
    file = toy.folder / "bin" / program
    file.parent.mkdir(exist_ok=True)
    real = shutil.which(program, path=path)
    known = (
        f'#!/bin/sh\nif [ -e {toy.folder}/hidden ]; then case "$*" in {words}) exit 0;; esac; fi\n'
    )
    file.write_text(f'{known}exec {real} "$@"\n')
    file.chmod(0o755)
    return {"PATH": f"{file.parent}:{path}"}


def test_a_job_that_leaves_the_queue_unseen_is_decided_by_its_own_mark(
    toy: Toy, undisturbed: dict[str, bytes]
) -> None:
    """As after MinJobAge: neither squeue nor scontrol knows the job, and there is no accounting."""
    hide(toy, "squeue", "*states=all*")
    variables = hide(toy, "scontrol", "*'show job'*")
    toy.hold("train_network-full")
    run = toy.start("--", WEIGHTS, **variables)
    run.until(lambda: toy.struck("train_network-full"))
    (toy.folder / "bin" / "scontrol").unlink()  # knows the job, which squeue does not list
    (toy.folder / "hidden").touch()
    run.until(lambda: "but it is RUNNING: waiting for it" in run.output)
    toy.release("train_network-full")
    run.finish()
    assert toy.results["full/weights.txt"] == undisturbed["full/weights.txt"]

    # the same with a job that ended well before anybody looked
    (toy.folder / "hidden").unlink()
    (toy.folder / WEIGHTS).unlink()
    variables = hide(toy, "scontrol", "*'show job'*")
    toy.hold("train_network-full")
    (toy.folder / "train_network-full.number").unlink()
    (toy.folder / "train_network-full.released").unlink()
    run = toy.start("--", WEIGHTS, **variables)
    run.until(lambda: toy.struck("train_network-full"))
    (toy.folder / "hidden").touch()
    toy.release("train_network-full")
    assert "the job has marked its successful end" in run.finish()


def test_a_job_beyond_every_limit_fails_with_the_reason(toy: Toy) -> None:
    wrong = ["train_network:slurm_partition=urgent", "train_network:runtime=600"]
    output = toy.start("--retries=1", "--set-resources", *wrong, "--", WEIGHTS).finish(
        success=False
    )
    about = message(output, "train_network member=full")
    assert "will never start" in about
    assert "PartitionTimeLimit" in about
    assert not toy.cluster.command("squeue", "--noheader").strip()


def test_a_retry_asks_for_no_more_than_the_partition_allows(
    toy: Toy, undisturbed: dict[str, bytes]
) -> None:
    toy.fault("train_network-full", "exit 1")
    grows = [
        "train_network:slurm_partition=urgent",
        "train_network:runtime=40 * 2 ** (attempt - 1)",
        "train_network:mem_mb=600 * 1000 ** (attempt - 1)",
    ]
    output = toy.start("--retries=1", "--set-resources", *grows, "--", WEIGHTS).finish()
    assert "would ask for 80 minutes; partition urgent allows 60" in output
    assert "would ask for 600000 MB" in output
    assert toy.results["full/weights.txt"] == undisturbed["full/weights.txt"]


def test_a_scheduler_that_is_down_before_the_first_look(
    toy: Toy, undisturbed: dict[str, bytes]
) -> None:
    toy.hold("train_network-full")
    run = toy.start("--", WEIGHTS)
    run.until(lambda: "submitted with SLURM jobid" in run.output)
    toy.cluster.stop("slurmctld")
    try:
        run.until(lambda: "SLURM does not answer" in run.output)
        time.sleep(5)
    finally:
        toy.cluster.start("slurmctld")
    toy.release("train_network-full")
    run.finish()
    assert toy.results["full/weights.txt"] == undisturbed["full/weights.txt"]


def test_a_submission_that_slurm_accepts_after_sbatch_gave_up_is_adopted(
    toy: Toy, undisturbed: dict[str, bytes]
) -> None:
    """The controller freezes for as long as `sbatch` waits for its answer (MessageTimeout, 10 s)."""
    path = toy.cluster.environment["PATH"]
    controller = toy.cluster.process("slurmctld")
    program = toy.folder / "bin" / "sbatch"
    program.parent.mkdir()
    program.write_text(
        "#!/bin/sh\n"
        'case "$*" in *rule_train_network_wildcards_full*) if mkdir frozen 2>/dev/null; then\n'
        f"  kill -STOP {controller}; (sleep 25; kill -CONT {controller}) >/dev/null 2>&1 &\n"
        "fi;; esac\n"
        f'exec {shutil.which("sbatch", path=path)} "$@"\n'
    )
    program.chmod(0o755)
    output = toy.start("--", WEIGHTS, PATH=f"{program.parent}:{path}").finish()
    assert "SLURM accepted" in output
    assert toy.results["full/weights.txt"] == undisturbed["full/weights.txt"]
    assert set(toy.ended.values()) == {1}, "some job ran twice"


def test_a_refused_start_leaves_pending_jobs_their_log_folders(
    toy: Toy, undisturbed: dict[str, bytes]
) -> None:
    node = ("scontrol", "update", f"nodename={toy.cluster.host}")
    toy.cluster.command(*node, "state=drain", "reason=test")
    try:
        run = toy.start()
        run.until(lambda: run.output.count("submitted with SLURM jobid") >= 4)
        # as if the lock had been removed by hand
        shutil.rmtree(toy.folder / ".snakemake" / "locks")
        refusal = toy.start("--slurm-delete-logfiles-older-than=1").finish(success=False)
        assert "make resume" in refusal
    finally:
        toy.cluster.command(*node, "state=resume")
    run.finish()
    assert toy.results == undisturbed
    assert set(toy.ended.values()) == {1}, "some job ran twice"


def test_two_studies_in_one_folder_do_not_disturb_each_other(
    toy: Toy, undisturbed: dict[str, bytes]
) -> None:
    toy.hold("train_network-full")
    first = toy.start()
    first.until(lambda: toy.struck("train_network-full"))
    # the second study runs from begin to end while the first one has a job
    toy.start("--config", "study=other").finish()
    # the first one loses its Snakemake; resuming the second one does not touch its job
    first.kill()
    resumed = toy.resume("--cancel", "--config", "study=other").finish()
    assert "Cancelling" not in resumed
    refusal = toy.start("--nolock", "--config", "study=toy").finish(success=False)
    assert "train_network full" in refusal
    toy.release("train_network-full")
    toy.resume("--config", "study=toy").finish()
    assert toy.results == undisturbed
    other = {file.name for file in (toy.folder / "results-other").rglob("*") if file.is_file()}
    assert other == {Path(name).name for name in undisturbed}
    once = re.findall(r"^train_network-full (\S+)", (toy.folder / "jobs.txt").read_text(), re.M)
    assert len(set(once)) == 2, "one training of each study"
