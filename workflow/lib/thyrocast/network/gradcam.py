"""Grad-CAM (Selvaraju et al. 2017) of a network: maps, their share inside the gland, overlays."""

import logging
import math
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from PIL import Image
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.model_targets import BinaryClassifierOutputTarget
from torch import Tensor, nn

from thyrocast import fileio
from thyrocast.config.explanation import CamLayer, CamTarget, ExplanationConfig
from thyrocast.contract import io
from thyrocast.contract.names import MapStatus, MapTarget
from thyrocast.contract.splits import GRADCAM
from thyrocast.network.image_set import ImageSet
from thyrocast.network.model import Network, Normalization

LOGGER = logging.getLogger("thyrocast")
#: Targets by the output that they explain: 0 lowers the logit, 1 raises it.
TARGETS = (MapTarget.NOT_CURED, MapTarget.CURED)
#: Smallest side of an overlay, pixels.
OVERLAY_PIXELS = 256
#: Opacity of the overlay where the map is 1.
OPACITY = 0.7
#: Quantile of the pixels that is shown in white.
WHITE = 0.999
REPORT_EVERY_S = 20


@dataclass(frozen=True)
class Explanation:
    """One patient's map.

    Attributes
    ----------
    position
        Index of the patient among those explained.
    target
        What the map shows evidence for.
    probability
        P(cured) by the mean log-odds of the networks.
    map
        (size, size) Grad-CAM map, 0 to 1, mean over the networks; zero everywhere if there is no evidence for the target.
    inside
        Share of the map's sum inside the gland; None for an all-zero map.
    area
        Share of the image that is gland: the value of `inside` for a uniform map.
    """

    position: int
    target: MapTarget
    probability: float
    map: NDArray[np.float32]
    inside: float | None
    area: float

    @property
    def status(self) -> MapStatus:
        """Whether the map is zero everywhere."""
        return MapStatus.ALL_ZERO if self.inside is None else MapStatus.OK


class _Tapped(nn.Module):
    """The network with gradients from one block onward, and none before it.

    Grad-CAM needs the gradient of the logit only at that block. Up to the block no graph is built,
    which takes only the time and memory of a forward pass. The maps are the same.
    """

    def __init__(self, network: Network, layer: CamLayer) -> None:
        super().__init__()
        self.network = network
        self.layer = layer
        self.tap = nn.Identity()

    def forward(self, images: Tensor) -> Tensor:
        with torch.no_grad():
            activations = self.network.blocks(images, last=self.layer)
        x = self.tap(activations.requires_grad_())
        if self.layer is CamLayer.LAYER3:
            x = self.network.layer4(x)
        logit: Tensor = self.network.fc(self.network.pool(x))
        return logit.squeeze(1)


def explain(
    members: Sequence[tuple[Network, Normalization]],
    data: ImageSet,
    masks: NDArray[np.uint8],
    settings: ExplanationConfig,
    device: torch.device,
) -> Iterator[Explanation]:
    """Yield each patient's map, batch by batch, so that memory does not grow with their number.

    A network has a single logit, of P(cured). A map for ``cured`` shows which regions raise
    this logit, even if it is negative; a map for ``not_cured`` shows which regions lower it. The map,
    and the logit, are means over the members.

    Parameters
    ----------
    members
        The networks that predict these patients, as `model.load` returns them.
    data
        Patients with their images.
    masks
        (N, size, size) gland masks of the cohort.
    settings
        Config of the explanation.
    device
        Where the network runs.
    """
    tapped = [
        _Tapped(network.requires_grad_(False).eval().to(device), settings.layer)
        for network, _ in members
    ]
    size = settings.batch_size
    for start in range(0, len(data), size):
        positions = np.arange(start, min(start + size, len(data)))
        plain = torch.from_numpy(data.load(positions))
        images = [normalization.apply(plain).to(device) for _, normalization in members]
        with torch.no_grad():
            found = [model(own) for model, own in zip(tapped, images, strict=True)]
        logits = torch.stack(found).mean(dim=0).float().cpu().numpy().astype(np.float64)
        classes = _classes(logits, settings.target)
        maps = np.mean(
            [_maps(model, own, classes) for model, own in zip(tapped, images, strict=True)], axis=0
        )
        glands = masks[data.row[positions]] > 0
        for position, heat, logit, chosen, gland in zip(
            positions, maps, logits, classes, glands, strict=True
        ):
            yield Explanation(
                position=int(position),
                target=TARGETS[chosen],
                probability=float(1 / (1 + np.exp(-logit))),
                map=heat,
                inside=share_inside(heat, gland),
                area=float(gland.mean()),
            )


