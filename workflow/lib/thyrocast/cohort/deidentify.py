"""De-identified DICOM objects of a center's patients, for a study at another site.

No object is cleaned; each is written from scratch from what our reading of a header knows. It
contains numbers, coded strings and codes of the lists below, phrases of our own instead of every
free text, shifted dates, and derived identifiers. Nothing else is copied, so that no identifying
element, private element, overlay or nested text can be overlooked. That is more than the Basic
Application Level Confidentiality Profile requires (DICOM PS3.15 Annex E.2), with the options to
retain longitudinal temporal information with modified dates (E.3.6) and patient characteristics
(E.3.7), as each object states. What is no original count image is excluded, since its pixels may
show a name (E.3.1).
"""

import datetime
import hashlib
import hmac
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import UID, ExplicitVRLittleEndian, NuclearMedicineImageStorage
from pydicom.valuerep import DSfloat

from thyrocast.cohort.drawn_text import has_text
from thyrocast.dicom import terms
from thyrocast.dicom.elements import Elements, Header
from thyrocast.dicom.text import words
from thyrocast.dicom.vocabulary import facing, names_thyroid

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
_WHOLE, _REAL = {"US", "SS", "UL", "SL", "IS", "AT"}, {"FL", "FD"}
# Numbers that are written otherwise, or not at all.
_NOT_COPIED = {
    "RadionuclideTotalDose", "PixelData", "CountsAccumulated", "NumberOfFrames", "SeriesNumber",
    "InstanceNumber",
}  # fmt: skip
# Sequences that are copied, item by item.
_SEQUENCES = {
    "EnergyWindowInformationSequence", "EnergyWindowRangeSequence", "DetectorInformationSequence",
    "PhaseInformationSequence", "RotationInformationSequence", "ViewCodeSequence",
    "ViewModifierCodeSequence", "PatientOrientationCodeSequence", "AnatomicRegionSequence",
    "PatientGantryRelationshipCodeSequence", "PatientOrientationModifierCodeSequence",
}  # fmt: skip
# Coded strings that are copied: defined terms of C.7.6.1, C.7.6.3 and C.8.4.
_CODED = {
    "ORIGINAL", "DERIVED", "PRIMARY", "STATIC", "DYNAMIC", "GATED", "WHOLE BODY", "TOMO",
    "RECON TOMO", "RECON GATED TOMO", "EMISSION", "TRANSMISSION", "MONOCHROME1", "MONOCHROME2",
    "PARA", "PINH", "FANB", "CONE", "SLNT", "ASTG", "DIVG", "NONE", "UNKN", "A", "P", "L", "R", "H",
    "F", "AL", "AR", "LA", "RA", "PL", "PR", "LP", "RP", "UNIF", "COR", "NCO", "DECY", "ATTN",
    "SCAT", "DTIM", "NRGY", "LIN", "MOTN", "CLN", "RECTANGLE", "ROUND", "HEXAGONAL", "1PASS",
    "2PASS", "PATIENT STEP", "BED STEP", "TIME", "COUNT", "00", "01",
}  # fmt: skip
# A code of a scheme of the camera may be any text; its meaning is written instead.
_SCHEMES = {"SCT", "SRT", "SNM3", "DCM"}
_CODE = re.compile(r"(?=.*\d)[A-Z]{0,2}-?[0-9A-F]{3,12}")
#: What is expected instead of an image that is refused.
ORIGINAL = "expected an original count image: export the images as the camera acquired them"
# If a header names the radionuclide or the tracer, these phrases and codes do.
_TECHNETIUM = ("72454006", "^99m^Technetium", "SCT")


class RefusedError(ValueError):
    """A scan that must not leave the center; the message is the reason."""


@dataclass(frozen=True)
class Disguise:
    """What replaces the patient in an object.

    Attributes
    ----------
    patient, sex
        Pseudonym, and our code.
    number
        Number of the object among the patient's, from 1.
    moment
        Shifted date and time of acquisition; None if the date is not known.
    description
        Description of the series, one of ours.
    activity_mbq, delay_min
        Injected activity, and time from injection to image, as registered from the header or the
        table; None if not known.
    pinhole
        Whether it is an image of a pinhole, which may be stated by a text.
    """

    patient: str
    sex: str | None
    number: int
    moment: datetime.datetime | None
    description: str
    activity_mbq: float | None
    delay_min: float | None
    pinhole: bool = False


