"""A wrong config stops with one message that names center, key or column, and what was expected."""

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from thyrocast.config import reading as config
from thyrocast.errors import InputError
from thyrocast.planning import study

ROOT = Path(__file__).resolve().parents[3]
SCHEMA = config.load_schema()


@pytest.fixture
def given(tmp_path: Path) -> dict[str, Any]:
    """The smallest study that is right, with its files."""
    centers = []
    for name in ("north", "south"):
        folder = tmp_path / name / "dicom"
        folder.mkdir(parents=True)
        (folder / "scan").write_bytes(b"x")
        (tmp_path / name / "table.csv").write_text("ID;Ergebnis\n1;ja\n2;nein\n")
        centers.append(
            {
                "name": name,
                "role": "development",
                "dicom": str(folder),
                "clinical": str(tmp_path / name / "table.csv"),
                "columns": {"patient": "ID", "outcome": "Ergebnis"},
                "outcome": {"rule": "given", "cured": ["ja"], "not_cured": ["nein"]},
            }
        )
    return {"study": "test", "centers": centers}


def check(given: dict[str, Any]) -> dict[str, Any]:
    filled = config.complete(given, SCHEMA)
    study.check_inputs(filled)
    return filled


def test_defaults_are_filled_in_and_the_given_config_is_left_alone(given: dict[str, Any]) -> None:
    before = copy.deepcopy(given)
    filled = check(given)
    assert given == before
    assert filled["image"]["size"] == 224
    assert filled["network"]["early_stopping"]["patience"] == 15
    assert filled["centers"][0]["identifiers"]["zero_pad"] == 0
    assert config.complete(filled, SCHEMA) == filled


def put(path: str, value: Any) -> Any:
    def change(given: dict[str, Any]) -> None:
        *above, last = path.split("/")
        node: Any = given
        for key in above:
            node = node[int(key)] if isinstance(node, list) else node.setdefault(key, {})
        node[last] = value

    return change


def take(path: str) -> Any:
    def change(given: dict[str, Any]) -> None:
        *above, last = path.split("/")
        node: Any = given
        for key in above:
            node = node[int(key)] if isinstance(node, list) else node[key]
        del node[last]

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (put("sede", 3), "config: unknown key 'sede': did you mean 'seed'?"),
        (put("centers/1/collumns", {}), "center south: unknown key 'collumns': did you mean 'columns'?"),
        (put("network/epoch", 3), "key network: unknown key 'epoch': did you mean 'epochs'?"),
        (put("centers/0/columns/agee", "x"), "center north, key columns: unknown key 'agee'"),
        (put("network/epochs", "ten"), "key network.epochs: 'ten' is not valid, expected a whole number"),
        (put("network/epochs", 0), "key network.epochs: 0 is out of range, expected at least 1"),
        (put("centers/1/role", "training"), "center south, key role: 'training' is unknown, expected one of development, external, prospective"),
        (put("centers/1/name", "north"), "center north: two centers have this name"),
        (put("centers/1/name", "a/b"), "center a/b, key name: 'a/b' is not valid, expected text"),
        (put("study", "../x"), "key study: '../x' is not valid"),
        (take("centers/0/dicom"), "center north: missing 'dicom', which has no default"),
        (take("centers/0/columns/patient"), "center north, key columns: missing 'patient'"),
        (put("centers", []), "key centers: is empty"),
        (put("centers/0/dicom", "nowhere"), "center north, key dicom: there is no folder nowhere"),
        (put("centers/0/clinical", "nowhere.csv"), "center north, key clinical: there is no file nowhere.csv"),
        (put("centers/1/columns/age", "Alter"), "center south, key columns.age: table .* has no column 'Alter', expected one of 'ID', 'Ergebnis'"),
        (put("network/weights", "nowhere.pth"), "key network.weights: there is no file nowhere.pth"),
        (put("centers/1/name", "all"), "center all, key name: `all` stands for all splits together"),
        (put("centers/1/outcome/second_treatment", "Zweite"), "center south, key outcome.second_treatment: table .* has no column 'Zweite'"),
        (put("evaluation/threshold", {"rule": "sensitivity"}), "key evaluation.threshold.target: missing, expected a number from 0 to 1 for rule sensitivity"),
        (put("evaluation/threshold", {"rule": "fixed", "target": 60}), "key evaluation.threshold.target: is 60, expected a number from 0 to 1"),
        (put("evaluation/decision", {"clinical": [0.8, 0.5]}), "key evaluation.decision.clinical: goes from 0.8 to 0.5"),
        (put("evaluation/comparators", [{"name": "doctor", "table": __file__}]), "key evaluation.comparators, doctor: .* has no column 'patient'"),
        (put("designs", ["jackknife"]), "key designs.0: 'jackknife' is unknown, expected one of holdout, kfold, loco, external"),
    ],
)  # fmt: skip
def test_faults_name_place_and_expectation(
    given: dict[str, Any], change: Any, message: str
) -> None:
    change(given)
    with pytest.raises(InputError, match=message):
        check(given)


