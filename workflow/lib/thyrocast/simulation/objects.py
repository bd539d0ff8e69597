"""DICOM objects: Nuclear Medicine images as cameras write them, and a screenshot.

Attributes follow PS3.3 A.5 (NM Image IOD) and C.8.4; each object says in ImageComments that it is
simulated. Unique identifiers are of the form 2.25 (PS3.5 B.2) and depend only on the names from
which they are made.
"""

import datetime
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import (
    UID,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    NuclearMedicineImageStorage,
    SecondaryCaptureImageStorage,
)

from thyrocast.config.simulated_export import CodingScheme, HeaderConfig, TransferSyntax
from thyrocast.contract.names import View
from thyrocast.simulation.site import Site

COMMENT = "SIMULATED by thyrocast: no patient exists behind this image."
IMPLEMENTATION = UID("2.25.201450783276194306531262826190317152713")
_NAMESPACE = uuid.UUID("f4a1f7c6-3c39-4ef2-9a0d-6f5d2ed4f8a1")

# PS3.16 CID 26, 18, 25, 19, 20, 21: meaning, then code in SNOMED CT and in the older SNOMED RT.
CODES = {
    "anterior": ("anterior projection", "399321004", "G-5215"),
    "posterior": ("posterior projection", "399001007", "G-5216"),
    "left_anterior_oblique": ("left anterior oblique", "399074003", "G-5207"),
    "right_anterior_oblique": ("right anterior oblique", "399108003", "G-5206"),
    "Tc-99m": ("^99m^Technetium", "72454006", "C-163A8"),
    "I-131": ("^131^Iodine", "1368003", "C-114B1"),
    "pertechnetate": ("Sodium pertechnetate Tc^99m^", "19495007", "C-B1206"),
    "iodide": ("Sodium iodide I^131^", "111160004", "C-B1086"),
    "recumbent": ("recumbent", "102538003", "F-10450"),
    "supine": ("supine", "40199007", "F-10340"),
    "headfirst": ("headfirst", "102540008", "F-10470"),
}
# Code, radiopharmaceutical and energy window (keV) of each imaged nuclide.
NUCLIDES = {
    "Tc-99m": ("pertechnetate", "Tc-99m Pertechnetate", (126.0, 154.0)),
    "I-131": ("iodide", "I-131 Sodium iodide", (328.0, 400.0)),
}
# PS3.3 C.7.6.1.1.1 and C.8.4.11: image axes, and the detector's angle, 180 in front of the patient.
ORIENTATIONS = {
    "anterior": (["L", "F"], [1, 0, 0, 0, 0, -1], 180.0),
    "posterior": (["R", "F"], [-1, 0, 0, 0, 0, -1], 0.0),
    "left_anterior_oblique": (["LP", "F"], [0.707107, 0.707107, 0, 0, 0, -1], 135.0),
    "right_anterior_oblique": (["LA", "F"], [0.707107, -0.707107, 0, 0, 0, -1], 225.0),
}


@dataclass(frozen=True)
class Subject:
    """The patient who is imaged.

    Attributes
    ----------
    identifier
        PatientID.
    name
        PatientName (DICOM PN).
    sex
        ``female`` or ``male``.
    birth
        Date of birth.
    """

    identifier: str
    name: str
    sex: str
    birth: datetime.date


@dataclass(frozen=True)
class SimulatedScan:
    """One acquisition.

    Attributes
    ----------
    pixels
        (frames, rows, columns) counts.
    views
        View of each detector item.
    detectors
        Detector item of each frame, from 1.
    pixel_mm
        Size of a pixel, mm.
    seconds
        Duration, s.
    started
        Date and time of the start.
    description
        SeriesDescription.
    study, series
        Name of the study and number of the series in it.
    nuclide
        ``Tc-99m`` or ``I-131``.
    injected, activity_mbq
        Time of the injection and its activity, MBq; None if they are not recorded.
    stopped_by
        AcquisitionTerminationCondition.
    whole_body
        Whether it is a whole-body scan.
    """

    pixels: NDArray[np.uint16]
    views: tuple[View, ...]
    detectors: Sequence[int]
    pixel_mm: float
    seconds: float
    started: datetime.datetime
    description: str
    study: str
    series: int
    nuclide: str = "Tc-99m"
    injected: datetime.datetime | None = None
    activity_mbq: float | None = None
    stopped_by: str = "TIME"
    whole_body: bool = False


def unique_identifier(*names: object) -> UID:
    """Make a UID; the same names always give the same one."""
    return UID(f"2.25.{uuid.uuid5(_NAMESPACE, chr(0).join(map(str, names))).int}")


def _code(name: str, scheme: CodingScheme) -> Dataset:
    meaning, sct, srt = CODES[name]
    item = Dataset()
    item.CodeValue = sct if scheme is CodingScheme.SCT else srt
    item.CodingSchemeDesignator = scheme.value
    item.CodeMeaning = meaning
    return item


