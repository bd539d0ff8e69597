"""Snakemake's SLURM executor, without what `snakemake-executor-plugin-slurm` 2.8 gets wrong.

Each method says which fault it replaces; `tests/unit/cluster/test_executor.py` fails as soon as the
plugin has mended one, so that the method can be removed.
"""

import contextlib
import re
import shlex
import shutil
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from snakemake_interface_executor_plugins.executors.base import SubmittedJobInfo
from snakemake_interface_executor_plugins.registry import ExecutorPluginRegistry

from thyrocast.cluster import limits, plugin, queue
from thyrocast.cluster.queue import ENDS
from thyrocast.cluster.watch import LOOKS, Decision, Verdict, Watch, silence
from thyrocast.log import is_final

# Before the imports that another release may not have.
plugin.check()
import snakemake_executor_plugin_slurm as package  # noqa: E402 - after the check
from snakemake_executor_plugin_slurm import Executor as PluginExecutor  # noqa: E402 - after the check
from snakemake_executor_plugin_slurm.utils import get_job_wildcards  # noqa: E402 - after the check
from snakemake_executor_plugin_slurm_jobstep import Executor as PluginJobstep  # noqa: E402 - after the check

_REVOKED = ".revoked"
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


@dataclass(frozen=True)
class Asked:
    """What an attempt of a job requested: partition, minutes and MB (0 if not a number)."""

    partition: str
    runtime: int
    mem_mb: int


