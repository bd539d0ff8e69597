"""De-identified DICOM objects of a center's patients, for a study at another site.

No object is cleaned; each is written from scratch. It contains the elements listed here and no
others, so that no identifying element can be overlooked. That is more than the Basic Application
Level Confidentiality Profile requires (DICOM PS3.15 Annex E.2), with the options to retain
longitudinal temporal information with modified dates (E.3.6) and patient characteristics (E.3.7),
as each object states. Secondary captures and pictures, whose pixels may show a name, are excluded
(E.3.1).
"""

import datetime
import hashlib
import hmac
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import UID, ExplicitVRLittleEndian, NuclearMedicineImageStorage

from thyrocast.cohort.registration import Registration
from thyrocast.contract.names import ScanKind
from thyrocast.dicom.names import unquote_name
from thyrocast.dicom.pixels import MOST_PIXELS, read_counts

# Every therapy of a package is on this day; scans keep their interval to the therapy.
THERAPY_DAY = datetime.date(2000, 1, 1)
_NOON = datetime.time(12)
_IMPLEMENTATION = UID("2.25.201450783276194306531262826190317152713")
# Codes of PS3.16 CID 7050 for DeidentificationMethodCodeSequence.
_METHODS = (
    ("113100", "Basic Application Confidentiality Profile"),
    ("113107", "Retain Longitudinal Temporal Information Modified Dates Option"),
    ("113108", "Retain Patient Characteristics Option"),
)
_VENDORS = {
    "ge": "GE MEDICAL SYSTEMS", "siemens": "SIEMENS NM", "philips": "Philips Medical Systems",
    "mediso": "Mediso", "canon": "Canon", "hitachi": "Hitachi", "digirad": "Digirad",
}  # fmt: skip
_SEX = {"female": "F", "male": "M", "other": "O"}
_MOST_COUNTS = np.iinfo(np.uint16).max
# Limits in keV of a window of 20 % around the photopeak; the window that was used is not copied.
_WINDOW_KEV = (126, 154)


class RefusedError(ValueError):
    """A scan that must not leave the center; the message is the reason."""


@dataclass(frozen=True)
class Picture:
    """What an object of the package contains in addition to the patient.

    Attributes
    ----------
    pixels
        (rows, columns) counts.
    description
        Description of the series.
    spacing
        Distance of rows and of columns in mm; None for a pinhole.
    duration_s
        Duration in s; None if unknown.
    moment
        Date and time of acquisition, relative to `THERAPY_DAY`.
    anterior
        Whether it is the scan of the patient, not the image of a syringe.
    """

    pixels: NDArray[np.uint16]
    description: str
    spacing: tuple[float, float] | None
    duration_s: float | None
    moment: datetime.datetime
    anterior: bool


@dataclass(frozen=True)
class SyringeShot:
    """The image of a syringe: file, frame from 0, duration in s, minutes before the scan."""

    description: str
    file: str
    frame: int
    duration_s: float
    minutes: float


@dataclass(frozen=True)
class PackageScan:
    """A patient's best scan as the private table describes it; None for what is unknown.

    Attributes
    ----------
    patient
        Pseudonym.
    sex
        Our code.
    file, frames, kind, turn, spacing
        As in `contract.cohort.SCANS`; spacing of rows and of columns in mm.
    moment
        Noon of the day whose interval to `THERAPY_DAY` is that from the scan to the therapy.
    duration_s, tc_activity_mbq, delay_min
        Duration in s, injected activity in MBq, minutes from injection to image.
    vendor, camera, collimator, simulated
        As in `contract.cohort.SCANS`.
    syringes
        Images of the dose syringe.
    """

    patient: str
    sex: str | None
    file: str
    frames: tuple[int, ...]
    kind: str
    turn: int
    spacing: tuple[float, float] | None
    moment: datetime.datetime
    duration_s: float | None
    tc_activity_mbq: float | None
    delay_min: float | None
    vendor: str | None
    camera: str | None
    collimator: str | None
    simulated: bool
    syringes: tuple[SyringeShot, ...]


