"""The locked model: copies of its files, and a manifest with a hash of every one."""

import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

import thyrocast
from thyrocast import versions
from thyrocast.contract import documents
from thyrocast.contract import files as contract_files
from thyrocast.contract.documents import Manifest, TrainingPatients
from thyrocast.contract.names import Design, Set
from thyrocast.planning import fingerprints

#: Rules whose jobs compute what a locked model consists of.
TRAINED_BY = ("train_network", "extract_embeddings", "fit_signature", "evaluate_design")


@dataclass(frozen=True)
class Parts:
    """Files that a locked model consists of.

    Attributes
    ----------
    weights
        File with the weights of each member.
    signature
        Files of the signature.
    thresholds
        Table of the decision thresholds.
    """

    weights: Mapping[str, Path]
    signature: Sequence[Path]
    thresholds: Path


def copy(parts: Parts, folder: Path) -> None:
    """Copy what prediction needs into a folder; its previous content is deleted."""
    shutil.rmtree(folder, ignore_errors=True)
    targets = {folder / "signature" / file.name: file for file in parts.signature}
    targets |= {folder / "network" / m / file.name: file for m, file in parts.weights.items()}
    targets[folder / parts.thresholds.name] = parts.thresholds
    for target, source in targets.items():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)


def hashes(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every file below a folder, by its path relative to the folder."""
    return {
        str(file.relative_to(folder)): fingerprints.file_hash(file)
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def training_cohort(cohort: pd.DataFrame, splits: pd.DataFrame) -> dict[str, TrainingPatients]:
    """Return the numbers of training patients, and of the cured among them, by center.

    Parameters
    ----------
    cohort, splits
        Tables `contract.cohort.COHORT` and `contract.splits.SPLITS`.
    """
    training = (splits["design"] == Design.EXTERNAL) & (splits["set"] == Set.TRAIN)
    trained = cohort[cohort["patient"].isin(splits.loc[training, "patient"])]
    return {
        str(center): TrainingPatients(
            patients=len(patients), cured=int((patients["outcome"] == 1).sum())
        )
        for center, patients in trained.groupby("center")
    }


def training_versions(logs: Path) -> dict[str, dict[str, str]]:
    """Return the package versions of each rule that computed the model, from the logs of its jobs.

    Parameters
    ----------
    logs
        The study's folder of logs.
    """
    found = {}
    for rule in TRAINED_BY:
        imported = fingerprints.imported_packages(rule)
        records = [versions.read(log, imported) for log in _training_logs(logs / rule)]
        found[rule] = versions.merge(record for record in records if record)
    return found


def _training_logs(folder: Path) -> Iterable[Path]:
    """Return the logs of a rule's jobs for the external design, which trains on all patients."""
    return [*folder.glob(f"{Design.EXTERNAL}.log"), *(folder / Design.EXTERNAL).rglob("*.log")]


def manifest(
    folder: Path,
    cohort: pd.DataFrame,
    splits: pd.DataFrame,
    config: Mapping[str, Any],
    logs: Path,
) -> Manifest:
    """Return the manifest of a locked model.

    Parameters
    ----------
    folder
        Folder with the files of the model.
    cohort, splits
        As in `training_cohort`.
    config
        The study's config without what must stay at the centers.
    logs
        The study's folder of logs.
    """
    return Manifest(
        thyrocast=thyrocast.__version__,
        contract=contract_files.VERSION,
        code=fingerprints.workflow_version(),
        commit=fingerprints.commit(),
        config=dict(config),
        files=hashes(folder),
        training_cohort=training_cohort(cohort, splits),
        versions=training_versions(logs),
    )


def lock(
    parts: Parts,
    cohort: pd.DataFrame,
    splits: pd.DataFrame,
    config: Mapping[str, Any],
    logs: Path,
    folder: Path,
    target: Path,
) -> None:
    """Copy a model's files into ``folder`` and write its manifest to ``target``."""
    copy(parts, folder)
    documents.write(manifest(folder, cohort, splits, config, logs), target)
