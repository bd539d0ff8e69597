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
from thyrocast.statistics.inputs import Booleans, Floats

NAMES = {
    (True, False): PredictionSet.NOT_CURED,
    (False, True): PredictionSet.CURED,
    (True, True): PredictionSet.UNCERTAIN,
    (False, False): PredictionSet.ATYPICAL,
}


def calibrating(samples: Samples, settings: Settings) -> dict[Key, Sample]:
    """Training sets whose predictions may calibrate prediction sets.

    The models must not have seen these patients: in-sample predictions of the study's own models
    are excluded. External predictions did not learn from the study's patients.
    """
    return {
        (split, model): train
        for (split, model), train in samples.train.items()
        if not (settings.in_sample and model in tuple(Model))
    }


def p_values(
    predictions: pd.DataFrame, calibration: Mapping[Key, Sample], members: pd.DataFrame
) -> dict[Key, pd.DataFrame]:
    """Conformal p values of all test patients, with or without an outcome, by split and model.

    The study's own models are cross-fitted: a test patient is compared with the training patients of
    each member's fold by the scores of this member (`thyrocast.statistics.conformal.cross_p_values`).
    External predictions are one model, which did not learn from the training patients.

    Parameters
    ----------
    predictions
        Table `PREDICTIONS` of a design.
    calibration
        From `calibrating`.
    members
        Table `MEMBER_PREDICTIONS` of the same splits and models.

    Returns
    -------
    dict
        For each split and model, the rows of its test patients with ``p_not_cured`` and ``p_cured``.

    Raises
    ------
    ValueError
        If a patient of one of the study's own models has no prediction by a member.
    """
    tested = predictions[predictions["set"] == Set.TEST]
    by_key = dict(iter(tested.groupby(["split", "model"], sort=False)))
    by_member = dict(iter(members.groupby(["split", "model"], sort=False)))
    found = {}
    for key, train in calibration.items():
        if key not in by_key:
            continue
        rows = by_key[key].drop(columns="set")
        if key[1] in tuple(Model):
            values = _crossed(train, rows["patient"], by_member.get(key), key)
        else:
            fresh = rows["probability"].to_numpy(dtype=np.float64)
            values = conformal.p_values(train.outcome, train.probability, fresh)
        found[key] = rows.assign(p_not_cured=values[:, 0], p_cured=values[:, 1])
    return found


def _crossed(
    train: Sample, patients: pd.Series[str], members: pd.DataFrame | None, key: Key
) -> Floats:
    """P values (n, 2) of patients by a cross-fitted model."""
    if members is None:
        raise ValueError(f"split {key[0]}, model {key[1]}: predictions by its members are missing")
    tested, not_cured, cured, predicted = [], [], [], np.zeros(train.size, dtype=np.int64)
    for _, rows in members.groupby("member"):
        odds = rows.set_index("patient")["logit"]
        tested.append(odds.reindex(patients).to_numpy(dtype=np.float64))
        own = odds.reindex(train.patient).to_numpy(dtype=np.float64)
        known = ~np.isnan(own)
        not_cured.append(own[known & ~train.outcome])
        cured.append(own[known & train.outcome])
        predicted += known
    if np.isnan(tested).any() or (predicted != 1).any():
        raise ValueError(f"split {key[0]}, model {key[1]}: predictions by its members do not match")
    return conformal.cross_p_values(not_cured, cured, tested)


def of_locked(predictions: pd.DataFrame, applied: pd.DataFrame) -> dict[Key, pd.DataFrame]:
    """P values like `p_values`, by the calibration scores of a locked model.

    Parameters
    ----------
    predictions
        Table `PREDICTIONS` of the design, all of whose patients are tested.
    applied
        Table `contract.deployment.APPLIED`.
    """
    names = ["patient", "model", "p_not_cured", "p_cured"]
    rows = predictions.drop(columns="set").merge(
        applied.loc[applied["p_cured"].notna(), names], on=["patient", "model"]
    )
    return {
        (str(split), str(model)): found.reset_index(drop=True)
        for (split, model), found in rows.groupby(["split", "model"], sort=False)
    }


def add(samples: Samples, found: Mapping[Key, pd.DataFrame], settings: Settings) -> Samples:
    """Add the possible outcomes to the test samples; ``found`` is from `p_values`."""
    test = dict(samples.test)
    for key in found.keys() & test.keys():
        values = found[key].set_index("patient").reindex(test[key].patient)
        test[key] = replace(test[key], possible=_possible(values, settings))
    return Samples(samples.train, test)


def table(found: Mapping[Key, pd.DataFrame], settings: Settings) -> pd.DataFrame:
    """Make the table `PREDICTION_SETS`; ``found`` is from `p_values`."""
    frames = []
    for rows in found.values():
        kept = _possible(rows, settings)
        names = [NAMES[bool(no), bool(yes)] for no, yes in kept]
        frames.append(rows.assign(prediction=names))
    return io.concat(PREDICTION_SETS, frames)


def _possible(rows: pd.DataFrame, settings: Settings) -> Booleans:
    values = rows[["p_not_cured", "p_cured"]].to_numpy(dtype=np.float64)
    return conformal.sets(values, settings.config.prediction_sets.error)
