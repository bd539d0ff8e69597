"""What a prospective patient gets from a locked model: one row for each model, with every flag."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from thyrocast.contract import deployment as contract
from thyrocast.contract import io
from thyrocast.contract.cohort import RECORDS, SCANS
from thyrocast.contract.splits import MEMBER_PREDICTIONS


@dataclass(frozen=True)
class Files:
    """Files from which the table of a center is made.

    Attributes
    ----------
    predictions, patients, thresholds
        Tables `APPLIED`, `APPLIED_PATIENTS` and `THRESHOLDS`.
    members
        Table `MEMBER_PREDICTIONS`.
    scans
        The center's private table `SCANS`.
    records
        Tables `RECORDS` of the center's standardization jobs.
    """

    predictions: Path
    patients: Path
    thresholds: Path
    members: Path
    scans: Path
    records: Sequence[Path]


def table(files: Files, center: str, main: str) -> pd.DataFrame:
    """Return the table `PROSPECTIVE` of a center.

    Parameters
    ----------
    files
        What was computed.
    center
        Name of the center.
    main
        The model that heads a patient's sheet; the first one of the table if it did not predict.
    """
    rows = io.read(contract.APPLIED, files.predictions)
    rows = rows[rows["center"] == center]
    flags = io.read(contract.APPLIED_PATIENTS, files.patients).set_index("patient")
    flags = flags[["distance", "acquisition", "clinical_changed"]]
    cuts = io.read(contract.THRESHOLDS, files.thresholds).drop_duplicates("model")
    rows = rows.merge(cuts[["model", "threshold"]], on="model", how="left")
    rows = rows.merge(flags, left_on="patient", right_index=True, how="left")
    rows = rows.merge(used_scans(files.scans, files.records), on="patient", how="left")
    agreeing = _agreement(io.read(MEMBER_PREDICTIONS, files.members), rows)
    rows = rows.merge(agreeing, on=["patient", "model"], how="left")
    heading = main if (rows["model"] == main).any() else rows["model"].iloc[:1].sum() or main
    rows["main"] = rows["model"] == heading
    decided = rows[rows["main"]].set_index("patient")["called_cured"]
    rows["disagrees"] = (rows["called_cured"] != rows["patient"].map(decided)).astype("boolean")
    return io.conform(contract.PROSPECTIVE, rows[list(contract.PROSPECTIVE.names)])


def used_scans(scans: Path, records: Sequence[Path]) -> pd.DataFrame:
    """Return the scan of each patient that was standardized.

    Parameters
    ----------
    scans, records
        As in `Files`.

    Returns
    -------
    DataFrame
        Patient, identifier, scan_date, file (percent-encoded), frames (from 0, separated by spaces) and
        quality (its flags).
    """
    used = io.concat(RECORDS, [io.read(RECORDS, file) for file in records])
    found = io.read(SCANS, scans).merge(used[["patient", "rank"]], on=["patient", "rank"])
    found["quality"] = found["flags"].fillna("")
    return found[["patient", "identifier", "scan_date", "file", "frames", "quality"]]


def _agreement(members: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Share of a model's members that are on its side of the threshold, by patient and model."""
    found = members.merge(rows[["patient", "model", "threshold", "called_cured"]], how="inner")
    found = found[found["called_cured"].notna()]
    probability = 1 / (1 + np.exp(-found["logit"]))
    same = (probability >= found["threshold"]) == found["called_cured"].astype(bool)
    shares = found.assign(members_agree=same.astype(float))
    return shares.groupby(["patient", "model"])["members_agree"].mean().reset_index()
