"""What the pretrained network reads, in the units of the tables."""

from dataclasses import fields

import numpy as np
import pytest

from thyrocast.contract import columns
from thyrocast.image import encoder, gland, readings
from thyrocast.image import field as images
from thyrocast.image.encoder import MEASURES, Encoded
from thyrocast.image.field import GRID_MM


def encoded(**measures: float) -> Encoded:
    values = np.zeros((1, len(MEASURES)), np.float32)
    for name, value in measures.items():
        values[0, MEASURES.index(name)] = value
    return Encoded(
        np.zeros((1, encoder.HIDDEN), np.float32), values, np.full_like(values, 0.2),
        np.array([[0.25, 0.75]], np.float32),
    )  # fmt: skip


def test_units_of_the_tables() -> None:
    found = readings.readings(
        encoded(mass=np.log(40), mass_right=np.log(26), mass_left=np.log(16), uptake=np.log(7.5),
                heterogeneity=np.log(0.28), asymmetry=1.2)
    )[0]  # fmt: skip
    assert found.p_mass == pytest.approx(40, rel=1e-5)
    assert found.p_mass_sd == pytest.approx(8, rel=1e-5)
    assert (found.p_mass_right, found.p_mass_left) == pytest.approx((25, 15), rel=1e-5)
    assert found.p_uptake == pytest.approx(7.5, rel=1e-5)
    assert found.p_heterogeneity == pytest.approx(0.25, rel=1e-5)
    assert found.p_heterogeneity_sd == pytest.approx(0.28 * 0.2, rel=1e-5)
    assert found.p_asymmetry == 1
    assert (found.p_hot, found.p_cold) == (0.25, 0.75)


def test_a_pinhole_has_no_lengths() -> None:
    found = readings.without_lengths(readings.readings(encoded())[0])
    assert found.p_mass is None
    assert found.p_uptake is None
    assert found.p_heterogeneity_sd is None
    assert found.p_contrast == 1


def test_the_names_are_those_of_the_contract() -> None:
    names = {field.name for field in fields(readings.Readings)}
    assert names == {*columns.READINGS, *columns.READING_SDS}


def neck(pixel_mm: float, scale: float) -> np.ndarray:
    """A gland in a neck, expected counts on pixels of this size."""
    place = (np.arange(int(260 / pixel_mm)) + 0.5) * pixel_mm - 130
    x, y = np.meshgrid(place, place)
    counts = 0.06 * (np.abs(x) < 62) + sum(
        np.sqrt(np.maximum(1 - ((x - at) / 14) ** 2 - (y / 28) ** 2, 0)) for at in (-20, 20)
    )
    return np.asarray(scale * counts * pixel_mm**2)


@pytest.mark.parametrize(("pixel_mm", "scale"), [(2.0, 50.0), (4.0, 5.0), (1.3, 20.0)])
def test_camera_and_counts_have_little_effect(pixel_mm: float, scale: float) -> None:
    def found(pixel: float, counts: float) -> readings.Readings:
        image = neck(pixel, counts)
        grid = images.to_grid(image, (pixel, pixel))
        seen = gland.find_gland(grid, GRID_MM, (4, 150))
        return readings.read(readings.frame(image, grid, seen, (pixel, pixel), False), False)

    usual, other = found(2.6, 10.0), found(pixel_mm, scale)
    assert other.p_mass == pytest.approx(usual.p_mass, rel=0.25)
    assert other.p_uptake == pytest.approx(usual.p_uptake, rel=0.3)
