"""The record of the Snakemake that controls a run on SLURM, and the check that its jobs make.

Jobs on the cluster parse the workflow again when they start, which may be hours after the
controller did. What they compute is recorded as computed with the controller's config and code.
Standard library only: every job imports this while parsing.
"""

import json
import os
import socket
from collections.abc import Iterable
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
        Where it runs.
    config
        Hashes of the completed configs, separated by spaces: several studies, if another workflow
        imports this one more than once; empty if they are not to be checked.
    code
        Hash of the code of each entry script (`fingerprints.code_version`).
    """

    host: str
    process: int
    config: str = ""
    code: dict[str, str] = field(default_factory=dict)


def read() -> Controller | None:
    """Return the record of the current folder, or None if there is none that can be read."""
    try:
        return Controller(**json.loads(RECORD.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def write(config: str) -> None:
    """Record this process as the controller of the current folder, of one more study if it is one.

    Parameters
    ----------
    config
        Hash of the completed config, or nothing if jobs need not check it.
    """
    code = fingerprints.code_versions() if config else {}
    host, process, before = socket.gethostname(), os.getpid(), read()
    if config and before and (before.host, before.process) == (host, process):
        config = " ".join(dict.fromkeys([*before.config.split(), config]))
    fileio.write_json(RECORD, asdict(Controller(host, process, config, code)))


def check_unchanged(config: str, rules: Iterable[str]) -> None:
    """Stop a job whose config or code is not the one that its run began with.

    Parameters
    ----------
    config
        Hash of the config as the job reads it.
    rules
        Names of the rules that this job runs; a workflow that imports this one may have put a
        prefix before them.

    Raises
    ------
    RuntimeError
        Config or code was edited after the run had begun.
    """
    record = read()
    if record is None or not record.config:
        return
    changed = []
    if config not in record.config.split():
        changed.append("The config")
    for script, version in record.code.items():
        ours = any(rule == script or rule.endswith(f"_{script}") for rule in rules)
        if ours and fingerprints.code_version(script) != version:
            changed.append(f"The code of {script}")
    if changed:
        raise RuntimeError(
            f"{' and '.join(changed)} was edited after this run had begun, so this job would compute "
            "something else than the run records. Stop the run and start it again, or undo the edit."
        )
