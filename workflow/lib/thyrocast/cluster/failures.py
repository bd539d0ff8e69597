"""A summary of failed jobs at the end of a run: job, reason, last lines of its log.

Standard library only; Snakemake's ``onerror`` prints it.
"""

import re
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

LINES = 6  # of a log
_CONTINUE = "Finished jobs are kept; the same command continues from here."
# what the two Snakemake processes around a SLURM job print at every failure
_NOISE = re.compile(
    r"^(\s|=|$|Error in rule|WorkflowError|RuleException|At least one job|CalledProcessError in"
    r"|Command '(?!.* died with )|Shutting down|Exiting because|Storing output|Elapsed time|Select jobs|Execute \d"
    r"|Building DAG|Using |Provided |Rules claiming|SNAKEMAKE|\[\w{3} \w{3}|(local)?rule "
    r"|srun: cluster configuration lacks|srun: Job step aborted|Will exit after finishing)"
)


@dataclass
class Failure:
    """A job that failed and did not succeed in a later attempt."""

    rule: str
    wildcards: str = ""
    message: str = ""
    logs: list[str] = field(default_factory=list)


def failures(log: Path) -> list[Failure]:
    """Read Snakemake's log of a run.

    Parameters
    ----------
    log
        The log file that Snakemake names at the end of a run.

    Returns
    -------
    list of Failure
        One for each job that failed in all its attempts, by the time of its last failure.
    """
    wildcards: dict[str, str] = {}
    failed: dict[str, Failure] = {}
    current: Failure | None = None
    jobid = ""
    for line in log.read_text(errors="replace").splitlines():
        if found := re.match(r"Error in rule (\w+)", line):
            current = Failure(found[1])
        elif re.match(r"(?:local|)(?:rule|checkpoint) \w+:", line):
            current = None
        elif found := re.match(r" {4}jobid: (\d+)", line):
            jobid = found[1]
            if current:
                current.wildcards = wildcards.get(jobid, "")
                failed.pop(jobid, None)
                failed[jobid] = current
        elif found := re.match(r" {4}wildcards: (.*)", line):
            wildcards[jobid] = found[1]
        elif current and (found := re.match(r" {4}message: (.*)", line)):
            text = found[1].removesuffix("None")
            # advice that is part of every message
            text = re.sub(r"\s*Detailed failure reason unavailable \([^)]*\)\.", "", text)
            current.message = re.sub(r"\s*For further error details see .*", "", text)
        elif current and (found := re.match(r" {4}log: (.*?)(?: \(check log.*)?$", line)):
            current.logs = [name for name in found[1].split(", ") if name]
        elif found := re.match(r"Finished jobid: (\d+)", line):
            failed.pop(found[1], None)
    return list(failed.values())


def last_lines(file: Path) -> list[str]:
    """Return the last lines of a log, without those that are in every log."""
    try:
        with file.open(errors="replace") as lines:
            informative = (line.rstrip() for line in lines if not _NOISE.match(line))
            return list(deque(informative, maxlen=LINES))
    except OSError:
        return []


def _is_older(file: Path, log: Path) -> bool:
    """Return whether a job's log is older than the run, whose start is the name of its log."""
    try:
        start = datetime.strptime(log.name.partition(".")[0], "%Y-%m-%dT%H%M%S").timestamp()
        return file.stat().st_mtime < start
    except (OSError, ValueError):
        return False


def describe(logs: list[str], most: int = 20) -> str:
    """Describe the failed jobs of a run: rule, center or split, reason, end of the logs.

    Parameters
    ----------
    logs
        What Snakemake passes to its ``onerror`` handler as ``log``: the log of the run comes first.
    most
        Number of failures that are described in full.
    """
    log = Path(logs[0])
    found = failures(log)
    if not found and "a job execution failed" in log.read_text(errors="replace"):
        # With --quiet, Snakemake does not record which.
        return (
            "Some jobs failed. The reason is at the end of a job's own log; without --quiet the jobs "
            f"are listed here. {_CONTINUE}"
        )
    if not found:
        return ""
    words = [f"{len(found)} job{'s' if len(found) > 1 else ''} failed:"]
    for failure in found[:most]:
        name = f"{failure.rule} {failure.wildcards}".strip()
        words.append(f"  {name}: {failure.message or 'see its log'}")
        for file in failure.logs:
            if _is_older(Path(file), log):
                words.append(f"    {file} (not written in this run)")
                continue
            lines = last_lines(Path(file))
            words.append(f"    {file}{':' if lines else ' (no further message)'}")
            words += [f"      {line[:300]}" for line in lines]
    if len(found) > most:
        words.append(f"  and {len(found) - most} more: {log}")
    words.append(_CONTINUE)
    return "\n".join(words)
