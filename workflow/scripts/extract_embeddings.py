"""Write the embedding and the logit of every patient of a split by every member's network."""

from pathlib import Path
from typing import TYPE_CHECKING

import library  # noqa: F401 - makes the package importable
from thyrocast import log
from thyrocast.config.network import NetworkConfig
from thyrocast.contract import io
from thyrocast.contract.splits import LOGITS
from thyrocast.network import embedding, image_set, model

if TYPE_CHECKING:
    from snakemake.script import snakemake


def run(
    *,
    cohort: Path,
    images: Path,
    splits: Path,
    weights: dict[str, Path],
    embeddings: Path,
    network: Path,
    design: str,
    split: str,
    settings: NetworkConfig,
    threads: int,
) -> None:
    """Write embeddings (members, patients, p), and the logit of every member and patient."""
    model.configure(threads)
    device = model.choose_device(min(1, settings.gpus), settings.allow_cpu)
    everyone = image_set.read_split(cohort, images, splits, design, split)
    advice = f"{embedding.BATCH} images at once: request another GPU, or set network.gpus to 0"
    with model.enough_memory(advice):
        logits = embedding.embed_split(weights, everyone, device, embeddings)
    io.write(LOGITS, logits, network)


if "snakemake" in globals():
    log.start(snakemake.log[0], snakemake.rule, snakemake.wildcards)
    run(
        cohort=Path(snakemake.input.cohort),
        images=Path(snakemake.input.images),
        splits=Path(snakemake.input.splits),
        weights={Path(file).parent.name: Path(file) for file in snakemake.input.weights},
        embeddings=Path(snakemake.output.embeddings),
        network=Path(snakemake.output.network),
        design=snakemake.wildcards.design,
        split=snakemake.wildcards.split,
        settings=NetworkConfig.read(snakemake.params.settings),
        threads=snakemake.threads,
    )
