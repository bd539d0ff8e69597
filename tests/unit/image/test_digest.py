"""Copies of an image have one hash, however they were stored; other images have another one."""

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.unit.example_scans import neck
from thyrocast.image.digest import digest

IMAGE = neck(64, 4.0, seed=3).astype(np.float64)


@pytest.mark.parametrize(
    "copy",
    [
        IMAGE * 2,
        np.round(IMAGE * 100) * 0.01,
        np.pad(IMAGE, 32),
        np.pad(IMAGE, ((0, 64), (3, 61))),
        IMAGE.repeat(2, 0).repeat(2, 1),
        np.pad(IMAGE * 3, 1).repeat(4, 0).repeat(4, 1),
    ],
)
def test_scaled_padded_and_enlarged_copies_have_the_same_hash(copy: NDArray[np.float64]) -> None:
    assert digest(copy) == digest(IMAGE)


@pytest.mark.parametrize("largest", [777, 1024, 4096])
def test_a_slope_does_not_change_the_hash(largest: int) -> None:
    counts = neck(64, 4.0, seed=5).astype(np.float64)
    counts[30, 30] = largest
    assert digest(counts * 0.1) == digest(counts * 0.7) == digest(counts)


def test_other_images_have_another_hash() -> None:
    changed = IMAGE.copy()
    changed[32, 32] += 1
    others = [changed, IMAGE[:, ::-1], IMAGE.T, neck(64, 4.0, seed=4).astype(np.float64)]
    assert digest(IMAGE) not in {digest(other) for other in others}


def test_images_of_one_value_have_a_hash() -> None:
    assert digest(np.ones((4, 4))) == digest(np.full((8, 8), 3.0))
    assert digest(np.full((3, 3), -1.0) + np.eye(3))
