"""Jobs in SLURM's queue and the Snakemake that controls them."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from snakemake_interface_common.exceptions import WorkflowError

from tests.conftest import ROOT
from thyrocast.cluster import queue, resume, slurm
from thyrocast.planning import controller

Answer = Callable[[str, str], None]


@pytest.fixture
def answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Answer:
    """Programs of SLURM that print what a test says."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")

    def write(program: str, body: str) -> None:
        file = tmp_path / "bin" / program
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"#!/bin/sh\n{body}\n")
        file.chmod(0o755)

    return write


def test_a_machine_without_slurm_is_reported_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(RuntimeError, match="squeue is not on the path"):
        queue.jobs(".")
    assert queue.states("run") is None
    assert queue.look_up("1") is None


def test_jobs_of_other_projects_are_left_alone(tmp_path: Path, answer: Answer) -> None:
    lines = [
        f"7|RUNNING|thyrocast_abc|rule_train_network_wildcards_full|{tmp_path}",
        f"8|PENDING|other_abc|rule_train_network|{tmp_path}",
        "9|RUNNING|thyrocast_abc|rule_train_network|/elsewhere",
    ]
    lines.append("10|RUNNING|caf\\351|not in UTF-8|/elsewhere")
    answer("squeue", f"printf '{chr(10).join(lines)}'")
    found = queue.jobs(tmp_path)
    assert found == [queue.Job("7", "RUNNING", "abc", "train_network full")]
    assert queue.listed(found * 9, most=2).endswith(" and 7 more")


def test_jobs_of_a_study_are_those_of_its_runs_and_of_unknown_runs(
    tmp_path: Path, answer: Answer
) -> None:
    lines = [f"{n}|RUNNING|thyrocast_{run}|rule_fit|{tmp_path}" for n, run in enumerate("abc")]
    answer("squeue", "cat <<END\n" + "\n".join(lines) + "\nEND")
    controller.write("east", "", "a")
    controller.write("west", "", "b")
    assert [job.run for job in slurm.jobs_of_study(tmp_path, "east")] == ["a", "c"]
    assert [job.run for job in slurm.jobs_of_study(tmp_path, "west")] == ["b", "c"]


def test_states_are_words_with_the_reason_of_a_pending_job(answer: Answer) -> None:
    answer("squeue", "printf '7|PENDING|Priority\\n8|CANCELLED by 0|None\\nCLUSTER: a\\n'")
    assert queue.states("run") == {
        "7": queue.Seen("PENDING", "Priority"),
        "8": queue.Seen("CANCELLED", "None"),
    }
    answer("squeue", "echo slurm_load_jobs error: Unable to contact slurm controller >&2; exit 1")
    assert queue.states("run") is None


def test_a_job_that_left_the_queue_is_looked_up_in_the_accounting(answer: Answer) -> None:
    answer("scontrol", "echo 'slurm_load_jobs error: Invalid job id specified' >&2; exit 1")
    answer("sacct", "exit 1")
    assert queue.look_up("7") is None
    answer("sacct", "echo RUNNING")  # for ever, if the controller has lost the job
    assert queue.look_up("7") is None
    answer("sacct", "printf 'PREEMPTED\\nCANCELLED by 1000\\n'")  # requeued once
    assert queue.look_up("7") == queue.Seen("CANCELLED")
    answer("scontrol", "echo 'JobId=7 JobName=x JobState=NODE_FAIL Reason=NodeDown Dependency=x'")
    assert queue.look_up("7") == queue.Seen("NODE_FAIL", "NodeDown")
    answer(
        "scontrol", "echo 'slurm_load_jobs error: Unable to contact slurm controller' >&2; exit 1"
    )
    assert queue.look_up("7") is queue.NO_ANSWER


def test_a_controller_elsewhere_may_be_alive_and_one_that_ended_here_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert slurm.living_controller("study") == ""
    controller.write("study", "config")
    assert slurm.living_controller("study") == ""  # this process is not Snakemake
    file = controller.record("study")
    file.write_text(file.read_text().replace(socket.gethostname(), "elsewhere"))
    assert "elsewhere, which cannot be seen from here" in slurm.living_controller("study")
    assert slurm.living_controller("other study") == ""


def test_a_snakemake_of_another_user_may_be_alive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder of another user's process is hidden, and on some machines so is the process."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "snakemake").write_text("import time\nprint(1, flush=True)\ntime.sleep(60)\n")
    (tmp_path / "elsewhere").mkdir()

    def started(folder: Path) -> subprocess.Popen[bytes]:
        command = [sys.executable, tmp_path / "snakemake"]
        process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()  # its command line is empty until it was started
        return process

    def hidden(path: Path) -> str:
        raise PermissionError(13, "Permission denied")

    with started(tmp_path) as here, started(tmp_path / "elsewhere") as other:
        assert slurm._is_snakemake(here.pid)
        assert not slurm._is_snakemake(other.pid)
        monkeypatch.setattr(os, "readlink", hidden)
        assert slurm._is_snakemake(other.pid)
        here.kill()
        other.kill()
    assert not slurm._is_snakemake(here.pid)


