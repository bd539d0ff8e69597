"""A syringe whose file does not name it is no gland: nothing in its image has the shape of a neck."""

from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from thyrocast.config.image import ImageConfig
from thyrocast.image.field import GRID_MM, to_grid
from thyrocast.image.gland import NoGlandError, find_gland
from thyrocast.simulation import phantoms, scene
from thyrocast.simulation.bodies import Body, Part
from thyrocast.simulation.kinds import Kind, log_uniform

SETTINGS = ImageConfig()
LIMITS = (SETTINGS.min_area_cm2, SETTINGS.max_area_cm2)
SYRINGES = 64


def syringes() -> Iterator[tuple[NDArray[np.float64], float]]:
    """Counts and pixel size of syringes, half of them in a room with other activity."""
    for number in range(SYRINGES):
        rng = np.random.default_rng([21, number])
        drawn = scene.draw(rng, Kind.SYRINGE)
        if number % 2:
            room = log_uniform(rng, 0.01, 3)
            drawn.bodies.append(Body(Part.OTHER, 0, 0, 400, 400, 5, 0, room, 0, power=6))
        phantom = phantoms.render(rng, drawn)
        yield phantom.counts, phantom.pixel_mm


def test_no_syringe_is_taken_for_a_gland() -> None:
    taken = 0
    for counts, pixel_mm in syringes():
        try:
            find_gland(to_grid(counts, (pixel_mm, pixel_mm)), GRID_MM, LIMITS, SETTINGS.min_score)
        except NoGlandError:
            continue
        taken += 1
    assert taken == 0


@pytest.mark.parametrize("room", [0.0, 0.02, 0.3])
@pytest.mark.parametrize("halo", [0.0, 0.3])
@pytest.mark.parametrize(("across", "along"), [(5.0, 12.0), (9.0, 25.0), (8.0, 8.0)])
def test_a_syringe_of_any_size_with_halo_and_room(
    room: float, halo: float, across: float, along: float
) -> None:
    axis = (np.arange(128) + 0.5) * GRID_MM - 128
    rod = np.exp(-((axis[:, None] / across) ** 2) / 2 - (axis[None, :] / along) ** 2 / 2)
    wide = ndimage.gaussian_filter(rod, 15)
    expected = 400 * rod + 400 * halo * wide * rod.sum() / wide.sum() + 4 * room
    counts = np.random.default_rng(5).poisson(expected).astype(float)
    with pytest.raises(NoGlandError):
        find_gland(counts, GRID_MM, LIMITS, SETTINGS.min_score)
