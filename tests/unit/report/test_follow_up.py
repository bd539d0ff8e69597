"""Other definitions of the outcome, and patients without one, in the report."""

import dataclasses

from thyrocast.contract import io
from thyrocast.contract.cohort import WITHOUT_OUTCOME
from thyrocast.contract.evaluation import MULTIVERSE, PERFORMANCE
from thyrocast.report import page
from thyrocast.report.sections import follow_up, multiverse


def with_tables(study, **tables):
    return dataclasses.replace(study, tables={**study.tables, **tables})


def definitions_table(study):
    rows = []
    for name, auc in (("year", 0.8), ("half", 0.7)):
        for design in study.designs:
            for model in study.models(design):
                rows.append(
                    dict.fromkeys(MULTIVERSE.names)
                    | {
                        "definition": name, "main": name == "year", "design": design, "model": model,
                        "estimate": auc, "ci_low": auc - 0.1, "ci_high": auc + 0.1,
                        "ci_method": "delong_logit", "status": "estimated", "note": "", "n": 60,
                        "events": 40, "cure_rate": auc - 0.1, "cure_low": 0.5, "cure_high": 0.75,
                        "decided": 90, "undecided": 12, "changed": 24, "lost": 4, "not_scored": 0,
                    }
                )  # fmt: skip
    return io.build(MULTIVERSE, rows)


def test_one_definition_needs_no_comparison(small):
    assert multiverse.multiverse_section(small) is None
    assert follow_up.weighted_grid(small) is None


def test_definitions_are_compared_in_every_design(small):
    study = with_tables(small, multiverse=definitions_table(small))
    section = multiverse.multiverse_section(study)
    assert len(section.grids) == len(small.designs)
    year, half = section.grids[0].rows
    assert [cell.text for cell in year][:3] == ["year (main)", "70\N{NO-BREAK SPACE}%", "60"]
    assert half[0].text == "half"
    assert [cell.text for cell in half][-3:] == ["24", "< 5", "0"]
    assert (half[3].text, half[3].detail) == ("0.70", "0.60 to 0.80")
    text = page.render(study).shareable
    assert "Other definitions of the outcome" in text
    assert "no model predicted them" in text


def test_patients_without_an_outcome_are_described(small):
    rows = [
        ("age", "", 45.2, 51.0, -0.4, 90, 20, "estimated"),
        ("sex", "female", 0.8, 0.7, 0.23, 90, 20, "estimated"),
        ("trab", "", None, None, None, 90, 4, "suppressed"),
    ]
    names = [name for name in WITHOUT_OUTCOME.names if name != "note"]
    table = io.build(
        WITHOUT_OUTCOME, [dict(zip(names, row, strict=True)) | {"note": ""} for row in rows]
    )
    grid = follow_up.without_outcome(with_tables(small, without_outcome=table))
    assert [cell.text for cell in grid.rows[0]][1:] == ["45.2", "51.0", "−0.40"]
    assert [cell.text for cell in grid.rows[1]][1:3] == [
        "80\N{NO-BREAK SPACE}%",
        "70\N{NO-BREAK SPACE}%",
    ]
    assert grid.rows[2][1].detail == "not shown"
    assert (
        "Patients without an outcome"
        in page.render(with_tables(small, without_outcome=table)).shareable
    )


def test_weighted_results_are_shown_if_the_config_requests_them(small):
    evaluation = small.config.evaluation.model_copy(
        update={"follow_up_weighting": "inverse_probability"}
    )
    config = small.config.model_copy(update={"evaluation": evaluation})
    performance = small.tables[PERFORMANCE.name]
    auc = performance[(performance["metric"] == "auc")].drop_duplicates(
        ["design", "split", "model", "set", "group_kind", "variable", "group"]
    )
    added = auc.assign(ci_method=follow_up.METHOD, estimate=0.61, ci_low=0.5, ci_high=0.7)
    table = io.concat(PERFORMANCE, [performance, added])
    study = dataclasses.replace(with_tables(small, performance=table), config=config)
    grid = follow_up.weighted_grid(study)
    assert {row[1].text for row in grid.rows} == {"0.61"}
    assert len(grid.rows) == sum(len(small.models(design)) for design in small.designs)
