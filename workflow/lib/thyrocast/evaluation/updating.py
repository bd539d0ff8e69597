"""Updates of the models at external centers, and why they discriminate differently there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from thyrocast import seeds
from thyrocast.config.updating import UpdatingConfig
from thyrocast.contract import io
from thyrocast.contract.names import (
    Design,
    GroupKind,
    Metric,
    Model,
    Set,
    Status,
)
from thyrocast.contract.site_names import AucPart, UpdateStep
from thyrocast.contract.table import Table
from thyrocast.contract.updating import TABLES, TRANSPORTABILITY, UPDATE_PERFORMANCE, UPDATES
from thyrocast.statistics import (
    calibration,
    discrimination,
    influence,
    inputs,
    logistic,
    losses,
    transportability,
    updating,
)
from thyrocast.statistics.inputs import Booleans, Floats, Integers, NotEstimableError

_METRICS = (
    (Metric.AUC, discrimination.auc_interval),
    (Metric.CALIBRATION_IN_THE_LARGE, calibration.in_the_large),
    (Metric.CALIBRATION_SLOPE, calibration.slope),
    (Metric.LOG_LOSS, calibration.log_loss),
)
_NO_TRAINING = "the locked model's training patients are not in this study: the AUC at development is not known"
_IN_SAMPLE = "training probabilities are in-sample: the AUC at development is not known"


@dataclass(frozen=True)
class Setup:
    """Settings of the updates.

    Attributes
    ----------
    config
        The config's block `updating`.
    confidence
        Confidence level.
    seed
        The study's seed.
    in_sample
        Whether training probabilities are in-sample.
    """

    config: UpdatingConfig
    confidence: float
    seed: int
    in_sample: bool = False


@dataclass(frozen=True)
class Site:
    """The patients of an external center, as one model predicts them.

    Attributes
    ----------
    center, model
        Names.
    linear, outcome
        Log-odds of cure, (n,), and outcomes, (n,).
    features : ndarray of float, (n, q)
        Components of the embedding.
    """

    center: str
    model: str
    linear: Floats
    outcome: Booleans
    features: Floats

    @property
    def labels(self) -> dict[str, Any]:
        """Cells that name the site in the tables."""
        return {"center": self.center, "model": self.model}

    @property
    def sizes(self) -> dict[str, Any]:
        """Cells with the numbers of patients."""
        return {"n": self.outcome.size, "events": int(self.outcome.sum())}


@dataclass(frozen=True)
class Hidden:
    """A center and a model whose results are suppressed."""

    center: str
    model: str


def components(embeddings: Floats, train: Booleans, count: int) -> Floats:
    """Principal components of the embedding, (n, count), with mean 0 and variance 1 in `train`.

    Parameters
    ----------
    embeddings : ndarray, (n, d)
        Embeddings of all patients by the network that was trained on all training patients.
    train : ndarray of bool, (n,)
        Training patients; outcomes and other patients have no influence.
    count : int
        Number of components.
    """
    x = embeddings.astype(np.float64)
    centered = x - x[train].mean(axis=0)
    _, _, axes = np.linalg.svd(centered[train], full_matrices=False)
    scores = centered @ axes[:count].T
    spread = scores[train].std(axis=0)
    return np.asarray(scores[:, spread > 0] / spread[spread > 0], dtype=np.float64)


def evaluate(
    predictions: pd.DataFrame,
    performance: pd.DataFrame,
    features: Mapping[str, Floats],
    setup: Setup,
) -> dict[Table, pd.DataFrame]:
    """Return the tables `updating.TABLES` of the design `external`.

    Parameters
    ----------
    predictions, performance
        Tables `PREDICTIONS` and `PERFORMANCE` of the design.
    features
        Components of the embedding, (q,), by patient.
    setup
        Settings.
    """
    frames: dict[Table, list[dict[str, Any]]] = {table: [] for table in TABLES}
    train = predictions[
        (predictions["design"] == Design.EXTERNAL)
        & (predictions["set"] == Set.TRAIN)
        & predictions["outcome"].notna()
    ]
    for site in sites(predictions, performance, features):
        if isinstance(site, Hidden):
            frames[UPDATES] += [*_suppressed(site.center, site.model)]
            continue
        frames[UPDATES] += [*_updates(site, setup)]
        frames[UPDATE_PERFORMANCE] += [*_performance(site, setup)]
        frames[TRANSPORTABILITY] += [*_parts(site, train[train["model"] == site.model], setup)]
    return {table: io.build(table, rows) for table, rows in frames.items()}


def sites(
    predictions: pd.DataFrame, performance: pd.DataFrame, features: Mapping[str, Floats]
) -> Iterator[Site | Hidden]:
    """Yield every external center by every model.

    Parameters
    ----------
    predictions, performance, features
        As in `evaluate`.
    """
    known = predictions[
        (predictions["design"] == Design.EXTERNAL)
        & (predictions["set"] == Set.TEST)
        & predictions["outcome"].notna()
    ]
    for center, model, hidden in _reported(performance):
        if hidden:
            yield Hidden(center, model)
            continue
        rows = known[(known["model"] == model) & (known["center"] == center)]
        yield Site(
            center,
            model,
            inputs.logit(rows["probability"].to_numpy(np.float64)),
            rows["outcome"].to_numpy(np.int64) == 1,
            np.array([features[patient] for patient in rows["patient"]]),
        )


def _reported(performance: pd.DataFrame) -> Iterator[tuple[str, str, bool]]:
    """Yield center and own model of each result, and whether it is suppressed."""
    rows = performance[
        (performance["design"] == Design.EXTERNAL)
        & (performance["set"] == Set.TEST)
        & (performance["group_kind"] == GroupKind.CENTER)
        & performance["model"].isin([str(model) for model in Model])
    ]
    for (center, model), found in rows.groupby(["group", "model"], sort=True):
        yield str(center), str(model), bool((found["status"] == Status.SUPPRESSED).any())


def _suppressed(center: str, model: str) -> Iterator[dict[str, Any]]:
    for step in UpdateStep:
        yield dict.fromkeys(UPDATES.names) | {
            "center": center,
            "model": model,
            "step": step,
            "chosen": False,
            "status": Status.SUPPRESSED,
            "note": "too few patients, as in performance.csv",
        }


def _updates(site: Site, setup: Setup) -> Iterator[dict[str, Any]]:
    empty = dict.fromkeys(UPDATES.names) | site.labels | site.sizes | {"chosen": False, "note": ""}
    chosen, tests, reason = "", {}, ""
    try:
        found = updating.closed_test(site.linear, site.features, site.outcome, setup.config.level)
        chosen, tests = found.chosen, {test.step: test for test in found.tests}
    except NotEstimableError as error:
        reason = str(error)
    for step in UpdateStep:
        row = empty | {"step": step, "chosen": step == chosen, "note": reason}
        if step in tests:
            test = tests[step]
            row |= {"chi2": test.chi2, "degrees": test.degrees, "p_value": test.p_value}
        row |= {"needed": _needed(step, site, setup)}
        try:
            update = updating.fit(step, site.linear, site.features, site.outcome)
        except NotEstimableError as error:
            yield row | {"status": Status.NOT_ESTIMABLE, "note": str(error)}
        else:
            numbers = {"intercept": update.intercept, "slope": update.slope}
            yield row | numbers | _limits(step, site, setup) | {"status": Status.ESTIMATED}


def _limits(step: UpdateStep, site: Site, setup: Setup) -> dict[str, float]:
    """Confidence limits of a step's intercept and slope; none if they are not known."""
    if step is UpdateStep.NONE:
        return {}
    try:
        each = updating.wald(step, site.linear, site.features, site.outcome, setup.confidence)
    except NotEstimableError:
        return {}
    named = zip(("intercept", "slope"), each, strict=True)
    found = {name: one for name, one in named if one is not None}
    return {f"{name}_low": one.low for name, one in found.items()} | {
        f"{name}_high": one.high for name, one in found.items()
    }


