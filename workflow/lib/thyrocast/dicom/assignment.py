"""Which energy window and which detector each frame of a file belongs to."""

import collections
from collections.abc import Iterable, Sequence

from thyrocast.dicom import terms
from thyrocast.dicom.elements import Elements, Header
from thyrocast.dicom.exclusion import frame_count, window_range
from thyrocast.dicom.header import MAX_ITEMS

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


# Ranges of one energy window that end this far from the photopeak, keV, are of scatter or another nuclide.
_APART_KEV = 10.0
# A window that reaches further from the photopeak than this share of it counts photons of all energies: usual ones
# reach .1 (EANM 2019: 15 to 20 % in all). 100 to 200 keV, which has more scatter, is still an image of technetium.
_WIDEST = 0.45
_OTHER_NUCLIDE = "an energy window that is not that of technetium"


def group(
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
    confused = _are_windows_confused(header, windows, in_window, on_detector)
    groups: dict[tuple[int | None, int | None], list[int]] = {}
    for frame in range(count):
        window, detector = in_window[frame], on_detector[frame]
        if confused:
            excluded["energy windows that the vector of the frames does not distinguish"] += 1
        elif reason := _wrong_window(windows, window, photopeak_kev):
            excluded[reason] += 1
        else:
            groups.setdefault((window, detector), []).append(frame)
    return groups


def frames_in_photopeak(header: Header, photopeak_kev: float) -> list[tuple[int, int | None]]:
    """Return the frames whose energy window contains the photopeak, each with its detector."""
    windows = header.items("EnergyWindowInformationSequence")
    detectors = header.items("DetectorInformationSequence")
    groups = group(header, windows, detectors, photopeak_kev, collections.Counter())
    return sorted((frame, detector) for (_, detector), found in groups.items() for frame in found)


def _are_windows_confused(
    header: Header,
    windows: Sequence[Elements],
    in_window: Sequence[int | None],
    on_detector: Sequence[int | None],
) -> bool:
    """Return whether frames of several energy windows are assigned to one of them.

    Some exporters write a vector of ones. If each detector has a frame for each window that the
    header defines, but the vector names one window only, the frames of a detector may be of
    different windows.
    """
    if len(windows) < 2 or len(in_window) < 2 or len(set(in_window)) != 1 or None in in_window:
        return False
    per_detector = collections.Counter(on_detector)
    in_phases = _frames_in_phases(header)
    if in_phases and all(number == in_phases for number in per_detector.values()):
        return False
    return all(number % len(windows) == 0 for number in per_detector.values())


def are_detectors_confused(
    header: Header, detectors: Sequence[Elements], groups: Iterable[tuple[int | None, int | None]]
) -> bool:
    """Return whether the frames of several detectors are assigned to one of them, or to none.

    As with energy windows, some exporters write a vector of ones.

    Parameters
    ----------
    header, detectors
        The header, and its items of detectors.
    groups
        (window, detector) of all frames, as `group` returns them.
    """
    declared = max(len(detectors), int(header.number("NumberOfDetectors") or 0))
    named = {detector for _, detector in groups}
    windows = max(len(header.items("EnergyWindowInformationSequence")), 1)
    in_phases = _frames_in_phases(header)
    if declared < 2 and in_phases and not header.several("DetectorVector"):
        # The phases have one frame of each detector: there are several, of which one is listed.
        return frame_count(header) in {2 * in_phases, 2 * in_phases * windows} and (
            frame_count(header) != in_phases * windows
        )
    if declared < 2 or len(named) != 1:
        return False
    if None not in named and in_phases and frame_count(header) in {in_phases, in_phases * windows}:
        return False
    return frame_count(header) % declared == 0


def _frames_in_phases(header: Header) -> int:
    phases = header.items("PhaseInformationSequence")
    return sum(int(phase.number("NumberOfFramesInPhase") or 0) for phase in phases)


def wrong_length(header: Elements) -> str:
    """Return why a vector that FrameIncrementPointer names does not fit the number of frames; "" if it does.

    A longer vector of windows or detectors is that of a file from which frames were removed, and does not say which.
    It is no doubt if all its values are the same, or if it is padded with zeros.
    """
    frames = min(frame_count(header), MAX_ITEMS)
    for tag in header.integers("FrameIncrementPointer"):
        given = header.several(VECTORS[tag]) if tag in VECTORS else ()
        if 0 < len(given) < frames:
            return "a vector of the frames that is shorter than their number"
        padding = set(given[frames:]) <= {0, None} and 0 not in given[:frames]
        named = VECTORS.get(tag) in {"EnergyWindowVector", "DetectorVector"}
        if named and len(given) > frames and len(set(given)) > 1 and not padding:
            return "a vector of the frames that is longer than their number"
    return ""


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
    if not ranges and terms.names_scatter(windows[window - 1]):
        return "an energy window without the photopeak"
    if not ranges and terms.names_other_nuclide(windows[window - 1]):
        return _OTHER_NUCLIDE
    containing = [part for part in ranges if part[0] <= photopeak_kev <= part[1]]
    if ranges and not containing:
        return "an energy window without the photopeak"
    reach = _WIDEST * photopeak_kev
    if any(
        high < photopeak_kev - _APART_KEV or low > photopeak_kev + _APART_KEV
        for low, high in ranges
    ) or any(
        low < photopeak_kev - reach or high > photopeak_kev + reach for low, high in containing
    ):
        return "an energy window that also has counts of other energies"
    return "" if _is_nearest(windows, containing, photopeak_kev) else _OTHER_NUCLIDE


def _is_nearest(
    windows: Sequence[Elements], containing: Sequence[tuple[float, float]], photopeak_kev: float
) -> bool:
    """Return whether a window is centered on the photopeak, or no other one is.

    A wide window of iodine-123 may contain technetium's photopeak as well.
    """
    if not containing or any(map(terms.is_centered, containing)):
        return True
    others = (part for window in windows for part in window_range(window))
    return not any(
        low <= photopeak_kev <= high and terms.is_centered((low, high)) for low, high in others
    )


def has_limits(windows: Sequence[Elements], window: int | None) -> bool:
    """Return whether the header states the limits of an energy window (its item, from 1)."""
    return bool(window and window <= len(windows) and window_range(windows[window - 1]))
