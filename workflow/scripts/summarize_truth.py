"""Sum up what the true risk of a simulated cohort discriminates, which no model can better."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import library  # noqa: F401
from thyrocast import fileio, log
from thyrocast.simulation import truth as phantom

if TYPE_CHECKING:
    from snakemake.script import snakemake


def run(truths: dict[str, Path], outcome: dict[str, Any], seed: int, summary: Path) -> None:
    """Write ``summary`` (JSON) from each center's truth file."""
    logger = logging.getLogger("thyrocast")
    rows = {name: fileio.read_csv(path) for name, path in truths.items()}
    facts = phantom.summarize(rows, outcome, seed)
    fileio.write_json(summary, facts)
    for name, center in {**facts["centers"], "overall": facts["overall"]}.items():
        logger.info(
            "%s: %d patients, %d cured, AUC of the true risk %s (expected %s)",
            name,
            center["n"],
            center["events"],
            center["auc"],
            center["expected_auc"],
        )


if "snakemake" in globals():
    log.start(snakemake.log[0], snakemake.rule)
    run(
        truths=dict(zip(snakemake.params.centers, map(Path, snakemake.input.truths), strict=True)),
        outcome=snakemake.params.outcome,
        seed=snakemake.params.seed,
        summary=Path(snakemake.output.summary),
    )
