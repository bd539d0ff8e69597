"""From predictions to tables: a study of 24 patients whose results are known, and unusual ones."""

import numpy as np
import pytest
from scipy import special

import plan_sample_size
from tests.unit.evaluation.example_study_of_24 import (
    CURED,
    FAILED,
    cohort,
    evaluate,
    headline,
    patients,
    predictions,
)
from thyrocast.config.evaluation import SampleSizeConfig
from thyrocast.config.signature import SignatureConfig
from thyrocast.contract import io
from thyrocast.contract.cohort import COHORT
from thyrocast.contract.evaluation import OF_DESIGN, SAMPLE_SIZE
from thyrocast.contract.splits import SPLITS
from thyrocast.evaluation import sample_size
from thyrocast.statistics import threshold


def test_every_number_of_24_patients(one):
    wins = sum(a > b for a in CURED for b in FAILED)
    y, p = np.repeat([1, 0], 12), np.array(CURED + FAILED)
    expected = {
        "auc": wins / 144,
        "sensitivity": 9 / 12,
        "specificity": 8 / 12,
        "ppv": 9 / 13,
        "npv": 8 / 11,
        "accuracy": 17 / 24,
        "brier": np.mean((y - p) ** 2),
        "scaled_brier": 1 - np.mean((y - p) ** 2) / 0.25,
        "log_loss": -np.mean(np.log(np.where(y == 1, p, 1 - p))),
        "oe_ratio": 12 / p.sum(),
        # At .6 eight cured and two not cured are treated; the odds are 1.5.
        "net_benefit": 8 / 24 - 1.5 * 2 / 24,
    }
    for metric, value in expected.items():
        row = headline(one, metric)
        assert row["estimate"] == pytest.approx(value, abs=1e-11), metric
        assert row["ci_low"] < row["estimate"] < row["ci_high"], metric
        assert (row["n"], row["events"], row["status"]) == (24, 12, "estimated")
    assert headline(one, "net_benefit")["at"] == 0.6


def test_standard_errors_reproduce_their_intervals(config):
    scales = {"identity": lambda x: x, "log": np.log, "logit": special.logit}
    test = [*patients("t", "north"), *patients("u", "north")]
    rows = predictions(patients("l", "north"), "train") + predictions(test, "test")
    rows = evaluate(rows, test, config)["performance"]
    # These limits come from shares, or from another scale than the one of pooling.
    others = rows["ci_method"].isin(["newcombe", "mover_wilson", "logit_t", "wilson"])
    with_error = rows[rows["std_error"].notna() & ~others]
    assert set(with_error["scale"]) == set(scales)
    for row in with_error.itertuples():
        low, high = (scales[row.scale](end) for end in (row.ci_low, row.ci_high))
        quantile = (
            special.stdtrit(row.n - 1, 0.975) if "t" in row.ci_method.split("_") else 1.959964
        )
        assert (high - low) / (2 * quantile) == pytest.approx(row.std_error, rel=1e-6), row
    assert rows[rows["std_error"].isna()]["scale"].isna().all()


def test_calibration_solves_its_equations(one):
    y, x = np.repeat([1, 0], 12), special.logit(np.array(CURED + FAILED))
    a = headline(one, "calibration_in_the_large")["estimate"]
    assert np.sum(y - special.expit(a + x)) == pytest.approx(0, abs=1e-8)
    intercept, slope = (
        headline(one, f"calibration_{name}")["estimate"] for name in ("intercept", "slope")
    )
    rest = y - special.expit(intercept + slope * x)
    assert rest.sum() == pytest.approx(0, abs=1e-8)
    assert rest @ x == pytest.approx(0, abs=1e-8)


def test_headlines_come_first_and_bootstrap_second(one):
    rows = one["performance"]
    rows = rows[(rows["set"] == "test") & (rows["group_kind"] == "pooled")]
    methods = rows.groupby("metric")["ci_method"].agg(list)
    # With 12 patients of an outcome, Newcombe's interval covers better than DeLong's.
    assert methods["auc"] == ["newcombe", "bootstrap_stratified_percentile"]
    # At the threshold of the config, then at Youden's.
    assert methods["sensitivity"] == ["wilson", "wilson", "bootstrap_stratified_percentile"]
    # A resample within outcomes has a fixed prevalence: it covers 70-95 % of metrics that depend on it.
    assert methods["brier"] == ["log_t"]
    assert methods["ppv"] == ["wilson", "wilson"]
    assert methods["ici"] == ["drawn_curves"]
    assert methods["spiegelhalter_z"] == methods["spiegelhalter_p"] == [""]


