"""Random thyroids: ordinary ones, one lobe, not descended, behind the sternum, a suppressed lobe."""

from dataclasses import dataclass

import numpy as np

from thyrocast.simulation.bodies import Body, Part
from thyrocast.simulation.kinds import Generator, Kind, log_uniform

#: A lobe with less than this share of the other one's concentration is invisible.
INVISIBLE = 0.03


def thyroid(kind: Kind, mass: float, uptake: float, rng: Generator) -> list[Body]:
    """Draw the bodies of a thyroid of this mass (g) and uptake (fraction of the injected activity)."""
    volume = mass * 1000.0
    if kind is Kind.LINGUAL:
        parts = _midline(volume, rng)
    else:
        share = float(np.clip(rng.normal(0.52, 0.09), 0.2, 0.8))
        shape = _shape(rng)
        parts = [
            _lobe(Part.RIGHT, volume * share, shape, rng),
            _lobe(Part.LEFT, volume * (1 - share), shape, rng),
        ]
        if rng.random() < 0.8:
            parts.append(_isthmus(volume * log_uniform(rng, 0.01, 0.15), rng))
        if rng.random() < 0.25:
            parts.append(_pyramid(volume * log_uniform(rng, 0.01, 0.06), rng))
    gone = int(rng.random() < 0.5)
    if kind is Kind.HEMIAGENESIS:
        parts.pop(gone)
        if rng.random() < 0.6:
            parts = parts[:1]
    if kind is Kind.RETROSTERNAL:
        parts += _below(parts, rng)
    weights = np.array([part.volume for part in parts])
    if kind is Kind.SUPPRESSED:
        rest = log_uniform(rng, 0.005, 0.3)
        # An invisible lobe has no outline.
        weights[gone] *= rest if rest > INVISIBLE else 0.0
        weights[2:] *= rng.uniform(0, 1)
    elif rng.random() < 0.3:
        weights[:2] *= np.exp(rng.normal(0, 0.5, len(weights[:2])))
    amounts = uptake * weights / weights.sum()
    depth = rng.uniform(8, 35) + 0.4 * float(np.cbrt(volume / 2))
    depths = depth + np.where([part.depth > 30 for part in parts], rng.uniform(0, 35), 0)
    return [
        Body(**(vars(part) | {"amount": float(amount), "depth": float(deep)}))
        for part, amount, deep in zip(parts, amounts, depths, strict=True)
    ]


@dataclass(frozen=True)
class _Shape:
    long: float
    deep: float
    power: float
    taper: float
    angle: float
    gap: float


def _shape(rng: Generator) -> _Shape:
    return _Shape(
        long=rng.uniform(1.3, 3.2),
        deep=rng.uniform(0.7, 1.4),
        power=2.0 if rng.random() < 0.4 else rng.uniform(1.7, 3.2),
        taper=rng.normal(0, 0.15),
        angle=rng.normal(0.16, 0.1),
        gap=rng.uniform(-2, 9),
    )


def _lobe(part: Part, volume: float, shape: _Shape, rng: Generator) -> Body:
    side = -1 if part is Part.RIGHT else 1
    long, deep = shape.long * np.exp(rng.normal(0, [0.12, 0.1]))[0], shape.deep
    across = float(np.cbrt(volume / (4 / 3 * np.pi * long * deep)))
    return Body(
        part,
        x=side * (across + shape.gap + rng.normal(0, 1.5)),
        y=-rng.normal(5, 5) + rng.normal(0, 0.1) * long * across,
        across=across,
        along=float(long * across),
        thick=deep * across,
        # The lower poles are nearer to the middle; a positive angle moves the upper end to the right.
        angle=side * (shape.angle + rng.normal(0, 0.08)),
        power=shape.power,
        taper=float(np.clip(shape.taper + rng.normal(0, 0.1), -0.45, 0.45)),
        bend=float(rng.normal(0, 0.12) * across),
    )


def _isthmus(volume: float, rng: Generator) -> Body:
    wide, deep = rng.uniform(0.8, 2.5), rng.uniform(0.3, 0.8)
    along = float(np.cbrt(volume / (4 / 3 * np.pi * wide * deep)))
    return Body(
        Part.MIDDLE, rng.normal(0, 2), rng.normal(4, 6), wide * along, along, deep * along,
        power=rng.uniform(2, 3),
    )  # fmt: skip


def _pyramid(volume: float, rng: Generator) -> Body:
    long = rng.uniform(2.5, 6)
    across = float(np.cbrt(volume / (4 / 3 * np.pi * long)))
    return Body(
        Part.MIDDLE, rng.normal(0, 6), -long * across - rng.uniform(0, 6), across, long * across,
        across, angle=rng.normal(0, 0.15),
    )  # fmt: skip


def _midline(volume: float, rng: Generator) -> list[Body]:
    """Return a gland that did not descend, in the middle, anywhere up to the base of the tongue."""
    wide, deep = rng.uniform(0.7, 1.4), rng.uniform(0.7, 1.2)
    along = float(np.cbrt(volume / (4 / 3 * np.pi * wide * deep)))
    return [
        Body(
            Part.MIDDLE, rng.normal(0, 4), -rng.uniform(5, 75), wide * along, along, deep * along,
            angle=rng.normal(0, 0.3), power=rng.uniform(1.8, 2.8),
        )
    ]  # fmt: skip


def _below(parts: list[Body], rng: Generator) -> list[Body]:
    """Return extensions of one or both lobes behind the sternum."""
    found: list[Body] = []
    for lobe in parts[:2]:
        if lobe.part is Part.MIDDLE or (found and rng.random() < 0.6):
            continue
        size = lobe.across * rng.uniform(0.7, 1.3)
        found.append(
            Body(
                lobe.part,
                lobe.x * rng.uniform(0.3, 1.0),
                lobe.y + lobe.along * rng.uniform(0.6, 1.1) + size * rng.uniform(0.4, 0.9),
                size,
                size * rng.uniform(0.8, 1.6),
                size,
                angle=rng.normal(0, 0.3),
                depth=40,
                power=rng.uniform(2, 2.8),
            )
        )
    return found
