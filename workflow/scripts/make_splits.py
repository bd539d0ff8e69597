"""Divide the cohort into training and test sets, and each training set into folds."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import library  # noqa: F401
from thyrocast import fileio, log
from thyrocast.cohort import splitting as splits


def run(
    cohort: Path,
    output: Path,
    designs: Mapping[str, Sequence[str]],
    folds: int,
    test_fraction: float,
    seed: int,
) -> None:
    """Write ``splits.csv``."""
    rows = splits.divide(
        fileio.read_csv(cohort), designs, folds=folds, test_fraction=test_fraction, seed=seed
    )
    fileio.write_csv(output, ("design", "split", "patient", "set", "fold"), rows)


if "snakemake" in globals():
    log.start(snakemake.log[0], snakemake.rule)
    run(
        cohort=Path(snakemake.input.cohort),
        output=Path(snakemake.output.splits),
        designs=dict(snakemake.params.designs),
        folds=snakemake.params.folds,
        test_fraction=snakemake.params.test_fraction,
        seed=snakemake.params.seed,
    )