def test_tables_are_those_of_the_contract(one):
    for table in OF_DESIGN:
        assert io.conform(table, one[table.name]).equals(one[table.name]), table.name


def test_same_seed_same_tables(config):
    people = patients("t", "north")
    rows = predictions(patients("l", "north"), "train") + predictions(people, "test")
    first, second = (evaluate(rows, people, config, 7) for _ in range(2))
    for name, frame in first.items():
        assert frame.equals(second[name]), name


def test_the_threshold_of_the_config_is_the_reference_of_net_benefit_and_youdens_is_alongside(
    configure,
):
    test = patients("t", "north")
    rows = predictions(patients("l", "north"), "train") + predictions(test, "test")
    found = evaluate(rows, test, configure(decision={"reference": 0.7}))
    chosen = found["thresholds"].set_index("rule")["threshold"]
    assert list(chosen.index) == ["net_benefit", "youden"]
    assert chosen["net_benefit"] == 0.7
    values = found["performance"]
    values = values[(values["set"] == "test") & (values["metric"] == "sensitivity")]
    values = values[(values["ci_method"] == "wilson") & (values["group_kind"] == "pooled")]
    cured = np.array(CURED)
    assert list(values["rule"]) == ["net_benefit", "youden"]
    assert list(values["estimate"]) == pytest.approx(
        [(cured >= 0.7).mean(), (cured >= chosen["youden"]).mean()]
    )


def test_the_threshold_is_of_the_training_set_alone(configure):
    config = configure(threshold={"rule": "youden"})
    test = patients("t", "north")
    shifted = [(who, center, y, p / 2) for who, center, y, p in patients("l", "north")]
    rows = predictions(shifted, "train") + predictions(test, "test")
    found = evaluate(rows, test, config)
    expected = threshold.choose(
        [y for _, _, y, _ in shifted], [p for *_, p in shifted], [who for who, *_ in shifted]
    )
    [chosen] = found["thresholds"].to_dict("records")
    assert chosen == {
        "design": "holdout", "split": "1", "model": "network",
        "rule": "youden", "threshold": expected.value, "signal": 1,
    }  # fmt: skip
    called = np.array(CURED) >= expected.value
    row = headline(found, "sensitivity")
    assert (row["estimate"], row["note"]) == (pytest.approx(called.mean()), "")
    apparent = headline(found, "sensitivity", side="train")
    assert apparent["note"] == "threshold chosen on these patients"


def test_one_outcome_in_the_test_set_is_a_status_and_the_rest_is_estimated(configure):
    config = configure(minimum_count={"patients": 10, "outcomes": 0})
    test = patients("t", "north", failed=())
    rows = predictions(patients("l", "north"), "train") + predictions(test, "test")
    found = evaluate(rows, test, config)
    row = headline(found, "auc")
    assert np.isnan(row["estimate"])
    assert row["status"] == "not_estimable"
    assert row["note"].startswith("the AUC needs")
    assert headline(found, "brier")["status"] == "estimated"
    assert headline(found, "specificity")["status"] == "not_estimable"
    assert headline(found, "oe_ratio")["note"] == "nobody or everybody cured"


def test_constant_probabilities(config):
    test = patients("t", "north", (0.5,) * 12, (0.5,) * 12)
    rows = predictions(patients("l", "north"), "train") + predictions(test, "test")
    found = evaluate(rows, test, config)
    assert headline(found, "auc")["estimate"] == 0.5
    assert headline(found, "calibration_slope")["status"] == "not_estimable"
    assert set(found["calibration"]["set"]) == {"train"}


def test_two_patients(config, configure):
    test = patients("t", "north", (0.9,), (0.2,))
    rows = predictions(patients("l", "north"), "train") + predictions(test, "test")
    found = evaluate(rows, test, config)
    # All patients together are their only center, which is too small.
    for kind, group in (("pooled", ""), ("center", "north")):
        row = headline(found, "auc", kind, group)
        assert row[["estimate", "n", "events"]].isna().all()
        assert row["status"] == "suppressed"
        assert row["note"].startswith("fewer than 10 patients or 3 of an outcome")
    for name in ("roc", "decision_curve"):
        assert set(found[name]["set"]) == {"train"}
    found = evaluate(rows, test, configure(minimum_count={"patients": 1, "outcomes": 0}))
    row = headline(found, "auc")
    assert (row["ci_method"], row["note"]) == ("newcombe", "AUC without a DeLong variance")
    assert row["std_error"] > 0


