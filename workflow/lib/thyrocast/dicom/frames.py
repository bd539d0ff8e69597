"""Find the frames of a file that are an anterior pertechnetate image, or why there are none."""

import collections
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from thyrocast.config.center import CenterConfig
from thyrocast.config.cohort import CohortConfig
from thyrocast.contract.names import ScanKind, ViewSource
from thyrocast.dicom import exclusion, pictures, terms, views
from thyrocast.dicom.elements import Elements, Header
from thyrocast.dicom.exclusion import Stage, frame_count, window_range

# Vectors that FrameIncrementPointer (0028,0009) may list (C.8.4.8.1.1), by tag.
VECTORS = {
    0x00540010: "EnergyWindowVector",
    0x00540020: "DetectorVector",
    0x00540030: "PhaseVector",
    0x00540050: "RotationVector",
    0x00540060: "RRIntervalVector",
    0x00540070: "TimeSlotVector",
    0x00540080: "SliceVector",
    0x00540090: "AngularViewVector",
    0x00540100: "TimeSliceVector",
}


@dataclass(frozen=True)
class Scan:
    """Frames of one file whose sum is one anterior image.

    Attributes
    ----------
    frames
        Frame numbers, from 0.
    kind
        How it was acquired.
    view_by
        What identified the view.
    turn
        Quarter turns, counter-clockwise, that bring the head up.
    detector
        The detector's item, from 1; None if it is not stated.
    duration_s
        Duration in s; None if it is not stated.
    flags
        What is unusual about the scan.
    """

    frames: tuple[int, ...]
    kind: ScanKind
    view_by: ViewSource
    turn: int = 0
    detector: int | None = None
    duration_s: float | None = None
    flags: tuple[str, ...] = ()


@dataclass(frozen=True)
class FileVerdict:
    """The scans of a file, or the reason why there is none.

    Attributes
    ----------
    scans
        Anterior pertechnetate scans.
    reason
        Why there are no scans; empty if there are some.
    stage
        The check at which the file was excluded.
    syringe
        Whether it is the image of a dose syringe.
    """

    scans: tuple[Scan, ...] = ()
    reason: str = ""
    stage: Stage = Stage.UNREADABLE
    syringe: bool = False


@dataclass(frozen=True)
class PatientFile:
    """One file of a patient: its path below the export, its header, and the verdict about it."""

    name: str
    header: Header
    verdict: FileVerdict


def judge(header: Header, center: CenterConfig, cohort: CohortConfig) -> FileVerdict:
    """Find the anterior pertechnetate frames of a file.

    Parameters
    ----------
    header
        As `header.read_header` returns it.
    center, cohort
        The center's block and the cohort's block of the config.
    """
    if header.reason:
        return FileVerdict(reason=header.reason)
    capture = exclusion.is_capture(header)
    if reason := exclusion.wrong_class(header, center):
        return FileVerdict(reason=reason, stage=Stage.CAPTURE if capture else Stage.OTHER_CLASS)
    if reason := exclusion.wrong_pixels(header, center, cohort):
        return FileVerdict(reason=reason, stage=Stage.PIXELS)
    if reason := exclusion.wrong_type(header):
        return FileVerdict(reason=reason, stage=Stage.OTHER_TYPE)
    series = terms.words(
        header.text("SeriesDescription"), header.text("ImageID"), header.text("ImageComments")
    )
    study = terms.words(header.text("ProtocolName"), header.text("StudyDescription"))
    patterns = center.views
    syringe = terms.matches(patterns.syringe, series or study)
    # A study of another organ is excluded with all its series. If the study names the
    # thyroid among other organs, its series decide.
    whole = series if series and terms.names_thyroid(study) else terms.words(series, study)
    if syringe or terms.matches(patterns.excluded, whole):
        kind = "a syringe" if syringe else "a marker, whole-body, phantom or other organ's image"
        reason = f"{kind} by its description"
        return FileVerdict(reason=reason, stage=Stage.DESCRIPTION, syringe=syringe)
    if reason := exclusion.wrong_radionuclide(header, center, series or study):
        return FileVerdict(reason=reason, stage=Stage.RADIONUCLIDE)
    if capture or header.text("SOPClassUID") == pictures.EXPORT:
        return _judge_capture(header, center, series, study)
    return _judge_frames(header, center, cohort, series, study)


