"""Write the predictions of a prospective center: a table, and a one-page sheet for each patient."""

from pathlib import Path
from typing import TYPE_CHECKING

import library  # noqa: F401 - makes the package importable
from thyrocast import fileio, log
from thyrocast.contract import deployment, documents, io
from thyrocast.contract.manifest import Manifest
from thyrocast.prospective import overview, sheet, sheet_pdf

if TYPE_CHECKING:
    from snakemake.script import snakemake


def run(
    files: overview.Files,
    manifest: Path,
    pictures: Path,
    center: str,
    main: str,
    error: float,
    table: Path,
    sheets: Path,
) -> None:
    """Write the private table `PROSPECTIVE` and the folder of sheets.

    Parameters
    ----------
    files
        What was computed.
    manifest
        Of the locked model.
    pictures
        Folder of the pictures of the maps.
    center, main
        The center, and the model that heads a sheet.
    error
        Largest accepted share of prediction sets without the true outcome.
    table, sheets
        What is written.
    """
    rows = overview.table(files, center, main)
    io.write(deployment.PROSPECTIVE, rows, table)
    fileio.private_folder(sheets)
    model = documents.read(Manifest, manifest)
    for one in sheet.sheets(rows, model, error, pictures):
        contents = {"html": sheet.page(one).encode(), "pdf": sheet_pdf.draw(one)}
        for ending, content in contents.items():
            path = sheets / f"{one.patient}.{ending}"
            with fileio.atomic(path, fileio.private_mode(path)) as temporary:
                temporary.write_bytes(content)


if "snakemake" in globals():
    log.start(snakemake.log[0], snakemake.rule, snakemake.wildcards)
    given = snakemake.input
    run(
        overview.Files(
            predictions=Path(given.predictions),
            patients=Path(given.patients),
            thresholds=Path(given.thresholds),
            members=Path(given.members),
            scans=Path(given.scans),
            records=[Path(file) for file in given.records],
        ),
        Path(given.manifest),
        Path(given.pictures),
        snakemake.wildcards.center,
        snakemake.params.main,
        snakemake.params.error,
        Path(snakemake.output.table),
        Path(snakemake.output.sheets),
    )
