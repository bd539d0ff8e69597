"""Assess how far predictions, selected features and performance move if models are fitted again."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import library  # noqa: F401 - makes the package importable
from thyrocast import log
from thyrocast.config.evaluation import MinimumCountConfig
from thyrocast.contract import io
from thyrocast.signature.split import read_split
from thyrocast.stability import assess, refits
from thyrocast.stability.assess import FittedSplit

if TYPE_CHECKING:
    from snakemake.script import snakemake


def run(
    cohort: Path,
    splits: Path,
    fitted: Mapping[str, Sequence[Path]],
    folder: Path,
    design: str,
    least: MinimumCountConfig,
    retrained: Mapping[str, Sequence[Path]] | None = None,
) -> None:
    """Write the tables about stability.

    Parameters
    ----------
    cohort, splits
        cohort.csv and splits.csv.
    fitted
        Fits of every split, by split.
    folder
        Folder for the tables.
    design
        The design of the splits.
    least
        Fewest patients of a reported group.
    retrained
        Fits to the networks of every training with another seed, by split.
    """
    parts = [
        FittedSplit(
            design,
            split,
            read_split(cohort, splits, design, split),
            refits.read(files),
            [refits.read([file]) for file in (retrained or {}).get(split, ())],
        )
        for split, files in fitted.items()
    ]
    for table, found in assess.run(parts, least).items():
        io.write(table, found, folder / f"{table.name}.csv")


if "snakemake" in globals():
    log.start(snakemake.log[0], snakemake.rule)
    names = snakemake.params.splits

    def by_split(found: Sequence[str]) -> dict[str, list[Path]]:
        """Files of each split; all have as many, in the order of the splits."""
        each = len(found) // len(names)
        return {name: [Path(f) for f in found[n * each :][:each]] for n, name in enumerate(names)}

    run(
        cohort=Path(snakemake.input.cohort),
        splits=Path(snakemake.input.splits),
        fitted=by_split(snakemake.input.refits),
        retrained=by_split(snakemake.input.retrained),
        folder=Path(snakemake.output.stability).parent,
        design=snakemake.params.design,
        least=MinimumCountConfig.read(snakemake.params.minimum_count),
    )
