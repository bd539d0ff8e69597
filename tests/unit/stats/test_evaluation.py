"""From predictions to tables: a study of 24 patients whose numbers are known, and what goes wrong."""

import csv
import math

import evaluate_design
import numpy as np
import plan_sample_size
import pool_centers
import pytest
from scipy import special
from thyrocast import config, tables
from thyrocast.evaluation import design, groups, pooled
from thyrocast.evaluation.layout import COLUMNS
from thyrocast.statistics import threshold
from thyrocast.tables import InputError

HEADER = COLUMNS["predictions"]
# Twelve cured and twelve not cured; at .5 the model calls 13 cured, 9 of them rightly.
CURED = (0.95, 0.90, 0.85, 0.80, 0.75, 0.70, 0.65, 0.60, 0.55, 0.45, 0.35, 0.25)
FAILED = (0.78, 0.68, 0.58, 0.52, 0.42, 0.38, 0.32, 0.28, 0.22, 0.18, 0.12, 0.08)


@pytest.fixture
def block():
    filled = config.complete({}, config.load_schema("evaluation.schema.yaml"))
    filled["resamples"] = 200
    filled["subgroups"] = {"sex": [], "age": [40]}
    return filled


def patients(name, center, cured=CURED, failed=FAILED):
    return [
        (f"{center}-{name}{index:02d}", center, outcome, p)
        for outcome, values in ((1, cured), (0, failed))
        for index, p in enumerate(values, start=100 * outcome)
    ]


def predictions(people, set_name, model="network", split="1", kind="holdout"):
    return [
        dict(zip(HEADER, (kind, split, model, set_name, who, center, str(y), str(p)), strict=True))
        for who, center, y, p in people
    ]


def cohort(people):
    return [
        {
            "patient": who, "center": center, "role": "development", "outcome": str(y),
            "sex": "female" if index % 4 else "male", "age": str(30 + index),
        }
        for index, (who, center, y, _) in enumerate(people)
    ]  # fmt: skip


def headline(found, metric, group="pooled", model="network", set_name="test", split="1"):
    rows = [dict(zip(COLUMNS["performance"], row, strict=True)) for row in found["performance"]]
    return next(
        row
        for row in rows
        if (row["metric"], row["group"], row["model"], row["set"], row["split"])
        == (metric, group, model, set_name, split)
    )


@pytest.fixture
def one(block):
    test, train = patients("t", "north"), patients("l", "north")
    block["threshold"] = {"rule": "fixed", "target": 0.5}
    rows = predictions(train, "train") + predictions(test, "test")
    return design.evaluate(rows, cohort(test), block, 1)


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


def loco(block, centers=("north", "south", "west"), model="network", move=0.0):
    people = {c: patients("t", c) for c in centers}
    rows = []
    for index, left in enumerate(centers):
        moved = [(w, c, y, min(p + index * move, 1.0)) for w, c, y, p in people[left]]
        rows += predictions(moved, "test", model, left, "loco")
        others = [one for c in centers if c != left for one in people[c]]
        rows += predictions(others, "train", model, left, "loco")
    everybody = [one for c in centers for one in people[c]]
    return rows, cohort(everybody)


def test_loco_has_a_row_for_each_center_and_for_all(block):
    rows, everybody = loco(block)
    found = design.evaluate(rows, everybody, block, 1)
    assert headline(found, "auc", split="all")["n"] == 72
    for center in ("north", "south", "west"):
        alone = headline(found, "auc", split=center)
        same = headline(found, "auc", group=f"center:{center}", split="all")
        assert alone["estimate"] == same["estimate"]
    sexes = {row[4] for row in found["performance"] if row[4].startswith("subgroup:sex")}
    assert sexes == {"subgroup:sex=female", "subgroup:sex=male"}


def test_each_patient_of_all_keeps_the_decision_of_their_own_split(block):
    rows, everybody = loco(block)
    for row in rows:
        if row["split"] == "south":
            # Another scale in one split: its own threshold follows, so that nothing else changes.
            row["probability"] = str(float(row["probability"]) / 10)
    found = design.evaluate(rows, everybody, block, 1)
    plain, same = loco(block)
    expected = design.evaluate(plain, same, block, 1)
    for metric in ("sensitivity", "specificity", "accuracy"):
        assert headline(found, metric, split="all")["estimate"] == pytest.approx(
            headline(expected, metric, split="all")["estimate"]
        )


