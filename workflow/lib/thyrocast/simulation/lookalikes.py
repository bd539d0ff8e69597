"""What a finder of glands mistakes for a thyroid, for its training: crude images, syringes in rooms.

`scene` draws necks as a camera sees them. Here are images of the simplest forms: one or two even ellipses
in an even surrounding, as other organs, and also as thyroids, so that form and position decide and not how
finely an image was simulated. Coordinates as in `bodies`.
"""

from dataclasses import dataclass, replace

import numpy as np

from thyrocast.simulation.bodies import Body, Part
from thyrocast.simulation.kinds import Generator, Kind, log_uniform
from thyrocast.simulation.scene import Scene
from thyrocast.simulation.thyroids import thyroid

Range = tuple[float, float]

#: Half a side of a slab that fills every field, mm.
SLAB_MM = 400.0
#: Share of each kind among the lookalikes.
SHARES = {Kind.GLAND: 0.2, Kind.HEMIAGENESIS: 0.02, Kind.SYRINGE: 0.3, Kind.ORGANS: 0.48}


@dataclass(frozen=True)
class _Organ:
    """Ranges of an organ: distance from the midline, semi-axes, mm; angle: mean and deviation, rad.

    The angle of a pair is that of the left organ; with a positive one, the lower ends are nearer to each other.
    """

    apart: Range
    across: Range
    along: Range
    angle: tuple[float, float] = (0.0, 0.3)


ORGANS = {
    # The upper poles of kidneys are nearer to each other; those of a horseshoe kidney the lower ones.
    "kidneys": _Organ((28, 95), (17, 38), (38, 75), (-0.2, 0.15)),
    "testes": _Organ((10, 34), (9, 21), (12, 29), (0.0, 0.3)),
    "submandibular glands": _Organ((18, 42), (6, 16), (7, 20), (0.4, 0.4)),
    "parotid glands": _Organ((42, 72), (7, 18), (16, 38), (0.0, 0.25)),
    "hips": _Organ((60, 125), (16, 50), (18, 60), (0.0, 0.6)),
    "lungs": _Organ((42, 90), (28, 55), (65, 125), (-0.1, 0.12)),
    "breasts": _Organ((55, 105), (32, 65), (30, 65), (0.0, 0.5)),
    "knees": _Organ((35, 100), (18, 45), (18, 65), (0.0, 0.2)),
    "stomach": _Organ((0, 0), (26, 62), (36, 95), (0.3, 0.8)),
    "bladder": _Organ((0, 0), (24, 62), (20, 50), (0.0, 0.3)),
    "heart": _Organ((0, 0), (32, 68), (36, 75), (0.5, 0.5)),
    "liver": _Organ((0, 0), (65, 125), (42, 90), (0.5, 0.4)),
    "brain": _Organ((0, 0), (55, 85), (65, 105), (0.0, 0.1)),
}  # fmt: skip


def draw(rng: Generator) -> Scene:
    """Draw a syringe in a room, another organ or a thyroid in simple forms."""
    kind = Kind(rng.choice(np.array(list(SHARES)), p=np.array(list(SHARES.values()))))
    if kind is Kind.SYRINGE:
        return Scene(kind, _syringe(rng))
    if kind is Kind.ORGANS:
        return _organ(rng)
    return _simple_thyroid(kind, rng)


def _syringe(rng: Generator) -> list[Body]:
    """Return a syringe, and in most cases other activity of its room."""
    across, along = log_uniform(rng, 1.5, 14), log_uniform(rng, 3, 60)
    bodies = [
        Body(Part.OTHER, rng.normal(0, 40), rng.normal(0, 40), across, along, across,
             rng.uniform(-np.pi / 2, np.pi / 2), 1.0, 0, rng.uniform(2, 6))
    ]  # fmt: skip
    first = bodies[0]
    for _ in range(rng.poisson(0.5)):
        # The needle, the other half of a shielded syringe, a vial.
        x, y = rng.normal(0, [50, 50])
        bodies.append(
            replace(first, x=first.x + x, y=first.y + y, across=log_uniform(rng, 1.5, 14),
                    along=along * log_uniform(rng, 0.2, 1.2), amount=log_uniform(rng, 0.005, 1))
        )  # fmt: skip
    if rng.random() < 0.75:
        bodies.append(_slab(log_uniform(rng, 0.002, 8)))
    if rng.random() < 0.4:
        # Scatter in table and shield falls with the distance.
        reach = rng.uniform(30, 140)
        bodies.append(
            Body(Part.OTHER, first.x + rng.normal(0, 10), first.y + rng.normal(0, 10), reach,
                 reach * rng.uniform(0.7, 1.4), 10, 0, log_uniform(rng, 0.01, 3), 0)
        )  # fmt: skip
    if rng.random() < 0.3:
        # Another source beside the field, a table or a wall: brighter on one side.
        side = rng.uniform(60, 260)
        x, y = rng.normal(0, [160, 160])
        bodies.append(
            Body(Part.OTHER, float(x), float(y), side, side * log_uniform(rng, 0.4, 2.5), 10,
                 rng.uniform(-0.4, 0.4), log_uniform(rng, 0.01, 4), 0, rng.choice([2.0, 8.0]))
        )  # fmt: skip
    return bodies


