"""The report's words on updates state evidence, and no more."""

import dataclasses

import pytest

from thyrocast import report
from thyrocast.contract import io
from thyrocast.contract.names import Metric
from thyrocast.contract.site_names import AucPart, UpdateStep
from thyrocast.contract.updating import TABLES, TRANSPORTABILITY, UPDATE_PERFORMANCE, UPDATES
from thyrocast.report.methods import checklist
from thyrocast.report.sections import updating

METRICS = (Metric.AUC, Metric.CALIBRATION_IN_THE_LARGE, Metric.CALIBRATION_SLOPE, Metric.LOG_LOSS)


def tables(chosen="none", coefficients=-0.1, status="estimated", model="signature"):
    own = {"center": "east", "model": model, "status": status, "note": ""}
    p_values = {"none": 0.4, "intercept": 0.02, "slope": 0.3, "head": None}
    updates = [
        dict.fromkeys(UPDATES.names) | own | {"step": step, "chosen": step == chosen}
        | {"intercept": 0.5, "intercept_low": 0.2, "intercept_high": 0.8, "slope": 1.0, "p_value": p_values[step], "n": 60, "events": 40}
        for step in UpdateStep
    ]  # fmt: skip
    judged = [
        dict.fromkeys(UPDATE_PERFORMANCE.names) | own
        | {"step": step, "metric": metric, "estimate": 0.7, "ci_low": 0.6, "ci_high": 0.8}
        for step in UpdateStep for metric in METRICS
    ]  # fmt: skip
    parts = {"difference": -0.12, "case_mix": -0.02, "coefficients": coefficients, "development": 0}
    divided = [
        dict.fromkeys(TRANSPORTABILITY.names) | own
        | {"part": part, "estimate": parts[part], "ci_low": parts[part] - 0.05}
        | {"ci_high": parts[part] + 0.05, "n_development": 100, "n": 60}
        for part in AucPart
    ]  # fmt: skip
    if status == "suppressed":
        judged, divided = [], []
    return {
        table.name: io.build(table, rows)
        for table, rows in zip(TABLES, (updates, judged, divided), strict=True)
    }


@pytest.fixture
def external(small):
    """The small study with its results as those of the design `external`."""
    moved = {}
    for name, table in small.tables.items():
        held_out = table[table["design"] == "loco"] if "design" in table else table
        moved[name] = held_out.assign(design="external") if "design" in table else table

    def make(**changes):
        return dataclasses.replace(small, tables=moved | tables(**changes))

    return make


def test_a_study_without_external_centers_has_no_such_section(small):
    assert updating.updating_section(small) is None


def test_no_evidence_is_not_called_evidence_of_none(external):
    first, second = updating.updating_section(external()).sentences
    assert first.startswith(
        "east: no evidence against the model as it is (p 0.40; 60 patients, 40 cured)"
    )
    assert "may be missed" in first
    assert "case mix −0.02 (−0.07 to 0.03)" in second
    assert second.endswith("Predictions are less related to the outcome here than the model says.")
    second = updating.updating_section(external(coefficients=-0.03)).sentences[1]
    assert second.endswith("There is no evidence that the coefficients are worse here.")


def test_a_supported_update_names_what_was_rejected(external):
    section = updating.updating_section(external(chosen="slope"))
    assert section.sentences[0] == (
        "east: closed testing at level 0.05 supports “new intercept and slope” and rejects “no update” "
        "(p 0.40), “new intercept” (p 0.020) (60 patients, 40 cured)."
    )
    ladder, division = section.grids
    assert [row[0].detail for row in ladder.rows] == ["", "", "chosen", ""]
    assert (ladder.rows[1][1].text, ladder.rows[1][1].detail) == ("0.50", "0.20 to 0.80")
    assert len(division.rows) == 4


def test_the_checklist_does_not_deny_that_updates_were_tested(external, small):
    def answers(study):
        return {item.number: item.sentence for item in checklist.checklist(study)}

    assert answers(small)["24"] == "No model was updated."
    tested = answers(external())
    assert "tested at external centers" in tested["12f"]
    assert "none was applied" in tested["24"]


def test_a_suppressed_center_is_said_to_be_too_small(external):
    section = updating.updating_section(external(status="suppressed"))
    assert section.sentences[0] == "east: too few patients to judge an update."
    assert section.grids == []


def test_the_section_is_on_the_page(external):
    assert "Transport to external centers" in report.render(external()).shareable
