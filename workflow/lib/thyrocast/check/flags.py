"""What the flags of scans and the rules that identified their view mean, in words."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from thyrocast.check.center import Center
from thyrocast.check.findings import Example, Finding, Section
from thyrocast.check.people import file_name
from thyrocast.contract.check import RemarkCode, Severity
from thyrocast.contract.names import ScanFlag, ViewRule

_SHEET = "Look at these images in the contact sheet."


@dataclass(frozen=True)
class Meaning:
    """A flag: in two words, as a sentence, what to do, and how important it is."""

    brief: str
    text: str
    action: str
    code: RemarkCode = RemarkCode.FRAME
    severity: Severity = Severity.REMARK


def _value(what: str, action: str) -> Meaning:
    return Meaning(
        f"implausible {what}",
        f"The {what} in the header is implausible and not used.",
        action,
        RemarkCode.PLAUSIBILITY,
    )


FLAGS: Mapping[ScanFlag, Meaning] = {
    ScanFlag.VIEW_CONTRADICTION: Meaning(
        "view contradicts itself",
        "Label or code of the view contradicts the orientation; the orientation was used.",
        f"{_SHEET} If right and left or front and back are wrong, say so in `views`.",
    ),
    ScanFlag.START_ANGLE_REVERSED: Meaning(
        "start angle reversed",
        "The start angle contradicts the label of the view, as some cameras write it.",
        _SHEET,
    ),
    ScanFlag.FEWER_COUNTS: Meaning(
        "fewer counts than behind",
        "The opposite detector has more counts: this may be the posterior image.",
        f"{_SHEET} If it is posterior, set `views.anterior_detector` or exclude the images.",
    ),
    ScanFlag.SUMMED_FRAMES: Meaning(
        "sum of frames",
        "Several frames of one view were added.",
        "Nothing, if the camera divides one acquisition into several frames.",
        severity=Severity.NOTE,
    ),
    ScanFlag.ENERGY_WINDOW_UNKNOWN: Meaning(
        "energy window unknown",
        "The header does not state the limits of the energy window.",
        "Make sure that the frame is the photopeak and not scatter.",
    ),
    ScanFlag.RADIONUCLIDE_BY_WINDOW: Meaning(
        "radionuclide by window",
        "The radionuclide is known by the energy window only.",
        "Make sure that these scans are with technetium-99m.",
        severity=Severity.NOTE,
    ),
    ScanFlag.RADIONUCLIDE_ASSUMED: Meaning(
        "radionuclide assumed",
        "Neither radionuclide nor energy window is stated; technetium-99m is assumed.",
        "Make sure that it is, or set `fallbacks.radionuclide: none`.",
    ),
    ScanFlag.SECONDARY_CAPTURE: Meaning(
        "captured picture",
        "Captured pictures are used, whose gray values are not counts.",
        "Export the original images if there are any.",
        RemarkCode.QUALITY,
    ),
    ScanFlag.PINHOLE: Meaning(
        "pinhole",
        "The collimator is a pinhole: there are no millimeters, no areas and no mass.",
        "Export images of a parallel-hole collimator if there are any.",
        RemarkCode.QUALITY,
    ),
    ScanFlag.PIXEL_SIZE_IMPLAUSIBLE: _value(
        "pixel size",
        "Ask for the pixel size, and set `fallbacks.pixel_mm` if it is the same for all.",
    ),
    ScanFlag.PIXEL_SIZE_BY_FIELD: Meaning(
        "pixel size by field",
        "The pixel size is computed from field of view and zoom, because the header has none.",
        "Compare one of these images with the camera’s own measurement.",
        RemarkCode.PLAUSIBILITY,
        Severity.NOTE,
    ),
    ScanFlag.PIXEL_SIZE_DIFFERS: Meaning(
        "pixel size differs",
        "The pixel size in the header contradicts field of view and zoom; the pixel size was used.",
        "Compare one of these images with the camera’s own measurement: areas and masses may be wrong by the "
        "square and cube of the zoom.",
        RemarkCode.PLAUSIBILITY,
    ),
    ScanFlag.PIXEL_SIZE_OF_ONE: Meaning(
        "pixel size of 1 mm",
        "The pixel size is exactly 1 mm, which exports often write when it is not known; no field of view confirms "
        "it, and it was used.",
        "Compare one of these images with the camera’s own measurement: areas and masses may be wrong by the "
        "square and cube of the error.",
        RemarkCode.PLAUSIBILITY,
    ),
    ScanFlag.DURATION_IMPLAUSIBLE: _value(
        "duration",
        "Ask for the duration, and set `fallbacks.duration_s` if it is the same for all.",
    ),
    ScanFlag.ACTIVITY_IMPLAUSIBLE: _value(
        "injected activity",
        "Give it in the table (`columns.tc_activity`), in MBq; it may be in mCi or kBq in the header.",
    ),
    ScanFlag.ACTIVITY_IN_BQ: Meaning(
        "activity in Bq",
        "The injected activity in the header is in Bq and was converted.",
        "Nothing.",
        RemarkCode.PLAUSIBILITY,
        Severity.NOTE,
    ),
    ScanFlag.ACTIVITY_DIFFERS: Meaning(
        "activity differs",
        "The injected activity differs between table and header; that of the table is used.",
        "Check unit and column of the activity.",
        RemarkCode.PLAUSIBILITY,
    ),
    ScanFlag.DELAY_IMPLAUSIBLE: _value(
        "time from injection to image", "Give the time in the table (`columns.injection_time`)."
    ),
    ScanFlag.DELAY_DIFFERS: Meaning(
        "time of injection differs",
        "The time of injection differs between table and header; that of the table is used.",
        "Check the column of the time of injection.",
        RemarkCode.PLAUSIBILITY,
    ),
    ScanFlag.DATES_DIFFER: Meaning(
        "dates differ",
        "The dates of acquisition and study differ by more than a day; that of the acquisition decides "
        "whether the scan was before the therapy, unless it is in the future.",
        "Compare both dates with the patient’s records.",
        RemarkCode.PLAUSIBILITY,
    ),
    ScanFlag.BODY_PART_DIFFERS: Meaning(
        "body part differs",
        "The body part in the header is another one than the thyroid, which a description names.",
        f"{_SHEET} Exclude them with `views.excluded` if they do not show the thyroid.",
    ),
    ScanFlag.TRACER_DOUBTFUL: Meaning(
        "tracer doubtful",
        "The header states technetium-99m, but a tracer whose name is not understood, or the description names another tracer.",
        f"{_SHEET} Exclude them with `views.excluded` if the tracer is not pertechnetate.",
    ),
    ScanFlag.COPY_AFTER_THERAPY: Meaning(
        "two dates",
        "The same image is also there with a date after the therapy; the date before it was used.",
        "Compare both dates with the patient’s records, and remove the file whose date is wrong.",
        RemarkCode.PLAUSIBILITY,
    ),
    ScanFlag.DERIVED: Meaning(
        "derived image",
        "The image was computed from others, such as a sum or a smoothed image; its counts may be changed.",
        "Export the original images, or look at these in the contact sheet.",
    ),
}
VIEWS: Mapping[ViewRule, str] = {
    ViewRule.CODE_AND_ORIENTATION: "anterior by code and orientation",
    ViewRule.ORIENTATION: "anterior by its orientation",
    ViewRule.ORIENTATION_OF_HEADS: "anterior by the orientation of the heads",
    ViewRule.CODE: "anterior by its code",
    ViewRule.START_ANGLE: "anterior by its start angle",
    ViewRule.PRIVATE_LABEL: "anterior by the camera’s own label",
    ViewRule.DESCRIPTION: "anterior by its description",
    ViewRule.CONFIGURED_LABEL: "anterior by a label in the config",
    ViewRule.CONFIGURED_HEAD: "anterior head, as configured",
    ViewRule.CONFIGURED_VIEW: "assumed to be anterior, as configured",
}


def of_scan(flags: object) -> list[Meaning]:
    """Return the meanings of a scan's flags, as tables contain them; unknown ones are left out."""
    known = {str(flag) for flag in ScanFlag}
    names = [] if pd.isna(flags) else str(flags).split()  # type: ignore[call-overload]  # one cell
    return [FLAGS[ScanFlag(name)] for name in names if name in known]


def view(row: Mapping[Any, Any]) -> str:
    """Return how the view of a scan was identified, in words."""
    rule = row["view_evidence"]
    return VIEWS[ViewRule(rule)] if rule in set(ViewRule) else "view known otherwise"


def flag_findings(center: Center) -> Iterator[Finding]:
    """Yield a finding for each flag of the chosen scans."""
    used = center.used
    found: dict[str, list[Example]] = {}
    meanings: dict[str, Meaning] = {}
    for row in used.sort_values("patient").to_dict("records"):
        for meaning in of_scan(row["flags"]):
            meanings[meaning.brief] = meaning
            example = Example(row["patient"], row["identifier"], file_name(row["file"]))
            found.setdefault(meaning.brief, []).append(example)
    for brief, examples in found.items():
        meaning = meanings[brief]
        yield Finding(
            meaning.code,
            meaning.severity,
            meaning.text,
            meaning.action,
            Section.SHEET,
            len(examples),
            subject=brief,
            examples=examples,
        )
