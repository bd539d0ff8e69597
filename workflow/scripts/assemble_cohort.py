"""Combine the centers' patients and images into one cohort."""

from pathlib import Path
from typing import TYPE_CHECKING

import library  # noqa: F401 - makes the package importable
from thyrocast import log
from thyrocast.cohort.assembly import Inputs, Outputs, assemble
from thyrocast.config.cohort import CohortConfig
from thyrocast.config.study import Outcomes

if TYPE_CHECKING:
    from snakemake.script import snakemake

if "snakemake" in globals():
    log.start(snakemake.log[0], snakemake.rule, snakemake.wildcards)
    assemble(
        Inputs(
            registers=[Path(path) for path in snakemake.input.registers],
            scans=[Path(path) for path in snakemake.input.scans],
            images=[Path(path) for path in snakemake.input.images],
            records=[Path(path) for path in snakemake.input.records],
        ),
        Outputs(
            cohort=Path(snakemake.output.cohort),
            patients=Path(snakemake.output.patients),
            images=Path(snakemake.output.images),
            masks=Path(snakemake.output.masks),
            follow_up=Path(snakemake.output.follow_up),
            without_outcome=Path(snakemake.output.without_outcome),
            flow=Path(snakemake.output.flow),
        ),
        roles=dict(snakemake.params.roles),
        settings=CohortConfig.read(snakemake.params.settings),
        outcomes=Outcomes(snakemake.params.outcomes),
        seed=snakemake.params.seed,
        smallest=snakemake.params.smallest,
    )
