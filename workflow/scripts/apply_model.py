"""Predict the patients of a study by a locked model, and flag those unlike its training patients."""

import logging
import shutil
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import library  # noqa: F401 - makes the package importable
from thyrocast import fileio, log
from thyrocast.application import apply
from thyrocast.contract import io
from thyrocast.contract.deployment import APPLIED, APPLIED_PATIENTS, LEDGER
from thyrocast.contract.splits import (
    ACTIVATING,
    CORRELATES,
    FEATURES,
    MEMBER_PREDICTIONS,
    OPTIMISM,
    PATH,
    PREDICTIONS,
)
from thyrocast.ledgers import chain
from thyrocast.prospective import follow_up, frozen, timing

if TYPE_CHECKING:
    from snakemake.script import snakemake

logger = logging.getLogger("thyrocast")


def run(
    locked: apply.Locked,
    patients: apply.Patients,
    error: float,
    signature: Path,
    outputs: Mapping[str, Path],
    ledger: Path,
    dates: Sequence[Path] = (),
    withdrawn: Collection[str] = (),
    scans: Sequence[Path] = (),
) -> None:
    """Write the outputs of the rule: predictions as those of the design `external`, flags, features.

    The signature's ``model.json`` is copied for the report. What only training shows (path, correlates,
    activating, optimism) has no rows. Predictions of prospective patients are added to the ledger, and those in the
    ledger take the place of those that are computed. `dates` are the private files with the dates of outcomes,
    `scans` those with the dates of scans.
    """
    at = apply.now()
    computed = apply.predict(locked, patients)
    flagged = apply.flags(locked, patients, at)
    scanned = timing.scan_dates(scans) if scans else {}
    rules = frozen.Rules(locked.manifest.hash, error, withdrawn, scanned)
    entries = frozen.freeze(ledger, patients, computed, flagged, rules)
    forecast = frozen.restore(computed, patients, frozen.used(entries, withdrawn))
    flagged = follow_up.mark(flagged, patients.cohort, entries, rules, timing.read_outcomes(dates))
    tables = {
        "predictions": (PREDICTIONS, apply.as_split(forecast, patients)),
        "member_predictions": (MEMBER_PREDICTIONS, apply.by_member(forecast, patients)),
        "patients": (APPLIED_PATIENTS, flagged),
        "applied": (APPLIED, apply.predictions(locked, forecast, flagged, error)),
        "path": (PATH, io.empty(PATH)),
        "correlates": (CORRELATES, io.empty(CORRELATES)),
        "activating": (ACTIVATING, io.empty(ACTIVATING)),
        "optimism": (OPTIMISM, io.empty(OPTIMISM)),
        "features": (FEATURES, apply.features(locked)),
        "ledger": (LEDGER, follow_up.table(entries, patients.cohort, withdrawn)),
    }
    for name, (table, frame) in tables.items():
        io.write(table, frame, outputs[name])
    with fileio.atomic(outputs["signature"]) as temporary:
        shutil.copyfile(signature, temporary)
    outside = int(flagged["outside"].sum())
    logger.info("%d patients predicted, %d unlike the training patients", len(flagged), outside)
    if entries:
        logger.info(
            "%d predictions are frozen; hash of the last: %s", len(entries), chain.head(entries)
        )
    if absent := follow_up.missing(entries, patients.cohort, withdrawn):
        logger.warning(
            "%d patients have a frozen prediction, but are not in the cohort, and are not scored: %s; "
            "cohort/patients.csv has the reason of each patient who is still in the export or the table",
            len(absent),
            ", ".join(absent),
        )


if "snakemake" in globals():
    log.start(snakemake.log[0], snakemake.rule)
    given = snakemake.input
    run(
        apply.read(Path(given.model).parent),
        apply.read_patients(
            Path(given.cohort),
            Path(given.splits),
            Path(given.embeddings),
            Path(given.network),
            Path(given.images),
            list(snakemake.params.members),
        ),
        snakemake.params.error,
        Path(given.signature),
        {name: Path(file) for name, file in snakemake.output.items()},
        Path(snakemake.params.ledger),
        [Path(file) for file in given.outcomes],
        list(snakemake.params.withdrawn),
        [Path(file) for file in given.scans],
    )
