"""Centers: alone, together, pooled by their tables, and suppressed if they are too small."""

import datetime
import math

import numpy as np
import pandas as pd
import pytest
from scipy import special

import evaluate_design
import pool_centers
from tests.unit.evaluation.example_study_of_24 import (
    cohort,
    evaluate,
    headline,
    loco,
    one_member,
    patients,
    performance_row,
    predictions,
)
from thyrocast.config.evaluation import MinimumCountConfig
from thyrocast.contract import io, splits
from thyrocast.contract.cohort import COHORT
from thyrocast.contract.evaluation import PERFORMANCE, POOLED, POOLED_CENTERS, PREDICTIONS, ROC
from thyrocast.contract.names import Design, GroupKind, Set
from thyrocast.evaluation import design, groups, periods, pooled_centers
from thyrocast.evaluation.groups import CENTERS, Division
from thyrocast.evaluation.samples import Sample
from thyrocast.evaluation.settings import Settings
from thyrocast.statistics import intervals


def test_loco_has_a_row_for_each_center_and_for_all(config):
    rows, everybody = loco()
    found = evaluate(rows, everybody, config)
    assert headline(found, "auc", split="all")["n"] == 72
    for center in ("north", "south", "west"):
        alone = headline(found, "auc", split=center)
        same = headline(found, "auc", "center", center, split="all")
        assert alone["estimate"] == same["estimate"]
    performance = found["performance"]
    assert set(performance.loc[performance["variable"] == "sex", "group"]) == {"female", "male"}


def test_each_patient_of_all_keeps_the_decision_of_their_own_split(configure):
    config = configure(threshold={"rule": "youden"})
    rows, everybody = loco()
    for row in rows:
        if row["split"] == "south":
            # Another scale in one split: its threshold is on that scale too, so nothing else changes.
            row["probability"] /= 10
    found = evaluate(rows, everybody, config)
    expected = evaluate(loco()[0], everybody, config)
    for metric in ("sensitivity", "specificity", "accuracy"):
        assert headline(found, metric, split="all")["estimate"] == pytest.approx(
            headline(expected, metric, split="all")["estimate"]
        )


def run_loco(config, folder, tables):
    """Evaluate a leave-one-center-out design by its script; paths of its tables by name."""
    rows, everybody = loco(move=0.03)
    own = io.build(splits.PREDICTIONS, rows)
    io.write(splits.PREDICTIONS, own, folder / "p.csv")
    io.write(splits.MEMBER_PREDICTIONS, one_member(own), folder / "m.csv")
    io.write(COHORT, cohort(everybody), folder / "cohort.csv")
    paths = {table.name: folder / "loco" / f"{table.name}.csv" for table in tables}
    evaluate_design.run(
        [folder / "p.csv"], [folder / "m.csv"], folder / "cohort.csv", paths, config, 1
    )
    return paths


def test_pooling_reads_the_tables_alone(config, tmp_path):
    paths = run_loco(config, tmp_path, (PERFORMANCE, ROC))
    tables = (PERFORMANCE, POOLED, POOLED_CENTERS)
    outputs = {table.name: tmp_path / f"{table.name}.csv" for table in tables}
    pool_centers.run({name: [path] for name, path in paths.items()}, outputs, 0.95)
    assert outputs["performance"].read_bytes() == paths["performance"].read_bytes()
    found = io.read(POOLED, outputs["pooled"])
    auc = found[found["metric"] == "auc"]
    assert list(auc["method"]) == [
        "reml_hartung_knapp_truncated", "reml_hartung_knapp", "paule_mandel_hartung_knapp",
        "pooled_predictions",
    ]  # fmt: skip
    first = auc.iloc[0]
    assert (first["k"], first["scale"]) == (3, "logit")
    assert first["pi_low"] <= first["ci_low"] <= first["estimate"]
    # Centers that the models saw give no information on a new center.
    seen = io.read(PERFORMANCE, paths["performance"]).assign(design="holdout")
    assert pooled_centers.pool(seen, 0.95).summary[["pi_low", "pi_high"]].isna().all(axis=None)
    forest = io.read(POOLED_CENTERS, outputs["pooled_centers"])
    ratios = forest[(forest["metric"] == "oe_ratio") & (forest["method"] == "reml_hartung_knapp")]
    assert ratios["weight"].sum() == pytest.approx(1)


