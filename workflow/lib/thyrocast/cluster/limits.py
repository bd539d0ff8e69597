"""What a partition allows a job to ask for: the longest time, and the memory of its largest node.

Standard library only.
"""

import math
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass

from thyrocast.cluster import queue


@dataclass(frozen=True)
class Limits:
    """The most that one job may request; infinite if it is not known or not limited."""

    minutes: float = math.inf
    memory_mb: float = math.inf


def minutes(limit: str) -> float:
    """Read a time limit as SLURM writes it (``1-00:00:00``, ``2:00:00``, ``infinite``)."""
    found = re.fullmatch(r"(?:(\d+)-)?(?:(\d+):)?(\d+):(\d+)", limit)
    if not found:
        return math.inf
    days, hours, minute, second = (int(part or 0) for part in found.groups())
    return 60 * (24 * days + hours) + minute + second / 60


def of_partitions() -> dict[str, Limits]:
    """Return the limits of each partition, by name; those of the default one also under "".

    Returns
    -------
    dict
        Empty if the scheduler does not answer.
    """
    command = ["sinfo", "--noheader", "--exact", "--format=%P|%l|%m"]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=queue.PATIENCE_S, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return {}
    found: dict[str, Limits] = {}
    for line in done.stdout.splitlines():
        name, limit, memory = [*line.split("|"), "", ""][:3]
        size = float(memory) if memory.isdigit() else math.inf
        for key in (name.removesuffix("*"), *([""] if name.endswith("*") else [])):
            known = found.get(key)  # of its nodes with another memory
            found[key] = Limits(minutes(limit), max(size, known.memory_mb) if known else size)
    return found


def of(names: str, partitions: Mapping[str, Limits]) -> Limits:
    """Return the limits of a job that may run in any of several partitions.

    Parameters
    ----------
    names
        Partitions, separated by commas; "" for the default one.
    partitions
        As `of_partitions` returns them.
    """
    known = [partitions.get(name.strip(), Limits()) for name in names.split(",")]
    return Limits(max(each.minutes for each in known), max(each.memory_mb for each in known))
