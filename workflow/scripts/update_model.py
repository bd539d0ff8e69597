"""Judge updates of the models at each external center, and divide differences in AUC into parts."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import library  # noqa: F401 - makes the package importable
from thyrocast import log
from thyrocast.application import updates
from thyrocast.config.updating import UpdatingConfig
from thyrocast.contract import io
from thyrocast.contract.evaluation import PERFORMANCE, PREDICTIONS
from thyrocast.contract.names import Design, Set
from thyrocast.contract.splits import SPLITS
from thyrocast.evaluation import updating
from thyrocast.evaluation.updating import Setup
from thyrocast.locked import domain

if TYPE_CHECKING:
    from snakemake.script import snakemake


def run(
    predictions: Path,
    performance: Path,
    splits: Path,
    embeddings: Path,
    member: int,
    members: Sequence[str],
    domain_file: Path | None,
    setup: Setup,
    outputs: Mapping[str, Path],
) -> None:
    """Write the tables `updating.TABLES`.

    Parameters
    ----------
    predictions, performance, splits, embeddings
        Files of the design `external`.
    member
        Place of the network of all training patients among the embeddings.
    members
        Networks in the order of the embeddings.
    domain_file
        ``domain.safetensors`` of the locked model that was applied, whose components are used; None if
        development patients are in the study.
    setup
        Settings of the updates.
    outputs
        File of each table.
    """
    division = io.read(SPLITS, splits)
    division = division[division["design"] == Design.EXTERNAL]
    train = (division["set"] == Set.TRAIN).to_numpy()
    embedded = np.asarray(np.load(embeddings, mmap_mode="r")[member])
    if domain_file is None:
        scores = updating.components(embedded, train, setup.config.components)
    else:
        known = domain.load(domain_file)
        name = list(members)[member]
        scores = updates.components(known, name, embedded, setup.config.components)
    found = updating.evaluate(
        io.read(PREDICTIONS, predictions),
        io.read(PERFORMANCE, performance),
        dict(zip(division["patient"], scores, strict=True)),
        setup,
    )
    for table, frame in found.items():
        io.write(table, frame, outputs[table.name])


if "snakemake" in globals():
    log.start(snakemake.log[0], snakemake.rule)
    run(
        predictions=Path(snakemake.input.predictions),
        performance=Path(snakemake.input.performance),
        splits=Path(snakemake.input.splits),
        embeddings=Path(snakemake.input.embeddings),
        member=snakemake.params.member,
        members=snakemake.params.members,
        domain_file=Path(snakemake.input.domain) if snakemake.input.get("domain") else None,
        setup=Setup(
            UpdatingConfig.read(snakemake.params.updating),
            snakemake.params.confidence,
            snakemake.params.seed,
            snakemake.params.embeddings == "in_sample",
        ),
        outputs={name: Path(file) for name, file in snakemake.output.items()},
    )
