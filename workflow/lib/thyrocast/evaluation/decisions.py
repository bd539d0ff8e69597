"""Decision thresholds: chosen in the training set of each split, applied to its test set."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

import pandas as pd

from thyrocast.config.evaluation import ThresholdConfig
from thyrocast.contract import io
from thyrocast.contract.evaluation import THRESHOLDS
from thyrocast.contract.names import ThresholdRule
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


def of_locked(
    samples: Samples, locked: pd.DataFrame, rules: Iterable[ThresholdConfig]
) -> tuple[dict[ThresholdRule, Thresholds], dict[Key, bool]]:
    """Thresholds of a locked model, and whether its training patients show a signal.

    Parameters
    ----------
    samples
        Test samples of a design without training patients.
    locked
        Table `contract.deployment.THRESHOLDS`.
    rules
        Rules of the config. An external prediction has no threshold that was chosen on patients.
    """
    cells = locked[["rule", "model", "threshold"]].dropna().itertuples(index=False)
    values = {(str(rule), str(model)): float(value) for rule, model, value in cells}
    chosen: dict[ThresholdRule, Thresholds] = {
        rule.rule: {
            key: (
                threshold.given(values[rule.rule, key[1]], rule.rule)
                if (rule.rule, key[1]) in values
                else _choose(None, rule)
            )
            for key in samples.keys
        }
        for rule in rules
    }
    known = locked.dropna(subset="signal").drop_duplicates("model").set_index("model")["signal"]
    return chosen, {key: bool(known[key[1]]) for key in samples.keys if key[1] in known.index}


def table(
    samples: Samples,
    chosen: Mapping[ThresholdRule, Thresholds],
    signal: Mapping[Key, bool],
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
                "rule": rule,
                "threshold": None if found is None else found.value,
                "signal": signal.get((split, model)),
            }
            for split, model in samples.keys
            for rule, thresholds in chosen.items()
            for found in (thresholds[split, model],)
        ],
    )


def decide(
    samples: Samples, chosen: Mapping[ThresholdRule, Thresholds], signal: Mapping[Key, bool]
) -> Samples:
    """Add the decisions, marked as apparent in training sets, and signals in test sets."""
    train = {key: _decide(sample, key, chosen, True) for key, sample in samples.train.items()}
    test = {key: _decide(sample, key, chosen, False) for key, sample in samples.test.items()}
    for key in test.keys() & signal.keys():
        test[key] = replace(test[key], signals=(signal[key],))
    return Samples(train, test)


def _decide(
    sample: Sample, key: Key, chosen: Mapping[ThresholdRule, Thresholds], train: bool
) -> Sample:
    """Decisions by the first rule, and by Youden's if it is a further one."""
    first, *further = (thresholds[key] for thresholds in chosen.values())
    if first is not None:
        decision = first.decide(sample.probability, sample.patient, apparent=train)
        sample = replace(sample, decision=decision, apparent=train and bool(first.patients))
    for youden in further:
        if youden is not None:
            called = youden.decide(sample.probability, sample.patient, apparent=train)
            sample = replace(sample, youden=called)
    return sample
