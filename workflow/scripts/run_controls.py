"""Run the negative and positive controls of a design."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import library  # noqa: F401 - makes the package importable
from thyrocast import log
from thyrocast.config.controls import ControlsConfig
from thyrocast.config.evaluation import MinimumCountConfig
from thyrocast.config.signature import SignatureConfig
from thyrocast.contract import io
from thyrocast.contract.cohort import COHORT
from thyrocast.contract.controls import (
    CENTER_PROBE,
    EMBEDDING_CONTROLS,
    PERMUTATIONS,
    SHUFFLED,
    SOURCES,
    TWINS,
)
from thyrocast.controls import gathering, inputs, noise, probe, shown, shuffled, sources, twins

if TYPE_CHECKING:
    from snakemake.script import snakemake


def run(
    cohort: Path,
    splits: Path,
    embeddings: Mapping[str, Path],
    images: Path,
    masks: Path,
    folder: Path,
    design: str,
    config: ControlsConfig,
    signature: SignatureConfig,
    least: MinimumCountConfig,
    field_mm: float,
    seed: int,
    threads: int = 1,
) -> None:
    """Write the tables of the controls.

    Parameters
    ----------
    cohort, splits
        cohort.csv and splits.csv.
    embeddings
        embeddings.npy of every split of the design.
    images, masks
        images.npy and masks.npy of the cohort.
    folder
        Folder for the tables.
    design
        The design whose splits are used.
    config, signature
        Blocks of the config.
    least
        Fewest patients of a reported group.
    field_mm
        Side of an image.
    seed, threads
        Seed of the study, and number of CPU threads.
    """
    everyone = io.read(COHORT, cohort)
    pictures = images, masks, field_mm
    rows = {str(patient): row for row, patient in enumerate(everyone["patient"])}
    parts = [
        inputs.read(cohort, splits, file, rows, (design, name), signature)
        for name, file in embeddings.items()
    ]
    tables = dict(
        zip(
            (SHUFFLED, PERMUTATIONS),
            shuffled.run(parts, config, signature, least, seed, threads),
            strict=True,
        )
    )
    people = gathering.development(everyone, *pictures)
    tables[SOURCES] = sources.run(people, config, signature, least, seed)
    largest = max(parts, key=lambda part: len(part.test.outcome))
    reported = largest.split in shown.reported(parts, least)
    tables[EMBEDDING_CONTROLS] = noise.run(largest, signature, reported, seed)
    tables[TWINS] = twins.run(largest, config, reported, seed)
    trained = max(parts, key=lambda part: len(part.train.outcome)).train
    probed = gathering.probed(trained, *pictures, signature, seed)
    tables[CENTER_PROBE] = probe.run(trained.center, probed, least, seed)
    for table, found in tables.items():
        io.write(table, found, folder / f"{table.name}.csv")


if "snakemake" in globals():
    log.start(snakemake.log[0], snakemake.rule)
    files = map(Path, snakemake.input.embeddings)
    run(
        cohort=Path(snakemake.input.cohort),
        splits=Path(snakemake.input.splits),
        embeddings=dict(zip(snakemake.params.splits, files, strict=True)),
        images=Path(snakemake.input.images),
        masks=Path(snakemake.input.masks),
        folder=Path(snakemake.output.shuffled).parent,
        design=snakemake.params.design,
        config=ControlsConfig.read(snakemake.params.settings),
        signature=SignatureConfig.read(snakemake.params.signature),
        least=MinimumCountConfig.read(snakemake.params.minimum_count),
        field_mm=snakemake.params.field_mm,
        seed=snakemake.params.seed,
        threads=snakemake.threads,
    )
