"""Which frames of a file are an anterior pertechnetate image, and why the others are not."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from thyrocast.dicom import pictures, terms, views
from thyrocast.dicom.header import Record
from thyrocast.dicom.terms import as_list, items, number

Settings = Mapping[str, Any]

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
# Transfer syntaxes that the pinned pydicom plug-ins decode; those that always lose information.
LOSSY = {"1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51", "1.2.840.10008.1.2.4.81"}
DECODABLE = LOSSY | {
    "", "1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.5",
    "1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2.4.80",
    "1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.91",
    "1.2.840.10008.1.2.4.201", "1.2.840.10008.1.2.4.202", "1.2.840.10008.1.2.4.203",
}  # fmt: skip


@dataclass(frozen=True)
class Scan:
    """Frames of one file that, summed, make one anterior image.

    ``frames`` are counted from 0; ``kind`` is static, dynamic or capture; ``view_by`` says how the
    view is known (code, orientation, description, fallback); ``turn`` is the number of quarter
    turns (counter-clockwise) that bring the head up; ``detector`` and ``window`` count from 1.
    """

    frames: tuple[int, ...]
    kind: str
    view_by: str
    turn: int = 0
    detector: int | None = None
    window: int | None = None
    duration_s: float | None = None
    flags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Verdict:
    """What a file holds: scans, or the reason why there is none; frames that were left out.

    ``stage`` says how far the file came before it was left out (larger is further), so that of a
    patient's many files the most telling reason can be given.
    """

    scans: tuple[Scan, ...] = ()
    reason: str = ""
    stage: int = 0
    left_out: Mapping[str, int] = field(default_factory=dict)
    syringe: bool = False


def judge(record: Record, center: Settings, cohort: Settings) -> Verdict:
    """Find the anterior pertechnetate frames of a file.

    Parameters
    ----------
    record
        A header, as `header.read_header` gives it.
    center, cohort
        The center's block and the cohort's block of the config.
    """
    if reason := record.get("reason"):
        return Verdict(reason=reason)
    if reason := _wrong_class(record, center):
        return Verdict(reason=reason, stage=10 + 5 * _is_capture(record))
    if reason := _wrong_pixels(record, center, cohort):
        return Verdict(reason=reason, stage=50)
    if reason := _wrong_type(record):
        return Verdict(reason=reason, stage=20)
    series = terms.words(
        record.get("SeriesDescription"), record.get("ImageID"), record.get("ImageComments")
    )
    study = terms.words(record.get("ProtocolName"), record.get("StudyDescription"))
    patterns = center["views"]
    syringe = terms.matches(patterns["syringe"], series or study)
    # A study of another organ is one whatever its series are called; one of several that names the
    # thyroid is left to its series.
    whole = series if series and terms.names_thyroid(study) else terms.words(series, study)
    if syringe or terms.matches(patterns["excluded"], whole):
        kind = "a syringe" if syringe else "a marker, whole-body, phantom or other organ's image"
        return Verdict(reason=f"{kind} by its description", stage=30, syringe=syringe)
    if reason := _wrong_radionuclide(record, center, series or study):
        return Verdict(reason=reason, stage=40)
    if _is_capture(record) or record.get("SOPClassUID") == pictures.EXPORT:
        return _judge_capture(record, center, series, study)
    return _judge_frames(record, center, cohort, series, study)


def _is_capture(record: Record) -> bool:
    kind = str(record.get("SOPClassUID", ""))
    return kind == terms.SECONDARY_CAPTURE or kind.startswith(f"{terms.SECONDARY_CAPTURE}.")


def _wrong_class(record: Record, center: Settings) -> str:
    if record.get("SOPClassUID") in terms.NUCLEAR_MEDICINE:
        return ""
    if record.get("SOPClassUID") == pictures.EXPORT:
        return ""
    if _is_capture(record):
        if record.get("Modality") not in {"NM", "OT", "SC", None, ""}:
            return "not a nuclear-medicine image"
        return "" if center["accept"]["secondary_capture"] else "a secondary capture"
    if not record.get("SOPClassUID") and record.get("Modality") == "NM":
        return ""
    return "not a nuclear-medicine image"


def frame_count(record: Record) -> int:
    """NumberOfFrames, 1 where it is missing."""
    return int(number(record.get("NumberOfFrames")) or 1)


def _wrong_pixels(record: Record, center: Settings, cohort: Settings) -> str:
    """Why the pixels of a file (C.7.6.3) can't or may not be used."""
    available = record.get("PixelBytes")
    if not available:
        return "no pixel data"
    rows, columns = number(record.get("Rows")), number(record.get("Columns"))
    if not rows or not columns:
        return "no matrix size"
    kind = record.get("PhotometricInterpretation")
    if (number(record.get("SamplesPerPixel")) or 1) != 1 or kind not in {
        "MONOCHROME1", "MONOCHROME2", None,
    }:  # fmt: skip
        return "a colour image"
    # Words in the pixels are no counts, and may name the patient.
    if record.get("BurnedInAnnotation") == "YES":
        return "burned-in annotation"
    frames = frame_count(record)
    if rows * columns > cohort["max_pixels"] or frames > cohort["max_frames"]:
        return "a larger matrix or more frames than any scintigram"
    allocated = int(number(record.get("BitsAllocated")) or 0)
    if allocated not in {8, 16, 32}:
        return "pixels that are not of 8, 16 or 32 bits"
    if available > 0 and available < rows * columns * frames * allocated // 8:
        return "fewer pixels than declared"
    syntax = record.get("TransferSyntaxUID", "")
    if syntax not in DECODABLE:
        return "an encoding that can't be decoded"
    lossy = record.get("LossyImageCompression") == "01" or syntax in LOSSY
    if (lossy or record.get("Irreversible")) and not center["accept"]["lossy"]:
        return "compressed with loss"
    return ""


