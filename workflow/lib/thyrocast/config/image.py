"""Config of the standardized image."""

from enum import StrEnum
from typing import Self

from pydantic import model_validator

from thyrocast.config.base import Block, FaultsError, option


class Intensity(StrEnum):
    """Scale of a standardized image."""

    RELATIVE = "relative"
    ACTIVITY = "activity"


class ImageConfig(Block):
    """How a scintigram becomes the standardized image that the network sees."""

    size: int = option(
        "Rows and columns of the standardized image.", 224, unit="pixels", ge=32, le=1024
    )
    field_mm: float = option(
        "Side of the square field of view around the gland's centroid.",
        160.0,
        unit="mm",
        ge=60,
        le=500,
    )
    intensity: Intensity = option(
        "`relative` divides the count rate by its mean in the gland, which makes cameras "
        "comparable; `activity` is the percentage of the injected activity per square centimeter, as "
        "counted without attenuation: decayed to the time of the image and divided by the camera's "
        "sensitivity. It needs the duration and either an image of the syringe or activity, delay and "
        "`fallbacks.sensitivity`. Nothing is clipped.",
        Intensity.RELATIVE,
    )
    min_counts: float = option(
        "Smallest number of counts in the gland; a patient with fewer is excluded with a reason. On "
        "phantoms the 90th percentile of the area's error is 35 % at 300 counts, 24 % at 1,000 and 22 % "
        "at 2,000 (docs/gland.md).",
        1_000.0,
        unit="counts",
        ge=0,
    )
    min_score: float = option(
        "Least probability that an image shows a thyroid, as computed by the network that finds the "
        "gland; a patient with less is excluded with the reason.",
        0.5,
        ge=0,
        le=1,
    )
    gland_depth_mm: float = option(
        "Depth of the gland's front under the skin, for the correction of uptake for attenuation. Half "
        "the width of the larger lobe is added to it.",
        14.0,
        unit="mm",
        ge=0,
        le=60,
    )
    min_area_cm2: float = option("Smallest planar area of a gland.", 4.0, unit="cm2", ge=0)
    max_area_cm2: float = option("Largest planar area of a gland.", 150.0, unit="cm2", ge=1)

    max_saturation: float = option(
        "Largest share of pixels at the largest value of an image, as when a camera stops counting "
        "at 255; a patient whose image has more is excluded with a reason. On simulated glands of "
        "128 x 128 pixels, .0005 are 8 pixels of about 500 in the gland.",
        0.0005,
        ge=0,
        le=1,
    )

    @model_validator(mode="after")
    def _some_area_fits(self) -> Self:
        if self.min_area_cm2 >= self.max_area_cm2:
            text = (
                f"is {self.min_area_cm2:g}, expected less than max_area_cm2 ({self.max_area_cm2:g})"
            )
            raise FaultsError([(("min_area_cm2",), text)])
        return self