def pooled_of(rows):
    """Headlines of `POOLED` by metric, of rows of `PERFORMANCE`."""
    summary = pooled_centers.pool(io.build(PERFORMANCE, rows), 0.95).summary
    return summary.drop_duplicates("metric").set_index("metric")


def test_centers_with_an_auc_of_1_or_nobody_cured_take_part_and_are_named():
    ratio_limit = intervals.wilson(0, 40).high / 0.3
    found = pooled_of(
        [
            performance_row("a", "auc", 1.0, 1.6, "logit", note="AUC without a DeLong variance"),
            performance_row("b", "auc", 0.8, 0.4, "logit"),
            performance_row("c", "auc", 0.7, 0.4, "logit"),
            performance_row(
                "a", "oe_ratio", 0.0, 1.4, "log", events=0, ci_high=ratio_limit, note="nobody cured"
            ),
            performance_row("b", "oe_ratio", 1.2, 0.15, "log"),
        ]
    )
    assert found.loc["auc", "k"] == 3
    assert 0.5 < found.loc["auc", "estimate"] < 1
    assert found.loc["auc", "note"] == "a: AUC without a DeLong variance"
    left_out = "left out (not estimable, without spread or too small): c"
    assert found.loc["oe_ratio", "note"] == f"{left_out}; a: nobody cured"
    assert found.loc["oe_ratio", "estimate"] > 0


def test_every_metric_names_the_centers_that_are_too_small(config):
    rows, everybody = loco(move=0.03)
    more = patients("e", "east", tuple(np.linspace(0.3, 0.9, 30)), ())
    for split in ("north", "south", "west"):
        rows += predictions(more, "train", split=split, kind="loco")
    rows += predictions(more, "test", split="east", kind="loco")
    rows += predictions(everybody, "train", split="east", kind="loco")
    # Everybody in the east was cured: the results of the others say nothing of it.
    found = pooled_centers.pool(evaluate(rows, [*everybody, *more], config)["performance"], 0.95)
    first = found.summary[found.summary["method"] == "reml_hartung_knapp_truncated"]
    assert len(first) == 5
    assert first["note"].str.contains("too small): east", regex=False).all()


def effect_of(row):
    [found] = pooled_centers._effects(io.build(PERFORMANCE, [row]), 0.95)
    return found


def test_log_oe_of_a_center_without_cures_uses_what_was_expected():
    # 40 patients, expected .3 each; the upper limit is Wilson's of 0 / 40 over the mean of .3.
    high = intervals.wilson(0, 40).high / 0.3
    row = performance_row("a", "oe_ratio", 0.0, 1.4, "log", events=0, ci_high=high)
    assert effect_of(row).value == pytest.approx(math.log(0.5 / 12))
    everybody = performance_row("a", "oe_ratio", 1 / 0.3, 0.02, "log", events=40)
    assert effect_of(everybody).value == pytest.approx(math.log(39.5 / 12))


def test_an_auc_of_1_is_moved_by_half_a_pair():
    found = effect_of(performance_row("a", "auc", 1.0, 1.6, "logit"))
    assert found.value == pytest.approx(special.logit(1 - 0.5 / 400))
    assert found.variance == pytest.approx(1.6**2)


def test_the_standard_error_of_an_auc_of_1_is_that_of_newcombes_variance(configure):
    config = configure(minimum_count={"patients": 1, "outcomes": 0})
    people = patients("t", "north", (0.9, 0.8, 0.7, 0.6), (0.1, 0.2, 0.3, 0.4))
    rows = predictions(people, "test") + predictions(patients("l", "north"), "train")
    row = headline(evaluate(rows, people, config), "auc", "center", "north")
    area = 1 - 0.5 / 16
    bracket = 1 + 3 * ((1 - area) / (2 - area) + area / (1 + area))
    variance = area * (1 - area) * bracket / 16
    assert row["std_error"] == pytest.approx(math.sqrt(variance) / (area * (1 - area)))


