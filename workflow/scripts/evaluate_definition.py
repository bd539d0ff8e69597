"""Repeat the evaluation under another definition of the outcome, with the same predictions."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import library  # noqa: F401 - makes the package importable
from thyrocast import log
from thyrocast.config.evaluation import EvaluationConfig
from thyrocast.config.study import Outcomes
from thyrocast.contract import io
from thyrocast.contract.cohort import COHORT, DEFINITIONS
from thyrocast.contract.evaluation import PREDICTIONS
from thyrocast.contract.splits import MEMBER_PREDICTIONS
from thyrocast.evaluation import definitions
from thyrocast.evaluation.applied import Applied, frozen_only
from thyrocast.evaluation.settings import Settings

if TYPE_CHECKING:
    from snakemake.script import snakemake


def run(
    predictions: Path,
    member_predictions: Sequence[Path],
    cohort: Path,
    outcomes: Sequence[Path],
    outputs: Mapping[str, Path],
    definition: str,
    settings: Settings,
    applied: Applied | None = None,
) -> None:
    """Write the tables of all designs that are named in `outputs`."""
    decided = io.concat(DEFINITIONS, [io.read(DEFINITIONS, file) for file in outcomes])
    known = definitions.under(io.read(PREDICTIONS, predictions), decided, definition)
    members = io.concat(
        MEMBER_PREDICTIONS, [io.read(MEMBER_PREDICTIONS, file) for file in member_predictions]
    )
    patients = io.read(COHORT, cohort)
    if applied:
        patients = applied.mark(patients)
        known = frozen_only(known, applied.apart())
        settings = replace(settings, locked=applied.read())
    found = definitions.evaluate(known, patients, settings, members)
    for table, frame in found.items():
        if table.name in outputs:
            io.write(table, frame, outputs[table.name])


if "snakemake" in globals():
    log.start(snakemake.log[0], snakemake.rule, snakemake.wildcards)
    run(
        predictions=Path(snakemake.input.predictions),
        member_predictions=[Path(file) for file in snakemake.input.member_predictions],
        cohort=Path(snakemake.input.cohort),
        outcomes=[Path(file) for file in snakemake.input.outcomes],
        outputs={name: Path(file) for name, file in snakemake.output.items()},
        definition=snakemake.wildcards.definition,
        settings=Settings(
            EvaluationConfig.read(snakemake.params.settings),
            snakemake.params.seed,
            snakemake.params.embeddings == "in_sample",
            outcomes=Outcomes(snakemake.params.outcomes),
        ),
        applied=Applied.named(snakemake.input.applied),
    )
