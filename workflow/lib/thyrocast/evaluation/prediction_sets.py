"""Conformal prediction sets of test patients, those without an outcome among them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from thyrocast.evaluation.layout import Row, number
from thyrocast.evaluation.sample import IMAGE_MODELS, Prediction, Sample
from thyrocast.statistics import conformal
from thyrocast.statistics.inputs import Booleans, Floats

NAMES = {
    (True, False): "not_cured",
    (False, True): "cured",
    (True, True): "uncertain",
    (False, False): "atypical",
}


def calibrates(train: Sample | None, in_sample: bool) -> bool:
    """Whether a training set's probabilities may calibrate prediction sets.

    They must be of patients whom the model had not seen, which in-sample probabilities are not;
    another's probabilities (a comparator) learned from nobody here.
    """
    return train is not None and not (in_sample and train.model in (*IMAGE_MODELS, "clinical"))


def p_values(train: Sample, probability: Floats) -> Floats:
    """Conformal p values (n, 2) of not cured and cured, calibrated on a training set.

    The training probabilities are cross-fitted: each from a model that had not seen the patient, but
    of a fifth fewer patients than the one that predicts the test set. The guarantee of
    :func:`conformal.p_values` holds to the extent that this changes nothing (cross-conformal
    prediction), and within the training centers; coverage on test is reported beside it.
    """
    return conformal.p_values(train.outcome, train.probability, probability)


def possible(train: Sample, sample: Sample, error: float) -> Booleans:
    """Outcomes not excluded for each patient of a sample, (n, 2): not cured and cured."""
    return conformal.sets(p_values(train, sample.probability), error)


def rows(train: Sample, test: Sequence[Prediction], error: float) -> Iterator[Row]:
    """Rows of prediction_sets.csv for all test patients of a split, with or without outcome."""
    probability = np.array([float(row["probability"]) for row in test])
    values = p_values(train, probability)
    for row, pair, kept in zip(test, values, conformal.sets(values, error), strict=True):
        key = (row[name] for name in ("design", "split", "model", "patient", "center", "outcome"))
        word = NAMES[bool(kept[0]), bool(kept[1])]
        yield (*key, float(row["probability"]), number(pair[0]), number(pair[1]), word)
