"""Files of a locked model that was applied, as the evaluation needs them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from thyrocast.contract import deployment, io
from thyrocast.evaluation import groups
from thyrocast.evaluation.settings import Locked


@dataclass(frozen=True)
class Applied:
    """Tables `contract.deployment.THRESHOLDS`, `APPLIED` and `APPLIED_PATIENTS`."""

    thresholds: Path
    predictions: Path
    patients: Path

    @classmethod
    def named(cls, files: Sequence[str]) -> Applied | None:
        """Return the three files of a rule's input, in this order; None if it has none."""
        return cls(*map(Path, files)) if files else None

    def read(self) -> Locked:
        """Read thresholds and predictions."""
        return Locked(
            io.read(deployment.THRESHOLDS, self.thresholds),
            io.read(deployment.APPLIED, self.predictions),
        )

    def mark(self, cohort: pd.DataFrame) -> pd.DataFrame:
        """Return the cohort with the subgroup of patients outside of the training range."""
        return groups.by_training_range(cohort, io.read(deployment.APPLIED_PATIENTS, self.patients))
