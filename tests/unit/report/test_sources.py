"""The report says where the results of each center come from."""

import dataclasses

import pytest

from tests.unit.report import example_study
from thyrocast import report
from thyrocast.contract import io
from thyrocast.contract.evaluation import PERFORMANCE, POOLED, SOURCES
from thyrocast.report import sources


def table(models="same"):
    rows = [
        {"design": "external", "center": "east", "source": "data", "models": "same"},
        {"design": "external", "center": "north", "source": "exchange", "models": models}
        | {
            "study": "theirs",
            "sent_as": "hospital",
            "hidden": "Net benefit of network at 0.6: few.",
        },
    ]
    empty = dict.fromkeys(SOURCES.names) | {"model_hash": "a" * 64, "n": 40, "events": 20}
    return io.build(SOURCES, [empty | {"hidden": ""} | row for row in rows])


def with_sources(small, **changes):
    return dataclasses.replace(small, tables={**small.tables, "sources": table(**changes)})


def test_a_study_of_data_alone_has_no_such_table(small):
    assert sources.sources(small, "external") is None
    study = with_sources(small)
    assert sources.sources(study, "loco") is None


@pytest.mark.parametrize(
    ("models", "words"),
    [
        ("same", "scored with the same model: pooled"),
        ("own", "describe the procedure, not one model"),
    ],
)
def test_one_model_is_distinguished_from_several(small, models, words):
    grid = sources.sources(with_sources(small, models=models), "external")
    assert words in grid.note
    assert "north: Net benefit of network at 0.6" in grid.note
    assert [row[2].text for row in grid.rows] == ["data of this study", "exchange file"]
    assert grid.rows[1][2].detail == "hospital of study theirs"
    assert grid.rows[1][3].detail == "a" * 12


def test_a_design_whose_centers_all_sent_files_shows_its_pooled_results(small):
    study = with_sources(small)
    study = example_study.with_table(
        study, PERFORMANCE, lambda frame: frame[frame["design"] != "external"]
    )
    study = example_study.with_table(study, POOLED, lambda frame: frame.assign(design="external"))
    assert "external" in study.designs
    assert "Sources of the pooled results" in report.render(study).shareable
