"""Compare methods to fit a forest to embeddings of different networks, on simulated embeddings.

    OMP_NUM_THREADS=1 PYTHONPATH=workflow/lib .venv/bin/python benchmarks/alignment.py [studies]

Each network represents the same eight quantities, two of which determine the outcome, by 2,048
rectified features. The features are mixtures of the quantities; those of the networks are more or
less similar. For patients on whom a network was trained, its features also represent the outcome
(memory), in a separate direction or in that of the signal.
"""

import sys
from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from scipy.special import expit
from sklearn.metrics import roc_auc_score

from thyrocast.baselines import ridge
from thyrocast.config.signature import SignatureConfig
from thyrocast.signature import alignment, lasso_forest

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


def procrustes(source: np.ndarray, target: np.ndarray) -> alignment.LinearMap:
    """Return the rotation of source (n, p) that is closest to target (n, p), within their spans."""
    origin, goal = source.mean(axis=0), target.mean(axis=0)
    basis, left = np.linalg.qr((source - origin).T)
    other, right = np.linalg.qr((target - goal).T)
    u, _, v = np.linalg.svd(left @ right.T)
    rotation = basis @ u @ v @ other.T
    return alignment.LinearMap(goal - origin @ rotation, rotation)


def ways(study: Study) -> dict[str, tuple[list[np.ndarray], list[np.ndarray]]]:
    """Embeddings of training and of test patients for each method.

    The first list contains one array, or one for each network: for the fit to all training
    patients and for the fits without each fold. Test predictions are averaged over the second list.
    """
    full, train = study.embeddings[0], study.fold > 0
    own = study.embeddings[study.fold[train], np.flatnonzero(train)]
    mapped, to_mapped = alignment.align(study.embeddings, train, study.fold)
    rotated = np.empty_like(own)
    for k in range(1, 1 + FOLDS):
        member, held_out = study.embeddings[k][train], study.fold[train] == k
        rotation = procrustes(member[~held_out], full[train][~held_out])
        rotated[held_out] = rotation(member[held_out])
    return {
        "as they are, test by full": ([own], [full[~train]]),
        "as they are, test over folds": ([own], list(study.embeddings[1:, ~train])),
        "mapped, test as it is": ([mapped], [full[~train]]),
        "mapped, test mapped (used)": ([mapped], [to_mapped(full[~train])]),
        "rotated, test rotated": ([rotated], [procrustes(full[train], full[train])(full[~train])]),
        "in sample": ([full[train], *study.embeddings[1:, train]], [full[~train]]),
    }


def score(study: Study, config: SignatureConfig) -> dict[str, tuple[float, ...]]:
    """For each method: AUC and spread in train (cross-fitted) and test, and slope in test."""
    train = study.fold > 0
    outcome, fold = study.outcome[train], study.fold[train]
    result = {}
    for name, (places, test) in ways(study).items():
        whole = lasso_forest.fit(places[0], outcome, config, seed=0)
        probability = np.mean([whole.predict(part) for part in test], axis=0)
        crossed = np.zeros(len(outcome))
        for k in range(1, 1 + FOLDS):
            space = places[k] if len(places) > 1 else places[0]
            part = lasso_forest.fit(space[fold != k], outcome[fold != k], config, seed=k)
            crossed[fold == k] = part.predict(space[fold == k])
        result[name] = (
            roc_auc_score(outcome, crossed),
            roc_auc_score(study.outcome[~train], probability),
            crossed.std(),
            probability.std(),
            ridge.recalibrate(ridge.bounded_odds(probability), study.outcome[~train])[1],
        )
    return result


def main(studies: int) -> None:
    config = SignatureConfig.read({"forest": {"trees": 100, "smallest_leaf": [5]}})
    for own_direction in (True, False):
        for difference in (0.3, 0.9):
            table = defaultdict(list)
            truth = []
            for seed in range(studies):
                study = draw(seed, 3.0, own_direction, difference)
                truth.append(roc_auc_score(study.outcome, study.risk))
                for name, row in score(study, config).items():
                    table[name].append(row)
            where = "its own direction" if own_direction else "the signal's direction"
            print(
                f"memory in {where}, mixtures differ by {difference}: true risk {np.mean(truth):.3f}"
            )
            for name, rows in table.items():
                train, test, spread, spread_test, slope = np.mean(rows, axis=0)
                print(
                    f"  {name:30s} AUC {train:.3f} / {test:.3f}  "
                    f"spread {spread:.3f} / {spread_test:.3f}  test slope {slope:.2f}"
                )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10)
