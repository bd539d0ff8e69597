"""Phantoms for the benchmark of the gland finder: another simulator than the one of the training.

The activity is in voxels (2 mm), not in closed formulas: lobes are swept spheres with bent axes, uptake
varies in three dimensions, each voxel is attenuated by its own depth. The resolution has exponential
tails, scatter falls off exponentially, pixel sizes and fields are those of real cameras. All numbers that
describe patients and cameras are in `gland_cases.SET`; none of them is read by the training.
"""

from dataclasses import dataclass, field

import numpy as np
from scipy import ndimage, signal

from benchmarks.gland_cases import CAMERAS, CASES, SET, Case

GRID_MM = 2.0
MU_PER_MM = 0.0152


@dataclass
class Example:
    """Counts (R, C) on pixels of `pixel_mm`; the truth on a grid of GRID_MM."""

    case: str
    counts: np.ndarray
    pixel_mm: float
    right: np.ndarray
    left: np.ndarray
    thyroid: bool
    mass: float = 0.0
    uptake: float = 0.0
    heterogeneity: float = 0.0
    rate: float = 0.0
    pinhole: bool = False
    clipped: bool = False


@dataclass
class Organ:
    """Spheres (x, y, z, radius) in mm, stretched by `stretch`; z is the depth under the skin."""

    spheres: np.ndarray
    amount: float
    lobe: str = ""
    stretch: float = 1.0
    gains: list[tuple[float, float, float, float, float]] = field(default_factory=list)
    unevenness: float = 0.0


def examples(seed: int, share: float = 1.0):
    """Yield the phantoms of all cases; a share of each."""
    for number, case in enumerate(CASES):
        for index in range(max(int(case.n * share), 1)):
            yield draw(case, np.random.default_rng([seed, number, index]))


def between(rng, name):
    return rng.uniform(*SET[name])


def draw(case: Case, rng) -> Example:
    if case.special in ("syringe", "flood", "organs"):
        return _image(case, rng, _things(case.special, rng), 0.0)
    mass = rng.uniform(*case.mass)
    if case.uptake:
        uptake = rng.uniform(*case.uptake)
    else:
        uptake = SET["uptake_median"] * np.exp(SET["uptake_spread"] * rng.normal())
        uptake = float(np.clip(uptake, *SET["uptake_range"]))
    organs = [] if case.special == "absent" else _gland(case, mass, uptake, rng)
    if not organs:
        uptake = 0.0
    organs += _surroundings(case, organs, uptake, rng)
    body = (1 - uptake) / (between(rng, "blood_liters") * 1e6)
    return _image(case, rng, organs, body)


def _lobe(side: int, volume: float, shape: dict, rng) -> np.ndarray:
    """Return the spheres of a lobe, scaled to its volume (mm³) before the stretch in depth."""
    t = np.linspace(-1, 1, 13)
    long = shape["long"] * np.exp(rng.normal(0, 0.06))
    radius = np.sqrt(np.clip(1 - 0.93 * t**2, 0.05, None)) * np.where(
        t < 0, 1 - (1 - shape["upper"]) * -t, 1.0
    )
    # t runs from the upper pole (-1) to the lower one; lengths are in units of the largest radius.
    axis = t * (long - radius.min())
    fine = np.linspace(-1, 1, 200)
    sweep = np.trapezoid(np.pi * np.interp(fine, t, radius) ** 2, fine * (long - radius.min()))
    size = np.cbrt(volume / (sweep + 4 / 3 * np.pi * 0.3 * radius.min() ** 2) / shape["deep"])
    x = side * (1 + shape["gap"] / size - shape["bend"] / size * (1 - t**2) * 0.5)
    angle = np.deg2rad(shape["angle"] + rng.normal(0, 3)) * side
    rows = (
        np.stack([x - np.sin(angle) * axis, np.cos(angle) * axis, np.zeros(13), radius], 1) * size
    )
    rows[:, 1] += rng.normal(-4, 4)
    rows[:, 2] = between(rng, "depth_of_front_mm") + size * shape["deep"]
    return rows


