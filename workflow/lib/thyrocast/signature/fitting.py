"""The signature: LASSO-selected network features in a random forest; and the models beside it.

Everything here learns from the split's training patients alone. Their own probabilities are
cross-fitted through every stage: patient i is embedded by the network of the fold that left i out,
and predicted by a LASSO, a forest and a comparator fitted without i's fold. Test patients are
predicted by the fit to all training patients.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from thyrocast import seeds
from thyrocast.baselines import models as comparators
from thyrocast.baselines import ridge
from thyrocast.signature import alignment, forest, lasso
from thyrocast.statistics import partition

logger = logging.getLogger("thyrocast")

Array = NDArray[np.float64]
Folds = NDArray[np.int64]

T = TypeVar("T")


@dataclass(frozen=True)
class Patients:
    """A split's patients, in the order of its rows in splits.csv.

    Attributes
    ----------
    patient, center : n names
    train : (n,) bool
    fold : (n,) int, 0 for test patients
    outcome : (n,) 1, 0 or NaN
    columns : text cells of cohort.csv by column
    """

    patient: list[str]
    center: list[str]
    train: NDArray[np.bool_]
    fold: Folds
    outcome: Array
    columns: dict[str, list[str]]


@dataclass(frozen=True)
class Fit:
    """What a split's training patients taught.

    Attributes
    ----------
    model : plain numbers (model.json)
    forest : the signature's classifier (forest.skops)
    path : the LASSO path with its cross-validated deviance, for path.csv
    places : (n_train, 2048) training patients' embeddings as LASSO and forest saw them
    probabilities : (n,) P(cured) by model; cross-fitted for training patients
    """

    model: dict[str, Any]
    forest: forest.Classifier
    path: lasso.CrossValidated | None
    places: Array
    probabilities: dict[str, Array]


@dataclass(frozen=True)
class Stage:
    """LASSO and forest fitted to some patients.

    Attributes
    ----------
    features : (s,) indices of the selected features
    coefficients : (s,) of the LASSO, per unit of the feature; and its intercept
    """

    features: NDArray[np.int64]
    coefficients: Array
    intercept: float
    classifier: forest.Classifier
    path: lasso.CrossValidated | None
    chosen: int

    def predict(self, embeddings: Array) -> Array:
        """P(cured) (n,) from embeddings (n, 2048)."""
        return forest.probability(self.classifier, embeddings[:, self.features])


def fit(
    patients: Patients,
    embeddings: NDArray[np.float32],
    logits: Array,
    settings: Mapping[str, Any],
    seed: int,
    threads: int = 1,
) -> Fit:
    """Fit the signature and the models beside it, and predict every patient of the split.

    Parameters
    ----------
    patients
        n of them; training patients have outcomes.
    embeddings : (members, n, 2048)
        Member 0 is ``full``, member k left fold k out.
    logits : (members, n)
        The networks' log-odds of cure.
    settings
        The ``signature`` block of the config.
    seed, threads
    """
    train = patients.train
    outcome, folds = patients.outcome[train], patients.fold[train]
    crossed = settings["embeddings"] == "cross_fitted"
    _check(patients, embeddings, crossed)
    own = np.where(train, patients.fold, 0) if crossed else np.zeros(len(train), dtype=np.int64)
    places, entrance = _places(patients, embeddings, crossed)

    def recalibrated(odds: Array, name: str) -> tuple[dict[str, float], Array]:
        intercept, slope = 0.0, 1.0
        if crossed and settings["recalibration"] == "logistic":
            intercept, slope = ridge.recalibrate(odds[train], outcome)
            logger.info("%s: recalibrated, intercept %.3f, slope %.3f", name, intercept, slope)
        return {"intercept": intercept, "slope": slope}, expit(intercept + slope * odds)

    recalibration, probabilities = {}, {}
    recalibration["network"], probabilities["network"] = recalibrated(
        logits[own, np.arange(len(train))], "network"
    )

    def learn(rows: NDArray[np.bool_], name: str) -> Stage:
        return fit_stage(
            places[rows],
            outcome[rows],
            settings,
            seeds.derive(seed, "signature", name),
            threads,
        )

    stage = learn(np.ones(len(outcome), dtype=bool), "all")
    _report(stage, settings)
    signature = np.zeros(len(train))
    prevalence = float(outcome.mean())

    def predict(part: Stage, rows: NDArray[np.bool_]) -> Array:
        # Where nothing was selected, the prevalence of all: those of the folds' remainders would
        # rank patients against their outcomes.
        if len(part.features) == 0:
            return np.full(rows.sum(), prevalence)
        return part.predict(places[rows])

    signature[train] = cross_fit(learn, predict, stage, folds, crossed)
    plain = _plain(stage, entrance, prevalence)
    signature[~train] = forest.probability(
        stage.classifier, select(plain, np.asarray(embeddings[0][~train], dtype=np.float64))
    )
    probabilities["signature"] = signature
    if len(stage.features) > 0 and crossed and settings["recalibration"] == "logistic":
        recalibration["signature"], probabilities["signature"] = recalibrated(
            ridge.bounded_odds(signature), "signature"
        )
    model: dict[str, Any] = {
        "embeddings": settings["embeddings"],
        "recalibration": recalibration,
        "signature": plain,
        "comparators": {},
    }
    for name in ("handcrafted", "clinical", "combined"):
        columns = comparators.predictors(name, patients.columns, probabilities)
        result = _compare(name, columns, patients, folds, settings, seed)
        if result is not None:
            model["comparators"][name], probabilities[name] = result
    return Fit(model, stage.classifier, stage.path, places, probabilities)


def fit_stage(
    embeddings: Array,
    outcome: Array,
    settings: Mapping[str, Any],
    seed: int,
    threads: int = 1,
    people: Folds | None = None,
) -> Stage:
    """Select features by LASSO and fit the forest on them.

    Parameters
    ----------
    embeddings : (n, 2048)
    outcome : (n,) of 0 and 1
    settings
        ``selection``, ``features``, ``penalties``, ``smallest_penalty``, ``tuning_folds`` and
        ``forest``.
    seed, threads
    people : (n,)
        Who each row is, where rows repeat patients: copies stay in one fold.

    Returns
    -------
    Stage; without features, and with the prevalence for everybody, where the LASSO selects none.
    """
    path, chosen = None, 0
    active = np.zeros(0, dtype=np.int64)
    coefficients, intercept = np.zeros(0), 0.0
    if len(np.unique(outcome)) == 2:
        lambdas = lasso.penalties(
            embeddings, outcome, settings["penalties"], settings["smallest_penalty"]
        )
        rows = np.arange(len(outcome)) if people is None else people
        _, first, person = np.unique(rows, return_index=True, return_inverse=True)
        folds = partition.tuning_folds(outcome[first], settings["tuning_folds"], seed)[person]
        path = lasso.cross_validate(embeddings, outcome, folds, lambdas)
        chosen = lasso.choose(path, settings["selection"], settings["features"])
        weights = path.path.coefficients[chosen]
        active = np.flatnonzero(weights)
        coefficients, intercept = weights[active], float(path.path.intercepts[chosen])
    classifier = forest.fit(
        embeddings[:, active], outcome, settings["forest"], seed=seed, threads=threads
    )
    return Stage(active, coefficients, intercept, classifier, path, chosen)


def cross_fit(
    learn: Callable[[NDArray[np.bool_], str], T],
    predict: Callable[[T, NDArray[np.bool_]], Array],
    whole: T,
    folds: Folds,
    crossed: bool,
) -> Array:
    """Training patients' probabilities: each by a fit without its fold.

    Parameters
    ----------
    learn
        Fits to the rows of a mask; also told a name for its seed.
    predict
        P(cured) of the rows of a mask by a fit.
    whole
        The fit to all training patients.
    folds : (n,)
    crossed
        ``False`` gives the apparent probabilities of ``whole``, as published.
    """
    everyone = np.ones(len(folds), dtype=bool)
    if not crossed:
        return predict(whole, everyone)
    result = np.zeros(len(folds))
    for fold in np.unique(folds):
        held_out = folds == fold
        result[held_out] = predict(learn(~held_out, f"without-{fold}"), held_out)
    return result


def _compare(
    name: str,
    columns: dict[str, list[str]],
    patients: Patients,
    folds: Folds,
    settings: Mapping[str, Any],
    seed: int,
) -> tuple[dict[str, Any], Array] | None:
    """Fit a comparator; its model and everybody's probabilities, training patients' cross-fitted."""
    train = np.flatnonzero(patients.train)
    outcome = patients.outcome[train]

    def cells(rows: NDArray[np.int64]) -> dict[str, list[str]]:
        return {column: [values[i] for i in rows] for column, values in columns.items()}

    def learn(rows: NDArray[np.bool_], part: str) -> dict[str, Any]:
        return comparators.fit(
            cells(train[rows]),
            outcome[rows],
            settings["tuning_folds"],
            settings["imputations"],
            seeds.derive(seed, name, part),
            name if part == "all" else None,
        )

    def predict(model: dict[str, Any], rows: NDArray[np.bool_]) -> Array:
        if not model["coding"]:
            return np.full(rows.sum(), outcome.mean())
        return comparators.predict(model, cells(train[rows]), int(rows.sum()))

    whole = learn(np.ones(len(train), dtype=bool), "all")
    if not whole["coding"]:
        logger.warning("%s: no predictor in the training set, the model is left out", name)
        return None
    probability = comparators.predict(whole, columns, len(patients.train))
    probability[train] = cross_fit(
        learn, predict, whole, folds, settings["embeddings"] == "cross_fitted"
    )
    return whole, probability


def _report(stage: Stage, settings: Mapping[str, Any]) -> None:
    """Log what was selected, and what is odd about it."""
    if stage.path is None:
        logger.warning("signature: one outcome only, the prevalence is predicted")
    elif len(stage.features) == 0:
        logger.warning("signature: the LASSO selects no feature, the prevalence is predicted")
    else:
        logger.info("signature: %d features selected", len(stage.features))
        last = stage.chosen == len(stage.path.path.penalties) - 1
        if last and settings["selection"] != "count":
            logger.warning(
                "signature: the path's smallest penalty was chosen, it may end too early"
            )


def select(model: Mapping[str, Any], embeddings: Array) -> Array:
    """Selected features (n, s) of a patient to be predicted, in the forest's space.

    Parameters
    ----------
    model
        The ``signature`` part of model.json.
    embeddings : (n, 2048)
        By the network trained on everybody.
    """
    if model["matrix"] is None:
        return embeddings[:, model["features"]]
    count = len(model["features"])
    matrix = np.array(model["matrix"], dtype=np.float64).reshape(embeddings.shape[1], count)
    return np.asarray(np.array(model["constant"]) + embeddings @ matrix)


def _plain(stage: Stage, entrance: alignment.Map | None, prevalence: float) -> dict[str, Any]:
    """Say what a signature is in plain numbers; the trees are in the forest's own file."""
    settings = stage.classifier.get_params()
    chosen = stage.features
    return {
        "features": chosen.tolist(),
        "coefficients": stage.coefficients.tolist(),
        "intercept": stage.intercept,
        "constant": None if entrance is None else entrance.constant[chosen].tolist(),
        "matrix": None if entrance is None else entrance.coefficients[:, chosen].tolist(),
        "penalty": None if stage.path is None else float(stage.path.path.penalties[stage.chosen]),
        "chosen": stage.chosen,
        "importances": forest.importances(stage.classifier).tolist(),
        "prevalence": prevalence,
        "trees": settings.get("n_estimators", 0),
        "smallest_leaf": settings.get("min_samples_leaf", 0),
    }


