"""Convert a patient's registered scans to one standardized image with its record."""

import logging
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from thyrocast import fileio
from thyrocast.config.center import CenterConfig
from thyrocast.config.image import ImageConfig, Intensity
from thyrocast.contract import io
from thyrocast.contract.cohort import RECORDS
from thyrocast.contract.names import ScanKind, ViewSource
from thyrocast.dicom.pixels import MOST_PIXELS, Counts, PixelError, read_counts
from thyrocast.image import dose, quantities, readings
from thyrocast.image import field as images
from thyrocast.image.digest import digest
from thyrocast.image.field import GRID_MM, Field
from thyrocast.image.framing import crop_around, field_around, relative
from thyrocast.image.gland import NoGlandError
from thyrocast.image.locating import UnusableError, find
from thyrocast.image.quantities import Quantities
from thyrocast.image.readings import Readings
from thyrocast.image.scans import RegisteredScan, scans_by_patient

LOG = logging.getLogger("thyrocast")

#: The log reports progress after this many patients.
REPORT_EVERY = 25
# Why a quantity is impossible, by its name.
_IMPOSSIBLE = {
    "q_uptake": "an uptake of more than 100 % or less than 0: activity, sensitivity, duration or syringe is wrong",
    "q_counts": "pixels that are counts times a factor, as for a display, since values are left out or the noise is "
    "not that of counts (variance and mean are not equal)",
}


@dataclass(frozen=True)
class Acquisition:
    """How a scan was acquired, by the names of `thyrocast.contract.cohort.ACQUISITION`.

    Attributes
    ----------
    vendor, camera, collimator
        The camera.
    matrix
        Columns of the camera's matrix, pixels.
    pixel_mm
        Geometric mean of the distances of rows and columns, mm; None for a pinhole.
    image_pixel_mm
        Pixel size of the standardized image, mm; None for a pinhole.
    duration_s, tc_activity_mbq, delay_min
        As in `RegisteredScan`.
    view_by
        What identified the anterior view.
    saturation
        Share of pixels at the largest value a pixel can have.
    centroid_x_mm, centroid_y_mm
        Gland's centroid from the middle of the camera's field, right and down positive, mm; None
        for a pinhole.
    simulated
        Whether the header says that the image is simulated.
    """

    vendor: str | None
    camera: str | None
    collimator: str | None
    matrix: int
    pixel_mm: float | None
    image_pixel_mm: float | None
    duration_s: float | None
    tc_activity_mbq: float | None
    delay_min: float | None
    view_by: ViewSource
    saturation: float
    centroid_x_mm: float | None
    centroid_y_mm: float | None
    simulated: bool


@dataclass(frozen=True)
class Standardized:
    """A patient's standardized image.

    Attributes
    ----------
    patient
        Pseudonym.
    image
        (size, size) float32; the unit depends on `image.intensity` of the config.
    mask
        (size, size) uint8, 1 in the gland.
    digest
        Hash of the camera's pixels with the head up (`digest`), which identifies copies of an image.
    acquisition, quantities
        The content of the record.
    readings
        What the pretrained network reads.
    rank
        Rank of the scan, 0 for the best.
    """

    patient: str
    image: NDArray[np.float32]
    mask: NDArray[np.uint8]
    digest: str
    acquisition: Acquisition
    quantities: Quantities
    readings: Readings
    rank: int = 0


@dataclass(frozen=True)
class Unusable:
    """A patient without a usable scan, and the reason why the best scan is not usable.

    Attributes
    ----------
    patient
        Pseudonym.
    reason
        Of the best scan.
    counts, score
        Net counts in its gland, and the probability that it shows a thyroid, as far as they are known.
    """

    patient: str
    reason: str
    counts: float | None = None
    score: float | None = None