def test_one_center_cannot_be_pooled_and_leaves_empty_cells(one):
    row = pooled_centers.pool(one["performance"], 0.95).summary.iloc[0]
    assert (row["k"], row["status"]) == (1, "not_estimable")
    assert np.isnan(row["estimate"])
    assert row["note"] == "pooling needs at least two centers, found 1"


def test_small_groups_are_suppressed_and_cannot_be_derived(config):
    people = patients("t", "north")
    rows = predictions(people, "test") + predictions(patients("l", "north"), "train")
    sex = ["male" if index % 12 < 2 else "female" for index in range(len(people))]
    found = evaluate(rows, people, config, sex=sex)["performance"]
    sexes = found[found["variable"] == "sex"]
    # Four men are too few; without them the women would reveal them.
    assert list(sexes["status"]) == ["suppressed", "suppressed"]
    assert sexes["n"].isna().all()


@pytest.mark.parametrize(("cured", "shown"), [(2, True), (4, False)])
def test_patients_with_a_missing_value_hide_others_only_if_their_outcomes_are_the_same(
    cured, shown
):
    outcome = np.array([True] * cured + [False] * (4 - cured) + [True, False] * 40)
    names = np.array(["missing"] * 4 + ["low"] * 39 + ["high"] * 41)
    people = np.array([f"p{n}" for n in range(84)])
    center = np.full(84, "a")
    sample = Sample(
        Design.LOCO, "all", "network", Set.TEST, people, center, outcome, np.full(84, 0.5)
    )
    column = Division(GroupKind.SUBGROUP, "trab")
    found = groups.divide(sample, {column: names}, MinimumCountConfig(patients=10, outcomes=3))
    assert found[column, "missing"] is None
    assert (found[column, "low"] is not None) is shown
    assert found[column, "high"] is not None


def test_a_small_center_is_suppressed_in_its_own_split_too(config):
    rows, everybody = loco()
    kept = {f"north-t{index:02d}" for index in (0, 1, 2, 100, 101, 102)}
    rows = [row for row in rows if row["center"] != "north" or row["patient"] in kept]
    found = evaluate(rows, everybody, config)
    shown = found["performance"][found["performance"]["status"] != "suppressed"]
    for name in ("roc", "calibration_groups", "decision_curve"):
        assert set(found[name].loc[found[name]["set"] == "test", "split"]) == {"west", "all"}, name
    # South is suppressed with north: all patients without the other two centers would be north.
    assert set(shown.loc[shown["set"] == "test", "split"]) == {"west", "all"}
    assert "north" not in set(found["comparisons"]["split"])
    assert set(shown.loc[shown["group_kind"] == "center", "group"]) == {"west"}


def test_a_center_cannot_be_derived_from_a_vendor():
    # One vendor serves a and b, the other c and d; a is small.
    centers = ["a"] * 6 + ["b"] * 40 + ["c"] * 12 + ["d"] * 40
    vendors = ["v"] * 46 + ["w"] * 52
    sample = Sample(
        Design.LOCO,
        "all",
        "network",
        Set.TEST,
        np.array([f"p{i}" for i in range(98)]),
        np.array(centers),
        np.arange(98) % 2 == 0,
        np.full(98, 0.5),
    )
    vendor = Division(GroupKind.SUBGROUP, "vendor")
    ways = {CENTERS: np.array(centers), vendor: np.array(vendors)}
    found = groups.divide(sample, ways, MinimumCountConfig(patients=10, outcomes=3))
    shown = [np.ones(98), *(inside for inside in found.values() if inside is not None)]
    known = np.stack(shown, axis=1).astype(float)
    wanted = np.array(centers) == "a"
    rest = wanted - known @ np.linalg.lstsq(known, wanted, rcond=None)[0]
    assert np.abs(rest).max() > 0.1
    assert found[CENTERS, "d"] is not None


