"""A map is laid over the native frame at the place that the table names."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from thyrocast.config.image import ImageConfig
from thyrocast.explanation import geometry
from thyrocast.image import field
from thyrocast.image.field import GRID_MM
from thyrocast.image.framing import field_around


def test_the_brightest_cell_is_where_the_hot_spot_of_the_camera_is() -> None:
    """A gland and a hot spot in a camera of 200 x 160 pixels of 2.5 x 3 mm; a map of 8 x 8 cells."""
    spacing, size, cells = (2.5, 3.0), 64, 8
    native = np.zeros((200, 160))
    native[90:110, 100:120] = 1.0  # gland
    native[104, 118] = 500.0  # hot spot: 261.25 mm down, 355.5 mm right
    grid = field.to_grid(native, spacing)
    whole = field.to_grid((native > 0).astype(float), spacing) > 0
    settings = ImageConfig(size=size, field_mm=160)
    gland = SimpleNamespace(whole=whole)
    around = field_around(grid, gland, False, settings)
    image = field.crop(native, spacing, around)
    row, column = field.centroid(whole, grid, GRID_MM)
    found = {
        "centroid_x_mm": [column - grid.shape[1] * GRID_MM / 2],
        "centroid_y_mm": [row - grid.shape[0] * GRID_MM / 2],
        "image_pixel_mm": [around.pixel_mm],
    }
    place = geometry.placed(pd.DataFrame(found), size, cells).iloc[0]
    heat = image.reshape(cells, size // cells, cells, size // cells).sum(axis=(1, 3))
    y, x = np.unravel_index(heat.argmax(), heat.shape)
    # Middle of the brightest cell from the upper left corner of the camera's field, mm.
    middle = np.array(native.shape) * spacing / 2
    down = middle[0] + place["map_top_mm"] + (y + 0.5) * place["cell_mm"]
    right = middle[1] + place["map_left_mm"] + (x + 0.5) * place["cell_mm"]
    assert place["cell_mm"] == pytest.approx(20)
    assert abs(down - 261.25) <= 10 + GRID_MM / 2
    assert abs(right - 355.5) <= 10 + GRID_MM / 2


def test_a_pinhole_has_no_place() -> None:
    missing = pd.DataFrame(
        {"centroid_x_mm": [None], "centroid_y_mm": [None], "image_pixel_mm": [None]}
    )
    assert geometry.placed(missing, 64, 8).isna().all(axis=None)
