"""Join the tables of the designs and pool the centers' results by random effects."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import library  # noqa: F401
from thyrocast import log
from thyrocast.config.evaluation import EvaluationConfig
from thyrocast.contract import io
from thyrocast.contract.evaluation import OF_DESIGN, PERFORMANCE, POOLED, POOLED_CENTERS
from thyrocast.evaluation import pooled_centers, summaries

if TYPE_CHECKING:
    from snakemake.script import snakemake


def run(
    inputs: Mapping[str, Sequence[Path]],
    outputs: Mapping[str, Path],
    confidence: float,
    summary_files: Sequence[Path] = (),
) -> None:
    """Join each table of the designs, and write the pooled results.

    The centers of `summary_files`, whose data may not leave, are only in the pooled results.
    """
    found = {
        table: io.concat(table, [io.read(table, file) for file in inputs[table.name]])
        for table in OF_DESIGN
        if table.name in inputs
    }
    performance = found[PERFORMANCE]
    for file in summary_files:
        centers = summaries.read(file, performance)
        performance = io.concat(PERFORMANCE, [performance, centers])
    found[POOLED], found[POOLED_CENTERS] = pooled_centers.pool(performance, confidence)
    for table, frame in found.items():
        if table.name in outputs:
            io.write(table, frame, outputs[table.name])


if "snakemake" in globals():
    log.start(snakemake.log[0], snakemake.rule)
    files = {name: [Path(file) for file in value] for name, value in snakemake.input.items()}
    run(
        inputs={name: value for name, value in files.items() if name != "summaries"},
        outputs={name: Path(file) for name, file in snakemake.output.items()},
        confidence=EvaluationConfig.read(snakemake.params.settings).confidence,
        summary_files=files.get("summaries", []),
    )
