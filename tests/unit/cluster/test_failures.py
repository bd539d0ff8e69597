"""The summary at the end of a failed run."""

from pathlib import Path

import pytest

from thyrocast.cluster import failures

LOG = """\
rule standardize_images:
    output: results/cohort/north/jobs/0001.npz
    log: {logs}/north.log
    jobid: 4
    wildcards: center=north, job=0001
rule train_network:
    output: results/full/weights.safetensors
    log: {logs}/full.log
    jobid: 7
    wildcards: design=loco, split=north, member=full
Job 4 has been submitted with SLURM jobid 11 (log: {logs}/11.log).
Error in rule standardize_images:
    message: SLURM-job '11' failed, SLURM status is: 'FAILED'. Detailed failure reason unavailable (status command is not 'sacct').For further error details see the cluster/cloud log and the log files of the involved rule(s).
    jobid: 4
    output: results/cohort/north/jobs/0001.npz
    log: {logs}/north.log, {logs}/11.log (check log file(s) for error details)
    external_jobid: 11
Trying to restart job 4.
rule standardize_images:
    jobid: 4
    wildcards: center=north, job=0001
Error in rule train_network:
    message: None
    jobid: 7
    log: {logs}/full.log (check log file(s) for error details)
Error in rule standardize_images:
    message: SLURM-job '12' failed, SLURM status is: 'TIMEOUT'. For further error details see the log.
    jobid: 4
    log: {logs}/north.log, {logs}/12.log (check log file(s) for error details)
{end}"""


def log(folder: Path, end: str = "") -> list[str]:
    (folder / "north.log").write_text("".join(f"line {n}\n" for n in range(100)))
    (folder / "12.log").write_text(
        "Building DAG of jobs...\nWorkflowError:\n"
        "slurmstepd: error: *** JOB 12 CANCELLED DUE TO TIME LIMIT ***\n"
    )
    file = folder / "run.log"
    file.write_text(LOG.format(logs=folder, end=end))
    return [str(file)]


def test_every_job_that_failed_in_all_attempts_is_listed_once(tmp_path: Path) -> None:
    text = failures.describe(log(tmp_path))
    assert text.startswith("2 jobs failed:\n")
    assert text.count("standardize_images center=north, job=0001:") == 1
    assert "SLURM status is: 'TIMEOUT'." in text
    assert "Detailed failure reason" not in text
    # the end of the rule's log, and of SLURM's log only the lines that are not in every log
    assert "line 99" in text
    assert "line 90" not in text
    assert "CANCELLED DUE TO TIME LIMIT" in text
    assert "WorkflowError" not in text
    assert "train_network design=loco, split=north, member=full: see its log" in text


def test_a_job_that_succeeded_in_a_retry_is_not_listed(tmp_path: Path) -> None:
    text = failures.describe(log(tmp_path, "Finished jobid: 4 (Rule: standardize_images)\n"))
    assert text.startswith("1 job failed:\n")
    assert "standardize_images" not in text


@pytest.mark.parametrize("content", ["", "Nothing to be done\n"])
def test_a_run_without_failed_jobs_prints_nothing(tmp_path: Path, content: str) -> None:
    file = tmp_path / "run.log"
    file.write_text(content)
    assert failures.describe([str(file)]) == ""


def test_a_quiet_run_says_how_to_find_the_reason(tmp_path: Path) -> None:
    file = tmp_path / "run.log"
    file.write_text("Exiting because a job execution failed. Look above for error messages\n")
    assert "without --quiet" in failures.describe([str(file)])


def test_a_log_of_an_earlier_run_is_not_quoted(tmp_path: Path) -> None:
    """On a read-only disk a job cannot write its log, and the old one is about something else."""
    (name,) = log(tmp_path)
    later = Path(name).rename(tmp_path / "2099-01-01T000000.000000.snakemake.log")
    text = failures.describe([str(later)])
    assert "north.log (not written in this run)" in text
    assert "line 99" not in text


def test_the_reason_of_a_killed_job_is_quoted(tmp_path: Path) -> None:
    files = log(tmp_path)
    reason = "Command 'set -euo pipefail; python train.py' died with <Signals.SIGKILL: 9>."
    (tmp_path / "12.log").write_text(f"Command 'x' returned non-zero exit status 1.\n{reason}\n")
    text = failures.describe(files)
    assert "died with <Signals.SIGKILL: 9>" in text
    assert "non-zero exit status" not in text
