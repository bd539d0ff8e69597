"""Find the frames of a file that are an anterior pertechnetate image, or why there are none."""

import collections
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from thyrocast.config.center import CenterConfig
from thyrocast.config.cohort import CohortConfig
from thyrocast.contract.names import ScanFlag, ScanKind, ViewRule, ViewSource
from thyrocast.dicom import (
    assignment,
    comparison,
    exclusion,
    pictures,
    regions,
    text,
    views,
    vocabulary,
)
from thyrocast.dicom.elements import Elements, Header
from thyrocast.dicom.exclusion import Stage, frame_count
from thyrocast.dicom.pixels import Image, PixelError
from thyrocast.dicom.views import Descriptions, Evidence, Heads
from thyrocast.dicom.vocabulary import Facing, Syringe

#: Plausible durations of a thyroid scan, s: 200 to 600 are usual. A header has ms (C.8.4.9); some
#: exporters write s there.
DURATION_S = (5.0, 3_600.0)
#: Shortest plausible frame, s: those of the heart's first pass take 25 ms, of the thyroid 1 s and more.
FRAME_S = 0.2
#: From this duration on, several frames of a file without phases and time slices (C.8.4.8.1.1) are
#: compared even if its type is dynamic, s: a dynamic study has short frames.
LONG_FRAME_S = 60.0
#: A dynamic study of shorter frames that ends before this duration shows the flow of blood, not uptake, s.
FLOW_FRAME_S, FLOW_S = 4.0, 180.0
#: Frames of a detector that are compared at most, so that a long dynamic study needs little memory.
MOST_COMPARED = 64


@dataclass(frozen=True)
class Scan:
    """Frames of one file whose sum is one anterior image.

    Attributes
    ----------
    frames
        Frame numbers, from 0.
    kind
        How it was acquired.
    rule
        The rule that identified the view.
    turn
        Quarter turns, counter-clockwise, that bring the head up.
    detector
        The detector's item, from 1; None if it is not stated.
    duration_s
        Duration in s; None if it is not stated or implausible.
    flags
        What is unusual about the scan.
    others
        Photopeak frames of the detector that is or may be behind the patient.
    unassigned
        Whether no vector says that all frames are of one detector.
    listed
        Whether only the orientation of a single detector says that it is the anterior one of the views, oblique ones
        among them, that the description of its series names.
    """

    frames: tuple[int, ...]
    kind: ScanKind
    rule: ViewRule
    turn: int = 0
    detector: int | None = None
    duration_s: float | None = None
    flags: tuple[ScanFlag, ...] = ()
    others: tuple[int, ...] = ()
    unassigned: bool = False
    listed: bool = False

    @property
    def view_by(self) -> ViewSource:
        """What identified the view."""
        return views.SOURCES[self.rule]


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
        Which image of a dose syringe it is; None if it is none.
    """

    scans: tuple[Scan, ...] = ()
    reason: str = ""
    stage: Stage = Stage.UNREADABLE
    syringe: Syringe | None = None


@dataclass(frozen=True)
class PatientFile:
    """One file of a patient: its path below the export, its header, and the verdict about it."""

    name: str
    header: Header
    verdict: FileVerdict


_RULES = {rule: rule.value.replace("_", " ") for rule in ViewRule}
#: Returns the counts of frames of a file, (rows, columns) each.
ReadFrames = Callable[[Sequence[int]], Sequence[Image]]


@dataclass(frozen=True)
class _Case:
    """What the checks of one file share."""

    header: Header
    center: CenterConfig
    cohort: CohortConfig
    described: Descriptions
    flags: tuple[ScanFlag, ...]


def judge(header: Header, center: CenterConfig, cohort: CohortConfig) -> FileVerdict:
    """Find the anterior pertechnetate frames of a file by its header; see also `confirm`.

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
    described = descriptions(header)
    if syringe := _syringe(described.nearest, center):
        return FileVerdict(
            reason="a syringe by its description", stage=Stage.DESCRIPTION, syringe=syringe
        )
    region = regions.named(header)
    if reason := exclusion.wrong_organ(header, center, described, region):
        return FileVerdict(reason=reason, stage=Stage.DESCRIPTION)
    reason, part_flags = exclusion.wrong_part(header, center, described, region)
    if reason:
        return FileVerdict(reason=reason, stage=Stage.DESCRIPTION)
    reason, flags = exclusion.wrong_radionuclide(header, center, described.nearest)
    if reason:
        return FileVerdict(reason=reason, stage=Stage.RADIONUCLIDE)
    derived = exclusion.image_type(header)[:1] == ["DERIVED"] and not capture
    flags = (*part_flags, *flags, *((ScanFlag.DERIVED,) if derived else ()))
    case = _Case(header, center, cohort, described, flags)
    if capture or header.text("SOPClassUID") == pictures.EXPORT:
        return _judge_capture(case)
    return _judge_frames(case)


