"""The locked model contains what prediction needs, and its manifest says where it came from."""

import json
from pathlib import Path

import pandas as pd
import pytest
import xmlschema

from tests.unit.locked import example_bundle
from thyrocast.config.study import StudyConfig
from thyrocast.contract import deployment, documents, io
from thyrocast.contract.manifest import Manifest, TrainingPatients
from thyrocast.locked import bundle, card, reference
from thyrocast.planning.fingerprints import file_hash

SCHEMA = Path(__file__).parents[2] / "reference" / "model_card" / "schema.xsd"


def files(folder: Path) -> dict[str, bytes]:
    return {
        f.relative_to(folder).as_posix(): f.read_bytes() for f in folder.rglob("*") if f.is_file()
    }


def test_it_has_what_prediction_needs_and_nothing_else(parts: bundle.Parts, locked: Path) -> None:
    manifest = documents.read(Manifest, locked / "manifest.json")
    assert set(manifest.files) == deployment.contents(parts.weights)
    assert set(files(locked)) == {*manifest.files, "manifest.json"}
    for name, listed in manifest.files.items():
        assert file_hash(locked / name) == listed.sha256
    assert manifest.members == list(parts.weights)
    assert manifest.simulated
    # neither a patient nor a path of a center
    everything = b"".join(files(locked).values())
    assert b"north-0" not in everything
    assert b"secret" not in everything


def test_built_twice_it_has_the_same_bytes(
    parts: bundle.Parts, locked: Path, tmp_path: Path
) -> None:
    again = tmp_path / "elsewhere"
    (again / "network" / "fold-9").mkdir(parents=True)
    (again / "network" / "fold-9" / "weights.safetensors").write_text("of an earlier model")
    example_bundle.lock(parts, again)
    assert files(again) == files(locked)


def test_its_hash_is_that_of_the_whole(locked: Path, model: Path) -> None:
    before = json.loads((locked / "manifest.json").read_text())
    example_bundle.edit(model, commit="another")
    assert json.loads((model / "manifest.json").read_text())["hash"] != before["hash"]


def test_thresholds_are_those_of_the_evaluation(parts: bundle.Parts, locked: Path) -> None:
    table = io.read(deployment.THRESHOLDS, locked / "thresholds.csv")
    assert set(table["rule"]) == {"net_benefit", "youden"}
    assert set(table["model"]) == set(parts.predictions["model"])
    assert (table.loc[table["rule"] == "net_benefit", "threshold"] == 0.6).all()


def test_small_cells_are_hidden_and_cannot_be_derived() -> None:
    assert reference.shown({"a": 30, "b": 12, "c": 2}, 5) == {"a"}
    assert reference.shown({"a": 30, "b": 12, "c": 5}, 5) == {"a", "b", "c"}
    assert reference.shown({"a": 30, "b": 3, "c": 2}, 5) == {"a"}
    assert reference.shown({"a": 3}, 5) == set()


def test_the_training_cohort_hides_small_numbers() -> None:
    centers = ["a"] * 30 + ["b"] * 12 + ["c"] * 20 + ["d"] * 2
    cured = [1] * 20 + [0] * 10 + [1] * 6 + [0] * 6 + [1] * 19 + [0] + [1, 0]
    table = pd.DataFrame({"center": centers, "outcome": pd.array(cured, dtype="Int64")})
    least = StudyConfig.read(example_bundle.CONFIG).evaluation.minimum_count
    assert reference.training_cohort(table, least) == {
        "a": TrainingPatients(patients=30, cured=20),
        "b": TrainingPatients(patients=None, cured=None),
        "c": TrainingPatients(patients=20, cured=None),
        "d": TrainingPatients(patients=None, cured=None),
    }


def test_the_reference_has_no_value_of_few_patients(locked: Path) -> None:
    table = io.read(deployment.REFERENCE, locked / "reference.csv").set_index(["variable", "level"])
    assert {"q_mass", "p_uptake"} <= {*table.index.get_level_values("variable")}
    assert table.loc[("sex", "female"), "n"] + table.loc[("sex", "male"), "n"] == 60
    counts = table.loc[("q_gross_counts", "")]
    # 5 % of 60 patients are 3, fewer than 5
    assert pd.isna(counts["q05"])
    assert counts["q25"] < counts["q50"] < counts["q75"]
    limits = io.read(deployment.RANGES, locked / "ranges.csv").set_index("variable")
    assert limits.loc["pixel_mm", "low"] == pytest.approx(2.2 / 1.05)
    assert limits.loc["pixel_mm", "high"] == pytest.approx(2.4 * 1.05)


def test_outside_of_the_training_range() -> None:
    limits = pd.DataFrame(
        {"variable": ["pixel_mm", "q_snr"], "low": [2.0, 5.0], "high": [3.0, 50.0]}
    )
    patients = pd.DataFrame({"pixel_mm": [2.5, 4.0, None], "q_snr": [4.0, 51.0, 6.0]})
    assert reference.outside(patients, limits) == [["q_snr"], ["pixel_mm", "q_snr"], []]


@pytest.mark.parametrize("changes", [{}, {"model_card": {"developer": "A & B <\x00 ]]>"}}])
def test_the_model_card_is_valid(parts: bundle.Parts, locked: Path, changes: dict) -> None:
    manifest = documents.read(Manifest, locked / "manifest.json")
    config = StudyConfig.read(example_bundle.CONFIG | changes)
    text = card.card(config, manifest, parts.performance)
    xmlschema.XMLSchema(SCHEMA).validate(text.decode())


def test_versions_are_those_that_trained_the_model(tmp_path: Path) -> None:
    for job, torch in (("external/all/full", "2.14.1"), ("loco/a/full", "2.0.0")):
        file = tmp_path / "train_network" / f"{job}.log"
        file.parent.mkdir(parents=True)
        file.write_text(f"now [job] INFO versions {json.dumps({'torch': torch})}\n")
    assert bundle.training_versions(tmp_path)["train_network"] == {"torch": "2.14.1"}
