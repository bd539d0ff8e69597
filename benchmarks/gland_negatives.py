"""How many images without a thyroid, and turned thyroids, the finder of the gland accepts.

    PYTHONPATH=workflow/lib .venv/bin/python -m benchmarks.gland_negatives [--images 60] [--seed 4]

Organs are drawn in two ways: as even ellipses of textbook sizes with a normal blur (crude), like the
lookalikes of the training, and from lumps of activity in a body with edges (lumpy). Syringes are in rooms whose
counts are even, fall off, or end at a table. The thyroids that are turned are those of `gland_phantoms`;
the same thyroids upright, and crude ones, must be accepted.
"""

import argparse
import itertools

import numpy as np
from scipy import ndimage

from benchmarks import gland_phantoms
from benchmarks.gland_cases import CASES
from thyrocast.config.image import ImageConfig
from thyrocast.image.field import GRID_MM, to_grid
from thyrocast.image.gland import NoGlandError, find_gland

PIXELS = 128
#: Half distance of the middles of a pair, half width, half length, mm; tilt of the left one, degrees (positive:
#: lower ends nearer to each other).
ORGANS = {
    "kidneys": (55, 27, 55, -12), "kidneys near the midline": (34, 24, 50, -8),
    "testes": (19, 14, 21, 0), "submandibular glands": (27, 9, 13, 30), "parotid glands": (56, 12, 26, 5),
    "hips": (88, 26, 30, 0), "lungs": (62, 42, 95, -4), "stomach": (0, 40, 62, 35),
    "bladder": (0, 40, 32, 0), "heart": (0, 48, 55, 40), "liver": (0, 88, 60, 40),
}  # fmt: skip
#: Like `ORGANS`: glands of 15 to 60 g.
THYROIDS = {"crude thyroid": (14, 10.5, 25, 10)}
TURNED = ("20 g", "40 g", "80 g", "uneven uptake", "hemiagenesis", "salivary glands")


def ellipse(x, y, across: float, along: float, angle: float, flat: float) -> np.ndarray:
    """Return an ellipse on the grid: even, or falling off toward its edge like a solid one."""
    line = (np.arange(PIXELS) + 0.5) * GRID_MM - PIXELS * GRID_MM / 2
    right, down = line[None, :] - x, line[:, None] - y
    u = (np.cos(angle) * right + np.sin(angle) * down) / across
    v = (np.cos(angle) * down - np.sin(angle) * right) / along
    return np.clip(1 - u**2 - v**2, 0, None) ** flat


def organs(form: tuple[float, float, float, float], rng, lumpy: bool = False) -> np.ndarray:
    """Return the activity of an organ or a pair on the grid."""
    apart, across, along, tilt = np.array(form, float) * rng.normal(1, [0.1, 0.1, 0.1, 0.3])
    shift, lift = rng.normal(0, [12, 15])
    flat = rng.choice([0.0001, 0.5])
    image = np.zeros((PIXELS, PIXELS))
    for side in (-1, 1) if apart else (1,):
        part = ellipse(shift + side * apart, lift + rng.normal(0, 4), across, along,
                       side * np.deg2rad(tilt), flat)  # fmt: skip
        if lumpy:
            lumps = ndimage.gaussian_filter(rng.normal(size=part.shape), rng.uniform(3, 7))
            part = part * np.exp(0.5 * lumps / lumps.std())
        image += part * np.exp(rng.normal(0, 0.15))
    return image


def body(rng) -> np.ndarray:
    """Return the even activity of a trunk, or of everything."""
    if rng.random() < 0.5:
        return np.ones((PIXELS, PIXELS))
    width = rng.uniform(45, 62)
    trunk = np.zeros((PIXELS, PIXELS))
    trunk[:, int(64 - width) : int(64 + width)] = 1
    return ndimage.gaussian_filter(trunk, 4)


