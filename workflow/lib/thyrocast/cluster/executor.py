"""Snakemake's SLURM executor, without what `snakemake-executor-plugin-slurm` 2.8 gets wrong.

Each method says which fault it replaces; `tests/unit/cluster/test_executor.py` fails as soon as the
plugin has mended one, so that the method can be removed.
"""

import contextlib
import re
import shlex
import shutil
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from snakemake_interface_executor_plugins.registry import ExecutorPluginRegistry

from thyrocast.cluster import plugin, queue
from thyrocast.cluster.queue import ENDS
from thyrocast.cluster.submission import REVOKED, Submitting
from thyrocast.cluster.watch import Decision, Verdict, silence
from thyrocast.log import is_final

# Before the imports that another release may not have.
plugin.check()
import snakemake_executor_plugin_slurm as package  # noqa: E402 - after the check
from snakemake_executor_plugin_slurm_jobstep import Executor as PluginJobstep  # noqa: E402 - after the check

# What the plugin assumes where SLURM does not say how large an array may be.
_ARRAY = 999


def install() -> None:
    """Let Snakemake use the classes of this module; called while the workflow is parsed."""
    plugins = ExecutorPluginRegistry().plugins
    plugins["slurm"].executor = Executor
    plugins["slurm-jobstep"].executor = Jobstep


class Jobstep(PluginJobstep):
    """Runs a job on its node. The plugin does not quote the interpreter: a path may have spaces."""

    def get_python_executable(self) -> str:
        """Return Python, quoted for a shell."""
        return shlex.quote(super().get_python_executable())


