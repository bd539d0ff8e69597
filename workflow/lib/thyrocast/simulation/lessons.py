"""Standardized images of phantoms with what they show, for the pretraining of networks.

A phantom is drawn from ranges wider than those of patients and cameras. Then its gland is found and its image
standardized by the same code as a patient's: what a network learns from these images, it can read in those.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from thyrocast.config.image import ImageConfig
from thyrocast.image import field as images
from thyrocast.image import gland as glands
from thyrocast.image.encoder import MEASURES, PIXEL_MM, SIGNS, SIZE
from thyrocast.image.field import GRID_MM, Field
from thyrocast.image.framing import crop_around, field_around, relative
from thyrocast.image.gland import NoGlandError
from thyrocast.image.locating import UnusableError
from thyrocast.image.readings import HETEROGENEITY_OFFSET, MASS_OFFSET
from thyrocast.simulation import phantoms
from thyrocast.simulation import scene as scenes
from thyrocast.simulation.bodies import Part
from thyrocast.simulation.kinds import Generator, Kind, log_uniform
from thyrocast.simulation.phantoms import Phantom
from thyrocast.simulation.scene import Scene

LOG = logging.getLogger("thyrocast")

#: The log reports progress after this many phantoms.
REPORT_EVERY = 1000
#: Blocks of the coarse masks per side of the image, and pixels per side of a block when it is outlined.
BLOCKS, BLOCK = 16, 4
#: Pixels around the image that allow the training to shift it: a block.
MARGIN = 4
#: Share of each kind of scene.
KINDS = {
    Kind.GLAND: 0.8, Kind.SUPPRESSED: 0.06, Kind.HEMIAGENESIS: 0.05,
    Kind.RETROSTERNAL: 0.06, Kind.LINGUAL: 0.03,
}  # fmt: skip
#: Scale of the texture, mm: a coarser one cannot be distinguished from the shape of a lobe.
TEXTURE_MM = (2.5, 14.0)
#: Expected counts of an image; less uptake than this is drawn less often.
COUNTS, LITTLE_UPTAKE = (4e4, 3e6), 0.015
#: A nodule counts as one if its concentration differs at least by this share.
NODULE_GAIN = 0.3
#: Limits of the gland's area, cm², wider than those for patients.
LIMITS_CM2 = (1.0, 250.0)


@dataclass(frozen=True)
class View:
    """What a network sees: pixels per side of its image, and the side of its field of view, mm."""

    size: int = SIZE
    field_mm: float = SIZE * PIXEL_MM

    @property
    def margin(self) -> int:
        """Pixels around the image that allow the training to shift it by a block."""
        return -(-self.size // BLOCKS)


#: The view of the compact network whose weights are shipped.
SHIPPED = View()


@dataclass(frozen=True)
class Lessons:
    """Images with what is to be learned from them.

    Attributes
    ----------
    images
        (N, size + 2 margin, size + 2 margin) float16 of a `View`, relative to the mean in the gland.
    lobes
        (N, 2, BLOCKS + 2, BLOCKS + 2) float16: share of each block in the right and the left lobe; there is
        one block around the image.
    measures
        (N, len(MEASURES)) as `image.encoder` names and scales them; NaN where there is no truth.
    signs
        (N, len(SIGNS)) 0 or 1.
    """

    images: NDArray[np.float16]
    lobes: NDArray[np.float16]
    measures: NDArray[np.float32]
    signs: NDArray[np.float32]

    def __len__(self) -> int:
        """Number of images."""
        return len(self.images)


class Lesson(NamedTuple):
    """One image of `Lessons`."""

    image: NDArray[np.float16]
    lobes: NDArray[np.float16]
    measures: NDArray[np.float32]
    signs: NDArray[np.float32]


def lessons(drawn: int, seed: int) -> Lessons:
    """Draw `drawn` phantoms; those in which no gland is found are left out, as patients are."""
    found = []
    for number in range(drawn):
        lesson = draw(np.random.default_rng([seed, number]))
        if lesson is not None:
            found.append(lesson)
        if (number + 1) % REPORT_EVERY == 0:
            LOG.info("%d of %d phantoms drawn, %d usable", number + 1, drawn, len(found))
    return gather(found)


def gather(parts: Sequence[Lesson]) -> Lessons:
    """Return lessons in arrays."""
    return Lessons(*(np.stack(column) for column in zip(*parts, strict=True)))


def draw(rng: Generator, view: View = SHIPPED) -> Lesson | None:
    """Draw a phantom, find its gland and standardize its image; None if no gland is found."""
    scene = draw_scene(rng)
    camera = replace(phantoms.draw_camera(rng, scene.kind), counts=log_uniform(rng, *COUNTS))
    return standardized(phantoms.render(rng, scene, camera), view)


def usable(rng: Generator, view: View = SHIPPED) -> Lesson:
    """Draw phantoms until the gland of one is found."""
    while (found := draw(rng, view)) is None:
        pass
    return found


def draw_scene(rng: Generator) -> Scene:
    """Draw a neck with a thyroid; the texture of two thirds of them varies in three dimensions."""
    kind = Kind(rng.choice(np.array(list(KINDS)), p=np.array(list(KINDS.values()))))
    scene = scenes.draw(rng, kind)
    while scene.uptake < LITTLE_UPTAKE and rng.random() < 0.7:
        scene = scenes.draw(rng, kind)
    return replace(
        scene,
        solid=rng.random() < 0.67,
        unevenness=log_uniform(rng, 0.02, 0.9) if rng.random() < 0.7 else rng.uniform(0.2, 0.8),
        texture_mm=log_uniform(rng, *TEXTURE_MM),
    )


def standardized(phantom: Phantom, view: View = SHIPPED) -> Lesson | None:
    """Return a phantom's standardized image with its truth; None if no gland is found."""
    is_pinhole = phantom.camera.magnification != 1.0
    spacing = (phantom.pixel_mm, phantom.pixel_mm)
    settings = ImageConfig(size=view.size, field_mm=view.field_mm)
    grid = images.to_grid(phantom.counts, spacing)
    try:
        gland = glands.find_gland(grid, GRID_MM, LIMITS_CM2, settings.min_score)
        field = field_around(grid, gland, is_pinhole, settings)
        wide = _widened(field, view.margin * field.pixel_mm, view.size + 2 * view.margin)
        outlined = _widened(field, field.side_mm / BLOCKS, (BLOCKS + 2) * BLOCK)
        image = relative(*crop_around(phantom.counts, spacing, gland, wide))
    except (NoGlandError, UnusableError):
        return None
    lobes = np.stack([_blocks(side, outlined, phantom) for side in (phantom.right, phantom.left)])
    measures, signs = truth(phantom, is_pinhole)
    return Lesson(
        np.minimum(image, 6e4).astype(np.float16), lobes.astype(np.float16), measures, signs
    )


