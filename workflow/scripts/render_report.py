"""Render the page that clinicians, statisticians and reviewers read."""

from pathlib import Path
from typing import TYPE_CHECKING

import library  # noqa: F401
from thyrocast import fileio, log, report
from thyrocast.config.study import StudyConfig
from thyrocast.report.reading import EVALUATION

if TYPE_CHECKING:
    from snakemake.script import snakemake


def run(files: report.StudyFiles, config: StudyConfig, output: Path) -> None:
    """Read a finished study and write one HTML page."""
    page = report.render(report.read_study(files, config))
    with fileio.atomic(output) as temporary:
        temporary.write_text(page, encoding="utf-8")


if "snakemake" in globals():
    log.start(snakemake.log[0], snakemake.rule)
    inputs, params = snakemake.input, snakemake.params
    # One file per split, and for histories per split and member, in the order of these names.
    names = [(design, split) for design, splits in params.designs.items() for split in splits]
    members = list(params.members)
    histories = [Path(file) for file in inputs.histories]
    run(
        files=report.StudyFiles(
            cohort=Path(inputs.cohort),
            flow=Path(inputs.flow),
            division=Path(inputs.splits),
            provenance=Path(inputs.provenance),
            simulation=Path(inputs.simulation) if inputs.simulation else None,
            evaluation={table.name: Path(inputs.get(table.name)) for table in EVALUATION},
            splits=tuple(
                report.SplitFiles(
                    design=design,
                    split=split,
                    histories=dict(
                        zip(members, histories[place * len(members) :][: len(members)], strict=True)
                    ),
                    signature=Path(signature),
                    gradcam=Path(gradcam),
                    overlays=Path(overlays),
                )
                for place, ((design, split), signature, gradcam, overlays) in enumerate(
                    zip(names, inputs.signatures, inputs.gradcams, inputs.overlays, strict=True)
                )
            ),
        ),
        config=StudyConfig.read(params.config),
        output=Path(snakemake.output.report),
    )
