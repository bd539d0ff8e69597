"""Ways to let a forest learn from embeddings of different networks, on embeddings of known truth.

    OMP_NUM_THREADS=1 PYTHONPATH=workflow/lib:workflow/scripts .venv/bin/python benchmarks/alignment.py [studies]

Each network shows the same eight things, of which two decide the outcome, by 2,048 rectified
features: its own mixture, which shares more or less with the others'. Of patients that it was
trained on it shows the outcome too (memory), in a direction of its own or in the signal's.
"""

import sys
from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from scipy.special import expit
from sklearn.metrics import roc_auc_score

from thyrocast.config.signature import SignatureConfig
from thyrocast.signature import alignment, fitting

FOLDS = 3


@dataclass(frozen=True)
class Study:
    """Embeddings (1 + FOLDS, n, 2048), full network first; outcome, fold (0 in test) and risk (n,)."""

    embeddings: np.ndarray
    outcome: np.ndarray
    fold: np.ndarray
    risk: np.ndarray


def draw(seed: int, memory: float, own_direction: bool, difference: float) -> Study:
    rng = np.random.default_rng(seed)
    total, things = 560, 8
    hidden = rng.normal(size=(total, things))
    risk = expit(1.2 * hidden[:, 0] - hidden[:, 1])
    outcome = (rng.random(total) < risk).astype(float)
    fold = np.where(np.arange(total) < 160, rng.permutation(total) % FOLDS + 1, 0)
    shared, bias = rng.normal(size=(things + 1, 2048)), rng.normal(size=2048)
    embeddings = []
    for member in range(1 + FOLDS):
        known = (fold > 0) & (fold != member)
        mixture = np.sqrt(1 - difference**2) * shared
        mixture = mixture + difference * rng.normal(size=shared.shape)
        view = np.c_[hidden + 0.3 * rng.normal(size=hidden.shape), np.zeros(total)]
        view[known, things if own_direction else 0] += memory * (2 * outcome[known] - 1)
        noise = 0.5 * rng.normal(size=(total, 2048))
        embeddings.append(np.maximum(view @ mixture / 2 + bias + noise, 0))
    return Study(np.stack(embeddings), outcome, fold, risk)


def ways(study: Study) -> dict[str, tuple[list[np.ndarray], list[np.ndarray]]]:
    """Training patients' embeddings for the stage that predicts each fold, and test patients'.

    The first list holds one array, or for each fold the one that its remainder is fitted to.
    """
    full, train = study.embeddings[0], study.fold > 0
    fold = study.fold[train]
    as_they_are = study.embeddings[study.fold[train], np.flatnonzero(train)]
    moved = np.empty_like(as_they_are)
    for k in range(1, 1 + FOLDS):
        member = study.embeddings[k][train]
        moved[fold == k] = alignment.fit(member[fold != k], full[train][fold != k])(
            member[fold == k]
        )
    entrance = alignment.fit(full[train], full[train])
    return {
        "as they are, test by full": ([as_they_are], [full[~train]]),
        "as they are, test over folds": ([as_they_are], list(study.embeddings[1:, ~train])),
        "mapped, test as it is": ([moved], [full[~train]]),
        "mapped, test mapped (used)": ([moved], [entrance(full[~train])]),
        "in sample": ([full[train], *study.embeddings[1:, train]], [full[~train]]),
    }


def score(study: Study, settings: dict) -> dict[str, tuple[float, ...]]:
    """AUC and spread of the probabilities, cross-fitted in train and in test."""
    train = study.fold > 0
    outcome, fold = study.outcome[train], study.fold[train]
    result = {}
    for name, (places, test) in ways(study).items():
        stage = fitting.fit_stage(places[0], outcome, settings, seed=0)
        probability = np.mean([stage.predict(part) for part in test], axis=0)
        crossed = np.zeros(len(outcome))
        for k in range(1, 1 + FOLDS):
            space = places[k] if len(places) > 1 else places[0]
            part = fitting.fit_stage(space[fold != k], outcome[fold != k], settings, seed=k)
            crossed[fold == k] = part.predict(space[fold == k])
        result[name] = (
            roc_auc_score(outcome, crossed),
            roc_auc_score(study.outcome[~train], probability),
            crossed.std(),
            probability.std(),
        )
    return result


def main(studies: int) -> None:
    settings = SignatureConfig().plain()
    settings["forest"] = {"trees": 100, "smallest_leaf": [5]}
    for own_direction in (True, False):
        for difference in (0.3, 0.9):
            table = defaultdict(list)
            truth = []
            for seed in range(studies):
                study = draw(seed, 3.0, own_direction, difference)
                truth.append(roc_auc_score(study.outcome, study.risk))
                for name, row in score(study, settings).items():
                    table[name].append(row)
            where = "its own direction" if own_direction else "the signal's direction"
            print(
                f"memory in {where}, mixtures differ by {difference}: true risk {np.mean(truth):.3f}"
            )
            for name, rows in table.items():
                train, test, spread, spread_test = np.mean(rows, axis=0)
                print(
                    f"  {name:30s} AUC {train:.3f} / {test:.3f}  "
                    f"spread {spread:.3f} / {spread_test:.3f}"
                )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10)
