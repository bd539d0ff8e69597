"""Versions of Snakemake and its executor, and whether the conda environments are built."""

import re
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from thyrocast.cluster.doctor.findings import Finding, State, call, ok_if

#: Oldest versions that were tested.
OLDEST = {
    "snakemake": (9, 11),
    "snakemake-executor-plugin-slurm": (2, 8),
}


def check_launcher() -> Iterator[Finding]:
    """Check the versions of Snakemake and its executor."""
    for package, oldest in OLDEST.items():
        try:
            found = metadata.version(package)
        except metadata.PackageNotFoundError:
            yield Finding(
                State.FAIL,
                f"{package} is not installed: pip install -r requirements/launcher.txt",
            )
            continue
        release = tuple(int(part) for part in re.findall(r"\d+", found)[:2])
        yield ok_if(release >= oldest, f"{package} {found} (at least {'.'.join(map(str, oldest))})")


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
