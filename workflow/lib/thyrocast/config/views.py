"""Config of how a center's headers and descriptions name views."""

import re
import warnings
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator

from thyrocast.config.base import Block, option


def _compiles(pattern: str) -> str:
    with warnings.catch_warnings():
        # Python warns of an ambiguous pattern, but compiles it.
        warnings.simplefilter("ignore")
        try:
            compiled = re.compile(pattern, re.IGNORECASE)
        except (re.error, RecursionError, OverflowError) as error:
            raise ValueError(f"{pattern!r} is not a regular expression: {error}") from None
    if compiled.search(""):
        raise ValueError(f"{pattern!r} matches every description, expected words")
    return pattern


#: Regular expression as Python's `re` reads it.
Pattern = Annotated[str, AfterValidator(_compiles)]


class Contradiction(StrEnum):
    """What decides the view if orientation and label of a frame contradict each other."""

    EXCLUDE = "exclude"
    ORIENTATION = "orientation"
    LABEL = "label"


class AngleZero(StrEnum):
    """Where a detector is at a start angle of 0 degrees."""

    BACK = "back"
    FRONT = "front"


class ViewsConfig(Block):
    """How the center's headers and descriptions name views.

    Words for views, syringes, markers and other organs in English, French, German, Spanish,
    Italian, Portuguese, Dutch, Polish, Turkish, Greek, Japanese, Chinese, Korean and Russian are built in.
    The lists of regular expressions here are searched first. They are searched, ignoring case and
    accents, in the descriptions of series and image, or of study and protocol, with a space in
    place of punctuation.
    """

    anterior: tuple[Pattern, ...] = option("Descriptions of an anterior view.", ())
    other: tuple[Pattern, ...] = option("Descriptions of any other view.", ())
    excluded: tuple[Pattern, ...] = option("Descriptions of images that are not used.", ())
    kept: tuple[Pattern, ...] = option(
        "Descriptions of thyroid images that contain a built-in word for a syringe, a marker, another "
        "organ or another image that is not used.",
        (),
    )
    syringe: tuple[Pattern, ...] = option(
        "Descriptions of an image of the full dose syringe, which calibrates the uptake.", ()
    )
    syringe_residual: tuple[Pattern, ...] = option(
        "Descriptions of an image of the syringe after injection.", ()
    )
    contradictions: Contradiction = option(
        "What decides if the orientation of a single frame and its label (view code, description) "
        "contradict each other: the `orientation`, the `label`, or the frame is not used "
        "(`exclude`). Of two opposite detectors the orientation decides, and this is flagged.",
        Contradiction.EXCLUDE,
    )
    start_angle_zero: AngleZero = option(
        "Where a detector is at a StartAngle of 0 degrees: at the `back` of the patient, as in the "
        "DICOM standard, or at the `front`, as some cameras count.",
        AngleZero.BACK,
    )
    anterior_detector: int | None = option(
        "Number of the detector in front of the patient, for files of several detectors whose "
        "headers do not distinguish the detectors.",
        None,
        ge=1,
        le=4,
    )
