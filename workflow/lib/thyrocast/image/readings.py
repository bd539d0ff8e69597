"""What the pretrained network reads from a gland's image, in the units of the tables."""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from thyrocast.config.image import ImageConfig
from thyrocast.image import encoder
from thyrocast.image.encoder import MEASURES, PIXEL_MM, SIGNS, SIZE, Encoded
from thyrocast.image.framing import crop_around, field_around, relative
from thyrocast.image.gland import Gland

#: Added to a lobe's mass (g), and to heterogeneity, before their logarithm is taken.
MASS_OFFSET, HETEROGENEITY_OFFSET = 1.0, 0.03
#: The network's field of view: the same for all studies, whatever the images of their networks are.
_FRAME = ImageConfig(size=SIZE, field_mm=SIZE * PIXEL_MM)


@dataclass(frozen=True)
class Readings:
    """Quantities by the names of `thyrocast.contract.readings`; None without lengths (pinhole).

    Attributes
    ----------
    p_mass, p_mass_sd, p_mass_right, p_mass_left
        Mass of the gland with its standard deviation, and of its lobes, g.
    p_uptake, p_uptake_sd
        Technetium uptake and its standard deviation, percent.
    p_heterogeneity, p_heterogeneity_sd
        Coefficient of variation of the concentration, and its standard deviation.
    p_asymmetry
        (right - left) / (right + left) uptake.
    p_contrast
        Concentration in the gland over that in the body.
    p_hot, p_cold
        Probability of a hot and of a cold nodule.
    """

    p_mass: float | None
    p_mass_sd: float | None
    p_mass_right: float | None
    p_mass_left: float | None
    p_uptake: float | None
    p_uptake_sd: float | None
    p_heterogeneity: float | None
    p_heterogeneity_sd: float | None
    p_asymmetry: float
    p_contrast: float
    p_hot: float
    p_cold: float


def frame(
    image: NDArray[np.float64],
    grid: NDArray[np.float64],
    gland: Gland,
    spacing: tuple[float, float],
    is_pinhole: bool,
) -> NDArray[np.float32]:
    """Return the network's image (SIZE, SIZE) of a gland, relative to the mean in it.

    Parameters
    ----------
    image
        (R, C) counts, head up, on the camera's pixels.
    grid, gland
        The image on the finder's grid, and the gland found there.
    spacing
        Distances of rows and columns of `image`, mm.
    is_pinhole
        Whether these are nominal.

    Raises
    ------
    UnusableError
        If there are no counts in the gland.
    """
    field = field_around(grid, gland, is_pinhole, _FRAME)
    return relative(*crop_around(image, spacing, gland, field)).astype(np.float32)


def read(framed: NDArray[np.float32], is_pinhole: bool) -> Readings:
    """Read the quantities from an image that `frame` returned."""
    found = readings(encoder.encode(framed[None]))[0]
    return without_lengths(found) if is_pinhole else found


def readings(encoded: Encoded) -> list[Readings]:
    """Convert what the network reads from n images."""
    return [
        _converted(
            dict(zip(MEASURES, map(float, values), strict=True)),
            dict(zip(MEASURES, map(float, deviations), strict=True)),
            dict(zip(SIGNS, map(float, signs), strict=True)),
        )
        for values, deviations, signs in zip(
            encoded.measures, encoded.deviations, encoded.signs, strict=True
        )
    ]


def _converted(value: dict[str, float], sd: dict[str, float], sign: dict[str, float]) -> Readings:
    mass, uptake = math.exp(value["mass"]), math.exp(value["uptake"])
    uneven = math.exp(value["heterogeneity"])
    return Readings(
        p_mass=mass,
        p_mass_sd=mass * sd["mass"],
        p_mass_right=max(math.exp(value["mass_right"]) - MASS_OFFSET, 0.0),
        p_mass_left=max(math.exp(value["mass_left"]) - MASS_OFFSET, 0.0),
        p_uptake=uptake,
        p_uptake_sd=uptake * sd["uptake"],
        p_heterogeneity=max(uneven - HETEROGENEITY_OFFSET, 0.0),
        p_heterogeneity_sd=uneven * sd["heterogeneity"],
        p_asymmetry=min(max(value["asymmetry"], -1.0), 1.0),
        p_contrast=math.exp(value["contrast"]),
        p_hot=sign["hot"],
        p_cold=sign["cold"],
    )


def without_lengths(found: Readings) -> Readings:
    """Return the readings that are valid if the pixel size is unknown, as with a pinhole."""
    return replace(
        found,
        p_mass=None, p_mass_sd=None, p_mass_right=None, p_mass_left=None, p_uptake=None,
        p_uptake_sd=None, p_heterogeneity=None, p_heterogeneity_sd=None,
    )  # fmt: skip
