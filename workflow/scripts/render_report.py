"""Render the page that clinicians, statisticians and reviewers read."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import library  # noqa: F401
from thyrocast import fileio, log, report


def run(
    results: Path,
    designs: Mapping[str, Sequence[str]],
    members: Sequence[str],
    output: Path,
    title: str,
    settings: Mapping[str, Any],
    simulation_summary: Path | None = None,
) -> None:
    """Read ``results/{study}`` by the contract's paths and write one HTML page."""
    study = report.read_study(results, designs, members, title, settings, simulation_summary)
    page = report.render(study)
    with fileio.atomic(output) as temporary:
        temporary.write_text(page, encoding="utf-8")


if "snakemake" in globals():
    log.start(snakemake.log[0], snakemake.rule)
    run(
        results=Path(snakemake.output.report).parents[1],
        designs=dict(snakemake.params.designs),
        members=list(snakemake.params.members),
        output=Path(snakemake.output.report),
        title=snakemake.params.config["study"],
        settings=dict(snakemake.params.config),
        simulation_summary=(
            Path(snakemake.params.config["simulation"])
            if snakemake.params.config["simulation"]
            else None
        ),
    )
