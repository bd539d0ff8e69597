"""Read the header of one file, with limits on time and memory for any file."""

import contextlib
import io
import logging
import math
import os
import stat
import struct
import warnings
import zlib
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO

import pydicom
from pydicom import config as pydicom_config
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filebase import DicomIO
from pydicom.filereader import read_dataset
from pydicom.filewriter import write_file_meta_info
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence
from pydicom.tag import Tag
from pydicom.uid import ExplicitVRLittleEndian

from thyrocast.dicom.elements import Elements, Header, Scalar
from thyrocast.planning import glance
from thyrocast.planning.glance import looks_like_dicom

logging.getLogger("pydicom").setLevel(logging.CRITICAL)

# A header takes a few hundred reads; a file of millions of tiny elements is not a scintigram.
MAX_READS = 200_000
MAX_VALUE_BYTES = 8 * 2**20
MAX_INFLATED_BYTES = 256 * 2**20
MAX_DEPTH = 6
MAX_ITEMS = 4096
MAX_TEXT = 1024

TRUNCATED = "a truncated file"
_DICOMDIR = "1.2.840.10008.1.3.10"
# JPEG 2000 and High-Throughput JPEG 2000, with or without loss.
_JPEG2000 = {"1.2.840.10008.1.2.4.91", "1.2.840.10008.1.2.4.203"}
_DEFLATED = b"1.2.840.10008.1.2.1.99"

# Elements that registration, selection of frames and standardization use; others are skipped.
_WORDS = (
    # general modules (C.7)
    "SpecificCharacterSet ImageType SOPClassUID SOPInstanceUID StudyDate SeriesDate AcquisitionDate "
    "ContentDate AcquisitionDateTime StudyTime SeriesTime AcquisitionTime ContentTime TimezoneOffsetFromUTC Modality "
    "Manufacturer ManufacturerModelName StudyDescription SeriesDescription ProtocolName "
    "ImageComments ImageID PatientName PatientID IssuerOfPatientID PatientBirthDate PatientSex PatientAge PatientComments "
    "StudyInstanceUID SeriesInstanceUID BodyPartExamined BurnedInAnnotation LossyImageCompression "
    "PatientOrientation ImageOrientationPatient "
    # image pixel (C.7.6.3)
    "SamplesPerPixel PhotometricInterpretation NumberOfFrames Rows Columns PixelSpacing "
    "BitsAllocated BitsStored HighBit PixelRepresentation RescaleIntercept RescaleSlope "
    # nuclear medicine (C.8.4)
    "FrameIncrementPointer ActualFrameDuration CountsAccumulated ScanVelocity ScanLength "
    "WholeBodyTechnique AcquisitionTerminationCondition CorrectedImage EnergyWindowVector "
    "NumberOfEnergyWindows EnergyWindowInformationSequence RadiopharmaceuticalInformationSequence "
    "DetectorVector NumberOfDetectors DetectorInformationSequence PhaseVector NumberOfPhases "
    "PhaseInformationSequence RotationVector NumberOfRotations RotationInformationSequence "
    "RRIntervalVector TimeSlotVector SliceVector AngularViewVector TimeSliceVector "
    "PatientOrientationCodeSequence PatientGantryRelationshipCodeSequence "
    "AnatomicRegionSequence FieldOfViewShape FieldOfViewDimensions ZoomFactor ConversionType SecondaryCaptureDeviceManufacturer"
)
# Private texts in which cameras name the view, by creator: group and elements.
_LABELS: dict[str, tuple[tuple[int, tuple[int, ...]], ...]] = {
    # Names as in pydicom's dictionary of private elements. GE: Series Object Name, User Orientation, Series
    # Comments; Dataset Object Name, Dataset Name, and the object names of picture, viewing and "where".
    "GEMS_GENIE_1": ((0x0009, (0x20, 0x22, 0x2C)), (0x0011, (0x10, 0x12, 0x30, 0x40, 0x50))),
    # Siemens: Main Acquisition View.
    "SIEMENS MED NM": ((0x0009, (0x80,)),),
}
_BLOCKS = range(0x10, 0x18)
# Elements with several values; of any other element only one value is used.
_MULTIPLE = {
    "ImageType", "PixelSpacing", "FrameIncrementPointer", "ImageOrientationPatient",
    "PatientOrientation", "CorrectedImage", "EnergyWindowVector", "DetectorVector", "PhaseVector",
    "RotationVector", "RRIntervalVector", "TimeSlotVector", "SliceVector", "AngularViewVector",
    "TimeSliceVector", "FieldOfViewDimensions", "ZoomFactor",
}  # fmt: skip
_TAGS = [Tag(keyword) for keyword in _WORDS.split()] + [
    Tag(group, element)
    for group, elements in {place for places in _LABELS.values() for place in places}
    for block in _BLOCKS
    for element in (block, *(block << 8 | one for one in elements))
]


class TooLargeError(ValueError):
    """A header that needs more reads or memory than that of any scintigram."""


