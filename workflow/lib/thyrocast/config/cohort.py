"""Config of the cohort."""

from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, Field

from thyrocast.config.base import Block, ascending, option


class WithoutDates(StrEnum):
    """Which scan is selected if a date is missing."""

    EARLIEST = "earliest"
    EXCLUDE = "exclude"


class OutOfRange(StrEnum):
    """What happens with a clinical value outside its physiological range."""

    MISSING = "missing"
    STOP = "stop"


class Duplicates(StrEnum):
    """What happens with two patients who look like one person."""

    STOP = "stop"
    EXCLUDE = "exclude"
    KEEP = "keep"


Days = Annotated[int, Field(ge=0, le=3650)]


class CohortConfig(Block):
    """Which scan of a patient is the pretreatment scintigram, and who counts as one person."""

    scan_window_days: Annotated[tuple[Days, Days], AfterValidator(ascending)] = option(
        "Smallest and largest number of days from scan to therapy; of several scans in this "
        "window the one nearest to the therapy is selected.",
        (0, 180),
        unit="days",
    )
    without_dates: WithoutDates = option(
        "Which scan is selected for a patient without a therapy date or scan date: the `earliest`, "
        "or none (`exclude`) if there are several.",
        WithoutDates.EARLIEST,
    )
    photopeak_kev: float = option(
        "Photopeak that the energy window must contain (technetium-99m).",
        140.5,
        unit="keV",
        ge=20,
        le=1000,
    )
    max_pixels: int = option(
        "Largest matrix (rows times columns) that is decoded; a file with a larger one is "
        "excluded with a reason.",
        16_777_216,
        unit="pixels",
        ge=4096,
        le=268_435_456,
    )
    max_frames: int = option(
        "Largest number of frames in a file; a file with more is excluded with a reason.",
        4096,
        unit="frames",
        ge=1,
        le=100_000,
    )
    values: OutOfRange = option(
        "What a clinical value outside its physiological range means: the cell counts as missing "
        "(`missing`) or the run stops (`stop`). In both cases row and column are logged.",
        OutOfRange.MISSING,
    )
    duplicates: Duplicates = option(
        "What happens if two patients, of two centers or of one, look like one person (identical "
        "pixels, the same identifier, the same name, birth date and sex, or the same birth date and "
        "sex with near dates): `stop` stops the run with a message; `exclude` treats them as one "
        "person and keeps only the entry with the earlier therapy, otherwise the first in config and "
        "table order; `keep` treats them as different people. Patients with different given names, "
        "such as twins, are only logged.",
        Duplicates.STOP,
    )
    distinct: tuple[tuple[str, str], ...] = option(
        "Pairs of pseudonyms that look like one person but are known to be two people.", ()
    )