def counted(image: np.ndarray, around: np.ndarray, level: float, rng) -> np.ndarray:
    """Return counts of activity in a surrounding of a level relative to the organ's."""
    image = image / image.max() + level * around
    seen = ndimage.gaussian_filter(image, rng.uniform(4, 6.5) / GRID_MM)
    seen = 0.85 * seen + 0.15 * ndimage.gaussian_filter(image, 28 / GRID_MM)
    return rng.poisson(seen * rng.choice([40_000, 150_000, 600_000]) / seen.sum()).astype(float)


def crude(form, rng) -> np.ndarray:
    return counted(organs(form, rng), body(rng), rng.choice([0, 0.01, 0.05, 0.2, 0.4]), rng)


def lumpy(form, rng) -> np.ndarray:
    return counted(organs(form, rng, True), body(rng), rng.choice([0.03, 0.1, 0.3]), rng)


def syringe(rng) -> np.ndarray:
    line = (np.arange(PIXELS) + 0.5) * GRID_MM - PIXELS * GRID_MM / 2
    x, y = rng.uniform(-60, 60, 2)
    image = ellipse(x, y, rng.choice([4.0, 7.0, 11.0]), rng.choice([8.0, 20.0, 40.0]),
                    rng.uniform(0, np.pi), 0.5)  # fmt: skip
    far = np.hypot(line[None, :] - x, line[:, None] - y)
    room = rng.choice([0.0, 1.0]) + rng.choice([0.0, 1.0, 4.0]) / (1 + (far / 60) ** 2)
    if rng.random() < 0.4:
        room = room + rng.uniform(0, 2) * (line[:, None] > rng.uniform(0, 80))
    return counted(image, room, rng.choice([0.0005, 0.003, 0.01, 0.03]), rng)


def thyroids(seed: int, number: int, quarters: int):
    """Yield turned phantoms of the benchmark."""
    cases = itertools.cycle(case for case in CASES if case.name in TURNED)
    for index, case in zip(range(number), cases, strict=False):
        example = gland_phantoms.draw(case, np.random.default_rng([seed, 71, index]))
        grid = to_grid(np.rot90(example.counts, quarters), (example.pixel_mm, example.pixel_mm))
        yield grid


def groups(seed: int, number: int):
    """Yield the groups of images: name, whether they must be accepted, images."""

    def drawn(index, draw, *form):
        return (draw(*form, np.random.default_rng([seed, index, n])) for n in range(number))

    for index, (name, form) in enumerate(ORGANS.items()):
        yield f"{name}, crude", False, drawn(index, crude, form)
        yield f"{name}, lumpy", False, drawn(index + 20, lumpy, form)
    yield "syringe in a room", False, drawn(40, syringe)
    yield "thyroid, head down", False, thyroids(seed, number, 2)
    yield "thyroid, turned by 90°", False, thyroids(seed, number, 1)
    yield "thyroid", True, thyroids(seed, number, 0)
    for index, (name, form) in enumerate(THYROIDS.items(), 50):
        yield name, True, drawn(index, crude, form)


def accepted(images) -> tuple[int, int]:
    """Return how many images are accepted, and of how many."""
    settings = ImageConfig()
    limits = (settings.min_area_cm2, settings.max_area_cm2)
    taken = total = 0
    for image in images:
        total += 1
        try:
            find_gland(image, GRID_MM, limits, settings.min_score)
        except NoGlandError:
            continue
        taken += 1
    return taken, total


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--images", type=int, default=60, help="of each kind")
    parser.add_argument("--seed", type=int, default=4)
    given = parser.parse_args()
    wrong = [0, 0]
    for name, is_thyroid, images in groups(given.seed, given.images):
        taken, total = accepted(images)
        print(f"{name:36s}{'thyroid' if is_thyroid else '':9s}accepted {taken:4d} of {total}")
        if not is_thyroid:
            wrong = [wrong[0] + taken, wrong[1] + total]
    print(f"{'all without a usable thyroid':45s}accepted {wrong[0]:4d} of {wrong[1]}")


if __name__ == "__main__":
    main()
