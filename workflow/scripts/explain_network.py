"""Compute the map of every test patient on the grid of the network's layer."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import library  # noqa: F401 - makes the package importable
from thyrocast import fileio, log, seeds
from thyrocast.config.explanation import ExplanationConfig
from thyrocast.config.network import NetworkConfig
from thyrocast.contract import io
from thyrocast.contract.cohort import COHORT
from thyrocast.contract.names import MapStatus, Set
from thyrocast.contract.splits import GRADCAM
from thyrocast.explanation import compared as comparison
from thyrocast.explanation import geometry
from thyrocast.network import gradcam as explanation
from thyrocast.network import image_set, model, randomization

if TYPE_CHECKING:
    from snakemake.script import snakemake

logger = logging.getLogger("thyrocast")


def run(
    *,
    cohort: Path,
    images: Path,
    splits: Path,
    weights: Sequence[Path],
    maps: Path,
    gradcam: Path,
    randomized: Path,
    compared: Path,
    design: str,
    split: str,
    settings: ExplanationConfig,
    network: NetworkConfig,
    seed: int,
    threads: int,
) -> None:
    """Write one map and one row per test patient of the split, and with what maps are compared."""
    model.configure(threads)
    device = model.choose_device(min(1, network.gpus), network.allow_cpu)
    everyone = image_set.read_split(cohort, images, splits, design, split)
    tested = everyone.take(everyone.set == Set.TEST)
    members = [model.load(file)[:2] for file in weights]
    rows = []
    cells = settings.grid_at(tested.size, members[0][0].architecture)
    own_rows = io.read(COHORT, cohort).iloc[tested.row]
    places = geometry.placed(own_rows, tested.size, cells).to_dict("records")
    by_member = np.zeros((len(members), len(tested), cells, cells), np.float32)
    with fileio.atomic(maps) as temporary:
        written = np.lib.format.open_memmap(
            temporary, mode="w+", dtype=np.float32, shape=(len(tested), cells, cells)
        )
        for batch in explanation.explain(members, tested, settings, device):
            written[batch.positions] = batch.maps
            by_member[:, batch.positions] = batch.members
            for i, target, probability, heat in zip(
                batch.positions, batch.targets, batch.probability, batch.maps, strict=True
            ):
                outcome = tested.outcome[i]
                row = {
                    "patient": str(tested.patient[i]),
                    "center": str(tested.center[i]),
                    "outcome": None if np.isnan(outcome) else int(outcome),
                    "target": target,
                    "probability": float(probability),
                    "status": MapStatus.OK if heat.any() else MapStatus.ALL_ZERO,
                } | places[i]
                rows.append(row)
        written.flush()
    table = io.build(GRADCAM, rows)
    io.write(GRADCAM, table, gradcam)
    own_seed = seeds.derive(seed, "explanation", design, split)
    random = randomization.randomized(members[0], tested, settings, device, own_seed)
    with fileio.atomic(randomized) as temporary, temporary.open("wb") as file:
        np.save(file, random)
    others = comparison.compute(members[0], tested, by_member, settings, device, own_seed)
    comparison.save(others, compared)
    zeros = int((table["status"] == MapStatus.ALL_ZERO).sum())
    logger.info("%d patients explained, %d of them with an all-zero map", len(table), zeros)


if "snakemake" in globals():
    log.start(snakemake.log[0], snakemake.rule, snakemake.wildcards)
    settings = ExplanationConfig.read(snakemake.params.settings)
    with model.enough_memory(f"{settings.batch_size} images: lower explanation.batch_size"):
        run(
            cohort=Path(snakemake.input.cohort),
            images=Path(snakemake.input.images),
            splits=Path(snakemake.input.splits),
            weights=[Path(file) for file in snakemake.input.weights],
            maps=Path(snakemake.output.maps),
            gradcam=Path(snakemake.output.gradcam),
            randomized=Path(snakemake.output.randomized),
            compared=Path(snakemake.output.compared),
            design=snakemake.wildcards.design,
            split=snakemake.wildcards.split,
            settings=settings,
            network=NetworkConfig.read(snakemake.params.network),
            seed=snakemake.params.seed,
            threads=snakemake.threads,
        )
