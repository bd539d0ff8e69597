"""A small segmentation network that marks the lobes of the thyroid, computed with NumPy.

It was trained on simulated scintigrams (`make train-gland`); its weights are part of the package. The
computation takes some milliseconds and needs neither PyTorch nor another runtime.
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
WEIGHTS = Path(__file__).with_name("gland_network.safetensors")
WEIGHTS_SHA256 = "90d2d4bfe850be7664bc822446112e6f66292dc6294aeaa8aa5f6d2a3ee91bf6"
#: Side of a pixel of the images that the network was trained on, mm, and pixels per side of its window.
GRID_MM = 2.0
WINDOW = 160
#: Channels of `features`.
CHANNELS = 7
#: Output channels: right and left lobe, each for the four pixels of a block.
OUTPUTS = 8
#: Channels of the network's levels; each has half the pixels per side of the one before.
LEVELS = (16, 24, 48, 80)
# Percentile of the smoothed counts that becomes 1, since single pixels are noise.
_TOP = 99.7


@dataclass(frozen=True)
class Marked:
    """What the network says about an image.

    Attributes
    ----------
    right, left
        (H, W) probability that a pixel belongs to the patient's right and left lobe.
    score
        Probability that the image shows a thyroid.
    """

    right: Floats
    left: Floats
    score: float


def features(counts: Floats, valid: Floats) -> Floats:
    """Return what the network sees of a window.

    Parameters
    ----------
    counts
        (H, W) counts on pixels of `GRID_MM`; H and W even; 0 outside the camera's field.
    valid
        (H, W) 1 in the camera's field, 0 outside.

    Returns
    -------
    ndarray
        (CHANNELS, H / 2, W / 2): square root of the counts relative to the maximum, of the four pixels of
        each block; counts of the block relative to the mean; logarithm of the counts; the field.
    """
    high, wide = counts.shape[0] // 2, counts.shape[1] // 2
    blocks = np.maximum(counts, 0).reshape(high, 2, wide, 2).transpose(1, 3, 0, 2)
    fine = blocks.reshape(4, high, wide).astype(np.float32)
    block = fine.sum(0)
    inside = valid.reshape(high, 2, wide, 2).mean((1, 3)).astype(np.float32)
    padded = np.pad(block, 1)
    smooth = sliding_window_view(padded, (3, 3)).mean((2, 3))
    seen = smooth[inside > 0.5]
    top = max(float(np.percentile(seen, _TOP)) if seen.size else 0.0, 1e-6)
    mean = max(float(block.sum() / max(float(inside.sum()), 1.0)), 1e-6)
    return np.concatenate(
        [
            np.minimum(np.sqrt(fine * np.float32(4 / top)), 2),
            np.arcsinh(block / np.float32(mean))[None] / 2,
            np.log1p(block)[None] / 6,
            inside[None],
        ]
    ).astype(np.float32)


@cache
def load(path: Path = WEIGHTS) -> dict[str, Floats]:
    """Read the weights.

    Raises
    ------
    ValueError
        If the shipped file is not the one that this version was tested with.
    """
    return stored.read(path, WEIGHTS_SHA256 if path == WEIGHTS else None)


def mark(counts: Floats, valid: Floats, weights: dict[str, Floats] | None = None) -> Marked:
    """Mark the lobes in one window.

    Parameters
    ----------
    counts, valid
        As in `features`; sides are multiples of 16.
    weights
        The network; the shipped one if None.
    """
    w = load() if weights is None else weights
    x = features(counts, valid)
    skips = []
    for level in range(len(LEVELS)):
        if level:
            x = x.reshape(x.shape[0], x.shape[1] // 2, 2, x.shape[2] // 2, 2).max((2, 4))
        for step in range(1 if level == 0 else 2):
            x = _convolve(x, w, f"down.{level}.{step}")
        skips.append(x)
    pooled = np.concatenate([x.mean((1, 2)), x.max((1, 2))])
    hidden = np.maximum(w["context.weight"] @ pooled + w["context.bias"], 0)
    score = w["score.weight"] @ hidden + w["score.bias"]
    x = x + (w["spread.weight"] @ hidden + w["spread.bias"])[:, None, None]
    for level in reversed(range(len(LEVELS) - 1)):
        reduced = np.tensordot(w[f"reduce.{level}.weight"][:, :, 0, 0], x, 1)
        reduced += w[f"reduce.{level}.bias"][:, None, None]
        x = reduced.repeat(2, 1).repeat(2, 2) + skips[level]
        for step in range(1 if level == 0 else 2):
            x = _convolve(x, w, f"up.{level}.{step}")
    out = np.tensordot(w["out.weight"][:, :, 0, 0], x, 1) + w["out.bias"][:, None, None]
    high, wide = out.shape[1:]
    lobes = out.reshape(2, 2, 2, high, wide).transpose(0, 3, 1, 4, 2).reshape(2, 2 * high, 2 * wide)
    right, left = _logistic(lobes) * valid
    return Marked(right, left, float(_logistic(score)[0]))


def _convolve(x: Floats, weights: dict[str, Floats], name: str) -> Floats:
    """Return a 3 × 3 convolution (C, H, W) with rectified output; zeros around the image."""
    kernel = weights[f"{name}.weight"]
    channels, high, wide = x.shape
    padded = np.zeros((channels, high + 2, wide + 2), np.float32)
    padded[:, 1:-1, 1:-1] = x
    columns = np.empty((9, channels, high, wide), np.float32)
    for row in range(3):
        for column in range(3):
            columns[3 * row + column] = padded[:, row : row + high, column : column + wide]
    flat = kernel.transpose(0, 2, 3, 1).reshape(kernel.shape[0], -1)
    found = flat @ columns.reshape(-1, high * wide)
    found += weights[f"{name}.bias"][:, None]
    return np.asarray(np.maximum(found, 0).reshape(-1, high, wide))


def _logistic(value: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(value, -30, 30))), np.float32)
