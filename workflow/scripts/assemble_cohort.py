"""Gather the centers' patients and images into one cohort."""

from pathlib import Path

import library  # noqa: F401
from thyrocast import log
from thyrocast.cohort import assembly

if "snakemake" in globals():
    log.start(snakemake.log[0], snakemake.rule, snakemake.wildcards)
    assembly.assemble(
        registers=[Path(path) for path in snakemake.input.registers],
        scans=[Path(path) for path in snakemake.input.scans],
        images=[Path(path) for path in snakemake.input.images],
        records=[Path(path) for path in snakemake.input.records],
        roles=dict(snakemake.params.roles),
        settings=dict(snakemake.params.settings),
        outcomes=snakemake.params.outcomes,
        seed=snakemake.params.seed,
        cohort=Path(snakemake.output.cohort),
        images_out=Path(snakemake.output.images),
        masks_out=Path(snakemake.output.masks),
        flow=Path(snakemake.output.flow),
    )
