"""From a patient's registered scans to one standardized image with its record."""

import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thyrocast import fileio
from thyrocast.contract import columns as contract_columns
from thyrocast.dicom.names import unquote_name
from thyrocast.dicom.pixels import Counts, PixelError, read_counts
from thyrocast.image import field as images
from thyrocast.image import gland as glands
from thyrocast.image import quantities
from thyrocast.image.field import GRID_MM, Field
from thyrocast.image.gland import NoGlandError
from thyrocast.image.quantities import Syringe

LOG = logging.getLogger("thyrocast")
Settings = Mapping[str, Any]
Row = Mapping[str, str]

RECORD = (
    "patient",
    "usable",
    "reason",
    *contract_columns.ACQUISITION,
    *contract_columns.QUANTITIES,
)

# No camera's field is longer than a bed; a header that says so would fill the memory.
FIELD_MM = 2_500.0


class UnusableError(ValueError):
    """A scan that can't be standardized; the message is a reason for the record."""


@dataclass(frozen=True)
class Standardized:
    """``image`` (S, S) float32 and ``mask`` (S, S) uint8, with the ``record`` of columns.

    ``digest`` is a hash of the camera's pixels, by which copies are found.
    """

    image: NDArray[np.float32]
    mask: NDArray[np.uint8]
    digest: str
    record: dict[str, str]


def standardize_patient(
    patient: str, scans: Sequence[Row], folder: Path, center: Settings, settings: Settings
) -> tuple[Standardized | None, dict[str, str]]:
    """Standardize the first of a patient's scans that shows a gland.

    Parameters
    ----------
    patient
        Pseudonym.
    scans
        The patient's rows of scans.csv, best first.
    folder
        The center's DICOM folder.
    center, settings
        The center's block and the image's block of the config.

    Returns
    -------
    tuple
        The result, or None, and the record with ``usable`` and ``reason``.
    """
    reason = "no scan"
    for number, scan in enumerate(sorted(scans, key=lambda row: int(row["rank"]))):
        try:
            done = _standardize(scan, folder, center, settings)
        except (UnusableError, NoGlandError, PixelError) as error:
            # The first scan's reason counts: the others are only tried in its place.
            reason = str(error) if number == 0 else reason
            continue
        record = {"patient": patient, "usable": "1", "reason": "", **done.record}
        return replace(done, record=record), record
    return None, {"patient": patient, "usable": "0", "reason": reason}


def _standardize(scan: Row, folder: Path, center: Settings, settings: Settings) -> Standardized:
    counts = _read(folder, scan["file"], scan["frames"])
    turn = int(scan["turn"])
    image = np.rot90(counts.image, turn)
    spacing = (float(scan["row_mm"]), float(scan["column_mm"]))
    if turn % 2:
        spacing = (spacing[1], spacing[0])
    if max(image.shape[0] * spacing[0], image.shape[1] * spacing[1]) > FIELD_MM:
        raise UnusableError("a field larger than any camera's")
    if image.max() <= 0:
        raise UnusableError("an image without counts")
    grid = images.to_grid(image, spacing)
    limits = (settings["min_area_cm2"], settings["max_area_cm2"])
    gland = glands.find_gland(grid, GRID_MM, limits)
    duration = _number(scan["duration_s"])
    record = quantities.measure(grid, gland, GRID_MM, duration, _dose_rate(scan, folder, center))
    if scan["kind"] == "capture":
        # Grey is no count: what is left are ratios, shapes and sizes.
        record |= dict.fromkeys(("q_counts", "q_rate", "q_uptake", "q_snr"))
    elif (record["q_counts"] or 0.0) < settings["min_counts"]:
        raise UnusableError("too few counts in the gland")
    row, column = images.centroid(gland.whole, grid, GRID_MM)
    side = settings["field_mm"]
    field = Field(row - side / 2, column - side / 2, side, settings["size"])
    # Negative counts come from subtraction by the camera; the network takes square roots.
    cropped = np.maximum(images.crop(image, spacing, field), 0.0)
    mask = images.crop_mask(gland.whole, GRID_MM, field)
    standard = _intensity(cropped, mask, field, scan, settings)
    return Standardized(
        standard.astype(np.float32),
        mask.astype(np.uint8),
        hashlib.blake2b(np.ascontiguousarray(counts.image).tobytes(), digest_size=16).hexdigest(),
        _acquisition(scan, image.shape, spacing, counts, (row, column), grid.shape)
        | quantities.as_text(record),
    )


def _read(folder: Path, file: str, frames: str) -> Counts:
    return read_counts(folder / unquote_name(file), [int(frame) for frame in frames.split()])


