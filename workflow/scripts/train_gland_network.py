"""Train the network that finds the gland on simulated scintigrams, and print the hash of its file.

python workflow/scripts/train_gland_network.py [--steps 12000] [--seed 11] [--lookalike 0] [--start FILE] [--output FILE]

`make train-gland` has the commands that made the shipped file.

If it is interrupted, the same command continues from the checkpoint beside the output.
"""

import argparse
import hashlib
import logging
from collections.abc import Iterable
from functools import partial
from pathlib import Path

import torch
from torch.utils.data import DataLoader, Dataset

import library  # noqa: F401 - makes the package importable
from thyrocast.image.gland_network import WEIGHTS
from thyrocast.network import gland_network
from thyrocast.network.gland_network import Batch, Plan
from thyrocast.simulation.gland_batches import batch


class _Phantoms(Dataset[Batch]):
    """The batches of a training, by step."""

    def __init__(self, plan: Plan, steps: range) -> None:
        self._plan = plan
        self._steps = steps

    def __len__(self) -> int:
        return len(self._steps)

    def __getitem__(self, index: int) -> Batch:
        plan = self._plan
        return batch(plan.batch, plan.seed, self._steps[index], plan.lookalike)


def batches(plan: Plan, workers: int, steps: range) -> Iterable[Batch]:
    """Return the batches of steps, drawn by other processes while the network learns."""
    return DataLoader(_Phantoms(plan, steps), batch_size=None, num_workers=workers)


def main() -> None:
    """Read the command line, train, write the weights."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--steps", type=int, default=12_000, help="batches")
    parser.add_argument("--batch", type=int, default=16, help="phantoms in a batch")
    parser.add_argument("--rate", type=float, default=3e-3, help="largest learning rate")
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--lookalike", type=float, default=0.0, help="share of lookalikes")
    parser.add_argument("--start", type=Path, help="weights that the training continues")
    parser.add_argument("--workers", type=int, default=1, help="processes that draw phantoms")
    parser.add_argument("--output", type=Path, default=WEIGHTS)
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.set_num_threads(1)
    start = gland_network.digest(given.start) if given.start else ""
    plan = Plan(given.steps, given.batch, given.rate, given.seed, given.lookalike, start)
    given.output.parent.mkdir(parents=True, exist_ok=True)
    checkpoint = given.output.with_suffix(".checkpoint")
    network = gland_network.train(
        plan, partial(batches, plan, given.workers), checkpoint, given.start
    )
    gland_network.save(network, given.output, plan.metadata())
    checkpoint.unlink()
    file = hashlib.sha256(given.output.read_bytes()).hexdigest()
    print(f"{given.output}: WEIGHTS_SHA256 = {file!r}")
    print(f"weights alone: {gland_network.digest(given.output)}")


if __name__ == "__main__":
    main()
