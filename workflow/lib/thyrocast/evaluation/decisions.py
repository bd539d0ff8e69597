"""Decision thresholds: chosen in the training set of each split, applied to its test set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pandas as pd

from thyrocast.config.evaluation import ThresholdConfig
from thyrocast.contract import io
from thyrocast.contract.evaluation import THRESHOLDS
from thyrocast.evaluation.samples import Key, Sample, Samples
from thyrocast.statistics import threshold
from thyrocast.statistics.inputs import NotEstimableError
from thyrocast.statistics.threshold import Threshold

Thresholds = Mapping[Key, Threshold | None]


def choose(samples: Samples, rule: ThresholdConfig) -> Thresholds:
    """Choose the threshold of every split and model; None where its training set has none."""
    return {key: _choose(samples.train.get(key), rule) for key in samples.keys}


def _choose(train: Sample | None, rule: ThresholdConfig) -> Threshold | None:
    if rule.rule in threshold.GIVEN and rule.target is not None:
        return threshold.given(rule.target, rule.rule)
    if train is None:
        return None
    try:
        return threshold.choose(
            train.outcome, train.probability, train.patient, rule.rule, rule.target
        )
    except NotEstimableError:
        return None


def table(samples: Samples, chosen: Thresholds, rule: ThresholdConfig) -> pd.DataFrame:
    """Make the table `THRESHOLDS`."""
    designs = {
        key: sample.design for key, sample in (*samples.test.items(), *samples.train.items())
    }
    return io.build(
        THRESHOLDS,
        [
            {
                "design": designs[split, model],
                "split": split,
                "model": model,
                "rule": rule.rule,
                "threshold": None if found is None else found.value,
            }
            for (split, model), found in chosen.items()
        ],
    )


def decide(samples: Samples, chosen: Thresholds) -> Samples:
    """Add the decisions to the samples; those of training sets are marked as apparent."""
    train = {key: _decide(sample, chosen[key], True) for key, sample in samples.train.items()}
    test = {key: _decide(sample, chosen[key], False) for key, sample in samples.test.items()}
    return Samples(train, test)


def _decide(sample: Sample, chosen: Threshold | None, train: bool) -> Sample:
    if chosen is None:
        return sample
    decision = chosen.decide(sample.probability, sample.patient, apparent=train)
    return replace(sample, decision=decision, apparent=train and bool(chosen.patients))
