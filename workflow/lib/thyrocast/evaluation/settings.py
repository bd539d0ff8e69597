"""What the evaluation is told to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from thyrocast.evaluation.sample import Sample
from thyrocast.seeds import derive as named_seed


@dataclass(frozen=True)
class Settings:
    """The evaluation block of the config and the study's seed."""

    block: Mapping[str, Any]
    seed: int
    #: Whether training probabilities are of patients whom the networks had seen.
    in_sample: bool = False

    @property
    def confidence(self) -> float:
        """Confidence level of all intervals."""
        return float(self.block["confidence"])

    @property
    def resamples(self) -> int:
        """Bootstrap resamples."""
        return int(self.block["resamples"])

    @property
    def reference(self) -> float:
        """Threshold probability at which net benefit is compared."""
        return float(self.block["decision"]["reference"])

    @property
    def set_error(self) -> float:
        """Share of patients of either outcome whose prediction set may miss the truth."""
        return float(self.block["prediction_sets"]["error"])

    def random(self, sample: Sample, group: str) -> np.random.Generator:
        """Random numbers of a group of patients: the same for every model, so models are paired."""
        names = (sample.design, sample.split, sample.set, group, "bootstrap")
        return np.random.default_rng(named_seed(self.seed, *names))
