"""Evaluate a design: every model, in training and test sets, by center and subgroup, with intervals."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import library  # noqa: F401 - makes the package importable
from thyrocast import log
from thyrocast.cohort import calendar
from thyrocast.config.evaluation import EvaluationConfig, FollowUpWeighting
from thyrocast.config.study import Outcomes
from thyrocast.contract import io, splits
from thyrocast.contract.cohort import COHORT, FOLLOW_UP
from thyrocast.contract.evaluation import OF_DESIGN, PREDICTIONS
from thyrocast.evaluation import design, external_predictions, follow_up, periods
from thyrocast.evaluation.applied import Applied, frozen_only
from thyrocast.evaluation.settings import Settings

if TYPE_CHECKING:
    from snakemake.script import snakemake


def run(
    predictions: Sequence[Path],
    member_predictions: Sequence[Path],
    cohort: Path,
    outputs: Mapping[str, Path],
    config: EvaluationConfig,
    seed: int,
    in_sample: bool = False,
    follow_up_file: Path | None = None,
    outcomes: Outcomes = Outcomes.OBSERVED,
    therapies: Mapping[str, Path] | None = None,
    applied: Applied | None = None,
) -> None:
    """Write the tables of a design that are named in `outputs`.

    `therapies` are private files with dates, by center, for results by period of therapy; `applied` are
    files of a locked model that was applied.
    """
    own = io.concat(PREDICTIONS, [io.read(splits.PREDICTIONS, file) for file in predictions])
    external = [external_predictions.read(one, own) for one in config.external_predictions]
    everything = io.concat(PREDICTIONS, [own, *external]) if external else own
    weights = None
    if follow_up_file and config.follow_up_weighting is FollowUpWeighting.INVERSE_PROBABILITY:
        weights = follow_up.learn(io.read(FOLLOW_UP, follow_up_file), config.resamples, seed)
    patients = io.read(COHORT, cohort)
    if applied:
        patients = applied.mark(patients)
        everything = frozen_only(everything, applied.apart())
    if therapies:
        dates = calendar.read(therapies)
        patients = periods.add(patients, dates, everything, config.minimum_count)
    locked = applied.read() if applied else None
    settings = Settings(config, seed, in_sample, weights, outcomes, locked)
    members = io.concat(
        splits.MEMBER_PREDICTIONS,
        [io.read(splits.MEMBER_PREDICTIONS, file) for file in member_predictions],
    )
    found = design.evaluate(everything, patients, settings, members)
    for table in OF_DESIGN:
        if table.name in outputs:
            io.write(table, found[table], outputs[table.name])


if "snakemake" in globals():
    log.start(snakemake.log[0], snakemake.rule, snakemake.wildcards)
    run(
        predictions=[Path(file) for file in snakemake.input.predictions],
        member_predictions=[Path(file) for file in snakemake.input.member_predictions],
        cohort=Path(snakemake.input.cohort),
        outputs={name: Path(file) for name, file in snakemake.output.items()},
        config=EvaluationConfig.read(snakemake.params.settings),
        seed=snakemake.params.seed,
        in_sample=snakemake.params.embeddings == "in_sample",
        follow_up_file=Path(snakemake.input.follow_up),
        outcomes=Outcomes(snakemake.params.outcomes),
        therapies={Path(file).parent.name: Path(file) for file in snakemake.input.therapies},
        applied=Applied.named(snakemake.input.applied),
    )