def _maps(model: _Tapped, images: Tensor, classes: Sequence[int]) -> NDArray[np.float32]:
    """One member's maps (n, size, size) of images, each for its class."""
    targets = [BinaryClassifierOutputTarget(c) for c in classes]
    with GradCAM(model=model, target_layers=[model.tap]) as cam:
        return np.asarray(cam(input_tensor=images, targets=targets), dtype=np.float32)


def explain_to(
    overlays: Path,
    found: Iterable[Explanation],
    data: ImageSet,
    masks: NDArray[np.uint8],
) -> pd.DataFrame:
    """Write one overlay per explained patient, and return the GRADCAM table.

    Parameters
    ----------
    overlays
        Folder of the pictures, named by pseudonym.
    found
        What `explain` yields.
    data, masks
        The patients that were explained, and the gland masks of the cohort.
    """
    overlays.mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, Any]] = []
    reported = time.monotonic()
    for item in found:
        i = item.position
        patient, outcome = str(data.patient[i]), data.outcome[i]
        rows.append(
            {
                "patient": patient,
                "center": data.center[i],
                "outcome": None if np.isnan(outcome) else int(outcome),
                "target": item.target,
                "probability": item.probability,
                "inside": item.inside,
                "area": item.area,
                "status": item.status,
            }
        )
        picture = overlay(data.load(slice(i, i + 1))[0], item.map, masks[data.row[i]] > 0)
        with fileio.atomic(overlays / f"{patient}.png") as temporary:
            picture.save(temporary)
        if time.monotonic() - reported > REPORT_EVERY_S:
            reported = time.monotonic()
            LOGGER.info("%d of %d patients explained", len(rows), len(data))
    table = io.build(GRADCAM, rows)
    zeros = int((table["status"] == MapStatus.ALL_ZERO).sum())
    LOGGER.info("%d patients explained, %d of them with an all-zero map", len(table), zeros)
    return table


def _classes(logits: NDArray[np.float64], target: CamTarget) -> list[int]:
    if target is not CamTarget.PREDICTED:
        return [TARGETS.index(MapTarget(target.value))] * len(logits)
    return [int(logit > 0) for logit in logits]


def share_inside(heat: NDArray[np.float32], gland: NDArray[np.bool_]) -> float | None:
    """Share of the map's sum inside the gland (energy-based pointing game, Wang et al. 2020).

    None if the map is zero everywhere.
    """
    total = float(heat.sum(dtype=np.float64))
    if not total > 0:
        return None
    return float(heat[gland].sum(dtype=np.float64) / total)


def overlay(
    image: NDArray[np.float32], heat: NDArray[np.float32], gland: NDArray[np.bool_]
) -> Image.Image:
    """Draw a map in viridis over the scintigram in gray, with the gland's outline in white.

    The lower the map, the more of the scintigram is visible. Both are enlarged to at least
    `OVERLAY_PIXELS`, the scintigram without interpolation.

    Parameters
    ----------
    image, heat, gland
        (size, size) scintigram, map and mask of the gland.
    """
    factor = max(1, math.ceil(OVERLAY_PIXELS / image.shape[-1]))
    side = factor * image.shape[-1]
    root = np.sqrt(np.maximum(image, 0))
    gray = np.clip(root / max(float(np.quantile(root, WHITE)), 1e-12), 0, 1)
    base = np.kron(gray, np.ones((factor, factor)))[..., None]
    smooth = Image.fromarray(heat.astype(np.float32)).resize(
        (side, side), Image.Resampling.BILINEAR
    )
    strength = np.clip(np.asarray(smooth), 0, 1)
    colors = matplotlib.colormaps["viridis"](strength)[..., :3]
    opacity = OPACITY * strength[..., None]
    blended = (1 - opacity) * base + opacity * colors
    blended[_outline(np.kron(gland, np.ones((factor, factor))) > 0)] = 1.0
    return Image.fromarray((blended * 255).round().astype(np.uint8))


def _outline(region: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Mask of the pixels of a region that are adjacent to pixels outside it."""
    padded = np.pad(region, 1)
    core = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return region & ~core
