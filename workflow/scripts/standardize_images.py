"""Convert the anterior frames of a job's patients to comparable images of one field of view."""

from pathlib import Path
from typing import TYPE_CHECKING

import library  # noqa: F401 - makes the package importable
from thyrocast import fileio, log
from thyrocast.config.center import CenterConfig
from thyrocast.config.image import ImageConfig
from thyrocast.contract import io
from thyrocast.contract.cohort import SCANS
from thyrocast.image import standardize

if TYPE_CHECKING:
    from snakemake.script import snakemake


def run(
    *,
    scans: Path,
    center: CenterConfig,
    patients: list[str],
    settings: ImageConfig,
    images: Path,
    records: Path,
    version: str,
    done: Path,
) -> None:
    """Write the job's images and records, and `version` (a hash of the job's inputs) to `done`."""
    results = standardize.standardize_job(
        patients, io.read(SCANS, scans), Path(center.dicom), center, settings
    )
    standardize.write_job(results, settings.size, images, records)
    with fileio.atomic(done) as temporary:
        temporary.write_text(version)


if "snakemake" in globals():
    log.start(snakemake.log[0], snakemake.rule, snakemake.wildcards)
    run(
        scans=Path(snakemake.input.scans),
        center=CenterConfig.read(snakemake.params.center),
        patients=list(snakemake.params.patients),
        settings=ImageConfig.read(snakemake.params.settings),
        images=Path(snakemake.output.images),
        records=Path(snakemake.output.records),
        version=snakemake.params.version,
        done=Path(snakemake.output.done),
    )
