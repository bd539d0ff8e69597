"""The record of the Snakemake process that controls a run on SLURM, and the check by its jobs.

Jobs on the cluster parse the workflow again when they start, which may be hours after the
controller. Their results are recorded as computed with the controller's config and code.
Standard library only: every job imports this while parsing.
"""

import itertools
import json
import os
import socket
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from thyrocast import fileio
from thyrocast.planning import derived, fingerprints

if TYPE_CHECKING:
    from snakemake.modules import WorkflowModifier

#: One record for each study, so that several studies can run in one folder at the same time.
RECORDS = Path(".snakemake/controllers")


@dataclass(frozen=True)
class Controller:
    """A running Snakemake and the state of the study when it started.

    Attributes
    ----------
    host, process
        Name of the host and process id.
    run
        Part of the name of all jobs of the run.
    config
        Hash of the config with its defaults; empty if jobs do not check it.
    code
        Hash of the code of each entry script (`fingerprints.code_version`).
    """

    host: str
    process: int
    run: str = ""
    config: str = ""
    code: dict[str, str] = field(default_factory=dict)


def record(study: str) -> Path:
    """Return the path of a study's record."""
    return RECORDS / f"{study}.json"


def read(study: str) -> Controller | None:
    """Return a study's record in the current folder, or None if there is none that can be read."""
    try:
        return Controller(**json.loads(record(study).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def records() -> dict[str, Controller]:
    """Return the records of all studies in the current folder, by name of the study."""
    found = {file.stem: read(file.stem) for file in sorted(RECORDS.glob("*.json"))}
    return {study: known for study, known in found.items() if known}


def remove(study: str) -> None:
    """Remove a study's record: no run on SLURM controls it."""
    record(study).unlink(missing_ok=True)


def write(study: str, config: str, run: str = "") -> None:
    """Record this process as the controller of a study.

    Parameters
    ----------
    study
        Name of the study.
    config
        Hash of the config with its defaults, or "" if jobs need not check it.
    run
        Part of the name of all jobs of the run.
    """
    code = fingerprints.code_versions() if config else {}
    RECORDS.mkdir(parents=True, exist_ok=True)
    known = Controller(socket.gethostname(), os.getpid(), run, config, code)
    fileio.write_json(record(study), asdict(known))


def rules_of_job(command: Sequence[str]) -> list[str]:
    """Return the rules that a job runs, from the command line that Snakemake gives its jobs.

    Snakemake knows them by other means only after parsing, which is too late here.

    Examples
    --------
    >>> rules_of_job(["snakemake", "--target-jobs", "train:split=a", "fit:", "--cores", "1"])
    ['train', 'fit']
    """
    if "--target-jobs" not in command:
        return []
    words = command[command.index("--target-jobs") + 1 :]
    return [w.partition(":")[0] for w in itertools.takewhile(lambda w: w[:2] != "--", words)]


def rule_of(modifier: "WorkflowModifier", rule: str) -> str:
    """Return the name of a rule, which an importing workflow may have changed.

    Empty if that workflow does not use the rule.
    """
    return str(modifier.modify_rulename(rule)) if modifier.avail_rulename(rule) else ""


def check_unchanged(
    study: str,
    config: str,
    rules: Collection[str],
    rule_of: Callable[[str], str] = lambda rule: rule,
) -> None:
    """Stop a job if its config or code has changed since the run started.

    Parameters
    ----------
    study
        Name of the study.
    config
        Hash of the config as the job reads it.
    rules
        Names of the rules that this job runs.
    rule_of
        From the name of a rule here, its name in the run: a workflow that imports this one may
        have renamed it.

    Raises
    ------
    RuntimeError
        If config or code was edited after the run started.
    """
    known = read(study)
    if known is None or not known.config:
        return
    changed = []
    if config != known.config:
        changed.append("The config")
    for script, version in known.code.items():
        names = {rule_of(rule) for rule in derived.rules_of(script)}
        if not names.isdisjoint(rules) and fingerprints.code_version(script) != version:
            changed.append(f"The code of {script}")
    if changed:
        raise RuntimeError(
            f"{' and '.join(changed)} was edited after this run started, so the result of this job "
            "would not match the run's record. Stop the run and start it again, or undo the edit."
        )
