"""All tables of one design, from the predictions of its splits."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from thyrocast.evaluation import comparison, curves, groups, performance, prediction_sets
from thyrocast.evaluation.layout import Row, number
from thyrocast.evaluation.sample import (
    Prediction,
    Sample,
    by_model,
    read_sample,
    together,
    with_decisions,
)
from thyrocast.evaluation.settings import Settings
from thyrocast.statistics import threshold
from thyrocast.statistics.inputs import Booleans, NotEstimableError
from thyrocast.tables import InputError

logger = logging.getLogger("thyrocast")

Tables = dict[str, list[Row]]
SCORED = (
    "performance",
    "roc",
    "calibration",
    "calibration_groups",
    "decision_curve",
    "comparisons",
    "thresholds",
    "prediction_sets",
)


def evaluate(
    predictions: Sequence[Prediction],
    cohort: Sequence[Mapping[str, str]],
    block: Mapping[str, Any],
    seed: int,
    in_sample: bool = False,
) -> Tables:
    """Score one design.

    Parameters
    ----------
    predictions
        Rows of ``predictions.csv`` of all splits of the design; patients without an outcome are
        passed over.
    cohort
        Rows of ``cohort.csv``, for the subgroups.
    block
        The config's ``evaluation``.
    seed
        The study's seed.
    in_sample
        Training probabilities are in-sample (as published), so that no prediction sets are
        calibrated on them.

    Returns
    -------
    dict
        Rows of each table in ``SCORED``, as laid out in ``layout.COLUMNS``.
    """
    settings = Settings(block, seed, in_sample)
    found: Tables = {name: [] for name in SCORED}
    train, test = _samples(predictions, settings, found)
    splits = list(dict.fromkeys(split for split, _ in (*train, *test)))
    labels = groups.labels(cohort, block["subgroups"])
    for index, split in enumerate(splits, start=1):
        logger.info("split %s, %d of %d", split, index, len(splits))
        headline = len(splits) == 1
        for samples in (train, test):
            chosen = {model: s for (name, model), s in samples.items() if name == split}
            _score(chosen, found, settings, labels if headline and samples is test else None)
    if len(splits) > 1:
        models = dict.fromkeys(model for _, model in test)
        joined = {m: together([s for (_, name), s in test.items() if name == m]) for m in models}
        if joined:
            logger.info("all splits together")
        _score(joined, found, settings, labels)
    return found


def _samples(
    predictions: Sequence[Prediction], settings: Settings, found: Tables
) -> tuple[dict[tuple[str, str], Sample], dict[tuple[str, str], Sample]]:
    """Training and test samples by split and model, with each split's decisions and sets."""
    rule, error = settings.block["threshold"], settings.set_error
    raw = by_model(predictions)
    train: dict[tuple[str, str], Sample] = {}
    test: dict[tuple[str, str], Sample] = {}
    for (split, model, name), rows in raw.items():
        sample = read_sample(rows)
        if sample is not None:
            (train if name == "train" else test)[split, model] = sample
    for key in dict.fromkeys((*train, *test)):
        at = _threshold(train.get(key), rule)
        sample = train.get(key) or test[key]
        value = None if at is None else number(at.value)
        found["thresholds"].append((sample.design, sample.split, sample.model, rule["rule"], value))
        learned = train.get(key)
        calibrates = learned is not None and prediction_sets.calibrates(learned, settings.in_sample)
        if learned is not None:
            train[key] = with_decisions(learned, at, train=True)
        if key in test:
            test[key] = with_decisions(test[key], at, train=False)
        if learned is not None and calibrates:
            rows = raw.get((*key, "test"), [])
            if rows:
                found["prediction_sets"] += prediction_sets.rows(learned, rows, error)
            if key in test:
                possible = prediction_sets.possible(learned, test[key], error)
                test[key] = replace(test[key], possible=possible)
    return train, test


def _threshold(sample: Sample | None, rule: Mapping[str, Any]) -> threshold.Threshold | None:
    if rule["rule"] != "youden" and rule["target"] is None:
        raise InputError(
            f"key evaluation.threshold.target: rule {rule['rule']} needs a number, found none"
        )
    if rule["rule"] in threshold.GIVEN:
        return threshold.given(rule["target"], rule["rule"])
    if sample is None:
        return None
    try:
        return threshold.choose(
            sample.outcome, sample.probability, sample.patient, rule["rule"], rule["target"]
        )
    except NotEstimableError:
        return None


def _score(
    samples: Mapping[str, Sample],
    found: Tables,
    settings: Settings,
    labels: Mapping[str, groups.Labels] | None,
) -> None:
    """Score all models of one split and set; by center and subgroup too where labels are given."""
    for model, sample in samples.items():
        logger.info("%s: %d patients, %d cured", model, sample.size, sample.events)
        found["performance"] += performance.rows(sample, "pooled", settings)
        _curves(sample, "pooled", found, settings)
        if labels is None:
            continue
        for group, inside in _groups(sample, labels, settings):
            if inside is None:
                found["performance"].append(_suppressed(sample, group, settings))
                continue
            part = sample.among(inside)
            found["performance"] += performance.rows(part, group, settings)
            if group.startswith("center:"):
                _curves(part, group, found, settings)
    for group, sample in _references(samples, labels, settings):
        found["decision_curve"] += curves.reference_rows(sample, group, settings)
    if samples and next(iter(samples.values())).set == "test":
        centers = {center for sample in samples.values() for center in np.unique(sample.center)}
        across = labels is not None and len(centers) > 1
        found["comparisons"] += comparison.rows(samples, settings, across)


def _curves(sample: Sample, group: str, found: Tables, settings: Settings) -> None:
    found["roc"] += curves.roc_rows(sample, group, settings)
    found["calibration"] += curves.calibration_rows(sample, group, settings)
    found["calibration_groups"] += curves.calibration_group_rows(sample, group, settings)
    found["decision_curve"] += curves.decision_rows(sample, group, settings)


def _references(
    samples: Mapping[str, Sample], labels: Mapping[str, groups.Labels] | None, settings: Settings
) -> Iterator[tuple[str, Sample]]:
    """Find the most complete sample, and its reported centers: whom treat-all and treat-none treat."""
    if not samples:
        return
    sample = max(samples.values(), key=lambda one: one.size)
    yield "pooled", sample
    if labels is not None:
        for group, inside in _groups(sample, {}, settings):
            if inside is not None:
                yield group, sample.among(inside)


def _groups(
    sample: Sample, labels: Mapping[str, groups.Labels], settings: Settings
) -> Iterator[tuple[str, Booleans | None]]:
    least = settings.block["minimum_count"]
    for name, inside in groups.divide(sample, list(sample.center), least).items():
        yield f"center:{name}", inside
    for column, label in labels.items():
        names = [label.get(patient, "missing") for patient in sample.patient]
        if len(set(names)) < 2:
            continue
        for name, inside in groups.divide(sample, names, least).items():
            yield f"subgroup:{column}={name}", inside


def _suppressed(sample: Sample, group: str, settings: Settings) -> Row:
    least = settings.block["minimum_count"]
    reason = (
        f"suppressed: fewer than {least['patients']} patients or {least['outcomes']} of an outcome, "
        "or the complement of such a group"
    )
    key = (sample.design, sample.split, sample.model, sample.set, group)
    return (*key, "auc", None, None, None, reason, None, None)
