"""Score the patients whose prediction was not frozen before the outcome, apart from the others."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import library  # noqa: F401 - makes the package importable
from thyrocast import log
from thyrocast.config.evaluation import EvaluationConfig
from thyrocast.config.study import Outcomes
from thyrocast.contract import deployment, io
from thyrocast.contract.cohort import COHORT
from thyrocast.contract.splits import MEMBER_PREDICTIONS, PREDICTIONS
from thyrocast.evaluation import applied as application
from thyrocast.evaluation.applied import Applied
from thyrocast.evaluation.settings import Settings

if TYPE_CHECKING:
    from snakemake.script import snakemake


def run(
    predictions: Path,
    member_predictions: Path,
    cohort: Path,
    applied: Applied,
    settings: Settings,
    output: Path,
) -> None:
    """Write the table `APART`."""
    found = application.score_apart(
        io.read(PREDICTIONS, predictions),
        io.read(MEMBER_PREDICTIONS, member_predictions),
        io.read(COHORT, cohort),
        applied.apart(),
        replace(settings, locked=applied.read()),
    )
    io.write(deployment.APART, found, output)


if "snakemake" in globals():
    log.start(snakemake.log[0], snakemake.rule)
    named = Applied.named(snakemake.input.applied)
    if named is None:
        raise ValueError("the rule has no files of a locked model")
    run(
        Path(snakemake.input.predictions),
        Path(snakemake.input.member_predictions),
        Path(snakemake.input.cohort),
        named,
        Settings(
            EvaluationConfig.read(snakemake.params.settings),
            snakemake.params.seed,
            snakemake.params.embeddings == "in_sample",
            outcomes=Outcomes(snakemake.params.outcomes),
        ),
        Path(snakemake.output.apart),
    )