def _needed(step: UpdateStep, site: Site, setup: Setup) -> int | None:
    """Patients that a step needs at a site; None if that is unknown."""
    if step is UpdateStep.NONE:
        return None
    try:
        count = site.features.shape[1]
        found = updating.patients_needed(step, site.linear, count, setup.config.level)
    except NotEstimableError:
        return None
    return int(np.ceil(found)) if np.isfinite(found) else None


def cross_validated(step: str, site: Site, setup: Setup) -> Floats:
    """Log-odds, (n,), of each patient by updates that were fitted without this patient.

    Raises
    ------
    NotEstimableError
        If an update cannot be fitted to a part of the patients.
    """
    total = np.zeros(site.linear.size)
    for repeat in range(setup.config.repeats):
        # The same division for every step and model: differences are paired.
        random = np.random.default_rng(
            seeds.derive(setup.seed, "updating", site.center, str(repeat))
        )
        fold = _folds(site.outcome, setup.config.folds, random)
        for one in range(setup.config.folds):
            test = fold == one
            update = updating.fit(
                step, site.linear[~test], site.features[~test], site.outcome[~test]
            )
            total[test] += update.apply(site.linear[test], site.features[test])
    return total / setup.config.repeats


def _folds(outcome: Booleans, count: int, random: np.random.Generator) -> Integers:
    """Fold of each patient, (n,), stratified by outcome."""
    fold = np.empty(outcome.size, dtype=np.intp)
    start = 0
    for value in (False, True):
        members = random.permutation(np.flatnonzero(outcome == value))
        fold[members] = (start + np.arange(members.size)) % count
        start += members.size
    return fold


