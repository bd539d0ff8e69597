"""How far mass, uptake and heterogeneity are from the truth, on phantoms of another simulator.

    PYTHONPATH=workflow/lib .venv/bin/python -m benchmarks.gland_quantities [--share 1.0] [--seed 2026]

The first table has the ratio of estimate to truth (median, 10th and 90th percentile) and the share of patients
whose truth is within two standard deviations of the estimate. The second one thins ordinary patients to
fewer counts in the gland: the evidence for `image.min_counts`.
"""

import argparse

import numpy as np
from scipy.stats import spearmanr

from benchmarks import gland_phantoms as phantoms
from benchmarks.gland import fit
from thyrocast.config.image import ImageConfig
from thyrocast.image import field, gland, quantities
from thyrocast.image.field import GRID_MM

SETTINGS = ImageConfig()
LIMITS = (SETTINGS.min_area_cm2, SETTINGS.max_area_cm2)
COUNTS = (300, 500, 1_000, 2_000, 5_000, 10_000, 20_000)
ORDINARY = ("10 g", "20 g", "40 g", "80 g", "uneven uptake", "18 mm", "chest contamination")
WITHOUT = ("pinhole", "clipped")


def measure(example, counts=None):
    """Return gland and quantities; None if it is refused."""
    counts = example.counts if counts is None else counts
    grid = field.to_grid(counts, (example.pixel_mm, example.pixel_mm))
    try:
        found = gland.find_gland(grid, GRID_MM, LIMITS, SETTINGS.min_score)
    except gland.NoGlandError:
        return None
    # The rate of the phantom is in counts for the whole injected activity: a duration of 1 s.
    return found, quantities.measure(
        grid, found, GRID_MM, 1.0, example.rate * counts.sum() / example.counts.sum(),
        depth_mm=SETTINGS.gland_depth_mm,
    )  # fmt: skip


def ratios(estimates, truths, deviations) -> str:
    estimates, truths, deviations = map(np.array, (estimates, truths, deviations))
    low, middle, high = np.quantile(estimates / truths, [0.1, 0.5, 0.9])
    inside = np.mean(np.abs(estimates - truths) <= 2 * deviations)
    return f"{middle:7.2f} ({low:.2f}-{high:.2f}){100 * inside:5.0f}"


def compare(examples) -> None:
    rows: dict[str, list] = {}
    for example in examples:
        if not example.thyroid or example.case in WITHOUT:
            continue
        result = measure(example)
        if result is not None:
            rows.setdefault(example.case, []).append((example, result[1]))
    print(
        f"{'case':22s}{'n':>5s}{'mass (10-90 %)':>21s}{'2 SD':>5s}{'uptake (10-90 %)':>21s}{'2 SD':>5s}"
    )
    rows["all"] = [entry for entries in rows.values() for entry in entries]
    for case, entries in rows.items():
        mass = ratios(*zip(*((q.q_mass, e.mass, q.q_mass_sd) for e, q in entries), strict=True))
        uptake = ratios(
            *zip(*((q.q_uptake, 100 * e.uptake, q.q_uptake_sd) for e, q in entries), strict=True)
        )
        print(f"{case:22s}{len(entries):5d}{mass}{uptake}")
    both = [(q.q_heterogeneity, e.heterogeneity) for e, q in rows["all"]
            if q.q_heterogeneity and e.heterogeneity and e.case != "suppressed lobe"]  # fmt: skip
    found, true = np.array(both).T
    print(
        f"heterogeneity, n = {len(both)}: r = {np.corrcoef(found, true)[0, 1]:.2f}, "
        f"rank correlation {spearmanr(found, true)[0]:.2f}, median of found / true "
        f"{np.median(found / true):.2f}"
    )


def thin(examples, seed: int) -> None:
    rng = np.random.default_rng(seed)
    print(
        f"\n{'counts in gland':>16s}{'refused%':>9s}{'|err|%':>8s}{'p90%':>7s}{'asymmetry SD':>14s}{'r heterogeneity':>17s}"
    )
    chosen = []
    for example in examples:
        if example.case in ORDINARY and (result := measure(example)) is not None:
            chosen.append((example, result[1]))
    for target in COUNTS:
        areas, asymmetry, texture, refused, number = [], [], [], 0, 0
        for example, full in chosen:
            share = target / max(full.q_counts, 1)
            if share >= 1:
                continue
            number += 1
            counts = rng.binomial(example.counts.astype(int), share).astype(float)
            result = measure(example, counts)
            if result is None:
                refused += 1
                continue
            found, seen = result
            whole = fit(found.whole, example.right.shape)
            areas.append(abs(whole.sum() / (example.right | example.left).sum() - 1))
            asymmetry.append(seen.q_asymmetry - full.q_asymmetry)
            if seen.q_heterogeneity is not None:
                texture.append((seen.q_heterogeneity, example.heterogeneity))
        r = np.corrcoef(np.array(texture).T)[0, 1]
        print(
            f"{target:16d}{100 * refused / number:9.1f}{100 * np.median(areas):8.1f}"
            f"{100 * np.quantile(areas, 0.9):7.1f}{np.std(asymmetry):14.3f}{r:17.2f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--share", type=float, default=1.0, help="share of the phantoms")
    parser.add_argument("--seed", type=int, default=2026)
    given = parser.parse_args()
    examples = list(phantoms.examples(given.seed, given.share))
    compare(examples)
    thin(examples, given.seed)


if __name__ == "__main__":
    main()
