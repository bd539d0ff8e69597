"""Random necks, and what is mistaken for one, for the training of networks.

Everything is drawn from ranges that are wider than those of patients and cameras, so that what is learned
does not depend on any of them (domain randomization). Coordinates as in `bodies`; the origin is the isthmus.
"""

from dataclasses import dataclass, field

import numpy as np

from thyrocast.simulation.bodies import Body, Part
from thyrocast.simulation.kinds import SHARES, Generator, Kind, log_uniform
from thyrocast.simulation.thyroids import thyroid


@dataclass(frozen=True)
class Scene:
    """What is in front of the camera.

    Attributes
    ----------
    kind
        Kind of scene.
    bodies
        Bodies of activity.
    body_width
        Half width of the neck, mm; 0 if there is no patient.
    background
        Activity per mm³ of body, relative to the injected one.
    shoulders, head
        Height at which the torso begins below, and the head above, the isthmus, mm.
    uptake, mass
        Of the thyroid: fraction of the injected activity, and g.
    unevenness, texture_mm
        Standard deviation and scale (mm) of the logarithm of the thyroid's concentration.
    foci
        (x, y, standard deviation, gain) of hot and cold nodules: mm and relative change.
    solid
        Whether texture and nodules vary along the ray as well, as in a patient (`solid`).
    """

    kind: Kind
    bodies: list[Body]
    body_width: float = 0.0
    background: float = 0.0
    shoulders: float = 75.0
    head: float = 75.0
    uptake: float = 0.0
    mass: float = 0.0
    unevenness: float = 0.0
    texture_mm: float = 10.0
    foci: list[tuple[float, float, float, float]] = field(default_factory=list)
    solid: bool = False


def draw(rng: Generator, kind: Kind | None = None) -> Scene:
    """Draw a scene of a kind; of any kind, with the shares of training, if it is None."""
    if kind is None:
        kind = Kind(rng.choice(np.array(list(SHARES)), p=np.array(list(SHARES.values()))))
    if kind is Kind.SYRINGE:
        return Scene(kind, _syringe(rng))
    if kind is Kind.FLOOD:
        return _flood(rng)
    if kind is Kind.ORGANS:
        return _organs(rng)
    return _neck(kind, rng)


def _neck(kind: Kind, rng: Generator) -> Scene:
    mass = log_uniform(rng, 3, 250)
    if kind is Kind.LINGUAL:
        mass = log_uniform(rng, 2, 25)
    uptake = log_uniform(rng, 0.002, 0.06) if rng.random() < 0.4 else log_uniform(rng, 0.03, 0.65)
    bodies: list[Body] = []
    if kind is not Kind.NO_GLAND:
        bodies = thyroid(kind, mass, uptake, rng)
    else:
        uptake = mass = 0.0
    unevenness = rng.uniform(0, 0.15) if rng.random() < 0.5 else rng.uniform(0.1, 0.7)
    foci = _foci(bodies, rng) if rng.random() < 0.4 else []
    return Scene(
        kind,
        bodies + _around(bodies, rng),
        body_width=rng.uniform(48, 85),
        background=(1 - uptake) / log_uniform(rng, 8e6, 4e7),
        shoulders=rng.uniform(50, 125),
        head=rng.uniform(45, 110),
        uptake=uptake,
        mass=mass,
        unevenness=unevenness,
        texture_mm=log_uniform(rng, 4, 25),
        foci=foci,
    )


def _foci(bodies: list[Body], rng: Generator) -> list[tuple[float, float, float, float]]:
    lobes = [body for body in bodies if body.part is not Part.OTHER][:2]
    found: list[tuple[float, float, float, float]] = []
    for lobe in lobes:
        for _ in range(rng.poisson(1.2)):
            size = float(np.cbrt(lobe.across * lobe.along * lobe.thick)) * rng.uniform(0.2, 0.6)
            gain = -rng.uniform(0.3, 1) if rng.random() < 0.6 else log_uniform(rng, 0.3, 8)
            x = lobe.x + rng.uniform(-0.8, 0.8) * lobe.across
            y = lobe.y + rng.uniform(-0.8, 0.8) * lobe.along
            found.append((float(x), float(y), size, float(gain)))
    return found


