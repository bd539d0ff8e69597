"""Score a design: every model, in training and test, by center and subgroup, with intervals."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import library  # noqa: F401
from thyrocast import fileio, log
from thyrocast.evaluation import design
from thyrocast.evaluation import external_predictions as comparators
from thyrocast.evaluation.layout import COLUMNS


def run(
    predictions: Sequence[Path],
    cohort: Path,
    outputs: Mapping[str, Path],
    settings: Mapping[str, Any],
    seed: int,
    in_sample: bool = False,
) -> None:
    """Write the tables named in ``outputs``."""
    own = [row for file in predictions for row in fileio.read_csv(file)]
    others = [row for one in settings["comparators"] for row in comparators.rows(own, one)]
    gathered = [*own, *others]
    found = design.evaluate(gathered, fileio.read_csv(cohort), settings, seed, in_sample)
    found["predictions"] = [[row[name] for name in COLUMNS["predictions"]] for row in gathered]
    for name, path in outputs.items():
        fileio.write_csv(path, COLUMNS[name], found[name])


if "snakemake" in globals():
    log.start(snakemake.log[0], snakemake.rule, snakemake.wildcards)
    run(
        predictions=[Path(file) for file in snakemake.input.predictions],
        cohort=Path(snakemake.input.cohort),
        outputs={name: Path(file) for name, file in snakemake.output.items()},
        settings=snakemake.params.settings,
        seed=snakemake.params.seed,
        in_sample=snakemake.params.get("embeddings") == "in_sample",
    )
