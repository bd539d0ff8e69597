"""Models compared with each other, external predictions among them; and faulty tables."""

import csv

import numpy as np
import pytest

import evaluate_design
from tests.unit.evaluation.example_study_of_24 import (
    CURED,
    FAILED,
    cohort,
    evaluate,
    headline,
    one_member,
    patients,
    predictions,
)
from thyrocast.contract import io, splits
from thyrocast.contract.cohort import COHORT
from thyrocast.contract.evaluation import COMPARISONS, PERFORMANCE, PREDICTIONS
from thyrocast.errors import InputError
from thyrocast.evaluation import comparison


def test_models_are_compared_in_the_same_patients(config):
    test = patients("t", "north")
    other = [(who, c, y, 1 - p) for who, c, y, p in reversed(test)]
    rows = predictions(patients("l", "north"), "train") + predictions(test, "test")
    rows += predictions(other, "test", "clinical")
    found = evaluate(rows, test, config)
    by_metric = found["comparisons"].set_index("metric")
    area = headline(found, "auc")["estimate"]
    assert by_metric.loc["auc", "difference"] == pytest.approx(area - (1 - area))
    assert by_metric.loc["auc", "p_value"] < 0.05
    assert by_metric.loc["net_benefit", "at"] == 0.6
    ratio = by_metric.loc["likelihood_ratio"]
    assert (ratio["method"], ratio["status"]) == ("likelihood_ratio_chi2_1", "not_estimable")
    assert ratio["note"]


def test_p_values_are_adjusted_over_the_pairs_of_models(config):
    random = np.random.default_rng(5)
    test = patients("t", "north")
    rows = predictions(patients("l", "north"), "train") + predictions(test, "test")
    for model in ("signature", "clinical"):
        other = [(w, c, y, float(random.random())) for w, c, y, _ in test]
        rows += predictions(other, "test", model)
    compared = evaluate(rows, test, config)["comparisons"]
    brier = compared[compared["metric"] == "brier"]
    assert len(brier) == 3
    assert brier["p_holm"].min() == pytest.approx(min(1, 3 * brier["p_value"].min()))
    ratios = compared[compared["metric"] == "likelihood_ratio"]
    assert list(ratios["model_a"]) == ["network", "signature"]


def test_repeated_predictions_of_a_patient_count_as_one(config):
    random = np.random.default_rng(3)
    people = patients("t", "north")
    rows = []
    for split in ("1", "2", "3"):
        again = [
            (w, c, y, float(np.clip(p + 0.02 * random.normal(), 0.01, 0.99)))
            for w, c, y, p in people
        ]
        rows += predictions(again, "test", split=split)
        rows += predictions(patients("l", "north"), "train", split=split)
    found = evaluate(rows, people, config)
    row, single = headline(found, "auc", split="all"), headline(found, "auc", split="1")
    assert row["ci_method"] == "bootstrap_by_patient_percentile"
    assert (row["scale"], row["note"]) == ("logit", "standard error from the bootstrap")
    width, alone = (one["ci_high"] - one["ci_low"] for one in (row, single))
    # Three predictions of each of 24 patients are not 72 patients.
    assert width > 0.8 * alone
    assert headline(found, "calibration_slope", split="all")["ci_method"] == "wald_by_patient"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"probability": "1.2"}, "row 2, column probability: is 1.2, expected a number from 0 to 1"),
        ({"probability": "nan"}, "row 2, column probability: is 'nan', expected a number from 0 to 1"),
        ({"probability": ""}, "row 2, column probability: is empty, expected a number from 0 to 1"),
        ({"outcome": "2"}, "row 2, column outcome: is 2, expected a whole number from 0 to 1"),
        ({"patient": "north-t101"}, "a second row with the same design, split, model, patient"),
    ],
)  # fmt: skip
def test_faulty_predictions_stop_with_one_sentence(config, tmp_path, change, message):
    rows = predictions(patients("t", "north"), "test")
    rows[0] |= change
    write(tmp_path / "p.csv", list(rows[0]), [row.values() for row in rows])
    with pytest.raises(InputError, match=message):
        evaluate_design.run(
            [tmp_path / "p.csv"], [tmp_path / "m.csv"], tmp_path / "cohort.csv", {}, config, 1
        )


def write(path, header, rows):
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])


def test_external_predictions_are_scored_by_the_same_code(configure, tmp_path):
    people, train = patients("t", "north"), patients("l", "north")
    rows = predictions(people, "test") + predictions(train, "train")
    own = io.build(splits.PREDICTIONS, rows)
    io.write(splits.PREDICTIONS, own, tmp_path / "p.csv")
    io.write(splits.MEMBER_PREDICTIONS, one_member(own), tmp_path / "m.csv")
    io.write(COHORT, cohort(people), tmp_path / "cohort.csv")
    # A physician who read the test patients but three, and no training patient.
    write(tmp_path / "reader.csv", ("patient", "score"), [(w, p) for w, _, _, p in people[3:]])
    reader = {"name": "physician", "table": str(tmp_path / "reader.csv"), "column": "score"}
    tables = (PERFORMANCE, COMPARISONS, PREDICTIONS)
    outputs = {table.name: tmp_path / "out" / f"{table.name}.csv" for table in tables}
    config = configure(external_predictions=[reader], threshold={"rule": "youden"})
    evaluate_design.run(
        [tmp_path / "p.csv"], [tmp_path / "m.csv"], tmp_path / "cohort.csv", outputs, config, 1
    )
    found = {table.name: io.read(table, outputs[table.name]) for table in tables}
    assert headline(found, "auc", model="physician")["n"] == 21
    sensitivity = headline(found, "sensitivity", model="physician")
    assert (sensitivity["status"], sensitivity["note"][:12]) == ("not_estimable", "no threshold")
    compared = found["comparisons"].set_index("metric")
    assert compared.loc["auc", "p_value"] == 1
    assert (found["predictions"]["model"] == "physician").sum() == 21


