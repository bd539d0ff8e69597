"""Two users of a group run one study in turns, as docs/hpc.md says."""

import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import yaml

from tests.conftest import ROOT, require
from thyrocast.contract import io
from thyrocast.contract.cohort import COHORT

GROUP = 64_000
COHORT_FILE = "results/smoke/cohort/cohort.csv"
SPLITS_FILE = "results/smoke/splits.csv"
# The interpreter may be in a folder of root's own. Then the users may read everything, and what they can
# read is judged by the modes of the files; writing is judged by the system in any case.
READER = ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]


@dataclass(frozen=True)
class User:
    """A user of this machine without an account: a number, a group of the same number, a home."""

    number: int
    home: Path
    folder: Path
    umask: int = 0o002

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start a command in the study's folder."""
        identity = [f"--reuid={self.number}", f"--regid={self.number}", f"--groups={GROUP}"]
        return subprocess.Popen(
            ["setpriv", *identity, *READER, *words],
            cwd=self.folder,
            env={
                "PATH": f"{self.home.parent}:{Path(sys.executable).parent}:/usr/bin:/bin",
                "HOME": str(self.home),
                "USER": f"user{self.number}",
                "COLUMNS": "200",
                "OMP_NUM_THREADS": "1",
            },
            umask=self.umask,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, *words: str) -> tuple[bool, str]:
        """Run a command; return whether it succeeded, and all its output."""
        run = self.start(*words)
        output, _ = run.communicate(timeout=300)
        return run.returncode == 0, output

    def snakemake(self, *words: str) -> tuple[bool, str]:
        """Run Snakemake as the user would."""
        return self.run(sys.executable, "-m", "snakemake", "--cores", "2", *words)

    def succeeds(self, *words: str) -> str:
        """Run Snakemake; return its output."""
        success, output = self.snakemake(*words)
        assert success, output[-6000:]
        return output


def documented() -> str:
    """The commands of docs/hpc.md that give a study to a group."""
    text = (ROOT / "docs" / "hpc.md").read_text()
    block = re.search(r"```\n(chgrp -R nucmed .*?)```", text, re.S)
    assert block, "docs/hpc.md does not say how a group shares a study"
    return block[1].replace("nucmed", str(GROUP))


