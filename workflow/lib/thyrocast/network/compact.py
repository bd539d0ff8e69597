"""The compact residual network for 64-pixel scintigrams; `image.encoder` computes it with NumPy."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.functional import adaptive_avg_pool2d

from thyrocast.config.choices import Architecture
from thyrocast.image.encoder import (
    CHANNELS,
    HIDDEN,
    LEAST_AREA,
    LEAST_VARIANCE,
    MEASURES,
    POOLED,
    SIGNS,
    SIZE,
    STAGES,
    inputs,
)


class Read(NamedTuple):
    """What the network reads from n images.

    Attributes
    ----------
    measures, spreads
        (n, measures) estimates and logarithms of their variances, both on standardized scales.
    signs
        (n, signs) log-odds.
    lobes
        (n, 2, 16, 16) log-odds that a block belongs to the right and to the left lobe.
    """

    measures: Tensor
    spreads: Tensor
    signs: Tensor
    lobes: Tensor


class Convolution(nn.Module):
    """A convolution with batch normalization, until that is folded into the convolution."""

    def __init__(self, inputs: int, outputs: int, size: int, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, size, stride, size // 2)
        nn.init.kaiming_normal_(self.conv.weight, mode="fan_out", nonlinearity="relu")
        self.norm: nn.Module = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Compute the convolution."""
        y: Tensor = self.norm(self.conv(x))
        return y

    @torch.no_grad()
    def fold(self) -> None:
        """Fold the normalization, with the statistics of all batches, into the convolution."""
        norm = self.norm
        if (
            not isinstance(norm, nn.BatchNorm2d)
            or norm.running_mean is None
            or norm.running_var is None
            or self.conv.bias is None
        ):
            return
        gain = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        self.conv.weight.mul_(gain[:, None, None, None])
        self.conv.bias.copy_(norm.bias + gain * (self.conv.bias - norm.running_mean))
        self.norm = nn.Identity()


class Block(nn.Module):
    """Two 3 × 3 convolutions beside a shortcut; with a stride, the shortcut averages pixels.

    All pixels then reach the features through the shortcuts (ResNet-D: He et al., CVPR 2019).
    """

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.first = Convolution(inputs, outputs, 3, stride)
        self.second = Convolution(outputs, outputs, 3)
        self.shortcut = nn.Conv2d(inputs, outputs, 1, bias=False) if inputs != outputs else None

    def forward(self, x: Tensor) -> Tensor:
        """Compute the block."""
        y = self.second(torch.relu(self.first(x)))
        if self.stride > 1:
            x = functional.avg_pool2d(x, self.stride)
        if self.shortcut is not None:
            x = self.shortcut(x)
        return torch.relu(x + y)


class CompactBody(nn.Module):
    """The residual stages."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = Convolution(CHANNELS, STAGES[0], 5, 2)
        stages, width = [], STAGES[0]
        for number, outputs in enumerate(STAGES):
            blocks = [Block(width, outputs, 2 if number else 1)]
            if number:
                blocks.append(Block(outputs, outputs, 1))
            stages.append(nn.Sequential(*blocks))
            width = outputs
        self.stages = nn.ModuleList(stages)

    def blocks(self) -> Iterator[Block]:
        """Return the residual blocks, in their order."""
        return (module for module in self.stages.modules() if isinstance(module, Block))

    def activations(self, images: Tensor) -> list[Tensor]:
        """Return the activations after each stage of images (n, CHANNELS, size, size)."""
        x = torch.relu(self.stem(images))
        found = []
        for stage in self.stages:
            x = stage(x)
            found.append(x)
        return found

    def fold(self) -> bool:
        """Fold batch normalization into the convolutions; return that this network does so."""
        for module in self.modules():
            if isinstance(module, Convolution):
                module.fold()
        return True

    def start_from(self, weights: Mapping[str, NDArray[np.float32]]) -> None:
        """Take the stages of a pretrained network, whose normalization is folded into the convolutions."""
        self.fold()
        own = {name: torch.from_numpy(weights[name].copy()) for name in self.state_dict()}
        self.load_state_dict(own)


class ScintigramCompact(nn.Module):
    """The residual stages with a global average and one logit, P(cured).

    It has the parts of `resnet50.ScintigramResNet50` by which features and maps are computed. Its input is the
    square root of an image relative to the mean in the gland.
    """

    architecture = Architecture.COMPACT

    def __init__(self) -> None:
        super().__init__()
        self.body = CompactBody()
        self.fc = nn.Linear(STAGES[-1], 1)

    @property
    def layer4(self) -> nn.Module:
        """The last stage."""
        return self.body.stages[-1]

    def blocks(self, images: Tensor, last: str = "layer4") -> Tensor:
        """Compute the activations of the last stage, or of the one before (`last` is ``layer3``)."""
        relative = adaptive_avg_pool2d(images.square(), SIZE)
        activations = self.body.activations(channels(relative.squeeze(1)))
        return activations[-1 if last == "layer4" else -2]

    def pool(self, activations: Tensor) -> Tensor:
        """Compute the embedding (n, 80): the global average of the last stage's activations."""
        return activations.mean((2, 3))

    def forward(self, images: Tensor) -> Tensor:
        """Compute the logit (n,) of P(cured) for images (n, 1, size, size)."""
        logit: Tensor = self.fc(self.pool(self.blocks(images)))
        return logit.squeeze(1)


