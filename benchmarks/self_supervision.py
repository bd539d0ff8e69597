"""Whether self-supervision on the unlabeled images of development centers helps, with the compact network.

    PYTHONPATH=workflow/lib .venv/bin/python -m benchmarks.self_supervision [--draws 4] [--steps 150] [--train 160]

Phantoms, outcomes and AUC are those of the part `other` of `benchmarks/learning.py`. The network starts from the
shipped weights and continues, without any outcome, on the images of all patients who are not test patients (with or
without outcome; the test patients' images take no part), by one of two objectives:

contrast
    Two views of an image have embeddings closer to each other than to those of other images (SimCLR).
agreement
    Two views of an image have the same readings, while those of phantoms of the own simulator remain right.

A view is mirrored, shifted, blurred, noisy and of another brightness. Then ridge regressions learn from patients
with outcome: on the readings, on the embedding (80 features), on both. All models of a draw have the same patients
and outcomes; another draw has other ones, and another self-supervision.
"""

import argparse
import time

import numpy as np
import pandas as pd
import torch
from scipy import ndimage
from torch.nn import functional

from benchmarks import learning
from thyrocast.baselines import models
from thyrocast.image import encoder
from thyrocast.image.encoder import MEASURES
from thyrocast.image.readings import readings
from thyrocast.network import pretraining
from thyrocast.network.pretrained import restore
from thyrocast.simulation.lessons import lessons

RATE, BATCH, PROJECTED, TEMPERATURE = 3e-4, 32, 64, 0.2
#: Phantoms of the own simulator that keep the readings right, and weight of the agreement.
OWN, AGREEMENT = 1000, 1.0
#: Readings that must agree: those that do not change in a mirror.
SAME = [MEASURES.index(name) for name in ("mass", "uptake", "heterogeneity", "contrast")]
EMBEDDED = [f"feature_{i:02d}" for i in range(encoder.STAGES[-1])]


def views(images, rng):
    """Return images (n, SIZE, SIZE) changed at random."""
    found = images.copy()
    mirrored = rng.random(len(found)) < 0.5
    found[mirrored] = found[mirrored, :, ::-1]
    for index, image in enumerate(found):
        moved = np.roll(image, rng.integers(-2, 3, 2), (0, 1))
        found[index] = ndimage.gaussian_filter(moved, rng.uniform(0, 0.8))
    noise = rng.uniform(0, 0.15, (len(found), 1, 1)) * rng.normal(size=found.shape)
    found = np.maximum(found + np.sqrt(np.maximum(found, 0)) * noise, 0)
    return (found * np.exp(rng.normal(0, 0.05, (len(found), 1, 1)))).astype(np.float32)


def embedded(network, images):
    """Return the global average of the last stage: (n, 80)."""
    return network.activations(network.prepare(images))[-1].mean((2, 3))


def contrast(network, images, steps: int, seed: int) -> list[float]:
    """Continue the training by contrast of images; return the losses."""
    torch.manual_seed(seed)
    rng = np.random.default_rng([seed, 8])
    width = encoder.STAGES[-1]
    head = torch.nn.Sequential(
        torch.nn.Linear(width, width), torch.nn.ReLU(), torch.nn.Linear(width, PROJECTED)
    )
    parameters = [*network.parameters(), *head.parameters()]
    optimizer = torch.optim.AdamW(parameters, RATE, weight_decay=pretraining.WEIGHT_DECAY)
    losses = []
    for _ in range(steps):
        rows = rng.choice(len(images), min(BATCH, len(images)), replace=False)
        both = np.concatenate([views(images[rows], rng), views(images[rows], rng)])
        with torch.autocast("cpu", torch.bfloat16):
            raw = head(embedded(network, both))
        z = functional.normalize(raw.float(), dim=1)
        similar = (z @ z.T / TEMPERATURE).masked_fill(torch.eye(len(z), dtype=torch.bool), -1e9)
        other = torch.arange(len(z)).roll(len(rows))
        losses.append(step(optimizer, parameters, functional.cross_entropy(similar, other)))
    return losses


