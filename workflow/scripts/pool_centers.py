"""Join the tables of the designs and pool the centers' results by random effects."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import library  # noqa: F401 - makes the package importable
from thyrocast import log
from thyrocast.config.evaluation import EvaluationConfig
from thyrocast.contract import io
from thyrocast.contract.evaluation import (
    OF_DESIGN,
    PERFORMANCE,
    POOLED,
    POOLED_CENTERS,
)
from thyrocast.contract.exchange import Exchange
from thyrocast.evaluation import exchanged, pooled_centers
from thyrocast.planning import exchanges

if TYPE_CHECKING:
    from snakemake.script import snakemake


def run(
    inputs: Mapping[str, Sequence[Path]],
    outputs: Mapping[str, Path],
    confidence: float,
    sent: Mapping[str, Exchange] | None = None,
) -> None:
    """Join each table of the designs, and write the pooled results.

    The centers of `sent`, whose data may not leave, are only in the pooled results.

    Parameters
    ----------
    inputs, outputs
        Files of each table, by its name.
    confidence
        Confidence level of the study.
    sent
        Exchange files by center.
    """
    sent = sent or {}
    found = {
        table: io.concat(table, [io.read(table, file) for file in inputs[table.name]])
        for table in OF_DESIGN
        if table.name in inputs
    }
    performance = found[PERFORMANCE]
    for name, file in sent.items():
        exchanged.check_other(file, name, found[PERFORMANCE])
        performance = io.concat(PERFORMANCE, [performance, exchanged.rows(file, name)])
    found[POOLED], found[POOLED_CENTERS] = pooled_centers.pool(performance, confidence, {*sent})
    for table, frame in found.items():
        if table.name in outputs:
            io.write(table, frame, outputs[table.name])


if "snakemake" in globals():
    log.start(snakemake.log[0], snakemake.rule)
    files = {name: [Path(file) for file in value] for name, value in snakemake.input.items()}
    files.pop("exchanged")
    run(
        inputs=files,
        outputs={name: Path(file) for name, file in snakemake.output.items()},
        confidence=EvaluationConfig.read(snakemake.params.settings).confidence,
        sent={one["name"]: exchanges.read(one["exchange"]) for one in snakemake.params.exchanged},
    )
