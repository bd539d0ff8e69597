"""The neck of one patient: activity in ellipsoids, in patient coordinates.

Axes in mm: x to the patient's left, y to the head, z to the front; the origin is the isthmus. A
lobe is an ellipsoid with individual length, width and depth; nodules and the uneven uptake of an
autonomous or treated gland change its activity.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]

#: Center (x, z) and radius of the neck, mm; the gland is 10 to 25 mm under its surface.
NECK_CENTER = (0.0, -48.0)
NECK_RADIUS = 62.0


@dataclass(frozen=True)
class Neck:
    """Distribution of activity in one patient, per unit of injected activity.

    Attributes
    ----------
    centers, shapes, concentrations
        Ellipsoids: (k, 3) mm; (k, 3, 3), so that (r - c)' A (r - c) <= 1; (k,) fraction of the
        injected activity per mm³.
    thyroid
        (k,) whether the ellipsoid belongs to the gland; only then the foci change its activity.
    focus_centers, focus_sizes, focus_gains
        Foci of more (gain > 0) or less (gain < 0) uptake in the gland: (m, 3) mm, (m,) SD in mm,
        (m,) relative change at the center of the focus.
    background
        Fraction of the injected activity per mm³ of body.
    tilt, offset
        Rotation in the camera's plane, rad, and position of the isthmus in the field, (2,) mm to
        the right of the image and up.
    """

    centers: Values
    shapes: Values
    concentrations: Values
    thyroid: NDArray[np.bool_]
    focus_centers: Values
    focus_sizes: Values
    focus_gains: Values
    background: float
    tilt: float
    offset: Values


def rotation(axis: int, angle: float) -> Values:
    """Return the rotation matrix (3, 3) by `angle` rad around coordinate `axis`."""
    cos, sin = np.cos(angle), np.sin(angle)
    i, j = [(1, 2), (2, 0), (0, 1)][axis]
    matrix = np.eye(3)
    matrix[i, i] = matrix[j, j] = cos
    matrix[i, j], matrix[j, i] = -sin, sin
    return matrix


def _ellipsoid(semi_axes: Values, turn: Values) -> Values:
    return np.asarray(turn @ np.diag(1.0 / np.square(semi_axes)) @ turn.T)


def _volume(semi_axes: Values) -> float:
    return float(4.0 / 3.0 * np.pi * np.prod(semi_axes))


def _lobe(volume: float, side: int, rng: np.random.Generator) -> tuple[Values, Values, Values]:
    """Draw center, semi-axes and rotation of a lobe of `volume` mm³; `side` is -1 right, 1 left."""
    ratio = rng.normal([2.3, 1.0, 1.0], [0.14, 0.05, 0.05])
    semi = ratio * (volume / _volume(ratio)) ** (1.0 / 3.0)
    turn = rotation(2, side * rng.normal(-0.16, 0.05))
    # Long axis up, width across, depth to the front; the inner edges meet at the isthmus.
    axes = semi[[1, 0, 2]]
    center = np.array([side * (axes[0] + rng.normal(3.5, 1.2)), rng.normal(6.0, 3.0), -14.0])
    return center, axes, turn


def _foci(
    lobes: list[tuple[Values, Values, Values]], heterogeneity: float, rng: np.random.Generator
) -> tuple[Values, Values, Values]:
    """Draw foci in the lobes: mottling, which is faint in an even gland, and nodules."""
    centers, sizes, gains = [], [], []
    for center, semi, turn in lobes:
        mottles, nodules = 8, rng.poisson(0.2 + 3.0 * heterogeneity)
        total = mottles + nodules
        direction = rng.normal(size=(total, 3))
        direction /= np.linalg.norm(direction, axis=1, keepdims=True)
        inside = direction * (0.85 * rng.random((total, 1)) ** (1 / 3)) * semi
        centers.append(center + inside @ turn.T)
        scale = float(np.cbrt(np.prod(semi)))
        sizes.append(
            scale * np.repeat([0.36, 0.42], [mottles, nodules]) * rng.uniform(0.8, 1.2, total)
        )
        # Signs of mottles alternate, so that unevenness depends on `heterogeneity`, not on chance.
        sign = np.concatenate(
            [
                np.where(np.arange(mottles) % 2, 1.0, -1.0),
                np.where(rng.random(nodules) < 0.65, -1.0, 1.1),
            ]
        )
        depth = np.repeat(
            [0.02 + 0.65 * heterogeneity, 0.15 + 0.6 * heterogeneity], [mottles, nodules]
        )
        gains.append(sign * depth * rng.uniform(0.8, 1.2, total))
    return np.concatenate(centers), np.concatenate(sizes), np.concatenate(gains)


def build(mass: float, uptake: float, heterogeneity: float, rng: np.random.Generator) -> Neck:
    """Build a neck with a gland of this mass (1 g is 1 ml) and uptake.

    Parameters
    ----------
    mass
        Mass of both lobes, isthmus and pyramidal lobe, g.
    uptake
        Fraction of the injected activity in the gland when it is imaged.
    heterogeneity
        0 (even) to 1 (nodular).
    rng
        Generator of the patient's individual shape.
    """
    volume = mass * 1000.0
    right_share = float(np.clip(rng.normal(0.53, 0.05), 0.35, 0.7))
    has_pyramid = rng.random() < 0.3
    isthmus, pyramid = 0.05 * volume, 0.03 * volume * has_pyramid
    lobes_volume = volume - isthmus - pyramid
    lobes = [
        _lobe(lobes_volume * right_share, -1, rng),
        _lobe(lobes_volume * (1 - right_share), 1, rng),
    ]
    straight = np.eye(3)
    ratio = np.array([1.5, 0.9, 0.45])
    parts = [
        *lobes,
        (np.array([0.0, -3.0, -2.0]), ratio * (isthmus / _volume(ratio)) ** (1 / 3), straight),
    ]
    if has_pyramid:
        ratio = np.array([0.5, 2.5, 0.5])
        semi = ratio * (pyramid / _volume(ratio)) ** (1 / 3)
        side = rng.choice([-4.0, 4.0])
        parts.append((np.array([side, 0.8 * semi[1] + 4.0, -2.0]), semi, straight))
    gland = len(parts)

    # Salivary glands also take up pertechnetate; the rest is in the body.
    salivary = np.exp(rng.normal(np.log(0.004), 0.35))
    lift = rng.normal(0.0, 5.0)
    for side in (-1, 1):
        parts.append(
            (np.array([side * 54.0, 98.0 + lift, -45.0]), np.array([10.0, 24.0, 14.0]), straight)
        )
        parts.append(
            (np.array([side * 26.0, 68.0 + lift, -22.0]), np.array([9.0, 9.0, 13.0]), straight)
        )
    parts.append((np.array([0.0, 92.0 + lift, -12.0]), np.array([20.0, 8.0, 18.0]), straight))
    shares = [uptake / volume] * gland
    shares += [
        salivary * share / _volume(part[1])
        for part, share in zip(parts[gland:], (1.0, 0.5, 1.0, 0.5, 0.6), strict=True)
    ]

    focus_centers, focus_sizes, focus_gains = _foci(lobes, heterogeneity, rng)
    return Neck(
        centers=np.stack([part[0] for part in parts]),
        shapes=np.stack([_ellipsoid(part[1], part[2]) for part in parts]),
        concentrations=np.array(shares),
        thyroid=np.arange(len(parts)) < gland,
        focus_centers=focus_centers,
        focus_sizes=focus_sizes,
        focus_gains=focus_gains,
        # In extracellular water, about 16 liters, varying with the patient's build.
        background=float((1.0 - uptake) / 16.0e6 * np.exp(rng.normal(0.0, 0.12))),
        tilt=float(rng.normal(0.0, 0.05)),
        offset=rng.normal([0.0, -8.0], [6.0, 8.0]),
    )
