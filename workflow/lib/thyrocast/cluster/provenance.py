"""Which code, data and settings a result came from."""

import importlib.metadata
import platform
import re
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any


def commit(folder: Path) -> str:
    """The commit of the code, with ``+`` where files were edited since; empty outside of git."""
    try:
        described = subprocess.run(
            ["git", "-C", str(folder), "describe", "--always", "--abbrev=12", "--dirty=+"],
            capture_output=True,
            text=True,
            timeout=20,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return described.stdout.strip()


def versions(packages: Iterable[str]) -> dict[str, str]:
    """Python's version and those of the packages that are installed where this runs."""
    found = {"python": platform.python_version()}
    for name in packages:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def public(config: Mapping[str, Any]) -> dict[str, Any]:
    """The config without what belongs to a center alone: its paths, columns and codes."""
    shown = {key: value for key, value in config.items() if key != "pseudonym_key"}
    shown["centers"] = [{"name": c["name"], "role": c["role"]} for c in config["centers"]]
    return shown


def slurm_jobs(logs: Path) -> dict[str, str]:
    """SLURM job id of every job that ran on a cluster, from the first lines of the jobs' logs."""
    jobs = {}
    for file in sorted(logs.rglob("*.log")):
        with file.open(encoding="utf-8", errors="replace") as lines:
            match = re.search(r"SLURM job (\d+)", lines.read(500))
        if match:
            jobs[str(file.relative_to(logs).with_suffix(""))] = match[1]
    return jobs


def describe(
    *, config: dict[str, Any], inputs: dict[str, str], logs: Path, packages: Iterable[str]
) -> dict[str, Any]:
    """What ``provenance.json`` holds."""
    return {
        "commit": commit(Path(__file__).parent),
        "config": config,
        "inputs": inputs,
        "seed": config["seed"],
        "slurm_jobs": slurm_jobs(logs),
        "system": platform.platform(),
        "versions": versions(packages),
    }
