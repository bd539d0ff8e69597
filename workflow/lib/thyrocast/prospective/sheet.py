"""The one-page sheet of a prospective patient: what it says, and the sheet as an HTML page."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd

from thyrocast.contract.manifest import Manifest
from thyrocast.contract.names import PredictionSet
from thyrocast.pages import words

HERE = Path(__file__).parent
RESEARCH = "For research use only"
INTENDED_USE = (
    "Intended use: to compare a prediction that was made before radioiodine therapy of Graves' disease with its "
    "later outcome. The model is no medical device: nobody may decide on a therapy by this sheet."
)
_BRIEF = {
    PredictionSet.CURED: "cured",
    PredictionSet.NOT_CURED: "not cured",
    PredictionSet.UNCERTAIN: "cannot decide (both)",
    PredictionSet.ATYPICAL: "cannot decide (neither)",
}
#: Shortest text that identifies a locked model on paper.
SHORT_HASH = 12


@dataclass(frozen=True)
class Other:
    """What another model says of the patient: name, probability, decision and prediction set."""

    model: str
    probability: str
    decision: str
    prediction: str


@dataclass(frozen=True)
class Sheet:
    """What a sheet says; nothing on it identifies the patient.

    Attributes
    ----------
    patient, center
        Pseudonym and center.
    scanned, predicted
        Dates of the scan and of the prediction.
    model, bundle
        Name of the model, and the short hash of the locked model.
    probability, meaning
        Probability of cure in percent, and what it means.
    decision, prediction
        Decision at the threshold and prediction set, as sentences.
    flags
        What to be careful about, as sentences.
    others
        The other models.
    picture
        The scintigram with the map (PNG); None if there is none.
    simulated
        Whether the model learned from simulated patients.
    """

    patient: str
    center: str
    scanned: str
    predicted: str
    model: str
    bundle: str
    probability: str
    meaning: str
    decision: str
    prediction: str
    flags: tuple[str, ...]
    others: tuple[Other, ...]
    picture: bytes | None
    simulated: bool


def sheets(
    table: pd.DataFrame, manifest: Manifest, error: float, pictures: Path
) -> Iterator[Sheet]:
    """Yield the sheet of each patient.

    Parameters
    ----------
    table
        Table `PROSPECTIVE`.
    manifest
        Of the locked model.
    error
        Largest accepted share of prediction sets without the true outcome.
    pictures
        Folder below which there is a picture ``<pseudonym>.png`` of each patient.
    """
    found = {file.stem: file for file in sorted(pictures.rglob("*.png"))}
    for patient, rows in table.groupby("patient", sort=False):
        main = rows[rows["main"]].iloc[0]
        file = found.get(str(patient))
        yield Sheet(
            patient=str(patient),
            center=str(main["center"]),
            scanned=str(main["scan_date"]) if pd.notna(main["scan_date"]) else "not known",
            predicted=str(main["predicted_at"]).replace("T", " ").replace("Z", " UTC"),
            model=words.model(str(main["model"])),
            bundle=str(main["locked_model"])[:SHORT_HASH],
            probability=percent(main["probability"]),
            meaning=meaning(float(main["probability"])),
            decision=decision(main),
            prediction=in_words(main["prediction"], error),
            flags=tuple(flags(rows)),
            others=tuple(_other(row) for _, row in rows[~rows["main"]].iterrows()),
            picture=file.read_bytes() if file else None,
            simulated=manifest.simulated,
        )


def percent(probability: float) -> str:
    """Return a probability in whole percent; neither 0 nor 100 is claimed of a future outcome."""
    if probability < 0.01:
        return "below 1 %"
    return "above 99 %" if probability > 0.99 else f"{probability:.0%}".replace("%", " %")


def meaning(probability: float) -> str:
    """Return what a probability means, as a sentence."""
    if probability < 0.01 or probability > 0.99:
        many = "fewer than 1" if probability < 0.01 else "more than 99"
    else:
        many = f"about {round(100 * probability)}"
    return (
        f"Of 100 patients with this prediction, {many} would be cured by the first radioiodine therapy, if the "
        "model is as well calibrated at this center as where it was made."
    )


def decision(row: pd.Series) -> str:
    """Return the decision at the stated threshold, as a sentence."""
    if pd.isna(row["called_cured"]):
        return "The locked model states no threshold for this model, so there is no decision."
    side, call = ("at or above", "cure") if row["called_cured"] else ("below", "no cure")
    return f"By the threshold of {row['threshold']:.1%}, the model expects {call}: the probability is {side} it."


def in_words(prediction: Any, error: float) -> str:
    """Return a prediction set, as a sentence that says plainly if the model cannot decide."""
    within = f"at an accepted error of {error:.0%}"
    if pd.isna(prediction):
        return "There is no prediction set, because the locked model has no calibration scores."
    return {
        PredictionSet.CURED: f"Prediction set: cured. The model excludes failure {within}.",
        PredictionSet.NOT_CURED: f"Prediction set: not cured. The model excludes cure {within}.",
        PredictionSet.UNCERTAIN: f"Prediction set: cured or not cured. The model cannot decide {within}.",
        PredictionSet.ATYPICAL: "Prediction set: empty. The model cannot decide: this patient is unlike the "
        "training patients of either outcome.",
    }[PredictionSet(str(prediction))]


def flags(rows: pd.DataFrame) -> Iterator[str]:
    """Yield what to be careful about with a patient's predictions, as sentences.

    Parameters
    ----------
    rows
        The patient's rows of the table `PROSPECTIVE`.
    """
    main = rows[rows["main"]].iloc[0]
    if main["acquisition"]:
        names = words.listing([words.column(name) for name in main["acquisition"].split()])
        yield f"Out of range: the acquisition is unlike that of the training patients ({names})."
    if main["distance"] > 1:
        yield "Out of range: the image is unlike those of the training patients."
    if pd.notna(main["members_agree"]) and main["members_agree"] < 1:
        yield (
            f"Disagreement: {1 - main['members_agree']:.0%} of the model's networks are on the other side of "
            "the threshold."
        )
    against = rows[rows["disagrees"].fillna(False).astype(bool)]
    if len(against):
        names = words.listing([words.model(name) for name in against["model"]])
        yield f"Disagreement: another decision by {names}."
    if main["quality"]:
        names = words.listing([words.plain(name).lower() for name in main["quality"].split()])
        yield f"Quality of the scan: {names}."
    if pd.notna(main["clinical_changed"]) and main["clinical_changed"]:
        yield "Clinical values have changed since this prediction was made."


def _other(row: pd.Series) -> Other:
    call = "–" if pd.isna(row["called_cured"]) else ("cure" if row["called_cured"] else "no cure")
    prediction = "–" if pd.isna(row["prediction"]) else _BRIEF[PredictionSet(row["prediction"])]
    return Other(words.model(str(row["model"])), percent(row["probability"]), call, prediction)


def page(sheet: Sheet) -> str:
    """Return the sheet as an HTML page that needs no other file."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    picture = base64.b64encode(sheet.picture).decode("ascii") if sheet.picture else ""
    return environment.get_template("sheet.html.j2").render(
        sheet=sheet, picture=picture, research=RESEARCH, intended_use=INTENDED_USE
    )
