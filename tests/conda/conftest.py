"""A conda, real or stood in for, and a Snakemake that has nothing but itself to lend to a script.

Everything that is slow to make is kept in one folder between runs; environments are always new.
"""

import csv
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
FAMILIES = ("imaging", "deep", "stats", "explain", "report")
DISK_GB = 15


@dataclass
class Conda:
    """What runs need to find conda, and the folder where it makes environments."""

    prefix: Path
    variables: dict[str, str] = field(default_factory=dict)


def cache() -> Path:
    """The folder that outlives a run; ``THYROCAST_CONDA_CACHE`` puts it elsewhere."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(os.environ.get("THYROCAST_CONDA_CACHE") or Path(base) / "thyrocast" / "conda")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def virtual_environment(folder: Path, *arguments: str | Path) -> Path:
    """The bin folder of a virtual environment that pip fills; made anew when the arguments change."""
    read = [a.read_text() if isinstance(a, Path) else a for a in arguments]
    state = hashlib.sha256("\0".join([sys.version, *read]).encode()).hexdigest()
    stamp = folder / "state"
    if not stamp.is_file() or stamp.read_text() != state:
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        command = [folder / "bin" / "pip", "install", "--no-warn-script-location", *arguments]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            pytest.fail(f"{command} failed:\n{done.stdout}")
        stamp.write_text(state)
    return folder / "bin"


@pytest.fixture(scope="session")
def snakemake_program() -> Path:
    """Snakemake alone: the SLURM plugin would bring NumPy and pandas, which every script sees."""
    lock = (ROOT / "requirements" / "launcher.txt").read_text()
    pins = re.findall(r"^[\w.\-\[\]]+==[^\s;\\]+", lock, re.MULTILINE)
    needed = [pin for pin in pins if pin.startswith(("snakemake==", "openpyxl=="))]
    # Less their hashes, which pip would want of every package that is installed.
    constraints = cache() / "launcher-pins.txt"
    constraints.write_text("\n".join(pins) + "\n")
    return virtual_environment(cache() / "launcher", *needed, "-c", constraints) / "snakemake"


def real_conda() -> Path | None:
    """The folder of a conda on PATH, or of the one that a mamba on PATH belongs to."""
    for name in ("conda", "mamba"):
        program = shutil.which(name)
        if program and shutil.which("conda", path=str(Path(program).resolve().parent)):
            return Path(program).resolve().parent
    return None


@pytest.fixture(scope="session")
def conda() -> Iterator[Conda]:
    """A real conda with its channels, where there is one; else the local channel and its client."""
    prefix = cache() / "environments"
    with (cache() / "lock").open("w") as lock:
        # A second session in the same folder waits: the first one's environments must stay.
        fcntl.flock(lock, fcntl.LOCK_EX)
        shutil.rmtree(prefix, ignore_errors=True)
        found = real_conda()
        variables = {"PATH": f"{found}{os.pathsep}{os.environ['PATH']}"} if found else stand_in()
        # Bytecode is kept: without it every start of a script compiles PyTorch anew.
        variables["PYTHONDONTWRITEBYTECODE"] = ""
        yield Conda(prefix, variables)


def stand_in() -> dict[str, str]:
    """Build the local channel; the variables that make its client the conda of a run."""
    _check_disk()
    tools = virtual_environment(cache() / "tools", "-r", HERE / "requirements.txt")
    channel = cache() / "channels" / "conda-forge"
    subprocess.run(
        [
            tools / "python",
            HERE / "channel.py",
            *("--out", channel),
            *("--wheels", cache() / "wheels"),
            *("--lock", ROOT / "requirements" / "local.txt"),
            *sorted((ROOT / "envs").glob("*.yaml")),
        ],
        check=True,
    )
    packages = cache() / "packages"
    _drop_old(packages, channel)
    condarc = cache() / "condarc.yaml"
    places = {"conda-forge": channel.parent.as_uri()}
    condarc.write_text(
        yaml.safe_dump({"custom_channels": places, "channel_priority": "strict"}), encoding="utf-8"
    )
    return {
        "CONDARC": str(condarc),
        "CONDA_PKGS_DIRS": str(packages),
        "THYROCAST_CONDA_PYTHON": str(tools / "python"),
        "PATH": f"{HERE / 'client' / 'bin'}{os.pathsep}{os.environ['PATH']}",
    }


def _drop_old(packages: Path, channel: Path) -> None:
    """Throw unpacked packages away that the channel has no more: a PyTorch takes 5 GB."""
    offered = {package.stem for package in channel.glob("*/*.conda")}
    for unpacked in packages.glob("*/"):
        if unpacked.name not in offered:
            shutil.rmtree(unpacked)


def _check_disk() -> None:
    held = sum(f.stat().st_size for f in cache().rglob("*") if f.is_file() and not f.is_symlink())
    free = shutil.disk_usage(cache()).free
    if free + held < DISK_GB * 1e9:
        pytest.fail(
            f"the conda tests need {DISK_GB} GB of disk in {cache()}, and it has {free / 1e9:.1f} GB "
            f"beside the {held / 1e9:.1f} GB that they keep there: make room, or set "
            "THYROCAST_CONDA_CACHE to a folder on another disk"
        )


Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def snakemake(conda: Conda, snakemake_program: Path) -> Run:
    """Run Snakemake in a folder with ``--sdm conda``; its output is in the result."""

    def run(
        folder: Path, *arguments: str, deployment: str = "conda", **variables: str
    ) -> subprocess.CompletedProcess[str]:
        command = [snakemake_program, "--directory", folder, "--cores", "2"]
        command += ["--conda-prefix", conda.prefix, *arguments, "--sdm", *deployment.split()]
        return subprocess.run(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=folder,
            env=os.environ | conda.variables | variables,
        )

    return run


def import_names() -> dict[str, list[str]]:
    """What the packages of every environment file are called by ``import``."""
    with (HERE / "names.csv").open(encoding="utf-8") as file:
        called = {row["conda"]: row["import"] for row in csv.DictReader(file)}
    modules: Mapping[str, list[str]] = {
        family: yaml.safe_load((ROOT / "envs" / f"{family}.yaml").read_text())["dependencies"]
        for family in FAMILIES
    }
    return {
        family: [called[name.split()[0]] for name in listed if name.split()[0] != "python"]
        for family, listed in modules.items()
    }


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    """A folder to run the toy workflow in, with a copy of the environment files that may be edited."""
    return lay_out(tmp_path)


def lay_out(folder: Path) -> Path:
    """Write the toy workflow's config and environment files into a folder."""
    shutil.copytree(ROOT / "envs", folder / "envs")
    settings = {"environments": str(folder / "envs"), "modules": import_names()}
    (folder / "toy.yaml").write_text(yaml.safe_dump(settings))
    return folder
