"""The prediction of a prospective patient as DICOM objects, by highdicom.

An Enhanced SR (template TID 1500) has the numbers: of the structured reports with measurements and image references
it needs the least from an archive. The map is a Secondary Capture with the scintigram, since nearly every
archive and viewer shows one; a Parametric Map would keep the map's values, but few viewers show it, and a
planar scintigram often has no frame of reference in which to place it.
"""

from __future__ import annotations

import datetime
import hashlib
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from highdicom.enum import CoordinateSystemNames, PhotometricInterpretationValues
from highdicom.sc import SCImage
from highdicom.sr import (
    AlgorithmIdentification,
    CodedConcept,
    DeviceObserverIdentifyingAttributes,
    EnhancedSR,
    Measurement,
    MeasurementReport,
    MeasurementsAndQualitativeEvaluations,
    ObservationContext,
    ObserverContext,
    QualitativeEvaluation,
    RelationshipTypeValues,
    SourceImageForMeasurementGroup,
    TextContentItem,
    TrackingIdentifier,
)
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

import thyrocast
from thyrocast.contract.names import PredictionSet

RESEARCH = "FOR RESEARCH USE ONLY"
MANUFACTURER = "thyrocast"
#: Designator of the codes for which there is no public one.
SCHEME = "99THYROCAST"
_SR_SERIES, _SC_SERIES = 9901, 9902
_BAND = 24
#: Attributes that an object of the same patient and study needs, where the source has none.
_TYPE_2 = (
    "PatientID", "PatientName", "PatientBirthDate", "PatientSex", "AccessionNumber", "StudyID",
    "StudyDate", "StudyTime", "ReferringPhysicianName",
)  # fmt: skip


@dataclass(frozen=True)
class Prediction:
    """What the objects of one patient say.

    Attributes
    ----------
    rows
        The patient's rows of the table `PROSPECTIVE`.
    image
        SHA-256 of the standardized image's numbers.
    source
        Header of the scan; None for objects of a pseudonym.
    frames
        Frames of the scan that were used, from 1.
    simulated
        Whether the model learned from simulated patients.
    """

    rows: pd.DataFrame
    image: str
    source: Dataset | None
    frames: Sequence[int]
    simulated: bool

    @property
    def main(self) -> pd.Series:
        """The row of the model that heads the report."""
        return self.rows[self.rows["main"]].iloc[0]

    def uid(self, kind: str) -> str:
        """Return an identifier that is the same whenever the object has the same content."""
        cells = self.rows.astype(object).where(self.rows.notna(), None).to_dict("records")
        study = str(self.source.StudyInstanceUID) if self.source is not None else "pseudonym"
        facts = [cells, self.image, self.simulated, study, thyrocast.__version__, kind]
        content = json.dumps(facts, default=str)
        return str(generate_uid(entropy_srcs=[content]))


def reference(prediction: Prediction) -> Dataset:
    """Return patient and study of the objects: those of the scan, or of the pseudonym."""
    found = Dataset()
    if prediction.source is not None:
        found.update(prediction.source)
    else:
        patient = str(prediction.main["patient"])
        found.PatientID = patient
        found.PatientName = f"{patient}^"
        found.PatientIdentityRemoved = "YES"
        found.DeidentificationMethod = "pseudonym; no UID of the scan"
        found.StudyInstanceUID = generate_uid(entropy_srcs=[f"thyrocast study {patient}"])
    for name in _TYPE_2:
        if name not in found:
            setattr(found, name, "")
    if found.PatientSex not in ("M", "F", "O"):
        found.PatientSex = ""
    return found


