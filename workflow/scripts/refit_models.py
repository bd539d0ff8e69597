"""Fit a split's models again to bootstrap samples of its training patients."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import library  # noqa: F401 - makes the package importable
from thyrocast import log, seeds
from thyrocast.config.evaluation import ThresholdConfig
from thyrocast.config.signature import SignatureConfig
from thyrocast.config.stability import ORIGINAL, StabilityConfig
from thyrocast.signature.split import read_logits, read_split
from thyrocast.stability import refits

if TYPE_CHECKING:
    from snakemake.script import snakemake


def run(
    cohort: Path,
    splits: Path,
    embeddings: Path,
    network: Path,
    output: Path,
    design: str,
    split: str,
    job: str,
    config: StabilityConfig,
    signature: SignatureConfig,
    rule: ThresholdConfig,
    seed: int,
    threads: int = 1,
) -> None:
    """Write the fits of a job.

    Parameters
    ----------
    cohort, splits, embeddings, network
        cohort.csv, splits.csv, embeddings.npy and network.csv.
    output
        File for the fits.
    design, split, job
        Names of the design, of its split and of the job; `ORIGINAL` fits the training set itself.
    config, signature, rule
        Blocks of the config; `rule` is the first of the thresholds.
    seed, threads
        Seed of the study, and number of CPU threads.
    """
    data = read_split(cohort, splits, design, split)
    heads = tuple(head for head in signature.heads if head in config.heads)
    found = refits.run(
        data,
        np.load(embeddings, mmap_mode="r", allow_pickle=False),
        read_logits(network, data),
        config.of_job(job),
        signature.model_copy(update={"heads": heads}),
        rule,
        seeds.derive(seed, design, split, "signature"),
        threads,
    )
    refits.write(found, output)


if "snakemake" in globals():
    log.start(snakemake.log[0], snakemake.rule, snakemake.wildcards)
    run(
        cohort=Path(snakemake.input.cohort),
        splits=Path(snakemake.input.splits),
        embeddings=Path(snakemake.input.embeddings),
        network=Path(snakemake.input.network),
        output=Path(snakemake.output.refits),
        design=snakemake.wildcards.design,
        split=snakemake.wildcards.split,
        job=snakemake.wildcards.get("job", ORIGINAL),
        config=StabilityConfig.read(snakemake.params.stability),
        signature=SignatureConfig.read(snakemake.params.signature),
        rule=ThresholdConfig.read(snakemake.params.threshold),
        seed=snakemake.params.seed,
        threads=snakemake.threads,
    )
