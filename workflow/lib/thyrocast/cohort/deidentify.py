"""A center's share of a study as a package that names nobody and that a study takes as a center.

Nothing is cleaned, everything is written anew: each object holds what is listed here and no other
element, so that nothing identifying can be overlooked. That is more than the Basic Application
Level Confidentiality Profile asks for (DICOM PS3.15 Annex E.2), with the options to retain
longitudinal temporal information with modified dates (E.3.6) and patient characteristics (E.3.7),
as each object says of itself. What a center must not send is refused: secondary captures and
pictures, whose pixels may show a name (E.3.1).
"""

import datetime
import hashlib
import hmac
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filewriter import dcmwrite
from pydicom.sequence import Sequence as Items
from pydicom.uid import UID, ExplicitVRLittleEndian, NuclearMedicineImageStorage

from thyrocast import fileio
from thyrocast.cohort.registration import Registration, register_center, unquote_name
from thyrocast.contract import columns as contract_columns
from thyrocast.dicom.pixels import PixelError, read_counts

LOG = logging.getLogger("thyrocast")
Settings = Mapping[str, Any]

# Every therapy of a package falls on this day; scans keep their interval from it.
THERAPY_DAY = datetime.date(2000, 1, 1)
NOON = datetime.datetime(2000, 1, 1, 12)
_IMPLEMENTATION = UID("2.25.201450783276194306531262826190317152713")
# Codes of PS3.16 CID 7050 that stand in DeidentificationMethodCodeSequence.
_METHODS = (
    ("113100", "Basic Application Confidentiality Profile"),
    ("113107", "Retain Longitudinal Temporal Information Modified Dates Option"),
    ("113108", "Retain Patient Characteristics Option"),
)
_VENDORS = {
    "ge": "GE MEDICAL SYSTEMS", "siemens": "SIEMENS NM", "philips": "Philips Medical Systems",
    "mediso": "Mediso", "canon": "Canon", "hitachi": "Hitachi", "digirad": "Digirad",
}  # fmt: skip
_COLUMNS = ("patient", "therapy_date", "outcome", *contract_columns.CLINICAL)


class RefusedError(ValueError):
    """A scan that must not leave the center; the message says why."""


@dataclass(frozen=True)
class _Picture:
    """What an object of the package holds besides the patient."""

    pixels: NDArray[np.uint16]
    description: str
    spacing: tuple[float, float]
    seconds: float | None
    moment: datetime.datetime
    anterior: bool


def write_package(
    registration: Registration, folder: Path, center: Settings, key: bytes, target: Path
) -> int:
    """Write a center's included patients.

    Parameters
    ----------
    registration
        What `thyrocast.cohort.registration.register_center` found.
    folder
        The center's DICOM folder.
    center
        The center's block of the config.
    key
        Secret of the pseudonyms; unique identifiers follow from it too.
    target
        Folder for ``dicom/``, ``clinical.csv`` and ``center.yaml``, the block for another config.

    Returns
    -------
    int
        Number of patients in the package; those refused are logged.
    """
    register = {row["patient"]: row for row in registration.register if row["included"]}
    rows = []
    for scan in registration.scans:
        patient = scan["patient"]
        if scan["rank"] != 0:
            continue
        try:
            objects = _objects(scan, folder)
        except (RefusedError, PixelError) as error:
            LOG.warning("%s is left out of the package: %s", patient, error)
            continue
        for number, picture in enumerate(objects, 1):
            dataset = _dataset(picture, scan, register[patient], key, number)
            path = target / "dicom" / patient / f"{number}.dcm"
            path.parent.mkdir(parents=True, exist_ok=True)
            with fileio.atomic(path) as temporary:
                dcmwrite(temporary, dataset, enforce_file_format=True)
        outcome = {1: "cured", 0: "not cured"}.get(register[patient]["outcome"], "")
        therapy = THERAPY_DAY.isoformat() if scan["therapy_date"] else ""
        rows.append(
            {
                **{name: register[patient].get(name, "") for name in contract_columns.CLINICAL},
                "patient": patient,
                "therapy_date": therapy,
                "outcome": outcome,
            }
        )
    fileio.write_csv(target / "clinical.csv", _COLUMNS, rows)
    with fileio.atomic(target / "center.yaml") as temporary:
        temporary.write_text(
            yaml.safe_dump({"centers": [_block(center)]}, sort_keys=False), encoding="utf-8"
        )
    return len(rows)


