"""Training of the segmentation network that finds the gland (`image.gland_network` computes it)."""

import itertools
import logging
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
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


class _Block(nn.Module):
    """A 3 × 3 convolution with batch normalization."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.norm(self.conv(x)))


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


def train(
    batches: Iterator[Batch], steps: int, rate: float, seed: int, path: Path | None = None
) -> GlandNetwork:
    """Train the network (AdamW, one cycle of the learning rate).

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
        The weights are written here from time to time, so that an interrupted training is of use.
    """
    torch.manual_seed(seed)
    network = GlandNetwork().to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(network.parameters(), rate, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, steps, pct_start=0.1)
    begin, running = time.monotonic(), 0.0
    for step in range(1, steps + 1):
        inputs, *truth = (torch.from_numpy(part) for part in next(batches))
        with torch.autocast("cpu", torch.bfloat16):
            lobes, score = network(inputs.to(memory_format=torch.channels_last))
        value = loss(lobes, score, tuple(truth))
        optimizer.zero_grad()
        value.backward()  # type: ignore[no-untyped-call]  # PyTorch leaves it untyped
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        running += (value.item() - running) / min(step, 200)
        if step % 200 == 0 or step == steps:
            LOG.info(
                "step %d / %d: loss %.4f, %.0f s", step, steps, running, time.monotonic() - begin
            )
            if path is not None:
                save(network, path, {"step": str(step)})
    return network


def save(network: GlandNetwork, path: Path, metadata: dict[str, str]) -> None:
    """Write the weights, with batch normalization folded into the convolutions, in half precision."""
    state = {}
    for name, module in network.named_modules():
        if isinstance(module, _Block):
            norm = module.norm
            if norm.running_mean is None or norm.running_var is None:
                raise ValueError(f"{name} has no statistics")
            gain = norm.weight / torch.sqrt(norm.running_var + norm.eps)
            state[f"{name}.weight"] = module.conv.weight * gain[:, None, None, None]
            state[f"{name}.bias"] = norm.bias - norm.running_mean * gain
        elif isinstance(module, nn.Linear) or (
            isinstance(module, nn.Conv2d) and not name.endswith(".conv")
        ):
            state[f"{name}.weight"] = module.weight
            state[f"{name}.bias"] = module.bias  # type: ignore[assignment]  # all have a bias
    half = {name: value.detach().half().contiguous() for name, value in state.items()}
    temporary = path.with_name(path.name + ".part")
    save_file(half, temporary, metadata)
    temporary.replace(path)
