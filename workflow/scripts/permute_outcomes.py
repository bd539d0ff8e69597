"""Write the cohort with permuted outcomes of a split's training patients."""

from pathlib import Path
from typing import TYPE_CHECKING

import library  # noqa: F401 - makes the package importable
from thyrocast import log, seeds
from thyrocast.config.controls import Strata
from thyrocast.contract import io
from thyrocast.contract.cohort import COHORT
from thyrocast.contract.splits import SPLITS
from thyrocast.controls import trained

if TYPE_CHECKING:
    from snakemake.script import snakemake


def run(
    cohort: Path,
    splits: Path,
    permuted: Path,
    names: tuple[str, str],
    permutation: str,
    strata: Strata,
    seed: int,
) -> None:
    """Write cohort.csv with the outcomes of a permutation; `names` are design and split."""
    found = trained.permute_training(
        io.read(COHORT, cohort),
        io.read(SPLITS, splits),
        names,
        strata,
        seeds.derive(seed, "controls", "networks", *names, permutation),
    )
    io.write(COHORT, found, permuted)


if "snakemake" in globals():
    log.start(snakemake.log[0], snakemake.rule, snakemake.wildcards)
    run(
        cohort=Path(snakemake.input.cohort),
        splits=Path(snakemake.input.splits),
        permuted=Path(snakemake.output.cohort),
        names=(snakemake.wildcards.design, snakemake.wildcards.split),
        permutation=snakemake.wildcards.permutation,
        strata=Strata(snakemake.params.strata),
        seed=snakemake.params.seed,
    )
