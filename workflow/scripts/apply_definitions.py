"""Decide the outcome of a center's patients under every definition of the outcome."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import library  # noqa: F401 - makes the package importable
from thyrocast import identity, log
from thyrocast.cohort import definitions
from thyrocast.config.center import CenterConfig
from thyrocast.config.cohort import CohortConfig
from thyrocast.contract import io
from thyrocast.contract.cohort import DEFINITIONS

if TYPE_CHECKING:
    from snakemake.script import snakemake


def run(
    center: CenterConfig, cohort: CohortConfig, key: Path, names: Sequence[str], output: Path
) -> None:
    """Write ``definitions.csv``."""
    secret = identity.read_key(key)
    io.write(DEFINITIONS, definitions.outcomes(center, cohort, secret, names), output)


if "snakemake" in globals():
    log.start(snakemake.log[0], snakemake.rule, snakemake.wildcards)
    run(
        center=CenterConfig.read(snakemake.params.center),
        cohort=CohortConfig.read(snakemake.params.cohort),
        key=Path(snakemake.params.key),
        names=list(snakemake.params.definitions),
        output=Path(snakemake.output.definitions),
    )
