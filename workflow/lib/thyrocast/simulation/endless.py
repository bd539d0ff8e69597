"""Simulated scintigrams without end: a new phantom for every image that a network sees."""

import concurrent.futures
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import wait

import numpy as np

from thyrocast import seeds
from thyrocast.network.interruption import STOP_SIGNALS
from thyrocast.network.pretraining import Part
from thyrocast.simulation import lessons
from thyrocast.simulation.lessons import Lessons, View

#: Batches that are drawn in advance, for each process that draws.
AHEAD = 2


@dataclass(frozen=True)
class Endless:
    """A course in which no phantom is seen twice (`network.pretraining.Course`).

    A phantom depends on the seed and on its number, not on the batch size and the number of processes. The
    changes of a step depend on the seed and on the step.

    Attributes
    ----------
    view
        The images.
    phantoms, batch
        How many there are, and how many there are in a step; what remains is left out.
    seed
        The seed.
    processes
        Processes that draw phantoms; with 0, this one does.
    """

    view: View
    phantoms: int
    batch: int
    seed: int
    processes: int = 0

    @property
    def steps(self) -> int:
        """Optimization steps."""
        return self.phantoms // self.batch

    def parts(self, start: int) -> Iterator[Part]:
        """Yield the phantoms of each step from `start` on."""
        for step, drawn in enumerate(self._drawn(start), start):
            rng = np.random.default_rng([seeds.derive(self.seed, "step"), step])
            yield Part(drawn, np.arange(self.batch), rng)

    def _drawn(self, start: int) -> Iterator[Lessons]:
        if not self.processes:
            for step in range(start, self.steps):
                yield self.of_step(step)
            return
        context = multiprocessing.get_context("fork")  # a spawned process would run the job again
        pool = concurrent.futures.ProcessPoolExecutor(self.processes, context, _ready)
        try:
            waiting: list[concurrent.futures.Future[Lessons]] = []
            for step in range(start, self.steps):
                waiting.append(pool.submit(self.of_step, step))
                if len(waiting) > AHEAD * self.processes:
                    yield waiting.pop(0).result()
            while waiting:
                yield waiting.pop(0).result()
        finally:
            pool.shutdown(cancel_futures=True)

    def of_step(self, step: int) -> Lessons:
        """Return the phantoms of a step."""
        numbers = range(step * self.batch, (step + 1) * self.batch)
        return lessons.gather(
            [lessons.usable(np.random.default_rng([self.seed, n]), self.view) for n in numbers]
        )

    def held_out(self, number: int) -> Lessons:
        """Return phantoms that are in no step, by which the result is described."""
        other = seeds.derive(self.seed, "held out")
        return lessons.gather(
            [lessons.usable(np.random.default_rng([other, n]), self.view) for n in range(number)]
        )


def _ready() -> None:
    """Leave signals to the process that trains, which saves its state, and end if it was killed."""
    for number in (*STOP_SIGNALS, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
