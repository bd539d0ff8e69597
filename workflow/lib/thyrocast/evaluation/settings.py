"""Settings of an evaluation: the config's block, the study's seed and the kind of embeddings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from thyrocast import seeds
from thyrocast.config.evaluation import EvaluationConfig
from thyrocast.config.study import Outcomes
from thyrocast.evaluation.follow_up import Weights
from thyrocast.evaluation.samples import Sample


@dataclass(frozen=True)
class Locked:
    """What a locked model that was applied brings in place of training patients.

    Attributes
    ----------
    thresholds
        Table `contract.deployment.THRESHOLDS`.
    predictions
        Table `contract.deployment.APPLIED`, with the conformal p values.
    """

    thresholds: pd.DataFrame
    predictions: pd.DataFrame


@dataclass(frozen=True)
class Settings:
    """Settings of the evaluation of one design.

    Attributes
    ----------
    config
        The config's block `evaluation`.
    seed
        The study's seed.
    in_sample
        Whether training probabilities are in-sample: networks were trained on the same patients.
    follow_up
        Weights by the inverse probability of follow-up; None for an evaluation without them.
    outcomes
        Whether outcomes are as observed or permuted.
    locked
        The locked model that was applied; None if models were trained.
    """

    config: EvaluationConfig
    seed: int
    in_sample: bool = False
    follow_up: Weights | None = None
    outcomes: Outcomes = Outcomes.OBSERVED
    locked: Locked | None = None

    def random(self, sample: Sample) -> np.random.Generator:
        """Random generator of a sample, the same for every model, so that models are paired."""
        names = (sample.design, sample.split, sample.set, sample.group.label, "bootstrap")
        return np.random.default_rng(seeds.derive(self.seed, *names))
