"""Centers: apart, together, pooled by their tables, and left out where they are too small."""

import math

import numpy as np
import pytest
from scipy import special

import evaluate_design
import pool_centers
from tests.unit.evaluation.example_study_of_24 import (
    HEADER,
    cohort,
    headline,
    loco,
    patients,
    predictions,
)
from thyrocast import fileio
from thyrocast.errors import InputError
from thyrocast.evaluation import design, groups, pooled
from thyrocast.evaluation.layout import COLUMNS
from thyrocast.evaluation.sample import Sample


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
    fileio.write_csv(tmp_path / "p.csv", HEADER, rows)
    fileio.write_csv(tmp_path / "cohort.csv", list(everybody[0]), everybody)
    evaluate_design.run([tmp_path / "p.csv"], tmp_path / "cohort.csv", paths, block, 1)
    outputs = {n: tmp_path / f"{n}.csv" for n in ("performance", "pooled", "pooled_centers")}
    pool_centers.run({n: [path] for n, path in paths.items()}, outputs, 0.95)
    assert outputs["performance"].read_bytes() == paths["performance"].read_bytes()
    found = fileio.read_csv(outputs["pooled"])
    auc = next(row for row in found if row["metric"] == "auc")
    assert (auc["method"], auc["k"]) == ("reml_hartung_knapp_truncated", "3")
    assert float(auc["pi_low"]) <= float(auc["ci_low"]) <= float(auc["estimate"])
    # of a new center, only centers that no model saw say something
    seen, _ = pooled.rows(
        [row | {"design": "holdout"} for row in fileio.read_csv(paths["performance"])], 0.95
    )
    assert {(row[7], row[8]) for row in seen} == {(None, None)}
    methods = {row["method"] for row in found if row["metric"] == "auc"}
    assert methods == {
        "reml_hartung_knapp_truncated", "reml_hartung_knapp", "paule_mandel_hartung_knapp", "pooled_predictions",
    }  # fmt: skip
    forest = fileio.read_csv(outputs["pooled_centers"])
    weights = [
        float(row["weight"])
        for row in forest
        if row["metric"] == "oe_ratio" and row["method"] == "reml_hartung_knapp"
    ]
    assert sum(weights) == pytest.approx(1)


def test_a_center_that_keeps_its_data_takes_part_by_its_table(block, tmp_path):
    rows, everybody = loco(block, move=0.03)
    fileio.write_csv(tmp_path / "p.csv", HEADER, rows)
    fileio.write_csv(tmp_path / "cohort.csv", list(everybody[0]), everybody)
    own = {"performance": tmp_path / "performance.csv"}
    evaluate_design.run([tmp_path / "p.csv"], tmp_path / "cohort.csv", own, block, 1)
    sent = [
        {**row, "group": "center:east"}
        for row in fileio.read_csv(own["performance"])
        if row["group"] == "center:south"
    ]
    columns = COLUMNS["performance"]
    fileio.write_csv(tmp_path / "east.csv", columns, sent)
    outputs = {"pooled": tmp_path / "pooled.csv", "performance": tmp_path / "all.csv"}
    inputs = {"performance": [own["performance"]]}
    pool_centers.run(inputs, outputs, 0.95, [tmp_path / "east.csv"])
    auc = next(row for row in fileio.read_csv(outputs["pooled"]) if row["metric"] == "auc")
    assert auc["k"] == "4"
    assert "east" not in outputs["performance"].read_text()
    with pytest.raises(InputError, match="center north is in design loco of this study already"):
        pool_centers.run(inputs, outputs, 0.95, [own["performance"]])
    with pytest.raises(InputError, match="center east is in design loco .* or comes twice"):
        pool_centers.run(inputs, outputs, 0.95, [tmp_path / "east.csv"] * 2)
    seen = [row | {"design": "holdout"} for row in sent]
    fileio.write_csv(tmp_path / "seen.csv", columns, seen)
    with pytest.raises(InputError, match="designs loco or external"):
        pool_centers.run(inputs, outputs, 0.95, [tmp_path / "seen.csv"])
    fileio.write_csv(tmp_path / "bare.csv", columns[:-1], [])
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


