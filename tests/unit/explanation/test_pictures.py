"""Pictures of maps."""

import numpy as np

from thyrocast.explanation import pictures


def test_overlay_shows_gland_outline_and_scintigram():
    image = np.zeros((64, 64), np.float32)
    image[20:40, 20:40] = 1
    gland = image > 0
    plain = np.asarray(pictures.overlay(image, np.zeros((64, 64), np.float32), gland))
    assert plain.shape == (256, 256, 3)
    assert (plain[80, 80:160] == 255).all(), "outline of the gland"
    assert (plain[0, 0] == 0).all()
    heat = np.zeros((64, 64), np.float32)
    heat[40:, :] = 1
    shown = np.asarray(pictures.overlay(image, heat, gland)).astype(int)
    assert (shown[250, 10] != shown[5, 10]).any()
    assert np.ptp(shown[250, 10]) > 50
