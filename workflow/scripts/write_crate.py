"""Write a Workflow Run RO-Crate of the study: aggregate results, workflow, provenance of every job."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import library  # noqa: F401 - makes the package importable
from thyrocast import log
from thyrocast.cluster import crate, jobs
from thyrocast.contract import documents, evaluation, files
from thyrocast.planning import fingerprints

if TYPE_CHECKING:
    from snakemake.script import snakemake

REPORT = next(file for file in files.FILES if file.path == "report/report.html")


def run(
    *,
    study: str,
    provenance: Path,
    tables: Sequence[Path],
    report: Path,
    logs: Path,
    benchmarks: Path,
    environments: Mapping[str, str],
    folder: Path,
) -> None:
    """Write the crate; of the evaluation only tables without a row per patient, and the report."""
    declared = {table.name: table for table in evaluation.AGGREGATE}
    crate.write(
        folder,
        study=study,
        project=fingerprints.SCRIPTS.parent.parent,
        provenance=documents.read(documents.Provenance, provenance),
        tables=[*((declared[path.stem], path) for path in tables), (REPORT, report)],
        jobs=list(jobs.read(logs, benchmarks)),
        environments=environments,
    )


if "snakemake" in globals():
    log.start(snakemake.log[0], snakemake.rule)
    run(
        study=snakemake.params.study,
        provenance=Path(snakemake.input.provenance),
        tables=[Path(file) for file in snakemake.input.tables],
        report=Path(snakemake.input.report),
        logs=Path(snakemake.params.logs),
        benchmarks=Path(snakemake.params.benchmarks),
        environments=snakemake.params.environments,
        folder=Path(snakemake.output.crate),
    )
