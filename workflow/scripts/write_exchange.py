"""Write what may leave a center instead of its data: results without a row of a patient."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING

import library  # noqa: F401 - makes the package importable
from thyrocast import fileio, log
from thyrocast.config.study import StudyConfig
from thyrocast.contract import documents, io
from thyrocast.contract.cohort import COHORT, PATIENTS, SCANS
from thyrocast.contract.evaluation import PERFORMANCE, PREDICTIONS
from thyrocast.contract.exchange import ModelStatement
from thyrocast.contract.manifest import Manifest
from thyrocast.errors import InputError
from thyrocast.ledgers import ledger, update_ledger
from thyrocast.planning import models
from thyrocast.sharing import exchange, exchange_page
from thyrocast.sharing.exchange import CenterTables

if TYPE_CHECKING:
    from snakemake.script import snakemake

LOG = logging.getLogger("thyrocast")


def run(
    tables: CenterTables, study: StudyConfig, model: ModelStatement, target: Path, page: Path
) -> None:
    """Write the exchange file, its page, and a line in the ledger next to the pseudonym key."""
    kept = ledger.place(study.pseudonym_key)
    found = exchange.write(tables, study, model, kept, target)
    with fileio.atomic(page) as temporary:
        temporary.write_text(exchange_page.render(found), encoding="utf-8")
    LOG.info("Read %s before %s leaves; what was sent is recorded in %s.", page, target, kept)
    for sentence in found.hidden:
        LOG.info("Hidden: %s", sentence)


def statement(hash_: str | None, *, applied: bool) -> ModelStatement:
    """Return which models the results are about: a locked model that was applied, or the study's own."""
    return exchange.locked(hash_) if applied and hash_ else exchange.own(hash_)


def check_unseen(tables: CenterTables, study: StudyConfig, manifest: str) -> None:
    """Refuse results of an updated model on patients to whom it was fitted.

    Raises
    ------
    InputError
    """
    model = documents.read(Manifest, manifest)
    own = tables.cohort[tables.cohort["center"] == tables.name]
    place = update_ledger.place(study.pseudonym_key)
    used = update_ledger.fitted_to(place, model.hash, own, tables.people)
    if used:
        raise InputError(
            f"center {tables.name}: the updated model {model.hash[:12]} was fitted to {used} of its patients: "
            "results on them are in-sample; send those of the model that it updates, or of later patients"
        )


if "snakemake" in globals():
    log.start(snakemake.log[0], snakemake.rule, snakemake.wildcards)
    inputs = snakemake.input
    config = StudyConfig.read(snakemake.params.config)
    center = CenterTables(
        name=snakemake.wildcards.center,
        performance=io.read(PERFORMANCE, inputs.performance),
        predictions=io.read(PREDICTIONS, inputs.predictions),
        cohort=io.read(COHORT, inputs.cohort),
        patients=io.read(PATIENTS, inputs.patients),
        people=exchange.people(io.read(SCANS, inputs.scans)),
    )
    if config.model:
        check_unseen(center, config, inputs.manifest)
    run(
        center,
        config,
        statement(
            models.hash_of(inputs.manifest) if inputs.get("manifest") else None,
            applied=bool(snakemake.params.config.get("model")),
        ),
        Path(snakemake.output.exchange),
        Path(snakemake.output.page),
    )
