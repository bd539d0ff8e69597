"""Decode the frames of a file to counts."""

import contextlib
import os
import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.encaps import get_frame
from pydicom.pixels.utils import pixel_array

from thyrocast.dicom import noise, pictures
from thyrocast.dicom.header import TooLargeError, open_stream, quiet
from thyrocast.dicom.terms import SECONDARY_CAPTURE

Image = NDArray[np.float64]
MAX_PIXEL_BYTES = 1024 * 2**20
#: The largest matrix that `cohort.max_pixels` can accept, for files that registration accepted.
MOST_PIXELS = 268_435_456
# An image of counts has its largest value in one or two pixels. If this many pixels have it, and it
# is at least this large, the image was cut off there, for example at 255 before it was stored in 16
# bits.
_PLATEAU_PIXELS, _PLATEAU_COUNTS = 6, 50
# The darkest pixels of counts are at most this share of the brightest one from zero, if an intercept moved them.
_OFFSET_SHARE = 0.1
# Values below minus this are no rounding; more pixels than this share are not the few that a filter makes negative.
_SUBTRACTED, _SUBTRACTED_SHARE = 1.0, 0.01
# Fewest different values, below the median or in all, that show that an image was stretched; and fewest pixels of which
# all being multiples of one number is no chance.
_STRETCHED_VALUES, _MULTIPLES = 4, 50


class PixelError(ValueError):
    """Pixels that can't be decoded; the message is a reason for the register."""


@dataclass(frozen=True)
class Counts:
    """Summed frames.

    Attributes
    ----------
    image
        (rows, columns) counts.
    saturated
        Share of pixels at the largest value that can be stored, or at a lower value that cuts off
        the image, 0 to 1.
    stretched
        Whether the values are counts times a factor, as for a display.
    factor
        This factor, about, if it is known.
    """

    image: Image
    saturated: float
    stretched: bool = False
    factor: float | None = None


def read_counts(path: str | Path, frames: Iterable[int], max_pixels: int = 4096 * 4096) -> Counts:
    """Decode frames of a file and add them.

    Parameters
    ----------
    path
        A DICOM file in any encoding of `exclusion.DECODABLE`, or a picture.
    frames
        Frame numbers, from 0.
    max_pixels
        Largest matrix that is decoded.

    Raises
    ------
    PixelError
        If the file can't be decoded, for any cause.
    """
    if pictures.is_picture(path):
        return Counts(upright_polarity(_picture(path, max_pixels)), 0.0)
    with _opened(path, max_pixels) as dataset:
        counts = _to_counts(dataset, [_decode(dataset, frame) for frame in frames])
    if _is_capture(dataset):
        return counts
    factor = noise.counts_factor(counts.image)
    if factor is None and counts.stretched:
        measured = noise.variance_to_mean(counts.image)
        factor = measured[0] if measured else None
    return replace(counts, stretched=counts.stretched or factor is not None, factor=factor)


def read_stored(path: str | Path, count: int, max_pixels: int) -> NDArray[np.generic]:
    """Return the stored values of all frames, (frames, rows, columns), without rescaling.

    Parameters
    ----------
    path, max_pixels
        As in `read_counts`; a DICOM file.
    count
        Number of frames.

    Raises
    ------
    PixelError
        If the file can't be decoded, for any cause.
    """
    with _opened(path, max_pixels) as dataset:
        return np.stack([_decode(dataset, frame) for frame in range(count)])


@contextlib.contextmanager
def _opened(path: str | Path, max_pixels: int) -> Iterator[Dataset]:
    """Open a file; every error of reading and decoding becomes a `PixelError`."""
    try:
        with open(path, "rb") as file, quiet():
            head = file.read(1024)
            file.seek(0)
            size = os.fstat(file.fileno()).st_size
            stream, _ = open_stream(file, size, head, longest=MAX_PIXEL_BYTES)
            dataset = pydicom.dcmread(stream, force=True)
            if int(dataset.Rows) * int(dataset.Columns) > max_pixels:
                raise TooLargeError("matrix")
            _default_attributes(dataset)
            yield dataset
    except PixelError:
        raise
    except (OSError, MemoryError, RecursionError) as error:
        raise PixelError(f"pixels can't be read ({type(error).__name__})") from error
    except Exception as error:
        raise PixelError(f"pixels can't be decoded ({type(error).__name__})") from error


