"""Bundle the model of all development patients, with a hash of every file and of the whole."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING

import library  # noqa: F401 - makes the package importable
from thyrocast import log
from thyrocast.config.study import StudyConfig
from thyrocast.contract import evaluation, io, splits
from thyrocast.contract.cohort import COHORT
from thyrocast.locked import bundle

if TYPE_CHECKING:
    from snakemake.script import snakemake

logger = logging.getLogger("thyrocast")


def run(parts: bundle.Parts, config: StudyConfig, logs: Path, folder: Path) -> None:
    """Write the locked model to ``folder``."""
    manifest = bundle.lock(parts, config, logs, folder)
    logger.info("locked model %s: %d files", manifest.hash, len(manifest.files))


if "snakemake" in globals():
    log.start(snakemake.log[0], snakemake.rule)
    members = zip(snakemake.params.members, map(Path, snakemake.input.weights), strict=True)
    run(
        bundle.Parts(
            weights=dict(members),
            model=Path(snakemake.input.model),
            forest=Path(snakemake.input.forest),
            embeddings=Path(snakemake.input.embeddings),
            cohort=io.read(COHORT, snakemake.input.cohort),
            splits=io.read(splits.SPLITS, snakemake.input.splits),
            predictions=io.read(splits.PREDICTIONS, snakemake.input.predictions),
            performance=io.read(evaluation.PERFORMANCE, snakemake.input.performance),
        ),
        StudyConfig.read(snakemake.params.config),
        Path(snakemake.params.logs),
        Path(snakemake.output.manifest).parent,
    )
