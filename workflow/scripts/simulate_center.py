"""Simulate a center: a folder of DICOM files, a clinical table, and the truth apart from both."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import library  # noqa: F401
from thyrocast import log
from thyrocast.simulation import center as phantom

if TYPE_CHECKING:
    from snakemake.script import snakemake


def run(
    name: str,
    center: dict[str, Any],
    outcome: dict[str, Any],
    seed: int,
    folder: Path,
    truth: Path,
) -> None:
    """Write the export of center ``name`` into ``folder`` and the truth about it to ``truth``."""
    phantom.simulate(name, center, outcome, seed, folder, truth)


if "snakemake" in globals():
    log.start(snakemake.log[0], snakemake.rule, snakemake.wildcards)
    run(
        name=snakemake.wildcards.center,
        center=snakemake.params.center,
        outcome=snakemake.params.outcome,
        seed=snakemake.params.seed,
        folder=Path(snakemake.output.folder),
        truth=Path(snakemake.output.truth),
    )