def test_every_fault_is_told_at_once(given: dict[str, Any]) -> None:
    given["sede"] = 1
    given["centers"][0]["rolle"] = "x"
    given["network"] = {"epochs": -1}
    with pytest.raises(InputError) as caught:
        check(given)
    assert len(str(caught.value).strip().splitlines()) == 3


def test_center_without_patients(given: dict[str, Any]) -> None:
    Path(given["centers"][1]["clinical"]).write_text("ID;Ergebnis\n")
    with pytest.raises(InputError, match="center south, column 'ID': no patient in table"):
        check(given)


def test_center_without_files(given: dict[str, Any]) -> None:
    (Path(given["centers"][1]["dicom"]) / "scan").unlink()
    with pytest.raises(InputError, match="center south, key dicom: folder .* holds no files"):
        check(given)


def test_nobody_to_learn_from(given: dict[str, Any]) -> None:
    for center in given["centers"]:
        center["role"] = "external"
    with pytest.raises(InputError, match="no center has the role development"):
        check(given)


def test_leaving_the_only_center_out(given: dict[str, Any]) -> None:
    given["centers"][1]["role"] = "external"
    with pytest.raises(
        InputError, match="loco leaves one development center out, but north is the only"
    ):
        check(given)


def test_a_key_said_twice_is_refused(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("seed: 1\nstudy: a\nseed: 2\n")
    with pytest.raises(InputError, match="key 'seed' stands on line 1 and again on line 3"):
        config.check_file(tmp_path / "c.yaml")
    (tmp_path / "d.yaml").write_text("seed: [1\n")
    with pytest.raises(InputError, match="is not valid YAML"):
        config.check_file(tmp_path / "d.yaml")


def keys(schema: dict[str, Any], path: str = "") -> list[tuple[str, dict[str, Any], bool]]:
    found = []
    for key, part in schema.get("properties", {}).items():
        found.append((f"{path}{key}", part, key in schema.get("required", [])))
        found += keys(part, f"{path}{key}.")
        if isinstance(part.get("items"), dict):
            found += keys(part["items"], f"{path}{key}[].")
    return found


def test_every_key_is_described_and_has_a_default_or_is_needed() -> None:
    for name, part, _ in keys(SCHEMA):
        assert str(part.get("description", "")).strip(), f"{name} has no description"


def test_every_block_refuses_unknown_keys() -> None:
    for name, part, _ in [("config", SCHEMA, True), *keys(SCHEMA)]:
        for block in (part, part.get("items")):
            if isinstance(block, dict) and "properties" in block:
                assert block.get("additionalProperties") is False, name


def test_defaults_fit_their_own_schema(given: dict[str, Any]) -> None:
    filled = config.complete(given, SCHEMA)
    for block in ("cohort", "image", "network", "signature", "explanation", "evaluation"):
        assert filled[block], block


def test_reference_is_in_step_with_the_schema() -> None:
    written = (ROOT / "config" / "README.md").read_text(encoding="utf-8")
    assert written == config.reference(SCHEMA), "run `make config-docs`"


@pytest.mark.parametrize("file", sorted((ROOT / "config").glob("*.yaml")), ids=lambda f: f.name)
def test_example_configs_fit_the_schema(file: Path) -> None:
    config.check_file(file)
    config.complete(yaml.safe_load(file.read_text(encoding="utf-8")), SCHEMA)
