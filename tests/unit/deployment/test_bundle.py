"""The locked model contains what prediction needs, and its manifest says where it came from."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from thyrocast.contract import documents
from thyrocast.deployment import bundle
from thyrocast.planning.fingerprints import file_hash


@pytest.fixture
def parts(tmp_path: Path) -> bundle.Parts:
    signature = tmp_path / "signature"
    signature.mkdir()
    (signature / "model.json").write_text("{}")
    thresholds = tmp_path / "thresholds.csv"
    thresholds.write_text("threshold\n")
    weights = {}
    for member in ("full", "fold-1"):
        weights[member] = tmp_path / member / "weights.safetensors"
        weights[member].parent.mkdir()
        weights[member].write_text(member)
    return bundle.Parts(weights, [signature / "model.json"], thresholds)


COHORT = pd.DataFrame(
    {
        "patient": ["a-1", "a-2", "b-1", "c-1"],
        "center": ["a", "a", "b", "c"],
        "outcome": pd.array([1, 0, 1, 1], dtype="Int64"),
    }
)
SPLITS = pd.DataFrame(
    {
        "design": ["external"] * 4 + ["loco"],
        "set": ["train", "train", "train", "test", "train"],
        "patient": ["a-1", "a-2", "b-1", "c-1", "c-1"],
        "fold": np.nan,
    }
)


def test_the_bundle_has_the_model_and_nothing_of_an_earlier_one(
    parts: bundle.Parts, tmp_path: Path
) -> None:
    folder = tmp_path / "files"
    (folder / "network" / "fold-7").mkdir(parents=True)
    bundle.lock(parts, COHORT, SPLITS, {}, tmp_path / "logs", folder, tmp_path / "manifest.json")
    manifest = documents.read(documents.Manifest, tmp_path / "manifest.json")
    assert set(manifest.files) == {
        "network/full/weights.safetensors",
        "network/fold-1/weights.safetensors",
        "signature/model.json",
        "thresholds.csv",
    }
    for name, sha256 in manifest.files.items():
        assert file_hash(folder / name) == sha256
    assert not (folder / "network" / "fold-7").exists()


def test_the_training_cohort_is_that_of_the_external_design() -> None:
    assert bundle.training_cohort(COHORT, SPLITS) == {
        "a": documents.TrainingPatients(patients=2, cured=1),
        "b": documents.TrainingPatients(patients=1, cured=1),
    }


def test_versions_are_those_that_trained_the_model(tmp_path: Path) -> None:
    for job, torch in (("external/all/full", "2.14.1"), ("loco/a/full", "2.0.0")):
        file = tmp_path / "train_network" / f"{job}.log"
        file.parent.mkdir(parents=True)
        file.write_text(f"now [job] INFO versions {json.dumps({'torch': torch})}\n")
    assert bundle.training_versions(tmp_path)["train_network"] == {"torch": "2.14.1"}
