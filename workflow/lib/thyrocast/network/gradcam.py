"""Maps of the evidence in a network: Grad-CAM (Selvaraju et al. 2017), HiResCAM, Grad-CAM++."""

import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from pytorch_grad_cam import GradCAM, GradCAMPlusPlus, HiResCAM
from pytorch_grad_cam.utils.image import scale_cam_image
from pytorch_grad_cam.utils.model_targets import BinaryClassifierOutputTarget
from torch import Tensor, nn

from thyrocast.config.explanation import CamLayer, CamMethod, CamTarget, ExplanationConfig
from thyrocast.contract.names import MapTarget
from thyrocast.network.image_set import ImageSet
from thyrocast.network.model import Network, Normalization

LOGGER = logging.getLogger("thyrocast")
#: Targets by the output that they explain: 0 lowers the logit, 1 raises it.
TARGETS = (MapTarget.NOT_CURED, MapTarget.CURED)
METHODS = {
    CamMethod.GRADCAM: GradCAM,
    CamMethod.HIRESCAM: HiResCAM,
    CamMethod.GRADCAM_PLUS_PLUS: GradCAMPlusPlus,
}
REPORT_EVERY_S = 20
Member = tuple[Network, Normalization]


@dataclass(frozen=True)
class Batch:
    """Maps of some patients.

    Attributes
    ----------
    positions
        (n,) indices of the patients among those explained.
    targets
        What each map shows evidence for.
    probability
        (n,) P(cured) by the mean log-odds of the networks.
    maps
        (n, cells, cells) on the grid of the layer, 0 to 1, mean over the networks; zero everywhere if there
        is no evidence for the target.
    members
        (members, n, cells, cells) of each network.
    """

    positions: NDArray[np.int64]
    targets: Sequence[MapTarget]
    probability: NDArray[np.float64]
    maps: NDArray[np.float32]
    members: NDArray[np.float32]


class Head(nn.Module):
    """The network after one block: from the block's activations to the logit.

    A map needs the gradient of the logit only at that block. Up to the block no graph is built, which takes
    only the time and memory of a forward pass.
    """

    def __init__(self, network: Network, layer: CamLayer) -> None:
        super().__init__()
        self.network = network
        self.layer = layer
        self.tap = nn.Identity()

    def forward(self, activations: Tensor) -> Tensor:
        """Compute the logit (n,) from activations (n, channels, cells, cells)."""
        x = self.tap(activations)
        if self.layer is CamLayer.LAYER3:
            x = self.network.layer4(x)
        logit: Tensor = self.network.fc(self.network.pool(x))
        return logit.squeeze(1)


def explain(
    members: Sequence[Member], data: ImageSet, settings: ExplanationConfig, device: torch.device
) -> Iterator[Batch]:
    """Yield maps batch by batch, so that memory does not grow with the number of patients.

    A network has a single logit, of P(cured). A map for ``cured`` shows which regions raise
    this logit, even if it is negative; a map for ``not_cured`` shows which regions lower it. The map,
    and the logit, are means over the members.

    Parameters
    ----------
    members
        The networks that predict these patients, as `model.load` returns them.
    data
        Patients with their images.
    settings
        Config of the explanation.
    device
        Where the networks run.
    """
    layer = settings.layer_at(data.size, members[0][0].architecture)
    heads = [Head(network.requires_grad_(False).eval().to(device), layer) for network, _ in members]
    reported = time.monotonic()
    for start in range(0, len(data), settings.batch_size):
        positions = np.arange(start, min(start + settings.batch_size, len(data)))
        plain = torch.from_numpy(data.load(positions))
        with torch.no_grad():
            activations = [
                head.network.blocks(normalization.apply(plain).to(device), last=layer)
                for head, (_, normalization) in zip(heads, members, strict=True)
            ]
            found = [head(own) for head, own in zip(heads, activations, strict=True)]
        logits = torch.stack(found).mean(dim=0).float().cpu().numpy().astype(np.float64)
        classes = _classes(logits, settings.target)
        maps = [
            maps_of(head, own, classes, settings.method)
            for head, own in zip(heads, activations, strict=True)
        ]
        yield Batch(
            positions=positions,
            targets=[TARGETS[chosen] for chosen in classes],
            probability=1 / (1 + np.exp(-logits)),
            maps=np.mean(maps, axis=0, dtype=np.float32),
            members=np.stack(maps),
        )
        if time.monotonic() - reported > REPORT_EVERY_S:
            reported = time.monotonic()
            LOGGER.info("%d of %d patients explained", positions[-1] + 1, len(data))


def maps_of(
    head: Head, activations: Tensor, classes: Sequence[int], method: CamMethod
) -> NDArray[np.float32]:
    """One member's maps (n, cells, cells), each for its class, scaled to 0 to 1.

    Parameters
    ----------
    head
        The network after the block.
    activations
        (n, channels, cells, cells) of the block.
    classes
        Index in `TARGETS` of each patient.
    method
        How activations and gradients make a map; the package's own code.
    """
    targets = [BinaryClassifierOutputTarget(c) for c in classes]
    with METHODS[method](model=head, target_layers=[head.tap]) as cam:
        # Not `cam(...)`, which would enlarge the maps to the image.
        tapped = activations.detach().requires_grad_()
        outputs = cam.activations_and_grads(tapped)
        aims = [aim(out) for aim, out in zip(targets, outputs, strict=True)]
        torch.autograd.grad(torch.stack(aims).sum(), [tapped])
        seen, gradients = (
            found[0].cpu().numpy()
            for found in (
                cam.activations_and_grads.activations,
                cam.activations_and_grads.gradients,
            )
        )
        heat = cam.get_cam_image(activations, head.tap, targets, seen, gradients, False)
    return np.asarray(scale_cam_image(np.maximum(heat, 0)), dtype=np.float32)


def _classes(logits: NDArray[np.float64], target: CamTarget) -> list[int]:
    if target is not CamTarget.PREDICTED:
        return [TARGETS.index(MapTarget(target.value))] * len(logits)
    return [int(logit > 0) for logit in logits]
