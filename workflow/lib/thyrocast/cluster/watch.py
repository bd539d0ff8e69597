"""Decides from what SLURM reports whether a job is active, has succeeded or has failed.

Standard library only.
"""

import re
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path

from thyrocast.cluster.queue import NO_ANSWER, Seen

#: How many looks in a row must agree before a job without a clear state counts as ended.
LOOKS = 3
#: Seconds between two sentences about the same thing.
REPEAT_S = 300
_FAILED = {
    "BOOT_FAIL",
    "CANCELLED",
    "DEADLINE",
    "FAILED",
    "LAUNCH_FAILED",
    "OUT_OF_MEMORY",
    "RECONFIG_FAIL",
    "REVOKED",
    "TIMEOUT",
}
# The job ended on its node. SLURM may put it back into the queue, at once or after some seconds.
_PERHAPS_REQUEUED = {"NODE_FAIL", "PREEMPTED"}
_SUSPENDED = {"SUSPENDED", "STOPPED"}
# Reasons for which SLURM leaves a job in the queue and never starts it, as long as limits stay.
_NEVER = (
    "PartitionTimeLimit",
    "PartitionNodeLimit",
    "BadConstraints",
    "InvalidAccount",
    "InvalidQOS",
    "AccountNotAllowed",
    "QOSNotAllowed",
    "DependencyNeverSatisfied",
    "MaxMemPerLimit",
)
_NEVER_LIMITS = ("MaxWallDurationPerJob", "MaxCpuPerJob", "MaxMemoryPerJob", "MaxGRESPerJob")
_HELD_STATES = {"REQUEUE_HOLD", "SPECIAL_EXIT"}
# JobHeldUser, JobHeldAdmin, JobHoldMaxRequeue, "job requeued in held state", "launch failed requeued held"
_HELD = re.compile(r"JobHeld|JobHoldMaxRequeue|requeued.(?:in.)?held")


class Verdict(Enum):
    """What is known about a submitted job."""

    ACTIVE = auto()
    SUCCEEDED = auto()
    FAILED = auto()
    #: It would wait forever: to be cancelled, then failed.
    USELESS = auto()


@dataclass(frozen=True)
class Decision:
    """A verdict, its reason for a job that failed, and a sentence for the log."""

    verdict: Verdict
    reason: str = ""
    note: str = ""


_ACTIVE = Decision(Verdict.ACTIVE)
_SUCCEEDED = Decision(Verdict.SUCCEEDED)


@dataclass
class Watch:
    """Follows the jobs of a run.

    Attributes
    ----------
    look_up
        Asks about a job that the list of jobs does not contain.
    now
        The clock, in seconds.
    """

    look_up: Callable[[str], Seen | None]
    now: Callable[[], float] = time.monotonic
    _unclear: Counter[str] = field(default_factory=Counter)
    _noted: dict[str, float] = field(default_factory=dict)
    _ran: set[str] = field(default_factory=set)

    def decide(self, number: str, seen: Seen | None, ended: Callable[[], bool]) -> Decision:
        """Return what is known about a job.

        Parameters
        ----------
        number
            The job's SLURM number.
        seen
            Its entry in the list of jobs; None if the list does not contain it.
        ended
            Whether the job has marked its successful end.
        """
        if seen is None:
            return self._missing(number, ended)
        if seen.state == "COMPLETED":
            return _SUCCEEDED
        if seen.state in _FAILED:
            return Decision(Verdict.FAILED, _status(number, seen.state))
        if seen.state in _PERHAPS_REQUEUED:
            self._ran.add(number)
            if self._agree(number):
                text = f"{_status(number, seen.state)} SLURM did not put it back into the queue."
                return Decision(Verdict.FAILED, text)
            return _ACTIVE
        if seen.state == "PENDING" and _is_permanent(seen.reason):
            return self._never_starts(number, seen)
        self._unclear.pop(number, None)
        return Decision(Verdict.ACTIVE, note=self._note(number, seen))

    def _missing(self, number: str, ended: Callable[[], bool]) -> Decision:
        """Decide about a job that SLURM's list does not contain.

        It ended before the last looks, or SLURM lost it: a node failed and MinJobAge has passed,
        or the controller was restarted without its state.
        """
        if not self._agree(number):
            return _ACTIVE
        seen = self.look_up(number)
        if seen is not None:
            found = self.decide(number, seen, ended)
            if found.verdict is not Verdict.ACTIVE:
                return found
            what = f"but it is {seen.state}: waiting for it"
            if seen is NO_ANSWER:
                what = "and SLURM does not say what became of it: asking again"
            text = f"squeue does not list SLURM job {number}, {what}"
            return Decision(Verdict.ACTIVE, note=self.once(f"missing {number}", text))
        if ended():
            note = f"SLURM no longer knows job {number}; the job has marked its successful end"
            return Decision(Verdict.SUCCEEDED, note=note)
        return Decision(
            Verdict.FAILED,
            f"SLURM-job '{number}' failed, SLURM status is: 'UNKNOWN'. SLURM no longer knows it, and "
            "it did not mark a successful end: its node probably failed.",
        )

    def _never_starts(self, number: str, seen: Seen) -> Decision:
        if not self._agree(number):
            return _ACTIVE
        return Decision(
            Verdict.USELESS,
            f"SLURM-job '{number}' failed, SLURM status is: 'PENDING'. SLURM will never start it as "
            f"it was requested ({seen.reason}), so it was cancelled. Limit what the job requests, for "
            "example with `runtime: min(240 * 2 ** (attempt - 1), 1440)` under set-resources.",
        )

    def _agree(self, number: str) -> bool:
        """Count one more look at a job whose state is unclear; return whether it was the last."""
        self._unclear[number] += 1
        return self._unclear[number] >= LOOKS

    def _note(self, number: str, seen: Seen) -> str:
        if seen.state == "RUNNING":
            self._ran.add(number)
        elif seen.state in ("PENDING", "REQUEUED") and number in self._ran:
            self._ran.discard(number)
            return f"SLURM put job {number} back into the queue: its node failed, or it was preempted or requeued"
        if seen.state in _SUSPENDED:
            return self.once(number, f"SLURM job {number} is {seen.state}: waiting for it")
        if seen.state in _HELD_STATES or _HELD.search(seen.reason):
            text = f"SLURM job {number} is held ({seen.reason}): `scontrol release {number}`"
            return self.once(number, text)
        return ""

    def once(self, about: str, text: str) -> str:
        """Return a sentence, or "" if one about the same thing was returned a short time ago."""
        last = self._noted.get(about)
        if last is not None and self.now() - last < REPEAT_S:
            return ""
        self._noted[about] = self.now()
        return text

    def forget(self, about: str) -> None:
        """Let the next sentence about something be returned at once."""
        self._noted.pop(about, None)


def _status(number: str, state: str) -> str:
    return f"SLURM-job '{number}' failed, SLURM status is: '{state}'."


def _is_permanent(reason: str) -> bool:
    return reason in _NEVER or any(limit in reason for limit in _NEVER_LIMITS)


def silence(files: Sequence[Path], now: float) -> float:
    """Return the minutes since any of a job's logs was last written; 0 if there is none."""
    written = [file.stat().st_mtime for file in files if file.exists()]
    return (now - max(written)) / 60 if written else 0.0
