"""Prediction intervals of a new center: a published example, coverage, and too few centers."""

import numpy as np
import pytest

from thyrocast.statistics import new_center, pooling
from thyrocast.statistics.inputs import NotEstimableError


def test_the_published_example_of_the_r_package_pimeta():
    # 13 trials of cisapride (Hartung and Knapp 2001): odds ratio 4.141 (0.533 to 33.692).
    a = np.array([15, 12, 29, 42, 14, 44, 14, 29, 10, 17, 38, 19, 21])
    n = np.array([16, 16, 34, 56, 22, 54, 17, 58, 14, 26, 44, 29, 38])
    c = np.array([9, 1, 18, 31, 6, 17, 7, 23, 3, 6, 12, 22, 19])
    m = np.array([16, 16, 34, 56, 22, 55, 15, 58, 15, 27, 45, 30, 38])
    cells = np.stack([a, n - a, c, m - c]) + 0.5
    effect = np.log(cells[0] * cells[3] / cells[1] / cells[2])
    found = new_center.predict(effect, (1 / cells).sum(axis=0))
    assert (found.low, found.high) == pytest.approx(np.log([0.533, 33.692]), abs=0.03)


@pytest.mark.parametrize(("k", "tau"), [(3, 0.4), (4, 0.2), (7, 0.6)])
def test_the_interval_covers_a_new_center_more_often_than_that_of_t(k, tau):
    random = np.random.default_rng(31)
    inside, plain = [], []
    for _ in range(150):
        variance = np.geomspace(0.04, 0.25, k)
        effect = tau * random.normal(size=k) + np.sqrt(variance) * random.normal(size=k)
        new = tau * random.normal()
        found = new_center.predict(effect, variance)
        inside.append(found.low <= new <= found.high)
        mean = pooling.pool(effect, variance)
        plain.append(mean.prediction_low <= new <= mean.prediction_high)
    assert np.mean(inside) >= 0.88
    assert np.mean(inside) > np.mean(plain)


def test_two_centers_have_none():
    with pytest.raises(NotEstimableError, match="at least 3 centers, found 2"):
        new_center.predict([0.4, 0.9], [0.1, 0.1])


def test_centers_that_agree_by_chance_do_not_make_it_narrower_than_the_interval_of_the_mean():
    effect, variance = [0.5, 0.5 + 1e-9, 0.5], [0.1, 0.2, 0.15]
    found = new_center.predict(effect, variance)
    mean = pooling.pool(effect, variance, interval="hartung_knapp_truncated")
    assert found.low <= mean.low < mean.high <= found.high