@pytest.fixture(scope="module")
def folder(smoke_data: Path) -> Iterator[Path]:
    """A clone of the project with data of two centers, in a folder that every user can enter."""
    require(os.geteuid() == 0 and shutil.which("setpriv"), "needs the right to become another user")
    with tempfile.TemporaryDirectory(prefix="two users ") as name:
        outside = Path(name)
        outside.chmod(0o755)
        project = outside / "study"
        for part in ("workflow", "config", "envs", "profiles"):
            shutil.copytree(
                ROOT / part, project / part, ignore=shutil.ignore_patterns("__pycache__")
            )
        shutil.copy(ROOT / "Snakefile", project)
        shutil.copytree(smoke_data, project / "data")
        config = yaml.safe_load((ROOT / "config" / "smoke.yaml").read_text())
        config["centers"] = [center for center in config["centers"] if center["name"] != "beta"]
        config |= {"patients_per_job": 100, "designs": ["external"]}
        (project / "config" / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
        squeue = outside / "squeue"  # of a cluster on which nothing runs
        squeue.write_text("#!/bin/sh\n")
        squeue.chmod(0o755)
        yield project


@pytest.fixture(scope="module")
def users(folder: Path) -> tuple[User, User]:
    """Two users; everything belongs to the first one, who worked alone so far."""
    first, second = (
        User(number, folder.parent / f"home{number}", folder) for number in (64_001, 64_002)
    )
    for user in (first, second):
        user.home.mkdir(mode=0o700)
        os.chown(user.home, user.number, user.number)
    for path in (folder, *folder.rglob("*")):
        os.chown(path, first.number, first.number)
    return first, second


def unshared(folder: Path) -> list[str]:
    """Files and folders that a member of the group cannot read or cannot write."""
    wrong = []
    for path in (folder, *folder.rglob("*")):
        status = path.lstat()
        # nobody else needs what a killed Snakemake leaves in its folder of scripts
        if path.is_symlink() or path.parent.name in ("__pycache__", "scripts"):
            continue
        needed = 0o070 if path.is_dir() else 0o060
        if path.name == "key":
            needed = 0o040
        if status.st_gid != GROUP or status.st_mode & needed != needed:
            wrong.append(f"{stat.filemode(status.st_mode)} {status.st_gid} {path}")
    return wrong


def rules(output: str) -> set[str]:
    """Rules of which a run had a job."""
    return set(re.findall(r"^(?:local)?rule (\w+):$", output, re.M))


def interrupted(user: User, marker: Path, *words: str) -> None:
    """Kill a user's Snakemake and its jobs, as a power cut would, as soon as a file appears."""
    marker.unlink(missing_ok=True)
    run = user.start(sys.executable, "-m", "snakemake", "--cores", "1", *words)
    end = time.monotonic() + 120
    while not marker.exists() and run.poll() is None and time.monotonic() < end:
        time.sleep(0.05)
    assert run.poll() is None, run.communicate()[0]
    os.killpg(run.pid, signal.SIGKILL)
    run.communicate()


def test_two_users_run_a_study_in_turns(folder: Path, users: tuple[User, User]) -> None:
    first, second = users
    alone = replace(first, umask=0o022)
    alone.succeeds("results/smoke/cohort/alpha/register.csv")
    ledger = first.home / ".config" / "thyrocast" / "pseudonym.key.exchanged.jsonl"
    ledger.touch(mode=0o600)
    os.chown(ledger, first.number, first.number)
    # now the first one shares what there is
    success, output = first.run("bash", "-ec", documented())
    assert success, output
    config = folder / "config" / "config.yaml"
    config.write_text(config.read_text() + "\npseudonym_key: .thyrocast/key\n")
    assert (folder / ".thyrocast" / "key.exchanged.jsonl").exists()
    assert unshared(folder) == []

    # loses the next run, and the second one resumes it
    interrupted(first, folder / "results/smoke/logs/standardize_images/alpha/0001.log", COHORT_FILE)
    script = str(folder / "workflow" / "scripts" / "resume.py")
    success, output = second.run(sys.executable, script, "--cores", "2", "--", COHORT_FILE)
    assert success, output[-6000:]
    assert "alpha/register.csv" not in re.sub(r"input: .*", "", output), "the key only moved"
    assert unshared(folder) == []
    cohort = io.read(COHORT, folder / COHORT_FILE)

    # the first one corrects a table: jobs write again what the second one wrote
    table = folder / "data" / "smoke" / "alpha" / "clinical.csv"
    table.write_text(table.read_text() + "\n")
    output = first.succeeds(SPLITS_FILE)
    assert {"register_center", "assemble_cohort", "make_splits"} <= rules(output)
    assert unshared(folder) == []
    again = io.read(COHORT, folder / COHORT_FILE)
    assert again["patient"].to_list() == cohort["patient"].to_list()


def test_a_user_with_another_key_is_stopped_before_any_job(
    folder: Path, users: tuple[User, User]
) -> None:
    before = {path: path.stat().st_mtime_ns for path in (folder / "results").rglob("*")}
    second = users[1]
    key = second.home / "key"
    key.write_text("here is another secret of mine\n")
    for path, said in (
        (key, "has fingerprint"),
        (key.with_name("none"), "there is no pseudonym key"),
    ):
        success, output = second.snakemake("--config", f"pseudonym_key={path}", "--", SPLITS_FILE)
        assert not success
        assert said in " ".join(output.split())
        assert not rules(output)
    assert {path: path.stat().st_mtime_ns for path in (folder / "results").rglob("*")} == before


def test_a_user_whose_files_the_group_could_not_change_is_stopped(users: tuple[User, User]) -> None:
    careless = replace(users[1], umask=0o022)
    success, output = careless.snakemake("--forcerun", "make_splits", "--", SPLITS_FILE)
    assert not success
    assert "run `umask 002`" in " ".join(output.split())
    assert not rules(output)
