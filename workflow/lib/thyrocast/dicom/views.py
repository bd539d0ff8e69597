"""Identify the view of a frame, what states this view, and the direction of the patient's head."""

import math
from dataclasses import dataclass

from thyrocast.config.center import CenterConfig, ViewFallback
from thyrocast.contract.names import ViewSource
from thyrocast.dicom import terms
from thyrocast.dicom.elements import Elements

# Cosine between a detector's normal and the patient's front-to-back axis: within 25 degrees.
FACING = math.cos(math.radians(25))
# Largest difference in degrees between a start angle and the patient's front (180 degrees).
FACING_DEGREES = 25


@dataclass(frozen=True)
class FrameView:
    """View of a frame.

    Attributes
    ----------
    anterior
        Whether the view is anterior; None if the view is not stated.
    by
        What identified the view; None if the view is not stated.
    turn
        Quarter turns, counter-clockwise, that bring the head up.
    """

    anterior: bool | None
    by: ViewSource | None
    turn: int


def view_of(
    header: Elements,
    detector: Elements,
    center: CenterConfig,
    series: str,
    study: str,
    *,
    single: bool,
) -> FrameView:
    """Identify the view of a frame: by code, then orientation, description, angle and config.

    Parameters
    ----------
    header, detector
        The file's header, and the item of the frame's detector.
    center
        The center's block of the config.
    series, study
        Descriptions of series and study, as `terms.words` returns them.
    single
        Whether the frame is the only one; if there are several, a description does not say which
        of them it describes.
    """
    turn = quarter_turns(header, detector)
    coded = terms.coded_anterior(detector)
    if coded is not None:
        return FrameView(coded, ViewSource.CODE, turn)
    cosines = _cosines(header, detector)
    if cosines:
        return FrameView(_faces_front(cosines), ViewSource.ORIENTATION, turn)
    views = center.views
    for text in (series, study):
        anterior = terms.matches(views.anterior, text)
        other = terms.matches(views.other, text)
        if other and not anterior:
            return FrameView(False, ViewSource.DESCRIPTION, turn)
        if anterior and not other and single:
            return FrameView(True, ViewSource.DESCRIPTION, turn)
    # The start angle (C.8.4.11) is used last, because many cameras count from the top of the gantry
    # or leave 0 in planar images.
    angle = detector.signed("StartAngle")
    if angle is not None and (angle or not single):
        return FrameView(in_front(angle), ViewSource.ORIENTATION, turn)
    if single and center.fallbacks.view is ViewFallback.ANTERIOR:
        return FrameView(True, ViewSource.FALLBACK, turn)
    return FrameView(None, None, turn)


def in_front(angle: float) -> bool:
    """Return whether a detector is in front, by its start angle (C.8.4.11: 0 back, 180 front)."""
    return abs(angle % 360 - 180) < FACING_DEGREES


def quarter_turns(header: Elements, detector: Elements) -> int:
    """Return the quarter turns, counter-clockwise, after which columns run from head to feet."""
    cosines = _cosines(header, detector)
    if not cosines:
        return 0
    rows_z, columns_z = cosines[2], cosines[5]
    if max(abs(rows_z), abs(columns_z)) < 0.7:
        return 0
    if abs(columns_z) >= abs(rows_z):
        return 0 if columns_z < 0 else 2
    # Head on the right (rows run to the head): one turn; head on the left: three.
    return 1 if rows_z > 0 else 3


def _cosines(header: Elements, detector: Elements) -> list[float] | None:
    """Return the directions of rows and columns (C.7.6.2.1.1: x left, y back, z head).

    From ImageOrientationPatient of the detector (C.8.4.11) or the file, otherwise from
    PatientOrientation (C.7.6.1.1.1).
    """
    for source in (detector, header):
        given = source.several("ImageOrientationPatient")
        try:
            values = [float(value) for value in given if value is not None]
        except ValueError:
            continue
        if len(given) == len(values) == 6 and all(
            abs(math.hypot(*axis) - 1) < 0.05 for axis in (values[:3], values[3:])
        ):
            return values
    letters = [str(part)[:1] for part in header.several("PatientOrientation")]
    axes = {
        "L": (1, 0, 0), "R": (-1, 0, 0), "P": (0, 1, 0), "A": (0, -1, 0), "H": (0, 0, 1), "F": (0, 0, -1),
    }  # fmt: skip
    if len(letters) == 2 and all(letter in axes for letter in letters):
        return [float(value) for letter in letters for value in axes[letter]]
    return None


def _faces_front(cosines: list[float]) -> bool:
    (ax, _, az), (bx, _, bz) = cosines[:3], cosines[3:]
    # Rows x columns points away from the viewer: to the back (+y) in an anterior view.
    return az * bx - ax * bz > FACING
