"""Write a Workflow Run RO-Crate of the study: aggregate results, workflow, provenance of every job."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import library  # noqa: F401
from thyrocast import log
from thyrocast.cluster import crate, jobs
from thyrocast.contract import documents, evaluation
from thyrocast.planning import fingerprints

if TYPE_CHECKING:
    from snakemake.script import snakemake


def run(
    *,
    study: str,
    provenance: Path,
    tables: Sequence[Path],
    logs: Path,
    benchmarks: Path,
    folder: Path,
) -> None:
    """Write the crate; of the evaluation only tables without a row per patient."""
    declared = {table.name: table for table in evaluation.AGGREGATE}
    crate.write(
        folder,
        study=study,
        project=fingerprints.SCRIPTS.parent.parent,
        provenance=documents.read(documents.Provenance, provenance),
        tables=[(declared[path.stem], path) for path in tables],
        jobs=list(jobs.read(logs, benchmarks)),
    )


if "snakemake" in globals():
    log.start(snakemake.log[0], snakemake.rule)
    run(
        study=snakemake.params.study,
        provenance=Path(snakemake.input.provenance),
        tables=[Path(file) for file in snakemake.input.tables],
        logs=Path(snakemake.params.logs),
        benchmarks=Path(snakemake.params.benchmarks),
        folder=Path(snakemake.output.crate),
    )
