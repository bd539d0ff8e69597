"""Starts a run on SLURM, and refuses to while an earlier one is not over.

Snakemake's ``onstart`` calls :func:`begin`; the recovery command ``resume.py`` uses the rest.
"""

import importlib.util
import os
import shutil
import socket
from pathlib import Path
from typing import TYPE_CHECKING

from thyrocast.cluster import plugin, queue
from thyrocast.planning import controller

if TYPE_CHECKING:
    from snakemake.workflow import Workflow

# Seconds for which a run on SLURM, and on another executor, waits for the scheduler's answer.
ON_SLURM_S, ELSEWHERE_S = 120, 15


def install() -> None:
    """Replace what the SLURM plugin gets wrong, if it is installed; called while parsing.

    With an untested release of the plugin, runs on SLURM stop with a sentence, and others work.
    """
    if not importlib.util.find_spec("snakemake_executor_plugin_slurm"):
        return
    try:
        from thyrocast.cluster import executor
    except plugin.UntestedPluginError as fault:
        plugin.refuse(str(fault))
    else:
        executor.install()


def jobs_of_study(
    directory: str | Path, study: str, patience: float | None = None
) -> list[queue.Job]:
    """Return the jobs in the queue that runs of a study in ``directory`` submitted.

    A job whose run no record knows may belong to any study, and counts.

    Parameters
    ----------
    directory
        The folder in which Snakemake runs.
    study
        Name of the study.
    patience
        Seconds to wait for the scheduler's answer; without limit if None.

    Raises
    ------
    RuntimeError
        ``squeue`` gave no answer.
    """
    records = controller.records()
    mine = records.pop(study, None)
    others = {record.run for record in records.values()} - {mine.run if mine else ""}
    return [job for job in queue.jobs(directory, patience) if job.run not in others]


def unquotable(folder: str | Path) -> str:
    """Say that no job can run in a folder because of its path; empty if jobs can.

    Snakemake and the plugin do not quote these characters in the commands of jobs.
    """
    found = sorted({character for character in str(folder) if character in '"$`\\'})
    if not found:
        return ""
    return f"the path of the project contains {' '.join(found)}, with which no SLURM job can run: rename {folder}"


def hidden_run(study: str) -> str:
    """Say why jobs of a study's last run may be in the queue unseen; empty if they cannot.

    They can if another user's run was killed and SLURM shows that user's jobs to nobody else.
    """
    earlier = controller.read(study)
    ends = queue.ENDS / f"{queue.PREFIX}{earlier.run}" if earlier else Path()
    if earlier is None or not earlier.run or not ends.exists():
        return ""
    owner = controller.record(study).stat().st_uid
    if os.getuid() in (0, owner) or not queue.hides_jobs():
        return ""
    return (
        f"The last run of study {study} was another user's (number {owner}) and was killed, or left a "
        "submission without an answer; this cluster shows nobody the jobs of others (PrivateData), so some "
        "may still run. That user first runs `make resume`; "
        f"or, if `squeue --me --name={queue.PREFIX}{earlier.run}` shows that user none, delete {ends}."
    )


def living_controller(study: str) -> str:
    """Describe the Snakemake that may still control a study here; empty if there is none."""
    record = controller.read(study)
    if record is None:
        return ""
    if record.host != socket.gethostname():
        return f"process {record.process} on {record.host}, which cannot be seen from here"
    return f"process {record.process} on this machine" if _is_snakemake(record.process) else ""


def _is_snakemake(process: int) -> bool:
    """Return whether a process of this machine may be a Snakemake in the current folder.

    What another user's process is, or where it runs, may be hidden: then it may be one.
    """
    place = Path(f"/proc/{process}")
    try:
        if not place.exists():  # ended, or of another user where these are hidden
            os.kill(process, 0)
        if "snakemake" not in (place / "cmdline").read_text():
            return False
        return Path(os.readlink(place / "cwd")) == Path.cwd()
    except PermissionError:
        return True
    except OSError:
        return False


def begin(workflow: "Workflow", study: str, config: str = "") -> None:
    """Check and prepare a run before its first job.

    Refuses to start, on any executor, while jobs of an earlier, lost run of the study are in SLURM's
    queue. On SLURM it also records this process as the controller of the study.

    Parameters
    ----------
    workflow
        Snakemake's workflow, in its ``onstart`` handler.
    study
        Name of the study.
    config
        Hash of the config, which jobs compare with theirs (`controller.check_unchanged`).

    Raises
    ------
    snakemake.exceptions.WorkflowError
        Jobs of an earlier run are in the queue, or may be, or SLURM does not answer; the message says
        what to do.
    """
    from snakemake.exceptions import WorkflowError

    settings = type(workflow.executor_settings).__module__
    on_slurm = settings.startswith("snakemake_executor_plugin_slurm")
    earlier = controller.read(study)
    if not on_slurm and earlier is None:
        return
    if on_slurm and (fault := unquotable(workflow.workdir_init)):
        raise WorkflowError(fault)
    if hidden := hidden_run(study):
        raise WorkflowError(hidden)
    try:
        leftover = jobs_of_study(
            workflow.workdir_init, study, ON_SLURM_S if on_slurm else ELSEWHERE_S
        )
    except RuntimeError as error:
        if not on_slurm:
            return
        raise WorkflowError(str(error)) from None
    if leftover:
        raise WorkflowError(
            f"An earlier run in this folder still has {len(leftover)} jobs in the queue: "
            f"{queue.listed(leftover)}. Starting now would run them twice. `make resume` waits for "
            "them, or cancels them with `make resume CANCEL=1`, and then continues the run."
        )
    if not on_slurm:
        controller.remove(study)  # of a run that is over
        return
    if earlier:
        shutil.rmtree(queue.ENDS / f"{queue.PREFIX}{earlier.run}", ignore_errors=True)
    controller.write(study, config, _run(workflow))


def _run(workflow: "Workflow") -> str:
    """Return the run that is part of the name of each of its jobs."""
    executor = workflow.scheduler._executor  # Snakemake has no public way to its executor
    return str(getattr(executor, "run_uuid", "")).removeprefix(queue.PREFIX)
