"""What SLURM says about jobs: ``squeue``, ``scontrol`` and, where there is accounting, ``sacct``.

Standard library only.
"""

import os
import re
import subprocess
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

#: Beginning of the name of every job: ``slurm-jobname-prefix`` of profiles/slurm.
PREFIX = "thyrocast_"
#: Folder of the marks that jobs set at their successful end, by run; removed when a run ends regularly.
ENDS = Path(".snakemake/slurm_ends")
#: Seconds after which a query counts as not answered.
PATIENCE_S = 60
# Of slurm_errno.c and errno: the request was sent, or may have been, and no answer came.
_UNANSWERED = re.compile(
    r"Unable to contact slurm controller|timed out|Zero Bytes were transmitted|standby mode"
    r"|Connection (?:refused|reset)|Transport endpoint|Communication \w+ failure"
    r"|Message (?:receive|send) failure|temporarily un(?:able|available)|Unexpected message received",
    re.IGNORECASE,
)
# Limits of an association or QOS to the number of jobs in the queue; a partition in maintenance.
_FOR_NOW = re.compile(r"(?:MaxSubmitJob|GrpSubmitJobs)\w*Limit|not available \(inactive or drain\)")


@dataclass(frozen=True)
class Job:
    """A job in the queue: its SLURM number, state, run, and rule with wildcards."""

    number: str
    state: str
    run: str
    rule: str


@dataclass(frozen=True)
class Seen:
    """What SLURM reports about a job: its state and, if the job is pending, the reason."""

    state: str
    reason: str = ""


#: Of a job about which the controller does not answer.
NO_ANSWER = Seen("UNKNOWN", "SLURM does not answer")
_RUNAWAY = {"PENDING", "RUNNING", "REQUEUED", "SUSPENDED"}


def jobs(directory: str | Path, patience: float | None = None) -> list[Job]:
    """Return the jobs in the queue that runs of this project in ``directory`` submitted.

    Whoever submitted them: the members of a group may run a study in turns.

    Parameters
    ----------
    directory
        The folder in which Snakemake runs.
    patience
        Seconds to wait for the scheduler's answer; without limit if None.

    Raises
    ------
    RuntimeError
        ``squeue`` gave no answer; there may or may not be such jobs.
    """
    command = ["squeue", "--noheader", "--format=%i|%T|%j|%k|%Z"]
    try:
        # Names that other users gave their jobs may be in any encoding.
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=patience
        )
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
        number, state, run, rest = [*line.split("|", 3), "", "", ""][:4]
        # A path may contain "|", names of this project do not.
        comment, _, folder = rest.partition("|")
        if run.startswith(PREFIX) and os.path.realpath(folder) == here:
            rule = comment.removeprefix("rule_").replace("_wildcards_", " ")
            found.append(Job(number, state, run.removeprefix(PREFIX), rule))
    return found


def hides_jobs() -> bool:
    """Return whether SLURM shows users no jobs of others; then `jobs` returns their own alone."""
    private = re.search(r"PrivateData\s*=\s*(\S+)", _ask("scontrol", "show", "config") or "")
    return bool(private and {"jobs", "all"} & set(private[1].lower().split(",")))


def listed(found: list[Job], most: int = 8) -> str:
    """List jobs for a message; of many, only the first ones."""
    names = ", ".join(f"{job.rule} (SLURM {job.number}, {job.state})" for job in found[:most])
    return names + (f" and {len(found) - most} more" if len(found) > most else "")


def states(run: str, clusters: Collection[str] = ()) -> dict[str, Seen] | None:
    """Return the jobs of a run by SLURM number, recently ended ones included.

    Parameters
    ----------
    run
        Name of the run's jobs.
    clusters
        Clusters to which jobs were submitted, if not only to the default one.

    Returns
    -------
    dict or None
        None if the scheduler does not answer.
    """
    command = ["squeue", "--noheader", "--states=all", f"--name={run}", "--format=%i|%T|%r"]
    answer = _ask(*command, *_of(clusters))
    if answer is None:
        return None
    cells = [line.split("|", 2) for line in answer.splitlines() if line.count("|") >= 2]
    return {number.strip(): Seen(_state(state), reason.strip()) for number, state, reason in cells}


