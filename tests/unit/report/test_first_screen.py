"""The first screen of studies of every kind."""

import dataclasses
from typing import Any

import pandas as pd
import pytest

from tests.unit.report.example_study import (
    config,
    files,
    with_cohort,
    with_table,
    write_simulation,
    write_study,
)
from thyrocast import report
from thyrocast.contract import documents
from thyrocast.contract import evaluation as ev
from thyrocast.contract.documents import SimulationSummary
from thyrocast.pages import numbers
from thyrocast.report import coverage
from thyrocast.report.sections import banners, design_section, first_screen
from thyrocast.report.sections.first_screen import MainResult


def titles(study: report.StudyResults) -> list[str]:
    return [banner.title for banner in banners.banners(study)]


def result(study: report.StudyResults) -> MainResult:
    found = first_screen.main_result(study)
    assert found is not None
    return found


def certainty(study: report.StudyResults) -> str:
    return " ".join(result(study).certainty)


def with_performance(study: report.StudyResults, metric: str, **cells: Any) -> report.StudyResults:
    """The study with the signature's results in a metric replaced."""

    def change(frame: pd.DataFrame) -> pd.DataFrame:
        mine = (frame["metric"] == metric) & (frame["model"] == "signature")
        frame.loc[mine, list(cells)] = list(cells.values())
        return frame

    return with_table(study, ev.PERFORMANCE, change)


@pytest.mark.parametrize(
    ("share", "title"),
    [(1, ["Simulated patients"]), (0.5, ["Some patients are simulated"]), (0, [])],
)
def test_simulated_patients_are_announced(small, share, title):
    def change(frame: pd.DataFrame) -> pd.DataFrame:
        cut = round(share * len(frame))
        return frame.assign(simulated=[True] * cut + [False] * (len(frame) - cut))

    found = titles(with_cohort(small, change))
    assert [name for name in found if "imulated" in name] == title


def test_the_models_that_simulated_outcomes_favor_are_named_where_the_simulator_is_known(
    small, tmp_path
):
    def said(study: report.StudyResults) -> str:
        return next(b.text for b in banners.banners(study) if "imulated" in b.title)

    unknown = with_cohort(small, lambda frame: frame.assign(simulated=True))
    summary = documents.read(SimulationSummary, write_simulation(tmp_path / "summary.json"))
    known = dataclasses.replace(unknown, simulation=summary)
    assert "which favors models that read these" in said(known)
    assert "favors" not in said(unknown)


def test_a_null_run_and_the_published_protocol_are_announced(configured):
    study = configured(outcomes="shuffled", signature={"embeddings": "in_sample"})
    assert {"Null run: outcomes were shuffled", "Published protocol: in-sample embeddings"} <= {
        *titles(study)
    }
    assert "in-sample, as published" in dict(first_screen.facts(study)).values()
    (_, train) = design_section.design_section(study, "external").roc
    assert "In-sample, as published" in train.note


def test_a_study_that_is_large_enough_is_not_called_small(small):
    assert "The study is too small" in titles(small)
    enough = with_table(small, ev.SAMPLE_SIZE, lambda frame: frame.assign(sufficient=True))
    assert "The study is too small" not in titles(enough)


def test_centers_left_out_in_turn_are_represented_by_their_mean(small):
    """Each of them has its own model, and the scales of two models must not be mixed."""

    def without_external(frame: pd.DataFrame) -> pd.DataFrame:
        return frame[frame["design"] != "external"]

    inside = with_table(small, ev.PERFORMANCE, without_external)
    study = with_table(inside, ev.POOLED, lambda frame: without_external(frame).assign(k=3))
    mean = study.select(ev.POOLED, design="loco", model="signature", metric="auc").iloc[0]
    found = result(study)
    assert found.scope.startswith("Mean AUC over centers of the signature in ")
    assert found.value == numbers.number(mean["estimate"])
    assert found.within == numbers.interval(mean["ci_low"], mean["ci_high"])
    section = design_section.design_section(study, "loco")
    assert section.summary == (
        f"Signature, AUC {numbers.estimate(mean['estimate'], mean['ci_low'], mean['ci_high'])}"
    )
    # A center that is left out may be one in which the model fails.
    fewer = with_table(study, ev.POOLED, lambda frame: frame.assign(k=1))
    assert "(mean of 1 center; 1 more left out)" in " ".join(result(fewer).certainty)
    # The curve that is drawn is that of all predictions together.
    joint = study.pooled_rows(ev.PERFORMANCE, "loco", "test", model="signature", metric="auc")
    (drawn,) = [key for key in section.roc[0].legend if key.label == "Signature"]
    assert numbers.number(joint.iloc[0]["estimate"]) in drawn.value

    # A mean of two centers has no useful interval.
    two = with_table(study, ev.POOLED, lambda frame: frame.assign(k=2, headline=False))
    assert result(two).value == numbers.number(joint.iloc[0]["estimate"])


