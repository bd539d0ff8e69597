"""What the SLURM executor (plugin 2.8) leaves open: lost runs and a scheduler that is away.

Standard library only; the launcher's environment has no more. Snakemake's ``onstart`` calls
:func:`begin`, the recovery command ``resume.py`` uses the rest.
"""

import json
import os
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PREFIX = "thyrocast_"  # slurm-jobname-prefix of profiles/slurm
RECORD = Path(".snakemake/controller.json")
# How long a run on another executor waits for the scheduler's answer.
ELSEWHERE_S = 15


@dataclass(frozen=True)
class Job:
    """A job in the queue: its SLURM number, state, run, and rule with wildcards."""

    number: str
    state: str
    run: str
    rule: str


def jobs(directory: str | Path, patience: float | None = None) -> list[Job]:
    """Return this user's jobs in the queue that a run of this project in ``directory`` submitted.

    Parameters
    ----------
    directory
        The study's folder.
    patience
        Seconds to wait for the scheduler's answer; as long as it takes if None.

    Raises
    ------
    RuntimeError
        ``squeue`` gave no answer; there may or may not be such jobs.
    """
    command = ["squeue", "--noheader", f"--user={os.getuid()}", "--format=%i|%T|%j|%k|%Z"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=patience)
    except subprocess.TimeoutExpired:
        raise RuntimeError(f"squeue does not answer within {patience:g} s") from None
    except FileNotFoundError:
        raise RuntimeError(
            "squeue is not on the path: is this a login node of the cluster, and its module loaded?"
        ) from None
    if done.returncode:
        raise RuntimeError(f"squeue does not answer: {done.stderr.strip()}")
    here = os.path.realpath(directory)
    found = []
    for line in done.stdout.splitlines():
        number, state, run, rest = line.split("|", 3)
        comment, _, folder = rest.rpartition("|")
        if run.startswith(PREFIX) and os.path.realpath(folder) == here:
            rule = comment.removeprefix("rule_").replace("_wildcards_", " ")
            found.append(Job(number, state, run.removeprefix(PREFIX), rule))
    return found


def listed(found: list[Job], most: int = 8) -> str:
    """Name jobs for a message, the first few of many."""
    names = ", ".join(f"{job.rule} (SLURM {job.number}, {job.state})" for job in found[:most])
    return names + (f" and {len(found) - most} more" if len(found) > most else "")


def living_controller() -> str:
    """Name the Snakemake that controls the current folder, as far as can be known; or nothing."""
    try:
        record = json.loads(RECORD.read_text())
    except (OSError, ValueError):
        return ""
    if record["host"] != socket.gethostname():
        return f"process {record['process']} on {record['host']}, which cannot be seen from here"
    try:
        command = Path(f"/proc/{record['process']}/cmdline").read_text()
        folder = Path(f"/proc/{record['process']}/cwd").resolve()
    except OSError:
        return ""
    if "snakemake" in command and folder == Path.cwd():
        return f"process {record['process']} on this machine"
    return ""


def same_config(version: str) -> None:
    """Stop a job whose config is not the one that its run began with.

    Jobs on the cluster read the config anew when they start, hours after the controller did, and what
    they compute is recorded as computed by the controller's.

    Parameters
    ----------
    version
        Hash of the config as the job reads it.

    Raises
    ------
    RuntimeError
        It was edited in between.
    """
    try:
        begun = json.loads(RECORD.read_text()).get("config", version)
    except (OSError, ValueError):
        return
    if begun != version:
        raise RuntimeError(
            "The config was edited after this run had begun; this job would compute something else "
            "than the run records. Stop the run, or put the config back, and start again."
        )


def begin(workflow: Any, version: str = "") -> None:
    """Make a run safe before its first job.

    Refuses to start, on whatever executor, what an earlier, lost run still has in SLURM's queue. On
    SLURM, records the controller and teaches the executor patience with a scheduler that is away
    and interest in long jobs.

    Parameters
    ----------
    workflow
        Snakemake's workflow, in its ``onstart`` handler.
    version
        Hash of the config, for `same_config`.

    Raises
    ------
    snakemake.exceptions.WorkflowError
        Jobs of an earlier run are in the queue; the message says what to do.
    """
    from snakemake.exceptions import WorkflowError

    settings = type(workflow.executor_settings).__module__
    here = settings.startswith("snakemake_executor_plugin_slurm")
    if not here and not RECORD.exists():
        return
    try:
        leftover = jobs(workflow.workdir_init, None if here else ELSEWHERE_S)
    except RuntimeError as error:
        if not here:
            return
        raise WorkflowError(str(error)) from None
    if leftover:
        raise WorkflowError(
            f"An earlier run in this folder still has {len(leftover)} jobs in the queue: "
            f"{listed(leftover)}. Starting now would run them twice. `make resume` waits for "
            "them, or cancels them with `make resume CANCEL=1`, and goes on from there."
        )
    if not here:
        RECORD.unlink()  # of a run that is over
        return
    record = {"host": socket.gethostname(), "process": os.getpid()}
    RECORD.write_text(json.dumps(record | ({"config": version} if version else {})))
    remember_job_age()
    keep_looking(2 * workflow.executor_settings.init_seconds_before_status_checks)


def remember_job_age() -> None:
    """Keep the status checks on ``squeue`` while the scheduler is away.

    Plugin 2.8.0 asks the scheduler for MinJobAge before every check, takes no answer for a short
    age and turns to ``sacct``; where no accounting runs, that fails, the executor forgets every
    job and the run hangs. MinJobAge does not change during a run: the first answer holds.
    """
    import snakemake_executor_plugin_slurm as plugin

    ask = plugin.get_min_job_age
    known: list[int] = []

    def remembered() -> int | None:
        if not known:
            age = ask()
            if age is None:
                return None
            known.append(age)
        return known[0]

    plugin.get_min_job_age = remembered


def keep_looking(seconds: float) -> None:
    """Let no more than ``seconds`` pass between two looks at the jobs.

    The plugin waits 10 s longer after every look at which nothing had ended, up to 180 s; behind
    an hour of training, every short job would then take three minutes.
    """
    from snakemake_executor_plugin_slurm import Executor

    name = "next_seconds_between_status_checks"
    pause = getattr(Executor, name)
    bounded = property(pause.fget, lambda self, value: pause.fset(self, min(value, seconds)))
    setattr(Executor, name, bounded)
