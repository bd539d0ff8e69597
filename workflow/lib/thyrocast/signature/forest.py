"""The random forest on the signature's features, tuned by out-of-bag predictions."""

from __future__ import annotations

import io
import re
import warnings
import zipfile
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from skops import io as skops

from thyrocast import fileio
from thyrocast.errors import InputError

Array = NDArray[np.float64]
Classifier: TypeAlias = RandomForestClassifier | DummyClassifier

# Beside what skops trusts by itself. A tree's arrays are read without code being run.
TRUSTED = ["sklearn.tree._tree.Tree"]
# Trees per candidate while tuning; the winner then grows on to its full number.
TUNING_TREES = 100


def fit(
    features: Array, outcome: Array, settings: dict[str, Any], seed: int, threads: int = 1
) -> Classifier:
    """Fit a forest, its smallest leaf chosen by the Brier score of out-of-bag predictions.

    Parameters
    ----------
    features : (n, p)
    outcome : (n,) of 0 and 1
    settings
        ``trees`` and ``smallest_leaf`` (the candidates).
    seed, threads
        Any number of threads gives the same forest.

    Returns
    -------
    A forest; a constant at the prevalence where there is no feature or only one outcome.

    Notes
    -----
    Out-of-bag predictions rank the candidates at the cost of one fit each; a 24 x 5 grid of
    500-tree forests took 67 s for what 3 candidates settle in one.
    """
    if features.shape[1] == 0 or len(np.unique(outcome)) < 2:
        return DummyClassifier(strategy="prior").fit(features, outcome.astype(int))
    trees = int(settings["trees"])
    candidates = sorted({int(leaf) for leaf in settings["smallest_leaf"]})
    fitted = []
    for leaf in candidates:
        forest = RandomForestClassifier(
            n_estimators=min(TUNING_TREES, trees),
            min_samples_leaf=leaf,
            max_features="sqrt",
            oob_score=len(candidates) > 1,
            random_state=seed,
            n_jobs=threads,
            warm_start=True,
        )
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Some inputs do not have OOB scores")
            forest.fit(features, outcome.astype(int))
        fitted.append(forest)
    best = min(fitted, key=lambda forest: _brier(forest, outcome)) if fitted[1:] else fitted[0]
    if trees > TUNING_TREES:
        best.set_params(n_estimators=trees, oob_score=False).fit(features, outcome.astype(int))
    # Threads would add up votes in the order in which they end: the last digit would vary.
    best.set_params(n_jobs=None, warm_start=False)
    return best


def probability(classifier: Classifier, features: Array) -> Array:
    """P(cured) (n,) of patients' features (n, p)."""
    columns = list(classifier.classes_)
    if 1 not in columns or len(features) == 0:
        return np.zeros(len(features))
    return np.asarray(classifier.predict_proba(features)[:, columns.index(1)])


def importances(classifier: Classifier) -> Array:
    """Mean decrease in impurity (p,), summing to 1; empty where the model is a constant."""
    if isinstance(classifier, DummyClassifier):
        return np.zeros(0)
    return np.asarray(classifier.feature_importances_)


def save(classifier: Classifier, path: Path) -> None:
    """Write forest.skops; the same forest, the same bytes.

    skops names what it stores by its place in memory and dates it: both become their order.
    """
    order: dict[str, str] = {}

    def numbered(match: re.Match[str]) -> str:
        return order.setdefault(match[0], str(len(order)))

    with (
        zipfile.ZipFile(io.BytesIO(skops.dumps(classifier))) as given,
        fileio.atomic(path) as temporary,
        zipfile.ZipFile(temporary, "w") as written,
    ):
        schema = given.read("schema.json").decode()
        schema = re.sub(r'(?<="__id__": )\d+|(?<=")\d+(?=\.npy")', numbered, schema)
        written.writestr(zipfile.ZipInfo("schema.json"), schema)
        for name in given.namelist():
            if name != "schema.json":
                place, _, kind = name.partition(".")
                written.writestr(zipfile.ZipInfo(f"{order[place]}.{kind}"), given.read(name))


def load(path: Path) -> Classifier:
    """Read forest.skops; nothing but a scikit-learn forest is let in."""
    classifier = skops.load(path, trusted=TRUSTED)
    if not isinstance(classifier, RandomForestClassifier | DummyClassifier):
        raise InputError(
            f"{path} holds a {type(classifier).__name__}, expected a forest: fit the signature again"
        )
    return classifier


def _brier(forest: RandomForestClassifier, outcome: Array) -> float:
    """Brier score of out-of-bag predictions; patients in every tree's sample have none."""
    votes = forest.oob_decision_function_
    seen = np.isfinite(votes).all(axis=1)
    return float(np.mean((votes[seen, 1] - outcome[seen]) ** 2)) if seen.any() else np.inf
