"""Why a file can't be an anterior pertechnetate image, decided by its header as a whole."""

import re
from enum import IntEnum

from thyrocast.config.center import CenterConfig, RadionuclideFallback
from thyrocast.config.cohort import CohortConfig
from thyrocast.contract.names import ScanFlag
from thyrocast.dicom import pictures, regions, terms, vocabulary
from thyrocast.dicom.elements import Elements, Header
from thyrocast.dicom.text import matches, words
from thyrocast.dicom.views import Descriptions

# Transfer syntaxes that always lose information, and all that the pinned pydicom plug-ins decode.
LOSSY = {"1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51", "1.2.840.10008.1.2.4.81"}
DECODABLE = LOSSY | {
    "", "1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.5",
    "1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2.4.80",
    "1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.91",
    "1.2.840.10008.1.2.4.201", "1.2.840.10008.1.2.4.202", "1.2.840.10008.1.2.4.203",
}  # fmt: skip
#: Largest energy that a gamma camera counts, keV: the window of fluorine-18 ends below 600.
MOST_KEV = 2_000.0
_GRAY = {"MONOCHROME1", "MONOCHROME2", ""}
# In value 3 or later of ImageType: what work stations call a picture of their screen.
# The defined terms of value 3 (C.8.4.9.1.1) are those of acquisitions; these are of images that were computed from them.
_COMPUTED = re.compile(
    r"REPROJ|\bMIP\b|SUBTR|GEO ?M|PARAM|FUS(?:ED|ION)|CURVE|RATIO|MOSAIC|MONTAGE|COMPOSITE|LOCALI[SZ]ER|AXIAL|CORONAL|SAGITTAL"
    r"|VOLUME|PROCESSED|\bROI"
)
_SAVED = re.compile(r"SCREEN|SNAP ?SHOT|CAPTURE|\bSAVED?\b|\bRESULTS?\b|REPORT|SECONDARY")


class Stage(IntEnum):
    """The check at which a file was excluded, in the order of the checks.

    A patient without a scan gets the reason of the file with the highest stage, which came nearest
    to being used.
    """

    UNREADABLE = 0
    OTHER_CLASS = 1
    CAPTURE = 2
    PIXELS = 3
    OTHER_TYPE = 4
    DESCRIPTION = 5
    RADIONUCLIDE = 6
    FRAMES = 7
    PIXEL_SIZE = 8


def is_capture(header: Header) -> bool:
    """Return whether a file is a picture of a screen, by SOP class (PS3.4 B.5) or image type.

    In the NM class, value 2 of ImageType is PRIMARY (C.8.4.9.1.1); work stations that save a screen
    in this class write SECONDARY, a word for it in a later value, or how and with what the picture was
    made (C.8.6.1: ConversionType, SecondaryCaptureDeviceManufacturer). An 8-bit image that
    is derived, or that states nothing about an acquisition, has gray values of a display.
    """
    kind = header.text("SOPClassUID")
    if kind == terms.SECONDARY_CAPTURE or kind.startswith(f"{terms.SECONDARY_CAPTURE}."):
        return True
    values = [*image_type(header), "", ""]
    bits = min(header.number("BitsAllocated") or 16, header.number("BitsStored") or 16)
    converted = header.text("ConversionType") not in {"", "DI"} or (
        header.text("SecondaryCaptureDeviceManufacturer")
    )
    acquired = (
        header.items("EnergyWindowInformationSequence")
        or header.items("DetectorInformationSequence")
        or header.number("ActualFrameDuration")
    )
    gray = bits <= 8 and (values[0] == "DERIVED" or not acquired)
    saved = "SECONDARY" in values[:2] or any(map(_SAVED.search, values[2:]))
    return saved or bool(converted) or gray


def frame_count(header: Elements) -> int:
    """Return NumberOfFrames; 1 if it is missing."""
    return max(int(header.number("NumberOfFrames") or 1), 1)


def window_range(window: Elements) -> list[tuple[float, float]]:
    """Return lower and upper limits (keV) of an energy window (C.8.4.10, EnergyWindowRangeSequence)."""
    ranges = []
    for part in window.items("EnergyWindowRangeSequence"):
        upper = part.number("EnergyWindowUpperLimit")
        if upper:
            lower = part.number("EnergyWindowLowerLimit") or 0.0
            unit = _unit_of_energy(lower or upper, upper)
            # Some exporters exchange the limits.
            ranges.append((min(lower, upper) * unit, max(lower, upper) * unit))
    return ranges


