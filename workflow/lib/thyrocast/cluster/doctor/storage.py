"""Space for the results, and the weights file."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import yaml

from thyrocast.cluster import slurm
from thyrocast.cluster.doctor.findings import Finding, State, ok_if
from thyrocast.config.study import StudyConfig

FREE_GB = 20
FREE_INODES = 100_000


def check_disk(folder: Path) -> Iterator[Finding]:
    """Check the path of the folder where results are written, and free space and inodes there."""
    if fault := slurm.unquotable(folder.absolute()):
        yield Finding(State.FAIL, fault)
    state = os.statvfs(folder)
    free = state.f_bavail * state.f_frsize / 1e9
    yield ok_if(free > FREE_GB, f"{free:.0f} GB free for results in {folder}", State.WARN)
    # some file systems do not count inodes
    if state.f_files:
        enough = state.f_favail > FREE_INODES
        yield ok_if(enough, f"{state.f_favail} inodes free there", State.WARN)


def check_cache() -> Iterator[Finding]:
    """Check that Snakemake can write its cache, without which it stops with a traceback."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    try:
        cache.mkdir(parents=True, exist_ok=True)
        writable = os.access(cache, os.W_OK)
    except OSError:
        writable = False
    if not writable:
        yield Finding(State.FAIL, unwritable(str(cache)))


def unwritable(cache: str) -> str:
    """Return what to do about a folder in which Snakemake cannot write its cache."""
    return (
        f"Snakemake cannot write its cache in {cache}: `export XDG_CACHE_HOME=/a/folder/on/the/"
        "shared/file/system` in the shell that starts Snakemake; jobs inherit it"
    )


def weights_file(config_files: Iterable[Path]) -> str:
    """Return the pretrained weights that the config files name; empty if there are none."""
    weights = ""
    for file in config_files:
        network = (yaml.safe_load(file.read_text(encoding="utf-8")) or {}).get("network") or {}
        weights = str(network.get("weights", weights))
    return "" if weights in ("random", "") else str(Path(weights).resolve())


def key_file(config_files: Iterable[Path]) -> str:
    """Return the pseudonym key that the config files name, otherwise the default one."""
    key = str(StudyConfig.model_fields["pseudonym_key"].default)
    for file in config_files:
        key = str(
            (yaml.safe_load(file.read_text(encoding="utf-8")) or {}).get("pseudonym_key", key)
        )
    return key


def check_weights(weights: str) -> Iterator[Finding]:
    """Check that the file of pretrained weights exists, if the config names one."""
    if weights:
        yield ok_if(Path(weights).is_file(), f"weights {weights}")
