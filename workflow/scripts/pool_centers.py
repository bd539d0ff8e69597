"""Gather the designs' tables and pool the centers' results by random effects."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from thyrocast import log, tables
from thyrocast.evaluation import pooled
from thyrocast.evaluation.layout import COLUMNS


def run(
    inputs: Mapping[str, Sequence[Path]], outputs: Mapping[str, Path], confidence: float
) -> None:
    """Join each table of the designs, and write the pooled results."""
    joined = {
        name: [row for file in files for row in tables.read_csv(file)]
        for name, files in inputs.items()
    }
    summary, centers = pooled.rows(joined["performance"], confidence)
    made = {"pooled": summary, "pooled_centers": centers}
    for name, path in outputs.items():
        tables.write_csv(path, COLUMNS[name], made.get(name) or joined.get(name, []))


if "snakemake" in globals():
    log.start(snakemake.log[0], snakemake.rule)
    run(
        inputs={name: [Path(f) for f in files] for name, files in snakemake.input.items()},
        outputs={name: Path(file) for name, file in snakemake.output.items()},
        confidence=snakemake.params.settings["confidence"],
    )
