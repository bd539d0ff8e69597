"""Predictions of a locked model for patients of another hospital."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thyrocast.application import updates
from thyrocast.contract import deployment as contract
from thyrocast.contract import io
from thyrocast.contract.cohort import COHORT
from thyrocast.contract.manifest import Manifest
from thyrocast.contract.names import ALL_SPLITS, Design, Set
from thyrocast.contract.site_names import Standing
from thyrocast.contract.splits import FEATURES, LOGITS, MEMBER_PREDICTIONS, PREDICTIONS, SPLITS
from thyrocast.evaluation.prediction_sets import NAMES
from thyrocast.locked import contents, domain, reference
from thyrocast.planning import bundles
from thyrocast.signature import model as signature
from thyrocast.signature.forest import Classifier
from thyrocast.signature.model import Forecast, SignatureModel
from thyrocast.statistics import conformal

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Locked:
    """A locked model in memory, from its verified copy.

    Attributes
    ----------
    manifest
    model, forests
        The signature, its baselines and heads, and the forest of each member.
    thresholds, ranges
        Tables `contract.deployment.THRESHOLDS` and `RANGES`.
    domain
        Distribution of the training patients' embeddings.
    """

    manifest: Manifest
    model: SignatureModel
    forests: dict[str, Classifier]
    thresholds: pd.DataFrame
    ranges: pd.DataFrame
    domain: domain.Domain


def read(folder: Path) -> Locked:
    """Read the verified copy of a locked model (`deployment.verify.unpack`)."""
    manifest = bundles.read_manifest(bundles.find(folder))
    model = contents.read_signature(folder / contract.SIGNATURE, contents.features(manifest))
    # The order in which log-odds are averaged decides the last bit.
    ordered = {name: model.members[name] for name in manifest.members if name in model.members}
    return Locked(
        manifest=manifest,
        model=model.model_copy(update={"members": ordered}),
        forests=contents.read_forests(folder / contract.FOREST),
        thresholds=io.read(contract.THRESHOLDS, folder / contract.inside(contract.THRESHOLDS)),
        ranges=io.read(contract.RANGES, folder / contract.inside(contract.RANGES)),
        domain=domain.load(folder / contract.DOMAIN),
    )


def of_images(locked: Locked) -> Locked:
    """Return the model without its baselines: what is left predicts from the image alone."""
    members = {
        name: member.model_copy(update={"baselines": {}})
        for name, member in locked.model.members.items()
    }
    return replace(
        locked, model=locked.model.model_copy(update={"members": members, "calibration": {}})
    )


@dataclass(frozen=True)
class Patients:
    """Patients who are predicted, in the order of the split's rows.

    Attributes
    ----------
    cohort : DataFrame
        n rows of `COHORT`.
    embeddings : dict of ndarray, (n, p)
        By each member.
    logits : dict of ndarray, (n,)
        Log-odds by each member's network.
    images : list of str, (n,)
        SHA-256 of each standardized image.
    """

    cohort: pd.DataFrame
    embeddings: dict[str, NDArray[np.float32]]
    logits: dict[str, Array]
    images: list[str]


def read_patients(
    cohort: Path, splits: Path, embeddings: Path, network: Path, images: Path, members: list[str]
) -> Patients:
    """Read the patients of the split, their embeddings and their images.

    Parameters
    ----------
    cohort, splits, embeddings, network, images
        cohort.csv, splits.csv, embeddings.npy, network.csv and images.npy.
    members
        Members in the order of embeddings.npy.
    """
    everyone = io.read(COHORT, cohort)
    division = io.read(SPLITS, splits)
    place = pd.Index(everyone["patient"]).get_indexer(division["patient"])
    rows = everyone.iloc[place].reset_index(drop=True)
    arrays = np.load(embeddings, mmap_mode="r", allow_pickle=False)
    table = io.read(LOGITS, network).set_index(["member", "patient"])["logit"]
    pixels = np.load(images, mmap_mode="r", allow_pickle=False)
    return Patients(
        cohort=rows,
        embeddings={name: np.ascontiguousarray(arrays[n]) for n, name in enumerate(members)},
        logits={name: table[name].loc[rows["patient"]].to_numpy() for name in members},
        images=[
            hashlib.sha256(np.ascontiguousarray(pixels[row], np.float32).tobytes()).hexdigest()
            for row in place
        ],
    )


def predict(locked: Locked, patients: Patients) -> Forecast:
    """Predict patients by the function that also predicts the test patients of a split, then update."""
    forecast = signature.predict(
        locked.model, locked.forests, patients.cohort, patients.embeddings, patients.logits
    )
    update = locked.manifest.update
    if update is None:
        return forecast
    return updates.apply(forecast, update, locked.domain, patients.embeddings[update.member])


def as_split(forecast: Forecast, patients: Patients) -> pd.DataFrame:
    """Return the table `PREDICTIONS` of the split ``external/all``, all of whose patients are tested."""
    rows = patients.cohort[["patient", "center", "outcome"]].assign(
        design=Design.EXTERNAL.value, split=ALL_SPLITS, set=Set.TEST.value
    )
    return io.concat(
        PREDICTIONS,
        [
            rows.assign(model=model.value, probability=probability)
            for model, probability in forecast.probability.items()
        ],
    )


def by_member(forecast: Forecast, patients: Patients) -> pd.DataFrame:
    """Return the table `MEMBER_PREDICTIONS` of the split ``external/all``."""
    rows = pd.DataFrame(
        {
            "design": Design.EXTERNAL.value,
            "split": ALL_SPLITS,
            "set": Set.TEST.value,
            "patient": patients.cohort["patient"],
        }
    )
    return io.concat(
        MEMBER_PREDICTIONS,
        [
            rows.assign(model=model.value, member=member, logit=odds)
            for model, members in forecast.odds.items()
            for member, odds in members.items()
        ],
    )


def features(locked: Locked) -> pd.DataFrame:
    """Return the table `FEATURES`: the selected features of every member."""
    frames = []
    for name, member in locked.model.members.items():
        signed = member.signature
        frame = pd.DataFrame(
            {
                "member": name,
                "feature": signed.features,
                "coefficient": signed.coefficients,
                "importance": signed.importances,
            }
        )
        frames.append(frame.sort_values(["importance", "feature"], ascending=[False, True]))
    return io.concat(FEATURES, frames)


def now() -> str:
    """Return the time in ISO 8601, UTC, in seconds."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def flags(locked: Locked, patients: Patients, at: str) -> pd.DataFrame:
    """Return the table `APPLIED_PATIENTS`: who is unlike the training patients.

    Parameters
    ----------
    locked, patients
    at
        Time of the prediction.
    """
    distance = locked.domain.distance(patients.embeddings)
    beyond = reference.outside(patients.cohort, locked.ranges)
    return io.conform(
        contract.APPLIED_PATIENTS,
        pd.DataFrame(
            {
                "locked_model": locked.manifest.hash,
                "predicted_at": at,
                "patient": patients.cohort["patient"],
                "center": patients.cohort["center"],
                "distance": distance,
                "acquisition": [" ".join(names) for names in beyond],
                "outside": (distance > 1) | np.array([bool(names) for names in beyond], dtype=bool),
                "image": patients.images,
                "standing": Standing.UNFROZEN.value,
                "clinical_changed": pd.array([None] * len(patients.images), dtype="boolean"),
            }
        ),
    )


