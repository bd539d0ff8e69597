"""How often pixels that are not counts are recognized by their noise, on the phantoms of the gland benchmark.

python -m benchmarks.noise_of_counts [SEED] [SHARE]
"""

import collections
import sys
from pathlib import Path

import numpy as np
from scipy import ndimage

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "workflow" / "lib")]

from benchmarks import gland_phantoms  # noqa: E402 - the path is set above
from thyrocast.dicom import noise  # noqa: E402

#: What is done to counts, whether it multiplies them, and the words of the table.
CHANGES = (
    ("counts", False, lambda counts: counts),
    ("smoothed, sd .5 pixels", False, lambda counts: np.round(ndimage.gaussian_filter(counts, 0.5))),
    ("smoothed, 3 x 3 pixels", False, lambda counts: np.round(ndimage.uniform_filter(counts, 3))),
    ("zoomed by 1.3", False, lambda counts: np.round(ndimage.zoom(counts, 1.3, order=1) / 1.69)),
    ("uneven correction, 4 %", False, lambda counts: np.round(counts * _uneven(counts.shape))),
    ("halved", True, lambda counts: counts // 2),
    ("times 1.5", True, lambda counts: np.round(counts * 1.5)),
    ("times 2", True, lambda counts: counts * 2),
    ("largest value 4095", True, lambda counts: np.round(counts * (4095 / counts.max()))),
    ("each pixel four times", True, lambda counts: counts.repeat(2, 0).repeat(2, 1)),
)  # fmt: skip


def _uneven(shape):
    return 1 + 0.04 * np.random.default_rng(1).standard_normal(shape)


def main(seed: int, share: float) -> None:
    """Print a row for each change."""
    found: dict[str, list[bool]] = collections.defaultdict(list)
    for example in gland_phantoms.examples(seed, share):
        for name, _, change in CHANGES:
            pixels = change(example.counts)
            factor = noise.counts_factor(pixels)
            found[name].append(factor is not None or noise.has_holes(pixels))
    for name, multiplied, _ in CHANGES:
        what = "recognized" if multiplied else "taken for multiplied"
        print(f"{name:24} {what:22} {sum(found[name])} of {len(found[name])}")


if __name__ == "__main__":
    main(
        *(
            kind(text)
            for kind, text in zip((int, float), [*sys.argv[1:], "77", "0.3"][:2], strict=True)
        )
    )