def descriptions(header: Header) -> Descriptions:
    """Return the descriptions of series and image, and of study and protocol."""
    return Descriptions(
        text.words(*map(header.text, ("SeriesDescription", "ImageID", "ImageComments"))),
        text.words(*map(header.text, ("ProtocolName", "StudyDescription"))),
        text.words(*map(header.text, ("ImageID", "ImageComments"))),
    )


def _syringe(description: str, center: CenterConfig) -> Syringe | None:
    """Return which syringe a description names, by the center's patterns, then by built-in words."""
    if text.matches(center.views.syringe_residual, description):
        return Syringe.RESIDUAL
    if text.matches(center.views.syringe, description):
        return Syringe.FULL
    if text.matches(center.views.kept, description):
        return None
    return vocabulary.syringe(description)


def _judge_capture(case: _Case) -> FileVerdict:
    """Judge a gray-scale secondary capture; its pixel size is taken from the config."""
    header, center = case.header, case.center
    if frame_count(header) != 1:
        return FileVerdict(reason="a secondary capture of several frames", stage=Stage.FRAMES)
    evidence = views.collect(header, Elements(), center.views, case.described)
    view = views.decide(evidence, views.compare([evidence]), None, center, single=True)
    if header.text("SOPClassUID") == pictures.EXPORT and view.rule is None:
        # By accepting exported pictures, a center states that they are anterior.
        view = views.FrameView(Facing.ANTERIOR, ViewRule.CONFIGURED_VIEW)
    if view.reason or view.rule is None:
        return FileVerdict(reason=view.reason, stage=Stage.FRAMES)
    # The counts of a capture are unknown, so a duration in its header is not used.
    flags = (*case.flags, *view.flags, ScanFlag.SECONDARY_CAPTURE)
    return FileVerdict((Scan((0,), ScanKind.CAPTURE, view.rule, flags=flags),))


def _judge_frames(case: _Case) -> FileVerdict:
    header = case.header
    if reason := assignment.wrong_length(header):
        return FileVerdict(reason=reason, stage=Stage.FRAMES)
    windows = header.items("EnergyWindowInformationSequence")
    detectors = header.items("DetectorInformationSequence")
    kind = _kind(header)
    excluded: collections.Counter[str] = collections.Counter()
    groups = assignment.group(header, windows, detectors, case.cohort.photopeak_kev, excluded)
    dynamic = kind is ScanKind.DYNAMIC
    # The frames of a static file are compared instead, see `confirm`.
    if dynamic and assignment.are_detectors_confused(header, detectors, groups):
        reason = "detectors that the vector of the frames does not distinguish"
        return FileVerdict(reason=reason, stage=Stage.FRAMES)
    evidence = {
        detector: views.collect(
            header, _item(detectors, detector), case.center.views, case.described
        )
        for _, detector in groups
    }
    heads = views.compare(list(evidence.values()))
    scans: list[Scan] = []
    for (window, detector), frames in groups.items():
        # Several static frames of a detector are several views, or one view in parts.
        duration = _duration(header, frames)
        parted = len(frames) > 1 and (not dynamic or _is_static(header, frames, duration))
        view = views.decide(
            evidence[detector], heads, detector, case.center, single=len(groups) == 1
        )
        if view.reason or view.rule is None:
            excluded[view.reason] += len(frames)
            continue
        flags = [*case.flags, *view.flags]
        if duration is not None and not _is_plausible(duration, len(frames)):
            duration = None
            flags.append(ScanFlag.DURATION_IMPLAUSIBLE)
        if dynamic and not parted and _is_flow(duration, len(frames)):
            excluded["a dynamic study of the flow of blood, by its short frames"] += len(frames)
            continue
        flags += [ScanFlag.SUMMED_FRAMES] if parted else []
        flags += [] if assignment.has_limits(windows, window) else [ScanFlag.ENERGY_WINDOW_UNKNOWN]
        others = _opposite(detector, groups, evidence, heads)
        unassigned = dynamic and not header.several("DetectorVector")
        by_orientation = view.rule is ViewRule.ORIENTATION and not heads.opposite
        listed = by_orientation and evidence[detector].oblique
        scans.append(
            Scan(
                tuple(frames), kind, view.rule, view.turn, detector, duration, tuple(flags), others, unassigned, listed
            )
        )  # fmt: skip
    if scans:
        return FileVerdict(tuple(scans))
    # The reason of most frames.
    reason = max(excluded, key=lambda reason: excluded[reason])
    return FileVerdict(reason=reason, stage=Stage.FRAMES)


