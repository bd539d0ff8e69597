"""What the SLURM plugin gets wrong, and that the executor used here does not.

A test named `test_plugin_...` fails as soon as the plugin has mended a fault: remove the method that
replaces it from `thyrocast.cluster.executor`, and the test.
"""

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import snakemake_executor_plugin_slurm as package
from snakemake_executor_plugin_slurm import Executor as Plugin
from snakemake_executor_plugin_slurm_jobstep import Executor as PluginJobstep
from snakemake_interface_common.exceptions import WorkflowError
from snakemake_interface_executor_plugins.registry import ExecutorPluginRegistry

from tests.conftest import ROOT
from tests.unit.cluster.executors import bare, submitted
from thyrocast.cluster import plugin, queue, slurm
from thyrocast.cluster.executor import Executor, Jobstep
from thyrocast.log import FINAL


def check(instance: Any, jobs: list[Any], looks: int = 1) -> list[Any]:
    """Let an executor look at its jobs several times; return those that it still waits for."""

    async def collect(active: list[Any]) -> list[Any]:
        found: AsyncIterator[Any] = instance.check_active_jobs(active)
        return [job async for job in found]

    # In a thread of its own, as in a run; this one may have an event loop of another test.
    with ThreadPoolExecutor(1) as thread:
        for _ in range(looks):
            jobs = thread.submit(asyncio.run, collect(jobs)).result()
    return jobs


UNTESTED = """
import sys
from importlib import metadata
from types import ModuleType

real = metadata.version
metadata.version = lambda name: "2.10.1" if name == "snakemake-executor-plugin-slurm" else real(name)
from snakemake_interface_executor_plugins.registry import ExecutorPluginRegistry
from thyrocast.cluster import slurm

slurm.install()  # as when the workflow is parsed: a run that does not use SLURM is not affected
try:
    ExecutorPluginRegistry().plugins["slurm"].executor(None, None)
except Exception as fault:
    print(type(fault).__name__, fault)
try:
    import thyrocast.cluster.executor
except ImportError as fault:
    print(type(fault).__name__, fault)
"""


def test_another_release_of_the_plugin_is_refused_where_it_is_extended() -> None:
    assert plugin.untested_version() == ""
    done = subprocess.run(
        [sys.executable, "-c", UNTESTED],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": str(ROOT / "workflow" / "lib")},
    )
    at_start, at_import = done.stdout.splitlines()
    for line, kind in ((at_start, "WorkflowError"), (at_import, "UntestedPluginError")):
        assert line.startswith(f"{kind} snakemake-executor-plugin-slurm 2.10.1 is installed")
        assert "pip install" in line


def test_snakemake_uses_the_executor_of_this_project() -> None:
    slurm.install()
    plugins = ExecutorPluginRegistry().plugins
    assert plugins["slurm"].executor is Executor
    assert plugins["slurm-jobstep"].executor is Jobstep


