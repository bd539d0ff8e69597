"""Scans of a center as records; the text of a SCANS table is parsed only here."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from thyrocast.contract.names import ScanKind, ViewSource
from thyrocast.dicom.names import unquote_name


@dataclass(frozen=True)
class SyringeImage:
    """An image of a dose syringe.

    Attributes
    ----------
    file
        Path below the center's DICOM folder.
    frame
        Frame of this image, from 0.
    duration_s
        Duration of the frame, s.
    minutes
        Time from this image to the scan of the gland, min.
    """

    file: str
    frame: int
    duration_s: float
    minutes: float


@dataclass(frozen=True)
class RegisteredScan:
    """One scan of a patient; what the header does not state is None.

    Attributes
    ----------
    file
        Path below the center's DICOM folder.
    frames
        Frames that are summed, from 0.
    kind
        Static frame, frames of a dynamic study, or a captured picture.
    view_by
        What identified the anterior view.
    turn
        Quarter turns (counterclockwise) that bring the head up.
    row_mm, column_mm
        Distance of rows and of columns before the turn, mm; None for a pinhole.
    duration_s
        Duration, s.
    tc_activity_mbq
        Injected technetium-99m activity, MBq.
    delay_min
        Time from injection to image, min.
    vendor, camera, collimator
        The camera.
    simulated
        Whether the header says that the image is simulated.
    syringe, residual
        Images of the syringe before and after injection.
    """

    file: str
    frames: tuple[int, ...]
    kind: ScanKind
    view_by: ViewSource
    turn: int
    row_mm: float | None
    column_mm: float | None
    duration_s: float | None
    tc_activity_mbq: float | None
    delay_min: float | None
    vendor: str | None
    camera: str | None
    collimator: str | None
    simulated: bool
    syringe: SyringeImage | None = None
    residual: SyringeImage | None = None

    @property
    def is_pinhole(self) -> bool:
        """Whether the scan has no pixel size, as with a pinhole collimator."""
        return self.row_mm is None or self.column_mm is None


def scans_by_patient(table: pd.DataFrame) -> dict[str, list[RegisteredScan]]:
    """Return the scans of each patient, the best first.

    Parameters
    ----------
    table
        A SCANS table (`thyrocast.contract.cohort.SCANS`).

    Returns
    -------
    dict
        Pseudonym to scans.
    """
    scans: dict[str, list[RegisteredScan]] = {}
    for row in table.sort_values("rank", kind="stable").to_dict("records"):
        scans.setdefault(row["patient"], []).append(_scan(row))
    return scans


def _scan(row: Mapping[Hashable, Any]) -> RegisteredScan:
    given: dict[Hashable, Any] = {
        name: None if pd.isna(value) else value for name, value in row.items()
    }
    return RegisteredScan(
        file=unquote_name(given["file"]),
        frames=tuple(int(frame) for frame in given["frames"].split()),
        kind=ScanKind(given["kind"]),
        view_by=ViewSource(given["view_by"]),
        turn=given["turn"],
        row_mm=given["row_mm"],
        column_mm=given["column_mm"],
        duration_s=given["duration_s"],
        tc_activity_mbq=given["tc_activity_mbq"],
        delay_min=given["delay_min"],
        vendor=given["vendor"],
        camera=given["camera"],
        collimator=given["collimator"],
        simulated=given["simulated"],
        syringe=_syringe(given, "syringe"),
        residual=_syringe(given, "residual"),
    )


def _syringe(given: Mapping[Hashable, Any], prefix: str) -> SyringeImage | None:
    if given[f"{prefix}_file"] is None:
        return None
    return SyringeImage(
        file=unquote_name(given[f"{prefix}_file"]),
        frame=given[f"{prefix}_frame"],
        duration_s=given[f"{prefix}_s"],
        minutes=given[f"{prefix}_min"],
    )