def test_a_small_center_is_hidden_in_its_own_split_too(block):
    rows, everybody = loco(block)
    kept = {f"north-t{index:02d}" for index in (0, 1, 2, 100, 101, 102)}
    rows = [row for row in rows if row["center"] != "north" or row["patient"] in kept]
    found = design.evaluate(rows, everybody, block, 1)
    for table in ("performance", "roc", "calibration_groups", "decision_curve"):
        test = [row for row in found[table] if row[3] == "test" and row[5] != "auc"]
        # South goes with north: all without the other two would be north.
        assert {row[1] for row in test} == {"west", "all"}, table
    assert not [row for row in found["comparisons"] if row[1] == "north"]
    shown = {row[4] for row in found["performance"] if row[10] is not None}
    assert "center:west" in shown
    assert not shown & {"center:north", "center:south"}


def test_a_center_does_not_show_as_the_rest_of_a_vendor():
    # One vendor serves a and b, the other c and d; a is small, and c of no other use than its size.
    centers = ["a"] * 6 + ["b"] * 40 + ["c"] * 12 + ["d"] * 40
    vendors = ["v"] * 46 + ["w"] * 52
    sample = Sample(
        "loco",
        "all",
        "network",
        "test",
        np.array([f"p{i}" for i in range(98)]),
        np.array(centers),
        np.arange(98) % 2 == 0,
        np.full(98, 0.5),
    )
    least = {"patients": 10, "outcomes": 3}
    found = groups.divide(sample, {"center:": centers, "vendor:": vendors}, least)
    shown = [np.ones(98), *(inside for inside in found.values() if inside is not None)]
    known = np.stack(shown, axis=1).astype(float)
    wanted = np.array(centers) == "a"
    rest = wanted - known @ np.linalg.lstsq(known, wanted, rcond=None)[0]
    assert np.abs(rest).max() > 0.1
    assert found["center:d"] is not None


def test_repeats_make_no_small_center_large(block):
    people = patients("t", "north") + patients("u", "south", (0.9, 0.8, 0.7), (0.2, 0.3, 0.1))
    rows = [
        row
        for split in ("1-1", "2-1", "3-1")
        for row in (
            predictions(people, "test", split=split, kind="kfold")
            + predictions(patients("l", "north"), "train", split=split, kind="kfold")
        )
    ]
    found = design.evaluate(rows, cohort(people), block, 1)
    south = headline(found, "auc", group="center:south", split="all")
    assert south["ci_method"].startswith("suppressed")
    pooled_ = headline(found, "brier", split="all")
    assert (pooled_["n"], pooled_["events"]) == (30, 15)


def test_patients_predicted_several_times_do_not_weigh_as_several():
    rows = [
        performance_row("a", "auc", 0.8, 0.65, 0.9, "bootstrap_by_patient_percentile"),
        performance_row("b", "auc", 0.7, 0.52, 0.83, "bootstrap_by_patient_percentile"),
    ]
    value, variance, remark = pooled._area(rows[0], 0.95)
    width = special.logit(0.9) - special.logit(0.65)
    assert (value, variance) == pytest.approx((special.logit(0.8), (width / (2 * 1.959964)) ** 2))
    assert "bootstrap" in remark


def test_a_center_without_spread_is_named_where_it_takes_no_part():
    rows = [
        performance_row(name, "net_benefit@0.6", value, value - half, value + half, "t")
        for name, value, half in (("a", 0.2, 0.1), ("b", 0.3, 0.1), ("c", 0.0, 0.0))
    ]
    summary, _ = pooled.rows(rows, 0.95)
    row = dict(zip(COLUMNS["pooled"], summary[0], strict=True))
    assert row["k"] == 2
    assert row["detail"].endswith("too small: c")


def test_labels_of_subgroups():
    assert [groups.label(x, [60, 40]) for x in ("39.9", "40", "59", "60", "", "n/a")] == [
        "<40", "40-<60", "40-<60", ">=60", "missing", "missing",
    ]  # fmt: skip
    assert groups.label("female", []) == "female"