def standardize_job(
    patients: Sequence[str],
    scans: pd.DataFrame,
    folder: Path,
    center: CenterConfig,
    settings: ImageConfig,
) -> list[Standardized | Unusable]:
    """Standardize the patients of a job, each independently of the others.

    Parameters
    ----------
    patients
        Pseudonyms of the job's patients; those without a scan are not in the study.
    scans
        The center's SCANS table.
    folder
        The center's DICOM folder.
    center, settings
        Config of the center and of the image.

    Returns
    -------
    list
        One entry for each patient with a scan, in the order of `patients`.
    """
    own = set(patients)
    of_patient = scans_by_patient(scans[scans["patient"].isin(own)])
    present = [patient for patient in patients if patient in of_patient]
    results: list[Standardized | Unusable] = []
    for number, patient in enumerate(present, 1):
        result = standardize_patient(patient, of_patient[patient], folder, center, settings)
        results.append(result)
        if isinstance(result, Unusable):
            LOG.warning("%s cannot be standardized: %s", patient, result.reason)
        if number % REPORT_EVERY == 0 or number == len(present):
            LOG.info("standardized %d / %d patients", number, len(present))
    return results


def standardize_patient(
    patient: str,
    scans: Sequence[RegisteredScan],
    folder: Path,
    center: CenterConfig,
    settings: ImageConfig,
) -> Standardized | Unusable:
    """Standardize the first of a patient's scans that shows a gland.

    Parameters
    ----------
    patient
        Pseudonym.
    scans
        The patient's scans, the best first; at least one.
    folder, center, settings
        As in `standardize_job`.
    """
    refused: list[Unusable] = []
    for rank, scan in enumerate(scans):
        try:
            return replace(_standardize(patient, scan, folder, center, settings), rank=rank)
        except UnusableError as error:
            measured = error.quantities
            counts = measured.q_counts if measured else None
            score = measured.q_score if measured else None
            refused.append(Unusable(patient, str(error), counts, score))
        except NoGlandError as error:
            refused.append(Unusable(patient, str(error), score=error.score))
        except PixelError as error:
            refused.append(Unusable(patient, str(error)))
    # The reason of the best scan is reported; the others are only alternatives.
    return refused[0]


def _standardize(
    patient: str, scan: RegisteredScan, folder: Path, center: CenterConfig, settings: ImageConfig
) -> Standardized:
    counts = read_counts(folder / scan.file, scan.frames, MOST_PIXELS)
    if counts.saturated > settings.max_saturation:
        raise UnusableError("clipped: too many pixels have the largest value")
    image = np.rot90(counts.image, scan.turn)
    if image.max() <= 0:
        raise UnusableError("an image without counts")
    grid, gland, spacing = find(image, scan, settings)
    dose_rate = dose.rate(patient, scan, folder, center.fallbacks.sensitivity)
    measured = quantities.measure(
        grid, gland, GRID_MM, scan.duration_s, dose_rate, depth_mm=settings.gland_depth_mm
    )
    if scan.kind is ScanKind.CAPTURE:
        measured = quantities.without_counts(measured)
    elif (measured.q_counts or 0.0) / (counts.factor or 1.0) < settings.min_counts:
        if counts.stretched:
            measured = quantities.without_counts(measured)
        raise UnusableError(
            f"too few counts in the gland: expected at least {settings.min_counts:.0f} (min_counts)",
            measured,
        )
    elif counts.stretched:
        measured = replace(quantities.without_counts(measured), q_impossible="q_counts")
    if measured.q_impossible:
        reason = _IMPOSSIBLE[measured.q_impossible]
        if settings.intensity is Intensity.ACTIVITY:
            raise UnusableError(reason, measured)
        LOG.warning("%s: %s; the quantities that depend on it are missing", patient, reason)
    row, column = images.centroid(gland.whole, grid, GRID_MM)
    if scan.is_pinhole:
        measured = quantities.without_lengths(measured)
    field = field_around(grid, gland, scan.is_pinhole, settings)
    cropped, mask = crop_around(image, spacing, gland, field)
    return Standardized(
        patient=patient,
        image=_intensity(cropped, mask, field, scan, dose_rate, settings).astype(np.float32),
        mask=mask.astype(np.uint8),
        digest=digest(image),
        acquisition=_acquisition(
            scan, image.shape, spacing, counts, (row, column), grid.shape, field.pixel_mm
        ),
        quantities=measured,
        readings=readings.read(
            readings.frame(image, grid, gland, spacing, scan.is_pinhole), scan.is_pinhole
        ),
    )


