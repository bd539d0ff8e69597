"""Pretraining of the compact network: it learns to read physical quantities from simulated scintigrams."""

import copy
import logging
import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional

from thyrocast.fileio import atomic
from thyrocast.image import encoder
from thyrocast.image.encoder import MEASURES, SIZE
from thyrocast.network.compact import PhysicsNetwork, Read

LOGGER = logging.getLogger("thyrocast")
#: Weights of other tasks than the estimates in the loss: nodules, outlines of the lobes, uncertainty.
SIGN_WEIGHT, LOBE_WEIGHT, SPREAD_WEIGHT = 0.3, 1.0, 0.3
#: Weight of each measure in the loss; what is nuisance counts less, what transfers worst more.
MEASURE_WEIGHTS = {"heterogeneity": 3.0, "resolution": 0.5, "counts": 0.5}
#: Shares of the steps with a rising learning rate, and with batch normalization; learning rate after it,
#: relative to that with it.
WARM_UP, NORMALIZED, FOLDED_RATE = 0.05, 0.6, 0.5
#: Share of images whose field is made smaller: least side of it, pixels.
SMALL_FIELDS, LEAST_FIELD = 0.1, 44
#: Largest shift, pixels; standard deviation of the brightness.
SHIFT, BRIGHTNESS = 2, 0.05
#: Pixels per side of a block of the lobes' coarse masks.
BLOCK = 4
WEIGHT_DECAY = 0.02


class Lessons(Protocol):
    """What is learned from: `simulation.lessons.Lessons`."""

    @property
    def images(self) -> NDArray[np.float16]:
        """Images (N, side, side)."""

    @property
    def lobes(self) -> NDArray[np.float16]:
        """Coarse masks of the lobes (N, 2, side / BLOCK, side / BLOCK)."""

    @property
    def measures(self) -> NDArray[np.float32]:
        """Measures (N, measures)."""

    @property
    def signs(self) -> NDArray[np.float32]:
        """Signs (N, signs)."""


@dataclass(frozen=True)
class Plan:
    """How long and how fast the network learns."""

    epochs: int
    batch: int
    rate: float
    seed: int


