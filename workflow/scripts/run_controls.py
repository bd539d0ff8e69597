"""Run the negative and positive controls of a design."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import library  # noqa: F401
from thyrocast import log
from thyrocast.config.controls import ControlsConfig
from thyrocast.config.evaluation import MinimumCountConfig
from thyrocast.config.signature import SignatureConfig
from thyrocast.contract import io
from thyrocast.contract.cohort import COHORT
from thyrocast.contract.controls import PERMUTATIONS, SHUFFLED
from thyrocast.controls import inputs, shuffled

if TYPE_CHECKING:
    from snakemake.script import snakemake


def run(
    cohort: Path,
    splits: Path,
    embeddings: Mapping[str, Path],
    folder: Path,
    design: str,
    config: ControlsConfig,
    signature: SignatureConfig,
    least: MinimumCountConfig,
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
    folder
        Folder for the tables.
    design
        The design whose splits are used.
    config, signature
        Blocks of the config.
    least
        Fewest patients of a reported group.
    seed, threads
        Seed of the study, and number of CPU threads.
    """
    patients = io.read(COHORT, cohort)["patient"]
    rows = {str(patient): row for row, patient in enumerate(patients)}
    parts = [
        inputs.read(cohort, splits, file, rows, (design, name), signature)
        for name, file in embeddings.items()
    ]
    found, permutations = shuffled.run(parts, config, signature, least, seed, threads)
    io.write(SHUFFLED, found, folder / "shuffled.csv")
    io.write(PERMUTATIONS, permutations, folder / "permutations.csv")


if "snakemake" in globals():
    log.start(snakemake.log[0], snakemake.rule)
    files = map(Path, snakemake.input.embeddings)
    run(
        cohort=Path(snakemake.input.cohort),
        splits=Path(snakemake.input.splits),
        embeddings=dict(zip(snakemake.params.splits, files, strict=True)),
        folder=Path(snakemake.output.shuffled).parent,
        design=snakemake.params.design,
        config=ControlsConfig.read(snakemake.params.settings),
        signature=SignatureConfig.read(snakemake.params.signature),
        least=MinimumCountConfig.read(snakemake.params.minimum_count),
        seed=snakemake.params.seed,
        threads=snakemake.threads,
    )
