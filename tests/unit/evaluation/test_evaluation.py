"""From predictions to tables: a study of 24 patients whose numbers are known, and odd ones."""

import math

import numpy as np
import pytest
from scipy import special

import plan_sample_size
from tests.unit.evaluation.example_study_of_24 import (
    CURED,
    FAILED,
    cohort,
    headline,
    patients,
    predictions,
)
from thyrocast import fileio
from thyrocast.evaluation import design
from thyrocast.evaluation.layout import COLUMNS
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
        "net_benefit@0.6": 8 / 24 - 1.5 * 2 / 24,
    }
    for metric, value in expected.items():
        row = headline(one, metric)
        assert row["estimate"] == pytest.approx(value, abs=1e-11), metric
        assert row["ci_low"] < row["estimate"] < row["ci_high"], metric
        assert (row["n"], row["events"]) == (24, 12)


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
    methods = {}
    for row in one["performance"]:
        cells = dict(zip(COLUMNS["performance"], row, strict=True))
        if (cells["set"], cells["group"]) == ("test", "pooled"):
            methods.setdefault(cells["metric"], []).append(cells["ci_method"])
    assert methods["auc"] == ["delong_logit", "bootstrap_stratified_percentile"]
    assert methods["sensitivity"] == ["wilson", "bootstrap_stratified_percentile"]
    assert methods["brier"] == ["log_t", "bootstrap_stratified_percentile"]
    assert methods["ici"] == ["drawn_curves"]


def test_no_cell_of_any_table_is_nan_or_infinite(one):
    for name, rows in one.items():
        for row in rows:
            assert len(row) == len(COLUMNS[name]), name
            for cell in row:
                assert not isinstance(cell, float) or math.isfinite(cell), (name, row)


def test_same_seed_same_tables(block):
    people = patients("t", "north")
    rows = predictions(patients("l", "north"), "train") + predictions(people, "test")
    first, second = (design.evaluate(rows, cohort(people), block, 7) for _ in range(2))
    assert first == second


def test_the_threshold_is_of_the_training_set_alone(block):
    test = patients("t", "north")
    shifted = [(who, center, y, p / 2) for who, center, y, p in patients("l", "north")]
    rows = predictions(shifted, "train") + predictions(test, "test")
    found = design.evaluate(rows, cohort(test), block, 1)
    expected = threshold.choose(
        [y for _, _, y, _ in shifted], [p for *_, p in shifted], [who for who, *_ in shifted]
    )
    assert found["thresholds"] == [("holdout", "1", "network", "youden", expected.value)]
    called = np.array(CURED) >= expected.value
    assert headline(found, "sensitivity")["estimate"] == pytest.approx(called.mean())
    assert (
        "chosen on these patients" in headline(found, "sensitivity", set_name="train")["ci_method"]
    )


def test_one_outcome_in_the_test_set_is_said_and_the_rest_still_scored(block):
    block["minimum_count"]["outcomes"] = 0
    test = patients("t", "north", failed=())
    rows = predictions(patients("l", "north"), "train") + predictions(test, "test")
    found = design.evaluate(rows, cohort(test), block, 1)
    row = headline(found, "auc")
    assert row["estimate"] is None
    assert row["ci_method"].startswith("not estimable: the AUC needs")
    assert headline(found, "brier")["estimate"] is not None
    assert headline(found, "specificity")["ci_method"].startswith("not estimable")


def test_constant_probabilities(block):
    test = patients("t", "north", (0.5,) * 12, (0.5,) * 12)
    rows = predictions(patients("l", "north"), "train") + predictions(test, "test")
    found = design.evaluate(rows, cohort(test), block, 1)
    assert headline(found, "auc")["estimate"] == 0.5
    assert headline(found, "calibration_slope")["estimate"] is None
    assert found["calibration"] == [row for row in found["calibration"] if row[3] == "train"]