def read_frames(path: str | Path, max_pixels: int, frames: Sequence[int]) -> list[Image]:
    """Return frames of a file one by one; the parameters and errors are those of `read_counts`."""
    if pictures.is_picture(path):
        return [read_counts(path, frames, max_pixels).image]
    with _opened(path, max_pixels) as dataset:
        return [_to_counts(dataset, [_decode(dataset, frame)]).image for frame in frames]


def _picture(path: str | Path, max_pixels: int) -> Image:
    try:
        return pictures.read_picture(path, max_pixels)
    except Exception as error:
        raise PixelError(f"picture can't be read ({type(error).__name__})") from error


def _default_attributes(dataset: Dataset) -> None:
    """Set attributes that decoding needs and that follow from others, if an exporter omitted them."""
    for keyword, value in (
        ("SamplesPerPixel", 1),
        ("PhotometricInterpretation", "MONOCHROME2"),
        ("PixelRepresentation", 0),
        ("BitsStored", dataset.BitsAllocated),
    ):
        if dataset.get(keyword) in (None, ""):
            setattr(dataset, keyword, value)
    if dataset.get("HighBit") in (None, ""):
        dataset.HighBit = dataset.BitsStored - 1
    if not getattr(dataset.file_meta, "TransferSyntaxUID", None):
        implicit, little = dataset.original_encoding
        dataset.file_meta.TransferSyntaxUID = (
            pydicom.uid.ImplicitVRLittleEndian
            if implicit
            else pydicom.uid.ExplicitVRLittleEndian
            if little
            else pydicom.uid.ExplicitVRBigEndian
        )


def _decode(dataset: Dataset, frame: int) -> NDArray[np.generic]:
    shape = (int(dataset.Rows), int(dataset.Columns))
    if dataset.file_meta.TransferSyntaxUID.is_encapsulated:
        count = int(dataset.get("NumberOfFrames") or 1)
        coded = get_frame(dataset.PixelData, frame, number_of_frames=count)
        if (declared := _coded_shape(coded)) and declared != shape:
            raise PixelError("matrix of the codestream differs from the header's")
    pixels = pixel_array(dataset, index=frame)
    if pixels.shape != shape:
        raise PixelError("matrix differs from the header's")
    if _exceeds_stored_bits(dataset, pixels, frame):
        raise PixelError("pixels are larger than the stored bits of the header allow")
    return pixels


def _exceeds_stored_bits(dataset: Dataset, pixels: NDArray[np.generic], frame: int) -> bool:
    """Return whether counts reach into bits above BitsStored (C.7.6.3.1.1): pydicom drops them, and counts would be wrong.

    Bits that are set in all pixels, and those of an overlay (C.9.2, retired position in the pixels), are no counts.
    """
    encapsulated = dataset.file_meta.TransferSyntaxUID.is_encapsulated
    if encapsulated or dataset.PixelRepresentation or dataset.BitsStored >= dataset.BitsAllocated:
        return False
    whole = pixel_array(dataset, index=frame, correct_unused_bits=False)
    dropped = whole.astype(np.int64) - pixels.astype(np.int64)
    overlays = ((group, 0x0102) for group in range(0x6000, 0x6020, 2))
    if any(dataset[place].value for place in overlays if place in dataset):
        return False
    return bool((dropped != dropped.flat[0]).any())