def _unit_of_energy(lower: float, upper: float) -> float:
    """Return the keV of an exporter's unit: eV or MeV, as no gamma camera counts above 2 MeV or below 2 keV.

    An upper limit alone may be the end of the scale (130 to 9999).
    """
    if min(lower, upper) > MOST_KEV:
        return 1e-3
    return 1e3 if max(lower, upper) < MOST_KEV / 1e3 else 1.0


def wrong_class(header: Header, center: CenterConfig) -> str:
    """Return why a file of this SOP class (PS3.4 B.5) is excluded; "" if it is not."""
    kind = header.text("SOPClassUID")
    nuclear = kind in terms.NUCLEAR_MEDICINE or (not kind and header.text("Modality") == "NM")
    if kind == pictures.EXPORT:
        return ""
    if nuclear and is_capture(header):
        return "" if center.accept.secondary_capture else "a screen save in the class of counts"
    if nuclear:
        return ""
    if is_capture(header):
        if header.text("Modality") not in {"NM", "OT", "SC", ""}:
            return "not a nuclear-medicine image"
        return "" if center.accept.secondary_capture else "a secondary capture"
    return "not a nuclear-medicine image"


def wrong_pixels(header: Header, center: CenterConfig, cohort: CohortConfig) -> str:
    """Return why the pixels of a file (C.7.6.3) can't or must not be used; "" if they can."""
    if not header.pixel_bytes:
        return "no pixel data"
    rows, columns = header.number("Rows"), header.number("Columns")
    if not rows or not columns:
        return "no matrix size"
    gray = header.text("PhotometricInterpretation") in _GRAY
    if not gray or (header.number("SamplesPerPixel") or 1) != 1:
        return "a color image"
    # Text in the pixels is not counts, and may contain the patient's name.
    if header.text("BurnedInAnnotation") == "YES":
        return "burned-in annotation"
    frames = frame_count(header)
    if rows * columns > cohort.max_pixels or frames > cohort.max_frames:
        return "a larger matrix or more frames than any scintigram"
    allocated = int(header.number("BitsAllocated") or 0)
    if allocated not in {8, 16, 32}:
        return "pixels that are not of 8, 16 or 32 bits"
    if 0 < header.pixel_bytes < rows * columns * frames * allocated // 8:
        return "fewer pixels than declared"
    # The first frame need not be the anterior one. A few bytes more are padding.
    if header.pixel_bytes >= rows * columns * (frames + 1) * allocated // 8:
        return "more frames than declared"
    slope = header.signed("RescaleSlope")
    if slope is not None and slope <= 0:
        return "a rescale slope that is not above zero"
    if header.transfer_syntax not in DECODABLE:
        return "an encoding that can't be decoded"
    lossy = header.text("LossyImageCompression") == "01" or header.transfer_syntax in LOSSY
    if (lossy or header.irreversible) and not center.accept.lossy:
        return "compressed with loss"
    return ""


def wrong_type(header: Header) -> str:
    """Return why an image (type: C.8.4.9.1.1) is not a planar emission image of the neck, or ""."""
    kind = image_type(header)
    if "TRANSMISSION" in kind:
        return "a transmission image"
    scanned = header.text("WholeBodyTechnique") or header.number("ScanVelocity")
    # A whole-body matrix is at least twice as long as it is wide; a camera's field is not.
    rows, columns = header.number("Rows"), header.number("Columns")
    elongated = rows and columns and rows >= 2 * columns
    if any(re.fullmatch(r"WHOLE[ _-]?BODY", part) for part in kind) or scanned or elongated:
        return "a whole-body image"
    if any("TOMO" in part or "RECON" in part for part in kind):
        return "a tomographic image"
    if any("GATED" in part for part in kind):
        return "a gated image"
    if any(map(_COMPUTED.search, kind[2:])):
        return "a computed image by its type"
    if rows and columns and columns >= 2 * rows:
        return "several images in one, by its wide matrix"
    # What the frames are counted by (C.8.4.8.1.1) contradicts a type that is empty or dynamic.
    if "STATIC" not in kind and frame_count(header) > 1:
        if _varies(header, "AngularViewVector") or _varies(header, "SliceVector"):
            return "a tomographic image"
        if _varies(header, "TimeSlotVector"):
            return "a gated image"
    return ""


def _varies(header: Header, vector: str) -> bool:
    return len(set(header.integers(vector))) > 1


def image_type(header: Elements) -> list[str]:
    """Return the values of ImageType in upper case."""
    return [str(part).upper() for part in header.several("ImageType")]


