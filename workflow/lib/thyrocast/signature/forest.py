"""The random forest on the selected features, tuned by out-of-bag predictions."""

from __future__ import annotations

import io
import re
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from skops import io as skops

from thyrocast import fileio
from thyrocast.config.signature import ForestConfig
from thyrocast.errors import InputError

Array = NDArray[np.float64]
Classifier: TypeAlias = RandomForestClassifier | DummyClassifier

# Trusted in addition to skops' own types. A tree's arrays are read without running code.
TRUSTED = ["sklearn.tree._tree.Tree"]
# Trees per candidate during tuning; the best candidate then gets the full number of trees.
TUNING_TREES = 100


def fit(
    features: Array,
    outcome: Array,
    config: ForestConfig,
    seed: int,
    threads: int = 1,
    patient: NDArray[np.int64] | None = None,
) -> Classifier:
    """Fit a forest; its smallest leaf is chosen by the Brier score of out-of-bag predictions.

    Parameters
    ----------
    features : ndarray, (n, p)
    outcome : ndarray, (n,)
        1 cured, 0 not cured.
    config
        Number of trees and candidates of the smallest leaf.
    seed : int
    threads : int
        Any number of threads gives the same forest.
    patient : ndarray of int, (n,), optional
        Number of each row's patient, if patients have several rows, as in a bootstrap sample: a tree
        that was grown on one of them does not predict the others when the leaf is chosen.

    Returns
    -------
    RandomForestClassifier or DummyClassifier
        The latter predicts the prevalence, if there is no feature or only one outcome.

    Notes
    -----
    Out-of-bag predictions rank the candidates at the cost of one fit each: 3 candidates take 1 s,
    while a 24 x 5 grid of 500-tree forests took 67 s.
    """
    if features.shape[1] == 0 or len(np.unique(outcome)) < 2:
        return DummyClassifier(strategy="prior").fit(features, outcome.astype(int))
    candidates = sorted(set(config.smallest_leaf))
    fitted = []
    for leaf in candidates:
        forest = RandomForestClassifier(
            n_estimators=min(TUNING_TREES, config.trees),
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
    score = {
        id(forest): _brier(forest, outcome)
        if patient is None
        else _brier_of_patients(forest, features, outcome, patient)
        for forest in fitted[: len(fitted) if fitted[1:] else 0]
    }
    best = min(fitted, key=lambda forest: score[id(forest)]) if score else fitted[0]
    if config.trees > TUNING_TREES:
        best.set_params(n_estimators=config.trees, oob_score=False)
        best.fit(features, outcome.astype(int))
    # Several threads would sum votes in varying order, and the last digit would vary.
    best.set_params(n_jobs=None, warm_start=False)
    return best


def probability(classifier: Classifier, features: Array) -> Array:
    """Probability of cure (n,) from features (n, p)."""
    classes = list(classifier.classes_)
    if 1 not in classes or len(features) == 0:
        return np.zeros(len(features))
    return np.asarray(classifier.predict_proba(features)[:, classes.index(1)])


def importances(classifier: Classifier) -> Array:
    """Mean decrease in impurity (p,), with sum 1; empty if the prevalence is predicted."""
    if isinstance(classifier, DummyClassifier):
        return np.zeros(0)
    return np.asarray(classifier.feature_importances_)


def save(forests: Mapping[str, Classifier], path: Path) -> None:
    """Write forest.skops with the forest of each member; the same forests give the same bytes.

    skops names objects by their memory address and stores the time. Addresses are replaced by
    consecutive numbers, and the time by a fixed one.
    """
    order: dict[str, str] = {}

    def numbered(match: re.Match[str]) -> str:
        return order.setdefault(match[0], str(len(order)))

    with (
        zipfile.ZipFile(io.BytesIO(skops.dumps(dict(forests)))) as given,
        fileio.atomic(path) as temporary,
        zipfile.ZipFile(temporary, "w") as written,
    ):
        schema = given.read("schema.json").decode()
        schema = re.sub(r'(?<="__id__": )\d+|(?<=")\d+(?=\.npy")', numbered, schema)
        written.writestr(zipfile.ZipInfo("schema.json"), schema)
        for name in given.namelist():
            if name != "schema.json":
                address, _, kind = name.partition(".")
                written.writestr(zipfile.ZipInfo(f"{order[address]}.{kind}"), given.read(name))


def load(path: Path) -> dict[str, Classifier]:
    """Read forest.skops: the forest of each member.

    Raises
    ------
    InputError
        If it contains anything but scikit-learn forests.
    """
    found = skops.load(path, trusted=TRUSTED)
    if not isinstance(found, dict):
        raise InputError(_unexpected(path, found))
    for classifier in found.values():
        if not isinstance(classifier, RandomForestClassifier | DummyClassifier):
            raise InputError(_unexpected(path, classifier))
    return found


def _unexpected(path: Path, found: object) -> str:
    return (
        f"{path} contains a {type(found).__name__}, expected a forest for each member: fit the "
        "signature again"
    )


def _brier(forest: RandomForestClassifier, outcome: Array) -> float:
    """Brier score of out-of-bag predictions; patients in the sample of every tree have none."""
    votes = forest.oob_decision_function_
    present = np.isfinite(votes).all(axis=1)
    return float(np.mean((votes[present, 1] - outcome[present]) ** 2)) if present.any() else np.inf


def _brier_of_patients(
    forest: RandomForestClassifier, features: Array, outcome: Array, patient: NDArray[np.int64]
) -> float:
    """The same, by the trees that were grown on no row of a patient."""
    votes, trees = np.zeros(len(outcome)), np.zeros(len(outcome))
    values = features.astype(np.float32)
    for tree, drawn in zip(forest.estimators_, forest.estimators_samples_, strict=True):
        unseen = ~np.isin(patient, patient[drawn])
        votes[unseen] += tree.predict_proba(values[unseen])[:, 1] if unseen.any() else 0
        trees += unseen
    present = trees > 0
    error = votes[present] / trees[present] - outcome[present]
    return float(np.mean(error**2)) if present.any() else np.inf
