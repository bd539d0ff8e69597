"""What the first screen says of studies of every kind."""

import pandas as pd
import pytest

from tests.unit.report.example_study import COLUMNS, rewrite, write_study
from thyrocast.report import grids, learning, methods, participants, results, verdict, words


def titles(study) -> list[str]:
    return [banner.title for banner in verdict.banners(study)]


def with_auc(folder, *values: str):
    def change(frame: pd.DataFrame) -> pd.DataFrame:
        mine = (frame.metric == "auc") & (frame.model == "signature")
        frame.loc[mine, ["estimate", "ci_low", "ci_high"]] = list(values)
        return frame

    rewrite(folder, "evaluation/performance.csv", change)


@pytest.mark.parametrize(
    ("share", "title"),
    [(1, ["Simulated patients"]), (0.5, ["Some patients are simulated"]), (0, [])],
)
def test_simulated_patients_are_announced(copied, studied, share, title):
    def change(frame: pd.DataFrame) -> pd.DataFrame:
        cut = round(share * len(frame))
        return frame.assign(simulated=["1"] * cut + ["0"] * (len(frame) - cut))

    rewrite(copied, "cohort/cohort.csv", change)
    assert [t for t in titles(studied(copied)) if "imulated" in t] == title


def test_a_null_run_and_the_published_protocol_are_announced(small, studied):
    study = studied(small, outcomes="shuffled", signature={"embeddings": "in_sample"})
    assert {"Null run: outcomes were shuffled", "Published protocol: in-sample embeddings"} <= {
        *titles(study)
    }
    assert "in-sample, as published" in dict(verdict.facts(study)).values()
    (_, train) = results.block(study, "external").roc
    assert "In-sample, as published" in train.note


def test_a_study_that_is_large_enough_is_not_called_small(copied, studied):
    assert "Too small a study" in titles(studied(copied))
    rewrite(copied, "evaluation/sample_size.csv", lambda f: f.assign(sufficient="yes"))
    assert "Too small a study" not in titles(studied(copied))


def test_left_out_centers_are_answered_for_by_their_mean(copied, studied):
    """Each has a model of its own, and their scales don't mix."""

    def without_external(frame: pd.DataFrame) -> pd.DataFrame:
        return frame[frame.design != "external"]

    rewrite(copied, "evaluation/performance.csv", without_external)
    rewrite(copied, "evaluation/pooled.csv", lambda f: without_external(f).assign(k="3"))
    study = studied(copied)
    mean = study.select("pooled", design="loco", model="signature", metric="auc").iloc[0]
    found = verdict.verdict(study)
    assert found.scope.startswith("Mean AUC over centers of the signature in ")
    assert found.value == words.number(mean["estimate"])
    assert found.within == words.interval(mean["ci_low"], mean["ci_high"])
    assert results.block(study, "loco").glance == (
        f"Signature, AUC {words.estimate(mean['estimate'], mean['ci_low'], mean['ci_high'])}"
    )
    # the curve drawn is that of all predictions together
    joint = study.select("performance", design="loco", split="all", model="signature", set="test")
    joint = joint[(joint.group == "pooled") & (joint.metric == "auc")].iloc[0]
    (drawn,) = [
        key for key in results.block(study, "loco").roc[0].legend if key.label == "Signature"
    ]
    assert words.number(joint["estimate"]) in drawn.value

    # two centers are too few to say anything of a mean
    rewrite(copied, "evaluation/pooled.csv", lambda frame: frame.assign(k="2"))
    assert verdict.verdict(studied(copied)).value == words.number(joint["estimate"])


def test_a_study_that_only_predicts_is_not_called_small(copied, studied):
    rewrite(copied, "evaluation/performance.csv", lambda f: f.iloc[:0])
    assert "Too small a study" not in titles(studied(copied))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (("0.3", "0.2", "0.4"), "Worse than chance"),
        (("0.55", "0.45", "0.65"), "Not shown to be better than chance"),
        (("0.58", "0.53", "0.65"), "Slightly better than chance"),
        (("0.66", "0.56", "0.75"), "Somewhat better than chance"),
        (("0.75", "0.66", "0.85"), "Clearly better than chance"),
        (("0.9", "0.8", "0.95"), "Much better than chance"),
        (("0.9", "", ""), "too few patients allow no interval"),
    ],
)
def test_the_answer_follows_from_the_interval(copied, studied, values, words):
    with_auc(copied, *values)
    assert words in verdict.verdict(studied(copied)).answer


def test_bars_stay_on_their_scale(copied, studied):
    with_auc(copied, "0.3", "0.05", "1")
    found = verdict.verdict(studied(copied))
    for bar in found.bars:
        assert 0 <= bar.low <= bar.at <= bar.high <= 100
    assert found.bars[0].model == "Signature"
    assert 0 < found.chance < 100


