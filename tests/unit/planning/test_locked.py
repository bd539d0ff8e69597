"""A study that applies a locked model has the model's settings, and may not contradict them."""

import json
from pathlib import Path

import pytest

from tests.unit.locked import example_bundle
from thyrocast.config.reading import read_study
from thyrocast.contract import deployment
from thyrocast.errors import InputError
from thyrocast.planning import bundles, locked

CENTER = {
    "name": "west",
    "role": "external",
    "dicom": "dicom",
    "clinical": "table.csv",
    "columns": {"patient": "id", "outcome": "result"},
    "outcome": {"rule": "given", "cured": [1], "not_cured": [0]},
    "eligibility": {"all_rows": True},
}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A folder with the manifest of a locked model, and files that nobody reads here."""
    trained = read_study(
        example_bundle.CONFIG
        | {
            "seed": 7,
            "folds": 3,
            "network": {"epochs": 9, "weights": "w.safetensors", "sha256": "0" * 64},
        }
    ).plain()
    manifest = {
        "format": 1,
        "thyrocast": "0.2.0",
        "contract": 2,
        "code": "c",
        "commit": "",
        "config": trained,
        "parent": None,
        "members": ["fold-1", "fold-2"],
        "outcomes": "observed",
        "simulated": True,
        "preprocessing": {
            "image": trained["image"],
            "gland_network": "0" * 64,
            "encoder": "0" * 64,
            "code": "x",
        },
        "files": {},
        "training_cohort": {},
        "versions": {},
    }
    folder = tmp_path / "model"
    for name in deployment.contents(manifest["members"]):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
        manifest["files"][name] = {"sha256": "0" * 64, "bytes": 0}
    manifest["hash"] = bundles.whole_hash(manifest)
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def study(model: Path, **changes: object) -> object:
    return read_study({"study": "applied", "model": str(model), "centers": [CENTER]} | changes)


def test_settings_are_those_of_the_model(model: Path) -> None:
    found, manifest = locked.applied(study(model, network={"gpus": 2}))
    assert manifest is not None
    assert manifest.members == ["fold-1", "fold-2"]
    assert found.image.size == 64
    assert (found.network.epochs, found.network.gpus) == (9, 2)
    assert (found.seed, found.folds) == (7, 3)
    # the site decides which small numbers it reports
    assert found.evaluation.minimum_count.patients == 10
    assert found.splits() == {"external": ["all"]}
    assert found.members() == []
    assert not found.lock_model
    # the jobs of a run read the completed config again
    assert locked.applied(read_study(found.plain()))[0] == found


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"image": {"size": 128}}, "image.size"),
        ({"image": {"field_mm": 150.0}}, "image.field_mm"),
        ({"signature": {"penalties": 7}}, "signature.penalties"),
        ({"network": {"epochs": 5}}, "network.epochs"),
        ({"evaluation": {"threshold": {"rule": "youden"}}}, "evaluation.threshold.rule"),
        ({"evaluation": {"decision": {"reference": 0.7}}}, "evaluation.decision.reference"),
        ({"designs": ["holdout"]}, "designs"),
    ],
)
def test_other_settings_are_refused(model: Path, changes: dict, key: str) -> None:
    with pytest.raises(InputError, match=f"key {key}"):
        locked.applied(study(model, **changes))


def test_a_model_of_before_a_key_was_removed_is_read(model: Path) -> None:
    manifest = json.loads((model / "manifest.json").read_text())
    manifest["config"]["evaluation"]["summaries"] = []
    manifest["hash"] = bundles.whole_hash(manifest)
    (model / "manifest.json").write_text(json.dumps(manifest))
    assert locked.applied(study(model))[1] is not None


def test_the_same_settings_may_be_stated(model: Path) -> None:
    assert locked.applied(study(model, image={"size": 64}))[0].image.size == 64


def test_paths_of_the_site_are_no_settings_of_the_model(model: Path) -> None:
    """The model names its initial weights by their file, and the folder of pretrained networks not at all."""
    network = {
        "weights": "/data/w.safetensors",
        "sha256": "0" * 64,
        "simulation": {"folder": "/data/pretrained"},
    }
    found = locked.applied(study(model, network=network))[0]
    assert found.network.simulation.folder == "/data/pretrained"
    assert locked.applied(read_study(found.plain()))[0] == found
    with pytest.raises(InputError, match="key network.weights is other.safetensors"):
        locked.applied(study(model, network=network | {"weights": "/data/other.safetensors"}))


def test_nobody_is_trained_on(model: Path) -> None:
    with pytest.raises(InputError, match="west.*role|role.*west|nothing is trained"):
        study(model, centers=[CENTER | {"role": "development"}])


def test_a_study_without_a_model_is_as_it_is() -> None:
    given = read_study(example_bundle.CONFIG)
    assert locked.applied(given) == (given, None)


def test_a_missing_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nowhere"):
        locked.applied(study(tmp_path / "nowhere"))
