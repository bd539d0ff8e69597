"""Executors and jobs without a run of Snakemake."""

import threading
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from thyrocast.cluster import queue
from thyrocast.cluster.executor import Executor
from thyrocast.cluster.watch import Watch


class Log:
    """Collects what an executor logs."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def __getattr__(self, level: str) -> Any:
        return lambda text, **_: self.lines.append(text)


class Limiter:
    """No limit to the number of queries."""

    async def __aenter__(self) -> None: ...

    async def __aexit__(self, *_: object) -> None: ...


def bare(kind: type[Any], folder: Path, **settings: Any) -> Any:
    """Make an executor without Snakemake's workflow, thread and scheduler."""
    instance = kind.__new__(kind)
    given = {
        "delete_logfiles_older_than": 10,
        "keep_successful_logs": False,
        "init_seconds_before_status_checks": 20,
        "status_attempts": 2,
        "status_command": "squeue",
        "requeue": True,
        **settings,
    }
    instance.workflow = SimpleNamespace(
        executor_settings=SimpleNamespace(**given),
        storage_settings=SimpleNamespace(shared_fs_usage={"software-deployment"}),
    )
    instance.logger = Log()
    instance.slurm_logdir = folder / "logs"
    instance.run_uuid = "thyrocast_run"
    instance.status_rate_limiter = Limiter()
    instance._next_seconds_between_status_checks = 20
    instance.ended = []
    instance.report_job_success = lambda job: instance.ended.append((job.external_jobid, "ok"))
    instance.report_job_error = lambda job, msg, **_: instance.ended.append(
        (job.external_jobid, msg)
    )
    if kind is Executor:
        instance._clusters = set()
        instance._watch = Watch(queue.look_up)
        instance._summary = ""
        instance._earlier = {}
        instance._numbers, instance._unanswered = set(), {}
        instance._submissions, instance._unclear = Counter(), Counter()
        instance._ending = threading.Event()
        instance._main_event_loop = None
        instance.report_job_submission = lambda job: instance.ended.append(
            (job.external_jobid, "submitted")
        )
    else:
        instance._preemption_warning = False
        instance._status_query_calls = instance._status_query_failures = 0
        instance._status_query_total_seconds = instance._status_query_max_seconds = 0.0
        instance._status_query_min_seconds = None
        instance._status_query_cycle_rows = []
        instance._failed_nodes = set()
    return instance


def submitted(folder: Path, number: str = "7") -> Any:
    """Make a job that was submitted."""
    job = SimpleNamespace(
        jobid=1, attempt=1, name="fit", log=[], resources={}, is_group=lambda: False
    )
    return SimpleNamespace(
        external_jobid=number, job=job, aux={"slurm_logfile": folder / f"{number}.log"}
    )
