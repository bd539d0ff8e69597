"""Gather the designs' tables and pool the centers' results by random effects."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import library  # noqa: F401
from thyrocast import fileio, log
from thyrocast.evaluation import pooled, summaries
from thyrocast.evaluation.layout import COLUMNS


def run(
    inputs: Mapping[str, Sequence[Path]],
    outputs: Mapping[str, Path],
    confidence: float,
    elsewhere: Sequence[Path] = (),
) -> None:
    """Join each table of the designs, and write the pooled results.

    ``elsewhere`` are performance tables of centers whose data could not leave; they take part in the
    pooled results alone.
    """
    joined = {
        name: [row for file in files for row in fileio.read_csv(file)]
        for name, files in inputs.items()
    }
    own = joined["performance"]
    others: list[dict[str, str]] = []
    for file in elsewhere:
        others += summaries.read(file, [*own, *others])
    summary, centers = pooled.rows([*own, *others], confidence)
    made = {"pooled": summary, "pooled_centers": centers}
    for name, path in outputs.items():
        fileio.write_csv(path, COLUMNS[name], made[name] if name in made else joined[name])


if "snakemake" in globals():
    log.start(snakemake.log[0], snakemake.rule)
    files = {name: [Path(file) for file in value] for name, value in snakemake.input.items()}
    run(
        inputs={name: value for name, value in files.items() if name != "summaries"},
        outputs={name: Path(file) for name, file in snakemake.output.items()},
        confidence=snakemake.params.settings["confidence"],
        elsewhere=files.get("summaries", []),
    )
