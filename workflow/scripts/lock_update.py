"""Write a locked model that is updated at a center, by the step that closed testing chooses."""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import library  # noqa: F401 - makes the package importable
from thyrocast import log
from thyrocast.application import apply, updates
from thyrocast.config.study import StudyConfig
from thyrocast.contract import io
from thyrocast.contract.cohort import COHORT, SCANS
from thyrocast.contract.evaluation import PERFORMANCE, PREDICTIONS
from thyrocast.contract.manifest import Manifest
from thyrocast.contract.splits import SPLITS
from thyrocast.evaluation import updating
from thyrocast.evaluation.updating import Setup
from thyrocast.ledgers import ledger, update_ledger
from thyrocast.locked import updated
from thyrocast.sharing import exchange

if TYPE_CHECKING:
    from snakemake.script import snakemake

logger = logging.getLogger("thyrocast")


@dataclass(frozen=True)
class Inputs:
    """Files of the study that applied the model.

    Attributes
    ----------
    model
        Verified copy of the model.
    predictions, performance, splits, cohort
        Tables `PREDICTIONS`, `PERFORMANCE`, `SPLITS` and `COHORT`.
    embeddings
        Array (members, patients, 2048), patients in the order of `splits`.
    scans
        Table `SCANS` of the center.
    """

    model: Path
    predictions: Path
    performance: Path
    splits: Path
    embeddings: Path
    cohort: Path
    scans: Path


def run(inputs: Inputs, center: str, study: StudyConfig, folder: Path) -> None:
    """Write the updated model to ``folder``, with lines in both ledgers next to the pseudonym key."""
    locked = apply.read(inputs.model)
    setup = Setup(study.updating, study.evaluation.confidence, study.seed)
    embedded = np.load(inputs.embeddings, mmap_mode="r", allow_pickle=False)[0]
    scores = updates.components(
        locked.domain, locked.manifest.members[0], embedded, study.updating.components
    )
    patients = io.read(SPLITS, inputs.splits)["patient"]
    found = updating.sites(
        io.read(PREDICTIONS, inputs.predictions),
        io.read(PERFORMANCE, inputs.performance),
        dict(zip(patients, scores, strict=True)),
    )
    own = [site for site in found if isinstance(site, updating.Site) and site.center == center]
    fitted = updated.choose(own, setup, study.exchange, center)
    table = updated.thresholds(locked.thresholds, fitted, setup, study.evaluation.thresholds)
    cohort = io.read(COHORT, inputs.cohort)
    people = exchange.people(io.read(SCANS, inputs.scans))
    outcome = updated.outcomes(
        io.read(PREDICTIONS, inputs.predictions), center, [one.site.model for one in fitted]
    )
    sent = ledger.place(study.pseudonym_key)
    records = exchange.check_update(center, study.exchange, outcome, people, sent)

    def record(manifest: Manifest) -> None:
        exchange.add_update(sent, study.study, center, manifest.hash, records)
        update_ledger.append(
            update_ledger.place(study.pseudonym_key),
            manifest.hash,
            cohort[cohort["center"] == center],
            people,
        )

    manifest = updated.write(inputs.model, locked.manifest, fitted, table, setup, folder, record)
    for one in fitted:
        logger.info("%s: %s", one.site.model, one.step)
    logger.info("locked model %s, an update of %s", manifest.hash, manifest.parent)


if "snakemake" in globals():
    log.start(snakemake.log[0], snakemake.rule, snakemake.wildcards)
    given = snakemake.input
    run(
        Inputs(
            Path(given.model).parent,
            Path(given.predictions),
            Path(given.performance),
            Path(given.splits),
            Path(given.embeddings),
            Path(given.cohort),
            Path(given.scans),
        ),
        snakemake.wildcards.center,
        StudyConfig.read(snakemake.params.config),
        Path(snakemake.output.manifest).parent,
    )