def test_an_external_design_that_tests_nobody_leaves_the_verdict_to_another(copied, studied):
    for name, columns in COLUMNS.items():
        if {"design", "set"} <= {*columns}:
            rewrite(
                copied,
                f"evaluation/{name}.csv",
                lambda f: f[(f.design != "external") | (f.set == "train")],
            )
    study = studied(copied)
    assert "each left out of training in turn" in verdict.verdict(study).scope
    assert results.block(study, "external").missing == results.NOTHING_SCORED
    assert results.block(study, "external").training


def test_a_holdout_alone_says_nothing_of_other_hospitals(tmp_path, studied):
    designs = write_study(tmp_path, designs={"holdout": ["1"]}, models=("signature",))
    found = verdict.verdict(studied(tmp_path, designs))
    assert found.question == "How good is it in patients it never saw?"
    assert "this says nothing yet about other hospitals" in found.sure[-1]


def test_a_prediction_interval_that_includes_chance_says_so(copied, studied):
    said = " ".join(verdict.verdict(studied(copied)).sure)
    assert "a new hospital can expect an AUC between 0.48 and 0.91" in said
    assert "This includes chance." in said


@pytest.mark.parametrize(
    ("interval", "said"),
    [
        (("0.6", "0.9"), "They are too extreme, high ones too high and low ones too low"),
        (("0.6", "1.4"), "Nothing shows that they are too extreme or too timid"),
        (("1.2", "1.9"), "They are too timid"),
    ],
)
def test_probabilities_that_are_too_extreme_are_said_to_be(copied, studied, interval, said):
    def change(frame: pd.DataFrame) -> pd.DataFrame:
        frame.loc[frame.metric == "calibration_slope", ["ci_low", "ci_high"]] = list(interval)
        return frame

    rewrite(copied, "evaluation/performance.csv", change)
    assert said in " ".join(verdict.verdict(studied(copied)).sure)


@pytest.mark.parametrize(
    ("low", "said"),
    [
        ("-0.1", "but nowhere beyond chance"),
        ("0.01", "at 100\N{NO-BREAK SPACE}% of them beyond chance"),
    ],
)
def test_a_net_benefit_within_chance_is_said_to_be(copied, studied, low, said):
    def change(frame: pd.DataFrame) -> pd.DataFrame:
        frame.loc[frame.model == "signature", "net_benefit"] = "0.9"
        frame.loc[frame.model == "signature", ["ci_low", "avoided_low"]] = low
        return frame

    rewrite(copied, "evaluation/decision_curve.csv", change)
    assert said in " ".join(verdict.verdict(studied(copied)).sure)


def test_the_gallery_shows_probabilities_that_were_evaluated(copied, studied):
    study = studied(copied)
    found = learning.attention(study, "external")["overlays"]
    rows = study.select("predictions", design="external", model="network", set="test")
    evaluated = rows.set_index("patient")["probability"]
    assert found
    # What the maps' table holds is the network's raw probability, another one.
    (table,) = copied.glob("splits/external/*/explanation/gradcam.csv")
    raw = pd.read_csv(table).set_index("patient")["probability"]
    shown = raw.loc[[one.patient for one in found]]
    assert (shown.map(words.percent) != shown.index.map(evaluated).map(words.percent)).any()
    for one in found:
        assert one.probability == words.percent(evaluated.get(one.patient))


def test_pooling_shows_one_row_for_each_metric_and_center(small, studied):
    study = studied(small)
    for pooled, metric in zip(
        grids.pooled_centers(study, "loco"), ("AUC", "Observed / expected"), strict=True
    ):
        assert [(row[0].text, row[1].text) for row in pooled.rows] == [
            ("ResNet50", metric),
            ("Signature", metric),
        ]
    (influence,) = grids.influence(study, "loco")
    assert len(influence.rows) == 2 * 2
    assert grids.pooled_centers(study, "external") == []


def test_prediction_sets_have_a_table_on_test_alone(small, studied):
    study = studied(small)
    (sets,) = [g for g in grids.tables(study, "loco", "test") if "prediction sets" in g.caption]
    assert "90\N{NO-BREAK SPACE}% of the sets" in sets.note
    assert sets.header[2:] == ["Truth in the set", "No call"]


def test_numbers_that_do_not_add_up_are_found(copied, studied):
    assert participants.flow(studied(copied))["unequal"] == []
    path = copied / "cohort" / "flow.json"
    path.write_text(path.read_text().replace('"analysed": 40', '"analysed": 39'))
    assert participants.flow(studied(copied))["unequal"] == ["north"]


def test_table_one_counts_what_is_unknown_and_drops_what_nobody_has(copied, studied):
    rewrite(copied, "cohort/cohort.csv", lambda f: f.assign(ft3="", smoking=""))
    (by_center, by_outcome) = participants.table_one(studied(copied))
    names = [row[0].text for row in by_center.rows]
    assert "Free T3, pmol/L" not in names
    assert "Not recorded by any center: Free T3 and Smoking." in by_center.note
    trab = by_center.rows[names.index("TRAb, IU/L")]
    assert "unknown" in trab[1].detail
    patients = by_center.rows[0][1:]
    assert int(patients[0].text) == sum(int(cell.text) for cell in patients[1:])
    assert by_outcome.header == ["", "Cured", "Not cured"]