def _judge_capture(header: Header, center: CenterConfig, series: str, study: str) -> FileVerdict:
    """Judge a gray-scale secondary capture; its pixel size is taken from the config."""
    if frame_count(header) != 1:
        return FileVerdict(reason="a secondary capture of several frames", stage=Stage.FRAMES)
    view = views.view_of(header, Elements(), center, series, study, single=True)
    anterior, by = view.anterior, view.by
    if header.text("SOPClassUID") == pictures.EXPORT and anterior is None:
        # By accepting exported pictures, a center states that they are anterior.
        anterior, by = True, ViewSource.FALLBACK
    if by is None:
        return FileVerdict(reason="view not stated", stage=Stage.FRAMES)
    if not anterior:
        return FileVerdict(reason="a view other than anterior", stage=Stage.FRAMES)
    # The counts of a capture are unknown, so a duration in its header is not used.
    return FileVerdict((Scan((0,), ScanKind.CAPTURE, by, flags=("secondary_capture",)),))


def _judge_frames(
    header: Header, center: CenterConfig, cohort: CohortConfig, series: str, study: str
) -> FileVerdict:
    windows = header.items("EnergyWindowInformationSequence")
    detectors = header.items("DetectorInformationSequence")
    kind = _kind(header)
    excluded: collections.Counter[str] = collections.Counter()
    groups = _group(header, windows, detectors, cohort.photopeak_kev, excluded)
    scans: list[Scan] = []
    for (window, detector), frames in groups.items():
        item = detectors[detector - 1] if detector and detector <= len(detectors) else Elements()
        single = len(groups) == 1 and (len(frames) == 1 or kind is ScanKind.DYNAMIC)
        view = views.view_of(header, item, center, series, study, single=single)
        if not view.anterior or view.by is None:
            stated = view.anterior is not None
            excluded["a view other than anterior" if stated else "view not stated"] += len(frames)
            continue
        flags = () if _has_limits(windows, window) else ("energy_window_unknown",)
        parts = [tuple(frames)] if kind is ScanKind.DYNAMIC else [(frame,) for frame in frames]
        scans += [
            Scan(part, kind, view.by, view.turn, detector, _duration(header, part), flags)
            for part in parts
        ]
    if not scans:
        # The reason of most frames.
        reason = max(excluded, key=lambda reason: excluded[reason])
        return FileVerdict(reason=reason, stage=Stage.FRAMES)
    facing = _facing(scans, detectors)
    if not facing:
        return FileVerdict(reason="several detector heads with one orientation", stage=Stage.FRAMES)
    return FileVerdict(tuple(facing))


def _group(
    header: Header,
    windows: Sequence[Elements],
    detectors: Sequence[Elements],
    photopeak_kev: float,
    excluded: "collections.Counter[str]",
) -> dict[tuple[int | None, int | None], list[int]]:
    """Return photopeak frames by (window, detector); count the other frames in `excluded`."""
    count = frame_count(header)
    in_window = _pointed(header, "EnergyWindow", len(windows), count)
    on_detector = _pointed(header, "Detector", len(detectors), count)
    groups: dict[tuple[int | None, int | None], list[int]] = {}
    for frame in range(count):
        window, detector = in_window[frame], on_detector[frame]
        if reason := _wrong_window(windows, window, photopeak_kev):
            excluded[reason] += 1
        else:
            groups.setdefault((window, detector), []).append(frame)
    return groups