def submitted(run: str, comment: str, clusters: Collection[str] = ()) -> set[str] | None:
    """Return the SLURM numbers of the jobs of a run that have a comment, in any state.

    Returns
    -------
    set or None
        None if the scheduler does not answer.
    """
    command = ["squeue", "--noheader", "--states=all", f"--name={run}", "--format=%i|%k"]
    answer = _ask(*command, *_of(clusters))
    if answer is None:
        return None
    cells = [line.partition("|") for line in answer.splitlines()]
    return {number.strip() for number, _, text in cells if text.strip() == comment}


def is_unanswered(error: str) -> bool:
    """Return whether a program of SLURM failed because the controller did not answer.

    What the program asked for may have been accepted nevertheless, or may be accepted later.
    """
    return bool(_UNANSWERED.search(error))


def may_be_accepted(failure: str) -> bool:
    """Return whether SLURM may have accepted a job whose submission the plugin takes for failed."""
    if "submission failed with exception" in failure:
        return "SLURM job ID" in failure  # `sbatch` succeeded and printed no number, or several
    refused = "sbatch: " in failure and not is_unanswered(failure)  # not if it was killed
    return failure.startswith("SLURM sbatch failed") and not refused


def is_refused_for_now(failure: str) -> bool:
    """Return whether the same submission will be accepted as soon as there is room for it."""
    return bool(_FOR_NOW.search(failure))


def look_up(number: str, clusters: Collection[str] = ()) -> Seen | None:
    """Ask ``scontrol`` and then ``sacct`` about a job that ``squeue`` does not list.

    Returns
    -------
    Seen or None
        None if neither knows the job, `NO_ANSWER` if the controller does not answer.
    """
    done = _run("scontrol", "--oneliner", "show", "job", number, *_of(clusters))
    if done and (state := re.search(r"\bJobState=(\w+)", done.stdout)):
        reason = re.search(r"\bReason=(\S+)", done.stdout)
        return Seen(state[1], reason[1] if reason else "")
    if done and done.returncode and is_unanswered(done.stderr):
        return NO_ANSWER
    columns = ("--noheader", "--parsable2", "--allocations", "--format=State")
    lines = (_ask("sacct", *columns, f"--jobs={number}", *_of(clusters)) or "").split("\n")
    known = [_state(line) for line in lines if line.strip()]
    # What the controller has lost stays RUNNING in the accounting, for ever.
    return Seen(known[-1]) if known and known[-1] not in _RUNAWAY else None


def cancel(number: str, clusters: Collection[str] = ()) -> bool:
    """Cancel a job; return whether SLURM accepted that."""
    return _ask("scancel", number, *_of(clusters)) is not None


def cancel_run(run: str, clusters: Collection[str] = ()) -> bool:
    """Cancel all jobs of a run; return whether SLURM accepted that."""
    # The default cluster too: some rules may name another one.
    places = [_of(clusters), []] if clusters else [[]]
    answers = [_ask("scancel", f"--name={run}", *place) for place in places]
    return None not in answers


def _of(clusters: Collection[str]) -> list[str]:
    return [f"--clusters={','.join(sorted(clusters))}"] if clusters else []


def _state(text: str) -> str:
    """Return the state alone: ``sacct`` writes ``CANCELLED by 1000``."""
    return text.split()[0].rstrip("+") if text.strip() else ""


def _ask(*command: str) -> str | None:
    """Return what a program prints; None if it fails, is missing, or does not answer in time."""
    done = _run(*command)
    return done.stdout if done and done.returncode == 0 else None


def _run(*command: str) -> subprocess.CompletedProcess[str] | None:
    """Run a program; None if it is missing. One that does not answer in time fails with that."""
    try:
        return subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=PATIENCE_S
        )
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, 1, stdout="", stderr="timed out")
    except OSError:
        return None
