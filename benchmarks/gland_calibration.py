"""Whether the score of the gland finder is a probability, and what its area errors depend on.

    PYTHONPATH=workflow/lib .venv/bin/python -m benchmarks.gland_calibration [--images 2000] [--seed 77]

The phantoms are those of the training (`simulation.phantoms`) with other seeds, so that candidates can be compared
without the phantoms of the benchmark. A gland that a reader could not be sure to see counts in no row.
"""

import argparse
import itertools
from collections import defaultdict

import numpy as np

from thyrocast.image import gland, gland_search
from thyrocast.image.gland_network import GRID_MM, WINDOW
from thyrocast.simulation import phantoms

SCORES = (0.0, 0.02, 0.1, 0.3, 0.5, 0.7, 0.9, 0.98, 1.0)
MASSES = (2, 7, 14, 28, 56, 112, 260)
RESOLUTIONS = (5, 8, 11, 14, 17, 21)


def look(phantom) -> tuple[float, tuple[float, ...]]:
    """Return score and relative error of the gland's area, if it has one."""
    shape = tuple(min(int(n * phantom.pixel_mm / GRID_MM), WINDOW) for n in phantom.counts.shape)
    counts = phantoms.regrid(phantom.counts, phantom.pixel_mm, GRID_MM, (shape[0], shape[1]))
    marked = gland_search.search(counts.astype(float))
    truth = (phantom.right | phantom.left).sum()
    right, left = gland.lobes(marked)
    return marked.score, ((right | left).sum() / truth - 1,) if truth else ()


def show(name: str, limits, rows) -> None:
    """Print bias, median error and 90th percentile by bins of an amount."""
    for low, high in itertools.pairwise(limits):
        errors = np.array([error for amount, error in rows if low <= amount < high])
        if errors.size >= 10:
            size = 100 * np.abs(errors)
            print(
                f"{name} {low:g}-{high:g}: n {errors.size}, bias {100 * np.median(errors):+.0f} %, "
                f"error {np.median(size):.0f} / {np.quantile(size, 0.9):.0f} %"
            )


def main() -> None:
    """Read the command line, draw, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--images", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=77)
    given = parser.parse_args()
    scores, masses, resolutions = defaultdict(list), [], []
    for number in range(given.images):
        phantom = phantoms.render(np.random.default_rng([given.seed, number]), grid_mm=GRID_MM)
        if phantom.visible is None:
            continue
        score, errors = look(phantom)
        place = int(np.searchsorted(SCORES, score, side="right")) - 1
        scores[min(place, len(SCORES) - 2)].append((score, phantom.visible))
        camera = phantom.camera
        if errors and score >= 0.5 and camera.magnification == 1 and camera.levels == 1:
            masses.append((phantom.scene.mass, errors[0]))
            resolutions.append((camera.fwhm_mm, errors[0]))
    for place, rows in sorted(scores.items()):
        mean, share = np.mean(rows, axis=0)
        print(
            f"score {SCORES[place]:g}-{SCORES[place + 1]:g}: n {len(rows)}, mean {mean:.3f}, thyroids {share:.3f}"
        )
    total = [row for rows in scores.values() for row in rows]
    found, true = np.array(total, float).T
    print(f"Brier score {np.mean((found - true) ** 2):.4f}")
    show("mass (g)", MASSES, masses)
    show("resolution (mm)", RESOLUTIONS, resolutions)


if __name__ == "__main__":
    main()
