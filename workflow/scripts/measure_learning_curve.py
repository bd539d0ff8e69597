"""Measure the AUC of models that are fitted to fewer patients, and extrapolate it to more."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import library  # noqa: F401 - makes the package importable
from thyrocast import log
from thyrocast.config.evaluation import MinimumCountConfig
from thyrocast.config.learning_curve import LearningCurveConfig
from thyrocast.config.signature import SignatureConfig
from thyrocast.contract import io
from thyrocast.contract.learning_curve import LEARNING_CURVE
from thyrocast.controls import learning_curve
from thyrocast.signature.split import read_split

if TYPE_CHECKING:
    from snakemake.script import snakemake


def run(
    cohort: Path,
    splits: Path,
    embeddings: Mapping[str, Path],
    output: Path,
    design: str,
    config: LearningCurveConfig,
    signature: SignatureConfig,
    least: MinimumCountConfig,
    seed: int,
) -> None:
    """Write the learning curve of the split with the most training patients.

    Parameters
    ----------
    cohort, splits
        cohort.csv and splits.csv.
    embeddings
        embeddings.npy of every split of the design.
    output
        learning_curve.csv.
    design
        The design whose splits are used.
    config, signature
        Blocks of the config.
    least
        Fewest patients of a reported group.
    seed
        Seed of the study.
    """
    parts = {name: read_split(cohort, splits, design, name) for name in embeddings}
    split = max(parts, key=lambda name: int(parts[name].train.sum()))
    members = np.load(embeddings[split], mmap_mode="r", allow_pickle=False)
    found = learning_curve.run(
        parts[split], members, (design, split), config, signature, least, seed
    )
    io.write(LEARNING_CURVE, found, output)


if "snakemake" in globals():
    log.start(snakemake.log[0], snakemake.rule)
    run(
        cohort=Path(snakemake.input.cohort),
        splits=Path(snakemake.input.splits),
        embeddings=dict(
            zip(snakemake.params.splits, map(Path, snakemake.input.embeddings), strict=True)
        ),
        output=Path(snakemake.output.learning_curve),
        design=snakemake.params.design,
        config=LearningCurveConfig.read(snakemake.params.settings),
        signature=SignatureConfig.read(snakemake.params.signature),
        least=MinimumCountConfig.read(snakemake.params.minimum_count),
        seed=snakemake.params.seed,
    )
