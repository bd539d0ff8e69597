"""Linear models on the embeddings."""

import numpy as np
import pytest
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from tests.unit.signature.example_split import auc, config
from thyrocast.contract.names import HEADS, Model
from thyrocast.signature import alignment, heads, lasso, ridge_head
from thyrocast.statistics import logistic


def draw(n=80, p=300, seed=0, n_test=500):
    rng = np.random.default_rng(seed)
    hidden = rng.normal(size=(n + n_test, 8))
    features = hidden @ rng.normal(size=(8, p)) + 2 * rng.normal(size=(n + n_test, p))
    outcome = (rng.random(n + n_test) < expit(2 * hidden[:, 0])).astype(float)
    return features[:n], outcome[:n], features[n:], outcome[n:]


@pytest.mark.parametrize("name", HEADS)
def test_each_head_learns_and_predicts_new_patients(name):
    features, outcome, new, truth = draw()
    head = heads.fit(name, features, outcome, config(), 1)
    assert auc(truth, head.odds(new)) > 0.7


@pytest.mark.parametrize("name", HEADS)
def test_a_head_after_a_map_predicts_from_embeddings_before_it(name):
    features, outcome, new, _ = draw(p=60)
    mapped = alignment.fit(features, features)
    head = heads.fit(name, mapped(features), outcome, config(), 1)
    np.testing.assert_allclose(head.after(mapped).odds(new), head.odds(mapped(new)), atol=1e-9)


def test_one_outcome_gives_the_prevalence():
    head = heads.fit(Model.RIDGE, np.eye(4), np.ones(4), config(), 1)
    np.testing.assert_allclose(expit(head.odds(np.eye(4))), 1, atol=1e-5)


def test_ridge_in_the_span_of_the_patients_is_ridge_on_all_features():
    features, outcome, new, _ = draw(n=50, p=120)
    intercept, weights = ridge_head.fit(features, outcome)
    scaled = (features - features.mean(axis=0)) / features.std(axis=0)
    best = []
    for share in ridge_head.SHARES:
        penalty = share * 120 / 4
        peer = LogisticRegression(C=1 / (penalty * 50), tol=1e-10, max_iter=5000)
        peer.fit(scaled, outcome)
        odds = peer.decision_function((new - features.mean(axis=0)) / features.std(axis=0))
        best.append(np.abs(odds - intercept - new @ weights).max())
    assert min(best) < 1e-4


def test_approximate_leave_one_out_is_near_the_exact_one():
    features, outcome, _, _ = draw(n=40, p=10)
    design = np.hstack([np.ones((40, 1)), (features - features.mean(0)) / features.std(0)])
    penalty = np.r_[0.0, np.full(10, 0.1)]
    weights = logistic.solve(design, outcome, penalty=penalty)
    exact = []
    for one in range(40):
        rest = np.arange(40) != one
        # The mean loss has one patient less.
        found = logistic.solve(design[rest], outcome[rest], penalty=penalty * 40 / 39)
        linear = design[one] @ found
        exact.append(np.logaddexp(0, linear) - outcome[one] * linear)
    near = ridge_head._left_out_loss(design, outcome, weights, penalty)
    assert near == pytest.approx(np.mean(exact), rel=0.01)


def test_elastic_net_agrees_with_scikit_learn():
    features, outcome, _, _ = draw(n=60, p=30)
    scaled = (features - features.mean(axis=0)) / features.std(axis=0)
    lambdas = lasso.penalties(features, outcome, 6, 0.1) / 0.5
    path = lasso.fit_path(features, outcome, lambdas, 0.5)
    for step in (2, 5):
        peer = LogisticRegression(
            solver="saga",
            C=1 / (60 * lambdas[step]),
            l1_ratio=0.5,
            tol=1e-10,
            max_iter=100_000,
        )
        peer.fit(scaled, outcome)
        np.testing.assert_allclose(
            path.coefficients[step] * features.std(axis=0), peer.coef_[0], atol=1e-5
        )
