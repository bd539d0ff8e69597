"""All tables of one design, from the predictions of its splits."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from thyrocast.errors import InputError
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

logger = logging.getLogger("thyrocast")

Tables = dict[str, list[Row]]
Groups = Mapping[str, Booleans | None]
CENTER, SPLIT = "center:", "split:"
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
    by_name = {m: [s for (_, name), s in test.items() if name == m] for _, m in test}
    whole = {m: s[0] if len(splits) == 1 else together(s) for m, s in by_name.items()}
    divided = {model: _divide(sample, labels, settings) for model, sample in whole.items()}
    for index, split in enumerate(splits, start=1):
        logger.info("split %s, %d of %d", split, index, len(splits))
        _score({m: s for (name, m), s in train.items() if name == split}, found, settings)
        if len(splits) > 1:
            chosen = {m: s for (name, m), s in test.items() if name == split}
            # One split of a design is a group like any other: a center, or a part of it.
            hidden = {m for m in chosen if divided[m].get(f"{SPLIT}{split}", True) is None}
            _score(chosen, found, settings, hidden=hidden)
    if len(splits) > 1 and whole:
        logger.info("all splits together")
    _score(whole, found, settings, divided)
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
    divided: Mapping[str, Groups] | None = None,
    hidden: Collection[str] = (),
) -> None:
    """Score all models of one split and set; by center and subgroup too where these are given."""
    least = settings.block["minimum_count"]
    shown = {}
    for model, sample in samples.items():
        logger.info("%s: %d patients, %d cured", model, *sample.patients)
        if model in hidden or groups.too_small(sample, least):
            found["performance"].append(_suppressed(sample, "pooled", settings))
        else:
            shown[model] = sample
            found["performance"] += performance.rows(sample, "pooled", settings)
            _curves(sample, "pooled", found, settings)
        for group, inside in _reported(divided, model):
            if inside is None:
                found["performance"].append(_suppressed(sample, group, settings))
                continue
            part = sample.among(inside)
            found["performance"] += performance.rows(part, group, settings)
            if group.startswith(CENTER):
                _curves(part, group, found, settings)
    if not shown:
        return
    # Whom treat-all and treat-none treat: the most complete sample, and its reported centers.
    model, sample = max(shown.items(), key=lambda item: item[1].size)
    found["decision_curve"] += curves.reference_rows(sample, "pooled", settings)
    for group, inside in _reported(divided, model):
        if group.startswith(CENTER) and inside is not None:
            found["decision_curve"] += curves.reference_rows(sample.among(inside), group, settings)
    if sample.set == "test":
        centers = {center for sample in shown.values() for center in np.unique(sample.center)}
        across = divided is not None and len(centers) > 1
        found["comparisons"] += comparison.rows(shown, settings, across)


def _reported(
    divided: Mapping[str, Groups] | None, model: str
) -> Iterator[tuple[str, Booleans | None]]:
    """Centers and subgroups of a model's sample; splits have rows of their own."""
    if divided is not None:
        yield from ((k, v) for k, v in divided[model].items() if not k.startswith(SPLIT))


def _curves(sample: Sample, group: str, found: Tables, settings: Settings) -> None:
    found["roc"] += curves.roc_rows(sample, group, settings)
    found["calibration"] += curves.calibration_rows(sample, group, settings)
    found["calibration_groups"] += curves.calibration_group_rows(sample, group, settings)
    found["decision_curve"] += curves.decision_rows(sample, group, settings)


def _divide(sample: Sample, labels: Mapping[str, groups.Labels], settings: Settings) -> Groups:
    """Centers, subgroups and splits of a sample; None for those that are not reported."""
    divisions = {CENTER: list(sample.center)}
    for column, label in labels.items():
        names = [label.get(patient, "missing") for patient in sample.patient]
        if len(set(names)) > 1:
            divisions[f"subgroup:{column}="] = names
    if sample.origin is not None:
        divisions[SPLIT] = list(sample.origin)
    return groups.divide(sample, divisions, settings.block["minimum_count"])


def _suppressed(sample: Sample, group: str, settings: Settings) -> Row:
    least = settings.block["minimum_count"]
    reason = (
        f"suppressed: fewer than {least['patients']} patients or {least['outcomes']} of an outcome, "
        "or what would give such a group away"
    )
    key = (sample.design, sample.split, sample.model, sample.set, group)
    return (*key, "auc", None, None, None, reason, None, None)
