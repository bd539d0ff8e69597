"""Newton's method for logistic regression: against scikit-learn, and if there is no solution."""

import numpy as np
import pytest
from scipy import optimize
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from thyrocast.statistics import logistic
from thyrocast.statistics.inputs import NotEstimableError


def draw(n=200, p=3, seed=0):
    rng = np.random.default_rng(seed)
    design = np.hstack([np.ones((n, 1)), rng.normal(size=(n, p))])
    outcome = (rng.random(n) < expit(design @ np.linspace(-0.5, 1, p + 1))).astype(float)
    return design, outcome


@pytest.mark.parametrize("penalty", [0.0, 0.01, 1.0])
def test_agrees_with_scikit_learn(penalty):
    design, outcome = draw()
    weights = np.r_[0.0, np.full(3, penalty)]
    found = logistic.solve(design, outcome, penalty=weights)
    strength = 1 / (penalty * len(outcome)) if penalty else np.inf
    peer = LogisticRegression(C=strength, tol=1e-12, max_iter=10_000)
    peer.fit(design[:, 1:], outcome)
    np.testing.assert_allclose(found, np.r_[peer.intercept_, peer.coef_[0]], atol=1e-6)


@pytest.mark.parametrize("separated", [False, True])
def test_firths_likelihood_is_at_its_maximum(separated):
    design, outcome = draw(n=25, p=2, seed=4)
    if separated:
        outcome = (design[:, 1] > 0.3).astype(float)

    def minus(beta):
        p = expit(design @ beta)
        information = (design * (p * (1 - p))[:, None]).T @ design
        fitted = np.sum(np.logaddexp(0, design @ beta) - outcome * (design @ beta))
        return fitted - np.linalg.slogdet(information)[1] / 2

    found, log_likelihood = logistic.firth(design, outcome)
    peer = optimize.minimize(minus, np.zeros(3), method="BFGS", options={"gtol": 1e-9})
    np.testing.assert_allclose(found, peer.x, atol=1e-5)
    linear = design @ found
    assert log_likelihood == pytest.approx(
        np.sum(outcome * linear) - np.sum(np.logaddexp(0, linear))
    )


def test_firths_estimate_for_two_groups_adds_half_a_patient_to_each_cell():
    # Known in closed form: log-odds of (events + .5) / (others + .5).
    outcome, group = np.array([0, 0, 0, 1, 1, 1, 1, 1, 1]), np.array([0, 0, 0, 0, 1, 1, 1, 1, 1])
    found, _ = logistic.firth(np.stack([np.ones(9), group], axis=1), outcome)
    odds = np.log([1.5 / 3.5, 5.5 / 0.5])
    np.testing.assert_allclose(found, [odds[0], odds[1] - odds[0]], atol=1e-8)


def test_firths_likelihood_whose_steps_are_used_up_is_refused(monkeypatch):
    design, outcome = draw(n=25, p=2, seed=4)
    monkeypatch.setattr(logistic, "FIRTH_STEPS", 2)
    with pytest.raises(NotEstimableError, match="does not converge"):
        logistic.firth(design, outcome)


def test_gradient_vanishes():
    design, outcome = draw(n=60, p=12)
    penalty = np.r_[0.0, np.full(12, 1e-4)]
    beta = logistic.solve(design, outcome, penalty=penalty)
    gradient = design.T @ (expit(design @ beta) - outcome) / len(outcome) + penalty * beta
    np.testing.assert_allclose(gradient, 0, atol=1e-14)


def test_offset_shifts_the_intercept():
    design, outcome = draw()
    plain = logistic.solve(design, outcome)
    shifted = logistic.solve(design, outcome, offset=np.full(len(outcome), 2.0))
    np.testing.assert_allclose(shifted, plain - [2, 0, 0, 0], atol=1e-10)


def test_extreme_offsets_have_a_solution():
    outcome = np.array([1.0, 0.0, 1.0, 1.0])
    offset = np.array([-800.0, 800.0, -800.0, 800.0])
    assert np.isfinite(logistic.solve(np.ones((4, 1)), outcome, offset=offset)).all()


@pytest.mark.parametrize(
    "columns",
    [
        [[-2.0], [-1.0], [1.0], [2.0]],  # separated
        [[-1.0], [0.0], [0.0], [1.0]],  # separated but for a tie
        [[1.0, 1.0], [3.0, 3.0], [2.0, 2.0], [4.0, 4.0]],  # collinear
        [[5.0], [5.0], [5.0], [5.0]],  # constant
    ],
)
def test_no_solution(columns):
    design = np.hstack([np.ones((4, 1)), np.array(columns)])
    with pytest.raises(NotEstimableError):
        logistic.fit(design, np.array([0, 0, 1, 1]))


@pytest.mark.parametrize("seed", range(8))
def test_firths_likelihood_has_no_gradient_at_its_end(seed):
    random = np.random.default_rng(seed)
    n = (4, 6, 10, 97)[seed % 4]
    x = random.standard_cauchy(n)
    design = np.stack([np.ones(n), (x - x.mean()) / x.std()], axis=1)
    outcome = np.arange(n) % 3 > 0
    found, _ = logistic.firth(design, outcome)
    score, _ = logistic._firth_score(design, outcome.astype(float), found)
    np.testing.assert_allclose(score, 0, atol=1e-9 * n)
