"""Tables and texts of the page's sections."""

import dataclasses

import pandas as pd
import pytest

from tests.unit.report import example_study
from tests.unit.report.example_study import with_cohort, with_table
from thyrocast import report
from thyrocast.config.eligibility import EligibilityConfig
from thyrocast.contract import documents, io
from thyrocast.contract import evaluation as ev
from thyrocast.contract.documents import Flow
from thyrocast.contract.names import (
    UNSEEN_CENTERS,
    Design,
    Metric,
    Model,
    OutcomeRule,
    Role,
    ThresholdRule,
)
from thyrocast.contract.splits import SPLITS
from thyrocast.contract.table import Table
from thyrocast.pages import numbers
from thyrocast.pages.parts import Grid
from thyrocast.report import words
from thyrocast.report.grids import center_grids, design_grids
from thyrocast.report.methods import checklist, methods_section
from thyrocast.report.sections import (
    banners,
    calendar,
    design_section,
    participants,
    pretraining_value,
    published,
    table_one,
    training,
)

NEW_CENTER = "New center"


def test_pooling_shows_one_row_for_each_metric_and_center(small):
    for pooled, metric in zip(
        center_grids.pooled(small, "loco"), ("AUC", "Observed / expected"), strict=True
    ):
        assert [(row[0].text, row[1].text) for row in pooled.rows] == [
            ("Network", metric),
            ("Signature", metric),
        ]
    (influence,) = center_grids.influence(small, "loco")
    assert len(influence.rows) == 2 * 2
    assert center_grids.pooled(small, "external") == []


def test_heterogeneity_is_shown_in_percent(small):
    row = center_grids.pooled(small, "loco")[0].rows[0]
    assert "31\N{NO-BREAK SPACE}%" in [cell.text for cell in row]


def test_the_level_of_a_prediction_interval_is_the_configs(configured):
    header = center_grids.pooled(configured(evaluation={"confidence": 0.9}), "loco")[0].header
    (title,) = [name for name in header if name.startswith(NEW_CENTER)]
    assert "90" in title
    assert "95" not in title


def test_prediction_sets_have_a_table_in_the_test_set(small):
    (sets,) = [
        g for g in design_grids.tables(small, "loco", "test") if "prediction sets" in g.caption
    ]
    assert "90\N{NO-BREAK SPACE}% of the sets" in sets.note
    assert sets.header[2:] == ["True outcome in the set", "Undecided"]


def test_comparisons_show_the_auc_first_and_name_their_method(small):
    def more(frame: pd.DataFrame) -> pd.DataFrame:
        ratio = frame.assign(
            metric="likelihood_ratio", method="likelihood_ratio_chi2_1", ci_low=None, ci_high=None
        )
        benefit = frame.assign(metric="net_benefit", at=0.6, method="t_paired")
        return pd.concat([benefit, frame, ratio])

    auc, other, added = design_grids.comparisons(with_table(small, ev.COMPARISONS, more), "loco")
    assert (auc.rows[0][1].text, auc.rows[0][-1].text) == ("AUC", "DeLong, paired")
    assert (other.rows[0][1].text, other.rows[0][-1].text) == ("Net benefit at 0.6", "t, paired")
    assert added.rows[0][0].text == "Network added to Signature"


def grids_of(study: report.StudyResults) -> list[Grid | None]:
    """All tables with results of performance.csv."""
    return [
        grid
        for design in study.designs
        for grid in (
            *design_grids.tables(study, design, "test"),
            *design_grids.tables(study, design, "train"),
            *design_grids.subgroups(study, design),
            *design_grids.by_split(study, design),
            center_grids.centers(study, design),
        )
    ]


def test_a_second_row_of_a_metric_is_not_shown_instead_of_the_first(small):
    def twice(frame: pd.DataFrame) -> pd.DataFrame:
        other = frame.assign(ci_method="bootstrap_stratified_percentile")
        other.loc[other["ci_low"].notna(), ["ci_low", "ci_high"]] = [0.123, 0.987]
        return pd.concat([frame, other])

    assert grids_of(with_table(small, ev.PERFORMANCE, twice)) == grids_of(small)


