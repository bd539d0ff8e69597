"""Explain the network for every test patient: where it looks, and how much of that is gland."""

import time
from pathlib import Path
from typing import Any

import numpy as np

import library  # noqa: F401
from thyrocast import fileio, log
from thyrocast.network import gradcam as explain
from thyrocast.network import model, patients

REPORT_EVERY_S = 20
COLUMNS = (
    "patient",
    "center",
    "outcome",
    "target",
    "probability",
    "inside",
    "area",
    "status",
)


def run(
    *,
    cohort: Path,
    images: Path,
    masks: Path,
    splits: Path,
    weights: Path,
    gradcam: Path,
    overlays: Path,
    design: str,
    split: str,
    settings: dict[str, Any],
    network: dict[str, Any],
    threads: int,
) -> None:
    """Write one row and one overlay per test patient of the split."""
    model.configure(threads)
    device = model.choose_device(min(1, network["gpus"]), network["allow_cpu"])
    everyone = patients.read_split(cohort, images, splits, design, split)
    tested = everyone.take(everyone.set == "test")
    glands = np.load(masks, mmap_mode="r")
    member, normalization, _ = model.load(weights)
    overlays.mkdir(parents=True, exist_ok=True)
    rows = []
    told = time.monotonic()
    for found in explain.explain(member, normalization, tested, glands, settings, device):
        i = found.position
        outcome = tested.outcome[i]
        name = str(tested.name[i])
        rows.append(
            (
                name,
                tested.center[i],
                "" if np.isnan(outcome) else int(outcome),
                found.target,
                f"{found.probability:.6f}",
                "" if found.inside is None else f"{found.inside:.6f}",
                f"{found.area:.6f}",
                found.status,
            )
        )
        picture = explain.overlay(
            tested.load(slice(i, i + 1))[0], found.map, glands[tested.row[i]] > 0
        )
        with fileio.atomic(overlays / f"{name}.png") as temporary:
            picture.save(temporary)
        if time.monotonic() - told > REPORT_EVERY_S:
            told = time.monotonic()
            explain.LOGGER.info("%d of %d patients explained", len(rows), len(tested))
    fileio.write_csv(gradcam, COLUMNS, rows)
    zeros = sum(row[-1] == "all_zero" for row in rows)
    explain.LOGGER.info("%d patients explained, %d of them with an all-zero map", len(rows), zeros)


if "snakemake" in globals():
    log.start(snakemake.log[0], snakemake.rule, snakemake.wildcards)
    run(
        cohort=Path(snakemake.input.cohort),
        images=Path(snakemake.input.images),
        masks=Path(snakemake.input.masks),
        splits=Path(snakemake.input.splits),
        weights=Path(snakemake.input.weights),
        gradcam=Path(snakemake.output.gradcam),
        overlays=Path(snakemake.output.overlays),
        design=snakemake.wildcards.design,
        split=snakemake.wildcards.split,
        settings=snakemake.params.settings,
        network=snakemake.params.network,
        threads=snakemake.threads,
    )