def test_plugin_refuses_to_run_where_slurm_forbids_job_arrays(
    answers: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Although none is used."""
    answers(scontrol="echo MaxArraySize = 0")
    monkeypatch.setattr(package, "_select_logdir", lambda workflow: tmp_path)
    for kind, refused in ((Plugin, True), (Executor, False)):
        instance = bare(kind, tmp_path)
        instance.workflow.executor_settings = package.ExecutorSettings(status_command="squeue")
        with pytest.raises(WorkflowError, match="array") if refused else contextlib.nullcontext():
            instance.__post_init__()
    assert instance.max_array_size == 999
    # without the profile's prefix, a killed run's jobs would not be found in the queue
    assert instance.run_uuid.startswith(queue.PREFIX)
    assert package.get_max_array_size() == -1


@pytest.mark.parametrize(("kind", "ours"), [(Plugin, Executor), (PluginJobstep, Jobstep)])
def test_plugin_does_not_quote_an_interpreter_in_a_folder_with_spaces(
    kind: type[Any], ours: type[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from snakemake_interface_executor_plugins.settings import SharedFSUsage

    monkeypatch.setattr(sys, "executable", "/my project/bin/python")
    for executor_class, expected in (
        (kind, "/my project/bin/python"),
        (ours, "'/my project/bin/python'"),
    ):
        instance = executor_class.__new__(executor_class)
        shared = {SharedFSUsage.SOFTWARE_DEPLOYMENT}
        instance.workflow = SimpleNamespace(
            storage_settings=SimpleNamespace(shared_fs_usage=shared)
        )
        assert instance.get_python_executable() == expected


def test_plugin_deletes_folders_in_which_a_pending_job_will_log(tmp_path: Path) -> None:
    for kind, kept in ((Plugin, False), (Executor, True)):
        instance = bare(kind, tmp_path)
        pending = instance.slurm_logdir / "rule_train_network" / "full"
        pending.mkdir(parents=True, exist_ok=True)
        instance.clean_old_logs()
        assert pending.exists() is kept


def test_old_logs_are_deleted_with_their_folders(tmp_path: Path) -> None:
    instance = bare(Executor, tmp_path)
    old, new = (instance.slurm_logdir / name / "1.log" for name in ("old", "new"))
    for file in (old, new):
        file.parent.mkdir(parents=True)
        file.touch()
    os.utime(old, (0, 0))
    instance.clean_old_logs()
    assert not old.exists()
    assert new.exists()
    os.utime(old.parent, (0, 0))
    instance.clean_old_logs()
    assert not old.parent.exists()


def test_plugin_waits_forever_for_a_preempted_job(answers: Any, tmp_path: Path) -> None:
    answers(squeue="echo '7|PREEMPTED|None'")
    plugin, ours = bare(Plugin, tmp_path), bare(Executor, tmp_path)
    assert check(ours, [submitted(tmp_path)], looks=3) == []
    assert "PREEMPTED" in ours.ended[0][1]
    assert check(plugin, [submitted(tmp_path)], looks=20)
    assert plugin.ended == []


def test_plugin_waits_forever_for_a_job_that_left_the_queue(answers: Any, tmp_path: Path) -> None:
    plugin, ours = bare(Plugin, tmp_path), bare(Executor, tmp_path)
    assert check(plugin, [submitted(tmp_path)], looks=20)
    assert check(ours, [submitted(tmp_path)], looks=3) == []
    assert "'UNKNOWN'" in ours.ended[0][1]


def test_plugin_waits_forever_for_a_job_of_a_failed_node(answers: Any, tmp_path: Path) -> None:
    answers(squeue="echo '7|NODE_FAIL|None'")
    plugin, ours = bare(Plugin, tmp_path), bare(Executor, tmp_path)
    assert check(plugin, [submitted(tmp_path)], looks=20)
    assert check(ours, [submitted(tmp_path)], looks=3) == []


def test_plugin_forgets_its_jobs_if_the_scheduler_does_not_answer(
    answers: Any, tmp_path: Path
) -> None:
    answers(squeue="exit 1", scontrol="exit 1")
    plugin, ours = bare(Plugin, tmp_path), bare(Executor, tmp_path)
    with contextlib.suppress(WorkflowError):
        assert check(plugin, [submitted(tmp_path)]) == []
    assert plugin.ended == []
    assert check(ours, [submitted(tmp_path)], looks=5)
    assert [line for line in ours.logger.lines if "SLURM does not answer" in line] == [
        ours.logger.lines[0]
    ]


def test_plugin_looks_less_and_less_often(answers: Any, tmp_path: Path) -> None:
    answers(squeue="echo '7|RUNNING|None'")
    plugin, ours = bare(Plugin, tmp_path), bare(Executor, tmp_path)
    for instance in (plugin, ours):
        check(instance, [submitted(tmp_path)], looks=9)
    assert plugin.next_seconds_between_status_checks > 100
    assert ours.next_seconds_between_status_checks == 20


def test_a_job_that_marked_its_end_succeeded_although_slurm_lost_it(
    answers: Any, tmp_path: Path
) -> None:
    ours = bare(Executor, tmp_path)
    job = submitted(tmp_path)
    subprocess.run(["sh", "-c", ours.get_job_exec_suffix(job.job)], check=True)
    assert check(ours, [job], looks=3) == []
    assert ours.ended == [("7", "ok")]


def test_a_job_that_can_never_start_is_cancelled(answers: Any, tmp_path: Path) -> None:
    answers(squeue="echo '7|PENDING|PartitionTimeLimit'", scancel="echo $1 > cancelled")
    ours = bare(Executor, tmp_path)
    assert check(ours, [submitted(tmp_path)], looks=3) == []
    assert (tmp_path / "cancelled").read_text() == "7\n"
    assert "PartitionTimeLimit" in ours.ended[0][1]


def test_a_silent_job_is_named_and_cancelled_if_the_rule_says_so(
    answers: Any, tmp_path: Path
) -> None:
    answers(squeue="echo '7|RUNNING|None'", scancel="echo $1 > cancelled")
    ours, job = bare(Executor, tmp_path), submitted(tmp_path)
    log = tmp_path / "train.log"
    log.touch()
    os.utime(log, (0, 0))
    job.job.log = [str(log)]
    job.job.resources = {"silent_min": 60}
    assert check(ours, [job], looks=2)
    assert sum("has logged nothing" in line for line in ours.logger.lines) == 1
    job.job.resources = {"silent_min": 60, "silent_cancel_min": 90}
    assert check(ours, [job]) == []
    assert (tmp_path / "cancelled").exists()
    assert "silent_cancel_min" in ours.ended[0][1]


def test_a_job_with_wrong_input_is_not_tried_again(tmp_path: Path) -> None:
    """More memory and time would not help."""
    ours = bare(Executor, tmp_path)
    job = submitted(tmp_path).job
    job.restart_times, job.log = 2, [tmp_path / "job.log"]
    ours.handle_job_error(job)
    assert job.attempt == 1
    job.log[0].write_text(f"center north: no column TRAb\n{FINAL}\n")
    ours.handle_job_error(job)
    assert job.attempt == 3  # Snakemake tries again only if it is at most 2
