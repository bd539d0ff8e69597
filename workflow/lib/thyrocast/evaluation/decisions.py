"""Decision thresholds: chosen in the training set of each split, applied to its test set."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

import pandas as pd

from thyrocast.config.evaluation import ThresholdConfig
from thyrocast.contract import io
from thyrocast.contract.evaluation import THRESHOLDS
from thyrocast.evaluation.samples import Key, Sample, Samples
from thyrocast.statistics import inputs, recalibration, threshold
from thyrocast.statistics.inputs import NotEstimableError
from thyrocast.statistics.threshold import Threshold

Thresholds = Mapping[Key, Threshold | None]


def signals(samples: Samples, trusted: Collection[Key]) -> dict[Key, bool]:
    """Whether the training patients show that a model ranks better than chance.

    Parameters
    ----------
    samples
        Samples of a design.
    trusted
        Splits and models whose training probabilities are of models that had not seen the patients.
    """
    return {
        key: recalibration.fit(inputs.logit(train.probability), train.outcome).signal
        for key, train in samples.train.items()
        if key in trusted
    }


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


def table(
    samples: Samples, chosen: Thresholds, signal: Mapping[Key, bool], rule: ThresholdConfig
) -> pd.DataFrame:
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
                "signal": signal.get((split, model)),
            }
            for (split, model), found in chosen.items()
        ],
    )


def decide(samples: Samples, chosen: Thresholds, signal: Mapping[Key, bool]) -> Samples:
    """Add the decisions, marked as apparent in training sets, and signals in test sets."""
    train = {key: _decide(sample, chosen[key], True) for key, sample in samples.train.items()}
    test = {key: _decide(sample, chosen[key], False) for key, sample in samples.test.items()}
    for key in test.keys() & signal.keys():
        test[key] = replace(test[key], signals=(signal[key],))
    return Samples(train, test)


def _decide(sample: Sample, chosen: Threshold | None, train: bool) -> Sample:
    if chosen is None:
        return sample
    decision = chosen.decide(sample.probability, sample.patient, apparent=train)
    return replace(sample, decision=decision, apparent=train and bool(chosen.patients))
