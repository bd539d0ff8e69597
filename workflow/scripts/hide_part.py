"""Write the cohort's images with one part only."""

from pathlib import Path
from typing import TYPE_CHECKING

import library  # noqa: F401 - makes the package importable
from thyrocast import log
from thyrocast.contract.control_names import ImagePart
from thyrocast.controls import hiding

if TYPE_CHECKING:
    from snakemake.script import snakemake


if "snakemake" in globals():
    log.start(snakemake.log[0], snakemake.rule, snakemake.wildcards)
    hiding.hide(
        Path(snakemake.input.images),
        Path(snakemake.input.masks),
        ImagePart(snakemake.wildcards.part),
        snakemake.params.field_mm,
        Path(snakemake.output.images),
        Path(snakemake.output.masks),
    )