@pytest.mark.parametrize(
    ("header", "rows", "message"),
    [
        (("patient", "p"), [("a", "0.5")], "has no column 'probability'"),
        (("patient", "probability"), [("a", "0.5"), ("a", "0.6")], "patient a has two rows"),
        (("patient", "probability"), [("a", ""), ("a", "0.6")], "patient a has two rows"),
        (("patient", "probability"), [("a", "")], "no patient has a probability"),
        (("patient", "probability"), [("a", "50")], "expected a number from 0 to 1"),
        (("patient", "probability"), [("a", "0.1_5")], "expected a number from 0 to 1"),
        (("patient", "probability"), [("a", "0,7")], "expected a number from 0 to 1"),
        (("patient", "probability"), [("a", "70%")], "expected a number from 0 to 1"),
        (("patient", "probability"), [("a", "0.5")], "none of its 1 patients is in the study"),
    ],
)
def test_faulty_external_predictions(configure, tmp_path, header, rows, message):
    write(tmp_path / "c.csv", header, rows)
    own = io.build(splits.PREDICTIONS, predictions(patients("t", "north"), "test"))
    io.write(splits.PREDICTIONS, own, tmp_path / "p.csv")
    config = configure(external_predictions=[{"name": "other", "table": str(tmp_path / "c.csv")}])
    with pytest.raises(InputError, match=message):
        evaluate_design.run(
            [tmp_path / "p.csv"], [tmp_path / "m.csv"], tmp_path / "cohort.csv", {}, config, 1
        )


def test_a_model_without_signal_in_training_is_said_to_have_none(config):
    test, train = patients("t", "north"), patients("l", "north")
    # The same patients in the reversed order of the probabilities.
    reversed_order = patients("l", "north", cured=FAILED, failed=CURED)
    rows = predictions(train, "train") + predictions(test, "test")
    rows += predictions(reversed_order, "train", "signature")
    rows += predictions(test, "test", "signature")
    found = evaluate(rows, test, config)
    signal = found["thresholds"].drop_duplicates("model").set_index("model")["signal"]
    assert (signal["network"], signal["signature"]) == (1, 0)
    assert headline(found, "auc", model="network")["note"] == ""
    note = headline(found, "auc", model="signature")["note"]
    assert note.startswith("no signal in the training set:")
    in_sample = evaluate(rows, test, config, in_sample=True)
    assert in_sample["thresholds"]["signal"].isna().all()


def test_joined_splits_say_how_many_have_no_signal(config):
    test = [patients(name, "north") for name in "tu"]
    train = [
        patients("l", "north"),
        patients("l", "north", cured=FAILED, failed=CURED),
    ]
    rows = [
        row
        for n, (mine, people) in enumerate(zip(train, test, strict=True), start=1)
        for row in predictions(mine, "train", split=f"1-{n}", kind="kfold")
        + predictions(people, "test", split=f"1-{n}", kind="kfold")
    ]
    found = evaluate(rows, [*test[0], *test[1]], config)
    note = headline(found, "auc", split="all")["note"]
    assert note.startswith("no signal in the training sets of 1 of 2 splits")


def test_cross_validation_is_headed_by_the_mean_within_parts(config):
    people = [patients(name, "north") for name in "tuvw"]
    rows = []
    for n, part in enumerate(people, start=1):
        others = [one for other in people if other is not part for one in other]
        # Each part has a scale of its own.
        scaled = [(w, c, y, p / n) for w, c, y, p in part]
        for model in ("network", "clinical"):
            rows += predictions(scaled, "test", model, split=f"1-{n}", kind="kfold")
            rows += predictions(others, "train", model, split=f"1-{n}", kind="kfold")
    everybody = [one for part in people for one in part]
    found = evaluate(rows, everybody, config)
    row, part = headline(found, "auc", split="all"), headline(found, "auc", split="1-2")
    assert row["ci_method"] == "corrected_resampled_t"
    assert row["estimate"] == pytest.approx(part["estimate"])
    compared = found["comparisons"]
    compared = compared[(compared["split"] == "all") & (compared["metric"] == "auc")]
    assert compared["method"].iloc[0] == "corrected_resampled_t"


def test_parts_with_one_outcome_are_named(config):
    parts = [patients("t", "north"), patients("u", "north"), patients("v", "north", (0.8, 0.7), ())]
    rows = []
    for n, part in enumerate(parts, start=1):
        others = [one for other in parts if other is not part for one in other]
        rows += predictions(part, "test", split=f"1-{n}", kind="kfold")
        rows += predictions(others, "train", split=f"1-{n}", kind="kfold")
    found = evaluate(rows, [one for part in parts for one in part], config)["performance"]
    areas = found[(found["split"] == "all") & (found["metric"] == "auc")]
    areas = areas[areas["group_kind"] == "pooled"].set_index("ci_method")["note"]
    assert areas["corrected_resampled_t"].startswith(
        "mean of 2 of 3 parts: the others have one outcome"
    )
    assert areas["delong_logit"] == "joined predictions of several models, whose scales may differ"


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("network", "clinical", True),
        ("signature", "ridge", True),
        ("elastic_net", "signature", True),
        ("ridge", "lasso", False),
        ("clinical", "ridge", False),
        ("reading", "clinical", True),
    ],
)
def test_heads_are_compared_with_the_signature_only(one, other, expected):
    assert comparison._compared(one, other) is expected
