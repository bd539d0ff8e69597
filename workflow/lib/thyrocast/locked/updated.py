"""Updates of a locked model: what closed testing chooses at a center, and the new model that has it.

An updated model has every file of its parent, byte for byte, except thresholds and model card, and the
parent's manifest. What was changed is a few numbers in its own manifest: they are the only ones that were
fitted to the center's patients.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from scipy.special import expit

import thyrocast
from thyrocast import fileio
from thyrocast.config.evaluation import ThresholdConfig
from thyrocast.config.exchange import ExchangeConfig
from thyrocast.contract import deployment as contract
from thyrocast.contract import documents, io
from thyrocast.contract import files as contract_files
from thyrocast.contract.manifest import Manifest, ModelUpdate, Update
from thyrocast.contract.names import Design, Model, Set
from thyrocast.contract.site_names import UpdateStep
from thyrocast.contract.splits import PREDICTIONS
from thyrocast.errors import InputError
from thyrocast.evaluation.updating import Setup, Site, cross_validated
from thyrocast.locked import bundle, card
from thyrocast.planning import fingerprints
from thyrocast.statistics import updating
from thyrocast.statistics.inputs import NotEstimableError

LOG = logging.getLogger("thyrocast")


@dataclass(frozen=True)
class Fitted:
    """The update of one model at a center.

    Attributes
    ----------
    site
        Patients of the center, as the model predicts them.
    step
        The step that closed testing chooses.
    change
        The step, fitted to all patients of the center.
    """

    site: Site
    step: UpdateStep
    change: updating.Update

    @property
    def stated(self) -> ModelUpdate:
        """The change as the manifest states it."""
        used = self.change.coefficients if self.step is UpdateStep.HEAD else ()
        return ModelUpdate(
            step=self.step,
            intercept=self.change.intercept,
            slope=self.change.slope,
            coefficients=[float(value) for value in used],
        )


def choose(sites: Sequence[Site], setup: Setup, rule: ExchangeConfig, center: str) -> list[Fitted]:
    """Return the update of every model for which closed testing chooses one.

    A model whose update cannot be cross-validated is not updated: nobody could judge it.

    Parameters
    ----------
    sites
        The center's patients, as each model predicts them.
    setup
        Settings of the updates.
    rule
        How many patients an update needs: as many as an exchange file, since it leaves the center as well.
    center
        Its name.

    Raises
    ------
    InputError
        If the center has too few patients, or if no model is updated.
    """
    if not sites:
        raise InputError(
            f"center {center}: has too few patients with an outcome to report its results "
            "(evaluation.minimum_count), so that no update is judged: collect more patients"
        )
    found = []
    for site in sites:
        cured = int(site.outcome.sum())
        if (
            site.outcome.size < rule.patients
            or min(cured, site.outcome.size - cured) < rule.outcomes
        ):
            raise InputError(
                f"center {center}: an update needs {rule.patients} patients, {rule.outcomes} of them cured and "
                f"{rule.outcomes} not cured (block exchange), as an exchange file does, because it leaves the "
                "center: collect more patients"
            )
        try:
            step = UpdateStep(
                updating.closed_test(
                    site.linear, site.features, site.outcome, setup.config.level
                ).chosen
            )
            change = updating.fit(step, site.linear, site.features, site.outcome)
            cross_validated(step, site, setup)
        except NotEstimableError as reason:
            LOG.warning("%s: not updated: %s", site.model, reason)
            continue
        if step is not UpdateStep.NONE:
            found.append(Fitted(site, step, change))
    if not found:
        raise InputError(
            f"center {center}: closed testing chooses no update for any model (updating/updates.csv): use the "
            "locked model as it is"
        )
    return found


def outcomes(predictions: pd.DataFrame, center: str, models: Sequence[str]) -> pd.Series[int]:
    """Return the outcomes of the patients to whom models are fitted, by pseudonym, sorted.

    Parameters
    ----------
    predictions
        Table `PREDICTIONS`.
    center
        The center.
    models
        Names of the models.

    Raises
    ------
    InputError
        If a model did not predict all of them: the difference would show who is missing.
    """
    rows = predictions[
        (predictions["design"] == Design.EXTERNAL)
        & (predictions["set"] == Set.TEST)
        & (predictions["center"] == center)
        & predictions["model"].isin(models)
        & predictions["outcome"].notna()
    ]
    found = rows.drop_duplicates("patient").set_index("patient")["outcome"].sort_index()
    for name, own in rows.groupby("model"):
        if own["patient"].nunique() < len(found):
            raise InputError(
                f"center {center}: {name} did not predict {len(found) - own['patient'].nunique()} of the "
                f"{len(found)} patients, expected the same patients for every model that is updated"
            )
    return found.astype("int64")


def thresholds(
    parent: pd.DataFrame, fitted: Sequence[Fitted], setup: Setup, rules: Sequence[ThresholdConfig]
) -> pd.DataFrame:
    """Return the table `THRESHOLDS` of an updated model.

    Thresholds of updated models are chosen again by the same rules, on the center's patients, each
    predicted by updates that were fitted without this patient.

    Parameters
    ----------
    parent
        Thresholds of the parent, which models without an update keep.
    fitted
        The updates.
    setup
        Settings of the updates.
    rules
        Rules of the thresholds.
    """
    frames = []
    for one in fitted:
        odds = cross_validated(one.step, one.site, setup)
        frame = pd.DataFrame(
            {
                "design": "external",
                "split": "all",
                "set": Set.TRAIN.value,
                "patient": [str(number) for number in range(odds.size)],
                "center": one.site.center,
                "outcome": one.site.outcome.astype(int),
                "model": one.site.model,
                "probability": expit(odds),
            }
        )
        frames.append(io.conform(PREDICTIONS, frame))
    again = bundle.thresholds(io.concat(PREDICTIONS, frames), rules, cross_fitted=True)
    kept = parent[~parent["model"].isin([one.site.model for one in fitted])]
    return io.concat(contract.THRESHOLDS, [kept, again])


def write(
    source: Path,
    parent: Manifest,
    fitted: Sequence[Fitted],
    table: pd.DataFrame,
    setup: Setup,
    folder: Path,
    record: Callable[[Manifest], None],
) -> Manifest:
    """Write an updated model; its folder's previous content is deleted.

    Parameters
    ----------
    source
        Verified copy of the parent.
    parent
        Manifest of the parent.
    fitted
        The updates, one or more, all of the same center.
    table
        Thresholds of the updated model.
    setup
        Settings of the updates.
    folder
        Where it is written. Equal input gives equal bytes.
    record
        Records the model. The manifest is written afterwards: no model exists that no ledger knows.

    Raises
    ------
    InputError
        If the parent is itself an update.
    """
    if parent.parent is not None:
        raise InputError(
            f"locked model {parent.hash[:12]} is an update of {parent.parent[:12]}: update that one, with the "
            "patients of both"
        )
    shutil.rmtree(folder, ignore_errors=True)
    for name in sorted(parent.files):
        if name not in contract.CHANGED:
            with fileio.atomic(folder / name) as temporary:
                shutil.copyfile(source / name, temporary)
    with fileio.atomic(folder / contract.PARENT) as temporary:
        shutil.copyfile(source / contract.MANIFEST, temporary)
    io.write(contract.THRESHOLDS, table, folder / contract.inside(contract.THRESHOLDS))
    sites = [one.site for one in fitted]
    statement = Update(
        center=sites[0].center,
        patients=sites[0].outcome.size,
        cured=int(sites[0].outcome.sum()),
        level=setup.config.level,
        member=parent.members[0],
        models={Model(one.site.model): one.stated for one in fitted},
    )
    with fileio.atomic(folder / contract.CARD) as temporary:
        temporary.write_bytes(
            card.updated((source / contract.CARD).read_bytes(), parent, statement)
        )
    manifest = bundle.sealed(
        parent.model_copy(
            update={
                "thyrocast": thyrocast.__version__,
                "contract": contract_files.VERSION,
                "code": fingerprints.workflow_version(),
                "commit": fingerprints.commit(),
                "parent": parent.hash,
                "update": statement,
                "files": bundle.listed(folder),
            }
        )
    )
    record(manifest)
    documents.write(manifest, folder / contract.MANIFEST)
    return manifest