def _organ(rng: Generator) -> Scene:
    """Return another organ, or a pair."""
    drawn = ORGANS[rng.choice(np.array(list(ORGANS)))]
    apart, across, along = (
        rng.uniform(*limits) for limits in (drawn.apart, drawn.across, drawn.along)
    )
    shift, lift, angle = rng.normal(0, 15), rng.normal(0, 25), rng.normal(*drawn.angle)
    fine = rng.random() < 0.5
    bodies = []
    for side in (-1, 1) if apart else (int(rng.choice([-1, 1])),):
        size = np.exp(rng.normal(0, 0.08, 2))
        bodies.append(
            Body(Part.OTHER, shift + side * apart, lift + rng.normal(0, 0.12) * along,
                 across * size[0], along * size[1], min(across, along), side * angle,
                 float(np.exp(rng.normal(0, 0.2))), 40, rng.uniform(1.8, 3) if fine else 2.0,
                 rng.normal(0, 0.2) if fine else 0.0, rng.normal(0, 0.25) * across if fine else 0.0)
        )  # fmt: skip
    if fine:
        bodies += _inside(bodies, rng)
    # Activity per area of the surroundings relative to that of the organ.
    density = bodies[0].amount / (np.pi * across * along)
    around = density * log_uniform(rng, 0.003, 0.6)
    width = background = 0.0
    surroundings = rng.random()
    if surroundings < 0.4:
        bodies.append(_slab(around * (2 * SLAB_MM) ** 2))
    elif surroundings < 0.7:
        width = rng.uniform(70, 190)
        background = around / (1.2 * width)
    elif surroundings < 0.85:
        bodies += _thighs(around, shift, lift, rng)
    return Scene(Kind.ORGANS, bodies, width, background, shoulders=900, head=900)


def _inside(organs: list[Body], rng: Generator) -> list[Body]:
    """Return brighter parts of organs: renal pelvis, folds, the wall of a ventricle."""
    found = []
    for organ in organs:
        for _ in range(rng.poisson(0.8)):
            size = organ.across * rng.uniform(0.2, 0.6)
            found.append(
                Body(Part.OTHER, organ.x + rng.uniform(-0.5, 0.5) * organ.across,
                     organ.y + rng.uniform(-0.5, 0.5) * organ.along, size, size * rng.uniform(0.6, 2),
                     size, rng.uniform(-1.5, 1.5), organ.amount * log_uniform(rng, 0.03, 0.5), 40)
            )  # fmt: skip
    return found


def _thighs(around: float, shift: float, lift: float, rng: Generator) -> list[Body]:
    across, along, apart = rng.uniform(45, 85), rng.uniform(150, 320), rng.uniform(50, 110)
    below = lift + rng.uniform(-60, 200)
    amount = around * np.pi * across * along
    return [
        Body(Part.OTHER, shift + side * apart, below, across, along, 60, side * rng.normal(0, 0.1),
             float(amount), 40, rng.uniform(2, 5))
        for side in (-1, 1)
    ]  # fmt: skip


def _simple_thyroid(kind: Kind, rng: Generator) -> Scene:
    """Return a thyroid of ellipses, mostly without neck and salivary glands."""
    mass, uptake = log_uniform(rng, 5, 200), log_uniform(rng, 0.02, 0.5)
    bodies = [
        replace(body, power=2.0, taper=0.0, bend=0.0) for body in thyroid(kind, mass, uptake, rng)
    ]
    if rng.random() < 0.5:
        bodies = [body for body in bodies if body.part is not Part.MIDDLE]
    width = background = 0.0
    surroundings = rng.random()
    if surroundings < 0.6:
        bodies.append(_slab(uptake * log_uniform(rng, 0.3, 40)))
    elif surroundings < 0.85:
        width, background = rng.uniform(50, 90), (1 - uptake) / log_uniform(rng, 8e6, 4e7)
    return Scene(
        kind, bodies, width, background, shoulders=rng.uniform(50, 125), head=rng.uniform(45, 110),
        uptake=uptake, mass=mass,
    )  # fmt: skip


def _slab(amount: float) -> Body:
    return Body(Part.OTHER, 0.0, 0.0, SLAB_MM, SLAB_MM, 5.0, 0.0, amount, 0, power=6)
