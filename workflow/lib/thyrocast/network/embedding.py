"""Embeddings and logits of trained networks."""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from thyrocast import fileio
from thyrocast.errors import InputError
from thyrocast.network.image_set import ImageSet
from thyrocast.network.model import Network, features_of, load

if TYPE_CHECKING:
    import pandas as pd

LOGGER = logging.getLogger("thyrocast")
#: Images per pass.
BATCH = 32
REPORT_EVERY_S = 30


class _Embedder(nn.Module):
    """Module that returns the pooled features of a network."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        return self.network.pool(self.network.blocks(images))


def prepare(network: Network, size: int, device: torch.device) -> Callable[[Tensor], Tensor]:
    """Return a fast function from standardized images (n, 1, size, size) to features (n, p).

    On a CPU, the network is traced, frozen and fused, which needs no compiler.
    """
    embedder = _Embedder(network).eval().to(device)
    if device.type != "cpu":
        return embedder
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        traced = torch.jit.trace(  # type: ignore[no-untyped-call]  # PyTorch leaves it untyped
            embedder, torch.zeros(BATCH, 1, size, size)
        )
        fused: Callable[[Tensor], Tensor] = torch.jit.optimize_for_inference(
            torch.jit.freeze(traced)
        )
    return fused


def embed(
    weights: Path, data: ImageSet, device: torch.device, out: NDArray[np.float32] | None = None
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Compute embeddings and logits of patients with one member's network.

    What a patient gets does not depend on which other patients are embedded: a study and a hospital that
    applies its locked model have the same numbers. Every pass therefore has the same number of images,
    and logits are summed patient by patient; a matrix product rounds its last rows otherwise.

    Parameters
    ----------
    weights
        File that `model.save` wrote.
    data
        Patients with their images.
    device
        Where the network runs.
    out
        (n, p) array to write the embeddings to, such as a memory map.

    Returns
    -------
    embeddings : (n, p), p being 2,048 with ResNet50 and 80 with the compact network
    logits : (n,)
    """
    network, normalization, _ = load(weights)
    weight, bias = network.fc.weight.detach().double().numpy()[0], network.fc.bias.item()
    function = prepare(network, data.size, device)
    n = len(data)
    features = np.empty((n, network.fc.in_features), np.float32) if out is None else out
    logits = np.empty(n)
    reported = time.monotonic()
    with torch.no_grad():
        for start in range(0, n, BATCH):
            part = slice(start, min(start + BATCH, n))
            images = torch.zeros(BATCH, data.size, data.size)
            images[: part.stop - start] = torch.from_numpy(data.load(part))
            embedding = function(normalization.apply(images.to(device)))
            features[part] = embedding[: part.stop - start].float().cpu().numpy()
            logits[part] = (features[part].astype(np.float64) * weight).sum(1) + bias
            if time.monotonic() - reported > REPORT_EVERY_S:
                reported = time.monotonic()
                LOGGER.info("%d of %d images embedded", part.stop, n)
    return features, logits


def embed_split(
    weights: Mapping[str, Path], data: ImageSet, device: torch.device, path: Path
) -> pd.DataFrame:
    """Embed all patients of a split with the networks of all its members.

    Parameters
    ----------
    weights
        Weights file of each member.
    data
        Patients of the split.
    device
        Where the networks run.
    path
        Array (members, patients, p) to write, float32.

    Returns
    -------
    DataFrame
        The LOGITS table.
    """
    # Only here: computing embeddings needs no tables.
    import pandas as pd

    from thyrocast.contract import io
    from thyrocast.contract.splits import LOGITS

    parts = []
    with fileio.atomic(path) as temporary:
        shape = (len(weights), len(data), features_of(next(iter(weights.values()))))
        array = np.lib.format.open_memmap(temporary, mode="w+", dtype=np.float32, shape=shape)
        fileio.reserve(temporary)
        for index, (member, file) in enumerate(weights.items()):
            _, logits = embed(file, data, device, out=array[index])
            if not (np.isfinite(array[index]).all() and np.isfinite(logits).all()):
                raise InputError(
                    f"member {member}: the network's embeddings are not finite numbers: delete "
                    f"{file} and lower network.learning_rate"
                )
            columns = {
                "patient": data.patient,
                "set": data.set,
                "fold": pd.arrays.IntegerArray(data.fold, data.fold == 0),
                "member": member,
                "logit": logits,
            }
            parts.append(pd.DataFrame(columns))
            counts = (member, index + 1, len(weights), len(data))
            LOGGER.info("member %s done, %d of %d: %d patients", *counts)
        array.flush()
    return io.concat(LOGITS, parts)
