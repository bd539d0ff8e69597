"""Pixel size of a scan in mm, or why there is none."""

import collections
import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from thyrocast.config.center import CenterConfig
from thyrocast.contract.names import ScanFlag, ScanKind, ValueSource
from thyrocast.dicom import terms
from thyrocast.dicom.elements import Elements, Header, positive
from thyrocast.dicom.frames import PatientFile, Scan, descriptions

# Side of an image of a gamma camera in mm: from the zoomed field of a small one to the longest field
# of a large one. In centimeters or meters, a pixel size gives a side far outside these limits.
FIELD_MM = (70.0, 1_000.0)
# Largest relative difference of two statements of one size.
_SAME = 0.05
# Shortest side of a large detector and longest side of any, mm.
_DETECTOR_MM = (350.0, 620.0)
# Largest ratio of the distances of rows and columns: the pixels of gamma cameras are square.
_SQUARE = 1.25


@dataclass(frozen=True)
class PixelSize:
    """Distance of rows and of columns in mm, and where it comes from.

    Attributes
    ----------
    row_mm, column_mm
        None for a pinhole collimator, whose magnification depends on the distance (C.8.4.11).
    by
        None for a pinhole collimator.
    flags
        What is unusual about it.
    """

    row_mm: float | None
    column_mm: float | None
    by: ValueSource | None
    flags: tuple[ScanFlag, ...] = ()


@dataclass(frozen=True)
class PixelSizes:
    """Determines pixel sizes of a center's scans.

    Attributes
    ----------
    center
        The center's block of the config.
    matrices
        Columns of the matrices of all scans whose header has no pixel size. One
        `fallbacks.pixel_mm` is valid for one of them only.
    """

    center: CenterConfig
    matrices: Collection[int] = ()

    @classmethod
    def of_files(cls, center: CenterConfig, files: Iterable[PatientFile]) -> "PixelSizes":
        """Return the pixel sizes for all files of a center."""
        found: collections.Counter[int] = collections.Counter()
        for file in files:
            for scan in file.verdict.scans:
                if not isinstance(_stated(file.header, scan), PixelSize):
                    found[_columns(file.header)] += 1
        return cls(center, sorted(found))

    def of(self, header: Header, scan: Scan) -> PixelSize | str:
        """Return the pixel size of a scan, or the reason why there is none.

        It is PixelSpacing (C.7.6.3.1.3, row spacing first), otherwise the field of view divided by
        zoom and matrix, otherwise the center's fallback.
        """
        if is_pinhole(header, scan):
            if not self.center.accept.pinhole:
                return "a pinhole collimator, whose pixel size is not valid"
            return PixelSize(None, None, None, (ScanFlag.PINHOLE,))
        stated = _stated(header, scan)
        if isinstance(stated, PixelSize):
            return stated
        flags = (ScanFlag.PIXEL_SIZE_IMPLAUSIBLE,) if stated in _IMPLAUSIBLE else ()
        fallbacks, columns = self.center.fallbacks, _columns(header)
        given = fallbacks.pixel_mm_by_matrix.get(columns)
        if given is None and fallbacks.pixel_mm is not None:
            others = [matrix for matrix in self.matrices if matrix != columns]
            if [matrix for matrix in others if matrix not in fallbacks.pixel_mm_by_matrix]:
                return (
                    f"{stated}, and fallbacks.pixel_mm is one number for several matrices: "
                    "fallbacks.pixel_mm_by_matrix is needed"
                )
            given = fallbacks.pixel_mm
        if given is None:
            return stated
        return PixelSize(given, given, ValueSource.CONFIG, flags)


_TOO_SMALL = "pixel size implausible: a field smaller than any camera's"
_TOO_LARGE = "a field larger than any camera's"
_NOT_SQUARE = "pixel size implausible: pixels that are far from square"
_IMPLAUSIBLE = {_TOO_SMALL, _TOO_LARGE, _NOT_SQUARE}


def is_pinhole(header: Header, scan: Scan) -> bool:
    """Return whether a scan was acquired with a pinhole, by collimator or description."""
    described = descriptions(header)
    text = f"{described.series} {described.study}"
    return terms.collimator(detector_of(header, scan), text) == "pinhole"


