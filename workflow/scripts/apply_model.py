"""Predict the patients of a study by a locked model, and flag those unlike its training patients."""

import logging
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import library  # noqa: F401
from thyrocast import fileio, log
from thyrocast.contract import io
from thyrocast.contract.deployment import APPLIED, APPLIED_PATIENTS
from thyrocast.contract.names import FULL
from thyrocast.contract.splits import FEATURES, OPTIMISM, PATH, PREDICTIONS
from thyrocast.deployment import apply
from thyrocast.signature import results

if TYPE_CHECKING:
    from snakemake.script import snakemake

logger = logging.getLogger("thyrocast")


def run(
    locked: apply.Locked,
    patients: apply.Patients,
    error: float,
    predictions: Path,
    applied: Path,
    flags: Path,
) -> None:
    """Write the predictions as those of the design `external`, as a table of their own, and the flags."""
    at = apply.now()
    forecast = apply.predict(locked, patients)
    io.write(PREDICTIONS, apply.as_split(forecast, patients), predictions)
    flagged = apply.flags(locked, patients, at)
    io.write(APPLIED_PATIENTS, flagged, flags)
    io.write(APPLIED, apply.predictions(locked, forecast, flagged, error), applied)
    outside = int(flagged["outside"].sum())
    logger.info("%d patients predicted, %d unlike the training patients", len(flagged), outside)


def describe(
    locked: apply.Locked, signature: Path, copy: Path, path: Path, features: Path, optimism: Path
) -> None:
    """Write what the report shows of the signature; tables of what only training shows have no rows."""
    with fileio.atomic(copy) as temporary:
        shutil.copyfile(signature, temporary)
    io.write(PATH, io.empty(PATH), path)
    io.write(OPTIMISM, io.empty(OPTIMISM), optimism)
    members = locked.model.members
    shown = members.get(FULL) or next(iter(members.values()))
    io.write(FEATURES, results.features(shown.signature), features)


if "snakemake" in globals():
    log.start(snakemake.log[0], snakemake.rule)
    given, made = snakemake.input, snakemake.output
    model = apply.read(Path(given.model).parent)
    run(
        model,
        apply.read_patients(
            Path(given.cohort),
            Path(given.splits),
            Path(given.embeddings),
            Path(given.network),
            Path(given.images),
            list(snakemake.params.members),
        ),
        snakemake.params.error,
        Path(made.predictions),
        Path(made.applied),
        Path(made.patients),
    )
    names = (given.signature, made.signature, made.path, made.features, made.optimism)
    describe(model, *map(Path, names))