def _around(thyroid: list[Body], rng: Generator) -> list[Body]:
    """Return everything else in a neck that has activity."""
    bodies = _salivary(rng) + _vessels(rng)
    if rng.random() < 0.25:
        bodies.append(_stomach(rng))
    if rng.random() < 0.12:
        bodies.append(
            _spot(rng.normal(0, 90), rng.uniform(50, 170), log_uniform(rng, 1e-3, 0.06), rng)
        )
    if rng.random() < 0.08:
        bodies.append(
            _spot(rng.normal(0, 80), rng.uniform(-170, 50), log_uniform(rng, 2e-4, 0.02), rng)
        )
    if rng.random() < 0.08:
        # Swallowed saliva in the esophagus, in one piece or several.
        for _ in range(rng.integers(1, 3)):
            bodies.append(
                Body(Part.OTHER, rng.normal(4, 6), rng.uniform(-40, 150), rng.uniform(3, 7),
                     rng.uniform(8, 45), 5, rng.normal(0, 0.08), log_uniform(rng, 2e-4, 8e-3), 50)
            )  # fmt: skip
    if thyroid and rng.random() < 0.12:
        bodies.append(_beside(thyroid, rng))
    if rng.random() < 0.06:
        # A marker on the skin, at the chin or the upper end of the sternum.
        y = rng.choice([rng.normal(-75, 12), rng.normal(50, 12)])
        bodies.append(
            Body(Part.OTHER, rng.normal(0, 5), y, 1.5, 1.5, 1.5,
                 amount=log_uniform(rng, 2e-4, 6e-3), depth=0)
        )  # fmt: skip
    return bodies


def _beside(thyroid: list[Body], rng: Generator) -> Body:
    lobe = thyroid[int(rng.integers(len(thyroid[:2])))]
    side = np.sign(lobe.x) or 1
    gap = rng.uniform(6, 30)
    amount = sum(body.amount for body in thyroid) * log_uniform(rng, 0.02, 0.4)
    x = lobe.x + side * (lobe.across + gap)
    return _spot(float(x), lobe.y + rng.uniform(-1, 1) * lobe.along, amount, rng)


def _spot(x: float, y: float, amount: float, rng: Generator) -> Body:
    size = log_uniform(rng, 2, 15)
    return Body(
        Part.OTHER, float(x), float(y), size, size * rng.uniform(0.7, 2), size, rng.uniform(-1.5, 1.5),
        amount, depth=0,
    )  # fmt: skip


def _salivary(rng: Generator) -> list[Body]:
    activity, lift, wide = log_uniform(rng, 2e-4, 0.015), rng.normal(0, 14), rng.normal(0, 6)
    if rng.random() < 0.15:
        activity = 0.0
    bodies = []
    for side in (-1, 1):
        own = activity * float(np.exp(rng.normal(0, 0.25)))
        bodies.append(
            Body(Part.OTHER, side * (54 + wide + rng.normal(0, 3)), -100 - lift + rng.normal(0, 5),
                 rng.uniform(8, 15), rng.uniform(16, 32), 14, rng.normal(0, 0.2), own, 25)
        )  # fmt: skip
        bodies.append(
            Body(Part.OTHER, side * (27 + wide / 2 + rng.normal(0, 3)), -68 - lift + rng.normal(0, 5),
                 rng.uniform(6, 13), rng.uniform(6, 15), 11, side * rng.normal(0.4, 0.3),
                 own * log_uniform(rng, 0.2, 1.2), 25)
        )  # fmt: skip
    bodies.append(
        Body(Part.OTHER, rng.normal(0, 3), -92 - lift + rng.normal(0, 8), rng.uniform(12, 30),
             rng.uniform(5, 15), 15, 0, activity * log_uniform(rng, 0.1, 2), 30)
    )  # fmt: skip
    if rng.random() < 0.5:
        # Nose.
        bodies.append(
            Body(Part.OTHER, rng.normal(0, 3), -150 - lift, rng.uniform(10, 22), rng.uniform(12, 30),
                 15, 0, activity * log_uniform(rng, 0.1, 1.5), 25)
        )  # fmt: skip
    return bodies


def _vessels(rng: Generator) -> list[Body]:
    """Return blood in the heart, the large vessels and the carotid arteries and jugular veins."""
    pool = log_uniform(rng, 2e-3, 0.03)
    bodies = [
        Body(Part.OTHER, rng.normal(25, 12), rng.normal(180, 18), rng.uniform(45, 70),
             rng.uniform(45, 75), 45, 0.4, pool, 70),
        Body(Part.OTHER, rng.normal(3, 8), rng.normal(95, 18), rng.uniform(15, 32),
             rng.uniform(25, 45), 20, 0, pool * log_uniform(rng, 0.05, 0.4), 60),
    ]  # fmt: skip
    for side in (-1, 1):
        bodies.append(
            Body(Part.OTHER, side * rng.normal(34, 6), rng.normal(-5, 10), rng.uniform(4, 9),
                 rng.uniform(45, 80), 6, side * rng.normal(0.15, 0.08),
                 pool * log_uniform(rng, 0.01, 0.12), 30)
        )  # fmt: skip
    return bodies


