"""The section about controls: shown if they were run, with what they mean."""

import dataclasses
from collections.abc import Iterator
from typing import Any

from thyrocast import report
from thyrocast.contract import controls, io
from thyrocast.contract.table import Table

ESTIMATED = {"status": "estimated", "note": "", "n": 60, "events": 40}


def row(model: str, **cells: Any) -> dict[str, Any]:
    """A row of `SHUFFLED`."""
    return {
        "design": "external", "split": "all", "model": model, "auc": 0.81, "null_mean": 0.52,
        "null_low": 0.31, "null_high": 0.7, "p_value": 0.00498, "p_value_both": 0.015,
        "permutations": 200, "strata": "center", **ESTIMATED, **cells,
    }  # fmt: skip


def source(control: str, group: str = "", **cells: Any) -> dict[str, Any]:
    """A row of `SOURCES`."""
    return dict.fromkeys(controls.SOURCES.names) | {
        "control": control, "kind": "reference", "group_kind": "center" if group else "pooled",
        "group": group, "auc": 0.61, "null_mean": 0.5, "null_low": 0.4, "null_high": 0.6,
        "p_value": 0.02, "finding": "none", "permutations": 200, **ESTIMATED, **cells,
    }  # fmt: skip


def sources() -> Iterator[dict[str, Any]]:
    """A marker in the background of one center; the other center is too small."""
    hidden = {"status": "suppressed", "note": "too few patients", "auc": None, "n": None}
    yield source("gland_alone")
    yield source("gland_alone", "north")
    yield source("gland_alone", "valley", **hidden)
    yield source("background_alone", finding="not_better")
    yield source("background_alone", "north", auc=0.97, finding="better_than_gland")
    yield source("background_alone", "valley", **hidden)
    yield source("acquisition", kind="negative", finding="above_chance", auc=0.66, p_value=0.005)
    yield source("acquisition", "north", kind="negative", finding="chance")
    yield source("acquisition", "valley", kind="negative", **hidden)
    yield source("planted_marker", "north", kind="positive", finding="not_found", auc=0.74)


def twin(fault: str, outcomes: str, honest: float, faulty: float) -> dict[str, Any]:
    """A row of `TWINS`."""
    size = faulty - honest
    return ESTIMATED | {
        "design": "external", "split": "all", "fault": fault, "outcomes": outcomes, "honest": honest,
        "metric": "accuracy" if fault == "threshold" else "auc", "faulty": faulty, "inflation": size,
        "ci_low": size - 0.05, "ci_high": size + 0.05, "permutations": 200, "n_train": 100,
    }  # fmt: skip


def page(study: report.StudyResults, *rows: dict[str, Any]) -> str:
    """The report with the section."""
    embedded = dict.fromkeys(controls.EMBEDDING_CONTROLS.names) | {
        "design": "external", "split": "all", "kind": "negative", "control": "noise", "auc": 0.51,
        "ci_low": 0.47, "ci_high": 0.55, "draws": 20, "finding": "chance", **ESTIMATED,
    }  # fmt: skip
    probe = {
        "source": "embeddings", "harmonization": "none", "centers": 2, "accuracy": 0.77, "ci_low": 0.66,
        "ci_high": 0.87, "chance": 0.5, "auc": 0.9, "status": "estimated", "note": "", "n": 70,
    }  # fmt: skip
    found: dict[Table, list[dict[str, Any]]] = {
        controls.SHUFFLED: list(rows),
        controls.SOURCES: list(sources()),
        controls.EMBEDDING_CONTROLS: [embedded],
        controls.CENTER_PROBE: [probe],
        controls.TWINS: [
            twin("selection", "observed", 0.7, 0.85),
            twin("selection", "permuted", 0.5, 0.911),
            twin("threshold", "observed", 0.66, 0.75),
            twin("threshold", "permuted", 0.64, 0.71),
        ],
    }
    tables = {table.name: io.build(table, cells) for table, cells in found.items()}
    return report.render(dataclasses.replace(study, tables={**study.tables, **tables})).shareable


def section(html: str) -> str:
    """The part of the page about controls."""
    return html[html.index('<section id="controls">') : html.index('<section id="sample-size">')]


def test_without_controls_there_is_no_section(small_page: str) -> None:
    assert 'id="controls"' not in small_page
    assert "#controls" not in small_page


def test_the_section_shows_results_and_alarms(small: report.StudyResults) -> None:
    nothing = dict.fromkeys(
        ("auc", "null_mean", "null_low", "null_high", "p_value", "p_value_both")
    )
    hidden = row("clinical", **nothing) | {"status": "suppressed", "note": "too few patients"}
    html = page(small, row("ridge"), hidden)
    assert 'href="#controls"' in html
    shown = section(html)
    for text in (
        "0.81", "0.31 to 0.70", "0.005", "0.015", "too few patients", "200 times within each center",
        "Ridge on features 0.81, after permutation 0.31 to 0.70",
        "Background alone, north: AUC 0.97, better than the gland itself",
        "Acquisition alone, all patients: AUC 0.66, above chance",
        "Marker in the images of cured patients, north: planted, but not found (AUC 0.74)",
        "0.70 → 0.85", "0.50 → 0.91", "0.924", "gives 0.91 with outcomes that were permuted",
        "66\N{NO-BREAK SPACE}% to 87\N{NO-BREAK SPACE}%",
    ):  # fmt: skip
        assert text in shown, text
