"""The compact network, pretrained on simulated scintigrams and computed with NumPy.

It reads physical quantities from a standardized image: masses of gland and lobes, uptake, heterogeneity and
others, each with its uncertainty. No outcome took part in its training (`make pretrain`); its weights are
part of the package. `network.compact` is the same network for training.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from thyrocast.image import weights as stored

Floats = NDArray[np.float32]

#: The weights, and the SHA-256 of their file.
WEIGHTS = Path(__file__).with_name("encoder.safetensors")
WEIGHTS_SHA256 = "c9f0945454ded04fabd60d26b8849ff919d9c12071bd50850f1eb6c4b396c4ec"
#: Pixels per side of the network's image, and the side of a pixel, mm.
SIZE, PIXEL_MM = 64, 2.5
#: Channels of `inputs`, and of the network's stages; each stage has half the pixels per side of the one before.
CHANNELS = 2
STAGES = (24, 48, 80)
#: What is pooled: means of the last stage over the image, means of the last two and standard deviations of the
#: last but one over each lobe, and the lobes' areas.
POOLED = 3 * STAGES[2] + 4 * STAGES[1] + 2
#: Blocks of pixels that are added to the area of a lobe, so that one without any has no effect.
LEAST_AREA = 0.5
#: Added to a variance before its root is taken.
LEAST_VARIANCE = 1e-4
#: Hidden units from which all quantities are computed.
HIDDEN = 32
#: What is estimated with a standard deviation. Masses are logarithms of g (of lobes: plus 1 g), uptake that of
#: percent, heterogeneity that of the coefficient of variation plus .03; contrast is the logarithm of the
#: concentration relative to that of the body, resolution is the logarithm of mm, counts that of the net counts in the gland.
MEASURES = (
    "mass", "mass_right", "mass_left", "uptake", "heterogeneity", "asymmetry", "contrast",
    "resolution", "counts",
)  # fmt: skip
#: What is present with a probability: a hot and a cold nodule.
SIGNS = ("hot", "cold")
# Images that are computed at once.
_BATCH = 32


@dataclass(frozen=True)
class Encoded:
    """What the network reads from n images.

    Attributes
    ----------
    hidden
        (n, HIDDEN) hidden units.
    measures, deviations
        (n, len(MEASURES)) estimates and their standard deviations, on the scales of `MEASURES`.
    signs
        (n, len(SIGNS)) probabilities.
    """

    hidden: Floats
    measures: Floats
    deviations: Floats
    signs: Floats


def inputs(relative: Floats) -> Floats:
    """Return what the network sees of images relative to the gland's mean: (n, H, W) to (n, 2, H, W).

    The square root makes the noise uniform; the other channel shows the background.
    """
    bounded = np.maximum(relative, 0)
    return np.stack([np.minimum(np.sqrt(bounded), 3), np.arcsinh(20 * bounded) / 3], 1)


@cache
def load(path: Path = WEIGHTS) -> dict[str, Floats]:
    """Read the weights.

    Raises
    ------
    ValueError
        If the shipped file is not the one that this version was tested with.
    """
    return stored.read(path, WEIGHTS_SHA256 if path == WEIGHTS else None)


def encode(relative: Floats, weights: dict[str, Floats] | None = None) -> Encoded:
    """Compute the network.

    Parameters
    ----------
    relative
        (n, SIZE, SIZE) images relative to the mean in the gland, as `image.readings.frame` returns one.
    weights
        The network; the shipped one if None.
    """
    w = load() if weights is None else weights
    parts = [
        _head(_pooled(inputs(relative[start : start + _BATCH]), w), w)
        for start in range(0, len(relative), _BATCH)
    ]
    if not parts:
        widths = (HIDDEN, len(MEASURES), len(MEASURES), len(SIGNS))
        return Encoded(*(np.zeros((0, width), np.float32) for width in widths))
    return Encoded(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _pooled(x: Floats, w: dict[str, Floats]) -> Floats:
    x = np.maximum(_convolved(x, w, "stem", 2), 0)
    found = []
    for stage in range(len(STAGES)):
        for block in range(2 if stage else 1):
            x = _block(x, w, f"stages.{stage}.{block}", 2 if stage and not block else 1)
        found.append(x)
    middle, last = found[-2:]
    logits = np.einsum("oc,nchw->nohw", w["lobes.weight"][:, :, 0, 0], middle, optimize=True)
    lobes = 1 / (1 + np.exp(-(logits + w["lobes.bias"][:, None, None])))
    parts = [last.mean((2, 3))]
    for fine in (lobes[:, :1], lobes[:, 1:]):
        weighted = [(last, _halved(fine, 2)), (middle, fine), (np.square(middle), fine)]
        coarse, mean, square = (
            (part * weight).sum((2, 3)) / (weight.sum((2, 3)) + LEAST_AREA)
            for part, weight in weighted
        )
        spread = np.sqrt(np.maximum(square - np.square(mean), 0) + LEAST_VARIANCE)
        parts += [coarse, mean, spread, np.log(fine.sum((2, 3)) + LEAST_AREA)]
    return np.asarray(np.concatenate(parts, 1), np.float32)


def _head(pooled: Floats, w: dict[str, Floats]) -> tuple[Floats, Floats, Floats, Floats]:
    hidden = np.maximum(_linear(pooled, w, "hidden"), 0)
    scale, middle = w["measure_scale"], w["measure_mean"]
    measures = middle + scale * _linear(hidden, w, "measures")
    deviations = scale * np.exp(bounded(_linear(hidden, w, "spreads")) / 2)
    signs = 1 / (1 + np.exp(-_linear(hidden, w, "signs")))
    return hidden, measures, deviations, np.asarray(signs, np.float32)


def bounded(log_variance: Floats) -> Floats:
    """Return logarithms of variances within the limits that the training used."""
    return np.asarray(np.clip(log_variance, -8, 4), np.float32)


def _block(x: Floats, w: dict[str, Floats], name: str, stride: int) -> Floats:
    """Two convolutions beside a shortcut; with a stride, the shortcut averages (He et al. 2019)."""
    y = np.maximum(_convolved(x, w, f"{name}.first", stride), 0)
    y = _convolved(y, w, f"{name}.second", 1)
    if f"{name}.shortcut.weight" in w:
        x = _halved(x, stride)
        x = np.einsum("oc,nchw->nohw", w[f"{name}.shortcut.weight"][:, :, 0, 0], x, optimize=True)
    return np.asarray(np.maximum(x + y, 0))


def _halved(x: Floats, stride: int) -> Floats:
    n, c, high, wide = x.shape
    blocks = x.reshape(n, c, high // stride, stride, wide // stride, stride)
    return np.asarray(blocks.mean((3, 5)))


def _convolved(x: Floats, w: dict[str, Floats], name: str, stride: int) -> Floats:
    kernel = w[f"{name}.conv.weight"]
    outputs, _, size, _ = kernel.shape
    edge = size // 2
    padded = np.pad(x, ((0, 0), (0, 0), (edge, edge), (edge, edge)))
    windows = sliding_window_view(padded, (size, size), (2, 3))[:, :, ::stride, ::stride]
    n, c, high, wide = windows.shape[:4]
    columns = windows.transpose(0, 2, 3, 1, 4, 5).reshape(n * high * wide, c * size * size)
    found = columns @ kernel.reshape(outputs, -1).T + w[f"{name}.conv.bias"]
    return found.reshape(n, high, wide, outputs).transpose(0, 3, 1, 2)


def _linear(x: Floats, w: dict[str, Floats], name: str) -> Floats:
    return np.asarray(x @ w[f"{name}.weight"].T + w[f"{name}.bias"], np.float32)
