"""Tabled models: coding of predictors, imputation, ridge regression, recalibration."""

import json
import logging

import numpy as np
import pytest
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from thyrocast.baselines import imputation, ridge
from thyrocast.baselines import models as comparators


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


def test_ridge_keeps_every_penalty_finite_on_separated_outcomes():
    features = np.linspace(-1, 1, 30)[:, None]
    outcome = (features[:, 0] > 0).astype(float)
    assert np.isfinite([ridge.fit(features, outcome, p) for p in ridge.PENALTIES]).all()
    assert np.isnan(ridge.fit(features, outcome, 0.0)).all()


def test_penalty_is_strong_for_noise_and_weak_for_signal():
    features, outcome, rng = draw(n=400)
    folds = np.arange(400) % 5
    strong = ridge.choose_penalty(features, rng.permutation(outcome), folds)
    assert strong > 5 * ridge.choose_penalty(features, outcome, folds)


def test_recalibration_recovers_what_was_done_to_the_odds():
    rng = np.random.default_rng(0)
    true = rng.normal(0, 1.5, 20_000)
    outcome = (rng.random(20_000) < expit(true)).astype(float)
    intercept, slope = ridge.recalibrate((true - 0.7) / 0.4, outcome)
    assert slope == pytest.approx(0.4, abs=0.02)
    assert intercept == pytest.approx(0.7, abs=0.06)


def test_recalibration_never_turns_a_ranking_over():
    rng = np.random.default_rng(0)
    linear = rng.normal(0, 1, 500)
    outcome = (rng.random(500) < expit(-linear)).astype(float)
    intercept, slope = ridge.recalibrate(linear, outcome)
    assert slope == 1
    assert expit(linear + intercept).mean() == pytest.approx(outcome.mean())


@pytest.mark.parametrize(
    ("linear", "outcome"), [([-3, -2, 2, 3], [0, 0, 1, 1]), ([-3, 1, 2, 3], [1, 1, 1, 1])]
)
def test_recalibration_of_separated_or_single_outcomes(linear, outcome):
    intercept, slope = ridge.recalibrate(np.array(linear, float), np.array(outcome, float))
    assert slope == 1
    assert np.isfinite(intercept)


def test_imputation_recovers_the_distribution_under_missingness_at_random():
    rng = np.random.default_rng(0)
    covariance = np.array([[1.0, 0.8, 0.0], [0.8, 1.0, 0.3], [0.0, 0.3, 1.0]])
    values = rng.multivariate_normal([0, 1, 2], covariance, 4000)
    values[values[:, 0] > 0.3, 1] = np.nan  # depends on what is seen: the plain mean is biased
    model = imputation.fit(values, tolerance=1e-6, iterations=500)
    np.testing.assert_allclose(model.mean, [0, 1, 2], atol=0.08)
    np.testing.assert_allclose(model.covariance, covariance, atol=0.08)
    filled = imputation.complete(values, model)
    assert not np.isnan(filled).any()
    np.testing.assert_array_equal(filled[:, [0, 2]], values[:, [0, 2]])
    drawn = imputation.complete(values, model, np.random.default_rng(1))
    assert drawn[:, 1].std() == pytest.approx(1, abs=0.05)
    assert filled[:, 1].std() < drawn[:, 1].std() - 0.01


def test_imputation_without_any_value():
    values = np.array([[1.0, np.nan], [2.0, np.nan], [np.nan, np.nan], [4.0, np.nan]])
    filled = imputation.complete(values, imputation.fit(values))
    assert np.isfinite(filled).all()


def table(n=200, seed=0, missing=0.0):
    rng = np.random.default_rng(seed)
    mass = np.exp(rng.normal(3.6, 0.5, n))
    male = rng.random(n) < 0.3
    outcome = (rng.random(n) < expit(-2.2 * (np.log(mass) - 3.6) + 0.8 * male)).astype(float)
    columns = {
        "sex": np.where(male, "male", "female").tolist(),
        "gland_mass": [f"{v:.1f}" if rng.random() >= missing else "" for v in mass],
        "trab": [f"{v:.2f}" if v > 1 else "0" for v in np.exp(rng.normal(1.5, 1, n))],
        "activity": ["550"] * n,
        "orbitopathy": [""] * n,
        "remark": [f"text {i}" for i in range(n)],
    }
    return columns, outcome


def auc(outcome, probability):
    cured, failed = probability[outcome == 1], probability[outcome == 0]
    return float(np.mean(cured[:, None] > failed) + 0.5 * np.mean(cured[:, None] == failed))


@pytest.mark.parametrize("missing", [0.0, 0.4])
def test_comparator_learns_and_predicts_patients_it_has_not_seen(missing):
    columns, outcome = table(missing=missing)
    model = comparators.fit(columns, outcome, 5, 5, 1, "clinical")
    assert len(model["fits"]) == (5 if missing else 1)
    again = json.loads(json.dumps(model))  # plain numbers, all of it
    new, truth = table(n=400, seed=1)
    probability = comparators.predict(again, new, 400)
    assert auc(truth, probability) > 0.68
    assert probability.mean() == pytest.approx(truth.mean(), abs=0.08)


def test_columns_that_say_nothing_are_dropped_and_named(caplog):
    columns, outcome = table()
    with caplog.at_level(logging.INFO, "thyrocast"):
        model = comparators.fit(columns, outcome, 5, 2, 1, "clinical")
    assert [part["column"] for part in model["coding"]] == ["sex", "gland_mass", "trab"]
    assert "activity (one value)" in caplog.text
    assert "orbitopathy (no value)" in caplog.text
    assert "remark (200 different values)" in caplog.text


def test_unseen_levels_and_text_in_a_number_column_count_as_missing():
    columns, outcome = table(missing=0.2)
    model = comparators.fit(columns, outcome, 5, 3, 1, "clinical")
    odd = {
        "sex": ["other", ""],
        "gland_mass": ["big", ""],
        "trab": ["inf", ""],
        "activity": ["", ""],
    }
    one, two = comparators.predict(model, odd, 2)
    assert one == pytest.approx(two)
    assert 0 < one < 1


def test_nothing_to_learn_gives_the_prevalence():
    outcome = np.array([1.0, 0, 1, 1])
    model = comparators.fit({"age": [""] * 4}, outcome, 4, 2, 1, None)
    assert model["coding"] == []
    np.testing.assert_allclose(comparators.predict(model, {}, 3), 0.75)
    single = comparators.fit({"age": list("1234")}, np.ones(4), 4, 2, 1, None)
    np.testing.assert_allclose(comparators.predict(single, {"age": ["9"]}, 1), 1, atol=1e-5)


def test_activity_per_gram():
    derived = comparators.derive({"activity": ["400", "", "400"], "gland_mass": ["40", "30", "0"]})
    assert derived["activity_per_gram"] == ["10.0", "", ""]
    assert "activity_per_gram" not in comparators.derive({"activity": ["400"]})


def test_zero_below_the_limit_of_detection_is_no_minus_infinity():
    cells = ["0", "0.5", "2", "8"]
    coding, _ = comparators._learn_coding({"trab": cells})
    assert coding[0]["floor"] == 0.25
    values = comparators._encode({"trab": cells}, coding)
    np.testing.assert_allclose(np.diff(values[:, 0]), np.log([2, 4, 4]) / coding[0]["scale"])


def test_averaging_is_over_log_odds():
    part = {"mean": [], "covariance": [], "coefficients": []}
    model = {"coding": [], "fits": [part | {"intercept": 1.0}, part | {"intercept": 3.0}]}
    assert logit(comparators.predict(model, {}, 1)[0]) == pytest.approx(2.0)
