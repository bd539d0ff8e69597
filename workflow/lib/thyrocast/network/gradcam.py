"""Grad-CAM (Selvaraju et al. 2017) of the network: maps, their share inside the gland, overlays."""

import logging
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import matplotlib
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.model_targets import BinaryClassifierOutputTarget
from torch import Tensor, nn

from thyrocast.network.model import Normalization, ScintigramResNet50
from thyrocast.network.patients import Patients

LOGGER = logging.getLogger("thyrocast")
CLASSES = ("not_cured", "cured")
OVERLAY_PIXELS = 256


@dataclass(frozen=True)
class Explanation:
    """One patient's map.

    Attributes
    ----------
    position
        Of the patient among those explained.
    target
        Class whose evidence the map shows, ``cured`` or ``not_cured``.
    probability
        P(cured) of the network.
    map
        Grad-CAM map (size, size), 0 to 1; all zero where nothing speaks for the class.
    inside
        Share of the map's sum inside the gland; None for an all-zero map.
    area
        Share of the image that is gland: what ``inside`` would be for an even map.
    """

    position: int
    target: str
    probability: float
    map: NDArray[np.float32]
    inside: float | None
    area: float

    @property
    def status(self) -> str:
        """``ok`` or ``all_zero``."""
        return "all_zero" if self.inside is None else "ok"


class _Tapped(nn.Module):
    """The network with a tap after one block; no gradient is kept for what comes before it.

    Grad-CAM needs the gradient of the logit at that block alone, so the pass to it builds no graph:
    a plain forward pass in time and memory, with the same maps.
    """

    def __init__(self, network: ScintigramResNet50, layer: str) -> None:
        super().__init__()
        self.network = network
        self.layer = layer
        self.tap = nn.Identity()

    def forward(self, images: Tensor) -> Tensor:
        with torch.no_grad():
            activations = self.network.blocks(images, last=self.layer)
        x = self.tap(activations.requires_grad_())
        if self.layer == "layer3":
            x = self.network.layer4(x)
        logit: Tensor = self.network.fc(self.network.pool(x))
        return logit.squeeze(1)


def explain(
    network: ScintigramResNet50,
    normalization: Normalization,
    patients: Patients,
    masks: NDArray[np.uint8],
    settings: Mapping[str, Any],
    device: torch.device,
) -> Iterator[Explanation]:
    """Explain patients one batch at a time, so that memory does not grow with their number.

    The target is the signed logit of one class, not the larger output: the network has a single
    logit, of P(cured), and a map for ``cured`` asks which regions raise it whatever its sign is.

    Parameters
    ----------
    network, normalization
        A trained member, as `model.load` gives it.
    patients
        Whom to explain.
    masks
        Gland masks of the cohort (N, size, size).
    settings
        The config's ``explanation`` block.
    device
        Where the network runs.
    """
    tapped = _Tapped(network.requires_grad_(False).eval().to(device), settings["layer"])
    size = int(settings["batch_size"])
    with GradCAM(model=tapped, target_layers=[tapped.tap]) as cam:
        for start in range(0, len(patients), size):
            positions = np.arange(start, min(start + size, len(patients)))
            images = normalization.apply(torch.from_numpy(patients.load(positions))).to(device)
            classes = _classes(tapped, images, str(settings["target"]))
            targets = [BinaryClassifierOutputTarget(c) for c in classes]
            maps = cam(input_tensor=images, targets=targets)
            logits = cam.outputs.detach().float().cpu().numpy().astype(np.float64)
            glands = masks[patients.row[positions]] > 0
            for position, heat, logit, chosen, gland in zip(
                positions, maps, logits, classes, glands, strict=True
            ):
                yield Explanation(
                    position=int(position),
                    target=CLASSES[chosen],
                    probability=float(1 / (1 + np.exp(-logit))),
                    map=heat,
                    inside=share_inside(heat, gland),
                    area=float(gland.mean()),
                )


def _classes(model: nn.Module, images: Tensor, target: str) -> list[int]:
    if target != "predicted":
        return [CLASSES.index(target)] * len(images)
    with torch.no_grad():
        return (model(images) > 0).int().tolist()  # type: ignore[no-any-return]


def share_inside(heat: NDArray[np.float32], gland: NDArray[np.bool_]) -> float | None:
    """Share of the map's sum inside the gland (energy-based pointing game, Wang et al. 2020).

    None where the map is zero everywhere, for then it points nowhere.
    """
    total = float(heat.sum(dtype=np.float64))
    if not total > 0:
        return None
    return float(heat[gland].sum(dtype=np.float64) / total)


def overlay(
    image: NDArray[np.float32], heat: NDArray[np.float32], gland: NDArray[np.bool_]
) -> Image.Image:
    """Draw the map in viridis over the scintigram in gray, the gland's outline in white.

    The scintigram shows through where the map is low. Both are enlarged to at least 256 pixels, the
    scintigram pixel by pixel.
    """
    factor = max(1, math.ceil(OVERLAY_PIXELS / image.shape[-1]))
    side = factor * image.shape[-1]
    root = np.sqrt(np.maximum(image, 0))
    gray = np.clip(root / max(float(np.quantile(root, 0.999)), 1e-12), 0, 1)
    base = np.kron(gray, np.ones((factor, factor)))[..., None]
    smooth = Image.fromarray(heat.astype(np.float32)).resize(
        (side, side), Image.Resampling.BILINEAR
    )
    strength = np.clip(np.asarray(smooth), 0, 1)
    colors = matplotlib.colormaps["viridis"](strength)[..., :3]
    opacity = 0.7 * strength[..., None]
    blended = (1 - opacity) * base + opacity * colors
    blended[_outline(np.kron(gland, np.ones((factor, factor))) > 0)] = 1.0
    return Image.fromarray((blended * 255).round().astype(np.uint8))


def _outline(region: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Pixels of a region that touch its outside."""
    padded = np.pad(region, 1)
    core = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return region & ~core
