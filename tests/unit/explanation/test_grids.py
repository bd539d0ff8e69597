"""Grids: enlargement as by OpenCV and PyTorch; shares of the gland without enlarging."""

import cv2
import numpy as np
import pytest
import torch

from thyrocast.explanation import grids


@pytest.mark.parametrize(
    ("cells", "pixels"), [(7, 224), (14, 224), (2, 64), (7, 200), (1, 8), (8, 8)]
)
def test_enlargement_is_that_of_opencv_and_pytorch(cells, pixels):
    maps = np.random.default_rng(cells).random((3, cells, cells)).astype(np.float32)
    ours = grids.enlarge(maps, pixels)
    theirs = torch.nn.functional.interpolate(
        torch.from_numpy(maps)[None], size=(pixels, pixels), mode="bilinear"
    )[0]
    np.testing.assert_allclose(ours, theirs, atol=1e-6)
    for one, own in zip(maps, ours, strict=True):
        np.testing.assert_allclose(own, cv2.resize(one, (pixels, pixels)), atol=2e-3)


def test_share_is_that_of_the_enlarged_map():
    generator = np.random.default_rng(5)
    maps = generator.random((6, 7, 7)).astype(np.float32) ** 4
    glands = generator.random((6, 112, 112)) < 0.2
    enlarged = grids.enlarge(maps, 112)
    expected = (enlarged * glands).sum(axis=(1, 2)) / enlarged.sum(axis=(1, 2))
    np.testing.assert_allclose(grids.shares(maps, glands), expected, rtol=1e-5)


def test_shares_that_are_known():
    gland = np.zeros((3, 64, 64), bool)
    gland[:, :32] = True
    maps = np.zeros((3, 8, 8), np.float32)
    maps[1] = 1
    maps[2, 0], maps[2, -1] = 3, 1
    np.testing.assert_allclose(grids.shares(maps, gland), [np.nan, 0.5, 0.75])
