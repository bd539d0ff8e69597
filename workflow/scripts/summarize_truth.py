"""Summarize the discrimination of a simulated cohort's true risk; no model can exceed it."""

import logging
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import library  # noqa: F401 - makes the package importable
from thyrocast import fileio, log
from thyrocast.config.simulation import RiskConfig
from thyrocast.contract import io
from thyrocast.contract.simulation import TRUTH
from thyrocast.simulation import truth as phantom

if TYPE_CHECKING:
    from snakemake.script import snakemake


def run(*, truths: dict[str, Path], outcome: RiskConfig, seed: int, summary: Path) -> None:
    """Write the summary (JSON) of the centers' TRUTH tables."""
    logger = logging.getLogger("thyrocast")
    tables = {name: io.read(TRUTH, path) for name, path in truths.items()}
    facts = phantom.summarize(tables, outcome, seed)
    fileio.write_json(summary, asdict(facts))
    for name, center in {**facts.centers, "overall": facts.overall}.items():
        logger.info(
            "%s: %d patients, %d cured, AUC of the true risk %s (expected %s)",
            name,
            center.n,
            center.events,
            center.auc,
            center.expected_auc,
        )


if "snakemake" in globals():
    log.start(snakemake.log[0], snakemake.rule)
    run(
        truths=dict(zip(snakemake.params.centers, map(Path, snakemake.input.truths), strict=True)),
        outcome=RiskConfig.read(snakemake.params.outcome),
        seed=snakemake.params.seed,
        summary=Path(snakemake.output.summary),
    )