class Executor(PluginExecutor):
    """Submits jobs and follows them until their end."""

    run_uuid: str

    def __init__(self, workflow: Any, logger: Any) -> None:
        self._clusters: set[str] = set()
        self._watch = Watch(partial(queue.look_up, clusters=self._clusters))
        self._summary = ""
        self._earlier: dict[int, Asked] = {}
        self._numbers: set[str] = set()
        self._unanswered: dict[int, tuple[SubmittedJobInfo, str]] = {}
        self._submissions: Counter[int] = Counter()
        self._ending = threading.Event()
        # The plugin starts the thread that checks jobs here.
        super().__init__(workflow, logger)
        self._submitted_job_clusters = self._clusters

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

    def get_job_exec_prefix(self, job: Any) -> str:
        """Return the condition under which a job does its work: it was not submitted again."""
        return f"! [ -e {shlex.quote(str(_revoked(self._mark(job))))} ]"

    def get_job_exec_suffix(self, job: Any) -> str:
        """Return the command that marks the successful end of a job.

        It answers the question whether a job succeeded that SLURM no longer knows.
        """
        mark = self._mark(job)
        mark.parent.mkdir(parents=True, exist_ok=True)
        return f"( touch {shlex.quote(str(mark))} || true )"

    def run_job(self, job: Any) -> None:
        """Submit a job, also if SLURM does not answer in that moment.

        The plugin takes a job for failed if ``sbatch`` gets no answer, is killed, or prints more than the
        job's number, and Snakemake submits it again. SLURM may have accepted it: then two jobs write the
        same files.
        """
        self._limit_request(job)
        while True:
            self._submissions[job.jobid] += 1
            super().run_job(job)
            if job.jobid not in self._unanswered:
                return
            failure = self._unanswered.pop(job.jobid)
            if queue.is_refused_for_now(failure[1]) and not self._wait_for_room(failure[1]):
                continue
            number = self._accepted(job)
            if number:
                self.logger.warning(
                    f"SLURM accepted {job.name} as job {number}; sbatch did not say so."
                )
                self._report_job_submission_threadsafe(
                    SubmittedJobInfo(
                        job, number, aux={"slurm_logfile": self._slurm_log(job, number)}
                    )
                )
                return
            # If SLURM accepts it later nevertheless, it ends before its work.
            _revoked(self._mark(job)).touch()
            if self._ending.is_set() or not queue.is_unanswered(failure[1]):
                super()._report_job_error_threadsafe(*failure)
                return
            self._say("refusal", f"Submitting {job.name} again. {failure[1].splitlines()[0]}")

    def _report_job_submission_threadsafe(self, job_info: SubmittedJobInfo) -> None:
        self._numbers.add(str(job_info.external_jobid))
        super()._report_job_submission_threadsafe(job_info)

    def _report_job_error_threadsafe(self, job_info: SubmittedJobInfo, msg: str) -> None:
        if queue.may_be_accepted(msg) or queue.is_refused_for_now(msg):
            self._unanswered[job_info.job.jobid] = job_info, msg
        else:
            super()._report_job_error_threadsafe(job_info, msg)

    def _accepted(self, job: Any) -> str:
        """Wait until SLURM answers; return the number under which it accepted a job, or ""."""
        wildcards = get_job_wildcards(job)
        comment = f"rule_{job.name}" + (f"_wildcards_{wildcards}" if wildcards else "")
        named = (job.resources.get(name) for name in ("cluster", "clusters", "slurm_cluster"))
        clusters = self._clusters | {str(name) for name in named if name}
        pause = self.workflow.executor_settings.init_seconds_before_status_checks
        looks = 0
        # A request that was waiting for the controller is accepted shortly after it answers. Nothing is
        # waited for after the last look: what is accepted then would not be noticed.
        while looks < LOOKS and not self._ending.wait(pause):
            found = queue.submitted(self.run_uuid, comment, clusters)
            if found is None:
                self._say("submission", f"SLURM does not answer: waiting to submit {job.name}.")
            elif new := found - self._numbers:
                return max(new, key=int)
            else:
                looks += 1
        return ""

    def _wait_for_room(self, refusal: str) -> bool:
        """Wait after a refusal that is not final; return whether the run ends."""
        self._say("room", f"SLURM accepts no job for now, waiting. {refusal.splitlines()[0]}")
        return self._ending.wait(self.workflow.executor_settings.init_seconds_before_status_checks)

    def _slurm_log(self, job: Any, number: str) -> Path:
        """Return where SLURM writes what a job prints, as the plugin names it."""
        kind = "group" if job.is_group() else "rule"
        return Path(
            self.slurm_logdir / f"{kind}_{job.name}" / get_job_wildcards(job) / f"{number}.log"
        )

    def _limit_request(self, job: Any) -> None:
        """Limit what a later attempt requests to what its partition allows.

        Memory and time double with every attempt, and SLURM never starts a job above the limit. The
        limits of partitions on other clusters are not known.
        """
        earlier = None if self._clusters else self._earlier.get(job.jobid)
        if earlier and not job.is_group() and not self._fits_another(job):
            allowed = limits.of(earlier.partition, limits.of_partitions())
            for name, before, most, unit in (
                ("runtime", earlier.runtime, allowed.minutes, "minutes"),
                ("mem_mb", earlier.mem_mb, allowed.memory_mb, "MB"),
            ):
                wanted = job.resources.get(name)
                # A first request above the limit is the user's own: SLURM's refusal says so.
                if isinstance(wanted, int) and before <= most < wanted:
                    setattr(job.resources, name, int(most))
                    self.logger.warning(
                        f"Attempt {job.attempt} of {job.name} would ask for {wanted} {unit}; partition "
                        f"{earlier.partition or '(default)'} allows {most:.0f}, which are requested."
                    )

    def _fits_another(self, job: Any) -> bool:
        """Return whether the plugin chooses partitions by request, and has one for this request."""
        chosen = self._partitions and not job.resources.get("slurm_partition")
        return bool(chosen) and any(
            partition.score_job_fit(job) is not None for partition in self._partitions
        )

    def get_partition_arg(self, job: Any) -> str:
        """Return the option for the partition; remember what the job asks for there."""
        option = str(super().get_partition_arg(job))
        words = shlex.split(option)
        runtime, memory = (job.resources.get(name) for name in ("runtime", "mem_mb"))
        self._earlier[job.jobid] = Asked(
            words[-1] if words else "",
            runtime if isinstance(runtime, int) else 0,
            memory if isinstance(memory, int) else 0,
        )
        return option

    def _mark(self, job: Any) -> Path:
        submission = self._submissions[job.jobid]
        return Path(ENDS / self.run_uuid / f"{job.jobid}-{submission}").absolute()

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

    def _say(self, about: str, text: str, level: str = "warning") -> None:
        if sentence := self._watch.once(about, text):
            getattr(self.logger, level)(sentence)

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
        if not any((ENDS / self.run_uuid).glob(f"*{_REVOKED}")):
            shutil.rmtree(ENDS / self.run_uuid, ignore_errors=True)


def _revoked(mark: Path) -> Path:
    """Return the file that keeps a submitted job from doing its work."""
    return mark.with_name(mark.name + _REVOKED)


def _minutes(job: Any, name: str) -> float:
    text = str(job.job.resources.get(name) or "")
    return float(text) if re.fullmatch(r"\d+(\.\d+)?", text) else 0.0
