"""Uneven uptake in three dimensions, as a camera sees it: averaged along the rays.

A camera sees the mean of the concentration along each ray. The thicker the gland is relative to the
scale of its texture, the less of the texture is visible. Both the mean and the variance are known in closed
form, so that no voxels are needed.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import erf

from thyrocast.simulation.bodies import Values, texture
from thyrocast.simulation.kinds import Generator, log_uniform
from thyrocast.simulation.scene import Scene

Reals = NDArray[np.floating]

#: The concentration is at least this share of the even one.
LEAST = 0.02
#: Share of the nodules with a sharp edge, and radius of these relative to the scale of a smooth one of the
#: same content.
BALLS, BALL = 0.5, 1.55


@dataclass(frozen=True)
class Uneven:
    """Uneven uptake.

    Attributes
    ----------
    factor
        (H, W) mean along each ray, relative to even uptake.
    visible
        Coefficient of variation of these means, weighted by the length of the rays: what a camera with
        perfect resolution would see.
    volume
        Coefficient of variation of the concentration in the gland's volume.
    """

    factor: Values
    visible: float
    volume: float


def uneven(
    scene: Scene, x: Values, y: Values, step: float, thickness: Values, rng: Generator
) -> Uneven:
    """Return the relative concentration along each ray, and its variation.

    Parameters
    ----------
    scene
        Its texture and nodules. With a probability of .35 the texture has two scales, and with .2 it is
        patchy (two levels) rather than smooth.
    x, y
        (W,) and (H,) centers of the pixels, mm.
    step
        Side of a pixel, mm.
    thickness
        (H, W) length of each ray in the gland, mm; 0 outside.
    rng
        Random generator.

    """
    rays = np.maximum(thickness, np.float32(1.0))
    factor = within = np.ones(rays.shape, np.float32)
    if scene.unevenness > 0.01:
        factor, within = _texture(scene, step, rays, rng)
    mean, square = np.ones(rays.shape), np.ones(rays.shape)
    for fx, fy, size, gain in scene.foci:
        apart = np.square((x - fx) / size)[None, :] + np.square((y - fy) / size)[:, None]
        shape = _ball if rng.random() < BALLS else _hill
        first, second = shape(apart, rays / size)
        mean += gain * first
        square += 2 * gain * first + gain**2 * second
    mean, square = np.maximum(mean, LEAST), np.maximum(square, LEAST**2)
    weight = thickness / max(float(thickness.sum()), 1e-9)
    seen = factor * mean
    # In the plane as drawn, along the rays as expected.
    whole = float((weight * seen).sum())
    squares = np.square(seen), np.square(factor) * within * square
    visible, volume = (
        float(np.sqrt(max(float((weight * part).sum()) / whole**2 - 1, 0.0))) for part in squares
    )
    return Uneven(np.asarray(seen, np.float32), visible, volume)


def _hill(apart: Reals, rays: Reals) -> tuple[Reals, Reals]:
    """Return the mean of a smooth nodule's profile along each ray through its middle, and of the profile's square.

    Parameters
    ----------
    apart
        (H, W) squares of the distance of each ray from the nodule's axis.
    rays
        (H, W) length of each ray in the gland; all lengths are relative to the nodule's scale.
    """
    half, peak = rays / 2, np.exp(-apart / 2)
    first = np.sqrt(np.pi / 2) * erf(half / np.sqrt(2)) / half
    second = np.sqrt(np.pi) / 2 * erf(half) / half
    return peak * first, np.square(peak) * second


def _ball(apart: Reals, rays: Reals) -> tuple[Reals, Reals]:
    """Return the same of a ball with a sharp edge: the share of each ray that is inside."""
    chord = 2 * np.sqrt(np.maximum(BALL**2 - apart, 0))
    inside = np.minimum(chord / rays, 1)
    return inside, inside


def _texture(scene: Scene, step: float, rays: Values, rng: Generator) -> tuple[Values, Values]:
    """Return the texture's mean along each ray (H, W), and its mean square relative to the mean's square.

    The logarithm of the concentration is a field with the correlation exp(-d² / 4 s²) at the distance
    d, of which `share` of the variance is left after averaging along a ray.
    """
    shape, scales = rays.shape, [(scene.texture_mm, 1.0)]
    if rng.random() < 0.35:
        coarse = rng.uniform(0.3, 0.9)
        other = float(np.clip(scene.texture_mm * log_uniform(rng, 0.3, 3), 2.5, 20))
        scales = [(scene.texture_mm, coarse), (other, 1 - coarse)]
    total = np.zeros(shape, np.float32)
    left = np.zeros(shape, np.float32)
    for scale, part in scales:
        kept = share(rays / (2 * scale)) * part
        field = texture(max(shape), step, scale, rng)[: shape[0], : shape[1]]
        total += np.sqrt(kept, dtype=np.float32) * field
        left += kept.astype(np.float32)
    if rng.random() < 0.2:
        # Two levels: the same variance, with edges.
        smooth = total / np.sqrt(left)
        total = (np.sqrt(left) * np.tanh(2.5 * smooth) / 0.84).astype(np.float32)
    u = np.float32(scene.unevenness)
    factor = np.exp(u * total + u**2 * (1 - left) / 2)
    return np.asarray(factor, np.float32), np.asarray(np.exp(u**2 * (1 - left)), np.float32)


def share(a: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the share of a field's variance that is left after averaging over a length.

    Parameters
    ----------
    a
        Length over twice the scale of the field, whose correlation is exp(-d² / 4 scale²).
    """
    a = np.maximum(np.asarray(a, np.float64), 1e-3)
    return np.asarray((np.sqrt(np.pi) * a * erf(a) - 1 + np.exp(-np.square(a))) / np.square(a))
