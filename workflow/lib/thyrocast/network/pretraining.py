"""Pretraining of a network: it learns to read physical quantities from simulated scintigrams.

The same training makes the weights of the compact network that thyrocast ships (a fixed set of phantoms, several
passes) and those of the rule `pretrain_network` (a new phantom for every image, interrupted and resumed).
"""

import logging
import math
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.functional import adaptive_avg_pool2d

from thyrocast.image.encoder import MEASURES
from thyrocast.network import interruption
from thyrocast.network import optimization as rules
from thyrocast.network import state as states
from thyrocast.network.compact import PhysicsNetwork, Read
from thyrocast.network.reader import Reader, ResNetReader

LOGGER = logging.getLogger("thyrocast")
#: Weights of other tasks than the estimates in the loss: nodules, outlines of the lobes, uncertainty.
SIGN_WEIGHT, LOBE_WEIGHT, SPREAD_WEIGHT = 0.3, 1.0, 0.3
#: Weight of each measure in the loss; what is nuisance counts less, what transfers worst more.
MEASURE_WEIGHTS = {"heterogeneity": 3.0, "resolution": 0.5, "counts": 0.5}
#: Shares of the steps with a rising learning rate, and with batch normalization if it is folded; learning
#: rate after it, relative to that with it.
WARM_UP, NORMALIZED, FOLDED_RATE = 0.05, 0.6, 0.5
#: Share of images whose field is made smaller: least side of it, as a share of the image's.
SMALL_FIELDS, LEAST_FIELD = 0.1, 44 / 64
#: Largest shift, as a share of the image's side; standard deviation of the brightness.
SHIFT, BRIGHTNESS = 1 / 32, 0.05
#: Blocks of the lobes' coarse masks per side of the image.
BLOCKS = 16
WEIGHT_DECAY = 0.02
#: Time between two lines of the log, and between two saved states, s.
REPORT_EVERY_S, SAVE_EVERY_S = 30, 600


class Lessons(Protocol):
    """What is learned from: `simulation.lessons.Lessons`."""

    @property
    def images(self) -> NDArray[np.float16]:
        """Images (N, size + 2 margin, size + 2 margin)."""

    @property
    def lobes(self) -> NDArray[np.float16]:
        """Coarse masks of the lobes (N, 2, BLOCKS + 2, BLOCKS + 2)."""

    @property
    def measures(self) -> NDArray[np.float32]:
        """Measures (N, measures)."""

    @property
    def signs(self) -> NDArray[np.float32]:
        """Signs (N, signs)."""


@dataclass(frozen=True)
class Plan:
    """How long and how fast the network learns from a fixed set of images."""

    epochs: int
    batch: int
    rate: float
    seed: int


@dataclass(frozen=True)
class Part:
    """Rows of some lessons for one step, and the generator of their random changes."""

    lessons: Lessons
    rows: NDArray[np.int64]
    rng: np.random.Generator


class Course(Protocol):
    """The order in which images are seen."""

    @property
    def steps(self) -> int:
        """Optimization steps."""

    def parts(self, start: int) -> Iterator[Part]:
        """Yield the images of each step from `start` on."""


