"""Baselines: coding of predictors, fit, storage and prediction."""

import json
import logging

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError
from scipy.special import expit

from thyrocast.baselines import coding, dose, models
from thyrocast.baselines.models import Baseline
from thyrocast.config.signature import SignatureConfig
from thyrocast.contract import io
from thyrocast.contract.cohort import COHORT
from thyrocast.contract.names import Model
from thyrocast.statistics import recalibration

CONFIG = SignatureConfig(tuning_folds=5)
NO_TEXT = pd.Series([np.nan] * 4, dtype="str")


def table(n=200, seed=0, missing=0.0):
    rng = np.random.default_rng(seed)
    mass = np.exp(rng.normal(3.6, 0.5, n))
    male = rng.random(n) < 0.3
    outcome = (rng.random(n) < expit(-2.2 * (np.log(mass) - 3.6) + 0.8 * male)).astype(float)
    trab = np.exp(rng.normal(1.5, 1, n))
    predictors = pd.DataFrame(
        {
            "sex": np.where(male, "male", "female"),
            "gland_mass": np.where(rng.random(n) >= missing, mass, np.nan),
            "trab": np.where(trab > 1, trab, 0.0),
            "activity": 550.0,
            "orbitopathy": pd.Series([np.nan] * n, dtype="str"),
            "remark": [f"text {i}" for i in range(n)],
        }
    )
    return predictors, outcome


def auc(outcome, probability):
    cured, failed = probability[outcome == 1], probability[outcome == 0]
    return float(np.mean(cured[:, None] > failed) + 0.5 * np.mean(cured[:, None] == failed))


@pytest.mark.parametrize("missing", [0.0, 0.4])
def test_baseline_learns_and_predicts_new_patients(missing):
    predictors, outcome = table(missing=missing)
    model = models.fit(predictors, outcome, CONFIG, 1, "clinical")
    assert len(model.coefficients) == 5
    new, truth = table(n=400, seed=1)
    probability = model.predict(new)
    assert auc(truth, probability) > 0.68
    assert probability.mean() == pytest.approx(truth.mean(), abs=0.08)


def test_what_is_read_from_json_predicts_the_same():
    predictors, outcome = table(missing=0.4)
    model = models.fit(predictors, outcome, CONFIG, 1, "clinical")
    again = Baseline.model_validate(json.loads(json.dumps(model.model_dump())))
    new, _ = table(n=50, seed=1, missing=0.4)
    np.testing.assert_array_equal(again.predict(new), model.predict(new))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"surprise": 1}, "surprise"),
        ({"penalty": float("nan")}, "penalty"),
        ({"coefficients": [[1.0]]}, "dimensions"),
    ],
)
def test_stored_values_that_do_not_fit_are_refused(change, message):
    predictors, outcome = table()
    stored = models.fit(predictors, outcome, CONFIG, 1, None).model_dump()
    with pytest.raises(ValidationError, match=message):
        Baseline.model_validate(stored | change)


def test_columns_without_information_are_dropped_and_logged(caplog):
    predictors, outcome = table()
    with caplog.at_level(logging.INFO, "thyrocast"):
        model = models.fit(predictors, outcome, CONFIG, 1, "clinical")
    assert [term.column for term in model.coding] == ["sex", "gland_mass", "trab"]
    assert "activity (one value)" in caplog.text
    assert "orbitopathy (no value)" in caplog.text
    assert "remark (200 different values)" in caplog.text


def test_a_column_whose_values_differ_by_rounding_alone_is_dropped():
    random = np.random.default_rng(4)
    noise = 370 * (1 + 1e-13 * random.normal(size=50))
    learned = coding.learn(pd.DataFrame({"activity": noise, "age": random.normal(50, 9, 50)}))
    assert [term.column for term in learned.terms] == ["age"]
    assert learned.dropped == ("activity (one value)",)


def test_a_level_that_training_patients_do_not_have_counts_as_missing():
    predictors, outcome = table(missing=0.2)
    model = models.fit(predictors, outcome, CONFIG, 1, "clinical")
    new = predictors.iloc[[0, 0]].assign(sex=["other", np.nan], gland_mass=np.nan, trab=np.nan)
    one, two = model.predict(new)
    assert one == pytest.approx(two)
    assert 0 < one < 1


