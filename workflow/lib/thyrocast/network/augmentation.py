"""Augmentation: random changes that could occur between two acquisitions of the same patient.

Geometry changes slightly, and counts are thinned as if the acquisition were shorter. Images are
never flipped (the lobes differ), and intensities are never changed (counts are the signal).

The noise of a shorter acquisition is on the camera's pixels, which are larger than those of the
standardized image, and reaches the image through the same interpolation as the counts. Noise that is
drawn on the image's own pixels would be much finer than a camera's.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

if TYPE_CHECKING:
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
    phase_x, phase_y
        Position of the image's edge within a pixel of the camera, from 0 to 1.
    """

    angle: NDArray[np.float64]
    shift_x: NDArray[np.float64]
    shift_y: NDArray[np.float64]
    scale: NDArray[np.float64]
    kept: NDArray[np.float64]
    phase_x: NDArray[np.float64]
    phase_y: NDArray[np.float64]


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
        phase_x=generator.uniform(0, 1, n),
        phase_y=generator.uniform(0, 1, n),
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


def thin(
    images: Tensor,
    counts: Tensor,
    camera_pixel: NDArray[np.float64],
    change: Change,
    generator: torch.Generator,
) -> Tensor:
    """Simulate that only a share of the counts was recorded, and scaled back.

    The counts are summed on the camera's pixels. Each count is kept with probability `change.kept`
    (binomial thinning; a Poisson image remains a Poisson image). The change, scaled back to the same
    expectation, is interpolated to the image's pixels and added.

    Parameters
    ----------
    images
        Intensities (n, size, size).
    counts
        Counts per unit of intensity (n,); images for which it is NaN are not changed.
    camera_pixel
        Side of a camera's pixel in pixels of the image (n,); images for which it is NaN are not
        changed.
    change
        The share of the counts that is kept, and where the camera's pixels begin.
    generator
        Random generator on the images' device.
    """
    size, dtype, device = images.shape[-1], images.dtype, images.device
    known = torch.isfinite(counts) & torch.from_numpy(np.isfinite(camera_pixel)).to(device)
    side = np.where(np.isfinite(camera_pixel), camera_pixel, size)
    rows, columns = (
        [torch.as_tensor(part, dtype=dtype, device=device) for part in grids(side, phase, size)]
        for phase in (change.phase_y, change.phase_x)
    )
    factor = torch.where(known, counts, 1.0)[:, None, None]
    exact = rows[0] @ (images.clamp_min(0) * factor) @ columns[0].mT
    # Sums over pixels contain fractions of counts: round up or down at random, which keeps the mean.
    whole = exact.floor()
    chance = torch.rand(exact.shape, generator=generator, device=device)
    whole = whole + (chance < exact - whole).to(dtype)
    share = torch.as_tensor(change.kept, dtype=dtype, device=device)[:, None, None]
    share = share.expand_as(whole).contiguous()
    noise = torch.binomial(whole, share, generator=generator) / share - whole
    noisy = images + rows[1] @ noise @ columns[1].mT / factor
    return torch.where(known[:, None, None], noisy.clamp_min(0), images)


def grids(
    side: NDArray[np.float64], phase: NDArray[np.float64], size: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Matrices between the pixels of images and of their cameras, along one axis.

    Parameters
    ----------
    side
        Side of a camera's pixel in pixels of the image (n,).
    phase
        Position of the image's edge within a pixel of the camera (n,), from 0 to 1.
    size
        Pixels of the image along the axis.

    Returns
    -------
    to_camera : ndarray, (n, m, size)
        Share of each pixel of the image that is in each pixel of the camera.
    to_image : ndarray, (n, size, m)
        Interpolates counts as `thyrocast.image.field.resample` does for small changes: the integral
        is a piecewise cubic with the mean of two neighbors as slope. Counts are preserved.
    """
    number = int(np.ceil(size / side.min())) + 2
    # Edges of the image's pixels, in pixels of the camera.
    edges = np.arange(size + 1) / side[:, None] + phase[:, None]
    cells = np.arange(number)
    covered = np.clip(edges[:, None, :] - cells[:, None], 0, 1)
    to_camera = np.diff(covered, axis=2) * side[:, None, None]
    cell = np.minimum(edges.astype(int), number - 1)
    t = (edges - cell)[..., None]
    own, before, after = (
        cells == np.clip(cell + step, 0, number - 1)[..., None] for step in (0, -1, 1)
    )
    integral = (cells < cell[..., None]) + (3 * t**2 - 2 * t**3) * own
    integral += (t**3 - 2 * t**2 + t) * (before / 2 + own / 2)
    integral += (t**3 - t**2) * (own / 2 + after / 2)
    return to_camera, np.diff(integral, axis=1)


def augment(
    images: Tensor,
    counts: Tensor,
    camera_pixel: NDArray[np.float64],
    change: Change,
    generator: torch.Generator,
) -> Tensor:
    """Move images, then thin their counts: thinning restores noise that interpolation smoothed."""
    moved = move(images, change)
    if (change.kept >= 1).all():
        return moved
    return thin(moved, counts, camera_pixel, change, generator)