def test_a_code_of_many_values_is_cut_short(copied, studied):
    rewrite(
        copied,
        "cohort/cohort.csv",
        lambda f: f.assign(vendor=[f"v{i % 20:02d}" for i in range(len(f))]),
    )
    rows = participants.table_one(studied(copied))[0].rows
    vendors = [row for row in rows if row[0].text.startswith("Camera vendor")]
    assert len(vendors) == participants.MOST_CODES + 1
    assert vendors[-1][0].text == "Camera vendor: 12 other values"
    assert sum(int(row[1].text) for row in vendors) == int(rows[0][1].text)


@pytest.mark.parametrize("most", [0, 3, 10_000])
def test_the_gallery_shows_at_most_what_the_config_says(small, studied, most):
    found = learning.attention(studied(small, report={"overlays": most}), "external")
    assert len(found["overlays"]) == min(most, found["total"])
    if most == 3:
        assert {(one.center, one.outcome) for one in found["overlays"]} == {
            ("lakeside", "cured"),
            ("lakeside", "not cured"),
            ("coast", "not known yet"),
        }


def test_maps_that_are_all_empty_give_a_table_and_no_figure(copied, studied):
    rewrite(
        copied,
        "splits/external/all/explanation/gradcam.csv",
        lambda f: f.assign(status="all_zero", inside=""),
    )
    found = learning.attention(studied(copied), "external")
    assert found["panel"] is None
    assert found["grid"].rows[-1][-1].text == str(found["total"])
    assert {one.inside for one in found["overlays"]} == {"empty map"}


def test_the_outcome_rule_of_every_center_is_said(small, studied):
    given = {"rule": "given"}
    centers = [
        {"name": "north", "role": "development", "outcome": given},
        {"name": "valley", "role": "development", "outcome": {"rule": "followup", "months": 6}},
        {"name": "lakeside", "role": "external", "outcome": given},
        {"name": "coast", "role": "prospective"},
    ]
    said = dict(methods.paragraphs(studied(small, centers=centers)))["Outcome"]
    assert said == (
        "north and lakeside: as the center’s own table states it; "
        "valley: derived from the thyroid state 6 months after therapy (± 3)"
    )


def test_networks_that_nobody_watched_are_said_to_have_run_to_the_end(copied, studied):
    assert learning.histories(studied(copied))["watched"]
    for history in copied.glob("splits/*/*/network/*/history.csv"):
        blank = {"validation_loss": "", "validation_auc": ""}
        rewrite(copied, str(history.relative_to(copied)), lambda f, b=blank: f.assign(**b))
    found = learning.histories(studied(copied))
    assert not found["watched"]
    assert len(found["legend"]) == 1
    assert "nan" not in "".join(panel.svg for panel in found["panels"]).lower()


def test_comparisons_put_the_auc_first_and_name_their_method(copied, studied):
    def more(frame: pd.DataFrame) -> pd.DataFrame:
        ratio = frame.assign(
            metric="likelihood_ratio", method="likelihood_ratio_chi2_1", ci_low="", ci_high=""
        )
        return pd.concat([frame.assign(metric="brier", method="t_paired"), frame, ratio])

    rewrite(copied, "evaluation/comparisons.csv", more)
    auc, other, added = grids.comparisons(studied(copied), "loco")
    assert (auc.rows[0][1].text, auc.rows[0][-1].text) == ("AUC", "DeLong")
    assert (other.rows[0][1].text, other.rows[0][-1].text) == ("Brier score", "t, paired")
    assert added.rows[0][0].text == "ResNet50 added to Signature"


def test_the_level_of_the_intervals_is_the_configs(small, studied):
    assert studied(small).level == "95\N{NO-BREAK SPACE}%"
    study = studied(small, evaluation={"confidence": 0.9})
    said = " ".join(verdict.verdict(study).sure)
    assert "The 90\N{NO-BREAK SPACE}% interval is" in said
    assert "95" not in grids.pooled_centers(study, "loco")[0].header[3]
    assert studied(small, evaluation={"confidence": 0.975}).level == "97.5\N{NO-BREAK SPACE}%"


def test_methods_say_when_training_stops(small, studied):
    network = {"weights": "random", "epochs": 8}
    said = lambda **more: dict(methods.paragraphs(studied(small, network=network | more)))  # noqa: E731
    assert "from random weights, 8 epochs." in said()["Network"]
    watched = said(early_stopping={"fraction": 0.15})["Network"]
    assert "at most 8 epochs, 15\N{NO-BREAK SPACE}% of the training patients" in watched
