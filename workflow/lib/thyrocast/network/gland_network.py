"""Training of the segmentation network that finds the gland (`image.gland_network` computes it)."""

import copy
import hashlib
import itertools
import json
import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional

from thyrocast.image.gland import FAINT
from thyrocast.image.gland_network import CHANNELS, LEVELS, OUTPUTS

LOG = logging.getLogger("thyrocast")

#: A batch: features (N, C, H, W); lobes (N, 2, 2H, 2W) bool; field (N, 2H, 2W) bool; whether a thyroid
#: is visible (N,): 1, 0, or -1 if a reader could not be sure.
Batch = tuple[NDArray[np.float32], NDArray[np.bool_], NDArray[np.bool_], NDArray[np.int64]]
#: Units of the vector that describes the whole image.
CONTEXT = 48
#: Area that is added to predicted and true area before their ratio is computed, pixels: an error in a tiny
#: or absent lobe counts less.
AREA_OFFSET = 25.0
#: The pixels of an image count by the inverse square root of the gland's area relative to this one (pixels),
#: within these limits: with equal weights, the relative errors of small glands would hardly count.
USUAL_AREA, LEAST_WEIGHT, MOST_WEIGHT = 600.0, 0.5, 3.0
#: Weight of the errors of area and of the presence of a thyroid in the loss.
AREA_WEIGHT, SCORE_WEIGHT = 0.06, 0.03
#: The learning rate rises during the first `WARM_UP` steps and falls to zero in the last `DECAY` of all steps.
WARM_UP, DECAY = 300, 0.35
#: Steps with batch normalization; in a short training, this share of the steps at most.
NORMALIZED, NORMALIZED_SHARE = 1_400, 0.5
#: The learning rate without normalization, relative to the one with it.
FOLDED_RATE = 0.6
#: A checkpoint is written after this many steps.
CHECKPOINT_EVERY = 100


class _Block(nn.Module):
    """A 3 × 3 convolution, with batch normalization until it is folded into the convolution."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.norm: nn.Module = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.norm(self.conv(x)))

    @torch.no_grad()
    def fold(self) -> None:
        norm = self.norm
        if (
            not isinstance(norm, nn.BatchNorm2d)
            or norm.running_mean is None
            or norm.running_var is None
        ):
            return
        gain = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        self.conv.weight.mul_(gain[:, None, None, None])
        if self.conv.bias is not None:
            self.conv.bias.copy_(norm.bias + gain * (self.conv.bias - norm.running_mean))
        self.norm = nn.Identity()


class GlandNetwork(nn.Module):
    """A U-Net of four levels; output (N, 8, H, W) logits of lobes and (N,) logit of the presence."""

    def __init__(self) -> None:
        super().__init__()
        down, channels = [], CHANNELS
        for level, width in enumerate(LEVELS):
            blocks = [_Block(channels, width)]
            if level:
                blocks.append(_Block(width, width))
            down.append(nn.ModuleList(blocks))
            channels = width
        self.down = nn.ModuleList(down)
        self.context = nn.Linear(2 * LEVELS[-1], CONTEXT)
        self.score = nn.Linear(CONTEXT, 1)
        self.spread = nn.Linear(CONTEXT, LEVELS[-1])
        pairs = list(itertools.pairwise(LEVELS))
        self.reduce = nn.ModuleList([nn.Conv2d(deep, width, 1) for width, deep in pairs])
        self.up = nn.ModuleList(
            [
                nn.ModuleList([_Block(width, width) for _ in range(2 if level else 1)])
                for level, width in enumerate(LEVELS[:-1])
            ]
        )
        self.out = nn.Conv2d(LEVELS[0], OUTPUTS, 1)
        # Few pixels belong to a gland: begin with this share instead of one half.
        nn.init.constant_(self.out.bias, -4.0)  # type: ignore[arg-type]  # it has a bias

    def fold(self) -> None:
        """Fold batch normalization, with the statistics of all batches, into the convolutions."""
        for module in self.modules():
            if isinstance(module, _Block):
                module.fold()

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits of the lobes and of the presence of a thyroid."""
        skips = []
        for level, blocks in enumerate(self.down):
            if level:
                x = functional.max_pool2d(x, 2)
            for block in blocks:  # type: ignore[attr-defined]  # a ModuleList is iterable
                x = block(x)
            skips.append(x)
        hidden = torch.relu(self.context(torch.cat([x.mean((2, 3)), x.amax((2, 3))], 1)))
        score = self.score(hidden)[:, 0]
        x = x + self.spread(hidden)[:, :, None, None]
        for level in reversed(range(len(LEVELS) - 1)):
            x = functional.interpolate(self.reduce[level](x), scale_factor=2, mode="nearest")
            x = x + skips[level]
            for block in self.up[level]:  # type: ignore[attr-defined]  # a ModuleList is iterable
                x = block(x)
        return self.out(x), score


