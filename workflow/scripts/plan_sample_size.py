"""Compare the size of the study with Riley's criteria, before anything is trained."""

from pathlib import Path
from typing import TYPE_CHECKING

import library  # noqa: F401 - makes the package importable
from thyrocast import log
from thyrocast.config.evaluation import EvaluationConfig
from thyrocast.config.signature import SignatureConfig
from thyrocast.contract import io
from thyrocast.contract.cohort import COHORT
from thyrocast.contract.evaluation import SAMPLE_SIZE
from thyrocast.contract.splits import SPLITS
from thyrocast.evaluation import sample_size

if TYPE_CHECKING:
    from snakemake.script import snakemake


def run(
    cohort: Path, splits: Path, output: Path, config: EvaluationConfig, signature: SignatureConfig
) -> None:
    """Write the table `SAMPLE_SIZE`."""
    found = sample_size.plan(
        io.read(COHORT, cohort),
        io.read(SPLITS, splits),
        config.sample_size,
        config.confidence,
        signature,
    )
    io.write(SAMPLE_SIZE, found, output)


if "snakemake" in globals():
    log.start(snakemake.log[0], snakemake.rule)
    run(
        cohort=Path(snakemake.input.cohort),
        splits=Path(snakemake.input.splits),
        output=Path(snakemake.output.sample_size),
        config=EvaluationConfig.read(snakemake.params.settings),
        signature=SignatureConfig.read(snakemake.params.signature),
    )
