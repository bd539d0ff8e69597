"""What the SLURM executor (plugin 2.8) does not handle: lost runs, and a scheduler that is down.

Standard library and Snakemake only. Snakemake's ``onstart`` calls :func:`begin`; the recovery
command ``resume.py`` uses the rest.
"""

import os
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from thyrocast.planning import controller

if TYPE_CHECKING:
    from snakemake.workflow import Workflow

PREFIX = "thyrocast_"  # slurm-jobname-prefix of profiles/slurm
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
        Seconds to wait for the scheduler's answer; without limit if None.

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
    """List jobs for a message; of many, only the first ones."""
    names = ", ".join(f"{job.rule} (SLURM {job.number}, {job.state})" for job in found[:most])
    return names + (f" and {len(found) - most} more" if len(found) > most else "")


def living_controller() -> str:
    """Describe the Snakemake that may still control the current folder; empty if there is none."""
    record = controller.read()
    if record is None:
        return ""
    if record.host != socket.gethostname():
        return f"process {record.process} on {record.host}, which cannot be seen from here"
    try:
        command = Path(f"/proc/{record.process}/cmdline").read_text()
        folder = Path(f"/proc/{record.process}/cwd").resolve()
    except OSError:
        return ""
    if "snakemake" in command and folder == Path.cwd():
        return f"process {record.process} on this machine"
    return ""


def begin(workflow: "Workflow", config: str = "") -> None:
    """Check and prepare a run before its first job.

    Refuses to start, on any executor, while jobs of an earlier, lost run are in SLURM's queue. On
    SLURM it also records the controller, makes the executor wait for a scheduler that is down, and
    limits the time between two status checks.

    Parameters
    ----------
    workflow
        Snakemake's workflow, in its ``onstart`` handler.
    config
        Hash of the config, which jobs compare with theirs (`controller.check_unchanged`).

    Raises
    ------
    snakemake.exceptions.WorkflowError
        Jobs of an earlier run are in the queue; the message says what to do.
    """
    from snakemake.exceptions import WorkflowError

    settings = type(workflow.executor_settings).__module__
    on_slurm = settings.startswith("snakemake_executor_plugin_slurm")
    if not on_slurm and not controller.RECORD.exists():
        return
    try:
        leftover = jobs(workflow.workdir_init, None if on_slurm else ELSEWHERE_S)
    except RuntimeError as error:
        if not on_slurm:
            return
        raise WorkflowError(str(error)) from None
    if leftover:
        raise WorkflowError(
            f"An earlier run in this folder still has {len(leftover)} jobs in the queue: "
            f"{listed(leftover)}. Starting now would run them twice. `make resume` waits for "
            "them, or cancels them with `make resume CANCEL=1`, and then continues the run."
        )
    if not on_slurm:
        controller.RECORD.unlink()  # of a run that is over
        return
    controller.write(config)
    remember_job_age()
    limit_pause(2 * workflow.executor_settings.init_seconds_before_status_checks)


def remember_job_age() -> None:
    """Keep using ``squeue`` for status checks while the scheduler is down.

    Plugin 2.8.0 asks the scheduler for MinJobAge before every check. If there is no answer, it
    assumes a short age and uses ``sacct``; without accounting that fails, the executor forgets
    every job and the run hangs. MinJobAge does not change during a run, so the first answer is kept.
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


def limit_pause(seconds: float) -> None:
    """Limit the time between two status checks to ``seconds``.

    The plugin waits 10 s longer after every check in which no job had ended, up to 180 s. During an
    hour of training, the end of every short job would then be noticed three minutes late.
    """
    from snakemake_executor_plugin_slurm import Executor

    name = "next_seconds_between_status_checks"
    pause = getattr(Executor, name)
    bounded = property(pause.fget, lambda self, value: pause.fset(self, min(value, seconds)))
    setattr(Executor, name, bounded)