def best_scans(registration: Registration) -> Iterator[PackageScan]:
    """Yield the best scan of every included patient, in the order of the register."""
    best = registration.scans[registration.scans["rank"] == 0]
    table = best.merge(registration.register[["patient", "sex"]], on="patient", how="left")
    for row in table.astype(object).where(table.notna(), None).to_dict("records"):
        days = int(row["days_before"] or 0)
        day = THERAPY_DAY - datetime.timedelta(days=days)
        yield PackageScan(
            patient=row["patient"],
            sex=row["sex"],
            file=row["file"],
            frames=tuple(int(frame) for frame in row["frames"].split()),
            kind=row["kind"],
            turn=int(row["turn"]),
            spacing=_spacing(row),
            moment=datetime.datetime.combine(day, _NOON),
            duration_s=row["duration_s"],
            tc_activity_mbq=row["tc_activity_mbq"],
            delay_min=row["delay_min"],
            vendor=row["vendor"],
            camera=row["camera"],
            collimator=row["collimator"],
            simulated=bool(row["simulated"]),
            syringes=tuple(_syringes(row)),
        )


def _spacing(row: Mapping[Any, Any]) -> tuple[float, float] | None:
    if row["row_mm"] is None or row["column_mm"] is None:
        return None
    return float(row["row_mm"]), float(row["column_mm"])


def _syringes(row: Mapping[Any, Any]) -> Iterator[SyringeShot]:
    for prefix, description in (("syringe", "Syringe full"), ("residual", "Syringe residual")):
        file = row[f"{prefix}_file"]
        if file is not None:
            frame, seconds, minutes = (row[f"{prefix}_{name}"] for name in ("frame", "s", "min"))
            yield SyringeShot(description, file, int(frame), float(seconds), float(minutes))


def pictures_of(scan: PackageScan, folder: Path) -> list[Picture]:
    """Return the scan, its frames summed and turned head up, and the images of the syringe.

    Raises
    ------
    RefusedError
        If a scan must not leave the center.
    PixelError
        If its pixels can't be decoded.
    """
    if scan.kind == ScanKind.CAPTURE:
        raise RefusedError("a capture, whose pixels may show a name")
    counts = np.rot90(_counts(folder, scan.file, scan.frames), scan.turn)
    spacing = scan.spacing
    if spacing and scan.turn % 2:
        spacing = (spacing[1], spacing[0])
    pictures = [
        Picture(counts, "Thyroid anterior", spacing, scan.duration_s, scan.moment, anterior=True)
    ]
    for shot in scan.syringes:
        pixels = _counts(folder, shot.file, (shot.frame,))
        # A syringe is matched to a scan of the same day; an image that would move to another day is
        # left out.
        moment = scan.moment - datetime.timedelta(minutes=shot.minutes)
        if moment.date() == scan.moment.date():
            pictures.append(
                Picture(
                    pixels, shot.description, scan.spacing, shot.duration_s, moment, anterior=False
                )
            )
    return pictures


def _counts(folder: Path, file: str, frames: Sequence[int]) -> NDArray[np.uint16]:
    image = read_counts(folder / unquote_name(file), frames, MOST_PIXELS).image
    whole = np.maximum(np.rint(image), 0.0)
    if whole.max() > _MOST_COUNTS:
        raise RefusedError("summed counts beyond 16 bits")
    return whole.astype(np.uint16)


