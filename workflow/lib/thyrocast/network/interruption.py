"""Signals that ask a training to stop."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

#: SIGTERM: canceled, preempted or out of time; SIGUSR1: SLURM's warning before the time limit.
STOP_SIGNALS = (signal.SIGTERM, signal.SIGUSR1)


class Stopped(SystemExit):
    """Exit of a training that a signal stopped after its state was saved; a rerun resumes it."""


@dataclass
class StopRequest:
    """The number of the signal that asked the training to stop; 0 if none did."""

    number: int = 0


@contextmanager
def watch() -> Iterator[StopRequest]:
    """Record stop signals until the block ends; they do not terminate the process."""
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield request  # only the main thread may set handlers
        return

    def note(number: int, frame: FrameType | None) -> None:
        request.number = number

    before = {number: signal.signal(number, note) for number in STOP_SIGNALS}
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