def _block(center: Settings) -> dict[str, Any]:
    name = center["name"]
    block: dict[str, Any] = {
        "name": name,
        "role": center["role"],
        "dicom": f"{name}/dicom",
        "clinical": f"{name}/clinical.csv",
        "columns": {column: column for column in _COLUMNS},
    }
    if center["role"] != "prospective":
        block["outcome"] = {"rule": "given", "cured": ["cured"], "not_cured": ["not cured"]}
    return block


def _objects(scan: Mapping[str, Any], folder: Path) -> list[_Picture]:
    """The scan, its frames summed and turned head up, and the syringe's images."""
    if scan["kind"] == "capture":
        raise RefusedError("a capture, whose pixels may show who it is of")
    spacing = (float(scan["row_mm"]), float(scan["column_mm"]))
    turn = int(scan["turn"])
    moment = _moment(scan)
    counts = np.rot90(_counts(folder, scan["file"], scan["frames"]), turn)
    pictures = [
        _Picture(
            counts,
            "Thyroid anterior",
            spacing[::-1] if turn % 2 else spacing,
            scan["duration_s"],
            moment,
            anterior=True,
        )
    ]
    for kind, description in (("syringe", "Syringe full"), ("residual", "Syringe residual")):
        if scan.get(f"{kind}_file"):
            shot = _counts(folder, scan[f"{kind}_file"], str(scan[f"{kind}_frame"]))
            # The hour may pass midnight, but the day must stay the scan's.
            taken = moment - datetime.timedelta(minutes=scan[f"{kind}_min"])
            if taken.date() == moment.date():
                pictures.append(
                    _Picture(shot, description, spacing, scan[f"{kind}_s"], taken, anterior=False)
                )
    return pictures


def _moment(scan: Mapping[str, Any]) -> datetime.datetime:
    """Noon of the day that lies as long before `THERAPY_DAY` as the scan before the therapy."""
    days = scan["days_before"]
    return NOON - datetime.timedelta(days=days if days is not None else 0)


def _counts(folder: Path, file: str, frames: str) -> NDArray[np.uint16]:
    image = read_counts(folder / unquote_name(file), [int(n) for n in frames.split()]).image
    whole = np.maximum(np.rint(image), 0.0)
    if whole.max() > np.iinfo(np.uint16).max:
        raise RefusedError("summed counts beyond 16 bits")
    return whole.astype(np.uint16)


def _dataset(
    picture: _Picture,
    scan: Mapping[str, Any],
    row: Mapping[str, Any],
    key: bytes,
    number: int,
) -> Dataset:
    """One object of the Nuclear Medicine Image Storage class (PS3.3 A.5)."""
    patient = row["patient"]
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.ImageType = ["DERIVED", "PRIMARY", "STATIC", "EMISSION"]
    dataset.SOPClassUID = NuclearMedicineImageStorage
    dataset.SOPInstanceUID = _uid(key, patient, "instance", number)
    dataset.StudyInstanceUID = _uid(key, patient, "study")
    dataset.SeriesInstanceUID = _uid(key, patient, "series", number)
    day, hour = picture.moment.strftime("%Y%m%d"), picture.moment.strftime("%H%M%S")
    for kind in ("Study", "Series", "Acquisition", "Content"):
        setattr(dataset, f"{kind}Date", day)
        setattr(dataset, f"{kind}Time", hour)
    dataset.Modality = "NM"
    dataset.Manufacturer = _VENDORS.get(scan["vendor"] or "", "")
    dataset.ManufacturerModelName = (scan["camera"] or "").replace("_", " ")
    dataset.SeriesDescription = picture.description
    dataset.PatientName = dataset.PatientID = patient
    dataset.PatientSex = {"female": "F", "male": "M", "other": "O"}.get(row.get("sex", ""), "")
    for keyword in (
        "AccessionNumber", "ReferringPhysicianName", "PatientBirthDate", "StudyID", "Laterality",
        "PatientOrientationCodeSequence", "PatientGantryRelationshipCodeSequence",
    ):  # fmt: skip
        setattr(dataset, keyword, None)
    dataset.SeriesNumber = dataset.InstanceNumber = number
    dataset.PatientIdentityRemoved = "YES"
    dataset.DeidentificationMethod = "written anew with listed elements only"
    dataset.DeidentificationMethodCodeSequence = Items(
        [_code(value, meaning, "DCM") for value, meaning in _METHODS]
    )
    dataset.LongitudinalTemporalInformationModified = "MODIFIED"
    dataset.BurnedInAnnotation = "NO"
    if int(scan["simulated"] or 0):
        dataset.ImageComments = "SIMULATED"
    _add_pixels(dataset, picture)
    _add_nuclear_medicine(dataset, picture, scan)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.ImplementationClassUID = _IMPLEMENTATION
    return dataset