def _intensity(
    counts: NDArray[np.float64],
    mask: NDArray[np.bool_],
    field: Field,
    scan: Row,
    settings: Settings,
) -> NDArray[np.float64]:
    """Counts made comparable between cameras; nothing is clipped.

    ``relative`` has mean 1 in the gland. ``activity`` is counts/s per MBq and cm2.
    """
    if not mask.any() or counts[mask].mean() <= 0:
        raise UnusableError("a gland outside the field of view")
    if settings["intensity"] == "relative":
        return np.asarray(counts / counts[mask].mean())
    seconds, activity = _number(scan["duration_s"]), _number(scan["tc_activity_mbq"])
    if not seconds or not activity:
        raise UnusableError("duration or injected activity not stated")
    return counts / (seconds * activity * field.pixel_mm**2 / 100)


def _dose_rate(scan: Row, folder: Path, center: Settings) -> float | None:
    return quantities.dose_rate(
        _syringe(scan, "syringe", folder),
        _syringe(scan, "residual", folder),
        _number(scan["tc_activity_mbq"]),
        _number(scan["delay_min"]),
        center["fallbacks"]["sensitivity"],
    )


def _syringe(scan: Row, kind: str, folder: Path) -> Syringe | None:
    if not scan[f"{kind}_file"]:
        return None
    try:
        counts = _read(folder, scan[f"{kind}_file"], scan[f"{kind}_frame"]).image
    except PixelError:
        LOG.warning("a syringe's image can't be read, no uptake from it")
        return None
    return Syringe(
        float(np.maximum(counts, 0.0).sum()),
        float(scan[f"{kind}_s"]),
        float(scan[f"{kind}_min"]),
    )


def _acquisition(
    scan: Row,
    shape: tuple[int, ...],
    spacing: tuple[float, float],
    counts: Counts,
    middle: tuple[float, float],
    grid: tuple[int, ...],
) -> dict[str, str]:
    values = quantities.as_text(
        {
            "matrix": float(shape[1]),
            "pixel_mm": float(np.sqrt(spacing[0] * spacing[1])),
            "duration_s": _number(scan["duration_s"]),
            "tc_activity_mbq": _number(scan["tc_activity_mbq"]),
            "delay_min": _number(scan["delay_min"]),
            "saturation": counts.saturated,
            # From the middle of the camera's field, right and down positive.
            "centroid_x_mm": middle[1] - grid[1] * GRID_MM / 2,
            "centroid_y_mm": middle[0] - grid[0] * GRID_MM / 2,
        }
    )
    texts = {
        name: scan[name] for name in ("vendor", "camera", "collimator", "simulated", "view_by")
    }
    return {name: (values | texts)[name] for name in contract_columns.ACQUISITION}


def _number(text: str) -> float | None:
    return float(text) if text else None


def standardize_job(
    patients: Sequence[str],
    scans: Sequence[Row],
    folder: Path,
    center: Settings,
    settings: Settings,
) -> tuple[list[Standardized], list[dict[str, str]]]:
    """Standardize a job's patients, each on their own.

    Parameters
    ----------
    patients
        Pseudonyms of the job's patients; those without a row in ``scans`` are not in the study.
    scans
        Rows of the center's scans.csv.

    Returns
    -------
    tuple
        Results of the usable patients, and the records of all who have scans, in their order.
    """
    of_patient: dict[str, list[Row]] = {}
    for row in scans:
        of_patient.setdefault(row["patient"], []).append(row)
    done: list[Standardized] = []
    records: list[dict[str, str]] = []
    present = [patient for patient in patients if patient in of_patient]
    for number, patient in enumerate(present, 1):
        result, record = standardize_patient(patient, of_patient[patient], folder, center, settings)
        records.append(record)
        if result:
            done.append(result)
        else:
            LOG.warning("%s can't be standardized: %s", patient, record["reason"])
        if number % 25 == 0 or number == len(present):
            LOG.info("standardized %d / %d patients", number, len(present))
    return done, records


def write_job(
    done: Sequence[Standardized],
    records: Sequence[Mapping[str, str]],
    size: int,
    images_path: Path,
    records_path: Path,
) -> None:
    """Write a job's images (npz: patient, digest, image, mask) and records (csv)."""
    shape = (0, size, size)
    with fileio.atomic(images_path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(
            file,
            patient=np.array([item.record["patient"] for item in done], dtype=np.str_),
            digest=np.array([item.digest for item in done], dtype=np.str_),
            image=np.stack([item.image for item in done]) if done else np.zeros(shape, np.float32),
            mask=np.stack([item.mask for item in done]) if done else np.zeros(shape, np.uint8),
        )
    fileio.write_csv(records_path, RECORD, records)
