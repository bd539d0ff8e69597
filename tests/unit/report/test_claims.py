"""Sentences that a reader could take for more, or for something else, than the data show."""

import dataclasses

import pandas as pd

from tests.unit.report import example_study
from tests.unit.report.example_study import with_table
from thyrocast.contract import evaluation as ev
from thyrocast.report import words
from thyrocast.report.grids import design_grids
from thyrocast.report.sections import banners, published


def test_the_published_network_is_not_taken_for_the_compact_one(small):
    grid = published.comparison(small)
    assert {row[0].detail for row in grid.rows} == {""}
    assert "Training results of this study are cross-fitted" in grid.note
    changed = {"network": {"architecture": "compact"}, "signature": {"embeddings": "in_sample"}}
    compact = dataclasses.replace(small, config=example_study.config(**changed))
    grid = published.comparison(compact)
    named = {row[0].text for row in grid.rows if row[0].detail == "here the compact network"}
    assert named == {"ResNet50, AUC in training", "ResNet50, AUC in validation"}
    assert "cross-fitted" not in grid.note


def test_thresholds_of_the_config_are_not_said_to_be_chosen(small):
    def rules(frame: pd.DataFrame, *names: str) -> pd.DataFrame:
        parts = [frame.assign(rule=name, threshold=0.6) for name in names]
        return pd.concat(parts).drop_duplicates(["design", "split", "model", "rule"])

    def note(*names: str) -> str:
        (grid,) = design_grids.thresholds(
            with_table(small, ev.THRESHOLDS, lambda frame: rules(frame, *names)), "external"
        )
        return grid.note

    both = note("net_benefit", "youden")
    assert both.startswith("Chosen on the training set alone")
    assert both.endswith("Given by the config, without any patient: net benefit.")
    assert note("net_benefit") == "Given by the config; no patient was used."
    assert "Given" not in note("youden")


def test_readings_are_not_named_like_probabilities():
    assert words.column("p_mass") == "Gland mass as read, g"
    assert words.column("p_contrast") == "Gland to body as read"
    assert "p_mass" not in words.COLUMNS  # table 1 shows what was measured


def test_a_locked_model_needs_no_patients_for_development(small):
    locked = dataclasses.replace(small, applied=object())
    (mine,) = [one.text for one in banners._too_small(small)]
    (text,) = [one.text for one in banners._too_small(locked)]
    assert "developing a model requires" in mine
    assert "would give a different model" in mine
    assert "developing" not in text
    assert "different model" not in text
    grid = design_grids.sample_size(locked)
    assert grid is not None
    assert {row[0].text for row in grid.rows} == {"Validation"}
