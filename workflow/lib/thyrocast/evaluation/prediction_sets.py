"""Conformal prediction sets of test patients, with or without a known outcome."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from thyrocast.contract import io
from thyrocast.contract.evaluation import PREDICTION_SETS
from thyrocast.contract.names import Model, PredictionSet, Set
from thyrocast.evaluation.samples import Key, Sample, Samples
from thyrocast.evaluation.settings import Settings
from thyrocast.statistics import conformal
from thyrocast.statistics.inputs import Floats

NAMES = {
    (True, False): PredictionSet.NOT_CURED,
    (False, True): PredictionSet.CURED,
    (True, True): PredictionSet.UNCERTAIN,
    (False, False): PredictionSet.ATYPICAL,
}


def calibrating(samples: Samples, settings: Settings) -> dict[Key, Sample]:
    """Training sets whose probabilities may calibrate prediction sets.

    The models must not have seen these patients: in-sample probabilities of the study's own models
    are excluded. External predictions did not learn from the study's patients.
    """
    return {
        (split, model): train
        for (split, model), train in samples.train.items()
        if not (settings.in_sample and model in tuple(Model))
    }


def p_values(train: Sample, probability: Floats) -> Floats:
    """Conformal p values of not cured and cured, (n, 2), calibrated on a training set.

    The training probabilities are cross-fitted: each is from a model that had not seen the patient,
    and which is not the model that predicts the test set. The guarantee of
    `thyrocast.statistics.conformal.p_values` therefore does not hold for the study's own models,
    least where the log-odds of the networks differ in spread (docs/signature.md); coverage is
    measured on test sets.
    """
    return conformal.p_values(train.outcome, train.probability, probability)


def add(samples: Samples, calibration: Mapping[Key, Sample], settings: Settings) -> Samples:
    """Add the possible outcomes to the test samples."""
    error = settings.config.prediction_sets.error
    test = dict(samples.test)
    for key in calibration.keys() & test.keys():
        values = p_values(calibration[key], test[key].probability)
        test[key] = replace(test[key], possible=conformal.sets(values, error))
    return Samples(samples.train, test)


def table(
    predictions: pd.DataFrame, calibration: Mapping[Key, Sample], settings: Settings
) -> pd.DataFrame:
    """Make the table `PREDICTION_SETS` for all test patients, with or without an outcome."""
    test = predictions[predictions["set"] == Set.TEST]
    by_key = dict(iter(test.groupby(["split", "model"], sort=False)))
    frames = []
    for key, train in calibration.items():
        if key not in by_key:
            continue
        rows = by_key[key].drop(columns="set")
        values = p_values(train, rows["probability"].to_numpy(dtype=np.float64))
        kept = conformal.sets(values, settings.config.prediction_sets.error)
        frames.append(
            rows.assign(
                p_not_cured=values[:, 0],
                p_cured=values[:, 1],
                prediction=[NAMES[bool(no), bool(yes)] for no, yes in kept],
            )
        )
    return io.concat(PREDICTION_SETS, frames)
