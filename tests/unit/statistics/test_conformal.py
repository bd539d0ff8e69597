"""Prediction sets: their guarantee, by simulation and by hand."""

import numpy as np
import pytest
from scipy import special

from thyrocast.statistics import conformal


def study(n, random):
    logit = 1.5 * random.normal(size=n)
    # A model as wrong as can be in scale: the guarantee must not care.
    return random.random(n) < special.expit(logit), special.expit(5 * logit - 2)


@pytest.mark.parametrize("error", [0.1, 0.25])
def test_the_share_of_misses_is_below_the_error_for_either_outcome(error):
    random = np.random.default_rng(1)
    missed = {True: [], False: []}
    for _ in range(400):
        y, p = study(60, random)
        new_y, new_p = study(20, random)
        inside = conformal.sets(conformal.p_values(y, p, new_p), error)
        held = inside[np.arange(20), new_y.astype(int)]
        for outcome, misses in missed.items():
            misses += (~held[new_y == outcome]).tolist()
    for misses in missed.values():
        assert error - 0.05 < np.mean(misses) < error + 0.015


def test_leaving_one_out_equals_calibrating_on_the_others():
    random = np.random.default_rng(2)
    y, p = study(25, random)
    p = np.round(p, 1)
    found = conformal.leave_one_out(y, p)
    for index in range(25):
        others = np.arange(25) != index
        expected = conformal.p_values(y[others], p[others], p[[index]])[0]
        np.testing.assert_allclose(found[index], expected)


def test_too_few_patients_exclude_nothing():
    inside = conformal.sets(conformal.p_values([0, 1] * 8, np.linspace(0, 1, 16), [0.0, 1.0]), 0.1)
    assert inside.all()


def test_nobody_of_an_outcome_never_excludes_it():
    inside = conformal.sets(conformal.p_values([1] * 20, np.linspace(0.5, 1, 20), [0.9]), 0.1)
    assert inside.tolist() == [[True, True]]


def test_p_values_by_hand():
    found = conformal.p_values([0, 0, 0, 1, 1], [0.1, 0.2, 0.6, 0.5, 0.9], [0.55])
    assert found[0] == pytest.approx([2 / 4, 2 / 3])
