"""Models beside each other, anyone's probabilities among them; and faulty tables."""

import csv

import numpy as np
import pytest

import evaluate_design
from tests.unit.evaluation.example_study_of_24 import (
    HEADER,
    cohort,
    headline,
    patients,
    predictions,
)
from thyrocast import fileio
from thyrocast.errors import InputError
from thyrocast.evaluation import design
from thyrocast.evaluation.layout import COLUMNS


def test_models_are_compared_in_the_same_patients(block):
    test = patients("t", "north")
    other = [(who, c, y, 1 - p) for who, c, y, p in reversed(test)]
    rows = predictions(patients("l", "north"), "train") + predictions(test, "test")
    rows += predictions(other, "test", "clinical")
    found = design.evaluate(rows, cohort(test), block, 1)
    cells = [dict(zip(COLUMNS["comparisons"], row, strict=True)) for row in found["comparisons"]]
    by_metric = {row["metric"]: row for row in cells}
    area = headline(found, "auc")["estimate"]
    assert by_metric["auc"]["difference"] == pytest.approx(area - (1 - area))
    assert by_metric["auc"]["p_value"] < 0.05
    assert by_metric["likelihood_ratio"]["method"].startswith("not estimable")


def test_p_values_are_adjusted_over_the_pairs_of_models(block):
    random = np.random.default_rng(5)
    test = patients("t", "north")
    rows = predictions(patients("l", "north"), "train") + predictions(test, "test")
    for model in ("signature", "clinical"):
        other = [(w, c, y, float(random.random())) for w, c, y, _ in test]
        rows += predictions(other, "test", model)
    found = design.evaluate(rows, cohort(test), block, 1)
    cells = [dict(zip(COLUMNS["comparisons"], row, strict=True)) for row in found["comparisons"]]
    raw, adjusted = (
        [row[name] for row in cells if row["metric"] == "brier"] for name in ("p_value", "p_holm")
    )
    assert len(raw) == 3
    assert min(adjusted) == pytest.approx(min(1, 3 * min(raw)))
    image = [row["model_a"] for row in cells if row["metric"] == "likelihood_ratio"]
    assert image == ["network", "signature"]


def test_repeated_predictions_of_a_patient_count_as_one(block):
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
    found = design.evaluate(rows, cohort(people), block, 1)
    row, single = headline(found, "auc", split="all"), headline(found, "auc", split="1")
    assert row["ci_method"] == "bootstrap_by_patient_percentile"
    width, alone = (one["ci_high"] - one["ci_low"] for one in (row, single))
    # Three predictions of the same 24 patients are no 72 patients.
    assert width > 0.8 * alone
    slope = headline(found, "calibration_slope", split="all")
    assert slope["ci_method"] == "wald_by_patient"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"probability": "1.2"}, "north-t100 has probability '1.2', expected a number from 0 to 1"),
        ({"probability": "nan"}, "expected a number from 0 to 1"),
        ({"probability": ""}, "expected a number from 0 to 1"),
        ({"outcome": "2"}, "north-t100 has outcome '2', expected 1, 0 or an empty cell"),
        ({"patient": "north-t101"}, "patient north-t101 stands there twice"),
    ],
)
def test_faulty_predictions_stop_with_one_sentence(block, change, message):
    rows = predictions(patients("t", "north"), "test")
    rows[0] |= change
    with pytest.raises(InputError, match=message):
        design.evaluate(rows, [], block, 1)


def test_a_rule_without_its_target_stops(block):
    block["threshold"] = {"rule": "sensitivity", "target": None}
    with pytest.raises(InputError, match="evaluation.threshold.target"):
        design.evaluate(predictions(patients("t", "north"), "test"), [], block, 1)


def write(path, header, rows):
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])


def test_a_comparator_is_scored_by_the_same_code(block, tmp_path):
    people, train = patients("t", "north"), patients("l", "north")
    fileio.write_csv(
        tmp_path / "p.csv", HEADER, predictions(people, "test") + predictions(train, "train")
    )
    fileio.write_csv(tmp_path / "cohort.csv", ["patient"], [[who] for who, *_ in people])
    # A physician who read the test patients but three, and nobody of the training set.
    write(tmp_path / "reader.csv", ("patient", "score"), [(w, p) for w, _, _, p in people[3:]])
    block["comparators"] = [
        {"name": "physician", "table": str(tmp_path / "reader.csv"), "column": "score"}
    ]
    names = ("performance", "comparisons", "predictions")
    outputs = {name: tmp_path / "out" / f"{name}.csv" for name in names}
    evaluate_design.run([tmp_path / "p.csv"], tmp_path / "cohort.csv", outputs, block, 1)
    rows = fileio.read_csv(outputs["performance"])
    mine = next(row for row in rows if row["model"] == "physician" and row["metric"] == "auc")
    assert mine["n"] == "21"
    sensitivity = next(
        row for row in rows if (row["model"], row["metric"]) == ("physician", "sensitivity")
    )
    assert "no threshold" in sensitivity["ci_method"]
    compared = fileio.read_csv(outputs["comparisons"])
    assert next(row for row in compared if row["metric"] == "auc")["p_value"] == "1.0"


@pytest.mark.parametrize(
    ("header", "rows", "message"),
    [
        (("patient", "p"), [("a", "0.5")], "has no column 'probability'"),
        (("patient", "probability"), [("a", "0.5"), ("a", "0.6")], "patient a stands there twice"),
        (("patient", "probability"), [("a", "50")], "expected a number from 0 to 1"),
        (("patient", "probability"), [("a", "0.5")], "none of its 1 patients is in the study"),
    ],
)
def test_faulty_comparators(block, tmp_path, header, rows, message):
    write(tmp_path / "c.csv", header, rows)
    fileio.write_csv(tmp_path / "p.csv", HEADER, predictions(patients("t", "north"), "test"))
    fileio.write_csv(tmp_path / "cohort.csv", ["patient"], [])
    block["comparators"] = [
        {"name": "other", "table": str(tmp_path / "c.csv"), "column": "probability"}
    ]
    with pytest.raises(InputError, match=message):
        evaluate_design.run([tmp_path / "p.csv"], tmp_path / "cohort.csv", {}, block, 1)
