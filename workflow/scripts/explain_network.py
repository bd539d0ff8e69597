"""Compute Grad-CAM for every test patient, and the share of its energy inside the gland."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import library  # noqa: F401 - makes the package importable
from thyrocast import log
from thyrocast.config.explanation import ExplanationConfig
from thyrocast.config.network import NetworkConfig
from thyrocast.contract import io
from thyrocast.contract.names import Set
from thyrocast.contract.splits import GRADCAM
from thyrocast.network import gradcam as explanation
from thyrocast.network import image_set, model

if TYPE_CHECKING:
    from snakemake.script import snakemake


def run(
    *,
    cohort: Path,
    images: Path,
    masks: Path,
    splits: Path,
    weights: Sequence[Path],
    gradcam: Path,
    overlays: Path,
    design: str,
    split: str,
    settings: ExplanationConfig,
    network: NetworkConfig,
    threads: int,
) -> None:
    """Write one row and one overlay per test patient of the split: means over its members."""
    model.configure(threads)
    device = model.choose_device(min(1, network.gpus), network.allow_cpu)
    everyone = image_set.read_split(cohort, images, splits, design, split)
    tested = everyone.take(everyone.set == Set.TEST)
    glands = np.load(masks, mmap_mode="r")
    members = [model.load(file)[:2] for file in weights]
    found = explanation.explain(members, tested, glands, settings, device)
    io.write(GRADCAM, explanation.explain_to(overlays, found, tested, glands), gradcam)


if "snakemake" in globals():
    log.start(snakemake.log[0], snakemake.rule, snakemake.wildcards)
    run(
        cohort=Path(snakemake.input.cohort),
        images=Path(snakemake.input.images),
        masks=Path(snakemake.input.masks),
        splits=Path(snakemake.input.splits),
        weights=[Path(file) for file in snakemake.input.weights],
        gradcam=Path(snakemake.output.gradcam),
        overlays=Path(snakemake.output.overlays),
        design=snakemake.wildcards.design,
        split=snakemake.wildcards.split,
        settings=ExplanationConfig.read(snakemake.params.settings),
        network=NetworkConfig.read(snakemake.params.network),
        threads=snakemake.threads,
    )