def pretrain(lessons: Lessons, plan: Plan, path: Path | None = None) -> PhysicsNetwork:
    """Train the network from random weights.

    After `NORMALIZED` of the steps, batch normalization is folded into the convolutions; the rest of the
    training is of exactly what is shipped.

    Parameters
    ----------
    lessons
        Simulated images and their truth.
    plan
        Passes over the images, images per step, largest learning rate of AdamW (one cycle), seed.
    path
        If given, the weights are written there after each epoch.
    """
    torch.manual_seed(plan.seed)
    rng = np.random.default_rng(plan.seed)
    network = PhysicsNetwork()
    network.measure_mean.copy_(torch.from_numpy(np.nanmean(lessons.measures, 0)))
    network.measure_scale.copy_(torch.from_numpy(np.nanstd(lessons.measures, 0)))
    optimizer = _optimizer(network, plan.rate)
    number = len(lessons.images)
    steps = max(number // plan.batch, 1)
    folding = round(NORMALIZED * plan.epochs * steps)
    begin = time.monotonic()
    for epoch in range(plan.epochs):
        total = 0.0
        for step, rows in enumerate(np.array_split(rng.permutation(number), steps)):
            done = epoch * steps + step
            if done == folding:
                network.fold()
                optimizer = _optimizer(network, plan.rate)
            factor = FOLDED_RATE if done >= folding else 1.0
            for group in optimizer.param_groups:
                group["lr"] = plan.rate * factor * _cycle(done / (plan.epochs * steps))
            value = _loss(network, _augmented(lessons, rows, rng))
            optimizer.zero_grad(set_to_none=True)
            value.backward()  # type: ignore[no-untyped-call]  # PyTorch leaves it untyped
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            total += value.item()
        LOGGER.info(
            "epoch %d / %d: loss %.4f, %.0f s",
            epoch + 1, plan.epochs, total / steps, time.monotonic() - begin,
        )  # fmt: skip
        if path is not None:
            save(network, path, {"epoch": str(epoch + 1)})
    network.fold()
    return network.eval()


def _optimizer(network: PhysicsNetwork, rate: float) -> torch.optim.AdamW:
    """Return AdamW; the weights of convolutions and layers decay, others do not."""
    many = [p for p in network.parameters() if p.ndim > 1]
    few = [p for p in network.parameters() if p.ndim <= 1]
    groups = [{"params": many, "weight_decay": WEIGHT_DECAY}, {"params": few, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, rate)


def _cycle(share: float) -> float:
    """Return the learning rate relative to the largest one at this share of the steps."""
    if share < WARM_UP:
        return 0.05 + 0.95 * share / WARM_UP
    return 0.01 + 0.99 * (1 + math.cos(math.pi * (share - WARM_UP) / (1 - WARM_UP))) / 2


Batch = tuple[Tensor, Tensor, Tensor, Tensor]


def _augmented(lessons: Lessons, rows: NDArray[np.int64], rng: np.random.Generator) -> Batch:
    """Return images, lobes, measures and signs: mirrored, shifted, in a smaller field at random.

    The mirror image of a neck is a neck. Brightness varies because the outline of a real gland does, by
    which an image is divided.
    """
    images = lessons.images[rows].astype(np.float32)
    lobes = lessons.lobes[rows].astype(np.float32)
    measures = lessons.measures[rows].copy()
    mirrored = rng.random(len(rows)) < 0.5
    images[mirrored] = images[mirrored, :, ::-1]
    lobes[mirrored] = lobes[mirrored, ::-1, :, ::-1]
    right, left = MEASURES.index("mass_right"), MEASURES.index("mass_left")
    exchanged = measures[:, [left, right]]
    measures[:, [right, left]] = np.where(mirrored[:, None], exchanged, measures[:, [right, left]])
    measures[mirrored, MEASURES.index("asymmetry")] *= -1
    down, across = rng.integers(-SHIFT, SHIFT + 1, 2)
    margin = (images.shape[1] - SIZE) // 2
    images = images[:, margin + down :, margin + across :][:, :SIZE, :SIZE]
    lobes = _shifted(_shifted(lobes, margin + down, 2), margin + across, 3)
    images *= np.exp(rng.normal(0, BRIGHTNESS, (len(rows), 1, 1))).astype(np.float32)
    for image in images[rng.random(len(rows)) < SMALL_FIELDS]:
        edge = (SIZE - int(rng.integers(LEAST_FIELD, SIZE))) // 2
        inside = np.zeros_like(image)
        inside[edge : SIZE - edge, edge : SIZE - edge] = 1
        image *= inside
    seen = torch.from_numpy(encoder.inputs(images))
    masks = torch.from_numpy(np.ascontiguousarray(lobes))
    return seen, masks, torch.from_numpy(measures), torch.from_numpy(lessons.signs[rows])


def _shifted(lobes: NDArray[np.float32], pixels: int, axis: int) -> NDArray[np.float32]:
    """Return the blocks of the image that begins `pixels` later, linear between neighbors."""
    side = SIZE // BLOCK
    whole, rest = divmod(int(pixels), BLOCK)
    near, far = (
        np.take(lobes, np.arange(start, start + side).clip(max=lobes.shape[axis] - 1), axis)
        for start in (whole, whole + 1)
    )
    return np.asarray(near + (far - near) * np.float32(rest / BLOCK))


def _loss(network: PhysicsNetwork, batch: Batch) -> Tensor:
    """Return squared errors of the measures, their log-likelihood, and cross-entropies of the rest."""
    images, lobes, measures, signs = batch
    with torch.autocast("cpu", torch.bfloat16):
        raw = network(images)
    read = Read(*(part.float() for part in raw))
    known = torch.isfinite(measures)
    target = (measures - network.measure_mean) / network.measure_scale
    error = torch.where(known, target, read.measures) - read.measures
    weight = torch.tensor([MEASURE_WEIGHTS.get(name, 1.0) for name in MEASURES])
    # The likelihood of the estimates has the same weight for all measures and patients: by their own
    # likelihood, those that are easily read would take all of the training from heterogeneity.
    square = error.square()
    spread = (square.detach() * torch.exp(-read.spreads) + read.spreads) / 2
    value = ((square + SPREAD_WEIGHT * spread) * known * weight).sum() / (known * weight).sum()
    value = value + SIGN_WEIGHT * functional.binary_cross_entropy_with_logits(read.signs, signs)
    return value + LOBE_WEIGHT * functional.binary_cross_entropy_with_logits(read.lobes, lobes)


def save(network: PhysicsNetwork, path: Path, metadata: dict[str, str]) -> None:
    """Write the weights, with normalization folded into the convolutions, in half precision."""
    folded = copy.deepcopy(network)
    folded.fold()
    half = {name: value.half().contiguous() for name, value in folded.state_dict().items()}
    with atomic(path) as temporary:
        save_file(half, temporary, metadata)


def restore(path: Path) -> PhysicsNetwork:
    """Return a network with the weights of a file."""
    network = PhysicsNetwork()
    network.fold()
    network.load_state_dict({name: value.float() for name, value in load_file(path).items()})
    return network.eval()
