"""A ResNet50 that reads physical quantities, for its pretraining on simulated scintigrams."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from thyrocast.image.encoder import MEASURES, SIGNS
from thyrocast.network.compact import PhysicsNetwork, Read
from thyrocast.network.model import Normalization
from thyrocast.network.resnet50 import ScintigramResNet50

Floats = NDArray[np.float32]


class Heads(nn.Module):
    """Linear readings of an embedding, and coarse masks of the lobes.

    They are linear, as the models are that the embedding is for.
    """

    measure_mean: Tensor
    measure_scale: Tensor

    def __init__(self, features: int, middle: int) -> None:
        super().__init__()
        self.measures = nn.Linear(features, len(MEASURES))
        self.spreads = nn.Linear(features, len(MEASURES))
        self.signs = nn.Linear(features, len(SIGNS))
        self.lobes = nn.Conv2d(middle, 2, 1)
        self.register_buffer("measure_mean", torch.zeros(len(MEASURES)))
        self.register_buffer("measure_scale", torch.ones(len(MEASURES)))

    def forward(self, middle: Tensor, embedding: Tensor) -> Read:
        """Read from activations (n, middle, height, width) and embeddings (n, features)."""
        spreads = self.spreads(embedding).clamp(-8, 4)
        lobes = self.lobes(middle)
        return Read(self.measures(embedding), spreads, self.signs(embedding), lobes)


class ResNetReader(ScintigramResNet50):
    """A ResNet50 whose embedding is read; `read.` begins the names of what is not ResNet50's own."""

    def __init__(self) -> None:
        super().__init__()
        # The classifier learns from outcomes, of which there are none.
        del self.fc
        self.read = Heads(2048, 512)
        self.normalization = Normalization(0.0, 1.0)

    def forward(self, images: Tensor) -> Read:  # type: ignore[override]  # not one logit
        """Read images (n, 1, size, size)."""
        middle = self.blocks(images, "layer2")
        last = self.layer4(self.layer3(middle))
        found: Read = self.read(middle.float(), self.pool(last).float())
        return found

    def prepare(self, images: Floats) -> Tensor:
        """Return square roots of images (n, size, size), standardized: (n, 1, size, size)."""
        return self.normalization.apply(torch.from_numpy(images))

    def scale(self, images: Floats, measures: Floats) -> None:
        """Take mean and standard deviation of images and measures."""
        root = np.sqrt(images.clip(0))
        self.normalization = Normalization(float(root.mean()), float(root.std()))
        self.read.measure_mean.copy_(torch.from_numpy(np.nanmean(measures, 0)))
        self.read.measure_scale.copy_(torch.from_numpy(np.nanstd(measures, 0)))

    def fold(self) -> bool:
        """Do nothing: training on outcomes starts with batch normalization."""
        return False


#: A network that reads physical quantities.
Reader = PhysicsNetwork | ResNetReader