class _BoundedReader:
    """A file for pydicom that never reads beyond its end and stops after too many reads.

    ``read(n)`` of a plain file allocates n bytes before it reads; a header may declare 4 GB.
    """

    def __init__(self, file: BinaryIO, size: int, longest: int) -> None:
        self._read = file.read
        self._size = size
        self._longest = longest
        self._left = MAX_READS
        self.tell = file.tell
        self.seek = file.seek
        self.name = ""
        self.cut = False

    def read(self, count: int = -1) -> bytes:
        self._left -= 1
        if self._left < 0:
            raise TooLargeError("more elements than the header of any scintigram")
        if not 0 <= count <= 4096:
            left = max(self._size - self.tell(), 0)
            self.cut |= count > left
            count = left if count < 0 else min(count, left)
            if count > self._longest:
                raise TooLargeError("an element longer than any in the header of a scintigram")
        data = self._read(count)
        # At the end of a whole file, the 8 bytes of another element are not there at all.
        self.cut |= len(data) < count and (bool(data) or count != 8)
        return data


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Let pydicom return faulty values as they are, without a warning for each."""
    settings = pydicom_config.settings
    before = settings.reading_validation_mode
    settings.reading_validation_mode = pydicom_config.IGNORE
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        settings.reading_validation_mode = before


def read_header(path: str | Path) -> Header:
    """Read the elements that the study needs from one file's header.

    Returns
    -------
    Header
        With a `reason` if the file is not a readable DICOM image, and then with nothing else but
        the PatientID, if the first bytes of the file contain one. No content of a file raises an
        error.
    """
    try:
        with open(path, "rb", buffering=16384) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                return Header(reason="not a regular file")
            if status.st_size == 0:
                return Header(reason="empty file")
            start = file.read(glance.GLANCE)
            if not looks_like_dicom(start):
                packed = glance.archive(os.path.basename(path), start)
                return Header(reason="an archive, not unpacked" if packed else "not a DICOM file")
            file.seek(0)
            try:
                with quiet():
                    header = _read(file, status.st_size, start[:1024])
            except Exception as error:  # noqa: BLE001 - hostile input may raise anything
                header = Header(reason=_fault(error))
            return _named(header, start) if header.reason else header
    except OSError:
        return Header(reason="unreadable file")


def _fault(error: Exception) -> str:
    """Return the reason why a header can't be parsed."""
    match error:
        case OSError():
            return "unreadable file"
        case TooLargeError():
            return f"unreadable header: {error}"
        case RecursionError():
            return "unreadable header: sequences nested too deep"
        case MemoryError():
            return "unreadable header: too large"
        case EOFError() | struct.error():
            return TRUNCATED
        case _:
            return f"unreadable header ({type(error).__name__})"


def _named(header: Header, start: bytes) -> Header:
    """Add the PatientID to an unreadable header, if the first bytes contain exactly one."""
    names = glance.patient_ids(start)
    return replace(header, values={"PatientID": names[0]}) if len(names) == 1 else header


def _read(file: BinaryIO, size: int, head: bytes) -> Header:
    dataset, source, end = _parse(file, size, head)
    cut = source.cut or source.tell() > end
    meta = getattr(dataset, "file_meta", None) or Dataset()
    syntax = str(meta.get("TransferSyntaxUID", "") or "")
    media = str(meta.get("MediaStorageSOPClassUID", "") or "")
    values = read_elements(dataset)
    if labels := _private_labels(dataset):
        values["PrivateLabels"] = labels
    sop_class = values.setdefault("SOPClassUID", media)
    if _DICOMDIR in (media, sop_class):
        return Header(reason="a DICOMDIR, not an image")
    if not sop_class and "Rows" not in values:
        return Header(reason=TRUNCATED if cut and b"DICM" in head else "not a DICOM file")
    if cut:
        # The last value may be incomplete, and with it a patient's identifier.
        return Header(reason=TRUNCATED)
    available = _pixel_bytes(source, end, dataset)
    compressed = available == -1 and syntax in _JPEG2000
    irreversible = compressed and _is_irreversible(source.read(4096))
    return Header(values, "", syntax, available, irreversible)


def _private_labels(dataset: Dataset) -> list[Scalar | None]:
    """Return the texts of private elements (PS3.5 7.8.1) in which cameras name the view."""
    labels: list[Scalar | None] = []
    for creator, places in _LABELS.items():
        for group, elements in places:
            try:
                block = dataset.private_block(group, creator)
                found = [block[element].value for element in elements if element in block]
            except (KeyError, ValueError, NotImplementedError):
                continue
            texts = (v.decode("ascii", "replace") if isinstance(v, bytes) else v for v in found)
            labels += [scalar for value in texts if isinstance(scalar := _scalar(value), str)]
    return labels


def _parse(file: BinaryIO, size: int, head: bytes) -> tuple[Dataset, Any, int]:
    """Parse the header; return it, its stream (positioned at the pixels) and the stream's size."""
    stream, size = open_stream(file, size, head)
    parsed = pydicom.dcmread(stream, stop_before_pixels=True, force=True, specific_tags=[*_TAGS])
    return parsed, stream, size


