"""Select the pretreatment scintigram of a patient."""

import collections
import datetime
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from thyrocast.config.cohort import CohortConfig, WithoutDates
from thyrocast.contract.names import ScanFlag, ScanKind, ViewRule
from thyrocast.dicom import terms
from thyrocast.dicom.acquisition import (
    Injection,
    Stated,
    acquired,
    dates_differ,
    injection,
    minutes_between,
    study_day,
)
from thyrocast.dicom.assignment import frames_in_photopeak
from thyrocast.dicom.elements import Header
from thyrocast.dicom.exclusion import Stage, frame_count, image_type
from thyrocast.dicom.frames import PatientFile, Scan
from thyrocast.dicom.pixel_size import PixelSize, PixelSizes, detector_of
from thyrocast.dicom.vocabulary import Syringe

# Number of scans that are tried, best first, until one shows a gland.
ALTERNATIVES = 6
# A static image of a syringe has a frame per detector and window; a file with more is another
# study.
MOST_SYRINGE_FRAMES = 8
# Plausible durations of an image of a syringe, s.
SYRINGE_S = (1.0, 1_200.0)
# Most minutes between the images of syringe and gland: a half-life. Beyond, or without a time, the decay
# is not known.
SYRINGE_MIN = 360.0
_TRACERS = "RadiopharmaceuticalInformationSequence"
_SYRINGES = {Syringe.FULL: "before the injection", Syringe.RESIDUAL: "after the injection"}
_KINDS = list(ScanKind)
_VIEW_RULES = list(ViewRule)


@dataclass(frozen=True)
class Candidate:
    """A scan that may be the pretreatment scintigram.

    Attributes
    ----------
    file
        The file's path below the export.
    header
        The file's header.
    scan
        The frames.
    moment
        Date and time of acquisition; None if there is no date.
    pixel
        Pixel size.
    injected
        The injection.
    """

    file: str
    header: Header
    scan: Scan
    moment: datetime.datetime | None
    pixel: PixelSize
    injected: Injection

    @property
    def flags(self) -> tuple[ScanFlag, ...]:
        """What is unusual about the scan."""
        dates = (ScanFlag.DATES_DIFFER,) if dates_differ(self.header) else ()
        return (*self.scan.flags, *self.pixel.flags, *self.injected.flags, *dates)


@dataclass(frozen=True)
class Choice:
    """The scans of a patient, best first, or the reason why there is none.

    Attributes
    ----------
    scans
        At most `ALTERNATIVES` scans.
    reason
        Why there are none.
    rejected
        Why anterior scans were not considered, by file.
    late
        Which of these are dated after the therapy, or too near to it.
    """

    scans: tuple[Candidate, ...] = ()
    reason: str = ""
    rejected: Mapping[str, str] = field(default_factory=dict)
    late: tuple[str, ...] = ()


@dataclass(frozen=True)
class SyringeFile:
    """Image of a dose syringe.

    Attributes
    ----------
    file
        The file's path below the export.
    frame
        Frame number, from 0.
    duration_s
        Duration in s.
    minutes
        Minutes from this image to the scan; negative if it was acquired after the scan.
    """

    file: str
    frame: int
    duration_s: float
    minutes: float


@dataclass(frozen=True)
class SyringeFiles:
    """Images of the full dose syringe and of the syringe after injection; None if missing.

    Attributes
    ----------
    full, residual
        The images.
    unused
        Why the other images of a syringe are not used, each reason once.
    several
        Which images there are more than one of, of which the first is used.
    """

    full: SyringeFile | None = None
    residual: SyringeFile | None = None
    unused: tuple[str, ...] = ()
    several: tuple[str, ...] = ()


