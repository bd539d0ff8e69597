"""Data-parallel training of one member: a process per GPU of one node, run by torchrun's agent.

Every process holds the whole network and takes its share of each batch; gradients are summed over
the processes before each step, so that all take the same one. The first process leads: it alone
watches, saves and writes.
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
from thyrocast.network.interruption import ASKING, Stopped

LOGGER = logging.getLogger("thyrocast")
T = TypeVar("T")
# Other processes wait this long for the leader, which watches and saves alone.
PATIENCE = timedelta(hours=2)
# A stopped training may need this long to save its state; SLURM kills it if its own limit is shorter.
LEAVE_S = 600


@dataclass(frozen=True)
class Group:
    """The processes that train one member together; a single one unless `launch` makes more."""

    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        """Whether this is the process that watches, saves and writes."""
        return self.rank == 0

    @property
    def name(self) -> tuple[int, ...]:
        """What sets this process's seeds apart from the others'."""
        return (self.rank,) if self.size > 1 else ()

    def share(self, positions: NDArray[Any]) -> NDArray[Any]:
        """Take this process's part of a batch."""
        return positions[self.rank :: self.size]

    def add_up(self, tensors: Sequence[Tensor]) -> None:
        """Replace each tensor by its sum over the processes.

        In one message: every number keeps its place in it, hence the order in which the processes'
        parts of it are added, and a training that goes on ends with the same bits.
        (`DistributedDataParallel` deals its buckets anew after the first step of every run.)
        """
        if self.size == 1:
            return
        flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
        distributed.all_reduce(flat)
        parts = torch.split(flat, [tensor.numel() for tensor in tensors])
        for tensor, part in zip(tensors, parts, strict=True):
            tensor.copy_(part.view(tensor.shape))

    def largest(self, number: int) -> int:
        """Find the largest of the processes' numbers; they go through the processor, not the GPU."""
        if self.size == 1:
            return number
        shared = torch.tensor(number)
        distributed.all_reduce(shared, distributed.ReduceOp.MAX)
        return int(shared)

    def tell(self, value: T) -> T:
        """Give the leader's value to all, whatever their own was."""
        values = [value]
        if self.size > 1:
            distributed.broadcast_object_list(values)
        return values[0]

    def wait(self) -> None:
        """Wait until all are here."""
        self.largest(0)


def launch(processes: int, work: Callable[[Group], None], job: Sequence[Any] = ()) -> None:
    """Call ``work`` in so many processes that see each other; in this one if it is one.

    Parameters
    ----------
    processes
        How many; each takes the GPU of its rank where there are GPUs.
    work
        Can be pickled.
    job
        Arguments of `log.start`, so that all write to one log.

    Raises
    ------
    Stopped
        If a signal ended them.
    SystemExit
        If one of them failed; the log says why.
    """
    if processes == 1:
        work(Group())
        return
    from torch.distributed.elastic.multiprocessing import DefaultLogsSpecs, SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    # All processes live on this node: no name of it needs to be resolved.
    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    try:
        # The agent's own folder of logs would be left behind.
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
                max_restarts=0,  # a retry of the job goes on from the state
                signals_to_handle=",".join(["SIGINT", *(number.name for number in ASKING)]),
                shutdown_timeout=LEAVE_S,
            )
            elastic_launch(config, _work)(work, tuple(job))
    except SignalException as asked:
        raise Stopped(128 + asked.sigval) from None
    except ChildFailedError as failed:
        codes = {rank: failure.exitcode for rank, failure in sorted(failed.failures.items())}
        for number in ASKING:
            if 128 + number in codes.values():
                raise Stopped(128 + number) from None
        ended = ", ".join(f"{rank} with {_word(code)}" for rank, code in codes.items())
        LOGGER.error("of %d processes of the training, these failed: %s", processes, ended)
        raise SystemExit(1) from None


def _word(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit status {code}"


def _work(work: Callable[[Group], None], job: Sequence[Any]) -> None:
    """Be one of the processes."""
    group = Group(int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"]))
    if job:
        log.start(*job, more=True)
    if not group.leads:
        LOGGER.setLevel(logging.WARNING)
    backend = "gloo"
    # With too few GPUs nobody takes one, and the work's own check says what is wrong.
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
    except Exception:  # whatever it is belongs in the job's log, and the agent must see it fail
        LOGGER.exception("process %d of %d failed", group.rank, group.size)
        sys.exit(1)
    distributed.destroy_process_group()
