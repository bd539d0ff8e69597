"""Which view a frame shows, how that is known, and which way the head points."""

import math
from collections.abc import Mapping
from typing import Any

from thyrocast.dicom import terms
from thyrocast.dicom.header import Record

Settings = Mapping[str, Any]

# Cosine between a detector's normal and the patient's front-to-back axis: within 25 degrees.
FACING = math.cos(math.radians(25))


def view_of(
    record: Record, item: Record, center: Settings, series: str, study: str, *, single: bool
) -> tuple[str | None, str, int]:
    """View of a frame, how it is known, and the quarter turns that bring the head up."""
    turn = _turn(record, item)
    if view := terms.view_of_code(item):
        return view, "code", turn
    if view := _view_of_orientation(record, item):
        return view, "orientation", turn
    views = center["views"]
    # A description names one view; of a file with several frames it can't say which is which.
    for text in (series, study):
        anterior = terms.matches(views["anterior"], text)
        other = terms.matches(views["other"], text)
        if other and not anterior:
            return "other", "description", turn
        if anterior and not other and single:
            return "anterior", "description", turn
    # Start angle of the detector (C.8.4.11): 0 at the patient's back, 180 in front. It comes last,
    # since many cameras count from the gantry's top or leave 0 in planar images.
    angle = item.get("StartAngle")
    if isinstance(angle, int | float) and (angle or not single):
        return ("anterior" if abs(angle % 360 - 180) < 25 else "other"), "orientation", turn
    if single and center["fallbacks"]["view"] == "anterior":
        return "anterior", "fallback", turn
    return None, "", turn


def _cosines(record: Record, item: Record) -> list[float] | None:
    """Direction of an image's rows and columns in the patient (C.7.6.2.1.1: x left, y back, z head).

    From ImageOrientationPatient of the detector (C.8.4.11), else from PatientOrientation (C.7.6.1.1.1).
    """
    for source in (item, record):
        given = source.get("ImageOrientationPatient")
        if isinstance(given, list) and len(given) == 6:
            try:
                values = [float(v) for v in given]
            except (TypeError, ValueError):
                continue
            if abs(math.hypot(*values[:3]) - 1) < 0.05 and abs(math.hypot(*values[3:]) - 1) < 0.05:
                return values
    letters = terms.as_list(record.get("PatientOrientation"))
    axes = {
        "L": (1, 0, 0), "R": (-1, 0, 0), "P": (0, 1, 0), "A": (0, -1, 0), "H": (0, 0, 1), "F": (0, 0, -1),
    }  # fmt: skip
    if len(letters) == 2 and all(str(part)[:1] in axes for part in letters):
        return [float(v) for part in letters for v in axes[str(part)[0]]]
    return None


def _view_of_orientation(record: Record, item: Record) -> str | None:
    cosines = _cosines(record, item)
    if cosines:
        (ax, _, az), (bx, _, bz) = cosines[:3], cosines[3:]
        # Rows x columns points away from the viewer: to the back (+y) in an anterior view.
        away = az * bx - ax * bz
        return "anterior" if away > FACING else "other"
    return None


def _turn(record: Record, item: Record) -> int:
    """Quarter turns, counter-clockwise, after which the columns run from head to feet."""
    cosines = _cosines(record, item)
    if not cosines:
        return 0
    rows_z, columns_z = cosines[2], cosines[5]
    if max(abs(rows_z), abs(columns_z)) < 0.7:
        return 0
    if abs(columns_z) >= abs(rows_z):
        return 0 if columns_z < 0 else 2
    # Head on the right (rows run to the head): one turn brings it up; on the left: three.
    return 1 if rows_z > 0 else 3
