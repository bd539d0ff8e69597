"""Config of a simulated center's patients, therapies and scans."""

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from thyrocast.config.base import (
    Block,
    Distinct,
    FaultsError,
    NotNegativeRange,
    Positive,
    PositiveRange,
    ascending,
    option,
)
from thyrocast.contract.names import View

Year = Annotated[int, Field(ge=1990, le=2100)]
#: First and last year.
Years = Annotated[tuple[Year, Year], AfterValidator(ascending)]


class ActivityStrategy(StrEnum):
    """How a center chooses the iodine-131 activity."""

    FIXED = "fixed"
    CALCULATED = "calculated"


class Stop(StrEnum):
    """When a scan ends."""

    TIME = "time"
    COUNTS = "counts"


class ViewFiles(StrEnum):
    """How views are divided into files."""

    ONE = "one"
    PER_VIEW = "per_view"


class CaseMixConfig(Block):
    """The center's patients."""

    mass_median: float = option("Median mass of the gland.", 36.0, unit="g", gt=0)
    mass_spread: float = option(
        "Standard deviation of the mass's natural logarithm.", 0.5, ge=0, le=2
    )
    uptake_median: float = option(
        "Median fraction of the injected pertechnetate in the gland at imaging.", 0.12, gt=0, lt=1
    )
    uptake_spread: float = option(
        "Standard deviation of the uptake's natural logarithm.", 0.55, ge=0, le=2
    )
    heterogeneity_mean: float = option(
        "Mean heterogeneity, from 0 (even) to 1 (nodular).", 0.38, gt=0, lt=1
    )


class TreatmentConfig(Block):
    """How much iodine-131 is given."""

    strategy: ActivityStrategy = option(
        "`fixed`: one of `activities`; larger glands more often get a higher one. `calculated`: "
        "`per_gram` times mass, divided by 24 h uptake.",
        ActivityStrategy.FIXED,
    )
    activities: tuple[Positive, ...] = option(
        "The fixed activities.", (370.0, 555.0, 740.0), unit="MBq", min_length=1
    )
    per_gram: float = option(
        "Activity taken up per gram of gland, if calculated.", 8.0, unit="MBq/g", gt=0
    )
    minimum: float = option("Smallest calculated activity.", 250.0, unit="MBq", gt=0)
    maximum: float = option("Largest calculated activity.", 1110.0, unit="MBq", gt=0)

    @model_validator(mode="after")
    def _minimum_is_below_maximum(self) -> Self:
        if self.minimum > self.maximum:
            text = f"is {self.minimum:g}, expected at most `maximum` ({self.maximum:g})"
            raise FaultsError([(("minimum",), text)])
        return self


class ScintigraphyConfig(Block):
    """The protocol of the pertechnetate scan."""

    activity_mbq: PositiveRange = option(
        "Smallest and largest injected Tc-99m activity.", (70.0, 80.0), unit="MBq"
    )
    delay_min: NotNegativeRange = option(
        "Shortest and longest time from injection to the scan.", (15.0, 25.0), unit="min"
    )
    stop: Stop = option(
        "Whether a scan ends after `duration_s` (`time`) or at `counts`.", Stop.TIME
    )
    duration_s: float = option("Duration of a scan that ends by time.", 300.0, unit="s", gt=0)
    counts: float = option(
        "Counts of the anterior view at which a scan ends.", 200_000.0, unit="counts", gt=0
    )
    views: Annotated[tuple[View, ...], Distinct] = option(
        "Views in the order of the detectors or acquisitions; one is `anterior`.",
        (View.ANTERIOR,),
        min_length=1,
    )
    files: ViewFiles = option(
        "All views are frames of `one` file, or there is one file `per_view`.", ViewFiles.PER_VIEW
    )
    reverse_frames: bool = option(
        "Whether the frames are in reverse order of the detectors.", False
    )

    @model_validator(mode="after")
    def _one_view_is_anterior(self) -> Self:
        if View.ANTERIOR not in self.views:
            raise FaultsError([(("views",), "has no `anterior`, which every scan needs: add it")])
        return self


class CameraConfig(Block):
    """The gamma camera."""

    manufacturer: str = option("Manufacturer, as in the header.")
    model: str = option("Model, as in the header.")
    software: str = option("Software version.", "1.0")
    collimator: str = option("Collimator, as in the header.", "LEHR", max_length=16)
    matrix: Literal[64, 128, 256, 512] = option("Pixels per side.", 128, unit="pixels")
    zoom: float = option("Acquisition zoom, as in the header.", 1.0, ge=1)
    pixel_mm: float = option("Size of a pixel at this matrix and zoom.", 2.2, unit="mm", gt=0)
    sensitivity: float = option(
        "Counts per second and MBq in air.", 80.0, unit="counts/s/MBq", gt=0
    )
    resolution_mm: float = option(
        "Full width at half maximum of the point spread at 100 mm.", 7.8, unit="mm", gt=0
    )
    distance_mm: float = option("Distance from the collimator to the neck.", 80.0, unit="mm", ge=0)


class MarkedOutcome(StrEnum):
    """Which patients have a marker in their scan."""

    CURED = "cured"
    NOT_CURED = "not_cured"


class MarkerConfig(Block):
    """A source of activity on the skin of the patients of one outcome, seen in the anterior view.

    It has nothing to do with the disease: a study must find and report such a shortcut.
    """

    patients: MarkedOutcome = option("Which patients have it.", MarkedOutcome.CURED)
    activity_mbq: float = option("Its activity at the time of the scan.", 0.2, unit="MBq", gt=0)
    size_mm: float = option("Standard deviation of its extent.", 5.0, unit="mm", gt=0)
    right_mm: float = option("From the middle of the field, right positive.", 55.0, unit="mm")
    down_mm: float = option("From the middle of the field, down positive.", 55.0, unit="mm")


class ExtrasConfig(Block):
    """Numbers of patients with further files, from which the registration must select the scan."""

    later: int = option("A pertechnetate scan half a year after therapy.", 0, unit="patients", ge=0)
    iodine: int = option("A whole-body scan of the therapy's iodine.", 0, unit="patients", ge=0)
    syringe: int = option(
        "An image of the syringe before injection, in the same study.", 0, unit="patients", ge=0
    )
    capture: int = option("A color screenshot of the scan.", 0, unit="patients", ge=0)
    readme: bool = option("A text file among the images.", False)