def capture(prediction: Prediction, picture: bytes) -> Dataset:
    """Return the map over the scintigram as a Secondary Capture.

    Parameters
    ----------
    prediction
        The patient.
    picture
        PNG of the scintigram with the map.
    """
    pixels = _with_band(picture)
    # Another picture is another object: archives keep the first one of a UID.
    drawn = hashlib.sha256(picture).hexdigest()
    made = SCImage.from_ref_dataset(
        reference(prediction),
        pixel_array=pixels,
        photometric_interpretation=PhotometricInterpretationValues.RGB,
        bits_allocated=8,
        coordinate_system=CoordinateSystemNames.PATIENT,
        series_instance_uid=prediction.uid("sc series"),
        series_number=_SC_SERIES,
        sop_instance_uid=prediction.uid(f"sc {drawn}"),
        instance_number=1,
        manufacturer=MANUFACTURER,
        patient_orientation=("L", "F"),
        transfer_syntax_uid=ExplicitVRLittleEndian,
        series_description="thyrocast Grad-CAM, research use only",
    )
    _describe(made, prediction)
    # Not a paired part of the body, so there is no laterality.
    made.BodyPartExamined = "THYROID"
    made.BurnedInAnnotation = "NO"
    made.DerivationDescription = "Grad-CAM of the network over the standardized scintigram"
    if prediction.source is not None:
        item = Dataset()
        item.ReferencedSOPClassUID = prediction.source.SOPClassUID
        item.ReferencedSOPInstanceUID = prediction.source.SOPInstanceUID
        if int(prediction.source.get("NumberOfFrames") or 1) > 1:
            item.ReferencedFrameNumber = [*prediction.frames]
        made.SourceImageSequence = [item]
    return made


def _with_band(picture: bytes) -> NDArray[np.uint8]:
    """Pixels of the picture (height, width, 3), with a band below it that says what it is for."""
    with Image.open(io.BytesIO(picture)) as opened:
        image = opened.convert("RGB")
    canvas = Image.new("RGB", (image.width, image.height + _BAND))
    canvas.paste(image, (0, 0))
    font = ImageFont.load_default(size=14)
    place = (image.width / 2, image.height + _BAND / 2)
    ImageDraw.Draw(canvas).text(place, RESEARCH, fill="white", font=font, anchor="mm")
    return np.asarray(canvas, dtype=np.uint8)


def report(prediction: Prediction, captured: Dataset) -> Dataset:
    """Return the prediction as a structured report.

    Parameters
    ----------
    prediction
        The patient.
    captured
        The Secondary Capture, which the report of a pseudonym refers to instead of the scan.
    """
    evidence = captured
    if prediction.source is not None:
        evidence = reference(prediction)
    several = int(evidence.get("NumberOfFrames") or 1) > 1
    image = SourceImageForMeasurementGroup.from_source_image(
        evidence, [*prediction.frames] if several else None
    )
    groups = [_group(row, prediction, image) for _, row in prediction.rows.iterrows()]
    observer = ObserverContext(
        observer_type=codes.DCM.Device,
        observer_identifying_attributes=DeviceObserverIdentifyingAttributes(
            uid=generate_uid(entropy_srcs=["thyrocast", prediction.main["locked_model"]]),
            name=f"thyrocast, {RESEARCH.lower()}",
            manufacturer_name=MANUFACTURER,
        ),
    )
    content = MeasurementReport(
        observation_context=ObservationContext(observer_device_context=observer),
        procedure_reported=codes.SCT.NuclearMedicineProcedure,
        imaging_measurements=groups,
        title=codes.DCM.ImagingMeasurementReport,
    )
    made = EnhancedSR(
        evidence=[evidence],
        content=content,
        series_instance_uid=prediction.uid("sr series"),
        series_number=_SR_SERIES,
        sop_instance_uid=prediction.uid(f"sr {captured.SOPInstanceUID}"),
        instance_number=1,
        manufacturer=MANUFACTURER,
        is_complete=True,
        is_final=False,
        series_description="thyrocast prediction, research use only",
    )
    _describe(made, prediction)
    scheme = Dataset()
    scheme.CodingSchemeDesignator = SCHEME
    scheme.CodingSchemeName = "Codes of thyrocast"
    scheme.CodingSchemeResponsibleOrganization = MANUFACTURER
    made.CodingSchemeIdentificationSequence = [scheme]
    return made


