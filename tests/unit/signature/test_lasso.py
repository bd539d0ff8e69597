"""The LASSO path: against glmnet, against its optimality conditions, and in degenerate cases."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit

from thyrocast.config.signature import Selection
from thyrocast.signature import lasso

REFERENCE = Path(__file__).parents[2] / "reference"


@pytest.fixture(scope="module")
def glmnet():
    """Data with a constant feature, one in other units and one twice; and glmnet's results."""
    table = np.loadtxt(REFERENCE / "glmnet_data.csv", delimiter=",", skiprows=1)
    expected = json.loads((REFERENCE / "glmnet_expected.json").read_text())
    features = np.delete(table[:, 2:], 7, axis=1)  # glmnet had it without the repeated feature
    return table[:, 0], table[:, 1].astype(int), features, expected


@pytest.fixture(scope="module")
def ours(glmnet):
    outcome, folds, features, _ = glmnet
    lambdas = lasso.penalties(features, outcome, 60, 0.05)
    return lasso.cross_validate(features, outcome, folds, lambdas)


def draw(n=60, p=300, seed=0):
    rng = np.random.default_rng(seed)
    features = np.maximum(rng.normal(size=(n, p)), 0)
    outcome = (features[:, 0] - features[:, 1] + 0.7 * rng.normal(size=n) > 0).astype(float)
    return features, outcome


def test_path_agrees_with_glmnet(glmnet, ours):
    expected = glmnet[3]
    np.testing.assert_allclose(ours.path.penalties, expected["lambda"], rtol=1e-10)
    np.testing.assert_allclose(ours.path.intercepts, expected["intercept"], atol=1e-6)
    np.testing.assert_array_equal(ours.nonzero, expected["nonzero"])
    for step in (20, 40, 60):
        np.testing.assert_allclose(
            ours.path.coefficients[step - 1], expected[f"coefficients_{step}"], atol=1e-6
        )


def test_cross_validated_deviance_agrees_with_glmnet(glmnet, ours):
    expected = glmnet[3]
    np.testing.assert_allclose(ours.deviance, expected["cv_deviance"], atol=1e-6)
    np.testing.assert_allclose(ours.error, expected["cv_error"], atol=1e-6)
    chosen = ours.path.penalties[lasso.choose(ours, Selection.MINIMUM)]
    careful = ours.path.penalties[lasso.choose(ours, Selection.ONE_STANDARD_ERROR)]
    assert chosen == pytest.approx(expected["lambda_min"][0])
    assert careful == pytest.approx(expected["lambda_1se"][0])


def test_every_solution_meets_the_optimality_conditions():
    features, outcome = draw()
    lambdas = lasso.penalties(features, outcome, 40, 0.02)
    path = lasso.fit_path(features, outcome, lambdas)
    scaled = (features - features.mean(axis=0)) / features.std(axis=0)
    for i, penalty in enumerate(path.penalties):
        residual = outcome - expit(path.intercepts[i] + features @ path.coefficients[i])
        gradient = scaled.T @ residual / len(outcome)
        active = path.coefficients[i] != 0
        signs = np.sign(path.coefficients[i][active])
        np.testing.assert_allclose(gradient[active], penalty * signs, atol=1e-7)
        assert (np.abs(gradient[~active]) <= penalty + 1e-7).all()
        assert abs(residual.sum()) < 1e-6


def test_first_penalty_is_the_smallest_without_a_feature():
    features, outcome = draw()
    first = lasso.penalties(features, outcome)[0]
    path = lasso.fit_path(features, outcome, np.array([first * 1.0001, first * 0.99]))
    assert list(np.count_nonzero(path.coefficients, axis=1)) == [0, 1]
    assert path.intercepts[0] == pytest.approx(np.log(outcome.mean() / (1 - outcome.mean())))


def test_units_of_the_features_do_not_matter():
    features, outcome = draw()
    units = np.random.default_rng(1).uniform(1e-4, 1e4, features.shape[1])
    lambdas = lasso.penalties(features, outcome, 20, 0.1)
    path = lasso.fit_path(features, outcome, lambdas)
    other = lasso.fit_path(features * units + 3, outcome, lambdas)
    np.testing.assert_allclose(other.coefficients * units, path.coefficients, atol=1e-6)


def test_repeated_and_constant_features_are_harmless():
    features, outcome = draw(p=30)
    features[:, 5] = 7.0
    doubled = np.hstack([features, features[:, :3]])
    lambdas = lasso.penalties(features, outcome, 30, 0.05)
    path = lasso.fit_path(features, outcome, lambdas)
    both = lasso.fit_path(doubled, outcome, lambdas)
    assert not path.coefficients[:, 5].any()
    np.testing.assert_allclose(both.linear(doubled), path.linear(features), atol=1e-4)


def test_separated_outcomes_end_the_path_early():
    features, _ = draw()
    outcome = (features[:, 0] > np.median(features[:, 0])).astype(float)
    lambdas = lasso.penalties(features, outcome, 100, 1e-4)
    result = lasso.cross_validate(features, outcome, np.arange(60) % 4, lambdas)
    assert len(result.path.penalties) < 100
    assert np.isfinite(result.deviance).all()
    assert np.isfinite(result.path.coefficients).all()


