"""Check a center before training: its private page, its public page and the numbers."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import library  # noqa: F401 - makes the package importable
from thyrocast import check, fileio, log
from thyrocast.check.center import CenterFiles, Settings
from thyrocast.config.center import CenterConfig
from thyrocast.config.check import CheckConfig
from thyrocast.config.cohort import CohortConfig
from thyrocast.config.image import ImageConfig
from thyrocast.contract import documents

if TYPE_CHECKING:
    from snakemake.script import snakemake

LOG = logging.getLogger("thyrocast")


def run(
    settings: Settings,
    files: CenterFiles,
    others: Mapping[str, CenterFiles],
    page: Path,
    public_page: Path,
    document: Path,
) -> None:
    """Write both pages and the document, and log the verdict with what to do first."""
    found = check.check(check.read(settings, files, others))
    fileio.private_folder(page.parent)
    for path, private in ((page, True), (public_page, False)):
        text = check.render(found, private=private)
        with fileio.atomic(path, mode=fileio.private_mode(path) if private else None) as temporary:
            temporary.write_text(text, encoding="utf-8")
    documents.write(check.as_document(found), document)
    for sentence in check.summary(found, page):
        LOG.info("%s", sentence)


if "snakemake" in globals():
    log.start(snakemake.log[0], snakemake.rule, snakemake.wildcards)
    inputs, params = snakemake.input, snakemake.params
    run(
        settings=Settings(
            study=params.study,
            center=CenterConfig.read(params.center),
            check=CheckConfig.read(params.check),
            cohort=CohortConfig.read(params.cohort),
            image=ImageConfig.read(params.image),
            smallest=params.smallest,
        ),
        files=CenterFiles(
            register=Path(inputs.register),
            scans=Path(inputs.scans),
            private=Path(inputs.outcomes).parent,
            images=[Path(path) for path in inputs.images],
            records=[Path(path) for path in inputs.records],
        ),
        others={
            other: CenterFiles(
                register=Path(register),
                scans=Path(scans),
                images=[Path(path) for path in inputs.other_images if f"/{other}/" in path],
            )
            for other, register, scans in zip(
                params.others, inputs.other_registers, inputs.other_scans, strict=True
            )
        },
        page=Path(snakemake.output.page),
        public_page=Path(snakemake.output.public_page),
        document=Path(snakemake.output.document),
    )
