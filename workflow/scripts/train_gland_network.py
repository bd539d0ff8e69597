"""Train the network that finds the gland on simulated scintigrams, and print the hash of its file.

python workflow/scripts/train_gland_network.py [--steps 3400] [--seed 11] [--output FILE]
"""

import argparse
import hashlib
import logging
from pathlib import Path

import numpy as np
import torch

import library  # noqa: F401  # makes the package importable
from thyrocast.image.gland_network import WEIGHTS
from thyrocast.network import gland_network
from thyrocast.simulation.gland_batches import batches


def main() -> None:
    """Read the command line, train, write the weights."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--steps", type=int, default=3400, help="batches")
    parser.add_argument("--batch", type=int, default=16, help="phantoms in a batch")
    parser.add_argument("--rate", type=float, default=3e-3, help="largest learning rate")
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--output", type=Path, default=WEIGHTS)
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.set_num_threads(1)
    network = gland_network.train(
        batches(given.batch, np.random.default_rng(given.seed)),
        given.steps,
        given.rate,
        given.seed,
        given.output,
    )
    metadata = {name: str(getattr(given, name)) for name in ("steps", "batch", "rate", "seed")}
    gland_network.save(network, given.output, metadata)
    digest = hashlib.sha256(given.output.read_bytes()).hexdigest()
    print(f"{given.output}: WEIGHTS_SHA256 = {digest!r}")


if __name__ == "__main__":
    main()
