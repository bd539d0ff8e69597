"""State where the pooled results of each center come from; stop if one is about another locked model."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import library  # noqa: F401 - makes the package importable
from thyrocast import log
from thyrocast.contract import io
from thyrocast.contract.evaluation import PERFORMANCE, SOURCES
from thyrocast.evaluation import exchanged
from thyrocast.planning import exchanges, fingerprints, models

if TYPE_CHECKING:
    from snakemake.script import snakemake


def run(
    performance: Path,
    sent: Mapping[str, Path],
    model: str | None,
    output: Path,
) -> None:
    """Write `SOURCES`.

    Parameters
    ----------
    performance
        Table `PERFORMANCE` of the study.
    sent
        By center, its exchange file.
    model
        Hash of the study's locked model; None if it has none.
    output
        The table to write.
    """
    rows = io.read(PERFORMANCE, performance)
    files = {}
    for name, path in sent.items():
        found = exchanges.read(path)
        exchanges.check_model(found, name, model)
        rows = io.concat(PERFORMANCE, [rows, exchanged.rows(found, name)])
        files[name] = (found, fingerprints.file_hash(path))
    io.write(SOURCES, exchanged.sources(rows, files, model), output)


if "snakemake" in globals():
    log.start(snakemake.log[0], snakemake.rule)
    manifest = snakemake.input.manifest
    run(
        performance=Path(snakemake.input.performance),
        sent={one["name"]: Path(one["exchange"]) for one in snakemake.params.exchanged},
        model=models.hash_of(manifest) if manifest else None,
        output=Path(snakemake.output.sources),
    )
