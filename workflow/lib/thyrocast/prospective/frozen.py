"""Frozen predictions: made before the outcome, written once, and scored when the outcome is known.

The first prediction of a prospective patient is added to an append-only ledger, with its time and the
hashes of model and image. From then on it is the patient's prediction, whatever the code would compute.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import pandas as pd
from pydantic import model_validator

from thyrocast.application.apply import Patients
from thyrocast.contract.columns import CLINICAL
from thyrocast.contract.manifest import Sha256
from thyrocast.contract.names import Model, Role
from thyrocast.errors import InputError
from thyrocast.ledgers import chain
from thyrocast.prospective import timing
from thyrocast.signature.model import Forecast

#: What the file is, for messages.
NAME = "the ledger of frozen predictions"


class Frozen(chain.Link):
    """The first prediction of one patient.

    Attributes
    ----------
    date
        When it was made: ISO 8601, UTC.
    locked_model
        Hash of the model.
    patient, center
        Pseudonym and center.
    image
        SHA-256 of the standardized image's numbers.
    clinical
        SHA-256 of the patient's clinical values.
    error
        Largest accepted share of prediction sets without the true outcome.
    distance, acquisition, outside
        As in the table `APPLIED_PATIENTS`.
    probability
        Probability of cure by every model.
    odds
        Log-odds of cure by every model and member.
    p_values
        Conformal p values of not cured and of cured.
    own
        SHA-256 of the rest of the line, by which an edit of the last line is noticed.
    """

    date: str
    locked_model: Sha256
    patient: str
    center: str
    image: Sha256
    clinical: Sha256
    error: float
    distance: float
    acquisition: str
    outside: bool
    probability: dict[str, float]
    odds: dict[str, dict[str, float]]
    p_values: dict[str, tuple[float, float]]
    own: Sha256

    @model_validator(mode="after")
    def _is_unchanged(self) -> Self:
        if self.own != own_hash(self.model_dump(mode="json")):
            raise ValueError("the line does not have the hash that it states")
        return self


def own_hash(line: Mapping[str, object]) -> str:
    """Return the hash of a line without its key ``own``."""
    rest = {key: value for key, value in line.items() if key != "own"}
    return chain.digest(json.dumps(rest, sort_keys=True, separators=(",", ":")))


def read(path: Path) -> list[Frozen]:
    """Read the ledger; none if there is no file.

    Raises
    ------
    InputError
        If a line was edited, moved or deleted.
    """
    return chain.read(path, Frozen, NAME)


@dataclass(frozen=True)
class Rules:
    """What the study says about frozen predictions.

    Attributes
    ----------
    locked_model
        Hash of the locked model.
    error
        Largest accepted share of prediction sets without the true outcome.
    withdrawn
        Patients whose frozen prediction is not used.
    scans
        Date of the earliest scan, by patient; without it, the clock is not compared with it.
    """

    locked_model: str
    error: float
    withdrawn: Collection[str] = ()
    scans: Mapping[str, str] = dataclasses.field(default_factory=dict)


def freeze(
    path: Path, patients: Patients, forecast: Forecast, flagged: pd.DataFrame, rules: Rules
) -> list[Frozen]:
    """Add the predictions of prospective patients who have none in the ledger yet.

    Parameters
    ----------
    path
        The ledger; without prospective patients it is only read.
    patients, forecast
        Patients and what was computed for them.
    flagged
        Table `APPLIED_PATIENTS`, in their order.
    rules
        What the study says.

    Returns
    -------
    list of Frozen
        All lines of the ledger.

    Raises
    ------
    InputError
        If the ledger was edited, if model, images or error are not those of its predictions, or if the clock
        is slow.
    """
    before = read(path)
    check(before, patients, rules)
    prospective = (patients.cohort["role"] == Role.PROSPECTIVE).to_numpy(bool)
    if not prospective.any():
        return before

    def new(earlier: list[Frozen], previous: str) -> list[Frozen]:
        check(earlier, patients, rules)
        known = {one.patient for one in earlier}
        names = patients.cohort["patient"]
        rows = [int(row) for row in np.flatnonzero(prospective) if names.iloc[row] not in known]
        if rows:
            scanned = {name: rules.scans[name] for name in names.iloc[rows] if name in rules.scans}
            last = earlier[-1].date if earlier else None
            timing.check_clock(str(flagged["predicted_at"].iloc[rows[0]]), last, scanned)
        found: list[Frozen] = []
        for row in rows:
            found.append(_entry(previous, row, patients, forecast, flagged, rules))
            previous = chain.digest(found[-1].line())
        return found

    return chain.append(path, Frozen, NAME, new)


def _entry(
    previous: str,
    row: int,
    patients: Patients,
    forecast: Forecast,
    flagged: pd.DataFrame,
    rules: Rules,
) -> Frozen:
    flags = flagged.iloc[row]
    cells = {
        "previous": previous,
        "date": str(flags["predicted_at"]),
        "locked_model": rules.locked_model,
        "patient": str(flags["patient"]),
        "center": str(flags["center"]),
        "image": patients.images[row],
        "clinical": clinical_hash(patients.cohort.iloc[row]),
        "error": rules.error,
        "distance": float(flags["distance"]),
        "acquisition": str(flags["acquisition"]),
        "outside": bool(flags["outside"]),
        "probability": {
            name.value: float(value[row]) for name, value in forecast.probability.items()
        },
        "odds": {
            name.value: {member: float(value[row]) for member, value in members.items()}
            for name, members in forecast.odds.items()
        },
        "p_values": {
            name.value: [float(value[row, 0]), float(value[row, 1])]
            for name, value in forecast.p_values.items()
        },
    }
    return Frozen.model_validate_json(json.dumps(cells | {"own": own_hash(cells)}))


def clinical_hash(row: pd.Series) -> str:
    """Return the hash of a patient's clinical values, as the cohort has them."""
    values = [None if pd.isna(row[name]) else row[name] for name in CLINICAL]
    return hashlib.sha256(json.dumps([str(value) for value in values]).encode()).hexdigest()


