"""The locked model: what prediction needs, and a manifest with a hash of every file and of the whole."""

import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

import thyrocast
from thyrocast import fileio, versions
from thyrocast.config.evaluation import ThresholdConfig
from thyrocast.config.public import public
from thyrocast.config.signature import Embeddings
from thyrocast.config.study import StudyConfig
from thyrocast.contract import deployment as contract
from thyrocast.contract import documents, io
from thyrocast.contract import files as contract_files
from thyrocast.contract.manifest import FORMAT, BundledFile, Manifest, Preprocessing
from thyrocast.contract.names import ALL_SPLITS, Design, Set
from thyrocast.evaluation import decisions, samples
from thyrocast.image import encoder, gland_network
from thyrocast.locked import card, domain, reference
from thyrocast.planning import bundles, fingerprints

#: Rules whose jobs compute what a locked model consists of.
TRAINED_BY = ("train_network", "extract_embeddings", "fit_signature")


@dataclass(frozen=True)
class Parts:
    """What a locked model is made of.

    Attributes
    ----------
    weights
        File with the weights of each member.
    model, forest
        ``model.json`` and ``forest.skops`` of the signature.
    embeddings
        Array (members, n, p) of the patients of the split, members in the order of `weights`.
    cohort, splits, predictions, performance
        Tables `COHORT`, `SPLITS`, `PREDICTIONS` of the split, and `PERFORMANCE` of the study.
    """

    weights: Mapping[str, Path]
    model: Path
    forest: Path
    embeddings: Path
    cohort: pd.DataFrame
    splits: pd.DataFrame
    predictions: pd.DataFrame
    performance: pd.DataFrame

    @property
    def division(self) -> pd.DataFrame:
        """Rows of the split that trains on all development patients, in the order of `embeddings`."""
        of_split = (self.splits["design"] == Design.EXTERNAL) & (self.splits["split"] == ALL_SPLITS)
        return self.splits[of_split].reset_index(drop=True)

    @property
    def training(self) -> pd.DataFrame:
        """Rows of the cohort of the training patients."""
        names = self.division.loc[self.division["set"] == Set.TRAIN, "patient"]
        return self.cohort.set_index("patient", drop=False).loc[names].reset_index(drop=True)


def lock(parts: Parts, config: StudyConfig, logs: Path, folder: Path) -> Manifest:
    """Write a locked model; its folder's previous content is deleted.

    Parameters
    ----------
    parts
        What it is made of.
    config
        The study's config.
    logs
        The study's folder of logs, which have the versions of packages.
    folder
        Where it is written. Equal input gives equal bytes.
    """
    shutil.rmtree(folder, ignore_errors=True)
    for member, file in parts.weights.items():
        _copy(file, folder / contract.weights(member))
    _copy(parts.model, folder / contract.SIGNATURE)
    _copy(parts.forest, folder / contract.FOREST)
    _write_tables(parts, config, folder)
    domain.save(_domain(parts), folder / contract.DOMAIN)
    terms = f"The weights and all other files of this model: {config.model_card.license}\n"
    _write(folder / contract.LICENSE, f"{terms}For research use only.\n".encode())
    described = _manifest(parts, config, logs, {})
    _write(folder / contract.CARD, card.card(config, described, parts.performance))
    manifest = _manifest(parts, config, logs, listed(folder))
    documents.write(manifest, folder / contract.MANIFEST)
    return manifest


def _copy(source: Path, target: Path) -> None:
    with fileio.atomic(target) as temporary:
        shutil.copyfile(source, temporary)


def _write(target: Path, content: bytes) -> None:
    with fileio.atomic(target) as temporary:
        temporary.write_bytes(content)


def _write_tables(parts: Parts, config: StudyConfig, folder: Path) -> None:
    evaluation = config.evaluation
    least = evaluation.minimum_count.patients
    train = parts.predictions[parts.predictions["set"] == Set.TRAIN]
    probabilities = {
        str(model): rows["probability"].astype(float)
        for model, rows in train.groupby("model", sort=False)
    }
    found = {
        contract.THRESHOLDS: thresholds(
            train, evaluation.thresholds, config.signature.embeddings is Embeddings.CROSS_FITTED
        ),
        contract.REFERENCE: reference.distributions(parts.training, probabilities, least),
        contract.RANGES: reference.ranges(parts.training, least),
    }
    for table, frame in found.items():
        io.write(table, frame, folder / contract.inside(table))


def thresholds(
    train: pd.DataFrame, rules: Sequence[ThresholdConfig], cross_fitted: bool
) -> pd.DataFrame:
    """Return the table `THRESHOLDS` of a locked model.

    The thresholds are those of the evaluation, with all digits.

    Parameters
    ----------
    train
        Training patients' rows of the table `PREDICTIONS`.
    rules
        Rules of the thresholds.
    cross_fitted
        Whether the probabilities are of models that had not seen the patients.
    """
    known = samples.read(train)
    chosen = {rule.rule: decisions.choose(known, rule) for rule in rules}
    signal = decisions.signals(known, known.train if cross_fitted else ())
    table = decisions.table(known, chosen, signal)
    return table[list(contract.THRESHOLDS.names)]


def _domain(parts: Parts) -> domain.Domain:
    division = parts.division
    train = (division["set"] == Set.TRAIN).to_numpy()
    fold = division["fold"].to_numpy(dtype=np.int64, na_value=0)[train]
    embeddings = np.load(parts.embeddings, mmap_mode="r", allow_pickle=False)
    by_member = {
        member: embeddings[position][train] for position, member in enumerate(parts.weights)
    }
    return domain.fit(by_member, fold)


def listed(folder: Path) -> dict[str, BundledFile]:
    """Return hash and size of every file below a folder but the manifest, by path."""
    files = {
        path.relative_to(folder).as_posix(): path
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    return {
        name: BundledFile(sha256=fingerprints.file_hash(path), bytes=path.stat().st_size)
        for name, path in files.items()
        if name != contract.MANIFEST
    }


def _manifest(
    parts: Parts, config: StudyConfig, logs: Path, files: Mapping[str, BundledFile]
) -> Manifest:
    training = parts.training
    described = Manifest(
        format=FORMAT,
        thyrocast=thyrocast.__version__,
        contract=contract_files.VERSION,
        code=fingerprints.workflow_version(),
        commit=fingerprints.commit(),
        config=public(config),
        parent=None,
        members=list(parts.weights),
        outcomes=config.outcomes.value,
        simulated=bool(training["simulated"].fillna(False).any()),
        preprocessing=Preprocessing(
            image=config.image.plain(),
            gland_network=gland_network.WEIGHTS_SHA256,
            encoder=encoder.WEIGHTS_SHA256,
            code=fingerprints.code_version("standardize_images"),
        ),
        files=dict(files),
        training_cohort=reference.training_cohort(training, config.evaluation.minimum_count),
        versions=training_versions(logs),
        hash="0" * 64,
    )
    return sealed(described)


def sealed(manifest: Manifest) -> Manifest:
    """Return a manifest with the hash of its content."""
    return manifest.model_copy(
        update={"hash": bundles.whole_hash(manifest.model_dump(mode="json", by_alias=True))}
    )


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