def detector_of(header: Header, scan: Scan) -> Elements:
    """Return the detector item (C.8.4.11) of a scan; an empty one if there is none."""
    detectors = header.items("DetectorInformationSequence")
    position = (scan.detector or 1) - 1
    return detectors[position] if position < len(detectors) else Elements()


def _stated(header: Header, scan: Scan) -> PixelSize | str:
    """Return the pixel size that the header states, or the reason why there is none."""
    if scan.kind is ScanKind.CAPTURE:
        return "pixel size not stated"
    spacing = header.several("PixelSpacing")
    field = _by_field(header, detector_of(header, scan))
    reason = "pixel size not stated"
    if len(spacing) == 2 and (row := positive(spacing[0])) and (column := positive(spacing[1])):
        if _is_plausible(header, row, column):
            return _of_spacing(row, column, field)
        if max(row, column) > _SQUARE * min(row, column):
            reason = _NOT_SQUARE
        else:
            too_large = max(_sides(header, row, column)) > FIELD_MM[1]
            reason = _TOO_LARGE if too_large else _TOO_SMALL
    if field:
        return PixelSize(field, field, ValueSource.FIELD_OF_VIEW, (ScanFlag.PIXEL_SIZE_BY_FIELD,))
    return reason


def _of_spacing(row: float, column: float, field: float | None) -> PixelSize:
    """Return the pixel size of a plausible PixelSpacing, compared with that of the field of view.

    Exactly 1 mm is what exports write when they do not know it, so that the field of view is believed.
    """
    differs = bool(field and _differ(row, column, field))
    if row == column == 1.0:
        if field and differs:
            flag = ScanFlag.PIXEL_SIZE_BY_FIELD
            return PixelSize(field, field, ValueSource.FIELD_OF_VIEW, (flag,))
        flags = () if field else (ScanFlag.PIXEL_SIZE_OF_ONE,)
    else:
        flags = (ScanFlag.PIXEL_SIZE_DIFFERS,) if differs else ()
    return PixelSize(row, column, ValueSource.HEADER, flags)


def _is_plausible(header: Header, row: float, column: float) -> bool:
    low, high = FIELD_MM
    sides = _sides(header, row, column)
    if max(row, column) > _SQUARE * min(row, column):
        return False
    return low <= min(sides) and max(sides) <= high


def _differ(row: float, column: float, field: float) -> bool:
    """Return whether a pixel size contradicts that of the field of view: a zoom that was forgotten."""
    ratio = math.sqrt(row * column) / field
    return max(ratio, 1 / ratio) > 1 + 2 * _SAME


def _sides(header: Header, row: float, column: float) -> tuple[float, float]:
    return (header.number("Rows") or 0) * row, (header.number("Columns") or 0) * column


def _by_field(header: Header, detector: Elements) -> float | None:
    """Return the pixel size from the field of view of a detector, mm.

    FieldOfViewDimensions (C.8.4.11: rows and columns of a rectangle, diameter of a circle) of the
    detector, divided by ZoomFactor (C.8.4.11) and matrix.

    Returns
    -------
    float or None
        None if rows and columns give different pixel sizes, because then the field is smaller than
        the matrix; and if the field is zoomed and so small that it may be that of the zoomed image.
    """
    dimensions = [positive(value) for value in detector.several("FieldOfViewDimensions")]
    if not dimensions or None in dimensions:
        return None
    zooms = [positive(value) or 1.0 for value in detector.several("ZoomFactor")] or [1.0]
    side, zoom = max(filter(None, dimensions)), max(zooms)
    if abs(zoom - 1) > _SAME and side < _DETECTOR_MM[0] and side * zoom <= _DETECTOR_MM[1]:
        return None
    sizes = [
        float(side or 0.0) / (zoom * pixels)
        for side, zoom, pixels in zip(
            (dimensions[0], dimensions[-1]),
            (zooms[0], zooms[-1]),
            (header.number("Rows") or 1.0, header.number("Columns") or 1.0),
            strict=True,
        )
    ]
    low, high = min(sizes), max(sizes)
    if not high or high / low - 1 > _SAME or not _is_plausible(header, low, high):
        return None
    return float(math.sqrt(low * high))


def _columns(header: Header) -> int:
    return int(header.number("Columns") or 0)
