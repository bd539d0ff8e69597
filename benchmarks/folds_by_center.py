"""Folds of a training set by center or at random: which serves a center that no model saw?

    PYTHONPATH=workflow/lib .venv/bin/python benchmarks/folds_by_center.py [studies, 150]

Simulated studies, no networks: a ridge regression on 30 features takes the place of network and signature. Each
center has its own cure rate (SD `tau` of its log-odds), and its camera shifts the features (SD `shift`), so that a
model may learn the centers. Log-odds of training patients are cross-fitted over the folds. On them the log-odds are
standardized by fold and recalibrated, the threshold of Youden is chosen, and prediction sets are calibrated; the new
center's patients are predicted by the mean of the folds' models, standardized likewise. Folds at random: 5, or as many as centers if there are fewer.
"""

import sys

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from thyrocast.baselines import ridge
from thyrocast.statistics import conformal, discrimination, logistic, partition, recalibration

Array = NDArray[np.float64]
PER_CENTER, NEW, FEATURES = 50, 1000, 30
ERROR, MOST_FOLDS = 0.1, 5
MEASURES = (
    "AUC", "Brier score", "|in the large|", "|slope - 1|", "sets: cured", "sets: not cured",
    "Youden index",
)  # fmt: skip


def main(studies: int) -> None:
    """Print means over studies for each setting, by way of making folds, and paired differences."""
    print(f"centers | tau | shift | folds | {' | '.join(MEASURES)}")
    for centers in (3, 5, 8):
        for tau, shift in ((0.0, 0.0), (0.5, 0.0), (0.5, 0.5), (1.0, 1.0)):
            rng = np.random.default_rng(centers)
            found = np.array([study(centers, tau, shift, rng) for _ in range(studies)])
            for place, name in enumerate(("random", "center")):
                means = " | ".join(f"{value:.3f}" for value in found[:, place].mean(axis=0))
                print(f"{centers} | {tau} | {shift} | {name} | {means}")
            gap = found[:, 1] - found[:, 0]
            error = gap.std(axis=0, ddof=1) / np.sqrt(studies)
            pairs = zip(gap.mean(axis=0), error, strict=True)
            text = " | ".join(f"{value:+.3f} (SE {one:.3f})" for value, one in pairs)
            print(f"{centers} | {tau} | {shift} | center - random | {text}", flush=True)


def study(centers: int, tau: float, shift: float, rng: np.random.Generator) -> list[list[float]]:
    """Measures in a new center, with random folds and with folds by center."""
    weights = np.where(np.arange(FEATURES) < 5, 0.45, 0.0)
    # Where a camera shifts the features, and where a center has another cure rate.
    names = np.repeat(np.arange(centers + 1), [PER_CENTER] * centers + [NEW])
    offset = rng.normal(0, shift, (centers + 1, FEATURES))[names]
    inner = rng.normal(size=(names.size, FEATURES))
    level = rng.normal(0, tau, centers + 1)[names]
    outcome = rng.random(names.size) < expit(0.7 + level + inner @ weights)
    features, new = inner + offset, names == centers
    train = np.flatnonzero(~new)
    count = min(MOST_FOLDS, centers)
    seed = int(rng.integers(1 << 30))
    strata = np.column_stack([names[train], outcome[train].astype(int)])
    at_random = partition.deal(strata, count, seed)
    by_center = partition.deal(np.zeros(centers, dtype=int), count, seed)[names[train]]
    return [
        measures(features[train], outcome[train], fold, features[new], outcome[new])
        for fold in (at_random, by_center)
    ]


def measures(
    features: Array, outcome: NDArray[np.bool_], fold: NDArray[np.intp], new: Array,
    truth: NDArray[np.bool_],
) -> list[float]:  # fmt: skip
    """Cross-fit, calibrate, and predict a new center; `MEASURES`."""
    own, mean = np.zeros(outcome.size), np.zeros(truth.size)
    folds = np.unique(fold)
    for k in folds:
        rest = fold != k
        fitted = ridge.fit(features[rest], outcome[rest].astype(float), 0.1)
        odds = fitted[0] + features[~rest] @ fitted[1:]
        # Each member's own scale is taken out, as in the study (docs/signature.md).
        middle, spread = odds.mean(), odds.std()
        own[~rest] = (odds - middle) / spread
        mean += (fitted[0] + new @ fitted[1:] - middle) / spread / folds.size
    again = recalibration.fit(own, outcome)
    known, score = (expit(again.intercept + again.slope * odds) for odds in (own, mean))
    kept = conformal.sets(conformal.p_values(outcome, known, score), ERROR)
    candidates = np.unique(known)
    youden = [(known[outcome] >= c).mean() - (known[~outcome] >= c).mean() for c in candidates]
    called = score >= candidates[int(np.argmax(youden))]
    odds = logit(np.clip(score, 1e-6, 1 - 1e-6))
    constant = np.ones((truth.size, 1))
    large = logistic.fit(constant, truth, offset=odds).coefficients[0]
    slope = logistic.fit(np.hstack([constant, odds[:, None]]), truth).coefficients[1]
    return [
        discrimination.auc(truth, score),
        float(np.mean((score - truth) ** 2)),
        abs(large),
        # A model without signal has a slope without meaning; it is bounded.
        min(abs(slope - 1), 3.0),
        kept[truth, 1].mean(),
        kept[~truth, 0].mean(),
        called[truth].mean() - called[~truth].mean(),
    ]


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 150)
