"""Hold the study's size against Riley's criteria, before anything is trained."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import library  # noqa: F401
from thyrocast import fileio, log
from thyrocast.evaluation import planning
from thyrocast.evaluation.layout import COLUMNS


def run(cohort: Path, splits: Path, output: Path, settings: Mapping[str, Any]) -> None:
    """Write ``sample_size.csv``."""
    rows = planning.rows(
        fileio.read_csv(cohort),
        fileio.read_csv(splits),
        settings["sample_size"],
        settings["confidence"],
    )
    fileio.write_csv(output, COLUMNS["sample_size"], list(rows))


if "snakemake" in globals():
    log.start(snakemake.log[0], snakemake.rule)
    run(
        cohort=Path(snakemake.input.cohort),
        splits=Path(snakemake.input.splits),
        output=Path(snakemake.output.sample_size),
        settings=snakemake.params.settings,
    )
