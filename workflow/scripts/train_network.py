"""Train one member: a ResNet50 that learns P(cured) from its training patients' scintigrams."""

from pathlib import Path
from typing import Any

import numpy as np
from thyrocast import log, tables
from thyrocast.network import model, patients, training
from thyrocast.network import state as state_files


def run(
    *,
    cohort: Path,
    images: Path,
    masks: Path,
    splits: Path,
    weights: Path,
    history: Path,
    design: str,
    split: str,
    member: str,
    settings: dict[str, Any],
    seed: int,
    state: Path,
    threads: int,
) -> None:
    """Train the member, or go on where a killed training of it stopped."""
    model.configure(threads)
    device = model.choose_device(settings["gpus"], settings["allow_cpu"])
    everyone = patients.read_split(cohort, images, splits, design, split)
    try:
        own = patients.training_patients(everyone, member)
    except tables.InputError as error:
        raise tables.InputError(f"split {design}/{split}: {error}") from error
    trained = training.train(
        own,
        np.load(masks, mmap_mode="r"),
        settings,
        seed=tables.seed(seed, "network", design, split, member),
        initial_seed=tables.seed(seed, "network", design, split, "initial weights"),
        device=device,
        state_folder=state,
    )
    facts = trained.facts | {"design": design, "split": split, "member": member}
    tables.write_csv(history, training.HISTORY, trained.history)
    model.save(weights, trained.network, trained.normalization, facts)
    state_files.remove(trained.state)


if "snakemake" in globals():
    log.start(snakemake.log[0], snakemake.rule, snakemake.wildcards)
    run(
        cohort=Path(snakemake.input.cohort),
        images=Path(snakemake.input.images),
        masks=Path(snakemake.input.masks),
        splits=Path(snakemake.input.splits),
        weights=Path(snakemake.output.weights),
        history=Path(snakemake.output.history),
        design=snakemake.wildcards.design,
        split=snakemake.wildcards.split,
        member=snakemake.wildcards.member,
        settings=snakemake.params.settings,
        seed=snakemake.params.seed,
        state=Path(snakemake.params.state),
        threads=snakemake.threads,
    )
