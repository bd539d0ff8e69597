"""How jobs are submitted: what they ask for, and what becomes of a submission without an answer."""

import shlex
import threading
from collections import Counter
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from snakemake_interface_executor_plugins.executors.base import SubmittedJobInfo

from thyrocast.cluster import limits, plugin, queue
from thyrocast.cluster.queue import ENDS
from thyrocast.cluster.watch import LOOKS, Watch

# Before the imports that another release may not have.
plugin.check()
from snakemake_executor_plugin_slurm import Executor as PluginExecutor  # noqa: E402 - after the check
from snakemake_executor_plugin_slurm.utils import get_job_wildcards  # noqa: E402 - after the check

#: Ending of the files that keep a submitted job from doing its work.
REVOKED = ".revoked"
#: A job and what `sbatch` said.
Failure = tuple[SubmittedJobInfo, str]


@dataclass(frozen=True)
class Asked:
    """What an attempt of a job requested: partition, minutes and MB (0 if not a number)."""

    partition: str
    runtime: int
    mem_mb: int


class Submitting(PluginExecutor):
    """The part of the executor that submits jobs.

    Attributes
    ----------
    _numbers
        SLURM numbers of the jobs that are followed, or were cancelled.
    _unanswered
        Jobs that are being submitted, with the failure of their submission if it is not final.
    _submissions, _unclear
        How often a job was submitted, and how often without a clear answer, by Snakemake's number.
    """

    run_uuid: str

    def __init__(self, workflow: Any, logger: Any) -> None:
        self._clusters: set[str] = set()
        self._watch = Watch(partial(queue.look_up, clusters=self._clusters))
        self._earlier: dict[int, Asked] = {}
        self._numbers: set[str] = set()
        self._unanswered: dict[int, Failure | None] = {}
        self._submissions: Counter[int] = Counter()
        self._unclear: Counter[int] = Counter()
        self._ending = threading.Event()
        # The plugin starts the thread that checks jobs here.
        super().__init__(workflow, logger)
        self._submitted_job_clusters = self._clusters

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
        self._unanswered[job.jobid] = None
        try:
            self._limit_request(job)
            self._clusters.update(_named_clusters(job))
            while not self._submit(job):
                pass
        # Nobody looks at what this thread returns: without a report a run would wait forever.
        except Exception as error:  # noqa: BLE001 - whatever it is, it must be reported
            super()._report_job_error_threadsafe(
                SubmittedJobInfo(job), f"Job submission failed: {error!r}"
            )
        finally:
            self._unanswered.pop(job.jobid, None)

    def _submit(self, job: Any) -> bool:
        """Submit a job once; return whether its submission is over, well or not."""
        self._unanswered[job.jobid] = None
        self._submissions[job.jobid] += 1
        super().run_job(job)
        failure = self._unanswered[job.jobid]
        if failure is None:
            return True
        if queue.is_refused_for_now(failure[1]):
            self._submit_later(job, failure)
            return True
        first = not self._unclear[job.jobid]
        self._unclear[job.jobid] += 1
        found = self._accepted(job)
        if first and len(found) == 1:
            self._adopt(job, *found)
            return True
        # Which of several submissions was accepted is not known, and others may follow.
        for number in found:
            queue.cancel(number, self._clusters)
        self._numbers |= found
        # If SLURM accepts it later nevertheless, it ends before its work.
        _revoked(self._mark(job)).touch()
        if self._ending.is_set() or not queue.is_unanswered(failure[1]):
            super()._report_job_error_threadsafe(*failure)
            return True
        self._say("refusal", f"Submitting {job.name} again. {failure[1].splitlines()[0]}")
        return False

    def _adopt(self, job: Any, number: str) -> None:
        """Follow a job that SLURM accepted without saying so."""
        self.logger.warning(f"SLURM accepted {job.name} as job {number}; sbatch did not say so.")
        info = SubmittedJobInfo(job, number, aux={"slurm_logfile": self._slurm_log(job, number)})
        self._report_job_submission_threadsafe(info)

    def _submit_later(self, job: Any, failure: Failure) -> None:
        """Submit a job again after a refusal that is not final. Other jobs do not wait for it."""
        self._say("room", f"SLURM accepts no job for now, waiting. {failure[1].splitlines()[0]}")

        def again() -> None:
            try:
                if not self._ending.is_set():
                    self._job_submission_executor.submit(self.run_job, job)
                    return
            except RuntimeError:  # the run ended in this moment
                pass
            super(Submitting, self)._report_job_error_threadsafe(*failure)

        pause = self.workflow.executor_settings.init_seconds_before_status_checks
        timer = threading.Timer(pause, again)
        timer.daemon = True
        timer.start()

    def _report_job_submission_threadsafe(self, job_info: SubmittedJobInfo) -> None:
        self._numbers.add(str(job_info.external_jobid))
        super()._report_job_submission_threadsafe(job_info)

    def _report_job_error_threadsafe(self, job_info: SubmittedJobInfo, msg: str) -> None:
        ours = job_info.job.jobid in self._unanswered  # not a task of an array
        if ours and (queue.may_be_accepted(msg) or queue.is_refused_for_now(msg)):
            self._unanswered[job_info.job.jobid] = job_info, msg
        else:
            super()._report_job_error_threadsafe(job_info, msg)

    def _accepted(self, job: Any) -> set[str]:
        """Wait until SLURM answers; return the numbers under which it accepted a job, unknown so far."""
        wildcards = get_job_wildcards(job)
        comment = f"rule_{job.name}" + (f"_wildcards_{wildcards}" if wildcards else "")
        pause = self.workflow.executor_settings.init_seconds_before_status_checks
        looks = 0
        # A request that was waiting for the controller is accepted shortly after it answers. Nothing is
        # waited for after the last look: what is accepted then would not be noticed.
        while looks < LOOKS and not self._ending.wait(pause):
            found = queue.submitted(self.run_uuid, comment, self._clusters)
            if found is None:
                self._say("submission", f"SLURM does not answer: waiting to submit {job.name}.")
            elif new := found - self._numbers:
                return new
            else:
                looks += 1
        return set()

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

    def _say(self, about: str, text: str, level: str = "warning") -> None:
        if sentence := self._watch.once(about, text):
            getattr(self.logger, level)(sentence)


def _named_clusters(job: Any) -> set[str]:
    """Return the clusters that a job names, if it does not run on the default one."""
    named = (job.resources.get(name) for name in ("cluster", "clusters", "slurm_cluster"))
    return {str(name) for name in named if name}


def _revoked(mark: Path) -> Path:
    """Return the file that keeps a submitted job from doing its work."""
    return mark.with_name(mark.name + REVOKED)
