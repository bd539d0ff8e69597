"""Join the tables of the designs and pool the centers' results by random effects."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import library  # noqa: F401
from thyrocast import log
from thyrocast.config.evaluation import EvaluationConfig
from thyrocast.contract import documents, io
from thyrocast.contract.evaluation import (
    OF_DESIGN,
    PERFORMANCE,
    POOLED,
    POOLED_CENTERS,
    SOURCES,
)
from thyrocast.contract.exchange import Exchange
from thyrocast.evaluation import exchanged, pooled_centers, summaries
from thyrocast.planning import fingerprints, models

if TYPE_CHECKING:
    from snakemake.script import snakemake


def run(
    inputs: Mapping[str, Sequence[Path]],
    outputs: Mapping[str, Path],
    confidence: float,
    summary_files: Sequence[Path] = (),
    sent: Mapping[str, tuple[Exchange, str]] | None = None,
    model: str | None = None,
) -> None:
    """Join each table of the designs, and write the pooled results.

    The centers of `summary_files` and of `sent`, whose data may not leave, are only in the pooled
    results.

    Parameters
    ----------
    inputs, outputs
        Files of each table, by its name.
    confidence
        Confidence level of the study.
    summary_files
        Tables `PERFORMANCE` of other consortia.
    sent
        By center, its exchange file and the SHA-256 of it.
    model
        Hash of the study's locked model; None if it has none.
    """
    sent = sent or {}
    found = {
        table: io.concat(table, [io.read(table, file) for file in inputs[table.name]])
        for table in OF_DESIGN
        if table.name in inputs
    }
    performance = found[PERFORMANCE]
    summarized: set[str] = set()
    for summary in summary_files:
        centers = summaries.read(summary, performance)
        performance = io.concat(PERFORMANCE, [performance, centers])
        summarized |= {*centers["group"]}
    for name, (file, _) in sent.items():
        exchanged.check_model(file, name, model)
        performance = io.concat(PERFORMANCE, [performance, exchanged.rows(file, name)])
    elsewhere = summarized | {*sent}
    found[POOLED], found[POOLED_CENTERS] = pooled_centers.pool(performance, confidence, elsewhere)
    found[SOURCES] = exchanged.sources(performance, sent, summarized, model)
    for table, frame in found.items():
        if table.name in outputs:
            io.write(table, frame, outputs[table.name])


if "snakemake" in globals():
    log.start(snakemake.log[0], snakemake.rule)
    inputs = dict(snakemake.input.items())
    # A single file is text, several are a list.
    manifest = inputs.pop("manifest")
    inputs.pop("exchanged")
    files = {name: [Path(file) for file in value] for name, value in inputs.items()}
    run(
        inputs={name: value for name, value in files.items() if name != "summaries"},
        outputs={name: Path(file) for name, file in snakemake.output.items()},
        confidence=EvaluationConfig.read(snakemake.params.settings).confidence,
        summary_files=files.get("summaries", []),
        sent={
            one["name"]: (
                documents.read(Exchange, one["exchange"]),
                fingerprints.file_hash(one["exchange"]),
            )
            for one in snakemake.params.exchanged
        },
        model=models.hash_of(manifest) if manifest else None,
    )