def _wrong_type(record: Record) -> str:
    """Image types (C.8.4.9.1.1) that are no planar emission image of the neck."""
    kind = [str(part).upper() for part in as_list(record.get("ImageType"))]
    if "TRANSMISSION" in kind:
        return "a transmission image"
    if (
        "WHOLE BODY" in kind
        or record.get("WholeBodyTechnique")
        or number(record.get("ScanVelocity"))
    ):
        return "a whole-body image"
    # A whole-body matrix is at least twice as long as it is wide; a camera's field is not.
    rows, columns = number(record.get("Rows")), number(record.get("Columns"))
    if rows and columns and rows >= 2 * columns:
        return "a whole-body image"
    if any("TOMO" in part for part in kind):
        return "a tomographic image"
    if any("GATED" in part for part in kind):
        return "a gated image"
    return ""


def _wrong_radionuclide(record: Record, center: Settings, description: str) -> str:
    """Radiopharmaceuticals (C.8.4.10) and energy windows that are no technetium-99m."""
    said = [
        terms.radionuclide_of(item)
        for item in items(record, "RadiopharmaceuticalInformationSequence")
    ]
    if "tc99m" in said:
        return ""
    if "other" in said or terms.names_other_isotope(description):
        return "another radionuclide or tracer"
    known = any(window_range(item) for item in items(record, "EnergyWindowInformationSequence"))
    if not known and center["fallbacks"]["radionuclide"] != "tc99m":
        return "radionuclide not stated"
    return ""


def window_range(item: Record) -> list[tuple[float, float]]:
    """Lower and upper limits (keV) of an energy window (C.8.4.10, Energy Window Range Sequence)."""
    ranges = []
    for part in items(item, "EnergyWindowRangeSequence"):
        upper = number(part.get("EnergyWindowUpperLimit"))
        if upper:
            ranges.append((number(part.get("EnergyWindowLowerLimit")) or 0.0, upper))
    return ranges


def vector(record: Record, keyword: str, count: int, things: int) -> list[int | None]:
    """Which item, counted from 1, each frame belongs to (C.8.4.8.1.1).

    Parameters
    ----------
    record, keyword
        The header and the vector's name.
    count
        Number of frames.
    things
        Number of items that the vector points to; with one or none every frame belongs to it.

    Returns
    -------
    list
        ``count`` item numbers; None where the header does not say. A frame's own number is never
        taken as its item's.
    """
    given = [v for v in as_list(record.get(keyword)) if isinstance(v, int)]
    pointed = {
        VECTORS.get(v) for v in as_list(record.get("FrameIncrementPointer")) if isinstance(v, int)
    }
    if given and (keyword in pointed or len(given) == count):
        if 0 in given and max(given) < max(things, 1):
            given = [v + 1 for v in given]  # some exporters count from 0
        padded = [*given[:count], *[None] * (count - len(given))]
        return [v if v and 1 <= v <= max(things, 1) else None for v in padded]
    return [1 if things <= 1 else None] * count


def _pointed(record: Record, what: str, listed: int, count: int) -> list[int | None]:
    """Items that frames point to.

    A number of items beside a shorter list of them is believed only where there are several
    frames, which must not all be taken for the listed one's.
    """
    said = int(number(record.get(f"NumberOf{what}s")) or 0)
    things = max(listed, said) if count > 1 or not listed else listed
    return vector(record, f"{what}Vector", count, things)


def _facing(scans: list[Scan], detectors: list[Record]) -> list[Scan]:
    """Of two heads that both claim to be anterior, the one at the patient's front.

    Some cameras write the same orientation for both; the start angle (C.8.4.11) tells them apart.
    Where it doesn't, neither is taken: one of them is at the back.
    """
    angles = {
        n: float(item["StartAngle"])
        for n, item in enumerate(detectors, 1)
        if isinstance(item.get("StartAngle"), int | float)
    }
    heads = {scan.detector for scan in scans if scan.view_by != "code"}
    if len(heads) < 2:
        return scans
    front = {n for n, angle in angles.items() if abs(angle % 360 - 180) < 25}
    return [scan for scan in scans if scan.view_by == "code" or scan.detector in front]