def test_the_most_frequent_level_is_the_reference():
    smoking = pd.Series(["never", "current", "never", "former", "current", "never", np.nan])
    terms = coding.learn(pd.DataFrame({"smoking": smoking})).terms
    assert [term.level for term in terms] == ["current", "former"]
    assert {term.levels for term in terms} == {("never", "current", "former")}
    values = coding.encode(pd.DataFrame({"smoking": smoking}), terms)
    np.testing.assert_array_equal(np.isnan(values[:, 0]), smoking.isna())
    np.testing.assert_allclose(np.nanmean(values, axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(np.nanstd(values, axis=0), 1)


def test_without_predictors_the_prevalence_is_predicted():
    outcome = np.array([1.0, 0, 1, 1])
    model = models.fit(pd.DataFrame({"sex": NO_TEXT}), outcome, CONFIG, 1, None)
    assert model.coding == ()
    np.testing.assert_allclose(model.predict(pd.DataFrame(index=range(3))), 0.75)


def test_with_one_outcome_the_prevalence_is_predicted():
    single = models.fit(pd.DataFrame({"age": [1.0, 2, 3, 4]}), np.ones(4), CONFIG, 1, None)
    np.testing.assert_allclose(single.predict(pd.DataFrame({"age": [9.0]})), 1, atol=1e-5)


def test_activity_per_gram():
    cohort = pd.DataFrame({"activity": [400, np.nan, 400], "gland_mass": [40.0, 30.0, 0.0]})
    np.testing.assert_array_equal(dose.activity_per_gram(cohort), [10, np.nan, np.nan])


def test_predictors_of_each_baseline():
    missing = dict.fromkeys(COHORT.names)
    patient = missing | {"patient": "a-1", "center": "a", "role": "development", "age": 50.0}
    cohort = io.build(COHORT, [patient | {"q_mass": 20.0}])
    probabilities = {Model.NETWORK: np.array([0.5]), Model.SIGNATURE: np.array([1.0])}
    handcrafted, clinical, combined = (
        models.predictors(name, cohort, probabilities)
        for name in (Model.HANDCRAFTED, Model.CLINICAL, Model.COMBINED)
    )
    assert set(handcrafted) & set(clinical) == set()
    assert "activity_per_gram" in clinical
    simulated = models.predictors(Model.SIMULATED, cohort, {})
    assert list(simulated) == ["p_mass", "p_uptake", "p_heterogeneity", "p_contrast"]
    odds = {"network_logit", "signature_logit"}
    assert set(combined) == {*handcrafted, *clinical, *simulated} | odds
    np.testing.assert_allclose(combined["network_logit"], 0, atol=1e-12)
    np.testing.assert_allclose(combined["signature_logit"], 6.9)


def test_zero_below_the_limit_of_detection_has_a_finite_logarithm():
    predictors = pd.DataFrame({"trab": [0, 0.5, 2, 8]})
    terms = coding.learn(predictors).terms
    assert terms[0].floor == 0.25
    values = coding.encode(predictors, terms)
    np.testing.assert_allclose(np.diff(values[:, 0]), np.log([2, 4, 4]) / terms[0].scale)


def scanned(n, seed, scan_time):
    """Patients whose uptake decides the outcome, scanned for a multiple of the usual time."""
    rng = np.random.default_rng(seed)
    uptake = np.exp(rng.normal(2.0, 0.5, n))
    cured = rng.random(n) < expit(1.5 - 2.5 * (np.log(uptake) - 2.0))
    counts = 4e4 * uptake * scan_time * np.exp(rng.normal(0, 0.15, n))
    rows = [
        dict.fromkeys(COHORT.names)
        | {"patient": f"a-{i}", "center": "a", "role": "development", "outcome": int(cured[i])}
        | {"q_uptake": uptake[i] * np.exp(rng.normal(0, 0.3)), "q_mass": 40.0 + i % 7}
        | {"q_counts": counts[i], "q_rate": counts[i] / 300, "q_snr": np.sqrt(counts[i])}
        for i in range(n)
    ]
    return io.build(COHORT, rows)


@pytest.mark.parametrize("scan_time", [0.3, 1.0, 3.0])
def test_a_shorter_or_longer_scan_changes_no_prediction(scan_time):
    # In training all scans are alike, so that counts show the uptake; elsewhere they do not.
    def quantities(cohort):
        return models.predictors(Model.HANDCRAFTED, cohort, {})

    train, test = scanned(250, 0, 1.0), scanned(400, 1, scan_time)
    outcome = train["outcome"].to_numpy(dtype=float)
    model = models.fit(quantities(train), outcome, CONFIG, 1, None)
    probability = model.predict(quantities(test))
    assert test["outcome"].mean() / probability.mean() == pytest.approx(1, abs=0.1)
    assert auc(test["outcome"].to_numpy(), probability) > 0.65
    np.testing.assert_array_equal(probability, model.predict(quantities(scanned(400, 1, 1.0))))


def half_known(n, seed, slope, missing):
    """A predictor that is missing at random, and another one with which it is correlated."""
    rng = np.random.default_rng(seed)
    age = rng.normal(size=n)
    days = 0.5 * age + rng.normal(0, np.sqrt(0.75), n)
    outcome = (rng.random(n) < expit(0.3 + slope * age)).astype(float)
    known = np.where(rng.random(n) < missing, np.nan, age)
    return pd.DataFrame({"age": known, "withdrawal_days": days}), outcome


@pytest.mark.parametrize(("slope", "missing"), [(1.2, 0.5), (0.8, 0.3), (-1.5, 0.6)])
def test_missing_values_do_not_weaken_a_coefficient(slope, missing):
    # Draws without the outcome in training would halve it, and predictions would be too near 50 %.
    config = SignatureConfig(tuning_folds=5, splines=False)
    predictors, outcome = half_known(3000, 0, slope, missing)
    model = models.fit(predictors, outcome, config, 1, None)
    per_unit = model.coefficients[0] / model.coding[0].scale
    assert per_unit == pytest.approx(slope, rel=0.25)
    new, truth = half_known(20_000, 1, slope, missing)
    assert recalibration.fit(model.odds(new), truth == 1).slope == pytest.approx(1, abs=0.1)


def test_a_missing_indicator_uses_what_missingness_shows():
    rng = np.random.default_rng(0)
    outcome = (rng.random(600) < 0.5).astype(float)
    trab = np.where(rng.random(600) < 0.2 + 0.5 * outcome, np.nan, np.exp(rng.normal(size=600)))
    predictors = pd.DataFrame({"trab": trab, "age": rng.normal(size=600)})
    without, indicated = (
        models.fit(predictors, outcome, SignatureConfig(missing_indicators=on), 1, None)
        for on in (False, True)
    )
    areas = [auc(outcome, model.predict(predictors)) for model in (without, indicated)]
    assert areas[1] > areas[0] + 0.05
    assert list(indicated.indicators) == [0]


@pytest.mark.parametrize(("splines", "least", "most"), [(True, 0.75, 1), (False, 0, 0.68)])
def test_a_bend_is_found_only_with_splines(splines, least, most):
    rng = np.random.default_rng(0)
    age = rng.normal(50, 12, 500)
    outcome = (rng.random(500) < expit(2 - 2.5 * ((age - 50) / 12) ** 2)).astype(float)
    predictors = pd.DataFrame({"age": age, "withdrawal_days": rng.normal(size=500)})
    model = models.fit(predictors, outcome, SignatureConfig(splines=splines), 1, None)
    assert least <= auc(outcome, model.predict(predictors)) <= most


def test_absorbed_dose_of_known_patients():
    # 24.7 Bq of I-131 per gram, percent and day give 1 Gy: 500 MBq, 30 g, 60 %, 5.5 d are 223 Gy.
    cohort = pd.DataFrame({"activity": [500.0], "gland_mass": [30.0], "uptake_24h": [60.0]})
    expected = 500 * 60 * 5.5 / (24.68 * 30)
    assert dose.absorbed_dose(cohort)[0] == pytest.approx(expected, rel=1e-3)
    assert dose.retained_per_gram(cohort)[0] == pytest.approx(10)
    for column in ("activity", "gland_mass", "uptake_24h"):
        assert np.isnan(dose.absorbed_dose(cohort.assign(**{column: np.nan}))[0])


def test_the_dose_baseline_ranks_patients_by_the_formula_alone():
    rng = np.random.default_rng(0)
    rows = [
        dict.fromkeys(COHORT.names)
        | {"patient": f"a-{i}", "center": "a", "role": "development", "age": 50.0}
        | {"activity": rng.uniform(300, 700), "gland_mass": rng.uniform(15, 80)}
        | {"uptake_24h": rng.uniform(30, 80)}
        for i in range(120)
    ]
    cohort = io.build(COHORT, rows)
    gray = dose.absorbed_dose(cohort).to_numpy()
    outcome = (rng.random(120) < expit(2 * np.log(gray / np.median(gray)))).astype(float)
    predictors = models.predictors(Model.DOSE, cohort, {})
    model = models.fit(predictors, outcome, CONFIG, 1, None)
    assert (np.argsort(model.odds(predictors)) == np.argsort(gray)).all()
