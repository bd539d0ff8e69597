"""The section about controls: shown if they were run, with what they mean."""

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from thyrocast import report
from thyrocast.contract import controls, io
from thyrocast.contract.table import Table
from thyrocast.report.sections.controls import sentences

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


def part(control: str, auc: float, split: str = "all", **changes: Any) -> dict[str, Any]:
    """A row of `NETWORK_PARTS`."""
    return (
        dict.fromkeys(controls.NETWORK_PARTS.names)
        | ESTIMATED
        | {
            "design": "external", "split": split, "control": control, "auc": auc, "ci_low": auc - 0.1,
            "ci_high": min(1, auc + 0.09), "finding": "none", "networks": 5,
        }
        | changes
    )  # fmt: skip


def page(
    study: report.StudyResults, *rows: dict[str, Any], parts: Sequence[dict[str, Any]] = ()
) -> str:
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
        controls.NETWORK_PARTS: list(parts),
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
        "60 test", "fitted to 100", "0.70 → 0.85", "0.50 → 0.91", "0.924", "gives 0.91 with outcomes that were permuted",
        "66\N{NO-BREAK SPACE}% to 87\N{NO-BREAK SPACE}%",
    ):  # fmt: skip
        assert text in shown, text


def test_networks_are_mentioned_only_if_some_were_trained(small: report.StudyResults) -> None:
    without = section(page(small, row("ridge")))
    assert "Networks are not trained again." in without
    assert "It does not test the networks" in without
    assert "Networks trained on" not in without
    trained = section(
        page(
            small,
            row("network", permutations=4, p_value=0.2),
            row("ridge"),
            parts=[
                part("whole_image", 0.76),
                part(
                    "background_alone", 0.83, difference=0.07, difference_low=-0.02,
                    difference_high=0.16, finding="better_than_gland",
                ),
                part("background_alone", 0.99, split="1"),
                part("background_alone", 0.91, split="2", finding="better_than_gland"),
            ],
        )
    )  # fmt: skip
    for text in (
        "The network of the first member was trained on 4 of these permutations",
        "its p cannot be below 0.20",
        "first member, 4 trainings",
        "permuted 200 times",
        "only the row “Network” tests the networks themselves",
        "Networks trained on a part: Background alone, all patients: AUC 0.83, better than the gland",
        "Networks trained on a part: Background alone, split 2: AUC 0.91, better than the gland",
        "0.07",
        "0.02 to 0.16",
        "All networks of a split (5) were trained again",
    ):
        assert text in trained, text
    assert "Networks are not trained again." not in trained
    assert "0.99" not in trained


def test_over_several_splits_p_is_at_least_twice_as_large(small: report.StudyResults) -> None:
    several = [row("network", permutations=4, split=split) for split in ("all", "north", "valley")]
    shown = section(page(small, *several, row("ridge")))
    assert "its p cannot be below 0.40" in shown
    assert "Where splits share patients, the bar is wider" in shown
    assert "the bar is wider" not in section(page(small, row("ridge")))


def test_that_nothing_was_found_is_said_with_the_number_of_controls() -> None:
    calm = pd.DataFrame(
        {
            "control": ["acquisition", "background_alone", "gland_alone", "noise"],
            "group": "", "group_kind": "pooled", "auc": 0.5,
            "finding": ["chance", "not_better", "none", "chance"],
        }
    )  # fmt: skip
    nothing = calm.assign(finding="none")
    (found,) = sentences(calm, nothing)
    assert found.startswith("None of 3 controls with a result raised an alarm. Effects that are")
    (few,) = sentences(calm.assign(permutations=19))  # p cannot be below .05
    assert few.startswith("None of 1 ")
    (enough,) = sentences(calm.assign(permutations=99))
    assert enough.startswith("None of 3 ")
    assert sentences(nothing) == ["No control had enough patients to raise an alarm."]
    (alarm,) = sentences(calm, calm.assign(finding=["above_chance", "none", "none", "none"]))
    assert alarm.startswith("Acquisition alone, all patients: AUC 0.50, above chance")
