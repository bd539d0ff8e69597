"""Data-parallel training of one member: a process per GPU of one node, run by torchrun's agent.

Every process has the whole network and computes its share of each batch; gradients are summed over
the processes before each step, so that all make the same step. The first process leads: it alone
validates, saves and writes.
"""

import logging
import os
import signal
import sys
import tempfile
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import torch
from numpy.typing import NDArray
from torch import Tensor, distributed

from thyrocast import log
from thyrocast.errors import InputError
from thyrocast.network.interruption import STOP_SIGNALS, Stopped

LOGGER = logging.getLogger("thyrocast")
T = TypeVar("T")
#: Longest time that other processes wait for the leader, which validates and saves alone.
PATIENCE = timedelta(hours=2)
#: Longest time that a stopped training may need to save its state; SLURM's own limit may be shorter.
LEAVE_S = 600


@dataclass(frozen=True)
class ProcessGroup:
    """The processes that train one member together.

    Attributes
    ----------
    rank
        Number of this process, from 0.
    size
        Number of processes.
    """

    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        """Whether this is the process that validates, saves and writes."""
        return self.rank == 0

    @property
    def name(self) -> tuple[int, ...]:
        """The part of this process's seeds that differs from those of other processes."""
        return (self.rank,) if self.size > 1 else ()

    def share(self, positions: NDArray[Any]) -> NDArray[Any]:
        """Select this process's part of a batch."""
        return positions[self.rank :: self.size]

    def add_up(self, tensors: Sequence[Tensor]) -> None:
        """Replace each tensor by its sum over the processes.

        All tensors are sent in one message, in which every number has a fixed place. The parts of
        the processes are therefore always added in the same order, and a resumed training ends with
        the same bits. (`DistributedDataParallel` rebuilds its buckets after the first step of a run.)
        """
        if self.size == 1:
            return
        flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
        distributed.all_reduce(flat)
        parts = torch.split(flat, [tensor.numel() for tensor in tensors])
        for tensor, part in zip(tensors, parts, strict=True):
            tensor.copy_(part.view(tensor.shape))

    def largest(self, number: int) -> int:
        """Return the largest of the processes' numbers, exchanged on the CPU, not the GPU."""
        if self.size == 1:
            return number
        shared = torch.tensor(number)
        distributed.all_reduce(shared, distributed.ReduceOp.MAX)
        return int(shared)

    def broadcast(self, value: T) -> T:
        """Return the leader's value in all processes."""
        values = [value]
        if self.size > 1:
            distributed.broadcast_object_list(values)
        return values[0]

    def wait(self) -> None:
        """Wait for all processes."""
        self.largest(0)


def launch(processes: int, work: Callable[[ProcessGroup], None], job: Sequence[Any] = ()) -> None:
    """Call a function in several communicating processes, or in this one if `processes` is 1.

    Parameters
    ----------
    processes
        Number of processes; each uses the GPU of its rank if there are GPUs.
    work
        The function; it must be picklable.
    job
        Arguments of `log.start`, so that all write to one log.

    Raises
    ------
    Stopped
        If a signal stopped the processes.
    SystemExit
        If a process failed; the log gives the reason.
    """
    if processes == 1:
        work(ProcessGroup())
        return
    from torch.distributed.elastic.multiprocessing import DefaultLogsSpecs, SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    # All processes run on this node: its name does not have to be resolved.
    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    try:
        # The agent does not remove its folder of logs.
        with tempfile.TemporaryDirectory() as folder:
            config = LaunchConfig(
                min_nodes=1,
                max_nodes=1,
                nproc_per_node=processes,
                run_id=uuid.uuid4().hex,
                rdzv_backend="c10d",
                rdzv_endpoint="localhost:0",
                local_addr="localhost",
                logs_specs=DefaultLogsSpecs(log_dir=folder),
                max_restarts=0,  # a retry of the job resumes from the state
                signals_to_handle=",".join(["SIGINT", *(number.name for number in STOP_SIGNALS)]),
                shutdown_timeout=LEAVE_S,
            )
            elastic_launch(config, _work)(work, tuple(job))
    except SignalException as signaled:
        raise Stopped(128 + signaled.sigval) from None
    except ChildFailedError as failed:
        codes = {rank: failure.exitcode for rank, failure in sorted(failed.failures.items())}
        for number in STOP_SIGNALS:
            if 128 + number in codes.values():
                raise Stopped(128 + number) from None
        ended = ", ".join(f"{rank} with {_word(code)}" for rank, code in codes.items())
        LOGGER.error("of %d processes of the training, these failed: %s", processes, ended)
        raise SystemExit(1) from None


def _word(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit status {code}"


def _work(work: Callable[[ProcessGroup], None], job: Sequence[Any]) -> None:
    """Run the function as one of the processes."""
    group = ProcessGroup(int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"]))
    if job:
        log.start(*job, append=True)
    if not group.leads:
        LOGGER.setLevel(logging.WARNING)
    backend = "gloo"
    # With too few GPUs no process uses one, and the check in `work` says what is wrong.
    if torch.cuda.is_available() and torch.cuda.device_count() >= group.size:
        torch.cuda.set_device(group.rank)
        backend = "cpu:gloo,cuda:nccl"
    distributed.init_process_group(backend, timeout=PATIENCE)
    try:
        work(group)
    except InputError as error:
        if group.leads:
            LOGGER.error("%s", error)
        sys.exit(1)
    except Exception:  # any error belongs in the job's log, and the agent must see the failure
        LOGGER.exception("process %d of %d failed", group.rank, group.size)
        sys.exit(1)
    distributed.destroy_process_group()