def test_pooling_reads_the_tables_alone(block, tmp_path):
    rows, everybody = loco(block, move=0.03)
    paths = {name: tmp_path / "loco" / f"{name}.csv" for name in ("performance", "roc")}
    tables.write_csv(tmp_path / "p.csv", HEADER, rows)
    tables.write_csv(tmp_path / "cohort.csv", list(everybody[0]), everybody)
    evaluate_design.run([tmp_path / "p.csv"], tmp_path / "cohort.csv", paths, block, 1)
    outputs = {n: tmp_path / f"{n}.csv" for n in ("performance", "pooled", "pooled_centers")}
    pool_centers.run({n: [path] for n, path in paths.items()}, outputs, 0.95)
    assert outputs["performance"].read_bytes() == paths["performance"].read_bytes()
    found = tables.read_csv(outputs["pooled"])
    auc = next(row for row in found if row["metric"] == "auc")
    assert (auc["method"], auc["k"]) == ("reml_hartung_knapp", "3")
    assert float(auc["pi_low"]) <= float(auc["ci_low"]) <= float(auc["estimate"])
    methods = {row["method"] for row in found if row["metric"] == "auc"}
    assert methods == {
        "reml_hartung_knapp_truncated", "reml_hartung_knapp", "paule_mandel_hartung_knapp", "pooled_predictions",
    }  # fmt: skip
    forest = tables.read_csv(outputs["pooled_centers"])
    weights = [
        float(row["weight"])
        for row in forest
        if row["metric"] == "oe_ratio" and row["method"] == "reml_hartung_knapp"
    ]
    assert sum(weights) == pytest.approx(1)


def test_a_center_that_keeps_its_data_takes_part_by_its_table(block, tmp_path):
    rows, everybody = loco(block, move=0.03)
    tables.write_csv(tmp_path / "p.csv", HEADER, rows)
    tables.write_csv(tmp_path / "cohort.csv", list(everybody[0]), everybody)
    own = {"performance": tmp_path / "performance.csv"}
    evaluate_design.run([tmp_path / "p.csv"], tmp_path / "cohort.csv", own, block, 1)
    sent = [
        {**row, "group": "center:east"}
        for row in tables.read_csv(own["performance"])
        if row["group"] == "center:south"
    ]
    columns = COLUMNS["performance"]
    tables.write_csv(tmp_path / "east.csv", columns, sent)
    outputs = {"pooled": tmp_path / "pooled.csv", "performance": tmp_path / "all.csv"}
    inputs = {"performance": [own["performance"]]}
    pool_centers.run(inputs, outputs, 0.95, [tmp_path / "east.csv"])
    auc = next(row for row in tables.read_csv(outputs["pooled"]) if row["metric"] == "auc")
    assert auc["k"] == "4"
    assert "east" not in outputs["performance"].read_text()
    with pytest.raises(InputError, match="center north is in design loco of this study already"):
        pool_centers.run(inputs, outputs, 0.95, [own["performance"]])
    tables.write_csv(tmp_path / "bare.csv", columns[:-1], [])
    with pytest.raises(InputError, match="no column"):
        pool_centers.run(inputs, outputs, 0.95, [tmp_path / "bare.csv"])


def performance_row(center, metric, estimate, low, high, method, n=40, events=20, group=None):
    cells = ("loco", "all", "network", "test", group or f"center:{center}", metric)
    values = (*cells, estimate, low, high, method, n, events)
    return dict(zip(COLUMNS["performance"], map(str, values), strict=True))


def test_centers_with_an_auc_of_1_or_nobody_cured_take_part_and_are_named():
    rows = [
        performance_row("a", "auc", 1.0, 0.85, 1.0, "newcombe"),
        performance_row("b", "auc", 0.8, 0.65, 0.9, "delong_logit"),
        performance_row("c", "auc", 0.7, 0.52, 0.83, "delong_logit"),
        performance_row("a", "oe_ratio", 0.0, 0.0, 0.2, "wilson", events=0),
        performance_row("b", "oe_ratio", 1.2, 0.9, 1.6, "log_t"),
    ]
    summary, _ = pooled.rows(rows, 0.95)
    by_metric = {row[2]: dict(zip(COLUMNS["pooled"], row, strict=True)) for row in summary}
    assert by_metric["auc"]["k"] == 3
    assert 0.5 < by_metric["auc"]["estimate"] < 1
    assert "a: AUC without a variance" in by_metric["auc"]["detail"]
    assert "a: nobody or everybody cured" in by_metric["oe_ratio"]["detail"]
    assert by_metric["oe_ratio"]["estimate"] > 0


