"""What a step minimizes and how far it goes: batches, schedule, class weights, optimizer."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn


def steps_per_epoch(n: int, batch_size: int) -> int:
    """Batches of nearly ``batch_size`` patients, none with fewer than two."""
    return max(1, min(round(n / batch_size), n // 2))


def learning_rate(step: int, total: int, settings: Mapping[str, Any]) -> float:
    """Linear warm-up, then a half cosine to zero (Loshchilov and Hutter 2017)."""
    peak = float(settings["learning_rate"])
    warm = round(float(settings["warmup"]) * total)
    if step < warm:
        return peak * (step + 1) / (warm + 1)
    return peak * 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, total - warm)))


def class_weights(outcome: NDArray[np.float64], imbalance: str) -> tuple[float, float, float]:
    """Loss weights of not cured and cured, and what to add to the logit afterwards.

    Weighting the classes to equal sums trains the logit of a cohort with as many cured as not; the
    log odds of the real one bring it back (King and Zeng 2001, prior correction).
    """
    if imbalance == "none":
        return 1.0, 1.0, 0.0
    n, cured = len(outcome), float(outcome.sum())
    return n / (2 * (n - cured)), n / (2 * cured), math.log(cured / (n - cured))


def auc(outcome: NDArray[np.float64], logit: NDArray[np.float64]) -> float:
    """Area under the ROC curve (Mann-Whitney, ties count half)."""
    order = np.unique(logit, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(order[2]) - (order[2] - 1) / 2)[order[1]]
    cured = outcome == 1
    n1, n0 = int(cured.sum()), int((~cured).sum())
    return float((ranks[cured].sum() - n1 * (n1 + 1) / 2) / (n1 * n0))


def optimizer_for(network: nn.Module, settings: Mapping[str, Any]) -> torch.optim.AdamW:
    """AdamW; weight decay for convolutions and the classifier's weights alone."""
    decayed = [p for p in network.parameters() if p.ndim > 1]
    spared = [p for p in network.parameters() if p.ndim <= 1]
    return torch.optim.AdamW(
        [
            {"params": decayed, "weight_decay": float(settings["weight_decay"])},
            {"params": spared, "weight_decay": 0.0},
        ],
        lr=float(settings["learning_rate"]),
        fused=True,
    )
