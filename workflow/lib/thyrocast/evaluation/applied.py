"""Files of a locked model that was applied, as the evaluation needs them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from thyrocast.contract import deployment, io
from thyrocast.contract.evaluation import PERFORMANCE, PREDICTIONS
from thyrocast.contract.site_names import APART
from thyrocast.evaluation import design, groups
from thyrocast.evaluation.settings import Locked, Settings


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

    def apart(self) -> dict[str, str]:
        """Return the standing of the patients who are scored apart, by pseudonym."""
        rows = io.read(deployment.APPLIED_PATIENTS, self.patients)
        apart = rows[rows["standing"].isin(APART)]
        return dict(zip(apart["patient"], apart["standing"], strict=True))

    def mark(self, cohort: pd.DataFrame) -> pd.DataFrame:
        """Return the cohort with the subgroup of patients outside of the training range."""
        return groups.by_training_range(cohort, io.read(deployment.APPLIED_PATIENTS, self.patients))


def frozen_only(predictions: pd.DataFrame, apart: Collection[str]) -> pd.DataFrame:
    """Return predictions without the outcomes of the patients who are scored apart.

    Parameters
    ----------
    predictions
        Table `PREDICTIONS`.
    apart
        These patients.
    """
    hidden = predictions["patient"].isin(list(apart))
    return io.conform(
        PREDICTIONS, predictions.assign(outcome=predictions["outcome"].mask(hidden, pd.NA))
    )


def score_apart(
    predictions: pd.DataFrame,
    members: pd.DataFrame,
    cohort: pd.DataFrame,
    apart: Mapping[str, str],
    settings: Settings,
) -> pd.DataFrame:
    """Return the table `APART`: the performance in the patients who are scored apart.

    Parameters
    ----------
    predictions, members
        Tables `PREDICTIONS` and `MEMBER_PREDICTIONS`.
    cohort
        Table `COHORT`.
    apart
        Standing of these patients, by pseudonym.
    settings
        Config of the evaluation, with the locked model.
    """
    rows, own = (frame[frame["patient"].isin(apart)] for frame in (predictions, members))
    if not rows["outcome"].notna().any():
        return io.empty(deployment.APART)
    labelled = cohort.assign(**{groups.STANDING: cohort["patient"].map(dict(apart))})
    found = design.evaluate(
        rows.reset_index(drop=True), labelled, settings, own.reset_index(drop=True)
    )
    return io.conform(deployment.APART, found[PERFORMANCE])
