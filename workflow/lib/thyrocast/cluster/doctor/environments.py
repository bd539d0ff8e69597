"""Versions of Snakemake and its executor, and whether the conda environments are built."""

import importlib.util
import re
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from thyrocast.cluster import plugin
from thyrocast.cluster.doctor.findings import Finding, State, call, ok_if

#: Oldest version of Snakemake that was tested.
OLDEST = (9, 11)


def check_launcher() -> Iterator[Finding]:
    """Check the versions of Snakemake and its executor."""
    found = metadata.version("snakemake")
    release = tuple(int(part) for part in re.findall(r"\d+", found)[:2])
    yield ok_if(release >= OLDEST, f"snakemake {found} (at least {'.'.join(map(str, OLDEST))})")
    if not importlib.util.find_spec(plugin.PACKAGE.replace("-", "_")):
        text = f"{plugin.PACKAGE} is not installed: pip install -r requirements/launcher.txt"
        yield Finding(State.FAIL, text)
        return
    fault = plugin.untested_version()
    yield ok_if(not fault, fault or f"{plugin.PACKAGE} {metadata.version(plugin.PACKAGE)}")


def check_conda(snakemake: list[str]) -> Iterator[Finding]:
    """Check whether the conda environments of the rules are built."""
    answer = call(*snakemake, "--list-conda-envs", seconds=900)
    listed = re.findall(r"^(\S+\.yaml)\t+\S*\t*(\S+)$", answer.text, re.M) if answer.success else []
    for source, folder in listed:
        if Path(folder).is_dir():
            yield Finding(State.OK, f"environment {source} is built")
        else:
            build = "snakemake --profile slurm --conda-create-envs-only"
            yield Finding(State.WARN, f"environment {source} is not built yet: {build}")