def result_missing(study: report.StudyResults, kind: str, group: str, **cells: object):
    def change(frame: pd.DataFrame) -> pd.DataFrame:
        mine = (frame["group_kind"] == kind) & (frame["group"] == group)
        frame.loc[mine, ["estimate", "ci_low", "ci_high"]] = None
        frame.loc[mine, list(cells)] = list(cells.values())
        return frame

    return with_table(study, ev.PERFORMANCE, change)


def test_a_center_with_one_outcome_says_so(small):
    study = result_missing(
        small, "center", "valley", status="not_estimable", note="only one outcome"
    )
    grid = center_grids.centers(study, "loco")
    assert grid is not None
    (row,) = [row for row in grid.rows if row[0].text == "valley"]
    assert row[2].text == numbers.MISSING
    assert row[2].detail == "not estimable: only one outcome"


def test_suppressed_results_are_missing_with_the_reason(small):
    study = result_missing(
        small, "subgroup", "male", status="suppressed", note="", n=None, events=None
    )
    (grid,) = design_grids.subgroups(study, "loco")
    (row,) = [row for row in grid.rows if row[0].text == "Sex: male"]
    assert [cell.text for cell in row[1:]] == [numbers.MISSING] * (len(row) - 1)
    assert row[2].detail == "not shown"
    assert "too few patients" in grid.note


def test_numbers_that_do_not_add_up_are_found(small, small_folder, tmp_path):
    assert participants.flow_section(small).inconsistent == []
    text = (small_folder / "cohort" / "flow.json").read_text(encoding="utf-8")
    changed = tmp_path / "flow.json"
    changed.write_text(text.replace('"analyzed": 40', '"analyzed": 39'), encoding="utf-8")
    study = dataclasses.replace(small, flow=documents.read(Flow, changed))
    assert participants.flow_section(study).inconsistent == ["north"]


def test_table_one_counts_unknown_values_and_drops_what_no_center_has(small):
    study = with_cohort(small, lambda frame: frame.assign(ft3=None, smoking=None))
    (by_center, by_outcome) = table_one.table_one(study)
    names = [row[0].text for row in by_center.rows]
    assert "Free T3, pmol/L" not in names
    assert "Not recorded by any center: Free T3 and Smoking." in by_center.note
    trab = by_center.rows[names.index("TRAb, IU/L")]
    assert "unknown" in trab[1].detail
    patients = by_center.rows[0][1:]
    assert int(patients[0].text) == sum(int(cell.text) for cell in patients[1:])
    assert by_outcome.header == ["", "Cured", "Not cured"]


def test_a_column_with_many_codes_is_shortened(small):
    study = with_cohort(
        small, lambda frame: frame.assign(vendor=[f"v{i % 20:02d}" for i in range(len(frame))])
    )
    rows = table_one.table_one(study)[0].rows
    vendors = [row for row in rows if row[0].text.startswith("Camera vendor")]
    assert len(vendors) == table_one.MOST_CODES + 1
    assert vendors[-1][0].text == "Camera vendor: 12 other values"
    assert sum(int(row[1].text) for row in vendors) == int(rows[0][1].text)


def test_the_outcome_rule_of_every_center_is_named(small):
    north, valley, lakeside, coast = small.config.centers
    rule = valley.outcome.model_copy(update={"rule": OutcomeRule.FOLLOWUP, "months": 6.0})
    centers = (north, valley.model_copy(update={"outcome": rule}), lakeside, coast)
    study = dataclasses.replace(small, config=small.config.model_copy(update={"centers": centers}))
    assert dict(methods_section.paragraphs(study))["Outcome"].startswith(
        "north and lakeside: as stated in the center’s own table; "
        "valley: derived from follow-up: cured if neither hyperthyroid nor on antithyroid drugs at the "
        "visit nearest to 6 (3 to 9) months after therapy (a month is 30.4375 days); a second treatment "
        "settles failure; subclinical hyperthyroidism counts as cured; overt hypothyroidism settles "
        "cure from 24 weeks on."
    )


