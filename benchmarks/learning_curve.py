"""What intervals of learning curves cover: extrapolated AUC and gain against the truth of simulated studies.

    OMP_NUM_THREADS=1 PYTHONPATH=workflow/lib .venv/bin/python benchmarks/learning_curve.py [studies, 100] [seed]

Ridge regressions of correlated predictors are fitted to 40 to 100 % of n patients, in 5 folds and 10 repeats, as the
rule `measure_learning_curve` does. The truth is the mean AUC of 200 models that are fitted to new patients.
"""

import sys

import numpy as np
from scipy.special import expit

from thyrocast.statistics import discrimination, learning_curve, partition

SHARES = (0.4, 0.55, 0.7, 0.85, 1.0)
REPEATS, FOLDS, TEST, TRUTHS = 10, 5, 4000, 200
AT = (1.5, 2.0)
PENALTIES = (3.0, 10.0, 30.0, 100.0, 300.0, 1000.0)


def weights(kind: str, p: int) -> np.ndarray:
    """True coefficients of p predictors: dense, sparse, or none."""
    if kind == "dense":
        return np.full(p, 1.2 / np.sqrt(p))
    return np.r_[np.full(3, 0.7), np.zeros(p - 3)] if kind == "sparse" else np.zeros(p)


def draw(n: int, truth: np.ndarray, rng: np.random.Generator):
    """Predictors (n, p) and outcomes (n,); about 65 % are cured."""
    shared = rng.normal(size=(n, 1))
    x = 0.9 * rng.normal(size=(n, len(truth))) + 0.45 * shared
    return x, rng.random(n) < expit(0.7 + x @ truth)


def learn(x, y, new):
    """Scores of new patients by ridge regression (least squares); leave-one-out chooses the penalty."""
    mean, base = x.mean(axis=0), y.mean()
    values, turn = np.linalg.eigh((x - mean).T @ (x - mean))
    z, least = (x - mean) @ turn, np.inf
    for penalty in PENALTIES:
        inverse = 1 / (np.maximum(values, 0) + penalty)
        tried = inverse * (z.T @ (y - base))
        leverage = (z**2) @ inverse + 1 / len(y)
        loss = np.mean(((y - base - z @ tried) / (1 - leverage)) ** 2)
        if loss < least:
            least, beta = loss, tried
    return (new - mean) @ (turn @ beta)


def subsampled(x, y, rng):
    """Cross-validated scores (shares, repeats, n) of models of subsamples, and the folds."""
    fold = partition.deal(y.astype(int), FOLDS, int(rng.integers(1 << 30)))
    scores = np.empty((len(SHARES), REPEATS, len(y)))
    for repeat in range(REPEATS):
        rank = np.empty(len(y))
        for outcome in (False, True):
            who = np.flatnonzero(y == outcome)
            rank[rng.permutation(who)] = (np.arange(len(who)) + 0.5) / len(who)
        for step, share in enumerate(SHARES):
            for k in range(FOLDS):
                used = (rank < share) & (fold != k)
                scores[step, repeat, fold == k] = learn(x[used], y[used], x[fold == k])
    return scores, fold


def true_auc(n: int, truth, test, rng) -> float:
    """Mean AUC of models that are fitted to n new patients."""
    found = []
    for _ in range(TRUTHS):
        x, y = draw(n, truth, rng)
        found.append(discrimination.auc(test[1], learn(x, y, test[0])))
    return float(np.mean(found))


def main(studies: int = 100, seed: int = 1) -> None:
    """Print coverage, bias and width for every setting."""
    print(
        "truth, predictors, n | AUC true at 1, 1.5, 2 | covered at 1, 1.5, 2 | gain covered 1.5, 2 | bias 1, 2 | "
        "width 1, 2 | gain true at 2, median estimate"
    )
    for kind, p in (("dense", 25), ("sparse", 80), ("dense", 10), ("none", 25)):
        for n in (150, 400):
            rng = np.random.default_rng([seed, n, p, len(kind)])
            truth, kept = weights(kind, p), (FOLDS - 1) / FOLDS
            test = draw(TEST, truth, rng)
            real = np.full(3, 0.5)
            if kind != "none":
                sizes = [round(share * kept * n) for share in (1.0, *AT)]
                real = np.array([true_auc(size, truth, test, rng) for size in sizes])
            inside, gains, estimates, widths, expected = [], [], [], [], []
            for _ in range(studies):
                x, y = draw(n, truth, rng)
                scores, fold = subsampled(x, y, rng)
                curve = learning_curve.measure(y, scores, fold, SHARES)
                found = learning_curve.extrapolate(curve, AT, int(rng.integers(1 << 30)))
                low, high = learning_curve.interval(curve)
                lows, highs = np.r_[low[-1], found.low], np.r_[high[-1], found.high]
                inside.append((lows <= real) & (real <= highs))
                rise = real[1:] - real[0]
                gains.append((found.gain_low <= rise) & (rise <= found.gain_high))
                estimates.append(np.r_[curve.auc[-1], found.auc] - real)
                widths.append(highs - lows)
                expected.append(found.gain[-1])
            cover, gain = 100 * np.mean(inside, axis=0), 100 * np.mean(gains, axis=0)
            bias, width = np.mean(estimates, axis=0), np.mean(widths, axis=0)
            print(
                f"{kind}, {p}, {n} | {real[0]:.3f} {real[1]:.3f} {real[2]:.3f} | "
                f"{cover[0]:.1f} {cover[1]:.1f} {cover[2]:.1f} | {gain[0]:.1f} {gain[1]:.1f} | "
                f"{bias[0]:+.3f} {bias[2]:+.3f} | {width[0]:.3f} {width[2]:.3f} | "
                f"{real[2] - real[0]:+.3f} {np.median(expected):+.3f}",
                flush=True,
            )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