def _stomach(rng: Generator) -> Body:
    return Body(
        Part.OTHER, rng.normal(55, 25), rng.normal(235, 45), rng.uniform(30, 60), rng.uniform(35, 70),
        35, rng.uniform(-1, 1), log_uniform(rng, 3e-3, 0.15), 60, power=rng.uniform(1.8, 2.5),
    )  # fmt: skip


def _syringe(rng: Generator) -> list[Body]:
    angle = rng.uniform(-np.pi / 2, np.pi / 2)
    across, along = rng.uniform(2, 9), rng.uniform(3, 45)
    bodies = [
        Body(Part.OTHER, rng.normal(0, 30), rng.normal(0, 30), across, along, across, angle, 1.0, 0,
             power=rng.uniform(2, 5))
    ]  # fmt: skip
    if rng.random() < 0.3:
        # Needle, or a second syringe.
        bodies.append(
            Body(Part.OTHER, bodies[0].x + rng.normal(0, 40), bodies[0].y + rng.normal(0, 40),
                 across, along * rng.uniform(0.2, 1), across, angle, log_uniform(rng, 0.01, 1), 0)
        )  # fmt: skip
    if rng.random() < 0.35:
        # Counts of the room: an even background.
        bodies.append(
            Body(Part.OTHER, 0.0, 0.0, 400.0, 400.0, 5.0, 0.0, log_uniform(rng, 0.003, 0.5), 0, power=6)
        )  # fmt: skip
    return bodies


def _flood(rng: Generator) -> Scene:
    """Return a flood source, bars, a cylinder, or a body without any organ."""
    if rng.random() < 0.3:
        return Scene(Kind.FLOOD, [], body_width=rng.uniform(60, 200), background=4e-8)
    size = log_uniform(rng, 25, 400)
    ratio = log_uniform(rng, 0.5, 2)
    power = rng.choice([2.0, 2.0, 6.0, 12.0])
    source = Body(
        Part.OTHER, rng.normal(0, 10), rng.normal(0, 10), size, size * ratio, 5, 0, 1.0, 0, power
    )
    return Scene(Kind.FLOOD, [source])


def _organs(rng: Generator) -> Scene:
    """Return another part of the body: two organs or one, each like a gland in something."""
    which = rng.choice(["lungs", "kidneys", "testes", "heart", "liver", "brain", "face"])
    around = log_uniform(rng, 0.02, 1.0)
    if which == "face":
        # Salivary glands without a thyroid in the field.
        bodies = [
            body.moved(0, 95 + rng.normal(0, 15), 0) for body in _salivary(rng) if body.amount > 0
        ]
        return Scene(
            Kind.ORGANS, bodies, rng.uniform(60, 90), 4e-8, shoulders=220, head=rng.uniform(-30, 60)
        )
    sizes = {
        "lungs": (65, 38, 100, 60), "kidneys": (62, 27, 55, 25), "testes": (24, 17, 24, 14),
        "heart": (0, 45, 50, 40), "liver": (0, 95, 65, 60), "brain": (0, 70, 85, 70),
    }  # fmt: skip
    apart, across, along, thick = np.array(sizes[which]) * rng.uniform(0.75, 1.25)
    lift, angle = rng.normal(0, 20), rng.normal(0.1, 0.15)
    bodies = [
        Body(Part.OTHER, side * apart, lift + rng.normal(0, 6), across, along * rng.uniform(0.85, 1.15),
             thick, side * angle, float(np.exp(rng.normal(0, 0.15))), 40, rng.uniform(1.8, 3),
             rng.normal(0, 0.2))
        for side in ((-1, 1) if apart else (0,))
    ]  # fmt: skip
    if which == "kidneys" and rng.random() < 0.6:
        bodies.append(
            Body(Part.OTHER, rng.normal(0, 5), lift + rng.uniform(130, 180), 35, 30, 25, 0,
                 log_uniform(rng, 0.05, 2), 40)
        )  # fmt: skip
    width = rng.uniform(110, 180) if which != "brain" else 1.0
    volume = 4.0 * width * 350 * 100
    return Scene(Kind.ORGANS, bodies, width, around / volume, shoulders=900, head=900)
