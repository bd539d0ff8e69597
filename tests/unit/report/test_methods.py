"""The methods section, the checklist, equations, and what intervals covered."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks import validity_rows
from tests.unit.report.example_study import with_table
from thyrocast import report
from thyrocast.baselines import models
from thyrocast.config.signature import SignatureConfig
from thyrocast.contract import evaluation as ev
from thyrocast.contract.checklist import ASKS, Item
from thyrocast.contract.names import Metric
from thyrocast.report import coverage
from thyrocast.report.grids import design_grids
from thyrocast.report.methods import equations, methods_section, references
from thyrocast.report.methods.checklist import checklist

ROOT = Path(__file__).parents[3]


def test_every_citation_has_a_reference_and_a_number(small):
    texts, cited = methods_section.section(small)
    used = {
        int(n)
        for _, text in texts
        for found in re.findall(r"\[([\d, ]+)\]", text)
        for n in found.split(",")
    }
    assert used == {*range(1, len(cited) + 1)}
    assert not [text for _, text in texts if "@" in text]
    with pytest.raises(KeyError):
        references.numbered([("", "unknown [@nobody1900]")])


def test_the_methods_say_what_the_config_says(configured):
    study = configured(
        signature={"penalties": 7, "missing_indicators": True},
        network={"imbalance": "weighted", "epochs": 9, "early_stopping": {"fraction": 0.15}},
        cohort={"scan_window_days": [1, 90]},
        evaluation={"threshold": {"rule": "fixed", "target": 0.7}},
    )
    found = dict(methods_section.paragraphs(study))
    assert "over 7 penalties" in found["Signature"]
    assert "for at most 9 epochs" in found["Network"]
    assert "same weight in the loss" in found["Network"]
    assert "1 to 90 days before" in found["Time of the decision"]
    assert "Missingness of a predictor" in found["Missing data"]
    assert "“fixed threshold”, given beforehand" in found["Evaluation"]
    assert "age, gland mass" in found["Predictors"]


def test_the_markdown_has_text_equations_and_references(small):
    text = report.as_markdown(small)
    assert text.startswith("# Methods\n\n## Question\n")
    assert "| Predictor | Coefficient | Splines: coefficient (knots) |" in text
    assert "Sex: male" in text
    assert text.index("## References") > text.index("### Equation")


def contribution(effect: equations.Effect, predictors: pd.DataFrame) -> np.ndarray:
    column, term = predictors[effect.term.column], effect.term
    if term.level is not None:
        return effect.value((column == term.level).to_numpy(float))
    z = column.to_numpy(float)
    return effect.value(z if term.floor is None else np.log(np.maximum(z, term.floor)))


def test_an_equation_in_natural_units_predicts_as_the_members_do():
    random = np.random.default_rng(5)
    n = 120
    predictors = pd.DataFrame(
        {
            "age": random.normal(44, 13, n),
            "trab": random.lognormal(2, 0.8, n),
            "smoking": random.choice(["never", "current", "former"], n).astype(object),
        }
    )
    predictors.loc[::12, "age"] = np.nan
    outcome = (random.random(n) < 0.6).astype(float)
    config = SignatureConfig(missing_indicators=True, tuning_folds=3)
    halves = [slice(0, 80), slice(40, 120)]
    fitted = [
        models.fit(predictors[part].reset_index(drop=True), outcome[part], config, 1, None)
        for part in halves
    ]
    assert all(one.bends and one.indicators.size for one in fitted)
    found = equations.mean(
        [
            equations.natural(equations.Stored.model_validate(one.model_dump(mode="json")))
            for one in fitted
        ],
        [equations.StoredScale(mean=0.3, spread=0.7), equations.StoredScale(mean=-0.1, spread=1.2)],
        equations.StoredRecalibration(intercept=0.2, slope=0.8),
    )
    known = predictors[predictors["age"].notna() & (predictors["trab"] > 2)]
    standard = [(fitted[0].odds(known) - 0.3) / 0.7, (fitted[1].odds(known) + 0.1) / 1.2]
    total = found.intercept + sum(contribution(effect, known) for effect in found.effects)
    np.testing.assert_allclose(total, 0.2 + 0.8 * np.mean(standard, axis=0), atol=1e-9)
    assert [term.column for term, _ in found.indicators] == ["age"]
    assert found.members == 2


def test_the_checklist_answers_by_a_file_or_leaves_it_to_the_authors(small):
    found = {entry.number: entry for entry in checklist(small)}
    assert [*found] == [item.value for item in Item] == [item.value for item in ASKS]
    assert len(found) == 52
    for entry in found.values():
        assert bool(entry.sentence) == bool(entry.file) == bool(entry.section)
        assert entry.status in ("answered", "partly", "open")
    for number in ("1", "3a", "8c", "17", "18a", "18b", "18c", "18d", "18e", "19", "25", "27c"):
        assert found[number].status == "open", number
    assert found["23a"].file == "evaluation/performance.csv"
    assert "AUC of the signature model" in found["23a"].sentence


def test_answers_of_the_authors_are_shown(configured, small_page):
    study = configured(report={"answers": {"18a": "Funded by <nobody>."}})
    (entry,) = [entry for entry in checklist(study) if entry.number == "18a"]
    assert (entry.status, entry.authors) == ("answered", "Funded by <nobody>.")
    assert "To be answered by the authors" in small_page
    with pytest.raises(ValueError, match="18z"):
        configured(report={"answers": {"18z": "no such item"}})


def test_coverage_is_that_of_the_documentation():
    text = (ROOT / "docs" / "statistics.md").read_text(encoding="utf-8")
    stored = json.loads((ROOT / "workflow/lib/thyrocast/evaluation/validity.json").read_text())
    assert validity_rows.markdown(stored["table"]) in text
    assert f"{stored['studies']} simulated studies in each setting" in text
    assert (ROOT / coverage.SOURCE).is_file()
    metrics = {metric.value for metric in Metric}
    named = {key.split(":")[0] for key in stored["ranges"] if key.count("_") or key[0].islower()}
    assert {"auc", "oe_ratio", "net_benefit", "brier", "e50"} <= named & metrics


def test_what_simulations_show_is_said_beside_intervals_tests_and_sets():
    def bounds(text):
        return [float(found) for found in re.findall(r"[\d.]+(?= %| to [\d.]+ %)", text)]

    for text in (
        coverage.mean_differences(), coverage.cross_validated(), coverage.likelihood_ratio(),
        coverage.prediction_sets(),
    ):  # fmt: skip
        assert coverage.SOURCE in text
        assert all(0 <= value <= 100 for value in bounds(text))
    for metric in ("auc", "oe_ratio", "calibration_slope", "net_benefit"):
        found = coverage.outside(metric, "reml_hartung_knapp_truncated")
        assert found is not None, metric
        assert found.low < found.high <= 100
    assert coverage.outside("auc", "no_such_method") is None


def test_the_difference_that_is_detected_is_that_of_the_simulation():
    stored = json.loads((ROOT / "workflow/lib/thyrocast/evaluation/validity.json").read_text())
    labels = [one["label"] for one in stored["table"] if " detected with " in one["label"]]
    assert labels
    gap = float(coverage._GAP)
    assert all(label.startswith(f"difference of {gap:.2f} in AUC") for label in labels)
    assert f"a true difference of {coverage._GAP} in AUC" in coverage.mean_differences()


def test_intervals_that_do_not_cover_what_they_promise_are_labeled(small):
    def bounded(frame: pd.DataFrame) -> pd.DataFrame:
        frame.loc[frame["metric"] == Metric.OE_RATIO, "ci_method"] = "reml_hartung_knapp_truncated"
        return frame

    tables = design_grids.tables(with_table(small, ev.PERFORMANCE, bounded), "external", "test")
    (grid,) = [grid for grid in tables if "calibration and accuracy" in grid.caption]
    found = coverage.outside(Metric.OE_RATIO, "reml_hartung_knapp_truncated")
    assert f"{found.text} (Observed / expected)" in grid.note
    assert coverage.sentence([(Metric.BRIER, "no_such_method")]) == ""