def _coded_shape(coded: bytes) -> tuple[int, int] | None:
    """Return rows and columns of a JPEG or JPEG 2000 codestream; None if they are not found."""
    if coded[:4] == b"\xff\x4f\xff\x51":  # SIZ (ISO 15444-1 A.5.1): size minus offset
        width, height, left, top = struct.unpack(">4L", coded[8:24])
        return height - top, width - left
    at = 2
    while coded[:2] == b"\xff\xd8" and at + 9 <= len(coded) and coded[at] == 0xFF:
        marker, length = coded[at + 1], struct.unpack(">H", coded[at + 2 : at + 4])[0]
        # SOF markers (ISO 10918-1 B.2.2), and SOF55 of JPEG-LS (ISO 14495-1 C.1.1)
        if marker == 0xF7 or (0xC0 <= marker <= 0xCF and marker not in {0xC4, 0xC8, 0xCC}):
            height, width = struct.unpack(">2H", coded[at + 5 : at + 9])
            return height, width
        at += 2 + length
    return None


def _to_counts(dataset: Dataset, parts: list[NDArray[np.generic]]) -> Counts:
    bits = int(dataset.BitsStored) - int(dataset.PixelRepresentation)
    saturated = float(np.mean([_saturated(part, 2**bits - 1) for part in parts]))
    slope = float(dataset.get("RescaleSlope") or 1.0) or 1.0
    intercept = float(dataset.get("RescaleIntercept") or 0.0)
    plain = slope == 1.0 and intercept == 0.0
    stretched = plain and (all(map(_is_stretched, parts)) or all(map(noise.has_holes, parts)))
    image = np.zeros(parts[0].shape)
    for part in parts:
        image += part.astype(np.float64) * slope + intercept
    if not np.isfinite(image).all():
        raise PixelError("counts that are not numbers")
    capture = _is_capture(dataset)
    if (
        not capture
        and abs(intercept) * len(parts) > _OFFSET_SHARE * image.max()
        and _is_offset(image)
    ):
        raise PixelError(
            "values that the rescale intercept moves away from zero, so they are no counts"
        )
    below = (image < -_SUBTRACTED).mean() if intercept == 0 and not capture else 0.0
    if below > _SUBTRACTED_SHARE:
        raise PixelError("values below zero, so a background was subtracted and they are no counts")
    if capture or dataset.PhotometricInterpretation == "MONOCHROME1":
        image = upright_polarity(image)
    return Counts(image, saturated, stretched)


def _is_capture(dataset: Dataset) -> bool:
    return str(dataset.get("SOPClassUID", "")).startswith(SECONDARY_CAPTURE)


def _is_offset(image: Image) -> bool:
    """Return whether the darkest pixels are far from zero, compared with the brightest one."""
    return bool(abs(image.min()) > _OFFSET_SHARE * image.max())


def _is_stretched(part: NDArray[np.generic]) -> bool:
    """Return whether values are counts times a factor of 2 or more: no two of the lower ones are adjacent integers.

    Below the median of an image of counts, adjacent integers occur. With few counts, there are not enough values below
    it: then all values have a common factor.
    """
    values = np.asarray(part, dtype=np.float64)
    above = values[values > 0]
    if not above.size:
        return False
    whole = np.unique(above).astype(np.int64)
    if above.size >= _MULTIPLES and whole.size >= _STRETCHED_VALUES and np.gcd.reduce(whole) > 1:
        return True
    low = np.unique(above[above <= np.median(above)])
    return bool(low.size >= _STRETCHED_VALUES and np.diff(low).min() >= 2)


def _saturated(part: NDArray[np.generic], ceiling: int) -> float:
    """Return the share of pixels at the largest value that is stored or can be stored."""
    values = np.asarray(part, dtype=np.float64)
    top = values == values.max()
    plateau = top.sum() >= _PLATEAU_PIXELS and values.max() - values.min() >= _PLATEAU_COUNTS
    return float(np.mean(top if plateau else values >= ceiling))


def upright_polarity(image: Image) -> Image:
    """Return an image with a dark edge, as around a gland; invert it if the edge is bright.

    MONOCHROME1 (C.7.6.3.1.2) says how values are displayed, not what they mean: the values of a
    camera are counts, those of a screenshot may be inverted. The brightness of the edge decides.
    """
    edge = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
    middle = (image.max() + image.min()) / 2
    return image.max() + image.min() - image if np.median(edge) > middle else image
