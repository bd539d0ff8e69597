"""Whether harmonization helps in a center that was not trained on: discrimination, calibration, center probe.

    PYTHONPATH=workflow/lib .venv/bin/python -m benchmarks.harmonization [--patients 400] [--draws 5]

Phantoms of two simulators (`benchmarks/learning.py`) are divided into five centers by the pixel size of their camera. Each
draw of a center's sensitivity changes its technetium uptake by a factor (standard deviation of the logarithm: `--factor`).
`same`: all centers have the same patients. `different`: 60 % of the patients of each center are chosen, from one
with mostly small glands to one with mostly large ones. Cure depends on mass, uptake, heterogeneity and activity, as in
`benchmarks/learning.py`: what is true of patients, not of centers.

Each center in turn is left out. Features of the others are harmonized, and a ridge regression learns from them; those of the
center that was left out are harmonized by themselves, without outcomes. `AUC` is that expected over outcomes within
the center; `|log O/E|` the mean absolute logarithm of observed / expected, `slope` the median calibration slope, by the
known risk; `probe` how often the center is predicted from features after harmonization (chance: 20 %).

`intensity` and `adaptive` change the images or the encoder before hidden units are computed. `intensity`: the distribution
of the pixels of each center becomes the mean one of the centers that are learned from. `adaptive`: mean and standard deviation of every
channel after every convolution become, in each center, those of all images that are learned from (adaptive batch
normalization: Li et al., Pattern Recognit 2018;80:109).
"""

import argparse
import functools
import time

import numpy as np
import pandas as pd
import torch

from benchmarks import learning
from thyrocast.baselines import models
from thyrocast.config.evaluation import MinimumCountConfig
from thyrocast.config.signature import SignatureConfig
from thyrocast.contract import columns
from thyrocast.contract.control_names import Harmonized, ProbeSource
from thyrocast.controls import learners, probe
from thyrocast.image import encoder
from thyrocast.network.compact import Convolution, PhysicsNetwork
from thyrocast.statistics import harmonization, logistic

CENTERS = 5
CONFIG = SignatureConfig(tuning_folds=5)
METHODS = ("none", *harmonization.METHODS)
#: How images, or the encoder, are changed in each center.
OF_IMAGES = ("intensity", "adaptive")
LEVELS = np.linspace(0, 1, 201)


def features(pool: pd.DataFrame, factor: np.ndarray) -> dict[str, np.ndarray]:
    """Return the hidden units of the encoder, and the measured quantities that nobody misses."""
    measured = pool[list(columns.QUANTITIES)].astype(float)
    measured["q_uptake"] = np.log(measured["q_uptake"].clip(lower=1e-3)) + factor
    measured["q_mass"] = np.log(measured["q_mass"])
    complete = measured.loc[:, measured.notna().all()]
    varying = complete.loc[:, complete.std() > 0]
    return {"hidden units": pool[learning.UNITS].to_numpy(), "handcrafted": varying.to_numpy()}


def harmonized(
    method: str, values: np.ndarray, center: np.ndarray, trained: np.ndarray
) -> np.ndarray:
    """Return features on one scale: other centers than the trained ones by themselves."""
    if method == "none":
        return values
    learned = harmonization.learn(values[trained], center[trained], method)
    result = np.empty_like(values)
    for name in np.unique(center):
        rows = center == name
        shift = learned.centers.get(str(name)) or learned.shift(values[rows])
        result[rows] = learned.apply(values[rows], shift)
    return result


def same_intensities(images: np.ndarray, center: np.ndarray, trained: np.ndarray) -> np.ndarray:
    """Return images (n, SIZE, SIZE) whose pixels have one distribution in all centers."""
    own = {name: np.quantile(images[center == name], LEVELS) for name in np.unique(center)}
    target = np.mean([own[name] for name in np.unique(center[trained])], axis=0)
    result = np.empty_like(images)
    for name, levels in own.items():
        rows = center == name
        # Many pixels of the background are 0, and np.interp needs increasing levels.
        rising, first = np.unique(levels, return_index=True)
        result[rows] = np.interp(images[rows], rising, target[first])
    return result


@torch.no_grad()
def hidden_units(network: PhysicsNetwork, images: np.ndarray) -> np.ndarray:
    """Return the hidden units (n, HIDDEN) of images (n, SIZE, SIZE)."""
    found: list[torch.Tensor] = []
    hook = network.hidden.register_forward_hook(lambda _, __, y: found.append(torch.relu(y)))
    network(network.prepare(images))
    hook.remove()
    return found[0].double().numpy()