def _widened(field: Field, edge_mm: float, size: int) -> Field:
    return Field(field.top - edge_mm, field.left - edge_mm, field.side_mm + 2 * edge_mm, size)


def _blocks(outline: NDArray[np.bool_], field: Field, phantom: Phantom) -> NDArray[np.float64]:
    mask = images.crop_mask(outline, phantom.grid_mm, field).astype(np.float64)
    side = field.size // BLOCK
    return np.asarray(mask.reshape(side, BLOCK, side, BLOCK).mean((1, 3)))


def truth(phantom: Phantom, is_pinhole: bool) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return measures and signs of a phantom.

    Parameters
    ----------
    phantom
        The phantom.
    is_pinhole
        Whether its image has no mm: nothing that depends on lengths is known.
    """
    scene, camera = phantom.scene, phantom.camera
    seen = [body for body in scene.bodies if body.part is not Part.OTHER and body.amount > 0]
    volume = dict.fromkeys(Part, 0.0)
    amount = dict.fromkeys(Part, 0.0)
    for body in seen:
        volume[body.part] += body.volume
        amount[body.part] += body.amount
    whole, uptake = sum(volume.values()), sum(amount.values())
    sided = volume[Part.RIGHT] + volume[Part.LEFT] > 0
    both = amount[Part.RIGHT] + amount[Part.LEFT]
    found = {
        "mass": np.log(whole / 1000),
        "mass_right": np.log(volume[Part.RIGHT] / 1000 + MASS_OFFSET) if sided else np.nan,
        "mass_left": np.log(volume[Part.LEFT] / 1000 + MASS_OFFSET) if sided else np.nan,
        "uptake": np.log(100 * uptake),
        "heterogeneity": np.log(phantom.heterogeneity + HETEROGENEITY_OFFSET),
        "asymmetry": (amount[Part.RIGHT] - amount[Part.LEFT]) / both if sided else np.nan,
        "contrast": np.log(uptake / whole / scene.background),
        "resolution": np.log(camera.fwhm_mm), "counts": np.log(max(phantom.net_counts, 1.0)),
    }  # fmt: skip
    if is_pinhole:
        known = ("asymmetry", "counts", "contrast")
        found = {name: value if name in known else np.nan for name, value in found.items()}
    if camera.gray:
        found["counts"] = np.nan
    gains = np.array([gain for *_, gain in scene.foci] or [0.0])
    signs = {"hot": (gains > NODULE_GAIN).any(), "cold": (gains < -NODULE_GAIN).any()}
    return (
        np.array([found[name] for name in MEASURES], np.float32),
        np.array([signs[name] for name in SIGNS], np.float32),
    )