def test_log_oe_of_a_center_without_cures_uses_what_was_expected():
    # 40 patients, expected .3 each; Wilson's upper limit of 0 / 40 is stored over the mean.
    from thyrocast.statistics import intervals

    high = intervals.wilson(0, 40).high / 0.3
    row = performance_row("a", "oe_ratio", 0.0, 0.0, high, "wilson", events=0)
    value, variance, _ = pooled._ratio(row, 0.95)
    assert value == pytest.approx(math.log(0.5 / 12))
    assert variance == pytest.approx((1 - 0.5 / 40) / 0.5)


def test_one_center_cannot_be_pooled_and_leaves_empty_cells(one):
    rows = [
        dict(zip(COLUMNS["performance"], ["" if c is None else str(c) for c in row], strict=True))
        for row in one["performance"]
    ]
    summary, _ = pooled.rows(rows, 0.95)
    row = dict(zip(COLUMNS["pooled"], summary[0], strict=True))
    assert (row["k"], row["estimate"]) == (1, None)


def test_one_outcome_in_the_test_set_is_said_and_the_rest_still_scored(block):
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
    assert headline(found, "auc")["ci_method"] == "newcombe"
    suppressed = headline(found, "auc", group="center:north")
    assert suppressed["n"] is None
    assert suppressed["ci_method"].startswith("suppressed")


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


def test_small_groups_are_hidden_and_cannot_be_worked_out(block):
    people = patients("t", "north")
    rows = predictions(people, "test") + predictions(patients("l", "north"), "train")
    everybody = cohort(people)
    for index, row in enumerate(everybody):
        row["sex"] = "male" if index % 12 < 2 else "female"
    found = design.evaluate(rows, everybody, block, 1)
    sexes = [row for row in found["performance"] if row[4].startswith("subgroup:sex")]
    # Four men are too few; without them the women would give them away.
    assert [row[9].startswith("suppressed") for row in sexes] == [True, True]
    assert all(row[10] is None for row in sexes)


def test_labels_of_subgroups():
    assert [groups.label(x, [60, 40]) for x in ("39.9", "40", "59", "60", "", "n/a")] == [
        "<40", "40-<60", "40-<60", ">=60", "missing", "missing",
    ]  # fmt: skip
    assert groups.label("female", []) == "female"


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
    tables.write_csv(
        tmp_path / "p.csv", HEADER, predictions(people, "test") + predictions(train, "train")
    )
    tables.write_csv(tmp_path / "cohort.csv", ["patient"], [[who] for who, *_ in people])
    # A physician who read the test patients but three, and nobody of the training set.
    write(tmp_path / "reader.csv", ("patient", "score"), [(w, p) for w, _, _, p in people[3:]])
    block["comparators"] = [
        {"name": "physician", "table": str(tmp_path / "reader.csv"), "column": "score"}
    ]
    names = ("performance", "comparisons", "predictions")
    outputs = {name: tmp_path / "out" / f"{name}.csv" for name in names}
    evaluate_design.run([tmp_path / "p.csv"], tmp_path / "cohort.csv", outputs, block, 1)
    rows = tables.read_csv(outputs["performance"])
    mine = next(row for row in rows if row["model"] == "physician" and row["metric"] == "auc")
    assert mine["n"] == "21"
    sensitivity = next(
        row for row in rows if (row["model"], row["metric"]) == ("physician", "sensitivity")
    )
    assert "no threshold" in sensitivity["ci_method"]
    compared = tables.read_csv(outputs["comparisons"])
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
    tables.write_csv(tmp_path / "p.csv", HEADER, predictions(patients("t", "north"), "test"))
    tables.write_csv(tmp_path / "cohort.csv", ["patient"], [])
    block["comparators"] = [
        {"name": "other", "table": str(tmp_path / "c.csv"), "column": "probability"}
    ]
    with pytest.raises(InputError, match=message):
        evaluate_design.run([tmp_path / "p.csv"], tmp_path / "cohort.csv", {}, block, 1)


def test_sample_size_is_held_against_the_patients_there_are(block, tmp_path):
    people = patients("t", "north")
    tables.write_csv(tmp_path / "cohort.csv", list(cohort(people)[0]), cohort(people))
    plan_sample_size.run(tmp_path / "cohort.csv", tmp_path / "size.csv", block)
    rows = {(r["purpose"], r["criterion"]): r for r in tables.read_csv(tmp_path / "size.csv")}
    whole = rows["development", "all"]
    assert (whole["available_n"], whole["available_events"]) == ("24", "12")
    assert whole["sufficient"] == "no"
    assert int(whole["required_n"]) == max(
        int(row["required_n"]) for (purpose, _), row in rows.items() if purpose == "development"
    )
    assert "interval of an AUC of 0.8" in rows["precision", "auc"]["detail"]
