"""Compare finders of the gland on a thousand phantoms of another simulator, by case.

    PYTHONPATH=workflow/lib .venv/bin/python -m benchmarks.gland [--share 1.0] [--seed 2026] [--method M]

Dice is that of the whole gland. The area error is that of each lobe against its true outline (of the whole
gland, if it did not descend; an empty side's area, relative to the other lobe). A wrong organ is a
mask of which less than half is within 8 mm of the gland, or any mask where there is no thyroid. Pinhole
images have no areas.
"""

import argparse
import time
from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from benchmarks import gland_phantoms as phantoms
from benchmarks import gland_rules
from thyrocast.image import field, gland
from thyrocast.image.field import GRID_MM

LIMITS = (4.0, 150.0)
NEAR_MM = 8.0
#: Cases that the aim for areas leaves out.
NOT_AIMED = ("suppressed lobe", "clipped", "pinhole", "uptake .2-.5 %")


@dataclass
class Result:
    refused: str = ""
    wrong: bool = False
    dice: float = np.nan
    areas: tuple[float, ...] = ()


def rules(example) -> gland_rules.Gland:
    grid = field.to_grid(example.counts, (example.pixel_mm, example.pixel_mm))
    return gland_rules.find_gland(grid, GRID_MM, LIMITS)


def network(example) -> gland.Gland:
    grid = field.to_grid(example.counts, (example.pixel_mm, example.pixel_mm))
    return gland.find_gland(grid, GRID_MM, (0.0, 1e9) if example.pinhole else (2.0, 250.0))


def repaired(example) -> gland_rules.Gland:
    grid = field.to_grid(example.counts, (example.pixel_mm, example.pixel_mm))
    return gland_rules.find_gland(grid, GRID_MM, (2.0, 250.0), repaired=True)


METHODS = {"rules": rules, "repaired": repaired, "network": network}


def judge(example, method) -> Result:
    try:
        found = method(example)
    except (gland.NoGlandError, gland_rules.NoGlandError) as error:
        return Result(refused=str(error))
    if not example.thyroid:
        return Result(wrong=True)
    right, left = fit(found.right, example.right.shape), fit(found.left, example.left.shape)
    truth, whole = example.right | example.left, right | left
    near = ndimage.distance_transform_edt(~truth) * GRID_MM <= NEAR_MM
    wrong = bool((whole & near).sum() < 0.5 * max(whole.sum(), 1))
    dice = 2 * (whole & truth).sum() / max(whole.sum() + truth.sum(), 1)
    areas: tuple[float, ...] = ()
    if example.case == "lingual":
        areas = (whole.sum() / truth.sum() - 1,)
    elif not example.pinhole:
        largest = max(example.right.sum(), example.left.sum())
        areas = tuple(
            (side.sum() - true.sum()) / (true.sum() or largest)
            for side, true in ((right, example.right), (left, example.left))
        )
    return Result(wrong=wrong, dice=float(dice), areas=areas)


def fit(mask: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Cut or extend a mask to a shape that differs by a pixel at most."""
    found = np.zeros(shape, bool)
    rows, columns = (min(a, b) for a, b in zip(mask.shape, shape, strict=True))
    found[:rows, :columns] = mask[:rows, :columns]
    return found


def row(name: str, results: list[Result]) -> str:
    accepted = [r for r in results if not r.refused]
    dice = np.array([r.dice for r in accepted if np.isfinite(r.dice)])
    areas = np.array([area for r in accepted if not r.wrong for area in r.areas])
    cells = [f"{name:22s}{len(results):5d}{100 * np.mean([bool(r.refused) for r in results]):9.1f}"]
    cells.append(f"{100 * np.mean([r.wrong for r in results]):9.1f}")
    cells.append(f"{np.median(dice):8.3f}" if dice.size else f"{'-':>8s}")
    if areas.size:
        size = np.abs(areas)
        cells.append(
            f"{100 * np.median(areas):+9.1f}{100 * np.median(size):9.1f}{100 * np.quantile(size, 0.9):9.1f}"
        )
    return "".join(cells)


def show(name: str, by_case: dict[str, list[Result]], seconds: float) -> None:
    total = sum(map(len, by_case.values()))
    print(f"\n{name}: {1000 * seconds / total:.0f} ms per image")
    print(
        f"{'case':22s}{'n':>5s}{'refused%':>9s}{'wrong%':>9s}{'Dice':>8s}{'bias%':>9s}{'|err|%':>9s}{'p90%':>9s}"
    )
    for case, results in by_case.items():
        print(row(case, results))
    aimed = [r for case in phantoms.CASES if case.thyroid and case.name not in NOT_AIMED
             for r in by_case[case.name]]  # fmt: skip
    print(row("aim: < .5 wrong, 8, 20", aimed))
    print(row("all thyroids", [r for c in phantoms.CASES if c.thyroid for r in by_case[c.name]]))
    print(
        row("all negatives", [r for c in phantoms.CASES if not c.thyroid for r in by_case[c.name]])
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--share", type=float, default=1.0, help="share of the phantoms")
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--method", choices=[*METHODS], action="append")
    given = parser.parse_args()
    chosen = {name: METHODS[name] for name in given.method or METHODS}
    results = {name: defaultdict(list) for name in chosen}
    seconds = dict.fromkeys(chosen, 0.0)
    for example in phantoms.examples(given.seed, given.share):
        for name, method in chosen.items():
            begin = time.process_time()
            results[name][example.case].append(judge(example, method))
            seconds[name] += time.process_time() - begin
    for name in chosen:
        show(name, results[name], seconds[name])


if __name__ == "__main__":
    main()