def wrong_organ(header: Header, center: CenterConfig, described: Descriptions, region: str) -> str:
    """Return what an image shows instead of the thyroid, by its descriptions; "" for nothing.

    Parameters
    ----------
    header, center
        The file's header and the center's block of the config.
    described
        The descriptions.
    region
        As `regions.named` returns it.
    """
    views = center.views
    # A study of another organ is excluded with all its series. If the study names the thyroid among
    # other organs, its series decide.
    several = bool(described.series) and vocabulary.names_thyroid(described.study)
    # The name of a department in a study's description ("heart center") is no organ if the series
    # names the thyroid; in a parathyroid study, one does.
    parathyroid = vocabulary.excluded(described.study) == vocabulary.PARATHYROID
    several = several or (vocabulary.names_thyroid(described.series) and not parathyroid)
    whole = described.series if several else words(described.series, described.study)
    whole = words(whole, region)
    if matches(views.excluded, whole):
        return "an image that views.excluded describes"
    if matches(views.kept, whole):
        return ""
    if vocabulary.processed(described.series) and not is_capture(header):
        return "a processed or reconstructed image by its description"
    # Some words mean an organ only where they are the whole description.
    kind = vocabulary.excluded(whole) or vocabulary.excluded(described.series)
    if kind == vocabulary.PARATHYROID and vocabulary.names_thyroid(whole):
        # The thyroid phase of a parathyroid study is a thyroid scan if its tracer is pertechnetate.
        drugs = header.items("RadiopharmaceuticalInformationSequence")
        if any(map(terms.is_pertechnetate, drugs)):
            return ""
    everything = words(whole, described.study)
    if not kind and not vocabulary.names_thyroid(everything):
        kind = vocabulary.hinted(whole) or vocabulary.hinted(described.series)
    return f"{kind} by its description" if kind else ""


def wrong_part(
    header: Header, center: CenterConfig, described: Descriptions, region: str
) -> tuple[str, tuple[ScanFlag, ...]]:
    """Return the organ that a region code or BodyPartExamined names instead of the thyroid, as a reason or a flag.

    Many cameras write the body part of the last protocol: a description of the thyroid is nearer.
    """
    coded = regions.other_region(header)
    part = coded or regions.other_part(header)
    if not part:
        return "", ()
    text = words(described.series, described.study, region)
    if vocabulary.names_thyroid(text) or matches(center.views.kept, text):
        return "", (ScanFlag.BODY_PART_DIFFERS,)
    return f"{part} by the {'region code' if coded else 'body part'} in its header", ()


def wrong_radionuclide(
    header: Header, center: CenterConfig, description: str
) -> tuple[str, tuple[ScanFlag, ...]]:
    """Return why radiopharmaceutical or energy windows (C.8.4.10) are not technetium-99m, or "".

    Parameters
    ----------
    header, center
        The file's header and the center's block of the config.
    description
        Description of the series, otherwise of the study, as `text.words` returns it.

    Returns
    -------
    reason, flags
        The flags are set if the header does not name technetium but an energy window of it, or if
        the center assumes it.
    """
    drugs = header.items("RadiopharmaceuticalInformationSequence")
    stated = [terms.is_technetium(item) for item in drugs]
    if True in stated:
        if any(map(terms.is_other_technetium, drugs)):
            return "several tracers of technetium in one header", ()
        unknown = any(terms.is_tracer_unknown(item) for item in drugs if terms.is_technetium(item))
        doubtful = unknown or terms.names_other_isotope(description)
        return "", (ScanFlag.TRACER_DOUBTFUL,) if doubtful else ()
    if False in stated or terms.names_other_isotope(description):
        return "another radionuclide or tracer", ()
    limits = [window_range(item) for item in header.items("EnergyWindowInformationSequence")]
    if any(map(terms.is_photopeak, limits)):
        return "", (ScanFlag.RADIONUCLIDE_BY_WINDOW,)
    if any(item.items("RadionuclideCodeSequence") for item in drugs):
        return "a radionuclide whose name is not understood, and no energy window of technetium", ()
    containing = [part for parts in limits for part in parts if part[0] <= 140.5 <= part[1]]
    if any(limits) and not containing:
        # `frames` says which frames are outside the photopeak.
        return "", ()
    if containing and not any(map(terms.is_centered, containing)):
        return "an energy window that is not that of technetium", ()
    if center.fallbacks.radionuclide is not RadionuclideFallback.TC99M:
        return "radionuclide not stated", ()
    return "", (ScanFlag.RADIONUCLIDE_ASSUMED,)