def _opposite(
    detector: int | None,
    groups: Mapping[tuple[int | None, int | None], Sequence[int]],
    evidence: Mapping[int | None, Evidence],
    heads: Heads,
) -> tuple[int, ...]:
    """Return the frames of detectors that are or may be behind the patient."""
    return tuple(
        frame
        for (_, on), found in groups.items()
        if on != detector and views.may_be_opposite(evidence[on], heads)
        for frame in found
    )


def _item(detectors: Sequence[Elements], detector: int | None) -> Elements:
    return detectors[detector - 1] if detector and detector <= len(detectors) else Elements()


def confirm(verdict: FileVerdict, read: ReadFrames) -> FileVerdict:
    """Compare what the header says about several frames with their images.

    A header does not say whether several static frames of one detector are several views (anterior,
    then oblique) or the parts of one acquisition; frames that are not one view are excluded. And of
    two opposite detectors, the one in front has more counts from the gland, which is 1 to 2 cm below
    the skin of the neck and 8 cm or more from its back (half-value layer in water: 4.6 cm).

    Parameters
    ----------
    verdict
        What `judge` returned.
    read
        Reads frames of the file; called only for files of several frames.
    """
    checked = [_confirmed(scan, read) for scan in verdict.scans]
    scans = tuple(scan for scan in checked if isinstance(scan, Scan))
    reasons = [reason for reason in checked if isinstance(reason, str)]
    if scans or not reasons:
        return replace(verdict, scans=scans)
    return FileVerdict(reason=reasons[0], stage=Stage.FRAMES)


def _some(frames: Sequence[int]) -> Sequence[int]:
    """Return frames from the whole study, as many as a comparison needs at most."""
    return frames[:: -(-len(frames) // MOST_COMPARED)]


def _confirmed(scan: Scan, read: ReadFrames) -> Scan | str:
    """Return the scan, with a flag if its counts are doubtful, or the reason why it is excluded."""
    parted = ScanFlag.SUMMED_FRAMES in scan.flags
    timed = scan.unassigned and len(scan.frames) >= comparison.FEWEST_TIMED and not parted
    if not parted and not scan.others and not timed:
        return scan
    try:
        own = read(_some(scan.frames) if not timed else comparison.in_the_middle(scan.frames))
        others = read(_some(scan.others)) if scan.others else []
    except PixelError as error:
        # The same error is the reason in standardization, where other scans are tried.
        return str(error) if parted else scan
    if parted and not comparison.are_one_view(own):
        return "several frames of one detector, which are not parts of one view"
    if timed and comparison.are_two_views(own):
        return "front and back in the frames of a dynamic study, which no vector distinguishes"
    if not others or not comparison.is_behind(own, others):
        return scan
    if scan.rule is ViewRule.CONFIGURED_HEAD:
        return replace(scan, flags=(*scan.flags, ScanFlag.FEWER_COUNTS))
    agree = scan.rule is ViewRule.CODE_AND_ORIENTATION
    # What is brighter from behind may be a contamination there; of the gland, the labels are exchanged.
    if agree and not comparison.is_one_organ(own, others):
        return replace(scan, flags=(*scan.flags, ScanFlag.FEWER_COUNTS))
    return f"anterior by {_RULES[scan.rule]}, but the opposite detector has more counts"


def _kind(header: Header) -> ScanKind:
    """Return whether a file is static or dynamic, by the image type, otherwise by the vectors."""
    kind = exclusion.image_type(header)
    if "DYNAMIC" in kind:
        return ScanKind.DYNAMIC
    if "STATIC" in kind:
        return ScanKind.STATIC
    timed = header.several("PhaseVector") or header.several("TimeSliceVector")
    return ScanKind.DYNAMIC if timed and frame_count(header) > 1 else ScanKind.STATIC


def _is_static(header: Header, frames: Sequence[int], duration: float | None) -> bool:
    """Return whether a file whose type is dynamic has the frames of a static one."""
    timed = header.several("PhaseVector") or header.several("TimeSliceVector")
    return not timed and (duration or 0.0) >= LONG_FRAME_S * len(frames)


def _is_flow(duration: float | None, frames: int) -> bool:
    return duration is not None and duration < min(FLOW_FRAME_S * frames, FLOW_S)


def _is_plausible(duration: float, frames: int) -> bool:
    return DURATION_S[0] <= duration <= DURATION_S[1] and duration >= FRAME_S * frames


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
