"""Log the result of a center's registration."""

import collections
import logging
from collections.abc import Iterable

import pandas as pd

from thyrocast.contract.names import ScanFlag, ValueSource, ViewSource

LOG = logging.getLogger("thyrocast")
#: What each flag means, for logs.
FLAGS = {
    ScanFlag.VIEW_CONTRADICTION: "their orientation and their label contradict each other",
    ScanFlag.START_ANGLE_REVERSED: "their start angles contradict orientation or label",
    ScanFlag.FEWER_COUNTS: "the anterior detector has fewer counts than the opposite one",
    ScanFlag.SUMMED_FRAMES: "several frames of one view are summed",
    ScanFlag.ENERGY_WINDOW_UNKNOWN: "the limits of their energy window are not stated",
    ScanFlag.RADIONUCLIDE_BY_WINDOW: "only the energy window identifies technetium",
    ScanFlag.RADIONUCLIDE_ASSUMED: "technetium is assumed, as in fallbacks.radionuclide",
    ScanFlag.SECONDARY_CAPTURE: "they are pictures whose gray values are not counts",
    ScanFlag.PINHOLE: "they are of a pinhole and have no areas, mass or lengths",
    ScanFlag.PIXEL_SIZE_IMPLAUSIBLE: "the pixel size in the header is implausible",
    ScanFlag.PIXEL_SIZE_BY_FIELD: "the pixel size is computed from the field of view",
    ScanFlag.PIXEL_SIZE_DIFFERS: "the pixel size contradicts field of view and zoom",
    ScanFlag.PIXEL_SIZE_OF_ONE: "the pixel size is exactly 1 mm, which exports often write when it is not "
    "known, and nothing confirms it",
    ScanFlag.DURATION_IMPLAUSIBLE: "the duration in the header is implausible and counts as missing",
    ScanFlag.ACTIVITY_IMPLAUSIBLE: "the technetium activity in the header is no plausible number of "
    "MBq and counts as missing",
    ScanFlag.ACTIVITY_IN_BQ: "the technetium activity in the header is in Bq",
    ScanFlag.ACTIVITY_DIFFERS: "the technetium activities of table and header differ",
    ScanFlag.DELAY_IMPLAUSIBLE: "the time from injection to image is implausible and counts as missing",
    ScanFlag.DELAY_DIFFERS: "the injection times of table and header differ",
    ScanFlag.DATES_DIFFER: "the dates of acquisition and study differ",
    ScanFlag.BODY_PART_DIFFERS: "the body part in the header is not the thyroid that the description names",
    ScanFlag.TRACER_DOUBTFUL: "technetium is stated, but the tracer's name is not understood, or the description names another "
    "tracer",
    ScanFlag.COPY_AFTER_THERAPY: "the same image is also there with a date after the therapy",
    ScanFlag.DERIVED: "their type is DERIVED: they were computed from other images",
}
# Largest number of characters of an identifier's form, and of forms, that are logged.
_LONGEST_FORM = 32
_FORMS = 3


def log_registration(
    center: str,
    register: pd.DataFrame,
    scans: pd.DataFrame,
    *,
    files: int,
    nameless: int,
    sensitivity: bool = False,
) -> None:
    """Log how many patients are included, and the reasons why the others are not.

    Parameters
    ----------
    center
        Name of the center.
    register, scans
        `contract.cohort.REGISTER` and `contract.cohort.SCANS`.
    files, nameless
        Number of files, and of those without a PatientID.
    sensitivity
        Whether the config has the sensitivity of the camera.
    """
    _log_fallbacks(center, scans)
    if sensitivity:
        _log_sensitivity(center, scans)
    _log_flags(center, scans)
    included = int(register["included"].sum())
    LOG.info(
        "center %s: %d files, %d patients, %d of them included",
        center, files, len(register), included,
    )  # fmt: skip
    if nameless:
        LOG.warning("center %s: %d files without a PatientID", center, nameless)
    reasons = register.loc[~register["included"], "reason"].value_counts()
    for reason, count in reasons.items():
        LOG.info("center %s: %d patients excluded: %s", center, count, reason)


def _log_fallbacks(center: str, scans: pd.DataFrame) -> None:
    """Log how many of the best scans use a value of the config because the header has none."""
    best = scans[scans["rank"] == 0]
    for column, what in (
        ("spacing_by", "pixel size"),
        ("duration_by", "duration"),
        ("activity_by", "injected activity"),
    ):
        count = int((best[column] == ValueSource.CONFIG).sum())
        if count:
            LOG.warning("center %s: %d scans take their %s from the config", center, count, what)
    count = int((best["view_by"] == ViewSource.FALLBACK).sum())
    if count:
        LOG.warning(
            "center %s: %d scans are assumed to be anterior, as configured in fallbacks.view",
            center,
            count,
        )


def _log_sensitivity(center: str, scans: pd.DataFrame) -> None:
    """Log how many of the best scans have an uptake that rests on the configured sensitivity."""
    best = scans[scans["rank"] == 0]
    needed = (
        best["syringe_file"].isna() & best["tc_activity_mbq"].notna() & best["delay_min"].notna()
    )
    if count := int(needed.sum()):
        LOG.warning(
            "center %s: the uptake of %d scans rests on fallbacks.sensitivity of the config",
            center, count,
        )  # fmt: skip


def _log_flags(center: str, scans: pd.DataFrame) -> None:
    """Log how many of the best scans have each flag."""
    best = scans[scans["rank"] == 0]
    counts = collections.Counter(flag for flags in best["flags"].dropna() for flag in flags.split())
    for flag, count in sorted(counts.items()):
        LOG.warning("center %s: %d scans: %s", center, count, FLAGS[ScanFlag(flag)])


def log_identifier_forms(center: str, table: Iterable[str], images: Iterable[str]) -> None:
    """Log the form of identifiers, but no identifier, if none of the table matches the images.

    Parameters
    ----------
    center
        Name of the center.
    table, images
        Identifiers of the clinical table and of the DICOM headers.
    """
    forms = [_common_forms(identifiers) for identifiers in (table, images)]
    if all(forms):
        LOG.warning(
            "center %s: no identifier of the table is a PatientID of the images. With 9 for a digit "
            "and A for a letter, most identifiers look like %s in the table and like %s in the "
            "images (number of patients): if they are the same people, describe the difference in "
            "the center's block `identifiers` (strip_prefix, zero_pad, strip_zeros)",
            center, *forms,
        )  # fmt: skip


def _common_forms(identifiers: Iterable[str]) -> str:
    forms = collections.Counter(_form(identifier) for identifier in identifiers if identifier)
    return ", ".join(f"{form} ({count})" for form, count in forms.most_common(_FORMS))


def _form(identifier: str) -> str:
    """Return an identifier, shortened, with 9 for digits, A for letters, ? for other non-ASCII."""
    mask = (
        "9" if c.isdigit() else "A" if c.isalpha() else c if c.isascii() else "?"
        for c in identifier
    )
    return "".join(mask)[:_LONGEST_FORM]
