"""The table of the randomization: equal maps correlate by 1, those of noise by 0."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from thyrocast.explanation import randomization


def test_maps_that_stay_and_maps_that_become_noise():
    generator = np.random.default_rng(1)
    true = generator.random((30, 7, 7)).astype(np.float32)
    true[2] = 0
    maps = np.stack([true, true, 2 * true**3, *generator.random((4, 30, 7, 7))]).astype(np.float32)
    maps[6] = 0
    masks = np.zeros((40, 112, 112), np.uint8)
    masks[:, :56] = 1
    rows = np.arange(30) + 5
    table = randomization.compare("all", maps, masks, rows, 10).set_index("randomized")
    assert list(table["n"]) == [29] * 7
    # A monotonic change of a map is no change of its order.
    assert list(table["correlation"][:3]) == pytest.approx([1, 1, 1])
    # Standard error of the median of 29 correlations of 49 cells: about .03.
    assert table["correlation"][3:6].abs().max() < 0.15
    assert (table["correlation_low"][3:6] < table["correlation_high"][3:6]).all()
    assert np.isnan(table.loc["all", "correlation"])
    assert np.isnan(table.loc["all", "inside"])
    assert table["inside"][:6].between(0.4, 0.6).all()


def test_correlations_are_those_of_scipy():
    generator = np.random.default_rng(2)
    one, two = np.maximum(generator.normal(size=(2, 5, 49)), 0).astype(np.float32)
    expected = [spearmanr(a, b).statistic for a, b in zip(one, two, strict=True)]
    np.testing.assert_allclose(randomization.correlation(one, two), expected, atol=1e-12)


def test_a_split_without_the_test_has_no_rows():
    table = randomization.compare(
        "all", np.zeros((7, 0, 7, 7), np.float32), np.zeros((3, 64, 64), np.uint8), np.arange(3), 1
    )
    assert table.empty


def test_too_few_patients_have_no_numbers():
    maps = np.random.default_rng(3).random((7, 9, 7, 7)).astype(np.float32)
    masks = np.ones((9, 112, 112), np.uint8)
    assert randomization.compare("all", maps, masks, np.arange(9), 10).empty
    assert len(randomization.compare("all", maps, masks, np.arange(9), 9)) == 7
