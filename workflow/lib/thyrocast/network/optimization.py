"""Batches, learning-rate schedule, class weights, optimizer, choice of the best epoch."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from thyrocast.config.choices import Imbalance
from thyrocast.errors import InputError

if TYPE_CHECKING:
    from thyrocast.config.network import NetworkConfig

#: Epochs over which the validation loss is averaged: few patients are held out, and the loss of a
#: single epoch is noisy.
SMOOTHED = 3


@dataclass(frozen=True)
class ClassWeights:
    """Loss weights of the outcomes, and the correction of the logit after training with them."""

    not_cured: float = 1.0
    cured: float = 1.0
    correction: float = 0.0

    def loss(self, outcome: NDArray[np.float64], logit: NDArray[np.float64]) -> float:
        """Weighted mean cross-entropy of outcomes (n,) and logits (n,)."""
        weight = np.where(outcome == 1, self.cured, self.not_cured)
        losses = np.logaddexp(0, logit) - outcome * logit
        return float((weight * losses).sum() / weight.sum())


def class_weights(outcome: NDArray[np.float64], imbalance: Imbalance) -> ClassWeights:
    """Compute weights of the outcomes (n,) with equal sums if `imbalance` is ``weighted``.

    With these weights, the network learns the logit of a cohort with equally many cured and not
    cured patients. Adding the log odds of the real cohort restores its probabilities (prior
    correction, King and Zeng 2001).
    """
    if imbalance is Imbalance.NONE:
        return ClassWeights()
    n, cured = len(outcome), float(outcome.sum())
    return ClassWeights(n / (2 * (n - cured)), n / (2 * cured), math.log(cured / (n - cured)))


def steps_per_epoch(n: int, batch_size: int, least: int = 2) -> int:
    """Number of batches of nearly `batch_size` patients, none with fewer than `least`."""
    return max(1, min(round(n / batch_size), n // least))


def learning_rate(step: int, total: int, settings: NetworkConfig) -> float:
    """Learning rate of a step: linear warm-up, then a half cosine (Loshchilov and Hutter 2017)."""
    peak = settings.highest_rate
    warm = round(settings.warmup * total)
    if step < warm:
        return peak * (step + 1) / (warm + 1)
    return peak * 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, total - warm)))


def optimizer_for(network: nn.Module, settings: NetworkConfig) -> torch.optim.AdamW:
    """Return AdamW; weight decay applies only to convolutions and the classifier's weights."""
    decayed = [p for p in network.parameters() if p.ndim > 1]
    others = [p for p in network.parameters() if p.ndim <= 1]
    return torch.optim.AdamW(
        [
            {"params": decayed, "weight_decay": settings.weight_decay},
            {"params": others, "weight_decay": 0.0},
        ],
        lr=settings.highest_rate,
        fused=True,
    )


def parameters(optimizer: torch.optim.Optimizer) -> list[Tensor]:
    """Parameters that the optimizer changes, in its order."""
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]


def moments(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Moments and step counters of the optimizer, by parameter and name."""
    return {
        f"{index}.{name}": value
        for index, parameter in enumerate(parameters(optimizer))
        for name, value in optimizer.state[parameter].items()
    }


def put_moments(optimizer: torch.optim.Optimizer, saved: Mapping[str, Tensor]) -> None:
    """Restore what `moments` returned."""
    own = parameters(optimizer)
    for key, value in saved.items():
        index, _, name = key.partition(".")
        parameter = own[int(index)]
        # Moments get the device and layout of their parameter; the step counter is a scalar.
        optimizer.state[parameter][name] = (
            torch.empty_like(parameter).copy_(value)
            if value.shape == parameter.shape
            else value.to(parameter.device)
        )


def normalizations(network: nn.Module) -> list[nn.BatchNorm2d]:
    """Batch normalizations of a network; a pretrained compact network has none."""
    return [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]


@contextmanager
def precise_statistics(network: nn.Module) -> Iterator[None]:
    """Set batch normalization's running statistics to the average over the passes in the block.

    After few steps, running averages lag behind the weights, and they include augmented images
    (precise batch normalization, Wu and Johnson 2021, section 3).
    """
    norms = normalizations(network)
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a plain average over all batches
    network.train()
    yield
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum


def best_epoch(losses: Sequence[float], warm: int) -> int:
    """Choose the epoch (from 1) with the lowest validation loss, averaged with the two before it.

    Parameters
    ----------
    losses
        Validation loss of each epoch.
    warm
        Epochs of the warm-up, which are not chosen: a network that has learned little can have a low
        loss on few patients by chance.

    Returns
    -------
    int
        0 if there is no epoch yet.
    """
    if not losses:
        return 0
    first = min(warm, len(losses) - 1)
    smooth = {
        i: float(np.mean(losses[max(first, i + 1 - SMOOTHED) : i + 1]))
        for i in range(first, len(losses))
    }
    return 1 + min(smooth, key=smooth.__getitem__)


def first_not_finite(losses: Sequence[Tensor]) -> int | None:
    """Return the place of the first loss that is not a finite number, if there is one.

    One transfer for many steps: each would wait for the device.
    """
    if not losses:
        return None
    (wrong,) = torch.nonzero(~torch.isfinite(torch.stack(list(losses)).cpu()), as_tuple=True)
    return int(wrong[0]) if len(wrong) else None


def not_finite(what: str, rate: float, key: str = "network.learning_rate") -> InputError:
    """Return the error of a training whose numbers overflow; no weights of it are saved."""
    return InputError(
        f"{what} is not a finite number, at a learning rate of {rate:.2g}: lower "
        f"{key}, or set network.precision to float32"
    )