def predictions(
    locked: Locked, forecast: Forecast, flagged: pd.DataFrame, error: float
) -> pd.DataFrame:
    """Return the table `APPLIED`.

    Parameters
    ----------
    locked, forecast
    flagged
        Table `APPLIED_PATIENTS`.
    error
        Largest accepted share of prediction sets without the true outcome.
    """
    names = ["locked_model", "predicted_at", "patient", "center", "outside"]
    first = locked.thresholds.drop_duplicates("model").set_index("model")["threshold"]
    frames = []
    for model, probability in forecast.probability.items():
        cut = first.get(model.value, np.nan)
        rows = flagged[names].assign(
            model=model.value,
            probability=probability,
            called_cured=pd.array([None] * len(flagged), dtype="boolean"),
            p_not_cured=np.nan,
            p_cured=np.nan,
            prediction=np.nan,
        )
        if pd.notna(cut):
            rows["called_cured"] = pd.array(probability >= cut, dtype="boolean")
        if model in forecast.p_values:
            values = forecast.p_values[model]
            kept = conformal.sets(values, error)
            rows["p_not_cured"], rows["p_cured"] = values[:, 0], values[:, 1]
            rows["prediction"] = [NAMES[bool(no), bool(yes)].value for no, yes in kept]
        frames.append(rows.astype({"prediction": "str"}))
    return io.concat(contract.APPLIED, frames)