def refusal(header: Header, pixels: NDArray[np.generic]) -> str:
    """Return why an object is no original count image, whose pixels may show a name, and what to do; "" if it is.

    Parameters
    ----------
    header, pixels
        The file's header, and the stored values of its frames.
    """
    kind_of_object = header.text("SOPClassUID")
    if kind_of_object not in terms.NUCLEAR_MEDICINE and (
        kind_of_object or header.text("Modality") != "NM"
    ):
        return f"a capture, whose pixels may show a name; {ORIGINAL}"
    kind = [str(value).upper() for value in header.several("ImageType")]
    if kind[:2] != ["ORIGINAL", "PRIMARY"]:
        return (
            "not stated to be an original image (ImageType ORIGINAL and PRIMARY), so its pixels may show a name; "
            f"{ORIGINAL}"
        )
    if header.text("ConversionType") or header.text("SecondaryCaptureDeviceManufacturer"):
        return f"a capture, whose pixels may show a name; {ORIGINAL}"
    if (header.number("BitsStored") or header.number("BitsAllocated") or 0) <= 8:
        return f"8-bit gray values, which may show a name; {ORIGINAL}"
    if has_text(pixels):
        return (
            "many pixels with one value, which may be drawn text; expected counts alone: look at the image, and export "
            "it without text, or, if it shows none, the acquired image that was neither smoothed nor scaled"
        )
    return ""


def dataset_of(
    header: Header, pixels: NDArray[np.generic], disguise: Disguise, key: bytes
) -> Dataset:
    """Return one object of the Nuclear Medicine Image Storage class (PS3.3 A.5).

    Parameters
    ----------
    header, pixels
        The file's header, and the stored values of its frames.
    disguise
        What replaces the patient.
    key
        Secret from which the unique identifiers are derived.
    """
    dataset = Dataset()
    _copy(header, dataset)
    dataset.SpecificCharacterSet = "ISO_IR 192"
    patient, number = disguise.patient, disguise.number
    study = _uid(key, patient, "study")
    dataset.SOPClassUID = NuclearMedicineImageStorage
    # In the order of the numbers, because the identifier is the last criterion between equal scans.
    dataset.SOPInstanceUID = UID(f"{_uid(key, patient, 'instance')}.{number + 10}")
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = (
        study,
        _uid(key, patient, "series", number),
    )
    _add_times(dataset, disguise)
    dataset.Modality = "NM"
    dataset.Manufacturer = _VENDORS.get(terms.vendor(header) or "", "")
    dataset.ManufacturerModelName = (terms.camera(header) or "").replace("_", " ")
    dataset.SeriesDescription = disguise.description
    dataset.PatientName = dataset.PatientID = patient
    dataset.PatientSex = _SEX.get(disguise.sex or "", "")
    for keyword in ("AccessionNumber", "ReferringPhysicianName", "PatientBirthDate", "StudyID",
                    "Laterality"):  # fmt: skip
        setattr(dataset, keyword, None)
    for keyword in ("PatientOrientationCodeSequence", "PatientGantryRelationshipCodeSequence"):
        if keyword not in dataset:
            setattr(dataset, keyword, None)
    dataset.SeriesNumber = dataset.InstanceNumber = number
    _add_deidentification(dataset)
    if terms.is_simulated(header):
        dataset.ImageComments = "SIMULATED"
    _add_pixels(dataset, header, pixels)
    _add_drug(dataset, header, disguise)
    if disguise.pinhole:
        for item in dataset.setdefault("DetectorInformationSequence", Items([Dataset()])).value:
            item.CollimatorType = "PINH"
        dataset.pop("PixelSpacing", None)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.ImplementationClassUID = _IMPLEMENTATION
    return dataset


def _copy(elements: Elements, target: Dataset) -> None:
    """Copy the elements of a header or an item that can't identify anybody."""
    for keyword, value in elements.values.items():
        tag = tag_for_keyword(keyword)
        if tag is None or keyword in _NOT_COPIED:
            continue
        representation = dictionary_VR(tag)
        if isinstance(value, tuple):
            if keyword in _SEQUENCES:
                setattr(target, keyword, Items([_item(keyword, item) for item in value]))
            continue
        values = value if isinstance(value, list) else [value]
        copied = list(_values(values, representation))
        if copied and len(copied) == len(values):
            setattr(target, keyword, copied if isinstance(value, list) else copied[0])


def _values(values: Sequence[Any], representation: str) -> Iterator[Any]:
    for value in values:
        number = isinstance(value, int | float) and math.isfinite(value)
        if representation == "DS" and number:
            yield DSfloat(float(value), auto_format=True)
        elif representation in _WHOLE and number:
            yield int(value)
        elif representation in _REAL and number:
            yield float(value)
        elif representation == "CS":
            code = str(value or "").upper()
            yield code if code in _CODED else ""


