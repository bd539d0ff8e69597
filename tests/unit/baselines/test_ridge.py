"""Ridge regression, the choice of its penalty, and recalibration."""

import numpy as np
import pytest
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from thyrocast.baselines import ridge


def draw(n=120, p=4, seed=0):
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(n, p))
    outcome = (rng.random(n) < expit(features[:, 0] - 0.5 * features[:, 1] + 0.3)).astype(float)
    return features, outcome, rng


@pytest.mark.parametrize("penalty", [3.0, 0.1, 1e-4])
def test_ridge_agrees_with_scikit_learn(penalty):
    features, outcome, _ = draw()
    weights = ridge.fit(features, outcome, penalty)
    peer = LogisticRegression(C=1 / (penalty * len(outcome)), tol=1e-12, max_iter=10_000)
    peer.fit(features, outcome)
    np.testing.assert_allclose(weights, np.r_[peer.intercept_, peer.coef_[0]], atol=1e-6)


def test_every_penalty_gives_a_finite_fit_to_separated_outcomes():
    features = np.linspace(-1, 1, 30)[:, None]
    outcome = (features[:, 0] > 0).astype(float)
    assert np.isfinite([ridge.fit(features, outcome, p) for p in ridge.PENALTIES]).all()


def test_every_penalty_gives_a_fit_to_dependent_features():
    features, outcome, _ = draw()
    dependent = np.hstack([features, features[:, :1] - features[:, 1:2], features])
    for penalty in ridge.PENALTIES:
        weights = ridge.fit(dependent, outcome, penalty)
        np.testing.assert_allclose(weights[1:5], weights[6:], atol=1e-9)


def test_penalty_is_strong_for_noise_and_weak_for_signal():
    features, outcome, rng = draw(n=400)
    folds = np.arange(400) % 5
    strong = ridge.choose_penalty(features, rng.permutation(outcome), folds)
    assert strong > 5 * ridge.choose_penalty(features, outcome, folds)


def test_recalibration_recovers_a_known_change_of_the_odds():
    rng = np.random.default_rng(0)
    true = rng.normal(0, 1.5, 20_000)
    outcome = (rng.random(20_000) < expit(true)).astype(float)
    intercept, slope = ridge.recalibrate((true - 0.7) / 0.4, outcome)
    assert slope == pytest.approx(0.4, abs=0.02)
    assert intercept == pytest.approx(0.7, abs=0.06)


def test_recalibration_never_reverses_a_ranking():
    rng = np.random.default_rng(0)
    linear = rng.normal(0, 1, 500)
    outcome = (rng.random(500) < expit(-linear)).astype(float)
    intercept, slope = ridge.recalibrate(linear, outcome)
    assert slope == 1
    assert expit(linear + intercept).mean() == pytest.approx(outcome.mean())


@pytest.mark.parametrize(
    ("linear", "outcome"),
    [
        ([-3, -2, 2, 3], [0, 0, 1, 1]),  # separated
        ([-3, 0, 0, 3], [0, 0, 1, 1]),  # separated but for a tie
        ([2, 2, 2, 2], [0, 0, 1, 0]),  # no variation
        ([-3, 1, 2, 3], [1, 1, 1, 1]),  # one outcome
        ([-900, 900, -900, 900], [1, 0, 1, 0]),  # certain and wrong
    ],
)
def test_recalibration_without_an_estimable_slope(linear, outcome):
    intercept, slope = ridge.recalibrate(np.array(linear, float), np.array(outcome, float))
    assert slope == 1
    assert np.isfinite(intercept)
