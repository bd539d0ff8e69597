"""Which side of the patient a detector sees, and where the head is, by the directions of rows and columns."""

import math
from collections.abc import Sequence

from thyrocast.dicom.elements import Elements
from thyrocast.dicom.vocabulary import Facing

# Cosine between a detector's normal and an axis of the patient: within 25 degrees.
FACING = math.cos(math.radians(25))


def quarter_turns(axes: Sequence[float] | None) -> int:
    """Return the quarter turns, counter-clockwise, after which columns run from head to feet."""
    if not axes:
        return 0
    rows_z, columns_z = axes[2], axes[5]
    if max(abs(rows_z), abs(columns_z)) < 0.7:
        return 0
    if abs(columns_z) >= abs(rows_z):
        return 0 if columns_z < 0 else 2
    # Head on the right (rows run to the head): one turn; head on the left: three.
    return 1 if rows_z > 0 else 3


def cosines(header: Elements, detector: Elements) -> list[float] | None:
    """Return the directions of rows and columns (C.7.6.2.1.1: x left, y back, z head).

    From ImageOrientationPatient of the detector (C.8.4.11) or the file, otherwise from
    PatientOrientation (C.7.6.1.1.1); the first that is not axial.
    """
    for source in (detector, header):
        given = source.several("ImageOrientationPatient")
        try:
            values = [float(value) for value in given if value is not None]
        except ValueError:
            continue
        if len(given) == len(values) == 6 and _is_planar(values):
            return values
    return letters(header)


def letters(header: Elements) -> list[float] | None:
    """Return the directions of rows and columns by PatientOrientation; None if axial or missing.

    ``LP`` may be an anterior view of a patient who is turned by a few degrees, or an oblique one: it states
    nothing. ``RA`` is posterior or oblique, and never anterior.
    """
    given = [str(part).upper() for part in header.several("PatientOrientation")]
    named = [part[:1] for part in given]
    turned = any(set(part) & set("LR") and set(part) & set("AP") for part in given)
    axes = {
        "L": (1, 0, 0), "R": (-1, 0, 0), "P": (0, 1, 0), "A": (0, -1, 0), "H": (0, 0, 1), "F": (0, 0, -1),
    }  # fmt: skip
    if len(named) == 2 and all(letter in axes for letter in named):
        values = [float(value) for letter in named for value in axes[letter]]
        if _is_planar(values) and not (turned and side(values) is Facing.ANTERIOR):
            return values
    return None


def _is_planar(axes: Sequence[float]) -> bool:
    """Return whether two axes are perpendicular unit vectors that do not span an axial plane."""
    rows, columns = axes[:3], axes[3:]
    units = all(abs(math.hypot(*axis) - 1) < 0.05 for axis in (rows, columns))
    perpendicular = abs(sum(a * b for a, b in zip(rows, columns, strict=True))) < 0.1
    axial = abs(rows[0] * columns[1] - rows[1] * columns[0]) > FACING
    return units and perpendicular and not axial


def side(axes: Sequence[float]) -> Facing:
    """Return which side of the patient a detector sees whose rows and columns run along these axes."""
    (ax, _, az), (bx, _, bz) = axes[:3], axes[3:]
    # Rows x columns points away from the viewer: to the back (+y) in an anterior view.
    back = az * bx - ax * bz
    if back > FACING:
        return Facing.ANTERIOR
    return Facing.POSTERIOR if back < -FACING else Facing.OTHER