def loss(lobes: Tensor, score: Tensor, batch: tuple[Tensor, ...]) -> Tensor:
    """Return cross-entropy of pixels and presence, plus the error of the areas of lobes and gland."""
    truth, field, visible = batch
    logits = functional.pixel_shuffle(lobes.float(), 2)
    weight = field[:, None].float()
    inside = truth.float() * weight
    area = inside.sum((1, 2, 3))
    small = torch.sqrt(USUAL_AREA / area.clamp(min=1)).clamp(LEAST_WEIGHT, MOST_WEIGHT)
    # Faint glands that a reader could not see teach little.
    sure = torch.where(visible < 0, 0.3, 1.0) * torch.where(area > 0, small, 1.0)
    pixels = functional.binary_cross_entropy_with_logits(logits, truth.float(), reduction="none")
    pixels = ((pixels * weight).mean((1, 2, 3)) * sure).mean()
    areas = (_area_error(torch.sigmoid(logits) * weight, inside) * sure).mean()
    known = (visible >= 0).float()
    presence = functional.binary_cross_entropy_with_logits(
        score.float(), visible.clamp(min=0).float(), reduction="none"
    )
    presence = (presence * known).sum() / known.sum().clamp(min=1)
    return pixels + AREA_WEIGHT * areas + SCORE_WEIGHT * presence


def _area_error(probability: Tensor, truth: Tensor) -> Tensor:
    """Return (N,) errors of log area, averaged over both lobes and the whole gland.

    The area is computed as `image.gland` does: the sum of the probabilities that are not faint.
    """
    found = torch.cat([probability, probability.sum(1, keepdim=True).clamp(max=1)], 1)
    true = torch.cat([truth, truth.sum(1, keepdim=True)], 1)
    found = (found * (found > FAINT).float()).sum((2, 3))
    return functional.smooth_l1_loss(
        torch.log(found + AREA_OFFSET), torch.log(true.sum((2, 3)) + AREA_OFFSET),
        reduction="none", beta=0.1,
    ).mean(1)  # fmt: skip


@dataclass(frozen=True)
class Plan:
    """Settings of a training: the same settings and the same machine give the same weights.

    Attributes
    ----------
    steps
        Number of batches.
    batch
        Phantoms in a batch.
    rate
        Largest learning rate.
    seed
        Of the weights at the start and of the phantoms.
    lookalike
        Share of phantoms from `simulation.lookalikes`.
    start
        `digest` of the weights that the training continues; empty if it starts with random ones.
    """

    steps: int
    batch: int
    rate: float
    seed: int
    lookalike: float = 0.0
    start: str = ""

    @property
    def normalized(self) -> int:
        """Number of steps with batch normalization; it was folded before weights were written."""
        if self.start:
            return 0
        return min(NORMALIZED, round(NORMALIZED_SHARE * self.steps))

    def rate_at(self, step: int) -> float:
        """Return the learning rate of a step, counted from 0."""
        left = (self.steps - step) / (DECAY * self.steps)
        share = min((step + 1) / WARM_UP, 1.0, left)
        return self.rate * share * (1.0 if step < self.normalized else FOLDED_RATE)

    def metadata(self) -> dict[str, str]:
        """Return the settings as text, for the file of the weights.

        As one entry: safetensors writes several in random order, and the same training would not give the
        same file.
        """
        return {"training": json.dumps(asdict(self), sort_keys=True)}


