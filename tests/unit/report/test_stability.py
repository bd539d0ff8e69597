"""The section about stability: shown if it was assessed, with what the intervals leave out."""

import dataclasses
from typing import Any

from thyrocast import report
from thyrocast.contract import io, stability
from thyrocast.report import scores
from thyrocast.report.methods import methods_section
from thyrocast.report.sections.stability import stability_section

ESTIMATED = {"status": "estimated", "note": ""}


def measure(
    model: str, name: str, original: float | None, mean: float, **cells: Any
) -> dict[str, Any]:
    """A row of `MODELS`."""
    return {
        "design": "external", "split": "all", "model": model, "measure": name, "original": original,
        "mean": mean, "spread": 0.02, "low": mean - 0.03, "high": mean + 0.04, "resamples": 200,
        "n": 60, "events": 40, **ESTIMATED, **cells,
    }  # fmt: skip


def source(model: str, name: str, variance: float | None) -> dict[str, Any]:
    """A row of `VARIANCE`."""
    row = {
        "design": "external", "split": "all", "model": model, "quantity": "auc", "source": name,
        "variance": variance, "deviation": variance and variance**0.5, **ESTIMATED,
    }  # fmt: skip
    return row if variance else row | {"status": "not_estimable", "note": "networks"}


def averaged(model: str, unit: str, count: int, auc: float) -> dict[str, Any]:
    """A row of `AVERAGING`."""
    return {
        "design": "external", "split": "all", "model": model, "unit": unit, "averaged": count,
        "combinations": 4, "auc": auc, "spread": 0.01, "trainings": 3, "n": 60, "events": 40,
    }  # fmt: skip


def assessed(
    study: report.StudyResults, model: str, network_seed: float | None = None
) -> report.StudyResults:
    """The study after an assessment."""
    hidden = dict.fromkeys(("original", "mean", "spread", "low", "high", "n", "events"))
    hidden |= {"status": "suppressed", "note": "too few patients"}
    rows = [
        measure(model, "auc", 0.812, 0.79), measure(model, "calibration_slope", 1.13, 1.4),
        measure(model, "oe_ratio", 1.01, 1.02), measure(model, "mape", None, 0.08),
        measure(model, "classification_instability", None, 0.11),
        *(measure("clinical", name.value, None, 0.1) | hidden for name in stability.StabilityMeasure),
    ]  # fmt: skip
    curve = [
        {
            "design": "external", "split": "all", "model": model, "group": n, "probability": n / 5,
            "low": n / 5 - 0.1, "high": n / 5 + 0.12, "mape": 0.05, "n": 12,
        }
        for n in (1, 2, 3, 4)
    ]  # fmt: skip
    member = {
        "design": "external", "split": "all", "member": "fold-1", "stability": 0.31, "ci_low": 0.28,
        "ci_high": 0.34, "features": 12.4, "features_low": 3, "features_high": 25, "often": 2,
        "resamples": 200, **ESTIMATED,
    }  # fmt: skip
    sources = [
        source(model, "test_patients", 0.0004), source(model, "training_patients", 0.0004),
        source(model, "seed", 0.0001), source(model, "network_seed", network_seed),
    ]  # fmt: skip
    found = {
        stability.MODELS: rows,
        stability.CURVE: curve,
        stability.SELECTION: [member],
        stability.VARIANCE: sources,
        stability.AVERAGING: [
            averaged(model, "member", 1, 0.771), averaged(model, "member", 3, 0.802),
            averaged(model, "training", 1, 0.803), averaged(model, "training", 3, 0.811),
        ],
    }  # fmt: skip
    tables = {table.name: io.build(table, cells) for table, cells in found.items()}
    return dataclasses.replace(study, tables={**study.tables, **tables})


def test_without_an_assessment_there_is_no_section(small_page: str) -> None:
    assert "#stability" not in small_page
    assert 'id="stability"' not in small_page


def test_the_section_shows_what_moves_and_what_intervals_leave_out(
    small: report.StudyResults,
) -> None:
    html = report.render(assessed(small, scores.main_model(small, "external"))).shareable
    assert 'href="#stability"' in html
    shown = html[html.index('<section id="stability">') :]
    shown = shown[: shown.index("</section>")]
    for text in (
        "200 bootstrap samples", "0.81", "0.76 to 0.83", "0.05 to 0.12", "too few patients",
        # sqrt((4 + 4 + 1) / 4) = 1.5
        "would be about 1.50 times as wide", "0.020", "0.010", "fold-1", "0.28 to 0.34", "3 to 25",
        "span up to 0.22", "no figure here contains the effect of their seed",
    ):  # fmt: skip
        assert text in shown, text


def test_a_variance_of_zero_between_test_patients_is_not_shown_as_certainty(
    small: report.StudyResults,
) -> None:
    """All patients have one probability: DeLong's formula gives 0."""
    main = scores.main_model(small, "external")
    study = assessed(small, main)
    rows = study.tables[stability.VARIANCE.name]
    same = rows.assign(variance=rows["variance"].mask(rows["source"] == "test_patients", 0.0))
    section = stability_section(
        dataclasses.replace(study, tables={**study.tables, stability.VARIANCE.name: same})
    )
    assert section
    assert section.sources.rows[0][1].text == "–"
    assert "cannot be estimated" in section.left_out


def test_the_limitations_say_what_intervals_leave_out(small: report.StudyResults) -> None:
    def said(study: report.StudyResults) -> str:
        return " ".join(methods_section.limitations(study))

    assert "take the trained models as given" in said(small)
    assert "not assessed (snakemake stability)" in said(small)
    done = assessed(small, scores.main_model(small, "external"))
    assert "take the trained models as given" in said(done)
    assert "not assessed" not in said(done)


def test_networks_of_other_seeds_widen_the_interval_and_their_average_is_shown(
    small: report.StudyResults,
) -> None:
    study = assessed(small, scores.main_model(small, "external"), 0.0007)
    section = stability_section(study)
    assert section
    cells = [cell for row in section.averaging.rows for cell in row]
    shown = f"{section.left_out} {section.networks} {section.sources.rows} {cells}"
    # sqrt((4 + 4 + 1 + 7) / 4) = 2; sqrt(0.0007) = 0.026
    for text in (
        "would be about 2.00 times as wide", "trained 2 more times with other seeds", "So few trainings", "0.026", "0.771", "0.802",
        "0.811", "3 averaged",
    ):  # fmt: skip
        assert text in shown, text
    assert "not trained again" not in shown