def agreement(network, images, own, steps: int, seed: int) -> list[float]:
    """Continue the training by agreement of the readings; return the losses of the agreement."""
    torch.manual_seed(seed)
    rng = np.random.default_rng([seed, 9])
    parameters = list(network.parameters())
    optimizer = torch.optim.AdamW(parameters, RATE, weight_decay=pretraining.WEIGHT_DECAY)
    course = pretraining.Passes(
        own, pretraining.Plan(-(-steps * BATCH // OWN) + 1, BATCH, RATE, seed)
    )
    losses = []
    for part, _ in zip(course.parts(), range(steps), strict=False):
        rows = rng.choice(len(images), BATCH, replace=False)
        both = np.concatenate([views(images[rows], rng), views(images[rows], rng)])
        with torch.autocast("cpu", torch.bfloat16):
            raw = network(network.prepare(both)).measures
        first, second = raw.float()[:, SAME].chunk(2)
        apart = (first - second).square().mean()
        own_batch = pretraining._augmented(network, part)
        right = pretraining._loss(network, own_batch, torch.device("cpu"), torch.bfloat16)
        step(optimizer, parameters, right + AGREEMENT * apart)
        losses.append(float(apart.detach()))
    return losses


def step(optimizer, parameters, loss) -> float:
    """Make one optimization step; return the loss."""
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(parameters, 1.0)
    optimizer.step()
    return float(loss.detach())


@torch.no_grad()
def features(network, images) -> dict[str, pd.DataFrame]:
    """Return the predictors of each regression, by a network."""
    network.eval()
    weights = {name: value.numpy() for name, value in network.state_dict().items()}
    read = pd.DataFrame([vars(one) for one in readings(encoder.encode(images, weights))])
    parts = [embedded(network, part).numpy() for part in np.array_split(images, 10)]
    embedding = pd.DataFrame(np.concatenate(parts).astype(float), columns=EMBEDDED)
    read = read[learning.READ]
    return {
        "readings": read,
        "embedding": embedding,
        "both": pd.concat([read, embedding], axis="columns"),
    }


def supervised_by_itself(frozen, images, own, given: argparse.Namespace, draw: int):
    """Return the predictors after each objective; `images` are those without labels and all of them."""
    found = {}
    for objective in ("contrast", "agreement"):
        begin = time.process_time()
        network = restore(encoder.WEIGHTS).to(memory_format=torch.channels_last)
        if objective == "contrast":
            losses = contrast(network, images[0], given.steps, draw)
        else:
            losses = agreement(network, images[0], own, given.steps, draw)
        tenth = max(given.steps // 10, 1)
        print(
            f"  {draw} {objective}: {np.mean(losses[:tenth]):.4f} to {np.mean(losses[-tenth:]):.4f}, "
            f"{time.process_time() - begin:.0f} CPU-s",
            flush=True,
        )
        frames = features(network, images[1])
        found[f"{objective}, embedding"] = frames["embedding"]
        if objective == "agreement":
            found["agreement, readings"] = frames["readings"]
    # Contrast does not keep the readings: those of the shipped network are used.
    both = [frozen["readings"], found["contrast, embedding"]]
    return found | {"contrast, both": pd.concat(both, axis="columns")}


def report(found: dict[tuple[str, int], list[float]]) -> None:
    """Print the AUC of each regression, and the paired difference from that by the frozen network."""
    for name, n in found:
        aucs = np.array(found[name, n])
        base = "embedding" if name.endswith("embedding") else "readings"
        paired = aucs - np.array(found[f"frozen, {base}", n])
        error = paired.std(ddof=1) / np.sqrt(len(paired))
        print(
            f"n = {n}: {name:24s}{aucs.mean():.3f}, minus frozen {base} {paired.mean():+.4f} ({error:.4f})"
        )


def main() -> None:
    """Read the command line and print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--draws", type=int, default=4)
    parser.add_argument("--steps", type=int, default=150)
    parser.add_argument("--train", type=int, nargs="+", default=[160])
    parser.add_argument("--patients", type=int, default=700)
    parser.add_argument("--test", type=int, default=300)
    given = parser.parse_args()
    torch.set_num_threads(1)
    images, truths, _ = learning.pretraining.patients(given.patients, learning.SEED)
    names = ("mass", "uptake", "heterogeneity")
    truth = pd.DataFrame({name: [getattr(one, name) for one in truths] for name in names})
    truth["activity"] = np.exp(np.random.default_rng(learning.SEED).normal(6.1, 0.35, len(truth)))
    odds, in_image = learning.risk(truth)
    tests, trains = np.arange(given.test), np.arange(given.test, len(images))
    new = odds[tests]
    print(
        f"{len(trains)} images without labels, {given.steps} steps; "
        f"ceiling of the image {learning.auc(in_image[tests], new):.3f}",
        flush=True,
    )
    own = lessons(OWN, 12)
    frozen = features(restore(encoder.WEIGHTS), images)
    found: dict[tuple[str, int], list[float]] = {}
    for draw in range(given.draws):
        rng = np.random.default_rng([draw, 5])
        outcome = (rng.random(len(odds)) < 1 / (1 + np.exp(-odds))).astype(float)
        order = rng.permutation(trains)
        sets = {f"frozen, {name}": frame for name, frame in frozen.items()}
        sets |= supervised_by_itself(frozen, (images[trains], images), own, given, draw)
        for name, frame in sets.items():
            for n in given.train:
                rows = frame.iloc[order[:n]].reset_index(drop=True)
                fit = models.fit(rows, outcome[order[:n]], learning.CONFIG, draw, None)
                score = fit.odds(frame.iloc[tests].reset_index(drop=True))
                found.setdefault((name, n), []).append(learning.auc(score, new))
    report(found)


if __name__ == "__main__":
    main()