def adapted(
    network: PhysicsNetwork, images: np.ndarray, center: np.ndarray, trained: np.ndarray
) -> np.ndarray:
    """Return hidden units, every channel with the same mean and spread in all centers."""
    layers = [module for module in network.modules() if isinstance(module, Convolution)]
    wanted: dict[Convolution, tuple[torch.Tensor, torch.Tensor]] = {}

    def spread(y: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return y.mean((0, 2, 3), keepdim=True), y.std((0, 2, 3), keepdim=True)

    def remember(layer, _, y) -> None:
        wanted[layer] = spread(y)

    def adapt(layer, _, y) -> torch.Tensor:
        mean, scale = spread(y)
        return (y - mean) / scale.clamp_min(1e-6) * wanted[layer][1] + wanted[layer][0]

    hooks = [layer.register_forward_hook(remember) for layer in layers]
    hidden_units(network, images[trained])
    for hook in hooks:
        hook.remove()
    hooks = [layer.register_forward_hook(adapt) for layer in layers]
    result = np.empty((len(images), encoder.HIDDEN))
    for name in np.unique(center):
        rows = center == name
        result[rows] = hidden_units(network, images[rows])
    for hook in hooks:
        hook.remove()
    return result


def from_images(
    method: str, images: np.ndarray, center: np.ndarray, trained: np.ndarray
) -> np.ndarray:
    """Return hidden units after images or encoder were adapted to each center."""
    network = PhysicsNetwork().eval()
    network.start_from(encoder.load())
    if method == "adaptive":
        return adapted(network, images, center, trained)
    return hidden_units(network, same_intensities(images, center, trained))


def prepared(
    method: str, values: np.ndarray, images: np.ndarray, center: np.ndarray, trained: np.ndarray
) -> np.ndarray:
    """Return features after harmonization that learns from the trained centers."""
    if method in OF_IMAGES:
        return from_images(method, images, center, trained)
    return harmonized(method, values, center, trained)


def score(
    values: np.ndarray, outcome: np.ndarray, odds: np.ndarray, trained: np.ndarray, seed: int
) -> tuple[float, float, float]:
    """Return AUC, |log O/E| and calibration slope in the center that was left out."""
    frame = pd.DataFrame(values, columns=[f"f{i}" for i in range(values.shape[1])])
    fitted = models.fit(frame[trained].reset_index(drop=True), outcome[trained], CONFIG, seed, None)
    linear, true = fitted.odds(frame[~trained].reset_index(drop=True)), odds[~trained]
    risk = 1 / (1 + np.exp(-true))
    found = np.abs(np.log(risk.sum() / (1 / (1 + np.exp(-linear))).sum()))
    design = np.stack([np.ones(len(linear)), linear], axis=1)
    slope = logistic.solve(design, risk, penalty=np.array([0.0, 1e-6]))[1]
    return learning.auc(linear, true), float(found), float(slope)


def divided(
    pool: pd.DataFrame, mix: str, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return rows and centers of a draw; pixel sizes of the phantoms decide about the center."""
    rank = pool["pixel_mm"].rank(method="first").to_numpy() - 1
    center = (rank * CENTERS / len(pool)).astype(int)
    mass = np.log(pool["mass"].to_numpy())
    z = (mass - mass.mean()) / mass.std()
    rows = []
    for number in range(CENTERS):
        own = np.flatnonzero(center == number)
        tilt = (number - (CENTERS - 1) / 2) * (0.8 if mix == "different" else 0.0)
        weight = np.exp(tilt * z[own])
        size = int(0.6 * len(own))
        rows.append(rng.choice(own, size, replace=False, p=weight / weight.sum()))
    chosen = np.concatenate(rows)
    return chosen, center[chosen].astype(np.str_)


def compare(
    kind: str, mix: str, whole: pd.DataFrame, shown: np.ndarray, given: argparse.Namespace
) -> None:
    """Print the results of one simulator and case mix."""
    every = learning.risk(whole)[0]
    found: dict[tuple[str, str], list[tuple[float, float, float]]] = {}
    probed: dict[tuple[str, str], list[float]] = {}
    for draw in range(given.draws):
        rng = np.random.default_rng([draw, 11])
        rows, center = divided(whole, mix, rng)
        pool, odds, images = whole.iloc[rows].reset_index(drop=True), every[rows], shown[rows]
        outcome = (rng.random(len(odds)) < 1 / (1 + np.exp(-odds))).astype(float)
        factor = rng.normal(0, given.factor, CENTERS)[center.astype(int)]
        alone = features(pool, factor)
        compared = [(name, method) for name in alone for method in METHODS]
        compared += [("hidden units", method) for method in OF_IMAGES]
        for name, method in compared:
            ready = functools.partial(prepared, method, alone[name], images, center)
            cells = found.setdefault((name, method), [])
            for left_out in np.unique(center):
                trained = center != left_out
                cells.append(score(ready(trained), outcome, odds, trained, draw))
            everybody = ready(np.ones(len(center), dtype=bool))
            source = {(ProbeSource.EMBEDDINGS, Harmonized.NONE): learners.pixels(everybody)}
            table = probe.run(center, source, MinimumCountConfig(), draw)
            probed.setdefault((name, method), []).append(float(table["accuracy"].iloc[0]))
    print(f"\n{kind}, {mix} patients: {len(whole)} phantoms")
    print(
        f"{'':14s}{'':10s}{'AUC':>7s}{'minus none (SE)':>18s}{'|log O/E|':>11s}{'slope':>7s}{'probe':>7s}"
    )
    for (name, method), cells in found.items():
        area, error, slope = np.array(cells).T
        base = np.array(found[name, "none"])[:, 0]
        by_draw = (area - base).reshape(given.draws, CENTERS).mean(axis=1)
        change = f"{by_draw.mean():+.3f} ({by_draw.std(ddof=1) / np.sqrt(given.draws):.3f})"
        print(
            f"{name:14s}{method:10s}{area.mean():7.3f}{change:>18s}{error.mean():11.3f}"
            f"{np.median(slope):7.2f}{np.mean(probed[name, method]):7.2f}",
            flush=True,
        )


def main() -> None:
    """Read the command line and print a table for each simulator and case mix."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--patients", type=int, default=400)
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument("--factor", type=float, default=0.25)
    given = parser.parse_args()
    torch.set_num_threads(1)
    begin = time.process_time()
    for kind in ("other", "own"):
        whole, images = learning.with_images(kind, given.patients)
        for mix in ("same", "different"):
            compare(kind, mix, whole, images, given)
    print(f"{time.process_time() - begin:.0f} CPU-seconds")


if __name__ == "__main__":
    main()