def channels(relative: Tensor) -> Tensor:
    """Return what `image.encoder.inputs` returns: (n, H, W) to (n, 2, H, W)."""
    bounded = relative.clamp_min(0)
    return torch.stack([bounded.sqrt().clamp_max(3), torch.asinh(20 * bounded) / 3], 1)


class PhysicsNetwork(CompactBody):
    """The network with the head that reads physical quantities."""

    measure_mean: Tensor
    measure_scale: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.hidden = nn.Linear(POOLED, HIDDEN)
        self.measures = nn.Linear(HIDDEN, len(MEASURES))
        self.spreads = nn.Linear(HIDDEN, len(MEASURES))
        self.signs = nn.Linear(HIDDEN, len(SIGNS))
        self.lobes = nn.Conv2d(STAGES[1], 2, 1)
        self.register_buffer("measure_mean", torch.zeros(len(MEASURES)))
        self.register_buffer("measure_scale", torch.ones(len(MEASURES)))

    def prepare(self, images: NDArray[np.float32]) -> Tensor:
        """Return what the network sees of images (n, SIZE, SIZE) relative to the gland's mean."""
        return torch.from_numpy(inputs(images))

    def scale(self, images: NDArray[np.float32], measures: NDArray[np.float32]) -> None:
        """Take mean and standard deviation of the measures; images have one scale for all trainings."""
        self.measure_mean.copy_(torch.from_numpy(np.nanmean(measures, 0)))
        self.measure_scale.copy_(torch.from_numpy(np.nanstd(measures, 0)))

    def forward(self, images: Tensor) -> Read:
        """Read images (n, CHANNELS, size, size)."""
        _, middle, last = (part.float() for part in self.activations(images))
        lobes = self.lobes(middle)
        hidden = torch.relu(self.hidden(pooled(middle, last, torch.sigmoid(lobes.detach()))))
        spreads = self.spreads(hidden).clamp(-8, 4)
        return Read(self.measures(hidden), spreads, self.signs(hidden), lobes)


def pooled(middle: Tensor, last: Tensor, lobes: Tensor) -> Tensor:
    """Return means and standard deviations over image and lobes, and logarithms of areas: (n, POOLED).

    Parameters
    ----------
    middle, last
        (n, 48, 16, 16) and (n, 80, 8, 8) activations.
    lobes
        (n, 2, 16, 16) probabilities of the lobes.
    """
    parts = [last.mean((2, 3))]
    for fine in (lobes[:, :1], lobes[:, 1:]):
        weighted = [(last, functional.avg_pool2d(fine, 2)), (middle, fine), (middle.square(), fine)]
        coarse, mean, square = (
            (x * weight).sum((2, 3)) / (weight.sum((2, 3)) + LEAST_AREA) for x, weight in weighted
        )
        spread = torch.sqrt((square - mean.square()).clamp(min=0) + LEAST_VARIANCE)
        parts += [coarse, mean, spread, torch.log(fine.sum((2, 3)) + LEAST_AREA)]
    return torch.cat(parts, 1)
