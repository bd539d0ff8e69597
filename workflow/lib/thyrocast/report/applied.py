"""A study that applies a locked model: which model, whose patients, when they were predicted and scored."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from thyrocast.contract import deployment, documents, io
from thyrocast.contract.manifest import Manifest
from thyrocast.contract.site_names import APART, Standing
from thyrocast.pages import numbers


@dataclass(frozen=True)
class AppliedFiles:
    """Files about the application of a locked model.

    Its manifest and the tables `LOOKS`, `APPLIED_PATIENTS`, `LEDGER` and `APART`.
    """

    manifest: Path
    looks: Path
    patients: Path
    ledger: Path
    apart: Path


@dataclass(frozen=True)
class Applied:
    """A locked model that was applied.

    Attributes
    ----------
    manifest
    looks, patients, ledger, apart
        Tables `LOOKS`, `APPLIED_PATIENTS`, `LEDGER` and `APART`.
    """

    manifest: Manifest
    looks: pd.DataFrame = field(repr=False)
    patients: pd.DataFrame = field(repr=False)
    ledger: pd.DataFrame = field(repr=False)
    apart: pd.DataFrame = field(repr=False)

    @property
    def scored_apart(self) -> pd.Series[str]:
        """Center of each patient who is scored apart, by pseudonym."""
        rows = self.patients[self.patients["standing"].isin(APART)]
        return rows.set_index("patient")["center"]


def read(files: AppliedFiles) -> Applied:
    """Read the files about an application."""
    return Applied(
        manifest=documents.read(Manifest, files.manifest),
        looks=io.read(deployment.LOOKS, files.looks),
        patients=io.read(deployment.APPLIED_PATIENTS, files.patients),
        ledger=io.read(deployment.LEDGER, files.ledger),
        apart=io.read(deployment.APART, files.apart),
    )


def model_text(applied: Applied) -> str:
    """Which model was applied, in words."""
    manifest = applied.manifest
    counts = [part.patients for part in manifest.training_cohort.values()]
    known = sum(count for count in counts if count is not None)
    about = "at least " if None in counts else ""
    simulated = "simulated " if manifest.simulated else ""
    parent = _update_text(manifest)
    return (
        f"Nothing was trained: every prediction is of the locked model {manifest.hash[:12]}, which learned "
        f"from {about}{known} {simulated}patients of {len(counts)} other "
        f"{'center' if len(counts) == 1 else 'centers'}.{parent} Numbers about training are not shown."
    )


def _update_text(manifest: Manifest) -> str:
    if manifest.parent is None or manifest.update is None:
        return ""
    update = manifest.update
    steps = ", ".join(f"{name}: {change.step}" for name, change in update.models.items())
    return (
        f" It updates the model {manifest.parent[:12]} by {update.patients} patients of center {update.center} "
        f"({steps})."
    )


def looks_text(applied: Applied) -> str:
    """How the patients of this report were looked at before; "" if they were not."""
    if applied.looks.empty:
        return ""
    last = applied.looks.iloc[-1]
    fitted = ""
    if last["fitted_to"]:
        fitted = (
            "This updated model was fitted to patients of this report: their results are in-sample, and too "
            "good. Cross-validated results of the update are in the report of the model that it updates. "
        )
    if not last["seen_before"]:
        return fitted.strip()
    return fitted + (
        f"This is look {last['look']} of this folder's log: {last['note']}. A further result on the same "
        "patients is no further validation, and a model that was chosen after a look at them was not "
        "validated on them."
    )


def outside_text(applied: Applied, least: int) -> str:
    """How many patients are unlike the training patients; "" if none is."""
    # Whoever is scored apart is in no number of the page: see `report.counted`.
    counted = applied.patients[~applied.patients["patient"].isin(applied.scored_apart.index)]
    outside, of = int(counted["outside"].sum()), len(counted)
    if outside == 0:
        return ""
    few = min(outside, of - outside) < least and outside != of
    count = f"Fewer than {least}, or nearly all," if few else numbers.count(outside)
    return (
        f"{count} of {numbers.count(of)} patients are outside of the model's training range: their "
        "acquisition or their embedding is unlike that of the training patients "
        "(docs/locked-model.md). They are predicted nevertheless and are in all results; where they are "
        "enough, they also have results of their own, as the subgroup training_range."
    )


def frozen_text(applied: Applied, least: int) -> str:
    """Which predictions were made before the outcome; "" if none was frozen.

    The number of frozen predictions is not in it: by subtraction, it would show how few are scored apart.
    """
    if applied.ledger.empty:
        return ""
    ledger = applied.ledger.iloc[0]
    return (
        f"Predictions were written to a ledger when they were made{_dates_text(applied, least)}; the hash of its "
        f"last line is {ledger['head'][:12]}. Where the outcome is "
        "known by now, these predictions are scored, not new ones."
        + _missing_text(int(ledger["missing"]), least)
        + _apart_text(applied, least)
    )


def _dates_text(applied: Applied, least: int) -> str:
    """When the predictions were made that are counted; "" if these are few, as it is a date of one of them."""
    frozen = applied.patients[applied.patients["standing"] == Standing.BEFORE]
    if len(frozen) < least:
        return ""
    dates = frozen["predicted_at"].str[:10]
    return f", from {dates.min()} to {dates.max()}"


def _missing_text(missing: int, least: int) -> str:
    if missing == 0:
        return ""
    many = f"Fewer than {least}" if missing < least else numbers.count(missing)
    return (
        f" {many} patients with a frozen prediction are not in the cohort any more and are not scored. If they "
        "were left out because of their outcome, the results are too good."
    )


def _apart_text(applied: Applied, least: int) -> str:
    by_center = applied.scored_apart.value_counts()
    if by_center.empty:
        return ""
    few = bool((by_center < least).any())
    many = "Some" if few else numbers.count(int(by_center.sum()))
    hidden = f" (their number is hidden: fewer than {least} of a center)" if few else ""
    return (
        f" {many} patients of these centers{hidden} have no prediction that was surely made before their outcome, "
        "or it was withdrawn. They are in no number of this report, not even in the flow of participants; "
        "deployment/apart.csv scores them where they are enough."
    )