def test_two_patients(block):
    test = patients("t", "north", (0.9,), (0.2,))
    rows = predictions(patients("l", "north"), "train") + predictions(test, "test")
    found = design.evaluate(rows, cohort(test), block, 1)
    # All patients together are their only center, which is too small.
    for group in ("pooled", "center:north"):
        suppressed = headline(found, "auc", group=group)
        assert suppressed["n"] is None
        assert suppressed["ci_method"].startswith("suppressed")
    assert not [
        row for name in ("roc", "decision_curve") for row in found[name] if row[3] == "test"
    ]
    block["minimum_count"] = {"patients": 1, "outcomes": 0}
    found = design.evaluate(rows, cohort(test), block, 1)
    assert headline(found, "auc")["ci_method"] == "newcombe"


def test_probabilities_of_0_and_1_are_mentioned(block):
    test = patients("t", "north", (1.0, *CURED[1:]), (*FAILED[:-1], 0.0))
    rows = predictions(patients("l", "north"), "train") + predictions(test, "test")
    found = design.evaluate(rows, cohort(test), block, 1)
    assert "2 probabilities held" in headline(found, "calibration_slope")["ci_method"]
    assert "held" not in headline(found, "brier")["ci_method"]


def test_prospective_patients_are_not_scored_but_get_a_set(block):
    test = patients("t", "north")
    new = [("east-1", "east", "", 0.97), ("east-2", "east", "", 0.5)]
    train = [*patients("l", "north"), *patients("m", "north")]
    rows = predictions(train, "train") + predictions([*test, *new], "test")
    found = design.evaluate(rows, cohort(test), block, 1)
    assert headline(found, "auc")["n"] == 24
    sets = {row[3]: row[-1] for row in found["prediction_sets"]}
    assert sets["east-1"] == "cured"
    assert sets["east-2"] == "uncertain"
    assert not any(row[4] == "center:east" for row in found["performance"])


def test_nobody_with_an_outcome_gives_empty_tables_but_sets(block):
    new = [("east-1", "east", "", 0.97)]
    rows = predictions(patients("l", "north"), "train") + predictions(new, "test")
    found = design.evaluate(rows, cohort(new), block, 1)
    assert not [row for row in found["performance"] if row[3] == "test"]
    assert len(found["prediction_sets"]) == 1


def test_in_sample_probabilities_calibrate_no_sets(block):
    test = patients("t", "north")
    rows = predictions(patients("l", "north"), "train") + predictions(test, "test")
    found = design.evaluate(rows, cohort(test), block, 1, in_sample=True)
    assert found["prediction_sets"] == []


def test_sample_size_is_held_against_the_patients_there_are(block, tmp_path):
    people = patients("t", "north")
    fileio.write_csv(tmp_path / "cohort.csv", list(cohort(people)[0]), cohort(people))
    # the strongest design that tests anybody counts, here two thirds of them
    tested = [
        {"design": "loco", "split": "north", "patient": row["patient"], "set": "test"}
        for row in cohort(people)[:16]
    ] + [
        {"design": "holdout", "split": "1", "patient": cohort(people)[0]["patient"], "set": "test"}
    ]
    fileio.write_csv(tmp_path / "splits.csv", list(tested[0]), tested)
    plan_sample_size.run(
        tmp_path / "cohort.csv", tmp_path / "splits.csv", tmp_path / "size.csv", block
    )
    rows = {(r["purpose"], r["criterion"]): r for r in fileio.read_csv(tmp_path / "size.csv")}
    whole = rows["development", "all"]
    assert (whole["available_n"], whole["available_events"]) == ("24", "12")
    assert whole["sufficient"] == "no"
    assert int(whole["required_n"]) == max(
        int(row["required_n"]) for (purpose, _), row in rows.items() if purpose == "development"
    )
    assert "interval of an AUC of 0.8" in rows["precision", "auc"]["detail"]
    assert {rows[kind, "auc"]["available_n"] for kind in ("validation", "precision")} == {"16"}