def choose(
    files: Iterable[PatientFile],
    therapy: datetime.date | None,
    sizes: PixelSizes,
    cohort: CohortConfig,
    stated: Stated | None = None,
) -> Choice:
    """Choose the pretreatment scan of a patient.

    Parameters
    ----------
    files
        The patient's files.
    therapy
        Date of the therapy.
    sizes
        The pixel sizes of the center.
    cohort
        The cohort's block of the config.
    stated
        What the center's table states about the injection.

    Returns
    -------
    Choice
        Scans within the configured window before the therapy, nearest first. Scans of the same
        day are ordered by kind (static, dynamic, secondary capture), then by how certain the view
        is, then original before derived, then the longest first.
    """
    found: list[Candidate] = []
    reasons: dict[Stage, list[str]] = collections.defaultdict(list)
    rejected: dict[str, str] = {}
    for file in files:
        if not file.verdict.scans:
            reasons[file.verdict.stage].append(file.verdict.reason)
        for scan in file.verdict.scans:
            pixel = sizes.of(file.header, scan)
            if isinstance(pixel, str):
                reasons[Stage.PIXEL_SIZE].append(pixel)
                rejected[file.name] = pixel
            else:
                moment = acquired(file.header)
                dynamic = scan.kind is ScanKind.DYNAMIC
                injected = injection(file.header, moment, stated, dynamic=dynamic)
                found.append(Candidate(file.name, file.header, scan, moment, pixel, injected))
    if found:
        choice = _by_date(found, therapy, cohort)
        return replace(choice, rejected=rejected | dict(choice.rejected))
    if not reasons:
        return Choice(reason="no images")
    last = reasons[max(reasons)]
    return Choice(reason=max(sorted(set(last)), key=last.count), rejected=rejected)


def _by_date(
    found: Sequence[Candidate], therapy: datetime.date | None, cohort: CohortConfig
) -> Choice:
    low, high = cohort.scan_window_days
    days = {c.file: (therapy - c.moment.date()).days for c in found if therapy and c.moment}
    if days:
        inside = [c for c in found if c.file in days and low <= days[c.file] <= high]
        outside = {
            c.file: _outside(days.get(c.file), low) + _by_study(c, therapy, cohort)
            for c in found
            if c not in inside
        }
        if inside:
            late = tuple(file for file, before in days.items() if before < low)
            ranked = _ranked(inside, lambda candidate: days[candidate.file])
            return replace(ranked, rejected=outside, late=late)
        if all(day < low for day in days.values()):
            return Choice((), "scans only after, or too near to, the therapy", outside)
        return Choice((), "no scan within the window before the therapy", outside)
    if cohort.without_dates is WithoutDates.EXCLUDE and len({c.file for c in found}) > 1:
        return Choice(reason="several scans and no date to choose by")
    return _ranked(found, lambda c: (c.moment or datetime.datetime.max).toordinal())


def _by_study(candidate: Candidate, therapy: datetime.date | None, cohort: CohortConfig) -> str:
    """Return that a scan would be within the window by the study's date; "" if it would not."""
    day, (low, high) = study_day(candidate.header), cohort.scan_window_days
    fits = therapy and day and low <= (therapy - day).days <= high
    return ", by the date of acquisition, which that of the study contradicts" if fits else ""


def _outside(days: int | None, low: int) -> str:
    if days is None:
        return "no date, although other scans have one"
    after = days < low
    return f"{'after, or too near to,' if after else 'too long before'} the therapy"


def _ranked(found: Sequence[Candidate], day: Callable[[Candidate], int]) -> Choice:
    def order(candidate: Candidate) -> tuple[Any, ...]:
        header, scan = candidate.header, candidate.scan
        return (
            day(candidate),
            _KINDS.index(scan.kind),
            len(scan.flags) + len(candidate.pixel.flags),
            _VIEW_RULES.index(scan.rule),
            "DERIVED" in image_type(header),
            -(scan.duration_s or 0.0),
            candidate.moment or datetime.datetime.max,
            # A fixed order of copies of one object and of frames of one file.
            header.text("SOPInstanceUID"),
            candidate.file,
            scan.frames,
        )

    return Choice(tuple(sorted(found, key=order)[:ALTERNATIVES]))


