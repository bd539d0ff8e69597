"""Fit signature and baselines to a split's training patients and predict all its patients."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import library  # noqa: F401 - makes the package importable
from thyrocast import fileio, log, seeds
from thyrocast.config.signature import SignatureConfig
from thyrocast.contract import io
from thyrocast.contract.names import Design
from thyrocast.contract.splits import (
    ACTIVATING,
    CORRELATES,
    FEATURES,
    MEMBER_PREDICTIONS,
    OPTIMISM,
    PATH,
    PREDICTIONS,
)
from thyrocast.signature import activating, correlates, fitting, forest, optimism, results
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
    member_predictions: Path,
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
        Folder for path.csv, features.csv, correlates.csv, activating.csv, optimism.csv, model.json and forest.skops.
    predictions, member_predictions
        predictions.csv and member_predictions.csv.
    design, split
        Names of the design and of its split.
    config
        The signature's block of the config.
    seed, threads
        Seed of the study, and number of CPU threads.
    """
    data = read_split(cohort, splits, design, split)
    own_seed = seeds.derive(seed, design, split, "signature")
    views = np.load(embeddings, mmap_mode="r", allow_pickle=False)
    fitted = fitting.fit(
        data,
        views,
        read_logits(network, data),
        config,
        own_seed,
        threads,
    )
    signatures = {name: models.fitted for name, models in fitted.images.items()}
    io.write(PATH, results.path(signatures), folder / "path.csv")
    io.write(FEATURES, results.features(signatures), folder / "features.csv")
    own = {name: views[n][data.train] for n, name in enumerate(fitted.model.members)}
    resembled = correlates.correlates(fitted.model.members, data.cohort[data.train], own)
    io.write(CORRELATES, resembled, folder / "correlates.csv")
    extreme = activating.activating(fitted.model.members, data.cohort[data.train], own)
    io.write(ACTIVATING, extreme, folder / "activating.csv")
    outcome = data.outcome[data.train]
    learned = [models.learned(outcome) for models in fitted.images.values()]
    io.write(
        OPTIMISM, optimism.correct(learned, config, own_seed, threads), folder / "optimism.csv"
    )
    fileio.write_json(folder / "model.json", fitted.model.model_dump())
    forest.save(fitted.forests, folder / "forest.skops")
    rows = results.predictions(data, fitted.probabilities, design, split)
    io.write(PREDICTIONS, rows, predictions)
    by_member = results.member_predictions(data, fitted.odds, design, split)
    io.write(MEMBER_PREDICTIONS, by_member, member_predictions)


if "snakemake" in globals():
    log.start(snakemake.log[0], snakemake.rule, snakemake.wildcards)
    run(
        cohort=Path(snakemake.input.cohort),
        splits=Path(snakemake.input.splits),
        embeddings=Path(snakemake.input.embeddings),
        network=Path(snakemake.input.network),
        folder=Path(snakemake.output.model).parent,
        predictions=Path(snakemake.output.predictions),
        member_predictions=Path(snakemake.output.member_predictions),
        design=Design(snakemake.wildcards.design),
        split=snakemake.wildcards.split,
        config=SignatureConfig.read(snakemake.params.settings),
        seed=snakemake.params.seed,
        threads=snakemake.threads,
    )