def open_stream(
    file: BinaryIO, size: int, head: bytes, longest: int = MAX_VALUE_BYTES
) -> tuple[Any, int]:
    """Return a bounded stream that pydicom can read; deflated data sets (PS3.5 A.5) are unpacked.

    Parameters
    ----------
    file, size, head
        The file, its bytes, and its first 1024 bytes.
    longest
        Largest number of bytes of one element.

    Raises
    ------
    TooLargeError
        If a deflated data set unpacks to more than `MAX_INFLATED_BYTES`.
    """
    if _DEFLATED not in head:
        return _BoundedReader(file, size, longest), size
    file.seek(132)
    bounded: Any = _BoundedReader(file, size, longest)
    meta = read_dataset(bounded, False, True, stop_when=lambda tag, vr, length: tag >> 16 != 2)
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
    data = unpacker.decompress(file.read(MAX_INFLATED_BYTES), MAX_INFLATED_BYTES)
    if unpacker.unconsumed_tail:
        raise TooLargeError("a deflated data set that unpacks to more than any scintigram")
    plain = FileMetaDataset()
    plain.TransferSyntaxUID = ExplicitVRLittleEndian
    plain.MediaStorageSOPClassUID = meta.get("MediaStorageSOPClassUID", "")
    unpacked = io.BytesIO()
    unpacked.write(bytes(128) + b"DICM")
    write_file_meta_info(DicomIO(unpacked), plain, enforce_standard=False)
    unpacked.write(data)
    size = unpacked.tell()
    unpacked.seek(0)
    return _BoundedReader(unpacked, size, longest), size


def _pixel_bytes(stream: Any, size: int, dataset: Dataset) -> int | None:
    """Return the bytes of pixel data in the file; -1 if encapsulated, None if there are none."""
    implicit, little = dataset.original_encoding
    start = stream.tell()
    head = stream.read(12)
    order = "<" if little else ">"
    if len(head) < 8 or struct.unpack(order + "HH", head[:4]) != (0x7FE0, 0x0010):
        return None
    long = not implicit and head[4:6] in {b"OB", b"OW", b"UN"}
    at = 8 if long else 4
    length = struct.unpack(order + "L", head[at : at + 4])[0]
    return -1 if length == 0xFFFFFFFF else max(min(length, size - start - at - 4), 0)


def _is_irreversible(codestream: bytes) -> bool:
    """Return whether JPEG 2000 has the lossy 9-7 transform (ISO 15444-1 A.6.1, marker COD)."""
    marker = codestream.find(b"\xff\x52\x00")
    return marker < 0 or codestream[marker + 13 : marker + 14] != b"\x01"


def read_elements(
    dataset: Dataset, depth: int = 0
) -> dict[str, Scalar | list[Scalar | None] | tuple[Elements, ...]]:
    """Return a data set as plain values by keyword, without faulty and empty ones.

    Whatever type a file declares, only a keyword that ends in ``Sequence`` becomes a tuple of
    items, an element of `_MULTIPLE` becomes a list, and any other element one value.
    """
    values: dict[str, Scalar | list[Scalar | None] | tuple[Elements, ...]] = {}
    for tag in list(dataset.keys()):
        try:
            element = dataset[tag]
            keyword = element.keyword
            value = _plain_value(element.value, keyword, depth)
        except (RecursionError, MemoryError):
            raise
        except Exception:  # noqa: BLE001, S112 - any converter may fail on a faulty value
            continue
        if value is not None and keyword:
            values[keyword] = value
    return values


def _plain_value(
    value: Any, keyword: str, depth: int
) -> Scalar | list[Scalar | None] | tuple[Elements, ...] | None:
    if isinstance(value, Sequence) or keyword.endswith("Sequence"):
        readable = isinstance(value, Sequence) and keyword.endswith("Sequence")
        if depth >= MAX_DEPTH or not readable:
            return None
        return tuple(Elements(read_elements(item, depth + 1)) for item in value[:MAX_ITEMS])
    parts = value if isinstance(value, MultiValue | list | tuple) else [value]
    scalars = [_scalar(part) for part in parts[:MAX_ITEMS]]
    known = [scalar for scalar in scalars if scalar is not None]
    if keyword in _MULTIPLE:
        return scalars if known else None
    texts = [scalar for scalar in known if isinstance(scalar, str)]
    if len(texts) > 1:
        return "\\".join(texts)[:MAX_TEXT]
    return known[0] if known else None


def _scalar(value: Any) -> Scalar | None:
    if isinstance(value, bool | bytes) or value is None:
        return None
    if isinstance(value, int):  # IS and US, and tags, which pydicom represents as integers
        return int(value)
    if isinstance(value, float | Decimal):
        number = float(value)
        return number if math.isfinite(number) else None
    return str(value).replace("\0", "").strip()[:MAX_TEXT] or None