def _item(keyword: str, elements: Elements) -> Dataset:
    """Return an item of a sequence; its texts are replaced by phrases with the same meaning."""
    item = Dataset()
    _copy(elements, item)
    if keyword.endswith("CodeSequence") or keyword == "AnatomicRegionSequence":
        value, scheme = (elements.text(k).upper() for k in ("CodeValue", "CodingSchemeDesignator"))
        if scheme in _SCHEMES and _CODE.fullmatch(value):
            item.CodeValue, item.CodingSchemeDesignator = value, scheme
        meaning = words(elements.text("CodeMeaning"))
        seen = facing(meaning) or facing(words(value))
        region = "thyroid" if names_thyroid(meaning) else ""
        item.CodeMeaning = str(seen or "") if keyword.startswith("View") else region
    if keyword == "EnergyWindowInformationSequence" and terms.names_photopeak(elements):
        item.EnergyWindowName = "Tc99m photopeak"
    if keyword == "DetectorInformationSequence":
        if grid := terms.collimator(elements):
            item.CollimatorGridName = grid.upper()
            item.CollimatorType = item.get("CollimatorType", "UNKN")
        for name in ("ImagePositionPatient", "ImageOrientationPatient"):
            if name not in item:
                setattr(item, name, None)
    return item


def _add_times(dataset: Dataset, disguise: Disguise) -> None:
    for kind in ("Study", "Series", "Acquisition", "Content"):
        for part, form in (("Date", "%Y%m%d"), ("Time", "%H%M%S")):
            name = f"{kind}{part}"
            if name in dataset:
                del dataset[name]
            if disguise.moment is not None:
                setattr(dataset, name, disguise.moment.strftime(form))
            elif kind == "Study":
                setattr(dataset, name, None)


def _add_deidentification(dataset: Dataset) -> None:
    """Add the elements that say how the object was de-identified (PS3.15 E.1.1)."""
    dataset.PatientIdentityRemoved = "YES"
    dataset.DeidentificationMethod = "written from scratch with listed elements only"
    dataset.DeidentificationMethodCodeSequence = Items(
        [_code(value, meaning, "DCM") for value, meaning in _METHODS]
    )
    dataset.LongitudinalTemporalInformationModified = "MODIFIED"
    dataset.BurnedInAnnotation = "NO"


def _add_pixels(dataset: Dataset, header: Header, pixels: NDArray[np.generic]) -> None:
    dataset.NumberOfFrames, dataset.Rows, dataset.Columns = pixels.shape
    bits = 8 * pixels.dtype.itemsize
    dataset.BitsAllocated = bits
    defaults: Mapping[str, Any] = {
        "SamplesPerPixel": 1, "PhotometricInterpretation": "MONOCHROME2", "BitsStored": bits,
        "PixelRepresentation": int(pixels.dtype.kind == "i"), "LossyImageCompression": "00",
    }  # fmt: skip
    for keyword, value in defaults.items():
        if keyword not in dataset:
            setattr(dataset, keyword, value)
    dataset.HighBit = int(dataset.BitsStored) - 1
    if header.irreversible:
        dataset.LossyImageCompression = "01"
    # Counts are not counted again: the sum of rescaled values need not be whole.
    dataset.setdefault("CountsAccumulated", None)
    data = np.ascontiguousarray(pixels, pixels.dtype.newbyteorder("<")).tobytes()
    dataset.PixelData = data + bytes(len(data) % 2)


def _add_drug(dataset: Dataset, header: Header, disguise: Disguise) -> None:
    """Add the radiopharmaceutical (C.8.4.10), if the header has one that states something."""
    given = header.items("RadiopharmaceuticalInformationSequence")
    drug = Dataset()
    if any(terms.is_technetium(item) for item in given):
        named = any(map(terms.is_pertechnetate, given))
        drug.Radiopharmaceutical = "Tc-99m Pertechnetate" if named else "Tc-99m"
        drug.RadionuclideCodeSequence = Items([_code(*_TECHNETIUM)])
    if disguise.activity_mbq:
        drug.RadionuclideTotalDose = DSfloat(disguise.activity_mbq, auto_format=True)
    if disguise.delay_min is not None and disguise.moment is not None:
        start = disguise.moment - datetime.timedelta(minutes=disguise.delay_min)
        drug.RadiopharmaceuticalStartDateTime = start.strftime("%Y%m%d%H%M%S")
    dataset.RadiopharmaceuticalInformationSequence = Items([drug] if len(drug) else [])


def _code(value: str, meaning: str, scheme: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def _uid(key: bytes, *names: object) -> UID:
    """Return a unique identifier that is derived from the key and the names (PS3.5 B.2)."""
    text = "\0".join(["uid", *map(str, names)])
    digest = hmac.new(key, text.encode(), hashlib.sha256).digest()
    return UID(f"2.25.{int.from_bytes(digest[:16], 'big') >> 1}")
