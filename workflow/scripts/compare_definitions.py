"""Compare discrimination and cure rate between the definitions of the outcome."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import library  # noqa: F401 - makes the package importable
from thyrocast import log
from thyrocast.contract import io
from thyrocast.contract.cohort import DEFINITIONS
from thyrocast.contract.evaluation import MULTIVERSE, PERFORMANCE, POOLED, PREDICTIONS
from thyrocast.contract.table import Table
from thyrocast.evaluation import definitions, pooled_centers

if TYPE_CHECKING:
    from snakemake.script import snakemake


def run(
    outcomes: Sequence[Path],
    results: Mapping[str, Mapping[Table, Path]],
    confidence: float,
    output: Path,
) -> None:
    """Write ``multiverse.csv``.

    Parameters
    ----------
    outcomes
        ``definitions.csv`` of every center.
    results
        For each definition, the main one first, its files. `POOLED` of the main one is computed here:
        that of the study has the centers of exchange files, whose patients have no
        outcome under the other definitions.
    confidence
        Confidence level of the results.
    output
        The file that is written.
    """
    decided = io.concat(DEFINITIONS, [io.read(DEFINITIONS, file) for file in outcomes])
    found = {
        name: {table: io.read(table, file) for table, file in files.items()}
        for name, files in results.items()
    }
    main = found[next(iter(found))]
    main[POOLED], _ = pooled_centers.pool(main[PERFORMANCE], confidence)
    io.write(MULTIVERSE, definitions.compare(decided, found, confidence), output)


if "snakemake" in globals():
    log.start(snakemake.log[0], snakemake.rule)
    inputs = snakemake.input
    tables = (PERFORMANCE, POOLED, PREDICTIONS)
    main, *others = snakemake.params.definitions
    files = {main: {table: Path(inputs.get(table.name)) for table in (PERFORMANCE, PREDICTIONS)}}
    for n, name in enumerate(others):
        files[name] = {table: Path(inputs.get(f"other_{table.name}")[n]) for table in tables}
    run(
        outcomes=[Path(file) for file in inputs.outcomes],
        results=files,
        confidence=snakemake.params.confidence,
        output=Path(snakemake.output.multiverse),
    )