def test_eligibility_is_quoted_for_tripod_and_its_absence_is_a_banner(small):
    north, valley, lakeside, coast = small.config.centers
    rule = EligibilityConfig.read(
        {
            "diagnosis": {"column": "Dx", "graves": ["E05.0"]},
            "earlier_surgery": {"column": "OP", "missing": "include"},
            "age": {"minimum": 18},
        }
    )
    centers = (
        north.model_copy(update={"eligibility": rule}),
        valley.model_copy(update={"eligibility": None}),
        lakeside,
        coast,
    )
    study = dataclasses.replace(small, config=small.config.model_copy(update={"centers": centers}))
    text = dict(methods_section.paragraphs(study))["Eligibility"]
    assert text.startswith(
        "north: a diagnosis of Graves’ disease, no earlier thyroid surgery (included if not known), age "
        "of at least 18 years; valley: not stated: every row of the clinical table counted as eligible; "
        "lakeside and coast: every row"
    )
    assert "E05" not in text  # codes and columns of a center stay there
    (item,) = [item for item in checklist.checklist(study) if item.number == "6b"]
    assert item.sentence == text
    assert (item.status, item.remains) == ("partly", "criteria of valley")
    shown = {banner.title: banner.text for banner in banners.banners(study)}
    assert shown["Eligibility is not stated"].startswith("The config of valley does not state")
    first = participants.flow_section(study).grid.rows[0]
    assert [cell.text for cell in first] == [
        "Eligibility", "by criteria", "not stated", "all rows, as stated", "all rows, as stated", "",
    ]  # fmt: skip


def test_networks_without_validation_patients_are_said_to_have_none(small):
    assert training.training_section(small).validated
    splits = tuple(
        dataclasses.replace(
            split,
            histories={
                member: history.assign(validation_loss=float("nan"), validation_auc=float("nan"))
                for member, history in split.histories.items()
            },
        )
        for split in small.splits
    )
    found = training.training_section(dataclasses.replace(small, splits=splits))
    assert not found.validated
    assert len(found.legend) == 1
    assert "nan" not in "".join(panel.svg for panel in found.panels).lower()


def test_the_report_says_what_simulated_scintigrams_contribute(tmp_path, small):
    example_study.write_study(tmp_path, models=("handcrafted", "simulated", "network"))
    study = report.read_study(example_study.files(tmp_path), example_study.config())
    where, handcrafted, network, caution = pretraining_value.sentences(study)
    assert where.startswith(
        "Differences in test patients of the design “External centers”, with 95"
    )
    assert handcrafted.startswith("Pretrained on simulation minus hand-crafted: AUC ")
    assert network.startswith("Pretrained on simulation minus network: AUC ")
    favors = "(above 0 favors “Pretrained on simulation”)"
    assert favors in handcrafted
    assert favors in network
    # The models differ in more than the simulated scintigrams, and no difference may read as their effect.
    assert "None of these differences is the effect of the simulated scintigrams alone" in caution
    # The table has the difference of this pair the other way round.
    rows = study.select(ev.COMPARISONS, design="external", model_b="simulated")
    assert numbers.estimate(*-rows.iloc[0][["difference", "ci_high", "ci_low"]], 3) in handcrafted

    settings = {"pretraining": "simulation", "architecture": "compact"}
    started = dataclasses.replace(study, config=example_study.config(network=settings))
    *_, same, untested = pretraining_value.sentences(started)
    assert same == caution
    assert "run a copy of it with network.pretraining: none" in untested
    applied = dataclasses.replace(started, applied=object())
    assert pretraining_value.sentences(applied)[-1].endswith(
        "locked model has no networks from random weights."
    )
    assert pretraining_value.sentences(small) == []  # it has no such model


