"""Record code, config, versions, seeds and the hashes of the inputs of a study."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import library  # noqa: F401 - makes the package importable
from thyrocast import log
from thyrocast.cluster import provenance
from thyrocast.config.public import public
from thyrocast.config.study import StudyConfig
from thyrocast.contract import documents
from thyrocast.planning import fingerprints

if TYPE_CHECKING:
    from snakemake.script import snakemake


def run(
    inputs: Mapping[str, Path],
    config: StudyConfig,
    logs: Path,
    plan: provenance.StudyPlan,
    output: Path,
) -> None:
    """Write ``provenance.json``; the hashes of the inputs are SHA-256."""
    described = provenance.describe(
        config=public(config),
        seed=config.seed,
        inputs={name: fingerprints.file_hash(file) for name, file in inputs.items()},
        logs=logs,
        plan=plan,
    )
    documents.write(described, output)


if "snakemake" in globals():
    log.start(snakemake.log[0], snakemake.rule)
    config = StudyConfig.read(snakemake.params.config)
    clinical_tables = {
        f"clinical table of {center}": Path(file)
        for center, file in zip(config.names(), snakemake.input.clinical, strict=True)
    }
    cohort_files = {Path(file).name: Path(file) for file in snakemake.input.cohort}
    # Its name says by which code and settings it was made.
    networks = {Path(file).name: Path(file) for file in snakemake.input.pretrained}
    run(
        inputs=clinical_tables | cohort_files | networks,
        config=config,
        logs=Path(snakemake.params.logs),
        plan=provenance.StudyPlan(
            environments=provenance.planned(snakemake.params.environments, config),
            centers=config.names(),
            splits=config.splits(),
        ),
        output=Path(snakemake.output.provenance),
    )