def _intensity(
    counts: NDArray[np.float64],
    mask: NDArray[np.bool_],
    field: Field,
    scan: RegisteredScan,
    dose_rate: float | None,
    settings: ImageConfig,
) -> NDArray[np.float64]:
    """Return counts on a scale that can be compared between cameras; nothing is clipped.

    ``relative`` has mean 1 in the gland. ``activity`` is percent of the injected activity per cm²,
    which `dose_rate` (counts/s in air at the time of the image) represents.
    """
    compared = relative(counts, mask)
    if settings.intensity is Intensity.RELATIVE:
        return compared
    if scan.is_pinhole:
        raise UnusableError("a pinhole, which gives no counts per area")
    if not scan.duration_s or not dose_rate:
        raise UnusableError(
            "intensity `activity` needs duration and an image of the syringe, or duration, activity, "
            "delay and fallbacks.sensitivity; one of them is missing"
        )
    return 100 * counts / (scan.duration_s * dose_rate * field.pixel_mm**2 / 100)


def _acquisition(
    scan: RegisteredScan,
    shape: tuple[int, ...],
    spacing: tuple[float, float],
    counts: Counts,
    centroid: tuple[float, float],
    grid: tuple[int, ...],
    image_pixel_mm: float,
) -> Acquisition:
    return Acquisition(
        vendor=scan.vendor,
        camera=scan.camera,
        collimator=scan.collimator,
        matrix=shape[1],
        pixel_mm=None if scan.is_pinhole else float(np.sqrt(spacing[0] * spacing[1])),
        image_pixel_mm=None if scan.is_pinhole else image_pixel_mm,
        duration_s=scan.duration_s,
        tc_activity_mbq=scan.tc_activity_mbq,
        delay_min=scan.delay_min,
        view_by=scan.view_by,
        saturation=counts.saturated,
        centroid_x_mm=None if scan.is_pinhole else centroid[1] - grid[1] * GRID_MM / 2,
        centroid_y_mm=None if scan.is_pinhole else centroid[0] - grid[0] * GRID_MM / 2,
        simulated=scan.simulated,
    )


def records(results: Iterable[Standardized | Unusable]) -> pd.DataFrame:
    """Return the RECORDS table of a job's results."""
    return io.build(RECORDS, map(_record, results))


def _record(result: Standardized | Unusable) -> dict[str, Any]:
    blank = dict.fromkeys(RECORDS.names) | {"patient": result.patient}
    if isinstance(result, Unusable):
        seen = {"q_counts": result.counts, "q_score": result.score}
        return blank | {"usable": False, "reason": result.reason} | seen
    measured = {"rank": result.rank}
    for part in (result.acquisition, result.quantities, result.readings):
        measured |= asdict(part)
    return blank | {"usable": True, "reason": ""} | {n: _finite(v) for n, v in measured.items()}


def _finite(value: Any) -> Any:
    """Return the value; None for a number that is not finite, for example from a wrong duration."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def write_job(
    results: Sequence[Standardized | Unusable], size: int, images_path: Path, records_path: Path
) -> None:
    """Write a job's images (npz: patient, digest, image, mask) and its RECORDS table.

    Parameters
    ----------
    results
        What `standardize_job` returned.
    size
        Pixels per side of an image.
    images_path, records_path
        Files to write.
    """
    done = [result for result in results if isinstance(result, Standardized)]
    shape = (0, size, size)
    with fileio.atomic(images_path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(
            file,
            patient=np.array([item.patient for item in done], dtype=np.str_),
            digest=np.array([item.digest for item in done], dtype=np.str_),
            image=np.stack([item.image for item in done]) if done else np.zeros(shape, np.float32),
            mask=np.stack([item.mask for item in done]) if done else np.zeros(shape, np.uint8),
        )
    io.write(RECORDS, records(results), records_path)