def _gland(case: Case, mass: float, uptake: float, rng) -> list[Organ]:
    volume = mass * 1000
    shape = {
        "long": between(rng, "length_to_width"), "deep": between(rng, "depth_to_width"),
        "upper": between(rng, "upper_to_lower"), "bend": between(rng, "bend_mm"),
        "gap": between(rng, "gap_mm"), "angle": between(rng, "lobe_angle_deg"),
    }  # fmt: skip
    deep = shape["deep"]
    if case.special == "lingual":
        radius = np.cbrt(volume / (4 / 3 * np.pi) / 1.45)
        y = rng.uniform(-62, -18)
        x = rng.normal(0, 3)
        line = np.array([[x - 0.35 * radius, y, 32, radius], [x + 0.35 * radius, y, 32, radius]])
        return [Organ(line, uptake, "middle")]
    share = between(rng, "right_share")
    organs = [
        Organ(_lobe(-1, volume * share, shape, rng), uptake * share, "right", deep),
        Organ(_lobe(1, volume * (1 - share), shape, rng), uptake * (1 - share), "left", deep),
    ]
    if case.special == "retrosternal":
        for organ in organs if rng.random() < 0.4 else organs[: 1 + int(rng.random() < 0.5)][-1:]:
            low = organ.spheres[-1]
            radius = organ.spheres[:, 3].max() * rng.uniform(0.6, 0.95)
            more = np.array(
                [low[0] * 0.8, low[1] + 0.8 * radius, low[2] + rng.uniform(8, 22), radius]
            )
            organ.spheres = np.vstack([organ.spheres, more])
    if case.special == "suppressed":
        organs[int(rng.random() < 0.5)].amount *= rng.uniform(0.01, 0.12)
    if case.special == "hemiagenesis":
        organs.pop(int(rng.random() < 0.5))
        organs[0].amount = uptake
    elif rng.random() < 0.75:
        radius = np.cbrt(volume) * rng.uniform(0.06, 0.12)
        inner = max(abs(organs[0].spheres[:, 0]).min(), 4)
        x = np.linspace(-inner, inner, 9)
        spheres = np.stack(
            [x, np.full(9, rng.normal(6, 4)), np.full(9, 16.0), np.full(9, radius)], 1
        )
        organs.append(Organ(spheres, uptake * 0.04, "middle"))
    for organ in organs[:2]:
        organ.unevenness = rng.uniform(0.02, 0.12)
        if case.special == "uneven":
            organ.unevenness = rng.uniform(0.2, 0.55)
            for _ in range(rng.integers(1, 4)):
                x, y, z, r = organ.spheres[rng.integers(2, 11)]
                gain = rng.choice([-0.9, -0.7, 1.5, 3.0])
                organ.gains.append((x, y, z, r * rng.uniform(0.4, 0.8), gain))
    return organs


def _ball(x, y, z, r, amount, **more) -> Organ:
    return Organ(np.array([[x, y, z, r]], float), float(amount), **more)


def _surroundings(case: Case, gland: list[Organ], uptake: float, rng) -> list[Organ]:
    dose = between(rng, "salivary_dose") * (2.5 if case.special == "salivary" else 1)
    lift = rng.normal(0, 7)
    organs = []
    for side in (-1, 1):
        line = np.linspace(-22, 18, 7)
        parotid = np.stack(
            [np.full(7, side * 56 + rng.normal(0, 2)), -101 + lift + line, np.full(7, 30.0),
             10 - 0.1 * np.abs(line)], 1
        )  # fmt: skip
        organs.append(Organ(parotid, dose * np.exp(rng.normal(0, 0.2))))
        organs.append(_ball(side * 27, -66 + lift, 26, 10, dose * rng.uniform(0.35, 0.7)))
        vessel = np.stack(
            [np.full(15, side * rng.normal(33, 3)), np.linspace(-60, 60, 15), np.full(15, 32.0),
             np.full(15, 4.5)], 1
        )  # fmt: skip
        organs.append(Organ(vessel, 0.0012))
    organs.append(_ball(rng.normal(0, 2), -90 + lift, 28, 14, dose * rng.uniform(0.2, 0.8)))
    organs.append(_ball(22, 178, 75, 55, rng.uniform(0.008, 0.018)))
    organs.append(_ball(2, 100, 60, 22, rng.uniform(0.0008, 0.003)))
    if case.special == "chest":
        organs.append(
            _ball(
                rng.normal(0, 50),
                rng.uniform(65, 125),
                0,
                rng.uniform(4, 14),
                rng.uniform(0.02, 0.03),
            )
        )
    if case.special == "stomach":
        organs.append(_ball(45, rng.uniform(165, 205), 60, 38, rng.uniform(0.03, 0.09)))
    if case.special == "spot":
        lobe = gland[int(rng.random() < 0.5)]
        x, y, _, _ = lobe.spheres[rng.integers(2, 11)]
        edge = np.abs(lobe.spheres[:, 0]).max() + lobe.spheres[:, 3].max()
        place = np.sign(x) * (edge + rng.uniform(9, 24))
        organs.append(_ball(place, y, 0, rng.uniform(3, 6), uptake * rng.uniform(0.03, 0.15)))
    return organs


