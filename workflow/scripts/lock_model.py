"""Bundle the model of all development patients, with a hash of every file."""

from pathlib import Path
from typing import TYPE_CHECKING

import library  # noqa: F401
from thyrocast import log
from thyrocast.config.public import public
from thyrocast.config.study import StudyConfig
from thyrocast.contract import io
from thyrocast.contract.cohort import COHORT
from thyrocast.contract.splits import SPLITS
from thyrocast.deployment import bundle

if TYPE_CHECKING:
    from snakemake.script import snakemake


def run(
    cohort: Path,
    splits: Path,
    parts: bundle.Parts,
    config: StudyConfig,
    logs: Path,
    files: Path,
    manifest: Path,
) -> None:
    """Copy the files that prediction needs to ``files`` and describe them in ``manifest``."""
    tables = io.read(COHORT, cohort), io.read(SPLITS, splits)
    bundle.lock(parts, *tables, public(config), logs, files, manifest)


if "snakemake" in globals():
    log.start(snakemake.log[0], snakemake.rule)
    members = zip(snakemake.params.members, map(Path, snakemake.input.weights), strict=True)
    run(
        cohort=Path(snakemake.input.cohort),
        splits=Path(snakemake.input.splits),
        parts=bundle.Parts(
            weights=dict(members),
            signature=[Path(file) for file in snakemake.input.signature],
            thresholds=Path(snakemake.input.thresholds),
        ),
        config=StudyConfig.read(snakemake.params.config),
        logs=Path(snakemake.params.logs),
        files=Path(snakemake.output.files),
        manifest=Path(snakemake.output.manifest),
    )
