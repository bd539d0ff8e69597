"""Text in pixels is distinguished from counting noise."""

import numpy as np
import pytest

from tests.unit.cohort.test_package import drawn
from thyrocast.cohort import deidentify


@pytest.mark.parametrize("mean", [0.1, 0.3, 0.6, 0.65, 0.7, 0.8, 1.0, 1.5, 2.0])
@pytest.mark.parametrize("side", [256, 512, 1024])
def test_noise_of_few_counts_is_not_taken_for_text(side: int, mean: float) -> None:
    for seed in range(512 // side + 1):
        noise = np.random.default_rng([seed, side]).poisson(mean, (side, side)).astype(np.uint16)
        assert not deidentify._is_drawn_on(noise), seed


@pytest.mark.parametrize("value", [3, 4, 5, 8, 10])
@pytest.mark.parametrize("mean", [0.0, 0.1, 0.3])
def test_dark_digits_in_few_counts_are_found(mean: float, value: int) -> None:
    for seed in range(3):
        noise = np.random.default_rng(seed).poisson(mean, (256, 256)).astype(np.uint16)
        assert deidentify._is_drawn_on(drawn(noise, value, "19700101"))
