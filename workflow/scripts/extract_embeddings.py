"""Embed every patient of a split by every member's network, and keep the logits."""

from pathlib import Path
from typing import Any

import numpy as np

import library  # noqa: F401
from thyrocast import fileio, log
from thyrocast.network import embedding, model, patients


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
    settings: dict[str, Any],
    threads: int,
) -> None:
    """Write embeddings (members, patients, 2048) and a row per member and patient with its logit."""
    model.configure(threads)
    device = model.choose_device(min(1, settings["gpus"]), settings["allow_cpu"])
    everyone = patients.read_split(cohort, images, splits, design, split)
    rows: list[tuple[object, ...]] = []
    with fileio.atomic(embeddings) as temporary:
        shape = (len(weights), len(everyone), model.FEATURES)
        array = np.lib.format.open_memmap(temporary, mode="w+", dtype=np.float32, shape=shape)
        for index, (member, file) in enumerate(weights.items()):
            _, logits = embedding.embed(file, everyone, device, out=array[index])
            columns = (everyone.name, everyone.set, everyone.fold)
            rows += [
                (*cells, member, f"{logit:.7g}")
                for *cells, logit in zip(*columns, logits, strict=True)
            ]
            embedding.LOGGER.info(
                "member %s done, %d of %d: %d patients",
                member,
                index + 1,
                len(weights),
                len(everyone),
            )
        array.flush()
    fileio.write_csv(network, ("patient", "set", "fold", "member", "logit"), rows)


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
        settings=snakemake.params.settings,
        threads=snakemake.threads,
    )
