"""How many frames with a marker are recognized, so that they are not summed with those without one.

Usage: python -m benchmarks.markers [--pairs 60] [--seed 8000]

Pairs of frames of an ellipsoid neck with other lobes, places, pixel sizes and salivary glands: with and without a marker
(7 to 11 mm wide, at the sternal notch, the chin or a side), and without one after a motion of up to 5 mm.
"""

import argparse

import numpy as np

from tests.unit.example_scans import neck
from thyrocast.dicom import comparison

SIZE = 128
#: Places of the marker relative to the gland, mm down and right.
PLACES = ((55.0, 0.0), (-60.0, 0.0), (10.0, 55.0))
#: Peak of the marker relative to that of the gland, and counts of a frame.
CASES = (
    (0.3, 120_000),
    (0.5, 30_000),
    (0.5, 400_000),
    (1.0, 30_000),
    (1.0, 120_000),
    (1.0, 400_000),
    (1.0, 1_500_000),
)


def pair(rng, peak, total):
    """Return expected counts without a marker, with one, and without one after a motion."""
    looks = {
        "lobes": tuple(rng.uniform(0.4, 1.2, 2)),
        "salivary": rng.uniform(0.05, 0.3),
        "background": rng.uniform(0.02, 0.1),
        "total": total,
        "seed": None,
    }
    pixel, shift = rng.choice([1.8, 2.4, 3.3]), rng.uniform(-8, 8, 2)
    plain = neck(SIZE, pixel, shift=tuple(shift), **looks).astype(float)
    moved = neck(SIZE, pixel, shift=tuple(shift + rng.uniform(-5, 5, 2)), **looks).astype(float)
    down, right = np.array(PLACES[rng.integers(len(PLACES))]) + rng.uniform(-6, 6, 2)
    y, x = (np.mgrid[:SIZE, :SIZE] - (SIZE - 1) / 2) * pixel
    width = rng.uniform(7, 11) / 2.355
    spot = np.exp(-((y - down) ** 2 + (x - right) ** 2) / 2 / width**2)
    return plain, plain + peak * plain.max() * spot, moved


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=60)
    parser.add_argument("--seed", type=int, default=8000)
    options = parser.parse_args()
    print("marker/gland  counts   missed  moved frames taken for another view  pairs")
    for peak, total in CASES:
        missed = refused = 0
        for number in range(options.pairs):
            rng = np.random.default_rng(options.seed + number)
            plain, marked, moved = (
                rng.poisson(image).astype(float) for image in pair(rng, peak, total)
            )
            missed += comparison.are_one_view([plain, marked])
            refused += not comparison.are_one_view([plain, moved])
        print(f"{peak:12.1f} {total:8d} {missed:8d} {refused:36d} {options.pairs:6d}")


if __name__ == "__main__":
    main()