def vector(header: Elements, keyword: str, count: int, things: int) -> list[int | None]:
    """Return which item, counted from 1, each frame belongs to (C.8.4.8.1.1).

    Parameters
    ----------
    header, keyword
        The header and the vector's name.
    count
        Number of frames.
    things
        Number of items that the vector points to; with one or none, every frame belongs to it.

    Returns
    -------
    list
        `count` item numbers; None for a frame of which the header does not state the item. The
        number of a frame is never used as the number of its item.
    """
    given = header.integers(keyword)
    pointed = {VECTORS.get(value) for value in header.integers("FrameIncrementPointer")}
    if given and (keyword in pointed or len(given) == count):
        if 0 in given and max(given) < max(things, 1):
            given = [value + 1 for value in given]  # some exporters count from 0
        padded = [*given[:count], *[None] * (count - len(given))]
        return [value if value and 1 <= value <= max(things, 1) else None for value in padded]
    return [1 if things <= 1 else None] * count


def _pointed(header: Elements, what: str, listed: int, count: int) -> list[int | None]:
    """Return the item that each frame points to.

    If a header declares more items than it lists, the declared number is used for several frames,
    because they must not all be assigned to the only item that is listed.
    """
    declared = int(header.number(f"NumberOf{what}s") or 0)
    things = max(listed, declared) if count > 1 or not listed else listed
    return vector(header, f"{what}Vector", count, things)


def _facing(scans: Sequence[Scan], detectors: Sequence[Elements]) -> list[Scan]:
    """Of two detector heads with an anterior orientation, select the one in front of the patient.

    Some cameras write the same orientation for both; the start angle (C.8.4.11) distinguishes
    them. If it does not, neither is used, because one of them is behind the patient.
    """
    heads = {scan.detector for scan in scans if scan.view_by is not ViewSource.CODE}
    if len(heads) < 2:
        return list(scans)
    angles = {n: item.signed("StartAngle") for n, item in enumerate(detectors, 1)}
    front = {n for n, angle in angles.items() if angle is not None and views.in_front(angle)}
    return [scan for scan in scans if scan.view_by is ViewSource.CODE or scan.detector in front]


def _wrong_window(windows: Sequence[Elements], window: int | None, photopeak_kev: float) -> str:
    if len(windows) > 1 and window is None:
        return "energy window not stated"
    if not windows:
        return ""
    if window is None or window > len(windows):
        return "energy window not stated"
    ranges = window_range(windows[window - 1])
    if not ranges and len(windows) > 1 and not terms.names_photopeak(windows[window - 1]):
        return "energy window not stated"
    if ranges and not any(low <= photopeak_kev <= high for low, high in ranges):
        return "an energy window without the photopeak"
    return ""


def _has_limits(windows: Sequence[Elements], window: int | None) -> bool:
    return bool(window and window <= len(windows) and window_range(windows[window - 1]))


def _kind(header: Header) -> ScanKind:
    """Return whether a file is static or dynamic, by the image type, otherwise by the vectors."""
    kind = exclusion.image_type(header)
    if "DYNAMIC" in kind:
        return ScanKind.DYNAMIC
    if "STATIC" in kind:
        return ScanKind.STATIC
    timed = header.several("PhaseVector") or header.several("TimeSliceVector")
    return ScanKind.DYNAMIC if timed and frame_count(header) > 1 else ScanKind.STATIC


def _duration(header: Header, frames: Iterable[int]) -> float | None:
    """Return the total duration of frames, s; None if the duration of one of them is not stated."""
    total = 0.0
    for frame in frames:
        seconds = _frame_duration(header, frame)
        if seconds is None:
            return None
        total += seconds
    return total


def _frame_duration(header: Header, frame: int) -> float | None:
    """Return the duration of a frame, s; the header has it in ms (C.8.4.9, C.8.4.14 per phase)."""
    phases = header.items("PhaseInformationSequence")
    of_frame = header.several("PhaseVector")
    phase = of_frame[frame] if phases and frame < len(of_frame) else None
    if isinstance(phase, int) and 1 <= phase <= len(phases):
        milliseconds = phases[phase - 1].number("ActualFrameDuration")
        if milliseconds:
            return milliseconds / 1000
    milliseconds = header.number("ActualFrameDuration")
    return milliseconds / 1000 if milliseconds else None