def _describe(made: Dataset, prediction: Prediction) -> None:
    """Set times to that of the prediction, so that equal predictions give equal objects."""
    # Times in DICOM are local, as are those of the study that are copied from the scan.
    at = datetime.datetime.fromisoformat(str(prediction.main["predicted_at"])).astimezone()
    made.SoftwareVersions = thyrocast.__version__
    made.ManufacturerModelName = f"locked model {prediction.main['locked_model'][:12]}"
    for name in ("InstanceCreationDate", "ContentDate", "SeriesDate", "DateOfSecondaryCapture"):
        if name in made or name == "SeriesDate":
            setattr(made, name, at.strftime("%Y%m%d"))
            setattr(made, name.replace("Date", "Time"), at.strftime("%H%M%S"))
    for equipment in made.get("ContributingEquipmentSequence", []):
        equipment.ContributionDateTime = at.strftime("%Y%m%d%H%M%S")


def _code(value: str, meaning: str) -> CodedConcept:
    return CodedConcept(value, SCHEME, meaning)


_SETS = {
    PredictionSet.CURED: _code("cured", "Cured"),
    PredictionSet.NOT_CURED: _code("not_cured", "Not cured"),
    PredictionSet.UNCERTAIN: _code("uncertain", "Cannot decide: cured or not cured"),
    PredictionSet.ATYPICAL: _code("atypical", "Cannot decide: unlike training patients"),
}


def _group(
    row: pd.Series, prediction: Prediction, image: SourceImageForMeasurementGroup
) -> MeasurementsAndQualitativeEvaluations:
    """Return one model's probability, set and decision."""
    evaluations = []
    if pd.notna(row["prediction"]):
        chosen = _SETS[PredictionSet(str(row["prediction"]))]
        evaluations.append(QualitativeEvaluation(_code("set", "Prediction set"), chosen))
    if pd.notna(row["called_cured"]):
        cured = _SETS[PredictionSet.CURED if row["called_cured"] else PredictionSet.NOT_CURED]
        evaluations.append(QualitativeEvaluation(_code("decision", "Decision"), cured))
    numbers = [_number("probability", "Probability of cure", row["probability"])]
    if pd.notna(row["threshold"]):
        numbers.append(_number("threshold", "Threshold of the decision", row["threshold"]))
    name = str(row["model"])
    group = MeasurementsAndQualitativeEvaluations(
        tracking_identifier=TrackingIdentifier(
            uid=prediction.uid(f"group {name}"), identifier=f"{name}{', main' * bool(row['main'])}"
        ),
        algorithm_id=AlgorithmIdentification(
            name=f"thyrocast {name}",
            version=thyrocast.__version__,
            parameters=[
                f"locked model SHA-256 {row['locked_model']}",
                f"standardized image SHA-256 {prediction.image}",
                f"predicted at {row['predicted_at']}",
            ],
        ),
        measurements=numbers,
        qualitative_evaluations=evaluations or None,
        source_images=[image],
    )
    for text in (RESEARCH, *_flags(row, prediction.simulated)):
        group[0].ContentSequence.append(
            TextContentItem(
                name=codes.DCM.Comment,
                value=text,
                relationship_type=RelationshipTypeValues.CONTAINS,
            )
        )
    return group


def _number(name: str, meaning: str, value: Any) -> Measurement:
    return Measurement(_code(name, meaning), float(value), codes.UCUM.NoUnits)


def _flags(row: pd.Series, simulated: bool) -> list[str]:
    """Flags of a patient, and of the model, as short texts."""
    agree, changed = row["members_agree"], row["clinical_changed"]
    found = {
        "the model learned from simulated patients, and says nothing about real ones": "yes" * simulated,
        "networks on the other side of the threshold": f"{1 - agree:.0%}" if agree < 1 else "",
        "clinical values changed since the prediction": "yes" * bool(pd.notna(changed) and changed),
        "out of range: acquisition": str(row["acquisition"]),
        "out of range: image": "yes" * bool(row["distance"] > 1),
        "quality of the scan": str(row["quality"]),
        "another decision than the main model": "yes" * bool(pd.notna(row["disagrees"]) and row["disagrees"]),
    }  # fmt: skip
    return [f"{name}: {value}" for name, value in found.items() if value]