class Passes:
    """Several passes over a fixed set of images; cannot be resumed."""

    def __init__(self, lessons: Lessons, plan: Plan) -> None:
        self.lessons, self.plan = lessons, plan
        self.of_a_pass = max(len(lessons.images) // plan.batch, 1)
        self.steps = plan.epochs * self.of_a_pass

    def parts(self, start: int = 0) -> Iterator[Part]:
        """Yield the images of each step, in a new order in each pass."""
        if start:
            raise ValueError("a course over a fixed set of images starts at its first step")
        rng = np.random.default_rng(self.plan.seed)
        for _ in range(self.plan.epochs):
            order = rng.permutation(len(self.lessons.images))
            for rows in np.array_split(order, self.of_a_pass):
                yield Part(self.lessons, rows, rng)


def pretrain(lessons: Lessons, plan: Plan) -> PhysicsNetwork:
    """Train the compact network from random weights on a fixed set of images."""
    torch.manual_seed(plan.seed)
    network = PhysicsNetwork()
    network.scale(lessons.images.astype(np.float32), lessons.measures)
    # On a CPU, convolutions of the channels of one pixel after another are a quarter faster.
    network = network.to(memory_format=torch.channels_last)
    learn(network, Passes(lessons, plan), plan.rate, mixed=torch.bfloat16)
    network.fold()
    return network.eval()


def learn(
    network: Reader,
    course: Course,
    rate: float,
    *,
    device: torch.device | None = None,
    mixed: torch.dtype | None = None,
    folder: Path | None = None,
) -> None:
    """Train a network, which stays on the device.

    After `NORMALIZED` of the steps, a network that folds its batch normalization does so; the rest of its
    training is of exactly what is shipped.

    Parameters
    ----------
    network
        The network with its initial weights.
    course
        The images.
    rate
        Highest learning rate of AdamW (one cycle).
    device, mixed
        Where it runs, by default on the CPU, and the number format of mixed precision.
    folder
        Folder of the state, from which an interrupted training is resumed.

    Raises
    ------
    InputError
        If the loss is not a finite number.
    interruption.Stopped
        After SIGTERM or SIGUSR1, with the state saved.
    """
    with interruption.watch() as request:
        run = _Run(network, course, rate, device or torch.device("cpu"), mixed, folder, request)
        run.resume()
        run.train()


@dataclass
class _Run:
    """A training in progress."""

    network: Reader
    course: Course
    rate: float
    device: torch.device
    mixed: torch.dtype | None
    folder: Path | None
    request: interruption.StopRequest
    step: int = 0
    losses: list[Tensor] = field(default_factory=list)  # since the last report

    def __post_init__(self) -> None:
        self.network.to(self.device).train()
        self.optimizer = _optimizer(self.network, self.rate)
        self.folding = round(NORMALIZED * self.course.steps)
        self.folded = False
        self.saved = self.reported = time.monotonic()

    def resume(self) -> None:
        """Continue from the newest state, if there is one."""
        state = states.load(self.folder) if self.folder else None
        if state is None:
            return
        self.step = state.step
        if self.step > self.folding:
            self._fold()
        self.network.load_state_dict(states.part(state.tensors, "network."))
        rules.put_moments(self.optimizer, states.part(state.tensors, "moment."))
        LOGGER.info("resuming from the saved state: %s", self._place())

    def train(self) -> None:
        """Make the remaining steps."""
        for part in self.course.parts(self.step):
            self._step(part)
            self.step += 1
            now = time.monotonic()
            if now - self.reported > REPORT_EVERY_S or self.step == self.course.steps:
                self._report()
            if self.request.number:
                self._stop()
            if self.folder and now - self.saved > SAVE_EVERY_S:
                self._save()

    def _step(self, part: Part) -> None:
        if self.step == self.folding:
            self._fold()
        factor = FOLDED_RATE if self.folded else 1.0
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate * factor * _cycle(self.step / self.course.steps)
        value = _loss(self.network, _augmented(self.network, part), self.device, self.mixed)
        self.optimizer.zero_grad(set_to_none=True)
        value.backward()  # type: ignore[no-untyped-call]  # PyTorch leaves it untyped
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()
        self.losses.append(value.detach())

    def _fold(self) -> None:
        self.folded = self.network.fold()
        if self.folded:
            self.optimizer = _optimizer(self.network, self.rate)

    def _place(self) -> str:
        return f"step {self.step} of {self.course.steps}"

    def _report(self) -> None:
        """Log the mean loss since the last report; stop if one is not a finite number."""
        first = rules.first_not_finite(self.losses)
        if first is not None:
            step = self.step - len(self.losses) + first
            where = f"the loss of the pretraining in step {step + 1} of {self.course.steps}"
            raise rules.not_finite(where, self.rate, "network.simulation.learning_rate")
        if self.losses:
            mean = float(torch.stack(self.losses).mean())
            pace = (time.monotonic() - self.reported) / len(self.losses)
            LOGGER.info("%s: loss %.4f, %.2f s per step", self._place(), mean, pace)
        self.losses.clear()
        self.reported = time.monotonic()

    def _save(self) -> None:
        """Save what `resume` needs."""
        if self.folder is None:
            return
        self._report()
        tensors = states.pack(
            network=self.network.state_dict(), moment=rules.moments(self.optimizer)
        )
        states.save(self.folder, states.TrainingState(self.step, tensors, states.Progress()))
        self.saved = time.monotonic()

    def _stop(self) -> None:
        self._save()
        number = self.request.number
        LOGGER.error("stopped by %s in %s", signal.Signals(number).name, self._place())
        raise interruption.Stopped(128 + number)


def _optimizer(network: nn.Module, rate: float) -> torch.optim.AdamW:
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


def _augmented(network: Reader, part: Part) -> Batch:
    """Return images, lobes, measures and signs: mirrored, shifted, in a smaller field at random.

    The mirror image of a neck is a neck. Brightness varies because the outline of a real gland does, by
    which an image is divided.
    """
    lessons, rows, rng = part.lessons, part.rows, part.rng
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
    # The margin on each side is a block, in whole pixels: `lessons.View`.
    margin = -(-images.shape[1] // (BLOCKS + 2))
    size = images.shape[1] - 2 * margin
    furthest = int(size * SHIFT)
    down, across = rng.integers(-furthest, furthest + 1, 2)
    images = images[:, margin + down :, margin + across :][:, :size, :size]
    lobes = _shifted(_shifted(lobes, 1 + down * BLOCKS / size, 2), 1 + across * BLOCKS / size, 3)
    images *= np.exp(rng.normal(0, BRIGHTNESS, (len(rows), 1, 1))).astype(np.float32)
    for image in images[rng.random(len(rows)) < SMALL_FIELDS]:
        edge = (size - int(rng.integers(int(size * LEAST_FIELD), size))) // 2
        inside = np.zeros_like(image)
        inside[edge : size - edge, edge : size - edge] = 1
        image *= inside
    masks = torch.from_numpy(np.ascontiguousarray(lobes))
    signs = torch.from_numpy(lessons.signs[rows])
    return network.prepare(images), masks, torch.from_numpy(measures), signs


def _shifted(lobes: NDArray[np.float32], blocks: float, axis: int) -> NDArray[np.float32]:
    """Return the blocks of the image that begins `blocks` later, linear between neighbors."""
    whole = int(blocks)
    near, far = (
        np.take(lobes, np.arange(start, start + BLOCKS).clip(max=lobes.shape[axis] - 1), axis)
        for start in (whole, whole + 1)
    )
    return np.asarray(near + (far - near) * np.float32(blocks - whole))


def _loss(
    network: Reader,
    batch: Batch,
    device: torch.device,
    mixed: torch.dtype | None,
) -> Tensor:
    """Return squared errors of the measures, their log-likelihood, and cross-entropies of the rest."""
    images, lobes, measures, signs = (part.to(device) for part in batch)
    with torch.autocast(device.type, mixed or torch.bfloat16, enabled=mixed is not None):
        raw: Any = network(images)
    read = Read(*(part.float() for part in raw))
    heads = network.read if isinstance(network, ResNetReader) else network
    known = torch.isfinite(measures)
    target = (measures - heads.measure_mean) / heads.measure_scale
    error = torch.where(known, target, read.measures) - read.measures
    weight = torch.tensor([MEASURE_WEIGHTS.get(name, 1.0) for name in MEASURES], device=device)
    # The likelihood of the estimates has the same weight for all measures and patients: by their own
    # likelihood, those that are easily read would take all of the training from heterogeneity.
    square = error.square()
    spread = (square.detach() * torch.exp(-read.spreads) + read.spreads) / 2
    value = ((square + SPREAD_WEIGHT * spread) * known * weight).sum() / (known * weight).sum()
    value = value + SIGN_WEIGHT * functional.binary_cross_entropy_with_logits(read.signs, signs)
    # The masks take the network's grid, not the reverse: its gradients are then deterministic on GPUs.
    masks = adaptive_avg_pool2d(lobes, (read.lobes.shape[-2], read.lobes.shape[-1]))
    return value + LOBE_WEIGHT * functional.binary_cross_entropy_with_logits(read.lobes, masks)


@torch.no_grad()
def describe(network: Reader, lessons: Lessons) -> dict[str, tuple[float, float]]:
    """Return how well a trained network reads images: for each measure, correlation with the truth and SD of the error.

    Parameters
    ----------
    network
        The network in evaluation mode, on the CPU.
    lessons
        Images that it has not seen.
    """
    margin = -(-lessons.images.shape[1] // (BLOCKS + 2))
    images = lessons.images[:, margin:-margin, margin:-margin].astype(np.float32)
    parts = np.array_split(images, -(-len(images) // 32))
    raw = torch.cat([network(network.prepare(part)).measures for part in parts])
    heads = network.read if isinstance(network, ResNetReader) else network
    read = (raw * heads.measure_scale + heads.measure_mean).numpy()
    found = {}
    for column, name in enumerate(MEASURES):
        known = np.isfinite(lessons.measures[:, column])
        truth, own = lessons.measures[known, column], read[known, column]
        r = float(np.corrcoef(truth, own)[0, 1]) if known.sum() > 1 else float("nan")
        found[name] = (round(r, 4), round(float(np.std(own - truth)), 4))
    return found
