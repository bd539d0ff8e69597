"""Compare methods to fit models to embeddings of different networks, on simulated embeddings.

    OMP_NUM_THREADS=1 PYTHONPATH=workflow/lib .venv/bin/python benchmarks/alignment.py [studies, 3]

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
from thyrocast.signature import alignment, lasso_forest, ridge_head

CONFIG = SignatureConfig.read({"forest": {"trees": 100, "smallest_leaf": [5]}})


@dataclass(frozen=True)
class Study:
    """Embeddings (1 + folds, n, 2048), full network first; outcome and fold (0 in test), (n,)."""

    embeddings: np.ndarray
    outcome: np.ndarray
    fold: np.ndarray


def draw(seed: int, folds: int, own_direction: bool, difference: float) -> Study:
    rng = np.random.default_rng(seed)
    total, things = 560, 8
    hidden = rng.normal(size=(total, things))
    outcome = (rng.random(total) < expit(1.2 * hidden[:, 0] - hidden[:, 1])).astype(float)
    fold = np.where(np.arange(total) < 160, rng.permutation(total) % folds + 1, 0)
    shared, bias = rng.normal(size=(things + 1, 2048)), rng.normal(size=2048)
    embeddings = []
    for member in range(1 + folds):
        known = (fold > 0) & (fold != member)
        mixture = np.sqrt(1 - difference**2) * shared
        mixture = mixture + difference * rng.normal(size=shared.shape)
        view = np.c_[hidden + 0.3 * rng.normal(size=hidden.shape), np.zeros(total)]
        view[known, things if own_direction else 0] += 3.0 * (2 * outcome[known] - 1)
        noise = 0.5 * rng.normal(size=(total, 2048))
        embeddings.append(np.maximum(view @ mixture / 2 + bias + noise, 0))
    return Study(np.stack(embeddings), outcome, fold)


def forest_odds(space, outcome, new, seed):
    """Log-odds of new patients by LASSO and forest."""
    return ridge.bounded_odds(lasso_forest.fit(space, outcome, CONFIG, seed).predict(new))


def ridge_odds(space, outcome, new, _):
    """Log-odds of new patients by ridge regression on all features."""
    intercept, weights = ridge_head.fit(space, outcome)
    return intercept + new @ weights


MODELS = {"signature": forest_odds, "ridge": ridge_odds}


def of_full(study: Study) -> dict[str, tuple[float, float]]:
    """Every fold mapped to the network of all training patients: AUC in test, and ratio of spreads."""
    train = study.fold > 0
    full, fold = study.embeddings[0][train], study.fold[train]
    space = np.empty_like(full)
    for k in np.unique(fold):
        member, rest = study.embeddings[k][train], fold != k
        space[~rest] = alignment.fit(member[rest], full[rest])(member[~rest])
    new = alignment.fit(full, full)(study.embeddings[0][~train])
    ratio = new.std(axis=0).mean() / space.std(axis=0).mean()
    return {
        name: (
            roc_auc_score(study.outcome[~train], model(space, study.outcome[train], new, 0)),
            ratio,
        )
        for name, model in MODELS.items()
    }


def of_members(study: Study, way: str) -> dict[str, tuple[float, float]]:
    """Members: AUC of their mean in test, and ratio of the spreads of new and training features."""
    train = study.fold > 0
    fold, outcome = study.fold[train], study.outcome[train]
    views = study.embeddings[1:, train]
    odds, ratios = defaultdict(list), []
    for k in np.unique(fold):
        seen, own = fold != k, views[k - 1]
        space, of_own = alignment.into_member(views, fold, int(k))
        new = study.embeddings[k][~train]
        if way == "as they are":
            space = views[fold - 1, np.arange(len(fold))]
        elif way == "one map":
            of_own = alignment.fit(own[seen], own[seen])
        if way in ("one map", "mean of maps"):
            space[~seen], new = of_own(own[~seen]), of_own(new)
        else:
            space[~seen] = own[~seen]
        ratios.append(new.std(axis=0).mean() / space[seen].std(axis=0).mean())
        for name, model in MODELS.items():
            both = model(space[seen], outcome[seen], np.vstack([space[~seen], new]), int(k))
            held_out = both[: (~seen).sum()]
            odds[name].append((both[(~seen).sum() :] - held_out.mean()) / max(held_out.std(), 1e-9))
    truth = study.outcome[~train]
    return {
        name: (roc_auc_score(truth, np.mean(values, axis=0)), np.mean(ratios))
        for name, values in odds.items()
    }


WAYS = ("as they are", "new patients not mapped", "one map", "mean of maps")


def main(studies: int) -> None:
    for folds in (3, 5):
        for difference in (0.3, 0.9):
            table = defaultdict(list)
            for seed in range(studies):
                for own_direction in (True, False):
                    study = draw(seed, folds, own_direction, difference)
                    found = {"full": of_full(study)}
                    found |= {way: of_members(study, way) for way in WAYS}
                    for way, row in found.items():
                        table[way].append([*row["signature"], row["ridge"][0]])
            print(f"{folds} folds, mixtures differ by {difference}")
            for way, rows in table.items():
                signature, ratio, linear = np.mean(rows, axis=0)
                print(
                    f"  {way:24s} AUC of signature {signature:.3f}, ridge {linear:.3f}; "
                    f"spread of new / training features {ratio:.2f}",
                    flush=True,
                )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