def check(entries: Collection[Frozen], patients: Patients, rules: Rules) -> None:
    """Compare model, images and error with those of the frozen predictions.

    Raises
    ------
    InputError
        If they differ, if a center with frozen predictions is not in the study, or if a withdrawn patient
        is nowhere.
    """
    _check_names(entries, patients, rules)
    known = {one.patient for one in entries} | set(patients.cohort["patient"])
    for patient in sorted(set(rules.withdrawn) - known):
        raise InputError(
            f"key prospective.withdrawn: {patient} is neither in the cohort nor in the ledger of frozen "
            "predictions, expected the pseudonym of a patient: correct or remove it"
        )
    centers = set(patients.cohort["center"])
    images = dict(zip(patients.cohort["patient"], patients.images, strict=True))
    for one in entries:
        if one.center not in centers:
            raise InputError(
                f"center {one.center}: it has frozen predictions, but the study has no patient of a center "
                "of this name: restore its block and name in the config, or start a study of another name"
            )
        if one.locked_model != rules.locked_model:
            raise InputError(
                f"center {one.center}: its frozen predictions were made by the locked model "
                f"{one.locked_model[:12]}, but the key model names {rules.locked_model[:12]}: name the "
                "first one, or start a study of another name for the second"
            )
        if one.error != rules.error:
            raise InputError(
                f"center {one.center}: its prediction sets were made with the error {one.error:g}, but the "
                f"config says {rules.error:g}: set evaluation.prediction_sets.error to {one.error:g}"
            )
        if one.patient in rules.withdrawn:
            continue
        if images.get(one.patient, one.image) != one.image:
            raise InputError(
                f"center {one.center}, patient {one.patient}: the standardized image is not the one whose "
                "prediction is frozen: restore the scan, the settings of the image or the version of "
                "thyrocast, or list the patient in prospective.withdrawn, which scores it apart"
            )


def _check_names(entries: Collection[Frozen], patients: Patients, rules: Rules) -> None:
    """Refuse a patient whose identifier was changed: the prediction would be made, and counted, twice."""
    present = dict(zip(patients.cohort["patient"], patients.images, strict=True))
    frozen = {one.patient for one in entries}
    new = {image: patient for patient, image in present.items() if patient not in frozen}
    for one in entries:
        other = new.get(one.image)
        if not other or one.patient in present or one.patient in rules.withdrawn:
            continue
        raise InputError(
            f"center {one.center}, patient {other}: has the image of {one.patient}, whose prediction is frozen and who "
            "is not in the cohort any more: restore the identifier in table and images, or list "
            f"{one.patient} in prospective.withdrawn, which scores the patient apart"
        )


def used(entries: Collection[Frozen], withdrawn: Collection[str]) -> dict[str, Frozen]:
    """Return the prediction that is used, by patient."""
    return {one.patient: one for one in entries if one.patient not in withdrawn}


def restore(forecast: Forecast, patients: Patients, known: Mapping[str, Frozen]) -> Forecast:
    """Return the forecast with the frozen numbers in place of those that were just computed.

    Raises
    ------
    InputError
        If the models that were frozen are not those that predict.
    """
    probability = {name: values.copy() for name, values in forecast.probability.items()}
    odds = {
        name: {member: values.copy() for member, values in members.items()}
        for name, members in forecast.odds.items()
    }
    p_values = {name: values.copy() for name, values in forecast.p_values.items()}
    for row, patient in enumerate(patients.cohort["patient"]):
        one = known.get(patient)
        if one is None:
            continue
        if one.probability.keys() != {name.value for name in probability}:
            raise InputError(
                f"center {one.center}, patient {patient}: other models were frozen than this version of "
                "thyrocast computes: use the version that made the predictions"
            )
        for name, value in one.probability.items():
            probability[Model(name)][row] = value
        for name, members in one.odds.items():
            for member, value in members.items():
                odds[Model(name)][member][row] = value
        for name, pair in one.p_values.items():
            p_values[Model(name)][row] = pair
    return dataclasses.replace(forecast, probability=probability, odds=odds, p_values=p_values)