def test_methods_name_the_predictors_of_each_model(small):
    text = dict(methods_section.paragraphs(small))["Predictors"]
    assert (
        "The model “Pretrained on simulation” uses mass, uptake, heterogeneity and contrast" in text
    )
    assert (
        "The combined model uses all of these predictors, and the log-odds of network and signature"
        in text
    )


def test_methods_say_when_training_stops(configured):
    def said(**more: object) -> str:
        study = configured(network={"epochs": 8, **more})
        return dict(methods_section.paragraphs(study))["Network"]

    assert "from random weights for 8 epochs." in said(early_stopping={"fraction": 0})
    assert "at most 8 epochs; 15\N{NO-BREAK SPACE}% of the training patients" in said(
        early_stopping={"fraction": 0.15}
    )


def test_the_published_results_are_read_from_their_file():
    study = published.read()
    assert (study.patients, study.centers, study.division) == (121, 1, "8:2")
    assert study.network_auc_validation == 0.806


@pytest.mark.parametrize(
    ("names", "titles"),
    [
        (Model, words.MODELS),
        (Design, words.DESIGNS),
        (Design, words.DESIGN_NOTES),
        (Metric, words.METRICS),
        (ThresholdRule, words.RULES),
        (Role, words.ROLES),
    ],
)
def test_every_name_of_the_contract_has_words(names, titles):
    assert {*names} == {*titles}
    assert {*UNSEEN_CENTERS} <= {*words.DESIGNS}


@pytest.mark.parametrize("table", [ev.ROC, ev.POOLED], ids=lambda table: table.name)
def test_a_design_without_rows_gives_an_empty_table(small, table: Table):
    rows = small.select(table, design="kfold")
    assert rows.empty
    assert [*rows.columns] == [*table.names]


@pytest.mark.parametrize(
    ("area", "expected"), [(0.99, "Ridge on features has"), (0.01, "not below")]
)
def test_the_report_says_which_head_would_have_won(small, area, expected):
    def with_ridge(rows):
        own = rows[(rows["model"] == "signature") & (rows["metric"] == Metric.AUC)]
        return pd.concat([rows, own.assign(model="ridge", estimate=area)], ignore_index=True)

    study = with_table(small, ev.PERFORMANCE, with_ridge)
    section = design_section.design_section(study, "external")
    assert any(expected in sentence for sentence in section.sentences)
    assert not any(
        expected in s for s in design_section.design_section(small, "external").sentences
    )


def test_a_temporal_design_says_who_is_in_it(small):
    design = "temporal"
    development = small.cohort[small.cohort["role"] == "development"]
    north = development[development["center"] == "north"]["patient"]
    valley = development[development["center"] == "valley"]["patient"].iloc[2:]
    rows = [
        {"design": design, "split": "all", "patient": p, "set": "train", "fold": 1}
        for p in north[:20]
    ]
    rows += [
        {"design": design, "split": "all", "patient": p, "set": "test", "fold": None}
        for p in [*north[20:], *valley]
    ]
    study = dataclasses.replace(small, division=io.build(SPLITS, rows))
    first, left_out, one_side, no_years = calendar.sentences(study, design)
    assert no_years == "Too few patients were tested for results by year of therapy."
    assert first.startswith(
        "20 patients treated before the first day of the test set, 54 from it on"
    )
    assert left_out.startswith("Fewer than 5 development patients")
    assert one_side == (
        "All dates of therapy are from that day on, so training saw nobody, in valley."
    )
    assert calendar.sentences(study, "loco") == []


def test_performance_over_calendar_time_has_a_row_for_each_period(small):
    def by_period(frame: pd.DataFrame) -> pd.DataFrame:
        sex = (frame["variable"] == "sex") & (frame["design"] == "loco")
        return pd.concat([frame, frame[sex].assign(variable="therapy_period")])

    (grid,) = calendar.over_time(with_table(small, ev.PERFORMANCE, by_period), "loco")
    assert "Signature" in grid.caption
    assert [row[0].text for row in grid.rows] == ["female", "male"]
    assert calendar.over_time(small, "loco") == []