def _judge_frames(
    record: Record, center: Settings, cohort: Settings, series: str, study: str
) -> Verdict:
    count = frame_count(record)
    windows = items(record, "EnergyWindowInformationSequence")
    detectors = items(record, "DetectorInformationSequence")
    in_window = _pointed(record, "EnergyWindow", len(windows), count)
    on_detector = _pointed(record, "Detector", len(detectors), count)
    left_out: dict[str, int] = {}
    groups: dict[tuple[int | None, int | None], list[int]] = {}
    for frame in range(count):
        window, detector = in_window[frame], on_detector[frame]
        if reason := _wrong_window(windows, window, cohort["photopeak_kev"]):
            left_out[reason] = left_out.get(reason, 0) + 1
        else:
            groups.setdefault((window, detector), []).append(frame)
    kind = _kind(record)
    scans = []
    for (window, detector), frames in groups.items():
        item = detectors[detector - 1] if detector and detector <= len(detectors) else {}
        single = len(groups) == 1 and (len(frames) == 1 or kind == "dynamic")
        view, by, turn = views.view_of(record, item, center, series, study, single=single)
        if view != "anterior":
            reason = "another view than anterior" if view == "other" else "view not stated"
            left_out[reason] = left_out.get(reason, 0) + len(frames)
            continue
        flags = tuple(_window_flags(windows, window))
        if kind == "dynamic":
            seconds = _total(_duration(record, frame) for frame in frames)
            scans.append(Scan(tuple(frames), kind, by, turn, detector, window, seconds, flags))
        else:
            scans += [
                Scan((frame,), kind, by, turn, detector, window, _duration(record, frame), flags)
                for frame in frames
            ]
    if scans:
        facing = tuple(_facing(scans, detectors))
        reason = "" if facing else "several heads of one orientation"
        return Verdict(facing, reason, 0 if facing else 60, left_out)
    # The reason of most frames, the rarer ones only counted.
    reason = max(left_out, key=lambda r: left_out[r])
    return Verdict(reason=reason, stage=60, left_out=left_out)


def _wrong_window(windows: list[Record], window: int | None, photopeak: float) -> str:
    if len(windows) > 1 and window is None:
        return "energy window not stated"
    if not windows:
        return ""
    if window is None or window > len(windows):
        return "energy window not stated"
    ranges = window_range(windows[window - 1])
    if not ranges and len(windows) > 1 and not terms.names_photopeak(windows[window - 1]):
        return "energy window not stated"
    if ranges and not any(low <= photopeak <= high for low, high in ranges):
        return "an energy window beside the photopeak"
    return ""


def _window_flags(windows: list[Record], window: int | None) -> list[str]:
    if window and window <= len(windows) and window_range(windows[window - 1]):
        return []
    return ["energy_window_unknown"]


def _kind(record: Record) -> str:
    """Static or dynamic, by the image type, else by the vectors that are there."""
    kind = [str(part).upper() for part in as_list(record.get("ImageType"))]
    if "DYNAMIC" in kind:
        return "dynamic"
    if "STATIC" in kind:
        return "static"
    timed = record.get("PhaseVector") or record.get("TimeSliceVector")
    return "dynamic" if timed and frame_count(record) > 1 else "static"


def _duration(record: Record, frame: int) -> float | None:
    """Seconds of a frame; Actual Frame Duration is in ms (C.8.4.9, C.8.4.14 per phase)."""
    phases = items(record, "PhaseInformationSequence")
    phase = as_list(record.get("PhaseVector"))
    if phases and frame < len(phase) and isinstance(phase[frame], int):
        item = phases[phase[frame] - 1] if 1 <= phase[frame] <= len(phases) else {}
        if milliseconds := number(item.get("ActualFrameDuration")):
            return milliseconds / 1000
    milliseconds = number(record.get("ActualFrameDuration"))
    return milliseconds / 1000 if milliseconds else None


def _total(parts: Any) -> float | None:
    seconds = list(parts)
    return None if None in seconds else float(sum(seconds))


def _judge_capture(record: Record, center: Settings, series: str, study: str) -> Verdict:
    """Grey-scale secondary captures, where a center opts in; their pixel size is the config's."""
    if frame_count(record) != 1:
        return Verdict(reason="a secondary capture of several frames", stage=60)
    view, by, _ = views.view_of(record, {}, center, series, study, single=True)
    if record.get("SOPClassUID") == pictures.EXPORT and view is None:
        # A center that exports pictures says by doing so what is on them.
        view, by = "anterior", "fallback"
    if view == "other":
        return Verdict(reason="another view than anterior", stage=60)
    if view is None:
        return Verdict(reason="view not stated", stage=60)
    # The count of a capture's grey is not known, whatever its header says of durations.
    return Verdict((Scan((0,), "capture", by, flags=("secondary_capture",)),))
