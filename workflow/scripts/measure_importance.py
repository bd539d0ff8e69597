"""Measure what the models of a design lose if a predictor is permuted among test patients."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import library  # noqa: F401 - makes the package importable
from thyrocast import log
from thyrocast.config.evaluation import MinimumCountConfig
from thyrocast.contract import io
from thyrocast.contract.explanation import IMPORTANCE
from thyrocast.explanation import importance as measured
from thyrocast.explanation import swapping
from thyrocast.explanation.swapping import SplitFiles

if TYPE_CHECKING:
    from snakemake.script import snakemake


def run(
    cohort: Path,
    splits: Path,
    fitted: Mapping[str, SplitFiles],
    importance: Path,
    design: str,
    permutations: int,
    least: MinimumCountConfig,
    confidence: float,
    seed: int,
) -> None:
    """Write the table of a design.

    Parameters
    ----------
    cohort, splits
        cohort.csv and splits.csv.
    fitted
        Files of every split.
    importance
        The table to write.
    design
        The design.
    permutations
        Most permutations of a predictor.
    least
        Fewest patients of a reported group.
    confidence
        Confidence level.
    seed
        Seed of the study.
    """
    tested = [
        swapping.read(cohort, splits, files, design, split) for split, files in fitted.items()
    ]
    found = measured.run(design, tested, permutations, least, confidence, seed)
    io.write(IMPORTANCE, found, importance)


if "snakemake" in globals():
    log.start(snakemake.log[0], snakemake.rule, snakemake.wildcards)
    each = zip(
        snakemake.params.splits,
        snakemake.input.embeddings,
        snakemake.input.networks,
        snakemake.input.models,
        snakemake.input.forests,
        strict=True,
    )
    run(
        cohort=Path(snakemake.input.cohort),
        splits=Path(snakemake.input.splits),
        fitted={name: SplitFiles(*map(Path, files)) for name, *files in each},
        importance=Path(snakemake.output.importance),
        design=snakemake.wildcards.design,
        permutations=snakemake.params.permutations,
        least=MinimumCountConfig.read(snakemake.params.minimum_count),
        confidence=snakemake.params.confidence,
        seed=snakemake.params.seed,
    )
