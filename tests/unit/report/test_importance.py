"""Permutation importance in the report: sets in place of their members, and what it does not show."""

import dataclasses
import html as escaped

from thyrocast import report
from thyrocast.contract import io
from thyrocast.contract.explanation import IMPORTANCE
from thyrocast.report.sections.importance import ImportanceSection, importance_section


def row(
    model: str, predictor: str, loss: float | None = 0.05, **cells: object
) -> dict[str, object]:
    """A row of the table; without a loss, a suppressed one."""
    found = {} if loss is None else {
        "auc": 0.8, "auc_loss": loss, "auc_low": loss - 0.02, "auc_high": loss + 0.02, "n": 90,
        "brier_loss": loss / 3, "brier_low": 0.0, "brier_high": 0.03, "events": 60,
    }  # fmt: skip
    return (
        dict.fromkeys(IMPORTANCE.names)
        | {"design": "external", "split": "all", "model": model, "member": "", "note": ""}
        | {"kind": "predictor", "predictor": predictor, "predictors": 1, "connected": ""}
        | {"permutations": 50, "status": "suppressed" if loss is None else "estimated"}
        | found
        | cells
    )


def section(study: report.StudyResults, *found: dict[str, object]) -> str:
    """The part of the page."""
    tables = {**study.tables, IMPORTANCE.name: io.build(IMPORTANCE, list(found))}
    html = report.render(dataclasses.replace(study, tables=tables)).shareable
    part = html[html.index('<section id="importance">') : html.index('<section id="attention">')]
    return escaped.unescape(part)


def test_a_set_takes_the_place_of_its_members_in_the_figure(small: report.StudyResults) -> None:
    html = section(
        small,
        row("combined", "image", 0.2, kind="part", predictors=10),
        row("combined", "clinical", 0.03, kind="part", predictors=5),
        row("combined", "gland_mass", 0.012, connected="gland_mass"),
        row("combined", "q_mass", 0.011, connected="gland_mass"),
        row("combined", "age", 0.0),
        row(
            "combined", "gland_mass", 0.09, kind="correlated", predictors=2, connected="gland_mass"
        ),
    )
    figure = html[html.index("<svg") : html.index("</svg>")]
    assert "Everything from the image" in figure
    assert "Gland mass, g and 1 more" in figure
    assert "Gland mass on the image" not in figure
    assert "Combined, AUC 0.80" in html
    table = html[html.index("<table") :]
    assert "Gland mass on the image" in table
    assert "0.090" in table
    assert "describes the models, not the disease" in html


def figures(study: report.StudyResults, *found: dict[str, object]) -> ImportanceSection:
    """The section before it is written on the page."""
    tables = {**study.tables, IMPORTANCE.name: io.build(IMPORTANCE, list(found))}
    made = importance_section(dataclasses.replace(study, tables=tables))
    assert made is not None
    return made


def test_features_are_those_of_the_first_member(small: report.StudyResults) -> None:
    made = figures(
        small,
        row("signature", "all", 0.3, kind="all", predictors=9),
        row("signature", "17", 0.1, member="fold-1"),
        row("signature", "17", 0.1, member="fold-2"),
        row("signature", "4", 0.05, member="fold-2"),
    )
    figure = made.panels[0].svg
    assert "All features of the image" in figure
    assert "Feature 17 (fold-1)" in figure
    assert "fold-2" not in figure
    assert [cells[0].detail for cells in made.grids[0].rows].count("all, fold-2") == 2


def test_what_has_no_number_says_why(small: report.StudyResults) -> None:
    note = "the same value in all test patients"
    made = figures(
        small,
        row("clinical", "age", None),
        row("clinical", "smoking", None, status="not_estimable", note=note),
    )
    assert [cells[-1].text for cells in made.grids[0].rows] == ["not shown", note]
    assert not made.panels


def test_without_importance_the_section_says_why(small: report.StudyResults) -> None:
    assert importance_section(small) is None