def _file(path: Path, storage: UID, instance: UID, implicit: bool) -> FileDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = storage
    meta.MediaStorageSOPInstanceUID = instance
    meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian
    meta.ImplementationClassUID = IMPLEMENTATION
    meta.ImplementationVersionName = "THYROCAST"
    return FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)


def _time(moment: datetime.datetime) -> str:
    return moment.strftime("%H%M%S")


def _common(
    path: Path, storage: UID, subject: Subject, scan: SimulatedScan, site: Site
) -> FileDataset:
    """Return an object with the modules patient, study, series, equipment and general image."""
    header, camera = site.config.header, site.config.camera
    names = (site.name, subject.identifier, scan.study)
    instance = unique_identifier(site.seed, *names, scan.series, "instance")
    data = _file(path, storage, instance, header.transfer_syntax is TransferSyntax.IMPLICIT)
    date = scan.started.strftime("%Y%m%d")
    data.SpecificCharacterSet = "ISO_IR 100"
    data.SOPClassUID, data.SOPInstanceUID = storage, instance
    data.StudyDate = data.SeriesDate = data.AcquisitionDate = data.ContentDate = date
    data.StudyTime = data.SeriesTime = data.AcquisitionTime = data.ContentTime = _time(scan.started)
    data.AccessionNumber = f"{int(unique_identifier(*names, 'accession')[5:]) % 10**8:08d}"
    data.Modality = "NM"
    data.BodyPartExamined = "NECK"
    data.Manufacturer = camera.manufacturer
    data.ManufacturerModelName = camera.model
    data.InstitutionName = header.institution
    data.StationName = header.station
    data.SoftwareVersions = camera.software
    data.DeviceSerialNumber = "SIM0001"
    data.ReferringPhysicianName = header.physician
    data.StudyDescription = header.study_description
    data.SeriesDescription = scan.description
    data.PatientName = subject.name
    data.PatientID = subject.identifier
    data.PatientBirthDate = subject.birth.strftime("%Y%m%d")
    data.PatientSex = subject.sex[0].upper()
    age = (scan.started.date() - subject.birth).days // 365.25
    data.PatientAge = f"{int(age):03d}Y"
    data.StudyInstanceUID = unique_identifier(site.seed, *names)
    data.SeriesInstanceUID = unique_identifier(site.seed, *names, scan.series)
    data.StudyID = scan.study[:16]
    data.SeriesNumber = scan.series
    data.InstanceNumber = 1
    data.ImageComments = COMMENT
    return data


def _energy_window(nuclide: str) -> Dataset:
    low, high = NUCLIDES[nuclide][2]
    limits = Dataset()
    limits.EnergyWindowLowerLimit, limits.EnergyWindowUpperLimit = low, high
    window = Dataset()
    window.EnergyWindowRangeSequence = Items([limits])
    window.EnergyWindowName = nuclide
    return window


def _radiopharmaceutical(scan: SimulatedScan, scheme: CodingScheme) -> Dataset:
    drug, name, _ = NUCLIDES[scan.nuclide]
    item = Dataset()
    item.RadionuclideCodeSequence = Items([_code(scan.nuclide, scheme)])
    item.RadiopharmaceuticalCodeSequence = Items([_code(drug, scheme)])
    item.Radiopharmaceutical = name
    if scan.injected and scan.activity_mbq:
        # C.8.4.10: megabecquerels in an NM image (becquerels in a PET image).
        item.RadiopharmaceuticalStartTime = _time(scan.injected)
        item.RadionuclideTotalDose = round(scan.activity_mbq, 2)
    return item


def _detector(view: str, scan: SimulatedScan, site: Site) -> Dataset:
    camera, scheme = site.config.camera, site.config.header.coding
    rows, columns = scan.pixels.shape[1:]
    _, axes, angle = ORIENTATIONS[view]
    item = Dataset()
    item.CollimatorGridName = camera.collimator
    item.CollimatorType = "PARA"
    item.FieldOfViewShape = "RECTANGLE"
    item.FieldOfViewDimensions = [round(columns * scan.pixel_mm), round(rows * scan.pixel_mm)]
    item.ZoomFactor = [camera.zoom, camera.zoom]
    item.FocalDistance = 0
    item.StartAngle = angle
    item.RadialPosition = camera.distance_mm
    corner = (
        np.asarray(axes).reshape(2, 3).T @ [-(columns - 1) / 2, -(rows - 1) / 2] * scan.pixel_mm
    )
    item.ImageOrientationPatient = axes
    item.ImagePositionPatient = [round(float(value), 3) for value in corner]
    item.ViewCodeSequence = Items([_code(view, scheme)])
    return item


