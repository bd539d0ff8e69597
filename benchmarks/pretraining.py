"""What the pretrained network reads from phantoms of another simulator, compared with the measured quantities.

    PYTHONPATH=workflow/lib .venv/bin/python -m benchmarks.pretraining [--patients 600] [--seed 2027] [--weights FILE]

The phantoms are those of `benchmarks/gland_phantoms.py`, of which the pretraining saw none: glands in voxels,
other shapes, cameras and ranges. r is the correlation of logarithms (of heterogeneity + .03); "2 SD" is the
share of patients whose truth is within two standard deviations of the estimate.
"""

import argparse
import hashlib
from pathlib import Path

import numpy as np

from benchmarks import gland_phantoms as phantoms
from benchmarks.gland_cases import Case
from thyrocast.config.image import ImageConfig
from thyrocast.image import encoder, field, gland, quantities
from thyrocast.image.encoder import MEASURES
from thyrocast.image.field import GRID_MM
from thyrocast.image.readings import frame
from thyrocast.simulation.lessons import MARGIN, lessons

SETTINGS = ImageConfig()
LIMITS = (SETTINGS.min_area_cm2, SETTINGS.max_area_cm2)
#: (name, share): ordinary patients, uneven and large glands, little uptake, poor resolution.
CASES = (
    (Case("ordinary", 1), 0.5), (Case("uneven", 1, (20, 120), special="uneven"), 0.3),
    (Case("low uptake", 1, (12, 40), (0.005, 0.03)), 0.1), (Case("15 mm", 1, fwhm=(15, 15)), 0.1),
)  # fmt: skip


def standardized(example):
    """Return image (SIZE, SIZE) and measured quantities of a phantom; None if it is refused."""
    spacing = (example.pixel_mm, example.pixel_mm)
    grid = field.to_grid(example.counts, spacing)
    try:
        found = gland.find_gland(grid, GRID_MM, LIMITS, SETTINGS.min_score)
    except gland.NoGlandError:
        return None
    measured = quantities.measure(
        grid, found, GRID_MM, 1.0, example.rate, depth_mm=SETTINGS.gland_depth_mm
    )
    return frame(example.counts, grid, found, spacing, False), measured


def patients(number: int, seed: int):
    """Return images (n, SIZE, SIZE), phantoms and measured quantities of the usable ones."""
    images, truths, measured = [], [], []
    shares = np.array([share for _, share in CASES])
    for index in range(number):
        rng = np.random.default_rng([seed, index])
        case = CASES[rng.choice(len(CASES), p=shares)][0]
        example = phantoms.draw(case, rng)
        result = standardized(example)
        if result is not None:
            images.append(result[0])
            truths.append(example)
            measured.append(result[1])
    return np.array(images, np.float32), truths, measured


def compare(read, truths, measured) -> None:
    """Print the correlation with the truth of what is read and what is measured."""
    true = {
        "mass": np.log([t.mass for t in truths]),
        "uptake": np.log([100 * t.uptake for t in truths]),
        "heterogeneity": np.log(np.array([t.heterogeneity for t in truths]) + 0.03),
    }
    own = {
        "mass": np.log([m.q_mass for m in measured]),
        "uptake": np.log([max(m.q_uptake, 0.01) for m in measured]),
        "heterogeneity": np.log(np.array([m.q_heterogeneity or 0.0 for m in measured]) + 0.03),
    }
    print(
        f"{len(truths)} phantoms of another simulator\n{'':16s}{'r':>6s}{'bias':>8s}{'SD':>7s}{'2 SD':>7s}"
        f"{'r measured':>12s}{'error / SD':>12s}"
    )
    for name, truth in true.items():
        column = MEASURES.index(name)
        found, sd = read.measures[:, column], read.deviations[:, column]
        inside = np.mean(np.abs(found - truth) < 2 * sd)
        r, r_own = np.corrcoef(found, truth)[0, 1], np.corrcoef(own[name], truth)[0, 1]
        print(
            f"{name:16s}{r:6.3f}{np.mean(found - truth):8.2f}{np.std(found - truth):7.2f}{inside:7.2f}{r_own:12.3f}"
            f"{rms((found - truth) / sd):12.2f}"
        )


def rms(values) -> float:
    """Return the root mean square of known values."""
    return float(np.sqrt(np.nanmean(np.square(values))))


def compare_own(number: int, seed: int, weights) -> None:
    """Print how the stated deviations compare with the errors on new phantoms of the own simulator."""
    drawn = lessons(number, seed)
    images = drawn.images[:, MARGIN:-MARGIN, MARGIN:-MARGIN].astype(np.float32)
    read = encoder.encode(images, weights)
    relative = (read.measures - drawn.measures) / read.deviations
    mass, uptake = (np.exp(drawn.measures[:, MEASURES.index(name)]) for name in ("mass", "uptake"))
    like = (mass > 8) & (mass < 130) & (uptake > 0.5) & (uptake < 40)
    print(f"{len(images)} phantoms of the own simulator, {like.sum()} like patients: error / SD")
    for name in ("mass", "uptake", "heterogeneity"):
        column = relative[:, MEASURES.index(name)]
        print(f"{name:16s}{rms(column):6.2f}{rms(column[like]):8.2f}")


def main() -> None:
    """Read the command line and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--patients", type=int, default=600)
    parser.add_argument("--seed", type=int, default=2027)
    parser.add_argument("--weights", type=Path, default=encoder.WEIGHTS)
    given = parser.parse_args()
    images, truths, measured = patients(given.patients, given.seed)
    print("weights", hashlib.sha256(given.weights.read_bytes()).hexdigest()[:12])
    weights = encoder.load(given.weights)
    compare(encoder.encode(images, weights), truths, measured)
    compare_own(given.patients, given.seed, weights)


if __name__ == "__main__":
    main()