def test_a_study_that_only_predicts_is_not_called_small(small):
    study = with_table(small, ev.PERFORMANCE, lambda frame: frame.iloc[:0])
    assert "The study is too small" not in titles(study)
    assert first_screen.main_result(study) is None


@pytest.mark.parametrize(
    ("values", "answer"),
    [
        ((0.3, 0.2, 0.4), "Worse than chance"),
        ((0.55, 0.45, 0.65), "Not shown to be better than chance"),
        ((0.58, 0.53, 0.65), "the signature ranks 58 in the right order (53 to 65); 50 would be"),
        ((0.81, 0.51, 0.95), "the signature ranks 81 in the right order (51 to 95); 50 would be"),
        ((0.9, None, None), "too few patients for an interval"),
    ],
)
def test_the_answer_follows_from_the_interval(small, values, answer):
    cells = dict(zip(("estimate", "ci_low", "ci_high"), values, strict=True))
    assert answer in result(with_performance(small, "auc", **cells)).answer


def test_a_model_that_gives_one_probability_is_said_to_distinguish_nobody(small):
    def same(frame: pd.DataFrame) -> pd.DataFrame:
        frame.loc[frame["model"] == "signature", "probability"] = 0.7
        return frame

    study = with_table(small, ev.PREDICTIONS, same)
    assert result(study).answer.startswith("No patients are distinguished: the signature gives all")
    assert "distinguished" not in result(small).answer


def test_bars_stay_on_their_scale(small):
    study = with_performance(small, "auc", estimate=0.3, ci_low=0.05, ci_high=1.0)
    scale = result(study).scale
    for bar in scale.bars:
        assert 0 <= bar.low <= bar.at <= bar.high <= 100
    assert scale.bars[0].model == "Signature"
    assert 0 < scale.chance < 100


def test_an_external_design_without_test_patients_is_represented_by_another(small):
    study = small
    for table in ev.OF_DESIGN:
        if table.name in study.tables and "set" in table.names:
            study = with_table(
                study, table, lambda f: f[(f["design"] != "external") | (f["set"] == "train")]
            )
    assert "each left out of training in turn" in result(study).scope
    section = design_section.design_section(study, "external")
    assert section.missing == design_section.NOTHING_SCORED
    assert section.training


def test_the_interval_says_what_it_covers_if_it_is_not_what_it_promises(small):
    method = "corrected_resampled_t"
    found = coverage.outside("auc", method)
    assert found is not None
    sentence = f"nominal 95 % intervals of this kind covered {found.text}"
    assert sentence in certainty(with_performance(small, "auc", ci_method=method))
    assert sentence not in certainty(with_performance(small, "auc", ci_method="bootstrap"))


@pytest.mark.parametrize(("low", "said"), [(-0.02, "includes 0"), (0.02, "excludes 0")])
def test_net_benefit_over_centers_is_not_judged_by_one_sample(small, low, said):
    def headed(frame: pd.DataFrame) -> pd.DataFrame:
        mine = (frame["metric"] == "auc") & (frame["model"] == "signature")
        first = frame[mine & frame["method"].str.endswith("truncated")]
        cells = {"metric": "net_benefit", "at": 0.6, "k": 3, "headline": True, "scale": "identity"}
        limits = {"estimate": 0.1, "ci_low": low, "ci_high": 0.3}
        return pd.concat([frame, first.assign(design="external", **cells, **limits)])

    def better(frame: pd.DataFrame) -> pd.DataFrame:
        mine = frame["model"] == "signature"
        frame.loc[mine, ["net_benefit", "ci_low", "avoided_low"]] = [0.9, 0.1, 0.1]
        return frame

    study = with_table(with_table(small, ev.POOLED, headed), ev.DECISION_CURVE, better)
    text = certainty(study)
    assert f"interval {said}, that of treating none" in text
    assert "the interval excludes chance" not in text


def test_a_holdout_alone_says_nothing_about_other_hospitals(tmp_path):
    designs = {"holdout": ["1"]}
    write_study(tmp_path, designs=designs, models=("signature",))
    found = result(report.read_study(files(tmp_path, designs), config()))
    assert found.question == "How good is the model in patients that it never saw?"
    assert "the performance in other hospitals is not known" in found.certainty[-1]


