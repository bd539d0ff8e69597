"""What networks that are trained on outcomes learn from 160 phantoms, by architecture and pretraining.

    PYTHONPATH=workflow/lib .venv/bin/python -m benchmarks.trained_networks [--seeds 3] [--resnet]
    PYTHONPATH=workflow/lib .venv/bin/python -m benchmarks.trained_networks --kinds other --train 100 340 --steps 150 400
    PYTHONPATH=workflow/lib:workflow/scripts .venv/bin/python -m benchmarks.trained_networks --kinds other --phantoms 16000

With `--steps`, networks from simulation are trained for so many optimization steps, and for 12 epochs. With
`--phantoms`, a ResNet50 is pretrained on so many phantoms (`pretrained/`), and trained from these weights and
from random ones.

Phantoms, outcomes and AUC are those of `benchmarks/learning.py`: with `other`, the pretraining saw none of the
simulator's phantoms. All networks of a seed have the same patients and outcomes, and are trained by the project's own code on
all of them. Outcomes are drawn from mass, uptake, heterogeneity and activity, which flatters whatever reads these.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from benchmarks import learning, pretraining
from thyrocast.baselines import models
from thyrocast.config.choices import Architecture
from thyrocast.config.network import NetworkConfig
from thyrocast.config.pretraining import SimulationConfig
from thyrocast.image import encoder, readings
from thyrocast.network import pretrained, training
from thyrocast.network.image_set import ImageSet
from thyrocast.network.optimization import steps_per_epoch
from thyrocast.network.pretrained import Pretrained
from thyrocast.simulation.lessons import SHIPPED

TEST = 300
COMPACT = {"architecture": "compact", "threads": 1}
SIMULATION = {**COMPACT, "pretraining": "simulation"}
NETWORKS = {
    "compact, random, 15 epochs": {**COMPACT, "epochs": 15},
    "compact, random, 40 epochs": {**COMPACT, "epochs": 40},
    "compact, simulation, 12 epochs": {**SIMULATION, "epochs": 12},
    "compact, simulation, 40 epochs": {**SIMULATION, "epochs": 40},
}
FIXED_EPOCHS = {"compact, simulation, 12 epochs": {**SIMULATION, "epochs": 12}}
RESNET = {"ResNet50, random, 40 epochs": {"threads": 1, "epochs": 40}}
PRETRAINED = {
    "ResNet50, random, 12 epochs": {"threads": 1, "epochs": 12},
    "ResNet50, simulation, 12 epochs": {"threads": 1, "pretraining": "simulation", "epochs": 12},
}


def image_set(images, outcome) -> ImageSet:
    """Return patients with their images; their counts are not known, so that none are thinned."""
    n = len(images)
    return ImageSet(
        patient=np.array([f"{i:04d}" for i in range(n)]),
        center=np.full(n, "phantoms"),
        outcome=outcome,
        row=np.arange(n),
        set=np.full(n, "train"),
        fold=np.ones(n, np.int64),
        gland_counts=np.full(n, np.nan),
        camera_pixel=np.full(n, np.nan),
        images=images,
    )


def resnet(phantoms: int) -> Pretrained:
    """Return a ResNet50 that was pretrained on so many phantoms; by `pretrain_network`, if it has not been."""
    import pretrain_network  # here, since only this option needs the folder of scripts on the path

    file = Path("pretrained") / f"benchmark-resnet50-{phantoms}.safetensors"
    if not file.exists():
        settings = SimulationConfig.read({"phantoms": phantoms, "batch_size": 16})
        pretrain_network.run(file, Architecture.RESNET50, SHIPPED, settings, allow_cpu=True)
    return pretrained.read(file)


def score(images, outcome, new, settings: NetworkConfig, seed: int, start: Pretrained | None):
    """Return log-odds of cure of new images by a network that learned from the others."""
    masks = np.ones(images.shape, np.uint8)
    with tempfile.TemporaryDirectory() as folder:
        trained = training.train(
            image_set(images, outcome), masks, settings, seed=seed, initial_seed=seed,
            device=torch.device("cpu"), state_folder=Path(folder), pretrained=start,
        )  # fmt: skip
    with torch.no_grad():
        return trained.network(trained.normalization.apply(torch.from_numpy(new))).numpy()


def chosen(train: int, given: argparse.Namespace) -> dict[str, dict]:
    """Return the settings of the networks that are compared with so many training patients."""
    if given.phantoms:
        return RESNET | PRETRAINED
    if not given.steps:
        return NETWORKS | (RESNET if given.resnet else {})
    of_an_epoch = steps_per_epoch(train, NetworkConfig.read(SIMULATION).batch_size)
    epochs = {steps: max(round(steps / of_an_epoch), 1) for steps in given.steps}
    return FIXED_EPOCHS | {
        f"compact, simulation, {steps} steps": {**SIMULATION, "epochs": number}
        for steps, number in epochs.items()
    }


def compare(kind: str, train: int, given: argparse.Namespace) -> None:
    """Print the table of one simulator."""
    number = round(1.05 * (train + TEST)) + 80
    images, truths, _ = (pretraining.patients if kind == "other" else learning.own)(
        number, learning.SEED
    )
    names = ("mass", "uptake", "heterogeneity")
    truth = pd.DataFrame({name: [getattr(one, name) for one in truths] for name in names})
    truth["activity"] = np.exp(np.random.default_rng(learning.SEED).normal(6.1, 0.35, len(truth)))
    odds, in_image = learning.risk(truth)
    read = pd.DataFrame([vars(one) for one in readings.readings(encoder.encode(images))])[
        learning.READ
    ]
    tests, trains = np.arange(TEST), np.arange(TEST, len(images))
    new = odds[tests]
    print(f"\n{kind}: n = {train}, ceiling of the image {learning.auc(in_image[tests], new):.3f}")
    found: dict[str, list[float]] = {}
    networks = chosen(train, given)
    start = resnet(given.phantoms) if given.phantoms else None
    for seed in range(given.seeds):
        rng = np.random.default_rng([seed, 5])
        outcome = (rng.random(len(odds)) < 1 / (1 + np.exp(-odds))).astype(float)
        rows = rng.permutation(trains)[:train]
        fit = models.fit(
            read.iloc[rows].reset_index(drop=True), outcome[rows], learning.CONFIG, seed, None
        )
        simulated = fit.odds(read.iloc[tests].reset_index(drop=True))
        found.setdefault("simulated (no network trained)", []).append(learning.auc(simulated, new))
        for name, block in networks.items():
            begin = time.process_time()
            settings = NetworkConfig.read(block)
            ours = score(images[rows], outcome[rows], images[tests], settings, seed, start)
            found.setdefault(name, []).append(learning.auc(ours, new))
            spent = time.process_time() - begin
            print(f"  {seed} {name}: {found[name][-1]:.3f}, {spent:.0f} CPU-s", flush=True)
    for name, aucs in found.items():
        error = np.std(aucs, ddof=1) / np.sqrt(len(aucs)) if len(aucs) > 1 else np.nan
        print(f"{name:36s} {np.mean(aucs):.3f} (SE {error:.3f})")


def main() -> None:
    """Read the command line and print a table for each simulator."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--resnet", action="store_true")
    parser.add_argument("--kinds", nargs="+", default=["other", "own"], choices=["other", "own"])
    parser.add_argument("--train", type=int, nargs="+", default=[160], help="training patients")
    parser.add_argument("--steps", type=int, nargs="*", default=[])
    parser.add_argument("--phantoms", type=int, default=0, help="phantoms that pretrain a ResNet50")
    given = parser.parse_args()
    torch.set_num_threads(1)
    for kind in given.kinds:
        for train in given.train:
            compare(kind, train, given)


if __name__ == "__main__":
    main()