def train(
    plan: Plan,
    batches: Callable[[range], Iterable[Batch]],
    path: Path,
    start: Path | None = None,
) -> GlandNetwork:
    """Train the network with AdamW.

    After some steps the statistics of batch normalization are fixed and folded into the convolutions: with
    normalization by the statistics of a batch, the areas were wrong by -40 % as soon as those of all batches
    were used. The rest of the training is of exactly what is shipped.

    Parameters
    ----------
    plan
        Settings.
    batches
        Returns the batches of the steps that are left.
    path
        A checkpoint is written here from time to time. If it exists, the training continues from it with the
        result of one that was not interrupted.
    start
        Weights that the training continues, those of `plan.start`; random ones if None.

    Raises
    ------
    ValueError
        If a training with these settings would not have come to this checkpoint.
    """
    torch.manual_seed(plan.seed)
    network = restore(start) if start else GlandNetwork().to(memory_format=torch.channels_last)
    optimizer = _optimizer(network, plan)
    begin, running, first = time.monotonic(), 0.0, 0
    if path.exists():
        state = torch.load(path, weights_only=True)
        first, running = state["step"], state["running"]
        if not _same_until(plan, Plan(**state["plan"]), first):
            raise ValueError(f"{path} is of a training with other settings: delete it or use them")
        if first > plan.normalized:
            network.fold()
            optimizer = _optimizer(network, plan)
        network.load_state_dict(state["network"])
        optimizer.load_state_dict(state["optimizer"])
    for done, batch in enumerate(batches(range(first, plan.steps)), first + 1):
        if done == plan.normalized + 1:
            network.fold()
            optimizer = _optimizer(network, plan)
        for group in optimizer.param_groups:
            group["lr"] = plan.rate_at(done - 1)
        value = _step(network, optimizer, batch)
        running += (value - running) / min(done, 200)
        if done % CHECKPOINT_EVERY == 0 or done == plan.steps:
            LOG.info(
                "step %d / %d: loss %.4f, %.0f s",
                done, plan.steps, running, time.monotonic() - begin,
            )  # fmt: skip
            _keep(
                {
                    "plan": asdict(plan), "step": done, "running": running,
                    "network": network.state_dict(), "optimizer": optimizer.state_dict(),
                },
                path,
            )  # fmt: skip
    return network


def _same_until(plan: Plan, other: Plan, step: int) -> bool:
    """Return whether two trainings are the same in their first steps; their lengths may differ."""
    same = all(
        getattr(plan, name) == getattr(other, name)
        for name in ("batch", "seed", "lookalike", "start")
    )
    folded = [min(one.normalized, step) for one in (plan, other)]
    return same and folded[0] == folded[1] and all(
        plan.rate_at(done) == other.rate_at(done) for done in range(step)
    )  # fmt: skip


def _optimizer(network: GlandNetwork, plan: Plan) -> torch.optim.Optimizer:
    return torch.optim.AdamW(network.parameters(), plan.rate, weight_decay=1e-4)


def _keep(state: dict[str, Any], path: Path) -> None:
    temporary = path.with_name(path.name + ".part")
    torch.save(state, temporary)
    temporary.replace(path)


def _step(network: GlandNetwork, optimizer: torch.optim.Optimizer, batch: Batch) -> float:
    inputs, *truth = (torch.as_tensor(part) for part in batch)
    with torch.autocast("cpu", torch.bfloat16):
        lobes, score = network(inputs.to(memory_format=torch.channels_last))
    value = loss(lobes, score, tuple(truth))
    optimizer.zero_grad()
    value.backward()  # type: ignore[no-untyped-call]  # PyTorch leaves it untyped
    nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    optimizer.step()
    return value.item()


def save(network: GlandNetwork, path: Path, metadata: dict[str, str]) -> None:
    """Write the weights, with batch normalization folded into the convolutions, in half precision."""
    folded = copy.deepcopy(network)
    folded.fold()
    half = {
        name.replace(".conv.", "."): value.half().contiguous()
        for name, value in folded.state_dict().items()
    }
    temporary = path.with_name(path.name + ".part")
    save_file(half, temporary, metadata)
    temporary.replace(path)


def digest(path: Path) -> str:
    """Return the SHA-256 of the weights in a file, whatever else the file says."""
    found = hashlib.sha256()
    for name, value in sorted(load_file(path).items()):
        found.update(f"{name} {list(value.shape)} {value.dtype}".encode())
        found.update(value.contiguous().numpy().tobytes())
    return found.hexdigest()


def restore(path: Path) -> GlandNetwork:
    """Return a folded network with the weights of a file."""
    network = GlandNetwork()
    network.fold()
    own = {name.replace(".conv.", "."): name for name in network.state_dict()}
    network.load_state_dict({own[name]: value.float() for name, value in load_file(path).items()})
    return network.to(memory_format=torch.channels_last)
