"""The cluster, and a miniature study that runs on it."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.conftest import ROOT, require
from tests.slurm.cluster import Cluster, missing

TOY = Path(__file__).parent / "toy"
# The project's own profile with shorter waits: a toy job takes 6 s, and files that the profile waits for
# on a shared file system are there at once.
PROFILE = [
    "--profile",
    str(ROOT / "profiles" / "slurm"),
    "--workflow-profile",
    str(ROOT / "profiles" / "default"),
    "--slurm-init-seconds-before-status-checks",
    "3",
    "--max-status-checks-per-second",
    "1",
    "--latency-wait",
    "3",
]


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A running cluster without accounting; each process of `pytest -n` has its own."""
    reason = missing()
    require(not reason, reason)
    cluster = Cluster(int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")))
    cluster.up()
    yield cluster
    cluster.down()


class Run:
    """A command in the background whose output can be watched."""

    def __init__(self, command: list[str], folder: Path, environment: dict[str, str]) -> None:
        self.file = folder / f"output-{time.monotonic_ns()}.txt"
        with open(self.file, "wb") as output:
            self.process = subprocess.Popen(
                command,
                cwd=folder,
                env=os.environ | environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def output(self) -> str:
        """All that it has printed so far."""
        return self.file.read_text()

    def until(self, ready: Callable[[], object], seconds: float = 180) -> None:
        """Wait until something is true while the command runs."""
        end = time.monotonic() + seconds
        while not ready():
            if time.monotonic() > end or self.process.poll() is not None:
                raise TimeoutError(f"it did not happen in time:\n{self.output[-8000:]}")
            time.sleep(0.2)

    def finish(self, success: bool = True, seconds: float = 400) -> str:
        """Wait for its end, check whether it succeeded, return its output."""
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise TimeoutError(f"not done in {seconds} s:\n{self.output[-8000:]}") from None
        assert (code == 0) == success, self.output[-8000:]
        return self.output

    def kill(self) -> None:
        """Kill the command as a power cut would, without a chance to clean up."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@dataclass
class Toy:
    """The miniature study in a folder of its own."""

    folder: Path
    cluster: Cluster
    runs: list[Run] = field(default_factory=list)

    def start(self, *arguments: str, **environment: str) -> Run:
        """Start Snakemake on the cluster."""
        return self.command([sys.executable, "-m", "snakemake", *PROFILE, *arguments], environment)

    def resume(self, *arguments: str, **environment: str) -> Run:
        """Start the recovery command."""
        script = str(ROOT / "workflow" / "scripts" / "resume.py")
        return self.command(
            [sys.executable, script, "--every", "1", *arguments, *PROFILE], environment
        )

    def command(self, words: list[str], environment: dict[str, str]) -> Run:
        """Start a command with the cluster's clients on the path."""
        run = Run(words, self.folder, self.cluster.environment | SCRIPTS | environment)
        self.runs.append(run)
        return run

    def fault(self, job: str, shell: str) -> None:
        """Let one job, once, run a piece of shell before its work."""
        file = self.folder / "faults" / job
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"echo $SLURM_JOB_ID > {job}.number\n{shell}\n")

    def hold(self, job: str) -> None:
        """Let one job, once, wait until it is released."""
        self.fault(job, f"until [ -e {job}.released ]; do sleep 0.2; done")

    def release(self, job: str) -> None:
        """Let a held job continue."""
        (self.folder / f"{job}.released").touch()

    def struck(self, job: str) -> str:
        """Return the SLURM number of the job whose fault has started, or nothing."""
        file = self.folder / f"{job}.number"
        return file.read_text().strip() if file.exists() else ""

    @property
    def results(self) -> dict[str, bytes]:
        """Every result file with its content."""
        return contents(self.folder / "results")

    @property
    def ended(self) -> Counter[str]:
        """How often each job passed its fault and did its work."""
        lines = (self.folder / "jobs.txt").read_text().splitlines()
        return Counter(line.split()[0] for line in lines)


SCRIPTS = {
    "THYROCAST_SCRIPTS": str(ROOT / "workflow" / "lib"),
    "PYTHONPATH": str(ROOT / "workflow" / "lib"),
}


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder with its content."""
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file() and not file.name.startswith(".")
    }


def message(output: str, job: str) -> str:
    """Return what the summary at the end of a run says about one job that failed."""
    summary = output.rpartition(" failed:\n")[2]
    about = re.findall(rf"^  {re.escape(job)}: .*\n(?:    .*\n)*", summary, re.M)
    assert len(about) == 1, f"{len(about)} messages about {job}:\n{output[-6000:]}"
    return about[0]


@pytest.fixture
def toy(tmp_path: Path, cluster: Cluster) -> Iterator[Toy]:
    """The miniature study, not yet run."""
    yield from furnished(tmp_path, cluster)


def furnished(folder: Path, cluster: Cluster) -> Iterator[Toy]:
    """Copy the miniature study into a folder; end its runs and jobs afterwards."""
    shutil.copytree(TOY, folder, dirs_exist_ok=True)
    study = Toy(folder, cluster)
    yield study
    for run in study.runs:
        if run.process.poll() is None:
            run.kill()
    cluster.command("scancel", "--user=root", check=False)


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The results of the miniature study without faults, run without a cluster."""
    folder = tmp_path_factory.mktemp("undisturbed")
    shutil.copytree(TOY, folder, dirs_exist_ok=True)
    subprocess.run(
        [sys.executable, "-m", "snakemake", "--cores", "2", "--quiet", "all"],
        cwd=folder,
        env=os.environ | SCRIPTS | {"TOY_EPOCH_SECONDS": "0"},
        check=True,
    )
    return contents(folder / "results")
