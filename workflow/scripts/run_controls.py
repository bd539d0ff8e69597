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
from thyrocast.contract.control_names import ImagePart
from thyrocast.contract.controls import (
    CENTER_PROBE,
    EMBEDDING_CONTROLS,
    NETWORK_PARTS,
    PERMUTATIONS,
    SHUFFLED,
    SOURCES,
    TWINS,
)
from thyrocast.controls import (
    gathering,
    inputs,
    noise,
    probe,
    shown,
    shuffled,
    sources,
    trained,
    twins,
)

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
    networks: Mapping[str, trained.Networks] | None = None,
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
    networks
        Networks of every split; not needed if `config.networks` asks for none.
    """
    everyone = io.read(COHORT, cohort)
    pictures = images, masks, field_mm
    rows = {str(patient): row for row, patient in enumerate(everyone["patient"])}
    parts = [
        inputs.read(cohort, splits, file, rows, (design, name), signature)
        for name, file in embeddings.items()
    ]
    files = networks or {}
    nulls = None
    if config.networks.permuted:
        nulls = {one.split: trained.null(one, files[one.split], config, seed) for one in parts}
    found = shuffled.run(parts, config, signature, least, seed, threads, nulls)
    tables = dict(zip((SHUFFLED, PERMUTATIONS), found, strict=True))
    tables[NETWORK_PARTS] = trained.parts(parts, files, config, least)
    people = gathering.development(everyone, *pictures)
    tables[SOURCES] = sources.run(people, config, signature, least, seed)
    largest = max(parts, key=lambda part: len(part.test.outcome))
    reported = largest.split in shown.reported(parts, least)
    tables[EMBEDDING_CONTROLS] = noise.run(largest, signature, reported, seed)
    tables[TWINS] = twins.run(largest, config, reported, seed)
    learned = max(parts, key=lambda part: len(part.train.outcome)).train
    probed = gathering.probed(learned, *pictures, signature, seed)
    tables[CENTER_PROBE] = probe.run(learned.center, probed, least, seed)
    for table, rows_found in tables.items():
        io.write(table, rows_found, folder / f"{table.name}.csv")


def networks_of(
    studies: Mapping[str, Path], permuted: list[Path], parts: list[Path]
) -> dict[str, trained.Networks]:
    """Return the networks of every split; the split's name is in the path of each file."""
    return {
        split: trained.Networks(
            study,
            [file for file in permuted if file.parents[2] == study.parent],
            {ImagePart(f.parent.name): f for f in parts if f.parents[2] == study.parent},
        )
        for split, study in studies.items()
    }


if "snakemake" in globals():
    log.start(snakemake.log[0], snakemake.rule)
    names = snakemake.params.splits
    run(
        cohort=Path(snakemake.input.cohort),
        splits=Path(snakemake.input.splits),
        embeddings=dict(zip(names, map(Path, snakemake.input.embeddings), strict=True)),
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
        networks=networks_of(
            dict(zip(names, map(Path, snakemake.input.networks), strict=True)),
            [Path(file) for file in snakemake.input.permuted],
            [Path(file) for file in snakemake.input.parts],
        ),
    )
