"""Augmentation: random changes that could occur between two acquisitions of the same patient.

Geometry changes slightly, and counts are thinned as if the acquisition were shorter. Images are
never flipped (the lobes differ), and intensities are never changed (counts are the signal).
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from thyrocast.config.network import AugmentationConfig


@dataclass(frozen=True)
class Change:
    """Changes of the images of a batch; every array is (n,).

    Attributes
    ----------
    angle
        Rotation in radians.
    shift_x, shift_y
        Shift as a share of the field of view.
    scale
        Scale factor; 1 for none.
    kept
        Share of the counts that is kept.
    """

    angle: NDArray[np.float64]
    shift_x: NDArray[np.float64]
    shift_y: NDArray[np.float64]
    scale: NDArray[np.float64]
    kept: NDArray[np.float64]


def draw(generator: np.random.Generator, n: int, settings: AugmentationConfig) -> Change:
    """Draw the changes of `n` images within the limits of the config."""

    def uniform(limit: float) -> NDArray[np.float64]:
        return generator.uniform(-limit, limit, n)

    return Change(
        angle=uniform(math.radians(settings.rotation)),
        shift_x=uniform(settings.shift),
        shift_y=uniform(settings.shift),
        scale=np.exp(uniform(math.log1p(settings.scale))),
        kept=generator.uniform(settings.thinning, 1, n),
    )


def move(images: Tensor, change: Change) -> Tensor:
    """Rotate, scale and shift images (n, size, size) without a change of intensity.

    Intensity is counts per area, so it does not change when the gland is enlarged. Outside the
    image, the values at its edge are repeated.
    """
    cos, sin = np.cos(change.angle) / change.scale, np.sin(change.angle) / change.scale
    # The grid's coordinates range from -1 to 1, so the field of view is two units wide.
    x, y = -2 * change.shift_x, -2 * change.shift_y
    theta = np.stack(
        [
            np.stack([cos, sin, cos * x + sin * y], axis=1),
            np.stack([-sin, cos, -sin * x + cos * y], axis=1),
        ],
        axis=1,
    )
    matrix = torch.as_tensor(theta, dtype=images.dtype, device=images.device)
    stack = images.unsqueeze(1)
    grid = functional.affine_grid(matrix, list(stack.shape), align_corners=False)
    moved = functional.grid_sample(
        stack, grid, mode="bilinear", padding_mode="border", align_corners=False
    )
    return moved.squeeze(1)


def thin(images: Tensor, counts: Tensor, kept: Tensor, generator: torch.Generator) -> Tensor:
    """Simulate that only a share of the counts was recorded.

    Each count is kept with probability `kept` (binomial thinning; a Poisson image remains a Poisson
    image), and the result is scaled back to the same expectation.

    Parameters
    ----------
    images
        Intensities (n, size, size).
    counts
        Counts per unit of intensity (n,); images for which it is NaN are not changed.
    kept
        Share of the counts kept (n,).
    generator
        Random generator on the images' device.
    """
    known = torch.isfinite(counts)
    factor = torch.where(known, counts, 1.0)[:, None, None]
    exact = images.clamp_min(0) * factor
    # Resampled pixels contain fractions of counts: round up or down at random, which keeps the mean.
    whole = exact.floor()
    chance = torch.rand(exact.shape, generator=generator, device=exact.device)
    whole = whole + (chance < exact - whole).to(exact.dtype)
    share = kept.to(exact)[:, None, None].expand_as(exact).contiguous()
    thinned = torch.binomial(whole, share, generator=generator) / share / factor
    return torch.where(known[:, None, None], thinned, images)


def augment(images: Tensor, counts: Tensor, change: Change, generator: torch.Generator) -> Tensor:
    """Move images, then thin their counts: thinning restores noise that interpolation smoothed."""
    moved = move(images, change)
    if (change.kept >= 1).all():
        return moved
    kept = torch.as_tensor(change.kept, dtype=moved.dtype, device=moved.device)
    return thin(moved, counts, kept, generator)
