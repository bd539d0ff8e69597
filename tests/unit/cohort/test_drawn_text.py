"""Text in pixels is distinguished from counting noise."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import ndimage

from tests.unit.cohort.test_package import drawn
from tests.unit.example_scans import neck
from thyrocast.cohort.drawn_text import has_text, is_drawn_on


@pytest.mark.parametrize("mean", [0.1, 0.3, 0.6, 0.65, 0.7, 0.8, 1.0, 1.5, 2.0])
@pytest.mark.parametrize("side", [256, 512, 1024])
def test_noise_of_few_counts_is_not_taken_for_text(side: int, mean: float) -> None:
    for seed in range(512 // side + 1):
        noise = np.random.default_rng([seed, side]).poisson(mean, (side, side)).astype(np.uint16)
        assert not is_drawn_on(noise), seed


@pytest.mark.parametrize("value", [3, 4, 5, 8, 10])
@pytest.mark.parametrize("mean", [0.0, 0.1, 0.3])
def test_dark_digits_in_few_counts_are_found(mean: float, value: int) -> None:
    for seed in range(3):
        noise = np.random.default_rng(seed).poisson(mean, (256, 256)).astype(np.uint16)
        assert is_drawn_on(drawn(noise, value, "19700101"))


@pytest.mark.parametrize("value", [1, 2])
@pytest.mark.parametrize("side", [64, 128, 256])
def test_digits_of_the_smallest_values_are_found(side: int, value: int) -> None:
    """Enough pixels of a value that counts of no mean have so often."""
    image = drawn(neck(side, 256 / side, seed=7), value, "19700101 19700101")
    assert has_text(image[None])


@pytest.mark.parametrize("factor", [1.3, 2.0, 2.5, 3.0, 5.0, 10.0, 37.3, 100.0])
@pytest.mark.parametrize(("side", "background"), [(64, 0.003), (128, 0.04), (128, 0.003)])
def test_counts_that_were_multiplied_are_no_text(
    side: int, background: float, factor: float
) -> None:
    counts = neck(side, 256 / side, seed=5, background=background) * factor
    assert not has_text(np.round(counts)[None].astype(np.int32))


def test_text_in_multiplied_counts_is_found() -> None:
    counts = np.round(neck(128, 2.0, seed=5) * 100.0).astype(np.int32)
    for value in (255, 1000, 32_767):
        assert has_text(drawn(counts, value, "19700101 19700101")[None]), value


@pytest.mark.parametrize(
    "change",
    [
        lambda image: image + 1000,
        lambda image: image.astype(np.int32) - 1000,
        lambda image: image // 4,
        lambda image: np.round(image * 0.7),
        lambda image: np.round(ndimage.gaussian_filter(image.astype(float), 1.0)),
        lambda image: np.round(ndimage.uniform_filter(image.astype(float), 3)),
        lambda image: np.pad(image, 64),
        lambda image: image.repeat(2, 0).repeat(2, 1),
    ],
)
def test_other_ways_to_store_counts_are_no_text(change: Callable[[Any], Any]) -> None:
    assert not has_text(change(neck(128, 2.0, seed=5))[None].astype(np.int32))
