"""The page of exchange files that were pooled at a site without patients."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from thyrocast.config.evaluation import EvaluationConfig
from thyrocast.config.study import StudyConfig
from thyrocast.contract import io
from thyrocast.contract.cohort import COHORT
from thyrocast.contract.documents import Flow, Provenance
from thyrocast.contract.exchange import Exchange
from thyrocast.contract.splits import SPLITS
from thyrocast.pages import html, numbers
from thyrocast.report import words
from thyrocast.report.grids import center_grids
from thyrocast.report.sources import sources
from thyrocast.report.study import StudyResults

HERE = Path(__file__).parent
SECTIONS = (("pooled", "Pooled results"), ("files", "Files"))


def render(
    name: str, files: Mapping[str, Exchange], tables: Mapping[str, pd.DataFrame], level: float
) -> str:
    """Return the page; it needs no other file and no network.

    Parameters
    ----------
    name
        Name of the study.
    files
        Exchange files by center.
    tables
        `PERFORMANCE` of the files, `POOLED`, `POOLED_CENTERS` and `SOURCES`, by name.
    level
        Confidence level of all limits.
    """
    study = _study(tables, level)
    return html.render(
        HERE,
        "pooled.html.j2",
        sections=SECTIONS,
        study=name,
        facts=_facts(files, level),
        designs=[
            (
                words.design(design),
                sources(study, design),
                center_grids.centers(study, design),
                [*center_grids.pooled(study, design), *center_grids.influence(study, design)],
            )
            for design in study.designs
        ],
    )


def _study(tables: Mapping[str, pd.DataFrame], level: float) -> StudyResults:
    """The tables as sections of the report read them; there is no patient."""
    config = StudyConfig.model_construct(centers=(), evaluation=EvaluationConfig(confidence=level))
    return StudyResults(
        config=config,
        cohort=io.empty(COHORT),
        flow=Flow(centers={}),
        division=io.empty(SPLITS),
        splits=(),
        maps={},
        provenance=Provenance.model_construct(),
        simulation=None,
        tables=tables,
    )


def _facts(files: Mapping[str, Exchange], level: float) -> list[tuple[str, str]]:
    first = next(iter(files.values()))
    patients, cured = (
        sum(getattr(file, key) for file in files.values()) for key in ("patients", "cured")
    )
    flags = [
        word
        for word, present in (
            ("simulated patients", first.flags.simulated),
            ("outcomes permuted at random", first.flags.shuffled),
            ("in-sample embeddings", first.flags.in_sample_embeddings),
        )
        if present
    ]
    return [
        ("Centers", numbers.count(len(files))),
        ("Patients scored", numbers.count(patients)),
        ("of them cured", numbers.share(cured, patients)),
        ("Outcome", f"by the rule {first.outcome.rule.value}"),
        ("Confidence level", numbers.percent(level, 1)),
        ("Remarks", ", ".join(flags) or "none"),
    ]
