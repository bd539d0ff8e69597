"""Snakemake killed, SLURM's daemons restarted, a node drained: nothing runs twice, nothing is lost."""

import shutil
import signal
import sys
from pathlib import Path

from tests.slurm.conftest import PROFILE, Toy


def count_failed_queries(toy: Toy) -> tuple[Path, dict[str, str]]:
    """Record every `squeue` that gets no answer; return the file and the variables for a run."""
    path = toy.cluster.environment["PATH"]
    record, program = toy.folder / "failed-queries.txt", toy.folder / "bin" / "squeue"
    program.parent.mkdir()
    program.write_text(
        f'#!/bin/sh\n{shutil.which("squeue", path=path)} "$@" && exit\necho $$ >> {record}\nexit 1\n'
    )
    program.chmod(0o755)
    record.touch()
    return record, {"PATH": f"{program.parent}:{path}"}


def test_killed_controller_is_resumed(toy: Toy, undisturbed: dict[str, bytes]) -> None:
    """Jobs that still run are adopted, what they finished is recorded, restarts of SLURM do no harm."""
    toy.hold("train_network-full")
    run = toy.start()
    run.until(lambda: toy.struck("train_network-full"))
    run.kill()

    # the plain command does not start running jobs a second time: the lock stops it, then onstart
    assert "Directory cannot be locked" in toy.start().finish(success=False)
    toy.start("--unlock").finish()
    refusal = toy.start().finish(success=False)
    assert "train_network full" in refusal
    assert "make resume" in refusal
    assert "submitted with SLURM jobid" not in refusal
    # not even on this machine alone
    local = [sys.executable, "-m", "snakemake", "--cores", "1"]
    assert "make resume" in toy.command(local, {}).finish(success=False)

    # meanwhile the node is taken out of service, and later both daemons are restarted
    toy.hold("render_report")
    node = ("scontrol", "update", f"nodename={toy.cluster.host}")
    toy.cluster.command(*node, "state=drain", "reason=test")
    failed_queries, variables = count_failed_queries(toy)
    run = toy.resume(**variables)
    run.until(lambda: "Waiting for" in run.output)
    assert "Another `make resume` is running" in toy.resume().finish(success=False)
    toy.release("train_network-full")
    run.until(lambda: "submitted with SLURM jobid" in run.output)
    pending = ("squeue", "--noheader", "--states=PENDING", "--format=%k %r")
    run.until(
        lambda: "render_report" in (queue := toy.cluster.command(*pending)) and "None" not in queue
    )
    assert not toy.struck("render_report"), "a job started on a drained node"
    assert "Another `make resume` is running" in toy.resume().finish(success=False)
    toy.cluster.command(*node, "state=resume")
    run.until(lambda: toy.struck("render_report"))
    toy.cluster.stop("slurmctld")
    toy.cluster.stop("slurmd")
    run.until(lambda: len(failed_queries.read_text().splitlines()) >= 2)
    toy.cluster.start("slurmctld")
    toy.cluster.start("slurmd")
    toy.release("render_report")
    output = run.finish()

    assert "outputs that jobs of the lost run finished" in output
    assert toy.results == undisturbed
    assert set(toy.ended.values()) == {1}, "some job ran twice"
    # the adopted outputs have their records, so that later changes of code or config are noticed
    plan = toy.start("--dry-run").finish()
    assert "Nothing to be done" in plan
    assert "missing provenance" not in plan


def test_killed_controller_is_resumed_by_cancelling(
    toy: Toy, undisturbed: dict[str, bytes]
) -> None:
    run = toy.start(TOY_EPOCH_SECONDS="1")
    log = toy.folder / "logs" / "train_network" / "full.log"
    run.until(lambda: log.exists() and "epoch 3" in log.read_text())
    run.kill()
    # the workflow is edited before resuming: outputs without a record are computed again
    (toy.folder / "workflow").mkdir()
    (toy.folder / "workflow" / "edited.py").touch()
    output = toy.resume("--cancel").finish()
    assert "Cancelling" in output
    assert "resuming after epoch" in log.read_text()
    assert toy.results == undisturbed


def test_killed_controller_of_a_changed_config_is_resumed(toy: Toy) -> None:
    """Outputs that jobs finish after their controller was killed count, despite an older record."""
    toy.command([sys.executable, "-m", "snakemake", "--cores", "2", "--quiet", "all"], {}).finish()
    changed = ("--config", "epochs=12")
    toy.hold("train_network-full")
    toy.hold("train_network-fold-1")
    run = toy.start(*changed)
    members = ("full", "fold-1")
    run.until(lambda: all(toy.struck(f"train_network-{member}") for member in members))
    run.kill()
    for member in members:
        toy.release(f"train_network-{member}")
    output = toy.resume(*changed).finish()
    assert "Recording 2 outputs" in output
    trained = {name: count for name, count in toy.ended.items() if "train" in name}
    assert trained == {"train_network-full": 2, "train_network-fold-1": 2}
    assert "epoch 12" in (toy.folder / "logs" / "train_network" / "full.log").read_text()
    assert "Nothing to be done" in toy.start("--dry-run", *changed).finish()


def test_terminated_controller_waits_for_its_jobs(toy: Toy, undisturbed: dict[str, bytes]) -> None:
    """After SIGTERM jobs are not cancelled and none is submitted; the same command continues."""
    toy.hold("train_network-full")
    run = toy.start()
    run.until(lambda: toy.struck("train_network-full"))
    run.process.terminate()
    run.until(lambda: "Will exit after finishing currently running jobs" in run.output)
    queued = toy.cluster.command("squeue", "--noheader", "--format=%k")
    assert "train_network" in queued
    toy.release("train_network-full")
    output = run.finish(success=False)
    assert "rule render_report" not in output
    assert not toy.cluster.command("squeue", "--noheader", "--states=PENDING,RUNNING").strip()
    toy.start().finish()
    assert toy.results == undisturbed
    assert set(toy.ended.values()) == {1}, "some job ran twice"


def test_ctrl_c_cancels_jobs_that_are_being_submitted(toy: Toy) -> None:
    """Of five jobs, two are with `sbatch` and the others wait for it when Ctrl-C is pressed."""
    path = toy.cluster.environment["PATH"]
    program = toy.folder / "bin" / "sbatch"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nsleep 2\nexec {shutil.which("sbatch", path=path)} "$@"\n')
    program.chmod(0o755)
    # A command in the background would ignore Ctrl-C.
    command = ["env", "--default-signal=INT", sys.executable, "-m", "snakemake", *PROFILE]
    run = toy.command(command, {"PATH": f"{program.parent}:{path}"})
    run.until(lambda: "Unable to guess SLURM account" in run.output)
    run.process.send_signal(signal.SIGINT)
    output = run.finish(success=False)
    assert "Terminating processes on user request" in output
    assert "did not answer" not in output
    assert output.count("submitted with SLURM jobid") <= 2
    assert not toy.cluster.command("squeue", "--noheader", "--states=PENDING,RUNNING").strip()