def test_a_path_that_jobs_do_not_quote_is_named(tmp_path: Path, answer: Answer) -> None:
    assert slurm.unquotable("/data/Müller's Graves study (1) & more|all") == ""
    assert 'contains " $' in slurm.unquotable('/data/"$HOME"')
    odd = tmp_path / "a|b"
    odd.mkdir()
    answer("squeue", f"echo '7|RUNNING|thyrocast_abc|rule_fit|{odd}'")
    assert [job.number for job in queue.jobs(odd)] == ["7"]


def test_a_killed_run_of_another_user_whose_jobs_are_hidden_is_not_continued(
    tmp_path: Path, answer: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer("scontrol", "echo 'PrivateData = accounts,jobs'")
    answer("squeue", "exit 0")
    controller.write("study", "", "abc")
    other = controller.record("study").stat().st_uid + 1
    monkeypatch.setattr(os, "getuid", lambda: other)
    assert slurm.hidden_run("study") == ""  # it ended, or has submitted nothing
    ends = queue.ENDS / "thyrocast_abc"
    ends.mkdir(parents=True)
    assert "--name=thyrocast_abc" in slurm.hidden_run("study")
    workflow = SimpleNamespace(executor_settings=None, workdir_init=tmp_path)
    with pytest.raises(WorkflowError, match="was another user's"):
        slurm.begin(cast("Any", workflow), "study")
    monkeypatch.setattr(sys, "argv", ["resume.py", "--profile", str(ROOT / "profiles" / "slurm")])
    with pytest.raises(SystemExit, match="was another user's"):
        resume.main()
    answer("scontrol", "echo 'PrivateData = none'")
    assert slurm.hidden_run("study") == ""
    answer("scontrol", "echo 'PrivateData = all'")
    monkeypatch.setattr(os, "getuid", lambda: other - 1)
    assert slurm.hidden_run("study") == ""


def test_jobs_that_cannot_be_cancelled_are_named(
    tmp_path: Path, answer: Answer, capsys: pytest.CaptureFixture[str]
) -> None:
    answer("squeue", f"echo '7|RUNNING|thyrocast_abc|rule_fit|{tmp_path}'")
    answer("scancel", "echo 'Access/permission denied' >&2; exit 1")
    with pytest.raises(SystemExit, match=r"fit \(SLURM 7, RUNNING\) \(Access/permission denied\)"):
        resume.wait(tmp_path, "", cancel=True, seconds=0)


def test_a_wait_without_change_says_so_every_few_minutes(
    capsys: pytest.CaptureFixture[str],
) -> None:
    clock = [0.0]
    progress = resume._Progress(now=lambda: clock[0])
    for second in range(0, 1300, 100):
        clock[0] = second
        progress.say("Waiting for 2 jobs" if second < 1200 else "Waiting for 1 jobs")
    assert capsys.readouterr().out.splitlines() == [
        "Waiting for 2 jobs",
        "Waiting for 2 jobs (unchanged for 5 min)",
        "Waiting for 2 jobs (unchanged for 10 min)",
        "Waiting for 2 jobs (unchanged for 15 min)",
        "Waiting for 1 jobs",
    ]


def test_a_frozen_scheduler_is_named_by_resume_and_refuses_a_start(
    tmp_path: Path,
    answer: Answer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """As while slurmctld is stopped: a query gets neither an answer nor an error."""
    answer("squeue", "[ -e asked ] || { touch asked; exec sleep 60; }")
    monkeypatch.setattr(queue, "PATIENCE_S", 0.2)
    resume.wait(tmp_path, "east", cancel=False, seconds=0)
    assert "squeue does not answer within 0.2 s; asking again" in capsys.readouterr().out
    (tmp_path / "asked").unlink()
    with pytest.raises(RuntimeError, match=r"does not answer within 0\.2 s"):
        slurm.jobs_of_study(tmp_path, "east", 0.2)


def test_the_reason_of_a_config_error_is_shown_by_resume(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "Snakefile").write_text(
        "from snakemake.exceptions import WorkflowError\n"
        'raise WorkflowError("key folds: 1, expected at least 2")\n'
    )
    command = resume.read_command(["--cores", "1"])
    with pytest.raises(SystemExit, match=r"(?s)key folds: 1, expected.*Nothing was resumed\."):
        resume.adopt(command)