def _places(
    patients: Patients, embeddings: NDArray[np.float32], crossed: bool
) -> tuple[Array, alignment.Map | None]:
    """Training patients' embeddings (n_train, 2048) in one space, and the way into it."""
    train = patients.train
    full = np.asarray(embeddings[0][train], dtype=np.float64)
    if not crossed:
        return full, None
    fold = patients.fold[train]
    places = np.empty_like(full)
    for k in np.unique(fold):
        out = fold == k
        member = np.asarray(embeddings[k][train], dtype=np.float64)
        places[out] = alignment.fit(member[~out], full[~out])(member[out])
    return places, alignment.fit(full, full)


def _check(patients: Patients, embeddings: NDArray[np.float32], crossed: bool) -> None:
    """Raise where the embeddings are not those of this split."""
    expected = 1 + int(patients.fold.max(initial=0)) if crossed else 1
    if embeddings.ndim != 3 or embeddings.shape[0] < expected:
        raise ValueError(
            f"embeddings of shape {embeddings.shape}: expected {expected} members, "
            "`full` and one for each fold"
        )
    if embeddings.shape[1] != len(patients.train):
        raise ValueError(
            f"embeddings of {embeddings.shape[1]} patients for a split of {len(patients.train)}"
        )
    if crossed and len(np.unique(patients.fold[patients.train])) < 2:
        raise ValueError("cross-fitting needs at least two folds of training patients")