def _things(special: str, rng) -> list[Organ]:
    if special == "syringe":
        angle, long = rng.uniform(-np.pi, np.pi), rng.uniform(4, 38)
        t = np.linspace(-long, long, 15)
        spheres = np.stack(
            [t * np.cos(angle), t * np.sin(angle), 0 * t, 0 * t + rng.uniform(2, 8)], 1
        )
        return [Organ(spheres + np.array([*rng.normal(0, 20, 2), 0, 0]), 1.0)]
    if special == "flood":
        line = np.arange(-300, 301, 10.0)
        reach = rng.choice([45.0, 80.0, 400.0])
        x, y = (part.ravel() for part in np.meshgrid(line, line))
        inside = (
            np.hypot(x, y) < reach if rng.random() < 0.5 else np.maximum(abs(x), abs(y)) < reach
        )
        return [Organ(np.stack([x, y, 0 * x, 0 * x + 8], 1)[inside], 1.0)]
    apart, radius, long = {
        0: (70, 42, 70), 1: (66, 24, 32), 2: (23, 15, 9), 3: (0, 48, 10), 4: (0, 75, 20)
    }[int(rng.integers(5))]  # fmt: skip
    organs = []
    for side in (-1, 1) if apart else (0,):
        t = np.linspace(-long, long, 9)
        spheres = np.stack(
            [side * apart + 0 * t, t + rng.normal(0, 4), 50 + 0 * t, radius + 0 * t], 1
        )
        organs.append(Organ(spheres, np.exp(rng.normal(0, 0.1))))
    around = np.array([[x, y, 60.0, 70.0] for x in (-60, 60) for y in (-140, -50, 40, 130)])
    organs.append(Organ(around, rng.uniform(0.1, 0.8)))
    return organs


def _voxels(organ: Organ, x, y, rng):
    """Return box, projection per mm² without and with attenuation, and the concentration in voxels."""
    s = organ.spheres
    low, high = (s[:, :3] - s[:, 3:]).min(0), (s[:, :3] + s[:, 3:]).max(0)
    rows = slice(*np.searchsorted(y, [low[1] - 2, high[1] + 2]))
    columns = slice(*np.searchsorted(x, [low[0] - 2, high[0] + 2]))
    middle = s[:, 2].mean()
    reach = (high[2] - low[2]) / 2 * organ.stretch + 2
    z = np.arange(middle - reach, middle + reach, GRID_MM) + GRID_MM / 2
    X, Y, Z = np.meshgrid(x[columns], y[rows], z, indexing="xy")
    inside = np.zeros(X.shape, bool)
    for cx, cy, cz, r in s:
        depth = (Z - middle) / organ.stretch + middle - cz
        inside |= (X - cx) ** 2 + (Y - cy) ** 2 + depth**2 <= r * r
    if not inside.any():
        return (rows, columns), None, None
    concentration = inside.astype(float)
    if organ.unevenness:
        noise = ndimage.gaussian_filter(rng.normal(size=inside.shape), rng.uniform(3, 7) / GRID_MM)
        concentration *= np.exp(organ.unevenness * noise / noise.std())
    for cx, cy, cz, r, gain in organ.gains:
        concentration *= 1 + gain * ((X - cx) ** 2 + (Y - cy) ** 2 + (Z - cz) ** 2 <= r * r)
    concentration *= organ.amount / concentration.sum()
    weakened = concentration * np.exp(-MU_PER_MM * np.maximum(Z, 0))
    return (rows, columns), weakened.sum(2), concentration[inside]


def _body(x, y, density, rng):
    neck, low, up = (between(rng, n) for n in ("neck_half_width_mm", "shoulders_mm", "chin_mm"))
    half = neck + 120 * np.clip((y - low) / 55, 0, 1) ** 0.7 + 14 * np.clip((-up - y) / 18, 0, 1)
    inside = np.clip(1 - np.abs(x[None, :] / half[:, None]) ** 2.4, 0, None)
    thick = 2 * np.minimum(half, neck + 35)[:, None] * np.sqrt(inside)
    return density * GRID_MM**2 * -np.expm1(-MU_PER_MM * thick) / MU_PER_MM


