"""The injected activity as a camera counts it, from images of the syringe or from activity and sensitivity."""

import logging
from pathlib import Path

from thyrocast.dicom.pixels import MOST_PIXELS, PixelError, read_counts
from thyrocast.image import quantities, syringes
from thyrocast.image.quantities import SyringeCounts
from thyrocast.image.scans import RegisteredScan, SyringeImage

LOG = logging.getLogger("thyrocast")


def rate(
    patient: str, scan: RegisteredScan, folder: Path, sensitivity: float | None
) -> float | None:
    """Return the count rate of the injected activity in air when a gland is imaged, counts/s; None if unknown.

    Images of the syringe that cannot be used are logged.

    Parameters
    ----------
    patient
        Pseudonym.
    scan
        The scan, with its images of the syringe.
    folder
        The center's DICOM folder.
    sensitivity
        Sensitivity of the camera, counts/s per MBq.
    """
    full = _syringe(patient, "syringe", scan.syringe, folder)
    residual = _syringe(patient, "residual", scan.residual, folder)
    if full and residual:
        share = residual.rate_at_gland() / full.rate_at_gland()
        if share >= syringes.MOST_RESIDUAL:
            LOG.warning(
                "%s: the image of the syringe after injection has %.0f %% of the counts of the one before, so "
                "neither is used for the uptake", patient, 100 * share,
            )  # fmt: skip
            return None
    return quantities.dose_rate(
        full,
        residual,
        scan.tc_activity_mbq,
        scan.delay_min,
        sensitivity,
    )


def _syringe(
    patient: str, column: str, syringe: SyringeImage | None, folder: Path
) -> SyringeCounts | None:
    if syringe is None:
        return None
    try:
        image = read_counts(folder / syringe.file, [syringe.frame], MOST_PIXELS)
    except PixelError as error:
        counts, problem = None, str(error)
    else:
        counts = syringes.net_counts(image.image)
        problem = "it shows no small object on an even background"
        if syringes.is_clipped(image.image):
            counts, problem = None, "too many pixels have the largest value"
        if image.stretched:
            counts, problem = None, "its pixels are counts times a factor, as for a display"
    if counts is None:
        # The name of the file may contain that of the patient, so only the private table has it.
        LOG.warning(
            "%s: the image in column %s_file of the private scans.csv is not used for the uptake: %s",
            patient, column, problem,
        )  # fmt: skip
        return None
    return SyringeCounts(counts, syringe.duration_s, syringe.minutes)
