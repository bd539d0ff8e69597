"""Simulate a center: DICOM files, a clinical table and, separately, the truth."""

from pathlib import Path
from typing import TYPE_CHECKING

import library  # noqa: F401 - makes the package importable
from thyrocast import log
from thyrocast.config.simulation import RiskConfig, SimulatedCenterConfig
from thyrocast.simulation import center as phantom

if TYPE_CHECKING:
    from snakemake.script import snakemake


def run(
    *,
    name: str,
    center: SimulatedCenterConfig,
    outcome: RiskConfig,
    seed: int,
    folder: Path,
    truth: Path,
) -> None:
    """Write the export of a center to `folder` and the truth about it to `truth`."""
    phantom.simulate(name, center, outcome, seed, folder, truth)


if "snakemake" in globals():
    log.start(snakemake.log[0], snakemake.rule, snakemake.wildcards)
    run(
        name=snakemake.wildcards.center,
        center=SimulatedCenterConfig.read(snakemake.params.center),
        outcome=RiskConfig.read(snakemake.params.outcome),
        seed=snakemake.params.seed,
        folder=Path(snakemake.output.folder),
        truth=Path(snakemake.output.truth),
    )