def _add_pixels(dataset: Dataset, picture: _Picture) -> None:
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.NumberOfFrames = 1
    dataset.Rows, dataset.Columns = picture.pixels.shape
    dataset.PixelSpacing = [f"{mm:.6g}" for mm in picture.spacing]
    dataset.BitsAllocated = dataset.BitsStored = 16
    dataset.HighBit, dataset.PixelRepresentation = 15, 0
    dataset.PixelData = np.ascontiguousarray(picture.pixels, "<u2").tobytes()
    dataset.LossyImageCompression = "00"


def _add_nuclear_medicine(dataset: Dataset, picture: _Picture, scan: Mapping[str, Any]) -> None:
    """The modules of C.8.4.8 to C.8.4.11, with one detector and one energy window."""
    dataset.FrameIncrementPointer = [0x00540010, 0x00540020]
    dataset.EnergyWindowVector = dataset.DetectorVector = 1
    dataset.NumberOfEnergyWindows = dataset.NumberOfDetectors = 1
    dataset.CountsAccumulated = int(picture.pixels.sum())
    if picture.seconds:
        dataset.ActualFrameDuration = round(1000 * float(picture.seconds))
    limits, window = Dataset(), Dataset()
    # A window of 20 % around the photopeak stands for whichever it was.
    limits.EnergyWindowLowerLimit, limits.EnergyWindowUpperLimit = 126, 154
    window.EnergyWindowRangeSequence = Items([limits])
    dataset.EnergyWindowInformationSequence = Items([window])
    drug = Dataset()
    drug.Radiopharmaceutical = "Tc-99m Pertechnetate"
    drug.RadionuclideCodeSequence = Items([_code("72454006", "^99m^Technetium", "SCT")])
    if scan["tc_activity_mbq"]:
        drug.RadionuclideTotalDose = f"{float(scan['tc_activity_mbq']):.6g}"
    if scan["delay_min"] is not None and picture.anterior:
        start = picture.moment - datetime.timedelta(minutes=scan["delay_min"])
        drug.RadiopharmaceuticalStartDateTime = start.strftime("%Y%m%d%H%M%S")
    dataset.RadiopharmaceuticalInformationSequence = Items([drug])
    detector = Dataset()
    detector.CollimatorType = "PINH" if scan["collimator"] == "pinhole" else "PARA"
    if scan["collimator"]:
        detector.CollimatorGridName = scan["collimator"].upper()
    detector.ImagePositionPatient = detector.ImageOrientationPatient = None
    if picture.anterior:
        detector.ViewCodeSequence = Items([_code("399321004", "Anterior projection", "SCT")])
        detector.ImageOrientationPatient = [1, 0, 0, 0, 0, -1]
    dataset.DetectorInformationSequence = Items([detector])


def _code(value: str, meaning: str, scheme: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def _uid(key: bytes, *names: object) -> UID:
    """A unique identifier that follows from the key and the names (PS3.5 B.2)."""
    text = "\0".join(["uid", *map(str, names)])
    digest = hmac.new(key, text.encode(), hashlib.sha256).digest()
    return UID(f"2.25.{int.from_bytes(digest[:16], 'big') >> 1}")


def package_center(
    center: Settings, settings: Settings, key: bytes, index: Path, target: Path, threads: int
) -> int:
    """Register a center and write its package; see `write_package`."""
    folder = Path(center["dicom"])
    registration = register_center(
        center["clinical"], folder, center, settings, key, index, threads
    )
    return write_package(registration, folder, center, key, target)
