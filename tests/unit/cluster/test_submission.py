"""What a job asks for, and what becomes of a submission that gets no answer."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
from snakemake.iocontainers import Namedlist
from snakemake_executor_plugin_slurm import Executor as Plugin

from tests.unit.cluster.executors import bare, submitted
from thyrocast.cluster import executor
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


def test_a_submission_without_an_answer_is_found_or_made_again(
    answers: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Never two jobs that both do their work."""
    message = "sbatch: error: Batch job submission failed: Socket timed out on send/recv operation"
    ours = bare(Executor, tmp_path, init_seconds_before_status_checks=0)
    commands: list[str] = []

    def times_out(self: Any, job: Any) -> None:
        commands.append(f"{self.get_job_exec_prefix(job)} && echo work")
        info = executor.SubmittedJobInfo(job)
        if len(commands) < 3:
            self._report_job_error_threadsafe(info, f"SLURM sbatch failed. The error: {message}")
        else:
            info.external_jobid = "9"
            self._report_job_submission_threadsafe(info)

    monkeypatch.setattr(Plugin, "run_job", times_out)
    job = submitted(tmp_path).job
    job.wildcards = ["full"]  # iterates over values, as Snakemake's
    ours.get_job_exec_suffix(job)  # makes the folder of marks, as in a real submission
    # an earlier attempt's number is no answer, nor is a job of another member
    ours._numbers.add("5")
    answers(squeue="printf '5|rule_fit_wildcards_full\\n6|rule_fit_wildcards_fold-1\\n'")
    ours.run_job(job)
    assert ours.ended == [("9", "submitted")]

    def does_work(command: str) -> bool:
        return (
            "work" in subprocess.run(["sh", "-c", command], capture_output=True, text=True).stdout
        )

    assert [does_work(command) for command in commands] == [False, False, True]

    commands.clear()
    ours.ended.clear()
    answers(squeue="[ -e answers ] || { touch answers; exit 1; }; echo '7|rule_fit_wildcards_full'")
    ours.run_job(job)
    assert ours.ended == [("7", "submitted")]
    assert len(commands) == 1
    assert "SLURM does not answer" in ours.logger.lines[0]

    # refused for another reason
    message = "sbatch: error: Batch job submission failed: Invalid account"
    commands.clear()
    ours.run_job(job)
    assert "Invalid account" in ours.ended[-1][1]

    # the run ends while SLURM does not answer
    message = "sbatch: error: Unable to contact slurm controller (connect failure)"
    commands.clear()
    answers(squeue="exit 1")
    ours._ending.set()
    ours.run_job(job)
    assert "Unable to contact" in ours.ended[-1][1]
    assert not does_work(commands[0])
