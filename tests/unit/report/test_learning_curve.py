"""The learning curve in the report: what may be gained, and never that patients are enough."""

import dataclasses

from thyrocast import report
from thyrocast.contract import io
from thyrocast.contract.learning_curve import LEARNING_CURVE

SHARES = (0.4, 0.55, 0.7, 0.85, 1.0, 1.5, 2.0)


def rows(model: str, **cells: object) -> list[dict[str, object]]:
    """The curve of a model, from .68 to .77."""
    return [
        dict.fromkeys(LEARNING_CURVE.names)
        | {"design": "external", "split": "all", "model": model, "share": share, "repeats": 10}
        | {"kind": "measured" if share <= 1 else "extrapolated", "patients": round(100 * share)}
        | {"auc": 0.8 - 0.05 / share, "ci_low": 0.6 - 0.05 / share, "ci_high": 0.9 - 0.05 / share}
        | {"status": "estimated", "note": "", "n": 100, "events": 60}
        | ({"gain": 0.02, "gain_low": 0.004, "gain_high": 0.061} if share > 1 else {})
        | cells
        for share in SHARES
    ]


def section(study: report.StudyResults, *found: dict[str, object]) -> str:
    """The part of the page about the sample size."""
    table = io.build(LEARNING_CURVE, list(found))
    tables = {**study.tables, LEARNING_CURVE.name: table}
    html = report.render(dataclasses.replace(study, tables=tables)).shareable
    return html[html.index('<section id="sample-size">') : html.index('<section id="methods">')]


def test_the_curve_shows_what_may_be_gained(small: report.StudyResults) -> None:
    nothing = {"auc": None, "ci_low": None, "ci_high": None, "gain": None, "gain_low": None}
    left_out = rows("clinical", **nothing, gain_high=None, status="not_estimable", note="too few")
    html = section(small, *rows("signature"), *left_out)
    assert "Learning curve" in html
    assert "no learning curve of the network" in html
    assert "200 patients (2 ×)" in html
    assert "0.020" in html
    assert "0.004" in html
    assert "too few" in html
    assert "sufficient" not in html[html.index("Learning curve") :]


def test_a_hidden_curve_shows_no_number(small: report.StudyResults) -> None:
    names = ("auc", "ci_low", "ci_high", "gain", "gain_low", "gain_high", "patients", "n", "events")
    hidden = dict.fromkeys(names) | {"status": "suppressed", "note": "too few training patients"}
    html = section(small, *rows("signature", **hidden))
    assert "too few training patients" in html
    assert "0.75" not in html[html.index("Learning curve") :]


def test_without_a_curve_the_page_says_how_to_measure_one(small_page: str) -> None:
    assert "snakemake learning_curve" in small_page
