"""Render the page that clinicians, statisticians and reviewers read."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import library  # noqa: F401 - makes the package importable
from thyrocast import fileio, log, report
from thyrocast.config.study import StudyConfig
from thyrocast.report.applied import AppliedFiles
from thyrocast.report.reading import EVALUATION, OPTIONAL

if TYPE_CHECKING:
    from snakemake.script import snakemake


def run(
    files: report.StudyFiles, config: StudyConfig, output: Path, internal: Path, methods: Path
) -> None:
    """Read a finished study and write a page to be passed on, one with patients, and its methods."""
    study = report.read_study(files, config)
    pages = report.render(study)
    for path, text in ((output, pages.shareable), (methods, report.as_markdown(study))):
        with fileio.atomic(path) as temporary:
            temporary.write_text(text, encoding="utf-8")
    fileio.private_folder(internal.parent)
    with fileio.atomic(internal, mode=fileio.private_mode(internal)) as temporary:
        temporary.write_text(pages.internal, encoding="utf-8")


def split_files(
    config: StudyConfig,
    histories: Sequence[Path],
    paths: Sequence[Path],
    features: Sequence[Path],
    correlates: Sequence[Path],
    activatings: Sequence[Path],
    optimisms: Sequence[Path],
    gradcams: Sequence[Path],
    models: Sequence[Path],
) -> tuple[report.SplitFiles, ...]:
    """Name the files of every split.

    Parameters
    ----------
    config
        Its designs, splits and members have the order of the files.
    histories
        One file per split and member.
    paths, features, correlates, activatings, optimisms, gradcams, models
        One file per split.
    """
    members = config.members()
    names = [(design, split) for design, splits in config.splits().items() for split in splits]
    return tuple(
        report.SplitFiles(
            design=design,
            split=split,
            histories=dict(
                zip(members, histories[n * len(members) :][: len(members)], strict=True)
            ),
            path=paths[n],
            features=features[n],
            correlates=correlates[n],
            activating=activatings[n],
            optimism=optimisms[n],
            gradcam=gradcams[n],
            model=models[n],
        )
        for n, (design, split) in enumerate(names)
    )


if "snakemake" in globals():
    log.start(snakemake.log[0], snakemake.rule)
    inputs = snakemake.input
    study_config = StudyConfig.read(snakemake.params.config)
    run(
        files=report.StudyFiles(
            cohort=Path(inputs.cohort),
            flow=Path(inputs.flow),
            division=Path(inputs.splits),
            provenance=Path(inputs.provenance),
            images=Path(inputs.images),
            simulation=Path(inputs.simulation) if inputs.simulation else None,
            evaluation={
                table.name: Path(inputs.get(table.name))
                for table in (*EVALUATION, *OPTIONAL)
                if inputs.get(table.name)
            },
            splits=split_files(
                study_config,
                *(
                    [Path(file) for file in files]
                    for files in (
                        inputs.histories,
                        inputs.paths,
                        inputs.features,
                        inputs.correlates,
                        inputs.activatings,
                        inputs.optimisms,
                        inputs.gradcams,
                        inputs.models,
                    )
                ),
            ),
            maps={
                design: report.MapFiles(*map(Path, found))
                for design, *found in zip(
                    study_config.splits(),
                    inputs.shares,
                    inputs.attention,
                    inputs.randomizations,
                    inputs.curves,
                    inputs.agreements,
                    inputs.pictures,
                    strict=True,
                )
            },
            applied=(
                AppliedFiles(
                    Path(inputs.manifest),
                    Path(inputs.looks),
                    Path(inputs.applied_patients),
                    Path(inputs.ledger),
                    Path(inputs.apart),
                )
                if study_config.model
                else None
            ),
        ),
        config=study_config,
        output=Path(snakemake.output.report),
        internal=Path(snakemake.output.internal),
        methods=Path(snakemake.output.methods),
    )
