"""The record of the Snakemake process that controls a run on SLURM, and the check by its jobs.

Jobs on the cluster parse the workflow again when they start, which may be hours after the
controller. Their results are recorded as computed with the controller's config and code.
Standard library only: every job imports this while parsing.
"""

import itertools
import json
import os
import socket
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from thyrocast import fileio
from thyrocast.planning import fingerprints

RECORD = Path(".snakemake/controller.json")


@dataclass(frozen=True)
class Controller:
    """A running Snakemake and the state of the study when it started.

    Attributes
    ----------
    host, process
        Name of the host and process id.
    configs
        Hashes of the configs with their defaults: of several studies, if another workflow imports
        this one more than once; empty if jobs do not check them.
    code
        Hash of the code of each entry script (`fingerprints.code_version`).
    """

    host: str
    process: int
    configs: list[str] = field(default_factory=list)
    code: dict[str, str] = field(default_factory=dict)


def read() -> Controller | None:
    """Return the record of the current folder, or None if there is none that can be read."""
    try:
        return Controller(**json.loads(RECORD.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def write(config: str) -> None:
    """Record this process as the controller of the current folder; a further study is added to its record.

    Parameters
    ----------
    config
        Hash of the config with its defaults, or "" if jobs need not check it.
    """
    code = fingerprints.code_versions() if config else {}
    host, process, before = socket.gethostname(), os.getpid(), read()
    configs = [config] if config else []
    if before and (before.host, before.process) == (host, process):
        configs = list(dict.fromkeys([*before.configs, *configs]))
    fileio.write_json(RECORD, asdict(Controller(host, process, configs, code)))


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


def check_unchanged(config: str, rules: Iterable[str]) -> None:
    """Stop a job if its config or code has changed since the run started.

    Parameters
    ----------
    config
        Hash of the config as the job reads it.
    rules
        Names of the rules that this job runs; a workflow that imports this one may have
        added a prefix to them.

    Raises
    ------
    RuntimeError
        If config or code was edited after the run started.
    """
    record = read()
    if record is None or not record.configs:
        return
    changed = []
    if config not in record.configs:
        changed.append("The config")
    for script, version in record.code.items():
        ours = any(rule == script or rule.endswith(f"_{script}") for rule in rules)
        if ours and fingerprints.code_version(script) != version:
            changed.append(f"The code of {script}")
    if changed:
        raise RuntimeError(
            f"{' and '.join(changed)} was edited after this run started, so the result of this job "
            "would not match the run's record. Stop the run and start it again, or undo the edit."
        )