def _performance(site: Site, setup: Setup) -> Iterator[dict[str, Any]]:
    empty = dict.fromkeys(UPDATE_PERFORMANCE.names) | site.labels | {"note": ""}
    before = losses.log_losses(site.outcome, logistic.expit(site.linear))
    for step in UpdateStep:
        row = empty | {"step": step}
        try:
            p = logistic.expit(cross_validated(step, site, setup))
        except NotEstimableError as reason:
            for metric, _ in _METRICS:
                yield row | {"metric": metric} | _not(reason)
            continue
        for metric, function in _METRICS:
            cells: dict[str, Any] = {"metric": metric}
            if metric is Metric.LOG_LOSS and step is not UpdateStep.NONE:
                cells |= _difference(losses.log_losses(site.outcome, p) - before, setup)
            # A new intercept moves all patients alike; those of several folds, taken together, would lower the AUC.
            ranked = metric is Metric.AUC and step is UpdateStep.INTERCEPT
            scored = logistic.expit(site.linear) if ranked else p
            try:
                found = function(site.outcome, scored, setup.confidence)
            except NotEstimableError as reason:
                yield row | cells | _not(reason)
                continue
            limits = {"estimate": found.estimate, "ci_low": found.low, "ci_high": found.high}
            yield row | cells | limits | {"status": Status.ESTIMATED}


def _not(reason: object) -> dict[str, Any]:
    return {"status": Status.NOT_ESTIMABLE, "note": str(reason)}


def _difference(loss: Floats, setup: Setup) -> dict[str, float]:
    found = influence.interval(float(loss.mean()), loss, setup.confidence)
    return {
        "difference": found.estimate,
        "difference_low": found.low,
        "difference_high": found.high,
    }


def _parts(site: Site, train: pd.DataFrame, setup: Setup) -> Iterator[dict[str, Any]]:
    empty: dict[str, Any] = dict.fromkeys(TRANSPORTABILITY.names) | site.labels
    empty |= {"n_development": len(train), "n": site.outcome.size, "note": ""}
    found: Sequence[Any] = ()
    reason = _NO_TRAINING if train.empty else _IN_SAMPLE if setup.in_sample else ""
    try:
        if not reason:
            found = transportability.decompose(
                train["outcome"].to_numpy(np.int64) == 1,
                train["probability"].to_numpy(np.float64),
                site.outcome,
                logistic.expit(site.linear),
                setup.confidence,
            )
    except NotEstimableError as error:
        reason = str(error)
    for position, part in enumerate(AucPart):
        row = empty | {"part": part}
        if not found:
            yield row | _not(reason)
            continue
        one = found[position]
        limits = {"estimate": one.estimate, "ci_low": one.low, "ci_high": one.high}
        yield row | limits | {"std_error": one.std_error, "status": Status.ESTIMATED}
