"""Turn the anterior frames of a job's patients into comparable images of one field of view."""

from pathlib import Path
from typing import Any

import library  # noqa: F401
from thyrocast import fileio, log
from thyrocast.image import standardize


def run(
    scans: Path,
    center: dict[str, Any],
    patients: list[str],
    settings: dict[str, Any],
    images: Path,
    records: Path,
    version: str,
    done: Path,
) -> None:
    """Write the job's images and records, and to ``done`` the version of all that decided them."""
    results, rows = standardize.standardize_job(
        patients, fileio.read_csv(scans), Path(center["dicom"]), center, settings
    )
    standardize.write_job(results, rows, settings["size"], images, records)
    with fileio.atomic(done) as temporary:
        temporary.write_text(version)


if "snakemake" in globals():
    log.start(snakemake.log[0], snakemake.rule, snakemake.wildcards)
    run(
        scans=Path(snakemake.input.scans),
        center=snakemake.params.center,
        patients=list(snakemake.params.patients),
        settings=snakemake.params.settings,
        images=Path(snakemake.output.images),
        records=Path(snakemake.output.records),
        version=snakemake.params.version,
        done=Path(snakemake.params.done),
    )
