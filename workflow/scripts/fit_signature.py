"""Fit signature and baselines to a split's training patients and predict all its patients."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import library  # noqa: F401
from thyrocast import fileio, log, seeds
from thyrocast.config.signature import SignatureConfig
from thyrocast.contract import io
from thyrocast.contract.names import FULL, Design
from thyrocast.contract.splits import FEATURES, OPTIMISM, PATH, PREDICTIONS
from thyrocast.signature import fitting, forest, optimism, results
from thyrocast.signature.split import read_logits, read_split

if TYPE_CHECKING:
    from snakemake.script import snakemake


def run(
    cohort: Path,
    splits: Path,
    embeddings: Path,
    network: Path,
    folder: Path,
    predictions: Path,
    design: Design,
    split: str,
    config: SignatureConfig,
    seed: int,
    threads: int = 1,
) -> None:
    """Write a split's signature and predictions.

    Parameters
    ----------
    cohort, splits, embeddings, network
        cohort.csv, splits.csv, embeddings.npy and network.csv.
    folder
        Folder for path.csv, features.csv, optimism.csv, model.json and forest.skops.
    predictions
        predictions.csv.
    design, split
        Names of the design and of its split.
    config
        The signature's block of the config.
    seed, threads
        Seed of the study, and number of CPU threads.
    """
    data = read_split(cohort, splits, design, split)
    own_seed = seeds.derive(seed, design, split, "signature")
    fitted = fitting.fit(
        data,
        np.load(embeddings, mmap_mode="r", allow_pickle=False),
        read_logits(network, data),
        config,
        own_seed,
        threads,
    )
    signature = fitted.model.members[FULL].signature
    io.write(PATH, results.path(fitted.path, signature.chosen), folder / "path.csv")
    io.write(FEATURES, results.features(signature), folder / "features.csv")
    outcome = data.outcome[data.train]
    corrected = optimism.correct(fitted.aligned, outcome, config, own_seed, threads)
    io.write(OPTIMISM, corrected, folder / "optimism.csv")
    fileio.write_json(folder / "model.json", fitted.model.model_dump())
    forest.save(fitted.forests, folder / "forest.skops")
    rows = results.predictions(data, fitted.probabilities, design, split)
    io.write(PREDICTIONS, rows, predictions)


if "snakemake" in globals():
    log.start(snakemake.log[0], snakemake.rule, snakemake.wildcards)
    run(
        cohort=Path(snakemake.input.cohort),
        splits=Path(snakemake.input.splits),
        embeddings=Path(snakemake.input.embeddings),
        network=Path(snakemake.input.network),
        folder=Path(snakemake.output.model).parent,
        predictions=Path(snakemake.output.predictions),
        design=Design(snakemake.wildcards.design),
        split=snakemake.wildcards.split,
        config=SignatureConfig.read(snakemake.params.settings),
        seed=snakemake.params.seed,
        threads=snakemake.threads,
    )
