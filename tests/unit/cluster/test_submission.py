"""What a job asks for, and what becomes of a submission that gets no answer."""

import subprocess
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from snakemake.iocontainers import Namedlist
from snakemake_executor_plugin_slurm import Executor as Plugin
from snakemake_executor_plugin_slurm import ExecutorSettings
from snakemake_interface_executor_plugins.executors.base import SubmittedJobInfo

from tests.unit.cluster.executors import bare, submitted
from thyrocast.cluster import queue
from thyrocast.cluster.executor import Executor


def test_a_later_attempt_asks_for_no_more_than_its_partition_allows(
    answers: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers(sinfo="printf 'cpu*|1-00:00:00|8000\\ncpu*|1-00:00:00|4000\\nurgent|1:00:00|4000\\n'")
    asked = []
    monkeypatch.setattr(
        Plugin,
        "run_job",
        lambda self, job: asked.append(
            (self.get_partition_arg(job), job.resources.runtime, job.resources.mem_mb)
        ),
    )
    ours = bare(Executor, tmp_path)
    ours._partitions, ours._fallback_partition, ours._earlier = None, "cpu", {}

    def attempts(partition: str, runtime: int, memory: int) -> list[tuple[int, int]]:
        asked.clear()
        ours._earlier.clear()
        for attempt in (1, 2, 3):
            job = submitted(tmp_path).job
            factor = 2 ** (attempt - 1)
            named = {"runtime": runtime * factor, "mem_mb": memory * factor}
            job.attempt, job.resources = attempt, Namedlist(fromdict=named)
            if partition:
                job.resources.slurm_partition = partition
            ours.run_job(job)
        return [(minutes, megabytes) for _, minutes, megabytes in asked]

    assert attempts("", 30, 3000) == [(30, 3000), (60, 6000), (120, 8000)]
    assert attempts("urgent", 40, 1000) == [(40, 1000), (60, 2000), (60, 4000)]
    assert len(ours.logger.lines) == 3
    assert "attempt 2 of fit would ask for 80 minutes" in ours.logger.lines[1].lower()
    # a first request above the limit is the user's mistake, which SLURM's refusal names
    assert attempts("urgent", 90, 1000) == [(90, 1000), (180, 2000), (360, 4000)]
    # the limits of a partition that is not known are not guessed
    assert attempts("elsewhere", 40, 1000)[-1] == (160, 4000)
    ours._clusters.add("another")
    assert attempts("urgent", 40, 1000)[-1] == (160, 4000)
    ours._clusters.clear()
    answers(sinfo="exit 1")
    assert attempts("urgent", 40, 1000)[-1] == (160, 4000)


TIMED_OUT = "sbatch: error: Batch job submission failed: Socket timed out on send/recv operation"


@dataclass
class Trial:
    """An executor whose first submissions fail, and the commands of its jobs."""

    executor: Any
    job: Any
    message: str = TIMED_OUT
    commands: list[str] = field(default_factory=list)

    def run(self, message: str = TIMED_OUT) -> list[tuple[str, str]]:
        """Submit the job; return what the executor reported."""
        self.message = message
        self.commands.clear()
        self.executor.ended.clear()
        self.executor.run_job(self.job)
        return list(self.executor.ended)

    def submit(self, job: Any) -> None:
        """Stand in for the plugin: two submissions fail, the third one does not."""
        self.commands.append(f"{self.executor.get_job_exec_prefix(job)} && echo work")
        info = SubmittedJobInfo(job)
        if len(self.commands) < 3:
            said = f"SLURM sbatch failed. The error: {self.message}"
            self.executor._report_job_error_threadsafe(info, said)
        else:
            info.external_jobid = "9"
            self.executor._report_job_submission_threadsafe(info)

    @property
    def work(self) -> list[bool]:
        """Whether each of the submitted jobs would do its work."""
        shells = (["sh", "-c", command] for command in self.commands)
        return ["work" in subprocess.run(s, capture_output=True, text=True).stdout for s in shells]


@pytest.fixture
def trial(answers: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Trial:
    job = submitted(tmp_path).job
    job.wildcards = ["full"]  # iterates over values, as Snakemake's
    made = Trial(bare(Executor, tmp_path, init_seconds_before_status_checks=0), job)
    monkeypatch.setattr(Plugin, "run_job", lambda _, job: made.submit(job))
    made.executor.get_job_exec_suffix(job)  # makes the folder of marks, as in a real submission
    return made


def test_a_submission_that_slurm_did_not_accept_is_made_again(answers: Any, trial: Trial) -> None:
    """An earlier attempt's number is no answer, nor is a job of another member."""
    trial.executor._numbers.add("5")
    answers(squeue="printf '5|rule_fit_wildcards_full\\n6|rule_fit_wildcards_fold-1\\n'")
    assert trial.run() == [("9", "submitted")]
    assert trial.work == [False, False, True]
    assert "Submitting fit again" in trial.executor.logger.lines[0]


def test_a_submission_that_slurm_accepted_is_followed(answers: Any, trial: Trial) -> None:
    answers(squeue="[ -e answers ] || { touch answers; exit 1; }; echo '7|rule_fit_wildcards_full'")
    assert trial.run() == [("7", "submitted")]
    assert trial.work == [True]
    assert any("SLURM does not answer" in line for line in trial.executor.logger.lines)


def test_of_two_submissions_without_an_answer_none_is_followed(
    answers: Any, trial: Trial, tmp_path: Path
) -> None:
    """SLURM accepts one of them; which one is not known."""
    trial.executor._unclear[trial.job.jobid] = 1
    answers(squeue="echo '8|rule_fit_wildcards_full'", scancel="echo $1 >> cancelled")
    assert trial.run() == [("9", "submitted")]
    assert (tmp_path / "cancelled").read_text() == "8\n"
    assert trial.work == [False, False, True]


def test_a_submission_that_fails_for_good_is_reported(answers: Any, trial: Trial) -> None:
    refused = "sbatch: error: Batch job submission failed: Invalid account"
    assert "Invalid account" in trial.run(refused)[-1][1]
    # the run ends while SLURM does not answer
    answers(squeue="exit 1")
    trial.executor._ending.set()
    gone = "sbatch: error: Unable to contact slurm controller (connect failure)"
    assert "Unable to contact" in trial.run(gone)[-1][1]
    assert trial.work == [False]


@pytest.mark.parametrize(
    ("message", "unclear"),
    [
        (
            "SLURM sbatch failed. The error message was 'Killed'.\n    sbatch call:\n  sbatch -p cpu",
            True,
        ),
        ("SLURM sbatch failed. The error message was ''.\n    sbatch call:\n  sbatch -p cpu", True),
        ("SLURM sbatch failed. The error message was 'sbatch: error: Invalid qos'.", False),
        ("SLURM sbatch failed. The error message was 'sbatch: error: Connection refused'.", True),
        (
            "Job submission failed with exception: Multiple possible SLURM job IDs found in: 7 8",
            True,
        ),
        ("Job submission failed with exception: The given account x appears to be invalid.", False),
    ],
)
def test_a_job_may_be_accepted_unless_sbatch_said_that_it_is_not(
    message: str, unclear: bool
) -> None:
    assert queue.may_be_accepted(message) is unclear


def test_plugin_takes_a_job_for_failed_if_sbatch_prints_more_than_its_number(
    answers: Any, tmp_path: Path
) -> None:
    """A site's banner, for example; SLURM has accepted the job, and a second one would write its files."""
    answers(
        sbatch="echo 'Hydra 3: 1500 h left'; echo 9",
        squeue="echo '9|rule_fit_wildcards_full'",
        sinfo="echo 'cpu*'",
    )
    for kind, end in ((Plugin, "Multiple possible SLURM job IDs"), (Executor, "submitted")):
        instance = bare(kind, tmp_path)
        settings = ExecutorSettings(init_seconds_before_status_checks=1)
        instance.workflow = SimpleNamespace(executor_settings=settings, workdir_init=tmp_path)
        instance._failed_nodes, instance._partitions, instance._main_event_loop = set(), None, None
        instance._fallback_account_arg, instance._fallback_partition = "", "cpu"
        instance.format_job_exec = lambda job: "true"
        job = submitted(tmp_path).job
        job.wildcards, job.rule = ["full"], job
        job.resources = Namedlist(fromdict={"runtime": 1, "mem_mb": 600})
        job.threads = 1
        if kind is Executor:
            instance.get_job_exec_suffix(job)
        instance.run_job(job)
        assert end in instance.ended[-1][1], instance.ended


def test_a_run_that_is_stopped_submits_nothing_more_and_cancels_all_its_jobs(
    answers: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also a job that is being submitted, or looked at: Snakemake's list does not contain them."""
    answers(scancel='echo "$*" > cancelled')
    ours = bare(Executor, tmp_path)
    started, release = threading.Event(), threading.Event()
    done: list[str] = []

    def slowly(self: Any, job: Any) -> None:
        started.set()
        release.wait(10)
        done.append(job.name)

    monkeypatch.setattr(Plugin, "run_job", slowly)
    with ThreadPoolExecutor(1) as ours._job_submission_executor:
        for name in ("first", "second"):
            job = submitted(tmp_path).job
            job.name = name
            ours._job_submission_executor.submit(ours.run_job, job)
        started.wait(10)
        threading.Timer(0.1, release.set).start()
        ours.cancel_jobs([])
    assert done == ["first"]
    assert (tmp_path / "cancelled").read_text() == "--name=thyrocast_run\n"
    assert not ours.logger.lines
    answers(scancel="exit 1")
    with ThreadPoolExecutor(1) as ours._job_submission_executor:
        ours.cancel_jobs([])
    assert "make resume CANCEL=1" in ours.logger.lines[0]


@pytest.mark.parametrize(
    "reason",
    [
        "AssocMaxSubmitJobLimit\nsbatch: error: Batch job submission failed: Job violates accounting/QOS policy",
        "Batch job submission failed: Required partition not available (inactive or drain)",
    ],
)
def test_a_full_queue_and_a_partition_in_maintenance_are_waited_for(
    answers: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reason: str
) -> None:
    """Jobs of another study, or of another program, count for the limit of submitted jobs too."""
    full = f"SLURM sbatch failed. The error message was 'sbatch: error: {reason}'"
    ours = bare(Executor, tmp_path, init_seconds_before_status_checks=0)
    refused: list[str] = []

    def twice_full(self: Any, job: Any) -> None:
        info = SubmittedJobInfo(job, "9")
        if len(refused) < 2:
            refused.append(full)
            self._report_job_error_threadsafe(info, full)
        else:
            self._report_job_submission_threadsafe(info)

    monkeypatch.setattr(Plugin, "run_job", twice_full)
    job = submitted(tmp_path).job
    # One thread is enough: a job that is refused does not keep others from being submitted.
    with ThreadPoolExecutor(1) as ours._job_submission_executor:
        ours.run_job(job)
        until(lambda: ours.ended)
    assert ours.ended == [("9", "submitted")]
    assert len(ours.logger.lines) == 1
    assert reason.splitlines()[0] in ours.logger.lines[0]
    # the run is stopped meanwhile
    refused.clear()
    ours._ending.set()
    job.wildcards = []
    ours.get_job_exec_suffix(job)
    ours.run_job(job)
    until(lambda: len(ours.ended) > 1)
    assert reason.splitlines()[0] in ours.ended[-1][1]


def until(ready: Callable[[], object]) -> None:
    """Wait for another thread."""
    end = time.monotonic() + 20
    while not ready():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_an_error_while_a_job_is_submitted_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk is full, for example; Snakemake would wait forever for a job that nobody reports."""
    ours = bare(Executor, tmp_path)

    def fails(self: Any, job: Any) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(Executor, "_limit_request", fails)
    ours.run_job(submitted(tmp_path).job)
    assert "No space left on device" in ours.ended[-1][1]


def test_the_failure_of_an_array_is_reported(tmp_path: Path) -> None:
    ours = bare(Executor, tmp_path)
    info = SubmittedJobInfo(submitted(tmp_path).job)
    ours._report_job_error_threadsafe(info, "SLURM sbatch failed. The error message was ''.")
    assert len(ours.ended) == 1