def test_nothing_varies():
    outcome = np.array([0.0, 1.0, 1.0, 0.0, 1.0, 0.0])
    lambdas = lasso.penalties(np.ones((6, 4)), outcome)
    result = lasso.cross_validate(np.ones((6, 4)), outcome, np.arange(6) % 3, lambdas)
    assert not result.path.coefficients.any()
    assert np.isfinite(result.deviance).all()


def test_one_outcome_has_no_path():
    with pytest.raises(ValueError, match="both outcomes"):
        lasso.fit_path(np.eye(4), np.ones(4), np.ones(1))


def test_folds_that_cannot_be_fitted_leave_no_deviance():
    features, _ = draw(n=8, p=5)
    outcome = np.array([1.0, 1, 0, 0, 0, 0, 0, 0])
    lambdas = lasso.penalties(features, outcome, 5)
    # Without fold 1 only one outcome is left.
    result = lasso.cross_validate(features, outcome, np.array([1, 1, 1, 1, 2, 2, 2, 2]), lambdas)
    assert np.isinf(result.deviance).all()
    assert lasso.choose(result, Selection.ONE_STANDARD_ERROR) == 0


def path_with(nonzero, deviance, error):
    coefficients = (np.arange(30)[None, :] < np.array(nonzero)[:, None]).astype(float)
    path = lasso.LassoPath(np.arange(len(nonzero), 0.0, -1), np.zeros(len(nonzero)), coefficients)
    return lasso.CrossValidatedPath(path, np.array(deviance), np.array(error))


@pytest.mark.parametrize(
    ("nonzero", "expected"),
    [
        ([0, 4, 16, 16, 20], 2),  # the largest penalty of those with 16
        ([0, 15, 17, 20], 1),  # fewer rather than more
        ([0, 14, 17, 15, 18], 3),  # the nearest number
        ([0, 3, 5], 2),  # the path ends before
    ],
)
def test_count_rule(nonzero, expected):
    result = path_with(nonzero, np.zeros(len(nonzero)), np.zeros(len(nonzero)))
    assert lasso.choose(result, Selection.COUNT, 16) == expected


def test_minimum_and_one_standard_error():
    result = path_with([0, 2, 5, 9, 12], [1.4, 1.24, 1.1, 1.0, 1.2], [0.1, 0.1, 0.15, 0.12, 0.2])
    assert lasso.choose(result, Selection.MINIMUM) == 3
    assert lasso.choose(result, Selection.ONE_STANDARD_ERROR) == 2


def violation(features, outcome, path):
    """Largest violation of an optimality condition on a path, as a share of its first penalty."""
    spread = features.std(axis=0)
    scaled = (features - features.mean(axis=0)) / spread
    worst = 0.0
    for penalty, intercept, weights in zip(
        path.penalties, path.intercepts, path.coefficients, strict=True
    ):
        residual = outcome - expit(intercept + features @ weights)
        gradient = scaled.T @ residual / len(outcome)
        of_active = np.abs(gradient - penalty * np.sign(weights))
        of_others = np.maximum(np.abs(gradient) - penalty, 0)
        worst = max(worst, np.where(weights != 0, of_active, of_others).max())
        worst = max(worst, abs(residual.mean()))
    return worst / path.penalties[0]


@pytest.mark.parametrize("seed", range(24))
def test_every_solution_is_optimal_for_nearly_collinear_features(seed):
    # Few directions, copied into many features up to a millionth: a solver that stops at a small
    # duality gap or a small step leaves active features that violate their condition.
    rng = np.random.default_rng(seed)
    n, p = int(rng.integers(20, 90)), (100, 400)[seed % 2]
    hidden = rng.normal(size=(n, 2))
    noise = (1e-6, 1e-3, 0.1)[seed % 3]
    features = hidden @ rng.normal(size=(2, p)) + noise * rng.normal(size=(n, p))
    outcome = (hidden[:, 0] + rng.normal(size=n) > 0.3).astype(float)
    path = lasso.fit_path(features, outcome, lasso.penalties(features, outcome, 40, 0.02))
    assert len(path.penalties) > 10
    assert violation(features, outcome, path) < 1e-8


def test_paths_without_each_fold_are_those_of_separate_fits():
    features, outcome = draw(n=50, p=120, seed=3)
    features[10:, 7] = 2.0  # constant in every fold's training patients but the first one's
    folds = np.repeat(np.arange(5), 10)
    lambdas = lasso.penalties(features, outcome, 25, 0.1)
    result = lasso.cross_validate(features, outcome, folds, lambdas)
    expected = []
    for fold in range(5):
        train, test = folds != fold, folds == fold
        path = lasso.fit_path(features[train], outcome[train], lambdas)
        expected.append(lasso.deviance(path.linear(features[test]), outcome[test]))
    np.testing.assert_allclose(result.deviance, np.mean(expected, axis=0), atol=1e-7)
