"""The section about controls: shown if they were run, with what they mean."""

import dataclasses
from typing import Any

from thyrocast import report
from thyrocast.contract import io
from thyrocast.contract.controls import SHUFFLED


def row(model: str, **cells: Any) -> dict[str, Any]:
    """A row of `SHUFFLED`."""
    return {
        "design": "external", "split": "all", "model": model, "auc": 0.81, "null_mean": 0.52,
        "null_low": 0.31, "null_high": 0.7, "p_value": 0.00498, "p_value_both": 0.015,
        "permutations": 200, "strata": "center", "status": "estimated", "note": "", "n": 60, "events": 40,
        **cells,
    }  # fmt: skip


def page(study: report.StudyResults, *rows: dict[str, Any]) -> str:
    tables = {**study.tables, SHUFFLED.name: io.build(SHUFFLED, rows)}
    return report.render(dataclasses.replace(study, tables=tables)).shareable


def test_without_controls_there_is_no_section(small_page: str) -> None:
    assert 'id="controls"' not in small_page
    assert "#controls" not in small_page


def test_shuffled_outcomes_are_shown_with_their_p_values(small: report.StudyResults) -> None:
    nothing = dict.fromkeys(
        ("auc", "null_mean", "null_low", "null_high", "p_value", "p_value_both")
    )
    hidden = row("clinical", **nothing) | {"status": "suppressed", "note": "too few patients"}
    shown = page(small, row("ridge"), hidden)
    section = shown[
        shown.index('<section id="controls">') : shown.index('<section id="sample-size">')
    ]
    assert 'href="#controls"' in shown
    for text in (
        "0.81",
        "0.31 to 0.70",
        "0.005",
        "0.015",
        "too few patients",
        "200 times within each center",
    ):
        assert text in section, text
    assert "Ridge on features 0.81, after permutation 0.31 to 0.70" in section
