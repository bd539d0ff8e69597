"""A small locked model, and ways to tamper with it as somebody who can compute hashes would."""

import dataclasses
import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import safetensors.numpy

import fit_signature
from tests.unit.signature import example_split
from thyrocast.config.study import StudyConfig
from thyrocast.contract import evaluation, io
from thyrocast.contract.cohort import COHORT
from thyrocast.contract.names import Design
from thyrocast.contract.splits import LOGITS, PREDICTIONS, SPLITS
from thyrocast.errors import InputError
from thyrocast.locked import bundle, verify
from thyrocast.planning import bundles

FOREST, SIGNATURE = "signature/forest.skops", "signature/model.json"
NAMES = [
    "manifest.json", "network/fold-1/weights.safetensors", SIGNATURE, FOREST, "thresholds.csv",
    "reference.csv", "ranges.csv", "domain.safetensors", "model_card.xml", "LICENSE.txt",
]  # fmt: skip
CONFIG = {
    "study": "example",
    "designs": ["external"],
    "image": {"size": 64},
    "network": {"architecture": "compact"},  # embeddings of as many features as those of the split
    "evaluation": {"minimum_count": {"patients": 5, "outcomes": 2}},
    "centers": [
        {
            "name": "north",
            "role": "development",
            "dicom": "secret/dicom",
            "clinical": "secret/table.csv",
            "columns": {"patient": "id", "outcome": "result"},
            "outcome": {"rule": "given", "cured": [1], "not_cured": [0]},
            "eligibility": {"all_rows": True},
        }
    ],
}


def study(folder: Path) -> bundle.Parts:
    """Fit the models of a small split, and return the parts of its locked model."""
    example_split.study(folder, n=60, n_test=10, folds=3)
    splits = io.read(SPLITS, folder / "splits.csv")
    splits = splits[splits["split"] == "north"].assign(design="external", split="all")
    io.write(SPLITS, splits, folder / "splits.csv")
    cohort = io.read(COHORT, folder / "cohort.csv")
    n = np.arange(len(cohort))
    cohort = cohort.assign(
        pixel_mm=np.where(n % 2, 2.2, 2.4), q_gross_counts=20_000.0 + 100 * n, simulated=True
    ).assign(sex=pd.Series(np.where(n % 3, "female", "male"), dtype="str"))
    io.write(COHORT, cohort, folder / "cohort.csv")
    fit_signature.run(
        cohort=folder / "cohort.csv",
        splits=folder / "splits.csv",
        embeddings=folder / "embeddings.npy",
        network=folder / "network.csv",
        folder=folder / "signature",
        predictions=folder / "predictions.csv",
        member_predictions=folder / "member_predictions.csv",
        design=Design.EXTERNAL,
        split="all",
        config=example_split.config(heads=["ridge"], forest={"trees": 10, "smallest_leaf": [5]}),
        seed=1,
    )
    weights = {}
    for member in pd.unique(
        io.read(LOGITS, folder / "network.csv").sort_values("member")["member"]
    ):
        weights[str(member)] = folder / str(member) / "weights.safetensors"
        weights[str(member)].parent.mkdir()
        tensors = {"fc.weight": np.full((1, example_split.FEATURES), len(weights), np.float32)}
        safetensors.numpy.save_file(tensors, weights[str(member)], {"thyrocast": "{}"})
    if "full" in weights:  # the order of the embeddings
        weights = {"full": weights.pop("full"), **weights}
    return bundle.Parts(
        weights=weights,
        model=folder / "signature" / "model.json",
        forest=folder / "signature" / "forest.skops",
        embeddings=folder / "embeddings.npy",
        cohort=cohort,
        splits=splits,
        predictions=io.read(PREDICTIONS, folder / "predictions.csv"),
        performance=io.empty(evaluation.PERFORMANCE),
    )


def lock(
    parts: bundle.Parts, folder: Path, architecture: str = "compact", **changes: object
) -> Path:
    """Write the locked model of the parts, of which some are changed."""
    config = StudyConfig.read(CONFIG | {"network": {"architecture": architecture}})
    bundle.lock(dataclasses.replace(parts, **changes), config, folder.parent / "logs", folder)
    return folder


def copy(model: Path, folder: Path) -> Path:
    """Copy a locked model, to tamper with it."""
    return Path(shutil.copytree(model, folder))


def replace(model: Path, name: str, content: bytes) -> None:
    """Put a file into a locked model, with all hashes as if it had always been there."""
    (model / name).write_bytes(content)
    edit(
        model, files={name: {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}}
    )


def edit(model: Path, files: dict[str, object] | None = None, **changes: object) -> None:
    """Change keys of the manifest, with the hash of the whole."""
    path = model / "manifest.json"
    manifest = json.loads(path.read_text()) | changes
    manifest["files"] |= files or {}
    manifest["hash"] = bundles.whole_hash(manifest)
    path.write_text(json.dumps(manifest))


def refused(model: Path, *words: str) -> None:
    """The model is refused with these words, and nothing is left of its copy."""
    target = model.parent / "copy"
    with pytest.raises(InputError) as error:
        verify.unpack(model, target)
    for word in words:
        assert word in str(error.value)
    assert not target.exists()


def accepted(model: Path) -> None:
    verify.unpack(model, model.parent / "copy")
