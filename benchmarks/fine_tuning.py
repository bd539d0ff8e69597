"""Is fine-tuning of a network's last block worth it at a site? Simulated scintigrams, compact network.

`make bench-fine-tuning`; five minutes on one core. A network is trained on images of one hospital, whose outcomes
depend on mass, uptake and heterogeneity. At another one, each update is fitted to n patients and scored in others.
"""

import copy

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage, special
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from torch import nn

from thyrocast.config.choices import Architecture, Pretraining
from thyrocast.config.network import NetworkConfig
from thyrocast.image.encoder import MEASURES
from thyrocast.network import model
from thyrocast.network.compact import ScintigramCompact
from thyrocast.simulation import lessons

Values = NDArray[np.float64]
TRAINING, TESTED, SITES = 300, 400, 12
PATIENTS = (40, 100, 200)
#: Effect of a standard deviation of each measure on the log-odds of cure, where the model is trained.
HOME = {"mass": -0.8, "uptake": -0.6, "heterogeneity": -0.6}
#: What differs at the site: intercept, effects, and blur of its images in pixels.
TRUTHS = {
    "nothing": (0.0, {}, 0.0),
    "intercept 1": (1.0, {}, 0.0),
    "blurred images": (0.0, {}, 1.5),
    "heterogeneity has the opposite effect": (0.0, {"heterogeneity": 0.9}, 0.0),
}
EPOCHS, BATCH = 10, 20


def outcomes(
    measures: Values, shift: float, other: dict[str, float], random: np.random.Generator
) -> Values:
    """Draw outcomes, (n,)."""
    effects = HOME | other
    linear = shift + sum(
        effect * measures[:, MEASURES.index(name)] for name, effect in effects.items()
    )
    return (random.random(len(measures)) < special.expit(linear)).astype(np.float64)


def draw() -> tuple[torch.Tensor, Values]:
    """Images, the square root of relative counts, with their measures in standard deviations."""
    found = lessons.lessons(int(1.5 * (TRAINING + TESTED + max(PATIENTS))), 1)
    used = [MEASURES.index(name) for name in HOME]
    known = ~np.isnan(found.measures[:, used]).any(1)
    edge = lessons.SHIPPED.margin
    images = found.images[known][:, edge:-edge, edge:-edge].astype(np.float32)
    measures = found.measures[known].astype(np.float64)
    measures = (measures - np.nanmean(measures, 0)) / np.nanstd(measures, 0)
    return torch.from_numpy(images).clamp_min(0).sqrt().unsqueeze(1), measures


def train(
    part: nn.Module, logit: "nn.Module", x: torch.Tensor, y: Values, rate: float, seed: int
) -> None:
    """Train modules that map activations to log-odds."""
    chain = nn.Sequential(part, logit)
    optimizer = torch.optim.AdamW(chain.parameters(), lr=rate, weight_decay=1e-2)
    target = torch.from_numpy(y.astype(np.float32))
    generator = torch.Generator().manual_seed(seed)
    chain.train()
    for _ in range(EPOCHS):
        for rows in torch.randperm(len(x), generator=generator).split(BATCH):
            loss = nn.functional.binary_cross_entropy_with_logits(
                chain(x[rows]).squeeze(1), target[rows]
            )
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]  # torch has no types here
            optimizer.step()
    chain.eval()


class Logit(nn.Module):
    """Global average and logit, of the network that is updated."""

    def __init__(self, fc: nn.Module) -> None:
        super().__init__()
        self.fc = fc

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Log-odds, (n, 1)."""
        found: torch.Tensor = self.fc(x.mean((2, 3)))
        return found


class Before(nn.Module):
    """The whole network but its logit."""

    def __init__(self, network: ScintigramCompact) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Activations of the last stage."""
        return self.network.blocks(x)


def loss(y: Values, logit: Values) -> float:
    """Mean log loss."""
    return float(np.mean(np.logaddexp(0, logit) - y * logit))


def regression(x: Values, y: Values, new: Values) -> Values:
    """Log-odds of new patients by a logistic regression without penalty."""
    fitted = LogisticRegression(C=np.inf, max_iter=1000).fit(x, y)
    return np.asarray(fitted.decision_function(new))


def site(
    network: ScintigramCompact,
    axes: PCA,
    truth: tuple[float, dict[str, float], float],
    data: tuple[torch.Tensor, Values],
    n: int,
    random: np.random.Generator,
) -> dict[str, float]:
    """Log loss of each update in the tested patients of one site."""
    shift, other, _ = truth
    x, measures = data
    y = outcomes(measures, shift, other, random)
    order = random.permutation(len(y))
    fit, new = order[:n], order[-TESTED:]
    stage, logit = copy.deepcopy(network.layer4), Logit(copy.deepcopy(network.fc))
    with torch.no_grad():
        features = stage(x)
        own = logit(features).squeeze(1).numpy().astype(np.float64)
    parts = axes.transform(features.mean((2, 3)).numpy()).astype(np.float64)
    line, head = own[:, None], np.column_stack([own, parts])
    train(stage, logit, x[fit], y[fit], 3e-4, n)
    with torch.no_grad():
        tuned = logit(stage(x[new])).squeeze(1).numpy().astype(np.float64)
    return {
        "none": loss(y[new], own[new]),
        "slope": loss(y[new], regression(line[fit], y[fit], line[new])),
        "head": loss(y[new], regression(head[fit], y[fit], head[new])),
        "last block": loss(y[new], tuned),
    }


def main() -> None:
    """Print the table of docs/updating.md."""
    torch.set_num_threads(1)
    images, measures = draw()
    random = np.random.default_rng(1)
    settings = NetworkConfig(architecture=Architecture.COMPACT, pretraining=Pretraining.SIMULATION)
    network = model.initialize(1, settings)
    if not isinstance(network, ScintigramCompact):
        raise TypeError("expected the compact network")
    home = slice(0, TRAINING)
    y = outcomes(measures[home], 0.0, {}, random)
    train(Before(network), Logit(network.fc), images[home], y, 3e-4, 0)
    with torch.no_grad():
        axes = PCA(3).fit(network.pool(network.blocks(images[home])).numpy())
    print(f"{len(images)} images; log loss minus that of the model as it is, mean (standard error)")
    print("| what differs | patients | none | slope | head | last block |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name, truth in TRUTHS.items():
        seen = images[TRAINING:]
        if truth[2]:
            moved = ndimage.gaussian_filter(seen.numpy() ** 2, (0, 0, truth[2], truth[2]))
            seen = torch.from_numpy(np.sqrt(moved))
        with torch.no_grad():
            middle = torch.cat([network.blocks(part, "layer3") for part in seen.split(100)])
        for n in PATIENTS:
            found = [
                site(network, axes, truth, (middle, measures[TRAINING:]), n, random)
                for _ in range(SITES)
            ]
            cells = []
            for step in ("slope", "head", "last block"):
                change = np.array([one[step] - one["none"] for one in found])
                cells.append(f"{change.mean():+.3f} ({change.std(ddof=1) / SITES**0.5:.3f})")
            base = np.mean([one["none"] for one in found])
            print(f"| {name} | {n} | {base:.3f} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