def test_repeated_predictions_make_no_small_center_large(config):
    people = patients("t", "north") + patients("u", "south", (0.9, 0.8, 0.7), (0.2, 0.3, 0.1))
    rows = [
        row
        for split in ("1-1", "2-1", "3-1")
        for row in (
            predictions(people, "test", split=split, kind="kfold")
            + predictions(patients("l", "north"), "train", split=split, kind="kfold")
        )
    ]
    found = evaluate(rows, people, config)
    south = headline(found, "auc", "center", "south", split="all")
    assert south["status"] == "suppressed"
    everybody = headline(found, "brier", split="all")
    assert (everybody["n"], everybody["events"]) == (30, 15)


def test_a_center_without_spread_is_named_as_left_out():
    found = pooled_of(
        [
            performance_row(name, "calibration_slope", value, error, "identity")
            for name, value, error in (("a", 0.2, 0.05), ("b", 0.3, 0.05), ("c", 0.0, 0.0))
        ]
    )
    row = found.loc["calibration_slope"]
    assert row["k"] == 2
    assert row["note"] == "left out (not estimable, without spread or too small): c"


def test_a_center_in_which_nobody_is_treated_counts_by_its_patients():
    found = pooled_of(
        [
            performance_row(name, "net_benefit", value, error, "identity", at=0.6)
            for name, value, error in (("a", 0.2, 0.05), ("b", 0.3, 0.09), ("c", 0.0, 0.0))
        ]
    )
    row = found.loc["net_benefit"]
    assert (row["k"], row["at"], row["note"]) == (3, 0.6, "")
    assert row["estimate"] == pytest.approx(0.5 / 3)
    # What no new center can be beyond: all treated and none cured, or all cured.
    assert row["pi_low"] >= -1.5
    assert row["pi_high"] <= 1


def test_names_of_subgroups():
    ages = pd.Series([39.9, 40, 59, 60, None])
    assert groups.subgroups(ages, [60, 40]) == ["<40", "40-<60", "40-<60", ">=60", "missing"]
    sexes = pd.Series(["female", "", None], dtype=object)
    assert groups.subgroups(sexes, []) == ["female", "missing", "missing"]
    assert groups.subgroups(pd.Series([256, None], dtype="Int64"), []) == ["256", "missing"]


def test_years_are_joined_until_a_period_has_enough_patients():
    least = MinimumCountConfig(patients=4, outcomes=1)
    years = [2015] * 5 + [2016] * 2 + [2017] * 3 + [2018] * 6 + [2019]
    cured = [True, False] * 8 + [True]
    assert periods.periods(years, cured, least) == {
        2015: "2015", 2016: "2016-2017", 2017: "2016-2017", 2018: "2018-2019", 2019: "2018-2019",
    }  # fmt: skip
    assert periods.periods([], [], least) == {}


def test_a_temporal_design_is_evaluated_by_period(config):
    people = patients("t", "north", *([tuple(np.linspace(0.2, 0.9, 30))] * 2))
    rows = predictions(people, "test", kind="temporal") + predictions(
        patients("l", "north"), "train", kind="temporal"
    )
    everybody = io.build(PREDICTIONS, rows)
    dates = {
        patient: datetime.date(2019 + n % 2, 1 + n % 12, 3)
        for n, patient in enumerate(everybody["patient"].unique())
    }
    of_people = cohort([*people, *patients("l", "north")])
    found = periods.add(of_people, dates, everybody, config.minimum_count)
    tested = found["patient"].isin([name for name, *_ in people])
    assert found.loc[~tested, "therapy_period"].isna().all()
    assert {*found.loc[tested, "therapy_period"]} == {"2019", "2020"}
    members = one_member(everybody)
    scored = design.evaluate(everybody, found, Settings(config, 1), members)[PERFORMANCE]
    periodic = scored[scored["variable"] == "therapy_period"]
    assert {*periodic["group"]} == {"2019", "2020"}
    assert {"auc", "brier", "oe_ratio"} <= {*periodic["metric"]}
