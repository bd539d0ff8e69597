"""Recalibrated log-odds: known changes are recovered, and models without signal give the prevalence."""

import numpy as np
import pytest
from scipy.special import expit

from thyrocast.statistics import recalibration
from thyrocast.statistics.inputs import logit


def probability(found, linear):
    return expit(found.intercept + found.slope * linear)


def test_a_known_change_of_the_odds_is_recovered():
    random = np.random.default_rng(0)
    true = random.normal(0, 1.5, 20_000)
    outcome = random.random(20_000) < expit(true)
    found = recalibration.fit((true - 0.7) / 0.4, outcome)
    assert found.slope == pytest.approx(0.4, abs=0.02)
    assert found.intercept == pytest.approx(0.7, abs=0.06)
    assert found.signal


def test_a_reversed_ranking_gives_the_prevalence_and_keeps_the_ranking():
    random = np.random.default_rng(0)
    linear = random.normal(0, 1, 500)
    outcome = random.random(500) < expit(-linear)
    found = recalibration.fit(linear, outcome)
    assert not found.signal
    assert found.slope > 0
    predicted = probability(found, linear)
    assert predicted.mean() == pytest.approx(outcome.mean())
    assert np.abs(predicted - outcome.mean()).max() < 0.01


@pytest.mark.parametrize("spread", [0.2, 1.0, 5.0])
def test_predictions_are_continuous_where_the_slope_changes_its_sign(spread):
    random = np.random.default_rng(3)
    noise, outcome = random.normal(size=120), np.arange(120) % 3 > 0
    new = spread * np.array([-2.0, -1.0, 1.0, 2.0])
    found = [
        recalibration.fit(spread * (noise + signal * outcome), outcome)
        for signal in np.arange(-0.6, 0.8, 0.01)
    ]
    assert {one.signal for one in found} == {True, False}
    predicted = [probability(one, new) for one in found]
    assert np.abs(np.diff(predicted, axis=0)).max() < 0.02


@pytest.mark.parametrize(("n", "prevalence", "spread"), [(97, 0.7, 1.5), (60, 0.5, 0.7)])
def test_a_model_without_signal_is_no_worse_than_the_prevalence(n, prevalence, spread):
    random = np.random.default_rng(5)
    excess, reset = [], []
    for _ in range(300):
        outcome, linear = random.random(n) < prevalence, spread * random.normal(size=n)
        new, later = spread * random.normal(size=2000), random.random(2000) < prevalence

        def brier(p, later=later):
            return np.mean((p - later) ** 2)

        found = recalibration.fit(linear, outcome)
        prevalence_alone = brier(outcome.mean())
        excess.append(brier(probability(found, new)) - prevalence_alone)
        slope = found.slope if found.signal else 1.0
        reset.append(brier(expit(logit(outcome.mean()) + slope * new)) - prevalence_alone)
    assert np.mean(excess) < 0.0015
    assert np.quantile(excess, 0.95) < 0.005
    # What a slope of 1 in place of a negative one costs.
    assert np.mean(reset) > 5 * np.mean(excess)


@pytest.mark.parametrize(("n", "spread"), [(12, 1.0), (30, 4.0)])
def test_predictions_are_continuous_where_the_outcome_is_separated(n, spread):
    random = np.random.default_rng(9)
    outcome = np.arange(n) >= n // 3
    linear = np.sort(random.normal(size=n))
    new = spread * np.array([-2.0, -0.5, 0.5, 2.0])
    predicted = []
    # One patient moves from the middle of the others into the right order.
    for place in np.arange(linear[2 * n // 3], linear[0] - 0.5, -0.01):
        moved = linear.copy()
        moved[0] = place
        found = recalibration.fit(spread * moved, outcome)
        predicted.append(probability(found, new))
    assert np.abs(np.diff(predicted, axis=0)).max() < 0.02
    assert np.ptp(predicted, axis=0).max() > 0.05


def test_a_clear_signal_is_hardly_shrunken():
    random = np.random.default_rng(6)
    linear = random.normal(0, 1.5, 400)
    outcome = random.random(400) < expit(linear)
    assert recalibration.fit(linear, outcome).slope == pytest.approx(1, abs=0.3)


@pytest.mark.parametrize(
    ("linear", "outcome", "slope"),
    [
        ([-3, 1, 2, 3], [1, 1, 1, 1], 1.0),  # one outcome
        ([2, 2, 2, 2], [0, 0, 1, 0], 0.0),  # no variation
        ([3, 2, -2, -3], [0, 0, 1, 1], 0.01 / np.sqrt(6.5)),  # separated in the wrong order
        ([-900, 900, -900, 900], [1, 0, 1, 0], 0.01 / 900),  # certain and wrong
    ],
)
def test_slopes_that_cannot_be_estimated(linear, outcome, slope):
    found = recalibration.fit(np.array(linear, float), np.array(outcome, bool))
    assert found.slope == pytest.approx(slope)
    assert np.isfinite(found.intercept)
