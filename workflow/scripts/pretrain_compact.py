"""Pretrain the compact network on simulated scintigrams, and print the hash of its file.

python workflow/scripts/pretrain_compact.py [--phantoms 9000] [--epochs 14] [--seed 1011] [--output FILE]
"""

import argparse
import hashlib
import logging
from pathlib import Path

import numpy as np
import torch

import library  # noqa: F401 - makes the package importable
from thyrocast.image.encoder import WEIGHTS
from thyrocast.network import pretrained, pretraining
from thyrocast.simulation.lessons import Lessons, lessons

LOG = logging.getLogger("thyrocast")


def drawn(phantoms: int, seed: int, cache: Path | None) -> Lessons:
    """Return simulated images with their truth; written to `cache`, or read from it, if it is given."""
    if cache is None or not cache.exists():
        found = lessons(phantoms, seed)
        if cache is not None:
            np.savez(cache, **vars(found))
        return found
    with np.load(cache, allow_pickle=False) as stored:
        return Lessons(**stored)


def main() -> None:
    """Read the command line, draw phantoms, train, write the weights."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--phantoms", type=int, default=9_000, help="simulated scintigrams")
    parser.add_argument("--epochs", type=int, default=14, help="passes over them")
    parser.add_argument("--batch", type=int, default=32, help="images per step")
    parser.add_argument("--rate", type=float, default=3e-3, help="largest learning rate")
    parser.add_argument("--seed", type=int, default=1011)
    parser.add_argument("--output", type=Path, default=WEIGHTS)
    parser.add_argument("--cache", type=Path, help="file (.npz) of the simulated images")
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.set_num_threads(1)
    plan = pretraining.Plan(given.epochs, given.batch, given.rate, given.seed)
    images = drawn(given.phantoms, given.seed, given.cache)
    network = pretraining.pretrain(images, plan)
    names = ("phantoms", "epochs", "batch", "rate", "seed")
    pretrained.save(network, given.output, {name: str(getattr(given, name)) for name in names})
    digest = hashlib.sha256(given.output.read_bytes()).hexdigest()
    print(f"{given.output}: WEIGHTS_SHA256 = {digest!r}")


if __name__ == "__main__":
    main()
