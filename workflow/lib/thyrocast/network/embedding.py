"""Embeddings and logits of a trained network."""

import logging
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from thyrocast.network.model import FEATURES, ScintigramResNet50, load
from thyrocast.network.patients import Patients

LOGGER = logging.getLogger("thyrocast")
BATCH = 32
REPORT_EVERY_S = 30


class _Embedder(nn.Module):
    """Gives features and logit in one pass."""

    def __init__(self, network: ScintigramResNet50) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        features = self.network.pool(self.network.blocks(images))
        return features, self.network.fc(features).squeeze(1)


def prepare(
    network: ScintigramResNet50, size: int, device: torch.device
) -> Callable[[Tensor], tuple[Tensor, Tensor]]:
    """Make a fast function from standardized images (n, 1, size, size) to features and logits.

    On the processor the network is traced, frozen and fused, which needs no compiler.
    """
    embedder = _Embedder(network).eval().to(device)
    if device.type != "cpu":
        return embedder
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        traced = torch.jit.trace(  # type: ignore[no-untyped-call]
            embedder, torch.zeros(BATCH, 1, size, size)
        )
        fused: Callable[[Tensor], tuple[Tensor, Tensor]] = torch.jit.optimize_for_inference(
            torch.jit.freeze(traced)
        )
    return fused


def embed(
    weights: Path, patients: Patients, device: torch.device, out: NDArray[np.float32] | None = None
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Embeddings (n, 2048) and logits (n,) of these patients by one member's weights.

    Parameters
    ----------
    weights
        File that `model.save` wrote.
    patients
        Whose images are embedded, in this order.
    device
        Where the network runs.
    out
        Array to write the embeddings to, such as a memory map.
    """
    network, normalization, _ = load(weights)
    function = prepare(network, int(patients.images.shape[-1]), device)
    n = len(patients)
    features = np.empty((n, FEATURES), np.float32) if out is None else out
    logits = np.empty(n)
    told = time.monotonic()
    with torch.no_grad():
        for start in range(0, n, BATCH):
            part = slice(start, min(start + BATCH, n))
            images = torch.from_numpy(patients.load(part)).to(device)
            embedding, logit = function(normalization.apply(images))
            features[part] = embedding.float().cpu().numpy()
            logits[part] = logit.float().cpu().numpy()
            if time.monotonic() - told > REPORT_EVERY_S:
                told = time.monotonic()
                LOGGER.info("%d of %d images embedded", part.stop, n)
    return features, logits
