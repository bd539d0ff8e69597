"""Divide the cohort into training and test sets, and each training set into folds."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import library  # noqa: F401
from thyrocast import log
from thyrocast.cohort.splitting import divide
from thyrocast.contract import io
from thyrocast.contract.cohort import COHORT
from thyrocast.contract.splits import SPLITS

if TYPE_CHECKING:
    from snakemake.script import snakemake


def run(
    cohort: Path,
    splits: Path,
    designs: Mapping[str, Sequence[str]],
    folds: int,
    test_fraction: float,
    seed: int,
) -> None:
    """Write ``splits.csv``."""
    patients = io.read(COHORT, cohort)
    divided = divide(patients, designs, folds=folds, test_fraction=test_fraction, seed=seed)
    io.write(SPLITS, divided, splits)


if "snakemake" in globals():
    log.start(snakemake.log[0], snakemake.rule)
    run(
        cohort=Path(snakemake.input.cohort),
        splits=Path(snakemake.output.splits),
        designs=dict(snakemake.params.designs),
        folds=snakemake.params.folds,
        test_fraction=snakemake.params.test_fraction,
        seed=snakemake.params.seed,
    )
