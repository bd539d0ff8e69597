"""Tables that the signature reads and writes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from thyrocast import fileio
from thyrocast.errors import InputError
from thyrocast.signature.fitting import Fit, Patients

PATH = ("lambda", "nonzero", "cv_deviance", "cv_se", "chosen")
FEATURES = ("feature", "coefficient", "importance")
PREDICTIONS = ("design", "split", "model", "set", "patient", "center", "outcome", "probability")


def read_patients(cohort: Path, splits: Path, design: str, split: str) -> Patients:
    """Read a split's patients, in the order of its rows in splits.csv.

    Raises
    ------
    InputError
        If the split has no training patient, or one of them has no outcome.
    """
    rows = [
        row for row in fileio.read_csv(splits) if row["design"] == design and row["split"] == split
    ]
    known = {row["patient"]: row for row in fileio.read_csv(cohort)}
    people = [known[row["patient"]] for row in rows]
    train = np.array([row["set"] == "train" for row in rows], dtype=bool)
    if not train.any():
        raise InputError(
            f"split {design}/{split} has no training patient: check `role` of the centers and "
            "`designs` in the config"
        )
    outcome = np.array([float(row["outcome"] or "nan") for row in people])
    for row in np.flatnonzero(train & np.isnan(outcome)):
        raise InputError(
            f"center {people[row]['center']}, patient {people[row]['patient']}, cohort.csv, column "
            "outcome: a training patient has none, expected 1 or 0; give the center the role "
            "prospective or complete its outcomes"
        )
    names = people[0].keys()
    return Patients(
        patient=[row["patient"] for row in people],
        center=[row["center"] for row in people],
        train=train,
        fold=np.array([int(row["fold"] or 0) for row in rows], dtype=np.int64),
        outcome=outcome,
        columns={name: [row[name] for row in people] for name in names},
    )


def read_logits(network: Path, patients: Patients) -> NDArray[np.float64]:
    """Read the networks' log-odds (members, n), in the order full, fold-1, fold-2 and so on."""
    place = {patient: column for column, patient in enumerate(patients.patient)}
    cells: dict[str, NDArray[np.float64]] = {}
    for row in fileio.read_csv(network):
        line = cells.setdefault(row["member"], np.full(len(place), np.nan))
        line[place[row["patient"]]] = float(row["logit"])
    order = ["full", *(f"fold-{k}" for k in range(1, len(cells)))]
    logits = np.stack([cells[member] for member in order])
    if np.isnan(logits).any():
        raise ValueError(f"{network} lacks the log-odds of some patient of the split")
    return logits


def path_rows(fit: Fit) -> Iterator[tuple[object, ...]]:
    """Rows of path.csv; none where no path could be fitted."""
    if fit.path is None:
        return
    chosen = fit.model["signature"]["chosen"]
    for i, penalty in enumerate(fit.path.path.penalties):
        deviance, error = fit.path.deviance[i], fit.path.error[i]
        yield (
            float(penalty),
            int(fit.path.nonzero[i]),
            float(deviance) if np.isfinite(deviance) else None,
            float(error) if np.isfinite(error) else None,
            int(i == chosen),
        )


def feature_rows(fit: Fit) -> Iterator[tuple[object, ...]]:
    """Rows of features.csv: the selected ones, the most important first."""
    signature = fit.model["signature"]
    columns = (signature["features"], signature["coefficients"], signature["importances"])
    yield from sorted(zip(*columns, strict=True), key=lambda row: (-row[2], row[0]))


def prediction_rows(
    patients: Patients, fit: Fit, design: str, split: str
) -> Iterator[tuple[object, ...]]:
    """Rows of predictions.csv: every model, every patient."""
    for model, probability in fit.probabilities.items():
        for i, patient in enumerate(patients.patient):
            outcome = patients.outcome[i]
            yield (
                design,
                split,
                model,
                "train" if patients.train[i] else "test",
                patient,
                patients.center[i],
                None if np.isnan(outcome) else int(outcome),
                float(probability[i]),
            )
