"""What the tests share: the smoke study, run once, and the treatment of missing programs."""

import fcntl
import itertools
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

ROOT = Path(__file__).resolve().parents[1]

# Before NumPy is imported. Each process of the tests has otherwise as many threads of BLAS as there are cores, which wait
# for each other in busy loops: with several processes, a decomposition of 1 ms took 2 s, and a test could reach its time limit.
# The number of threads also changes the last digits of a result.
os.environ.setdefault("OMP_NUM_THREADS", "1")


def require(present: object, what: str) -> None:
    """Skip with the reason where something is missing; under CI=true nothing may be skipped."""
    if present:
        return
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what}: under CI=true this may not be missing")
    pytest.skip(what)


@pytest.fixture(scope="session")
def needs() -> Callable[..., None]:
    """``needs("Rscript", "chromium")``: skip, or fail in CI, where a program is not installed."""

    def check(*programs: str) -> None:
        for program in programs:
            require(shutil.which(program), f"needs the program {program}, which is not installed")

    return check


@dataclass(frozen=True)
class Study:
    """A study in a folder of its own, with the commands that a user would give."""

    folder: Path
    name: str

    @property
    def results(self) -> Path:
        """The study's results."""
        return self.folder / "results" / self.name

    def snakemake(
        self, *arguments: str, check: bool = True, cores: int = 2
    ) -> subprocess.CompletedProcess[str]:
        """Run Snakemake on the study; its output is shown where it fails."""
        command = [sys.executable, "-m", "snakemake", "-s", str(ROOT / "Snakefile")]
        if "--configfile" not in arguments:
            # Before other options: it takes several files, and nothing after `--` is an option.
            command += ["--configfile", str(self.folder / "config.yaml")]
        command += ["--directory", str(self.folder), "--cores", str(cores), *arguments]
        return _run(command, check)

    def plan(self, *arguments: str) -> dict[str, int]:
        """Number of jobs of each rule that the next run would do."""
        done = self.snakemake("--dry-run", "--quiet", "rules", *arguments)
        return _count(done.stdout + done.stderr)


def _count(output: str) -> dict[str, int]:
    jobs: dict[str, int] = {}
    if "job" not in output or "count" not in output:
        return jobs
    table = output.split("count", 1)[1].splitlines()[2:]
    for line in table:
        cells = line.split()
        if len(cells) != 2 or cells[0] == "total":
            break
        jobs[cells[0]] = int(cells[1])
    return jobs


def _run(command: list[str], check: bool) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        command, capture_output=True, text=True, env=os.environ | {"COLUMNS": "200"}
    )
    if check and done.returncode:
        raise AssertionError(f"{' '.join(command)}\n{done.stdout[-6000:]}\n{done.stderr[-6000:]}")
    return done


def simulate(folder: Path, cohort: str) -> None:
    """Write a simulated cohort below ``folder``, as `make demo` does."""
    command = [sys.executable, "-m", "snakemake", "-s", str(ROOT / "workflow" / "simulation.smk")]
    command += ["--directory", str(folder), "--cores", "2"]
    _run([*command, "--configfile", str(ROOT / "config" / "simulation" / f"{cohort}.yaml")], True)


def prepare(folder: Path, name: str = "smoke", data: Path | None = None) -> Study:
    """A study in ``folder`` with a config that may be edited; its data linked from elsewhere."""
    folder.mkdir(parents=True, exist_ok=True)
    text = (ROOT / "config" / f"{name}.yaml").read_text()
    (folder / "config.yaml").write_text(f"{text}\npseudonym_key: key\n")
    if data:
        shutil.copytree(data, folder / "data")
    return Study(folder, name)


def build_once(factory: pytest.TempPathFactory, name: str, build: Callable[[Path], object]) -> Path:
    """A folder that is built once per run of the tests, even if several processes share it."""
    shared = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    folder, finished = shared / name, shared / f"{name}.finished"
    with (shared / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not finished.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            build(folder)
            finished.touch()
    return folder


@pytest.fixture(scope="session")
def smoke_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The simulated smoke cohort: three centers of about 24 patients, as DICOM files."""
    return build_once(tmp_path_factory, "smoke-data", lambda f: simulate(f, "smoke")) / "data"


@pytest.fixture(scope="session")
def smoke_study(tmp_path_factory: pytest.TempPathFactory, smoke_data: Path) -> Study:
    """The smoke study after a whole run; tests read it and never change it."""

    def build(folder: Path) -> None:
        study = prepare(folder, data=smoke_data)
        # No rule of the study may read the true risks: they are deleted before it runs.
        shutil.rmtree(folder / "data" / "smoke" / "truth")
        study.snakemake()

    return Study(build_once(tmp_path_factory, "smoke-study", build), "smoke")


# One process runs all of a room whose tests share environments.
ONE_PROCESS = ("conda",)
# These come first, so that the processes end at the same time, and in turns: tests on SLURM mostly wait,
# the others compute.
SLOW = ("slurm", "workflow", "conda")


def _room(nodeid: str) -> str:
    return nodeid.split("/")[1]


def _scope(nodeid: str) -> str:
    """Return what one process runs as a whole: a file, or a room."""
    return _room(nodeid) if _room(nodeid) in ONE_PROCESS else nodeid.split("::")[0]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the slow rooms first, a file of each in turns."""
    # On SLURM, those that wait for the smoke study come last: a file of another room runs it meanwhile.
    items.sort(key=lambda i: _room(i.nodeid) == "slurm" and "smoke_study" in _fixtures(i))
    turns = {room: itertools.count() for room in SLOW}
    turn: dict[str, int] = {}
    for item in items:
        if (scope := _scope(item.nodeid)) not in turn:
            turn[scope] = next(turns.get(_room(item.nodeid), itertools.repeat(len(items))))
    items.sort(key=lambda item: turn[_scope(item.nodeid)])


def _fixtures(item: pytest.Item) -> list[str]:
    return getattr(item, "fixturenames", [])


class _ByFile(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """Each file is run by one process, and so are some rooms as a whole."""

    def _split_scope(self, nodeid: str) -> str:
        return _scope(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """Divide the tests among the processes of `pytest -n`."""
    return _ByFile(config, log)