def test_a_prediction_interval_that_includes_chance_says_so(small):
    said = certainty(small)
    assert "a new hospital can expect an AUC between 0.48 and 0.91" in said
    assert "This includes chance." in said


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (0.6, 0.9, "They are too extreme: high ones are too high and low ones too low"),
        (0.6, 1.4, "Nothing shows that they are too extreme or not extreme enough"),
        (1.2, 1.9, "They are not extreme enough"),
    ],
)
def test_the_slope_says_whether_probabilities_are_too_extreme(small, low, high, said):
    study = with_performance(small, "calibration_slope", ci_low=low, ci_high=high)
    assert said in certainty(study)


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (0.6, 0.9, "are too high on average"),
        (0.6, 1.4, "are right on average"),
        (1.2, 1.9, "are too low on average"),
    ],
)
def test_observed_over_expected_says_whether_probabilities_are_too_high(small, low, high, said):
    assert said in certainty(with_performance(small, "oe_ratio", ci_low=low, ci_high=high))


@pytest.mark.parametrize(
    ("low", "said"),
    [
        (-0.1, "at none of them does the interval exclude chance"),
        (0.01, "treating none from 0.5 to 0.8; the interval excludes chance from 0.5 to 0.8"),
    ],
)
def test_a_net_benefit_within_chance_is_called_so(small, low, said):
    def change(frame: pd.DataFrame) -> pd.DataFrame:
        mine = frame["model"] == "signature"
        frame.loc[mine, ["net_benefit", "ci_low", "avoided_low"]] = [0.9, low, low]
        return frame

    assert said in certainty(with_table(small, ev.DECISION_CURVE, change))


def test_the_level_of_the_intervals_is_the_configs(small, configured):
    assert small.level == "95\N{NO-BREAK SPACE}%"
    said = certainty(configured(evaluation={"confidence": 0.9}))
    assert "with these centers (90\N{NO-BREAK SPACE}% interval" in said or (
        "with these patients (90\N{NO-BREAK SPACE}% interval" in said
    )
    assert configured(evaluation={"confidence": 0.975}).level == "97.5\N{NO-BREAK SPACE}%"


def test_what_the_image_adds_stands_on_the_first_screen(small):
    (added,) = result(small).added[-1:]
    assert "minus clinical: AUC" in added or "is not known from this study" in added


def test_the_added_value_is_the_model_with_the_image_minus_the_one_without(small):
    def change(frame: pd.DataFrame) -> pd.DataFrame:
        row = frame.iloc[0].to_dict() | {
            "design": "external", "split": "all", "set": "test", "model_a": "clinical",
            "model_b": "signature", "metric": "auc", "at": None, "difference": -0.04,
            "ci_low": -0.1, "ci_high": 0.02, "status": "estimated", "note": "mean of 3 centers",
        }  # fmt: skip
        return pd.concat([pd.DataFrame([row]), frame], ignore_index=True)

    def rename(frame: pd.DataFrame) -> pd.DataFrame:
        return frame.assign(model=frame["model"].replace({"network": "clinical"}))

    study = with_table(with_table(small, ev.COMPARISONS, change), ev.PERFORMANCE, rename)
    [added] = result(study).added
    assert added.startswith("Signature minus clinical: AUC 0.040 (−0.020 to 0.100)"), added
    assert "mean of 3 centers" in added


def test_without_a_model_without_the_image_nothing_is_said_of_its_value(small):
    def only(frame: pd.DataFrame) -> pd.DataFrame:
        return frame[frame["model"] == "signature"]

    [added] = result(with_table(small, ev.PERFORMANCE, only)).added
    assert "is not known from this study" in added


def test_the_primary_model_is_that_of_the_config(configured):
    study = configured(evaluation={"primary_model": "network"})
    assert "the network" in result(study).answer
    assert "AUC of the network in " in result(study).scope


def test_another_model_in_place_of_the_primary_one_is_announced(configured):
    shown = " ".join(result(configured(evaluation={"primary_model": "clinical"})).certainty)
    assert (
        "names for the main result, “Clinical”, was not scored here; the signature is shown"
        in shown
    )
    assert "in its place" not in " ".join(result(configured()).certainty)


def test_the_best_head_is_that_of_the_auc_that_is_shown(small):
    """The joint AUC of several splits may have another order than the means over centers."""

    def ridge(frame: pd.DataFrame, area: float) -> pd.DataFrame:
        frame = frame.assign(model=frame["model"].replace({"network": "ridge"}))
        frame.loc[(frame["model"] == "ridge") & (frame["metric"] == "auc"), "estimate"] = area
        return frame

    study = with_table(small, ev.PERFORMANCE, lambda frame: ridge(frame, 0.99))
    study = with_table(study, ev.POOLED, lambda frame: ridge(frame, 0.6).assign(k=3))
    (sentence,) = design_section._best_head(study, "loco")
    assert "is not below that of the linear models" in sentence


def test_thresholds_are_given_as_ranges():
    marked = pd.Series([True, True, False, True], index=[0.5, 0.51, 0.52, 0.53])
    assert first_screen._ranges(marked) == "from 0.5 to 0.51 and at 0.53"