def _private(data: Dataset, header: HeaderConfig, subject: Subject) -> None:
    """Add private attributes of a vendor, with the patient's name in them, as in real files."""
    if not header.private_creator:
        return
    block = data.private_block(header.private_group, header.private_creator, create=True)
    block.add_new(0x01, "LO", "1.0.0")
    block.add_new(0x02, "LO", str(subject.name))
    block.add_new(0x03, "DS", "1.0")
    inner = Dataset()
    inner.add_new((header.private_group, 0x0010), "LO", header.private_creator)
    inner.add_new((header.private_group, 0x1004), "LO", subject.identifier)
    block.add_new(0x05, "SQ", Items([inner]))


def _omit(data: Dataset, keywords: Sequence[str]) -> None:
    for element in list(data):
        if element.keyword in keywords:
            del data[element.tag]
        elif element.VR == "SQ":
            for item in element.value:
                _omit(item, keywords)


def write_image(path: Path, subject: Subject, scan: SimulatedScan, site: Site) -> None:
    """Write a scan as a Nuclear Medicine image.

    Parameters
    ----------
    path
        The file; its folder must exist.
    subject, scan
        Who was imaged, and what was acquired.
    site
        The center.
    """
    header = site.config.header
    data = _common(path, NuclearMedicineImageStorage, subject, scan, site)
    kind = "WHOLE BODY" if scan.whole_body else "STATIC"
    data.ImageType = ["ORIGINAL", "PRIMARY", kind, "EMISSION"]
    frames, rows, columns = scan.pixels.shape
    if len(scan.views) == 1:
        data.PatientOrientation = ORIENTATIONS[scan.views[0]][0]

    data.SamplesPerPixel = 1
    data.PhotometricInterpretation = "MONOCHROME2"
    data.NumberOfFrames = frames
    data.FrameIncrementPointer = [0x00540010, 0x00540020]
    data.Rows, data.Columns = rows, columns
    data.PixelSpacing = [f"{scan.pixel_mm:.6g}", f"{scan.pixel_mm:.6g}"]
    data.BitsAllocated, data.BitsStored, data.HighBit = 16, 16, 15
    data.PixelRepresentation = 0
    data.SmallestImagePixelValue = int(scan.pixels.min())
    data.LargestImagePixelValue = int(scan.pixels.max())
    data.LossyImageCompression = "00"

    data.CountsAccumulated = int(scan.pixels.sum())
    data.AcquisitionTerminationCondition = scan.stopped_by
    data.ActualFrameDuration = round(scan.seconds * 1000)
    if scan.whole_body:
        data.WholeBodyTechnique = "1PS"
        data.ScanVelocity = round(rows * scan.pixel_mm / scan.seconds, 3)
        data.ScanLength = round(rows * scan.pixel_mm)

    data.PatientOrientationCodeSequence = Items([_code("recumbent", header.coding)])
    data.PatientOrientationCodeSequence[0].PatientOrientationModifierCodeSequence = Items(
        [_code("supine", header.coding)]
    )
    data.PatientGantryRelationshipCodeSequence = Items([_code("headfirst", header.coding)])
    data.EnergyWindowVector = [1] * frames
    data.NumberOfEnergyWindows = 1
    data.EnergyWindowInformationSequence = Items([_energy_window(scan.nuclide)])
    data.RadiopharmaceuticalInformationSequence = Items([_radiopharmaceutical(scan, header.coding)])
    data.DetectorVector = list(scan.detectors)
    data.NumberOfDetectors = len(scan.views)
    data.DetectorInformationSequence = Items([_detector(view, scan, site) for view in scan.views])
    _private(data, header, subject)
    data.PixelData = scan.pixels.astype("<u2").tobytes()
    data["PixelData"].VR = "OW"
    _omit(data, header.omit)
    data.save_as(path, enforce_file_format=True)


def write_capture(path: Path, subject: Subject, scan: SimulatedScan, site: Site) -> None:
    """Write the first frame of a scan as a color screenshot (Secondary Capture image)."""
    data = _common(path, SecondaryCaptureImageStorage, subject, scan, site)
    data.ImageType = ["DERIVED", "SECONDARY"]
    data.ConversionType = "WSD"
    data.PatientOrientation = ""
    frame = scan.pixels[0].astype(float)
    gray = (255 * np.sqrt(frame / max(frame.max(), 1.0))).astype(np.uint8)
    color = np.stack([gray, (gray.astype(int) ** 2 // 255).astype(np.uint8), 255 - gray], axis=-1)
    data.SamplesPerPixel = 3
    data.PhotometricInterpretation = "RGB"
    data.PlanarConfiguration = 0
    data.Rows, data.Columns = gray.shape
    data.BitsAllocated, data.BitsStored, data.HighBit = 8, 8, 7
    data.PixelRepresentation = 0
    data.BurnedInAnnotation = "NO"
    data.PixelData = color.tobytes()
    # PS3.5 A.1: if the transfer syntax is implicit VR, pixel data are words.
    implicit = site.config.header.transfer_syntax is TransferSyntax.IMPLICIT
    data["PixelData"].VR = "OW" if implicit else "OB"
    data.save_as(path, enforce_file_format=True)