def dataset_of(picture: Picture, scan: PackageScan, key: bytes, number: int) -> Dataset:
    """Return one object of the Nuclear Medicine Image Storage class (PS3.3 A.5).

    Parameters
    ----------
    picture, scan
        Image and scan of the patient.
    key
        Secret from which the unique identifiers are derived.
    number
        Number of the object among the patient's, from 1.
    """
    patient = scan.patient
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
    dataset.Manufacturer = _VENDORS.get(scan.vendor or "", "")
    dataset.ManufacturerModelName = (scan.camera or "").replace("_", " ")
    dataset.SeriesDescription = picture.description
    dataset.PatientName = dataset.PatientID = patient
    dataset.PatientSex = _SEX.get(scan.sex or "", "")
    for keyword in (
        "AccessionNumber", "ReferringPhysicianName", "PatientBirthDate", "StudyID", "Laterality",
        "PatientOrientationCodeSequence", "PatientGantryRelationshipCodeSequence",
    ):  # fmt: skip
        setattr(dataset, keyword, None)
    dataset.SeriesNumber = dataset.InstanceNumber = number
    _add_deidentification(dataset)
    if scan.simulated:
        dataset.ImageComments = "SIMULATED"
    _add_pixels(dataset, picture)
    _add_nuclear_medicine(dataset, picture, scan)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.ImplementationClassUID = _IMPLEMENTATION
    return dataset


def _add_deidentification(dataset: Dataset) -> None:
    """Add the elements that say how the object was de-identified (PS3.15 E.1.1)."""
    dataset.PatientIdentityRemoved = "YES"
    dataset.DeidentificationMethod = "written from scratch with listed elements only"
    dataset.DeidentificationMethodCodeSequence = Items(
        [_code(value, meaning, "DCM") for value, meaning in _METHODS]
    )
    dataset.LongitudinalTemporalInformationModified = "MODIFIED"
    dataset.BurnedInAnnotation = "NO"


def _add_pixels(dataset: Dataset, picture: Picture) -> None:
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.NumberOfFrames = 1
    dataset.Rows, dataset.Columns = picture.pixels.shape
    if picture.spacing:
        dataset.PixelSpacing = [f"{mm:.6g}" for mm in picture.spacing]
    dataset.BitsAllocated = dataset.BitsStored = 16
    dataset.HighBit, dataset.PixelRepresentation = 15, 0
    dataset.PixelData = np.ascontiguousarray(picture.pixels, "<u2").tobytes()
    dataset.LossyImageCompression = "00"


def _add_nuclear_medicine(dataset: Dataset, picture: Picture, scan: PackageScan) -> None:
    """Add the modules of C.8.4.8 to C.8.4.11, with one detector and one energy window."""
    dataset.FrameIncrementPointer = [0x00540010, 0x00540020]
    dataset.EnergyWindowVector = dataset.DetectorVector = 1
    dataset.NumberOfEnergyWindows = dataset.NumberOfDetectors = 1
    dataset.CountsAccumulated = int(picture.pixels.sum())
    if picture.duration_s:
        dataset.ActualFrameDuration = round(1000 * picture.duration_s)
    limits, window = Dataset(), Dataset()
    limits.EnergyWindowLowerLimit, limits.EnergyWindowUpperLimit = _WINDOW_KEV
    window.EnergyWindowRangeSequence = Items([limits])
    dataset.EnergyWindowInformationSequence = Items([window])
    drug = Dataset()
    drug.Radiopharmaceutical = "Tc-99m Pertechnetate"
    drug.RadionuclideCodeSequence = Items([_code("72454006", "^99m^Technetium", "SCT")])
    if scan.tc_activity_mbq:
        drug.RadionuclideTotalDose = f"{scan.tc_activity_mbq:.6g}"
    if scan.delay_min is not None and picture.anterior:
        start = picture.moment - datetime.timedelta(minutes=scan.delay_min)
        drug.RadiopharmaceuticalStartDateTime = start.strftime("%Y%m%d%H%M%S")
    dataset.RadiopharmaceuticalInformationSequence = Items([drug])
    detector = Dataset()
    detector.CollimatorType = "PINH" if scan.collimator == "pinhole" else "PARA"
    if scan.collimator:
        detector.CollimatorGridName = scan.collimator.upper()
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
    """Return a unique identifier that is derived from the key and the names (PS3.5 B.2)."""
    text = "\0".join(["uid", *map(str, names)])
    digest = hmac.new(key, text.encode(), hashlib.sha256).digest()
    return UID(f"2.25.{int.from_bytes(digest[:16], 'big') >> 1}")
