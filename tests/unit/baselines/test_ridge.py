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
