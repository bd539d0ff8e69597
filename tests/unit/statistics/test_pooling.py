"""Random-effects pooling beyond the comparison with metafor (tests/reference)."""

import numpy as np
import pytest

from thyrocast.statistics import pooling
from thyrocast.statistics.inputs import NotEstimableError


@pytest.mark.parametrize("method", pooling.METHODS)
def test_equal_variances_have_a_closed_form(method):
    effects = np.array([0.0, 1.0, 2.0, 5.0])
    found = pooling.pool(effects, np.full(4, 0.5), method)
    assert found.estimate == pytest.approx(effects.mean())
    assert found.tau2 == pytest.approx(effects.var(ddof=1) - 0.5)
    assert found.error == pytest.approx(effects.std(ddof=1) / 2)


@pytest.mark.parametrize("method", pooling.METHODS)
def test_agreeing_centers_have_no_variance_between(method):
    found = pooling.pool([0.50, 0.51, 0.49], [0.1, 0.2, 0.1], method)
    assert found.tau2 == 0
    assert found.i2 == 0


def test_a_new_center_is_less_certain_than_the_mean():
    found = pooling.pool([0.2, 0.9, 1.4, 0.1], [0.05, 0.04, 0.06, 0.05])
    assert found.prediction_low < found.low < found.estimate < found.high < found.prediction_high


def test_two_centers_say_next_to_nothing_of_a_third():
    found = pooling.pool([0.2, 0.9], [0.05, 0.04])
    assert found.prediction_low < -4
    assert found.prediction_high > 5


def test_scale_and_shift():
    effects, variances = np.array([0.2, 0.9, 1.4, 0.1]), np.array([0.05, 0.04, 0.06, 0.02])
    one = pooling.pool(effects, variances)
    other = pooling.pool(3 * effects + 1, 9 * variances)
    assert other.estimate == pytest.approx(3 * one.estimate + 1)
    assert other.tau2 == pytest.approx(9 * one.tau2, rel=1e-6)
    assert other.i2 == pytest.approx(one.i2, rel=1e-6)


def test_one_center_and_nonsense_are_refused():
    with pytest.raises(NotEstimableError, match="two centers, found 1"):
        pooling.pool([0.4], [0.1])
    with pytest.raises(NotEstimableError, match="identical"):
        pooling.pool([0.4, 0.4], [0.1, 0.1])
    same = pooling.pool([0.4, 0.4], [0.1, 0.1], interval="hartung_knapp_truncated")
    assert same.error == pytest.approx(0.05**0.5)
    with pytest.raises(ValueError, match="above 0"):
        pooling.pool([0.4, 0.5], [0.1, 0.0])
    assert pooling.leave_one_out([0.4, 0.5], [0.1, 0.1]) == [None, None]


def test_leaving_the_outlier_out_brings_the_rest_together():
    found = pooling.leave_one_out([0.5, 0.52, 0.48, 3.0], [0.01, 0.01, 0.01, 0.01])
    assert found[3].tau2 == 0
    assert all(one.tau2 > 0.5 for one in found[:3])
