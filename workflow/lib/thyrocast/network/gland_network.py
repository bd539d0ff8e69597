"""Training of the segmentation network that finds the gland (`image.gland_network` computes it)."""

import copy
import itertools
import logging
import math
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional

from thyrocast.image.gland_network import CHANNELS, LEVELS, OUTPUTS

LOG = logging.getLogger("thyrocast")

#: A batch: features (N, C, H, W); lobes (N, 2, 2H, 2W) bool; field (N, 2H, 2W) bool; whether a thyroid
#: is visible (N,): 1, 0, or -1 if a reader could not be sure.
Batch = tuple[NDArray[np.float32], NDArray[np.bool_], NDArray[np.bool_], NDArray[np.int64]]
#: Units of the vector that describes the whole image.
CONTEXT = 48
#: Area of a lobe that is added to predicted and true area before their ratio is computed, pixels: an error
#: in a tiny or absent lobe counts less.
AREA_OFFSET = 60.0
#: Weight of the errors of area and of the presence of a thyroid in the loss.
AREA_WEIGHT, SCORE_WEIGHT = 0.03, 0.02
#: Shares of the steps with a rising learning rate, and with batch normalization.
WARM_UP, NORMALIZED = 0.1, 0.41
#: The learning rate without normalization, relative to the one with it.
FOLDED_RATE = 0.6


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
    """Return cross-entropy of pixels and presence, plus the error of the lobes' areas."""
    truth, field, visible = batch
    logits = functional.pixel_shuffle(lobes.float(), 2)
    weight = field[:, None].float()
    pixels = functional.binary_cross_entropy_with_logits(logits, truth.float(), reduction="none")
    # Faint glands that a reader could not see teach little.
    sure = torch.where(visible < 0, 0.3, 1.0)
    pixels = ((pixels * weight).mean((1, 2, 3)) * sure).mean()
    area = (torch.sigmoid(logits) * weight).sum((2, 3)) + AREA_OFFSET
    true_area = (truth.float() * weight).sum((2, 3)) + AREA_OFFSET
    areas = functional.smooth_l1_loss(
        torch.log(area), torch.log(true_area), reduction="none", beta=0.1
    )
    areas = (areas.mean(1) * sure).mean()
    known = (visible >= 0).float()
    presence = functional.binary_cross_entropy_with_logits(
        score.float(), visible.clamp(min=0).float(), reduction="none"
    )
    presence = (presence * known).sum() / known.sum().clamp(min=1)
    return pixels + AREA_WEIGHT * areas + SCORE_WEIGHT * presence


def train(batches: Iterator[Batch], steps: int, rate: float, seed: int, path: Path) -> GlandNetwork:
    """Train the network: AdamW, one cycle of the learning rate.

    After `NORMALIZED` of the steps the statistics of batch normalization are fixed and folded into the
    convolutions: with normalization by the statistics of a batch, the areas were wrong by -40 % as soon as
    those of all batches were used. The rest of the training is of exactly what is shipped.

    Parameters
    ----------
    batches
        Endless batches.
    steps
        Number of batches to use.
    rate
        Largest learning rate.
    seed
        Of the weights at the start.
    path
        The weights are written here from time to time.
    """
    torch.manual_seed(seed)
    network = GlandNetwork().to(memory_format=torch.channels_last)
    return proceed(network, batches, range(steps), rate, path)


def proceed(
    network: GlandNetwork, batches: Iterator[Batch], steps: range, rate: float, path: Path
) -> GlandNetwork:
    """Do the steps of a training that ends with the last one, as in `train`."""
    optimizer = torch.optim.AdamW(network.parameters(), rate, weight_decay=1e-4)
    begin, running = time.monotonic(), 0.0
    end = round(NORMALIZED * steps.stop)
    for done, step in enumerate(steps, 1):
        if step == end:
            network.fold()
            optimizer = torch.optim.AdamW(network.parameters(), rate, weight_decay=1e-4)
        for group in optimizer.param_groups:
            group["lr"] = rate * _cycle(step / steps.stop) * (FOLDED_RATE if step >= end else 1.0)
        value = _step(network, optimizer, next(batches))
        running += (value - running) / min(done, 200)
        if done % 200 == 0 or step == steps.stop - 1:
            LOG.info(
                "step %d / %d: loss %.4f, %.0f s",
                step + 1, steps.stop, running, time.monotonic() - begin,
            )  # fmt: skip
            save(network, path, {"step": str(step + 1)})
    return network


def _cycle(share: float) -> float:
    """Return the learning rate relative to the largest one at this share of the steps."""
    if share < WARM_UP:
        return 0.05 + 0.95 * share / WARM_UP
    return (1 + math.cos(math.pi * (share - WARM_UP) / (1 - WARM_UP))) / 2


def _step(network: GlandNetwork, optimizer: torch.optim.Optimizer, batch: Batch) -> float:
    inputs, *truth = (torch.from_numpy(part) for part in batch)
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


def restore(path: Path) -> GlandNetwork:
    """Return a folded network with the weights of a file."""
    network = GlandNetwork()
    network.fold()
    own = {name.replace(".conv.", "."): name for name in network.state_dict()}
    network.load_state_dict({own[name]: value.float() for name, value in load_file(path).items()})
    return network.to(memory_format=torch.channels_last)