def syringes(files: Iterable[PatientFile], chosen: Candidate, photopeak_kev: float) -> SyringeFiles:
    """Find the images of the dose syringe on the day of a scan.

    Of several images whose description says neither before nor after the injection, the earliest is the
    full syringe and the next one that of what remained, if no description names these;
    `image.dose` compares their counts.

    Parameters
    ----------
    files
        The patient's files.
    chosen
        The scan.
    photopeak_kev
        Photopeak that the energy window must contain.
    """
    found: dict[Syringe, SyringeFile] = {}
    shots = [file for file in files if file.verdict.syringe]
    unnamed: list[SyringeFile] = []
    unused: list[str] = []
    several: list[str] = []
    for file in sorted(
        shots, key=lambda file: (acquired(file.header) or datetime.datetime.max, file.name)
    ):
        image = _syringe_image(file, chosen, photopeak_kev)
        if isinstance(image, str):
            unused.append(image)
        elif file.verdict.syringe in {Syringe.FULL, Syringe.RESIDUAL}:
            if found.setdefault(file.verdict.syringe, image) is not image:
                several.append(f"of the syringe {_SYRINGES[file.verdict.syringe]}")
        else:
            unnamed.append(image)
    if unnamed and Syringe.FULL not in found:
        found[Syringe.FULL] = unnamed.pop(0)
    full = found.get(Syringe.FULL)
    # Minutes to the scan: a later image has fewer.
    later = [image for image in unnamed if full and image.minutes < full.minutes]
    if later:
        found.setdefault(Syringe.RESIDUAL, later[0])
    residual = found.get(Syringe.RESIDUAL)
    if residual and not full:
        unused.append("only that after the injection is known")
    return SyringeFiles(full, residual, tuple(dict.fromkeys(unused)), tuple(dict.fromkeys(several)))


def _syringe_image(file: PatientFile, chosen: Candidate, photopeak_kev: float) -> SyringeFile | str:
    """Return the frame of a syringe by the detector of the scan, in the photopeak, or why there is none."""
    moment = acquired(file.header)
    milliseconds = file.header.number("ActualFrameDuration")
    count = frame_count(file.header)
    if count > MOST_SYRINGE_FRAMES:
        return "it has many frames"
    if not (milliseconds and SYRINGE_S[0] <= milliseconds / 1000 <= SYRINGE_S[1]):
        return "its duration is not stated or implausible"
    if moment and chosen.moment and moment.date() != chosen.moment.date():
        return "it is of another day"
    minutes = minutes_between(file.header, chosen.header)
    if minutes is None:
        return "the time of it or of the scan is not stated"
    if abs(minutes) > SYRINGE_MIN:
        return "it is more than 6 h from the scan"
    if other := _other_equipment(file.header, chosen):
        return other
    detector = chosen.scan.detector
    frames = frames_in_photopeak(file.header, photopeak_kev)
    # Another detector has another sensitivity.
    same = [frame for frame, on in frames if on == detector or None in (on, detector)]
    if not same:
        return "it is of another detector or energy window"
    return SyringeFile(file.name, same[0], milliseconds / 1000, minutes)


def _other_equipment(header: Header, chosen: Candidate) -> str:
    """Return why the counts of a syringe are not those that the camera of a scan would count; "" for no reason."""
    tracers = [terms.is_technetium(item) for item in header.items(_TRACERS)]
    if False in tracers and True not in tracers:
        return "its radionuclide is not technetium-99m"
    scan = chosen.header
    for name, known in (("manufacturer", terms.vendor), ("camera", terms.camera)):
        one, other = known(header), known(scan)
        if one and other and one != other:
            return f"it is of another {name}"
    items = header.items("DetectorInformationSequence")
    item = items[0] if len(items) == 1 else detector_of(header, chosen.scan)
    named = terms.named_collimator
    grid, other = named(item), named(detector_of(scan, chosen.scan))
    return "it is of another collimator" if grid and other and grid != other else ""