def test_probabilities_of_0_and_1_are_mentioned(config):
    test = patients("t", "north", (1.0, *CURED[1:]), (*FAILED[:-1], 0.0))
    rows = predictions(patients("l", "north"), "train") + predictions(test, "test")
    found = evaluate(rows, test, config)
    slope = headline(found, "calibration_slope")
    assert (slope["status"], slope["note"][:30]) == (
        "not_estimable",
        "2 of 24 probabilities are 0 or",
    )
    assert headline(found, "log_loss")["note"].startswith("2 probabilities clipped")
    assert headline(found, "brier")["note"] == ""


def test_prospective_patients_are_not_scored_but_get_a_prediction_set(config):
    test = patients("t", "north")
    new = [("east-1", "east", None, 0.97), ("east-2", "east", None, 0.5)]
    train = [*patients("l", "north"), *patients("m", "north")]
    rows = predictions(train, "train") + predictions([*test, *new], "test")
    found = evaluate(rows, test, config)
    assert headline(found, "auc")["n"] == 24
    sets = found["prediction_sets"].set_index("patient")["prediction"]
    assert sets["east-1"] == "cured"
    assert sets["east-2"] == "uncertain"
    assert "east" not in set(found["performance"]["group"])


def test_nobody_with_an_outcome_gives_empty_tables_but_prediction_sets(config):
    new = [("east-1", "east", None, 0.97)]
    rows = predictions(patients("l", "north"), "train") + predictions(new, "test")
    found = evaluate(rows, new, config)
    assert set(found["performance"]["set"]) == {"train"}
    assert len(found["prediction_sets"]) == 1


def test_in_sample_probabilities_calibrate_no_prediction_sets(config):
    test = patients("t", "north")
    rows = predictions(patients("l", "north"), "train") + predictions(test, "test")
    found = evaluate(rows, test, config, in_sample=True)
    assert found["prediction_sets"].empty


def test_sample_size_is_compared_with_the_patients_available(config, tmp_path):
    people = cohort(patients("t", "north"))
    io.write(COHORT, people, tmp_path / "cohort.csv")
    # The strongest design that tests anybody counts; here it tests two thirds of the patients.
    tested = [("loco", "north", patient) for patient in people["patient"][:16]]
    tested.append(("holdout", "1", people["patient"][0]))
    rows = [
        {"design": kind, "split": split, "patient": patient, "set": "test", "fold": None}
        for kind, split, patient in tested
    ]
    io.write(SPLITS, io.build(SPLITS, rows), tmp_path / "splits.csv")
    paths = [tmp_path / name for name in ("cohort.csv", "splits.csv", "size.csv")]
    plan_sample_size.run(*paths, config, SignatureConfig.read({}))
    found = io.read(SAMPLE_SIZE, tmp_path / "size.csv").set_index(["purpose", "criterion"])
    whole = found.loc[("development", "all")]
    assert (whole["available_n"], whole["available_events"]) == (24, 12)
    assert not whole["sufficient"]
    assert whole["required_n"] == found.loc["development"]["required_n"].max()
    assert "interval of an AUC of 0.8" in found.loc[("precision", "auc"), "note"]
    for purpose in ("validation", "precision"):
        assert found.loc[(purpose, "auc"), "available_n"] == 16
    # Sex and age, a bend of the latter; the combined model has two log-odds as well.
    note = found.loc[("development", "shrinkage"), "note"]
    assert "5 parameters (of the model `combined`)" in note


def test_parameters_of_the_config_replace_those_that_are_counted():
    people, splits = cohort(patients("t", "north")), io.build(SPLITS, [])
    signature = SignatureConfig.read({"splines": False})
    required = {}
    for parameters in (None, 4, 40):
        size = SampleSizeConfig(parameters=parameters)
        table = sample_size.plan(people, splits, size, 0.95, signature).set_index("criterion")
        required[parameters] = list(table["required_n"])
        assert ("up to 30 parameters" in table.loc["prediction_error", "note"]) is (
            parameters == 40
        )
    assert required[None] == required[4] != required[40]
