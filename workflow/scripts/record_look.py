"""Add an evaluation of a locked model to the append-only log, and show the log as a table."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

import library  # noqa: F401 - makes the package importable
from thyrocast import log
from thyrocast.application import apply
from thyrocast.contract import io
from thyrocast.contract.cohort import COHORT, SCANS
from thyrocast.contract.deployment import APPLIED_PATIENTS, LOOKS
from thyrocast.contract.evaluation import PERFORMANCE
from thyrocast.contract.names import GroupKind, Metric, Set, Status
from thyrocast.contract.site_names import APART
from thyrocast.ledgers import looks, update_ledger
from thyrocast.sharing import exchange

if TYPE_CHECKING:
    from snakemake.script import snakemake


def run(
    cohort: Path,
    performance: Path,
    applied: Path,
    scans: Sequence[Path],
    model: str,
    key: str,
    journal: Path,
    output: Path,
    least: int = 5,
) -> None:
    """Append to the log, and write the table `LOOKS`.

    Parameters
    ----------
    cohort, performance, applied
        Tables `COHORT`, `PERFORMANCE` and `APPLIED_PATIENTS`; patients who are scored apart are not in the log.
    scans
        Tables `SCANS` of the centers.
    model
        Hash of the locked model.
    key
        The pseudonym key, next to which it is recorded to whom a model was fitted.
    journal
        The log.
    output
        The table.
    least
        Smallest number of patients that may be shown.
    """
    flagged = io.read(APPLIED_PATIENTS, applied)
    apart = flagged.loc[flagged["standing"].isin(APART), "patient"]
    patients = io.read(COHORT, cohort)
    patients = patients[~patients["patient"].isin(apart)]
    if patients["outcome"].notna().any():
        results = aucs(io.read(PERFORMANCE, performance))
        people: dict[str, str] = {}
        for path in scans:
            people |= exchange.people(io.read(SCANS, path))
        fitted = update_ledger.fitted_to(update_ledger.place(key), model, patients, people)
        found = looks.append(journal, apply.now(), model, patients, results, fitted)
    else:
        found = looks.read(journal)
    io.write(LOOKS, looks.table(found, looks.read(looks.related(journal)), least), output)


def aucs(performance: pd.DataFrame) -> dict[str, float | None]:
    """Headline AUC of each model over all test patients."""
    rows = performance[
        (performance["set"] == Set.TEST)
        & (performance["group_kind"] == GroupKind.POOLED)
        & (performance["metric"] == Metric.AUC)
    ].drop_duplicates("model")
    estimated = rows["status"] == Status.ESTIMATED
    return {
        str(name): float(value) if known else None
        for name, value, known in zip(rows["model"], rows["estimate"], estimated, strict=True)
    }


if "snakemake" in globals():
    log.start(snakemake.log[0], snakemake.rule)
    run(
        cohort=Path(snakemake.input.cohort),
        performance=Path(snakemake.input.performance),
        applied=Path(snakemake.input.patients),
        scans=[Path(path) for path in snakemake.input.scans],
        model=snakemake.params.model,
        key=snakemake.params.key,
        journal=Path(snakemake.params.journal),
        output=Path(snakemake.output.looks),
        least=snakemake.params.least,
    )