def _image(case: Case, rng, organs: list[Organ], body: float) -> Example:
    pixel, high, wide = CAMERAS[rng.integers(len(CAMERAS))]
    rows, columns = int(high * pixel / GRID_MM), int(wide * pixel / GRID_MM)
    zoom = 1.0
    if case.special == "pinhole":
        zoom = rng.uniform(0.9, 1.5)
    spread = np.array(SET["place_sd_mm"]) * (0.3 if case.special in ("pinhole", "flood") else 1)
    place = np.clip(rng.normal(0, spread), -40, 40) + np.array([0, 0.03 * high * pixel])
    if case.special == "lingual":
        place[1] += 20
    tilt = rng.normal(0, 4) * np.pi / 180
    turn = np.array([[np.cos(tilt), -np.sin(tilt)], [np.sin(tilt), np.cos(tilt)]])
    for organ in organs:
        organ.spheres = np.array(organ.spheres, float)
        organ.spheres[:, :2] = organ.spheres[:, :2] @ turn.T
        organ.gains = [(*(turn @ g[:2]), *g[2:]) for g in organ.gains]
    x = ((np.arange(columns) + 0.5) * GRID_MM - wide * pixel / 2 - place[0]) / zoom
    y = ((np.arange(rows) + 0.5) * GRID_MM - high * pixel / 2 - place[1]) / zoom
    seen = _body(x, y, body, rng) if body else np.zeros((rows, columns))
    path = {name: np.zeros((rows, columns)) for name in ("right", "left", "middle")}
    voxels = []
    for organ in organs:
        box, projected, concentration = _voxels(organ, x, y, rng)
        if projected is None:
            continue
        seen[box] += projected
        if organ.lobe:
            path[organ.lobe][box] += projected / max(organ.amount, 1e-12)
            voxels.append(concentration)
    middle = place_of_middle(path["middle"], x) if case.special == "lingual" else 0.0
    lobes = np.where(path["right"] + path["left"] > 0, path["right"] >= path["left"],
                     (x[None, :] < middle))  # fmt: skip
    whole = sum(path.values()) > 0
    fwhm = rng.uniform(*(case.fwhm or SET["fwhm_mm"])) * zoom
    counted, rate = _camera(seen, fwhm, pixel, (high, wide), case, rng)
    if case.special == "clipped":
        counted = np.minimum(counted, np.floor(counted.max() * rng.uniform(0.3, 0.8)))
    uptake = sum(organ.amount for organ in organs if organ.lobe)
    together = np.concatenate(voxels) if voxels else np.zeros(1)
    mass = len(together) * (GRID_MM / zoom) ** 2 * GRID_MM / 1000 if voxels else 0.0
    return Example(
        case.name, counted, pixel, whole & lobes, whole & ~lobes, case.thyroid, mass, uptake,
        float(together.std() / max(together.mean(), 1e-30)), rate,
        case.special == "pinhole", case.special == "clipped",
    )  # fmt: skip


def place_of_middle(path, x) -> float:
    return float((path > 0).sum(0) @ x / max((path > 0).sum(), 1))


def _camera(seen, fwhm: float, pixel: float, shape, case: Case, rng):
    """Return counts on the camera's pixels, and the expected counts per injected activity in air."""
    sharp = ndimage.gaussian_filter(seen, fwhm / 2.3548 / GRID_MM, mode="constant")
    line = np.arange(-75, 76) * GRID_MM
    distance = np.hypot(line[:, None], line[None, :])
    kernel = np.zeros_like(distance)
    for share, reach in (("tail_share", "tail_mm"), ("scatter", "scatter_mm")):
        part = np.exp(-distance / (between(rng, reach) * 0.7))
        kernel += between(rng, share) * part / part.sum()
    expected = np.maximum(sharp + signal.fftconvolve(seen, kernel, mode="same"), 0)
    for axis in (0, 1):
        total = np.concatenate([np.zeros((1, expected.shape[1 - axis])),
                                np.moveaxis(expected, axis, 0).cumsum(0)])  # fmt: skip
        edges = np.arange(shape[axis] + 1) * pixel / GRID_MM
        index = np.clip(edges, 0, len(total) - 1)
        low = np.minimum(index.astype(int), len(total) - 2)
        at = total[low] + (index - low)[:, None] * (total[low + 1] - total[low])
        expected = np.moveaxis(np.diff(at, axis=0), 0, axis)
    counts = rng.uniform(*np.log(case.counts or SET["image_counts"]))
    scale = float(np.exp(counts) / max(expected.sum(), 1e-30))
    return rng.poisson(expected * scale).astype(float), scale
