"""Divide the cohort into training and test sets, and each training set into folds."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import library  # noqa: F401 - makes the package importable
from thyrocast import log
from thyrocast.cohort.calendar import Calendar, read
from thyrocast.cohort.splitting import divide
from thyrocast.config.designs import TemporalConfig
from thyrocast.config.study import FoldsBy
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
    by_center: bool = False,
    therapies: Mapping[str, Path] | None = None,
    temporal: TemporalConfig | None = None,
) -> None:
    """Write ``splits.csv``; `therapies` are private files with the dates, by center."""
    patients = io.read(COHORT, cohort)
    dates = None
    if therapies and temporal:
        dates = Calendar(read(therapies), temporal.first_day(), temporal.test_fraction)
    divided = divide(
        patients, designs, folds=folds, test_fraction=test_fraction, seed=seed, calendar=dates,
        by_center=by_center,
    )  # fmt: skip
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
        by_center=snakemake.params.folds_by == FoldsBy.CENTER,
        therapies={Path(file).parent.name: Path(file) for file in snakemake.input.therapies},
        temporal=TemporalConfig.read(snakemake.params.temporal),
    )
