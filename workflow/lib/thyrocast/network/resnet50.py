"""ResNet50 for one-channel scintigrams."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torchvision.models.resnet import Bottleneck, ResNet

from thyrocast.config.choices import Architecture


class ScintigramResNet50(ResNet):  # type: ignore[misc]  # torchvision has no types
    """torchvision's ResNet50 (He et al. 2016) with a one-channel stem and one logit, P(cured).

    Its parameters have torchvision's names, so that other programs can read its weights.
    """

    architecture = Architecture.RESNET50

    def __init__(self) -> None:
        # Residual branches start at zero (Goyal et al. 2017, section 5.1): the network starts
        # shallow, which helps with the few hundred steps of a small cohort.
        super().__init__(Bottleneck, [3, 4, 6, 3], num_classes=1, zero_init_residual=True)
        self.conv1 = nn.Conv2d(1, 64, kernel_size=7, stride=2, padding=3, bias=False)
        nn.init.kaiming_normal_(self.conv1.weight, mode="fan_out", nonlinearity="relu")

    def blocks(self, images: Tensor, last: str = "layer4") -> Tensor:
        """Compute the activations (n, channels, height, width) after the block `last`."""
        x: Tensor = self.maxpool(self.relu(self.bn1(self.conv1(images))))
        for name in ("layer1", "layer2", "layer3", "layer4"):
            x = getattr(self, name)(x)
            if name == last:
                break
        return x

    def pool(self, activations: Tensor) -> Tensor:
        """Compute the embedding (n, 2048): the global average of the last block's activations."""
        return torch.flatten(self.avgpool(activations), 1)

    def forward(self, images: Tensor) -> Tensor:
        """Compute the logit (n,) of P(cured) for standardized images (n, 1, size, size)."""
        logit: Tensor = self.fc(self.pool(self.blocks(images)))
        return logit.squeeze(1)
