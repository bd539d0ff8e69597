"""Prediction sets and AUC if test patients are predicted by `full`, or by the members of the folds.

    PYTHONPATH=workflow/lib .venv/bin/python benchmarks/members.py [studies, 400]

No networks: a member's log-odds are a multiple and a shift of what the image shows and of noise, part of
which is the member's own. Multiples differ between members as in trainings (SD of the logarithm .4).
"""

import sys

import numpy as np
from scipy.special import expit

from thyrocast.statistics import conformal, discrimination, partition

ERROR = 0.1
FOLDS = 5
NEW = 2000


def study(
    n: int, signal: float, own_scale: bool, rng: np.random.Generator
) -> dict[str, list[float]]:
    """AUC, coverage of not cured and cured, and share of sets with one outcome, by method."""
    total = n + NEW
    shown = rng.normal(size=total)
    outcome = rng.random(total) < expit(0.6 + signal * shown)
    fold = partition.deal(outcome[:n].astype(int), FOLDS, int(rng.integers(1 << 30)))
    # Member 0 is `full`.
    scale = np.exp(rng.normal(0, 0.4 if own_scale else 0, 1 + FOLDS))
    shift = rng.normal(0, 0.5 if own_scale else 0, 1 + FOLDS)
    noise = rng.normal(0, 0.8, total) + rng.normal(0, 0.8, (1 + FOLDS, total))
    score = shift[:, None] + scale[:, None] * (signal * shown + noise)
    truth, y = outcome[n:], outcome[:n]
    own = score[1 + fold, np.arange(n)]
    middle = np.array([own[fold == k].mean() for k in range(FOLDS)])
    spread = np.array([own[fold == k].std() for k in range(FOLDS)])
    standard = (own - middle[fold]) / spread[fold]
    members = (score[1:, n:] - middle[:, None]) / spread[:, None]
    together = members.mean(axis=0)

    def rows(values, p):
        kept = conformal.sets(p, ERROR)
        covered = np.where(truth, kept[:, 1], kept[:, 0])
        decided = kept.sum(axis=1) == 1
        return [
            discrimination.auc(truth, values),
            covered[~truth].mean(),
            covered[truth].mean(),
            decided.mean(),
        ]

    return {
        "full, scores of the members": rows(
            score[0, n:], conformal.p_values(y, expit(own), expit(score[0, n:]))
        ),
        "mean of members, scores on one scale": rows(
            together, conformal.p_values(y, expit(standard), expit(together))
        ),
        "CV+, each member with its own scores": rows(together, cross(y, fold, own, score[1:, n:])),
    }


def cross(y, fold, own, new):
    """Cross-conformal p values (m, 2): a patient is compared with a new one by the same member."""
    count = np.zeros((new.shape[1], 2))
    for k in range(FOLDS):
        failed, cured = np.sort(own[(fold == k) & ~y]), np.sort(own[(fold == k) & y])
        count[:, 0] += failed.size - np.searchsorted(failed, new[k], side="left")
        count[:, 1] += np.searchsorted(cured, new[k], side="right")
    return (count + 1) / (np.array([np.sum(~y), np.sum(y)]) + 1)


def main(studies: int) -> None:
    print("n, signal, scales | method | AUC | coverage not cured, cured | studies < .80 | decided")
    for n in (97, 121, 300):
        for signal in (1.0, 2.0):
            for own_scale in (True, False):
                rng = np.random.default_rng(n)
                found = [study(n, signal, own_scale, rng) for _ in range(studies)]
                for method in found[0]:
                    table = np.array([one[method] for one in found])
                    auc, failed, cured, decided = table.mean(axis=0)
                    low = [(table[:, side] < 0.8).mean() for side in (1, 2)]
                    print(
                        f"{n} {signal} {'differ' if own_scale else 'equal'} | {method} | {auc:.3f} | "
                        f"{failed:.3f} {cured:.3f} | {low[0]:.2f} {low[1]:.2f} | {decided:.2f}",
                        flush=True,
                    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 400)