class Executor(Submitting):
    """Submits jobs and follows them until their end."""

    def __init__(self, workflow: Any, logger: Any) -> None:
        self._summary = ""
        super().__init__(workflow, logger)

    def __post_init__(self, test_mode: bool = False) -> None:
        """Begin a run.

        The plugin refuses to where SLURM forbids job arrays, although none is used. Without the profile's
        prefix, or with another one, jobs would not be found by their names after the run was killed.
        """
        largest = package.get_max_array_size
        package.get_max_array_size = lambda: size if (size := largest()) > 1 else _ARRAY
        try:
            super().__post_init__(test_mode)
        finally:
            package.get_max_array_size = largest
        if not self.run_uuid.startswith(queue.PREFIX):
            self.run_uuid = f"{queue.PREFIX}{self.run_uuid}"

    def get_python_executable(self) -> str:
        """Return Python, quoted for a shell; the plugin does not quote it."""
        return shlex.quote(super().get_python_executable())

    async def check_active_jobs(self, active_jobs: list[Any]) -> AsyncIterator[Any]:
        """Report jobs that have ended and yield the others.

        The plugin waits forever for a job that is preempted, that `squeue` no longer lists, or
        whose node failed without a new start. It forgets all jobs if SLURM does not answer for
        some time, and looks at most every three minutes while no job ends.
        """
        settings = self.workflow.executor_settings
        self.next_seconds_between_status_checks = settings.init_seconds_before_status_checks
        if not active_jobs:
            return
        async with self.status_rate_limiter:
            states = queue.states(self.run_uuid, self._clusters)
        if states is None:
            self._say(
                "outage",
                "SLURM does not answer. Its jobs are not affected; asking again until it does.",
            )
            for job in active_jobs:
                yield job
            return
        self._watch.forget("outage")
        self._summarize(active_jobs, states)
        for job in active_jobs:
            number = job.external_jobid
            decision = self._watch.decide(number, states.get(number), self._mark(job.job).exists)
            if decision.verdict is Verdict.ACTIVE and states.get(number):
                decision = self._judge_silence(job, states[number], decision)
            if decision.note:
                self.logger.warning(decision.note)
            if decision.verdict is Verdict.ACTIVE:
                yield job
            else:
                self._report_end(job, decision)

    def _report_end(self, job: Any, decision: Decision) -> None:
        log = job.aux["slurm_logfile"]
        if decision.verdict is Verdict.SUCCEEDED:
            self.report_job_success(job)
            if not self.workflow.executor_settings.keep_successful_logs:
                with contextlib.suppress(OSError):
                    log.unlink(missing_ok=True)
            return
        if decision.verdict is Verdict.USELESS:
            queue.cancel(job.external_jobid, self._clusters)
        self.report_job_error(job, msg=f"{decision.reason} ", aux_logs=[str(log)])

    def handle_job_error(self, job: Any) -> None:
        """Prevent further attempts of a job whose log says that they would fail in the same way.

        Snakemake decides about them after this call.
        """
        super().handle_job_error(job)
        if job.is_group() or not any(map(is_final, job.log)):
            return
        job.attempt = max(job.attempt, job.restart_times + 1)

    def _judge_silence(self, job: Any, seen: queue.Seen, decision: Decision) -> Decision:
        """Warn about a running job that has logged nothing for a long time, or cancel it.

        The resources `silent_min` and `silent_cancel_min` of a rule, in minutes, say what is long.
        """
        warn, cancel = (_minutes(job, name) for name in ("silent_min", "silent_cancel_min"))
        if seen.state != "RUNNING" or not (warn or cancel):
            return decision
        logs = [Path(name) for name in job.job.log] if not job.job.is_group() else []
        quiet = silence([*logs, job.aux["slurm_logfile"]], time.time())
        text = f"SLURM job {job.external_jobid} ({job.job.name}) has logged nothing for {quiet:.0f} min"
        if cancel and quiet > cancel:
            return Decision(
                Verdict.USELESS,
                f"SLURM-job '{job.external_jobid}' failed: it logged nothing for {quiet:.0f} minutes "
                "and was cancelled (resource silent_cancel_min).",
            )
        if warn and quiet > warn:
            end = f"{text}; if it hangs, `scancel {job.external_jobid}` lets Snakemake try it again"
            return Decision(
                decision.verdict, note=self._watch.once(f"quiet {job.external_jobid}", end)
            )
        return decision

    def _summarize(self, active_jobs: list[Any], states: dict[str, queue.Seen]) -> None:
        """Log from time to time what the jobs in the queue are doing, if none has ended since."""
        counts = Counter(
            f"{seen.state}{f' ({seen.reason})' if seen.state == 'PENDING' else ''}"
            for job in active_jobs
            if (seen := states.get(job.external_jobid))
        )
        ids = ",".join(job.external_jobid for job in active_jobs)
        if ids != self._summary:
            self._summary = ids
            self._watch.forget("summary")
            self._watch.once("summary", "")
            return
        words = ", ".join(f"{count} {what}" for what, count in counts.most_common(6))
        self._say("summary", f"SLURM jobs: {words}", level="info")

    def clean_old_logs(self) -> None:
        """Delete old logs, and folders that are empty and old.

        The plugin also deletes folders of which a pending job's log is expected. SLURM cannot start
        that job without the folder, also if it belongs to another run.
        """
        settings = self.workflow.executor_settings
        days = settings.delete_logfiles_older_than
        if days <= 0 or settings.keep_successful_logs:
            return
        oldest = time.time() - days * 86400
        for path in sorted(self.slurm_logdir.rglob("*"), reverse=True):
            with contextlib.suppress(OSError):  # somebody else's, just deleted, or not empty
                if path.stat().st_mtime >= oldest:
                    continue
                if path.is_dir():
                    path.rmdir()
                elif path.suffix == ".log":
                    path.unlink()

    def cancel_jobs(self, active_jobs: list[Any]) -> None:
        """Cancel all jobs of the run.

        The plugin submits what is waiting for its submission even after that, and cancels the jobs in
        Snakemake's list, which is empty during a look at the queue.
        """
        self._ending.set()
        self._job_submission_executor.shutdown(wait=True, cancel_futures=True)
        if not queue.cancel_run(self.run_uuid, self._clusters):
            self.logger.warning(
                "SLURM did not answer when jobs were cancelled. Jobs of this run that are still in the "
                f"queue (`squeue --name={self.run_uuid}`) are cancelled by `make resume CANCEL=1`."
            )

    def shutdown(self) -> None:
        """End the run and remove its marks, unless a job that may yet start needs one."""
        self._ending.set()
        super().shutdown()
        if not any((ENDS / self.run_uuid).glob(f"*{REVOKED}")):
            shutil.rmtree(ENDS / self.run_uuid, ignore_errors=True)


def _minutes(job: Any, name: str) -> float:
    text = str(job.job.resources.get(name) or "")
    return float(text) if re.fullmatch(r"\d+(\.\d+)?", text) else 0.0
