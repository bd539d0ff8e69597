"""Fit the signature and the models beside it to a split's training patients; predict all."""

from pathlib import Path
from typing import Any

import numpy as np

import library  # noqa: F401
from thyrocast import fileio, log, seeds
from thyrocast.signature import files, fitting, forest, optimism


def run(
    cohort: Path,
    splits: Path,
    embeddings: Path,
    network: Path,
    folder: Path,
    predictions: Path,
    design: str,
    split: str,
    settings: dict[str, Any],
    seed: int,
    threads: int = 1,
) -> None:
    """Write a split's signature and predictions.

    Parameters
    ----------
    cohort, splits, embeddings, network
        cohort.csv, splits.csv, embeddings.npy and network.csv.
    folder
        For path.csv, features.csv, optimism.csv, model.json and forest.skops.
    predictions
        predictions.csv.
    design, split
        Which split.
    settings
        The ``signature`` block of the config.
    seed, threads
    """
    patients = files.read_patients(cohort, splits, design, split)
    logits = files.read_logits(network, patients)
    own_seed = seeds.derive(seed, design, split, "signature")
    result = fitting.fit(
        patients,
        np.load(embeddings, mmap_mode="r", allow_pickle=False),
        logits,
        settings,
        own_seed,
        threads,
    )
    fileio.write_csv(folder / "path.csv", files.PATH, files.path_rows(result))
    fileio.write_csv(folder / "features.csv", files.FEATURES, files.feature_rows(result))
    outcome = patients.outcome[patients.train]
    corrected = optimism.rows(result.places, outcome, settings, own_seed, threads)
    fileio.write_csv(folder / "optimism.csv", optimism.COLUMNS, corrected)
    fileio.write_json(folder / "model.json", result.model)
    forest.save(result.forest, folder / "forest.skops")
    rows = files.prediction_rows(patients, result, design, split)
    fileio.write_csv(predictions, files.PREDICTIONS, rows)


if "snakemake" in globals():
    log.start(snakemake.log[0], snakemake.rule, snakemake.wildcards)
    run(
        cohort=Path(snakemake.input.cohort),
        splits=Path(snakemake.input.splits),
        embeddings=Path(snakemake.input.embeddings),
        network=Path(snakemake.input.network),
        folder=Path(snakemake.output.signature),
        predictions=Path(snakemake.output.predictions),
        design=snakemake.wildcards.design,
        split=snakemake.wildcards.split,
        settings=snakemake.params.settings,
        seed=snakemake.params.seed,
        threads=snakemake.threads,
    )
