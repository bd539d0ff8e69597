"""Weights of patients with an outcome, who also stand for those without."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thyrocast import seeds
from thyrocast.baselines import coding
from thyrocast.contract.columns import CLINICAL
from thyrocast.contract.names import KNOWN, FollowUp
from thyrocast.statistics import follow_up, resampling
from thyrocast.statistics.inputs import Floats, NotEstimableError


@dataclass(frozen=True)
class Weights:
    """Weights of all patients with an outcome.

    Attributes
    ----------
    position
        Position of each patient in the arrays.
    weight : ndarray, (n,)
        Weight of each patient; 0 for one without an outcome.
    drawn : ndarray, (b, n)
        In each bootstrap resample, how often a patient was drawn times the weight of a model that
        was fitted to this resample.
    """

    position: Mapping[str, int]
    weight: Floats
    drawn: NDArray[np.float32]


def learn(patients: pd.DataFrame, resamples: int, seed: int) -> Weights:
    """Learn the weights, and those of bootstrap resamples of the patients within centers.

    Parameters
    ----------
    patients
        Table `contract.cohort.FOLLOW_UP`: patients with and without an outcome. Whoever died before
        the outcome was decided was not lost and is left out.
    resamples
        Number of bootstrap resamples.
    seed
        The study's seed.

    Raises
    ------
    NotEstimableError
        If no patient has an outcome.
    """
    used = patients[patients["follow_up"] != FollowUp.DIED].reset_index(drop=True)
    status = used["follow_up"]
    known = status.isin(KNOWN).to_numpy(dtype=np.bool_)
    early = (status == FollowUp.SETTLED_EARLY).to_numpy(dtype=np.bool_)
    seen = (status != FollowUp.LOST).to_numpy(dtype=np.bool_)
    stages = follow_up.stages(seen, early, known)
    columns = _columns(used)
    weight = follow_up.weights(columns, stages)
    random = np.random.default_rng(seeds.derive(seed, "follow-up weights"))
    drawn = np.full((resamples, len(used)), np.nan, dtype=np.float32)
    row = 0
    for block in resampling.draws(resampling.strata(used["center"]), resamples, random):
        for counts in block:
            # A resample without an outcome has no value.
            with contextlib.suppress(NotEstimableError):
                drawn[row] = counts * follow_up.weights(columns, stages, counts)
            row += 1
    position = {str(patient): n for n, patient in enumerate(used["patient"])}
    return Weights(position, weight, drawn)


def _columns(patients: pd.DataFrame) -> Floats:
    """Code center and clinical columns as standardized numbers, (n, p).

    A missing value is the mean, with an indicator of its own.
    """
    clinical = patients[list(CLINICAL)]
    terms = coding.learn(clinical).terms
    parts = [coding.encode(clinical, terms)] if terms else []
    parts.append(clinical.isna().to_numpy(dtype=np.float64))
    parts.append(pd.get_dummies(patients["center"]).to_numpy(dtype=np.float64))
    raw = np.nan_to_num(np.hstack(parts), nan=0.0)
    spread = raw.std(axis=0)
    return np.asarray((raw - raw.mean(axis=0))[:, spread > 0] / spread[spread > 0])
