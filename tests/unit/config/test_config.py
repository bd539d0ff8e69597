"""A wrong config stops with one message that names center, key or column, and what was expected."""

import copy
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import yaml

from thyrocast.config import reading as config
from thyrocast.config.center import CenterConfig
from thyrocast.config.evaluation import EvaluationConfig
from thyrocast.errors import InputError
from thyrocast.planning import study

ROOT = Path(__file__).resolve().parents[3]
CONFIGS = sorted((ROOT / "config").glob("*.yaml"))


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
    filled = config.read_study(given)
    study.check_inputs(filled)
    return filled.plain()


def test_defaults_are_filled_in_and_the_given_config_is_left_alone(given: dict[str, Any]) -> None:
    before = copy.deepcopy(given)
    filled = check(given)
    assert given == before
    assert filled["image"]["size"] == 224
    assert filled["network"]["early_stopping"]["patience"] == 15
    assert filled["centers"][0]["identifiers"]["zero_pad"] == 0
    assert config.read_study(filled).plain() == filled


def put(path: str, value: Any) -> Any:
    def change(given: dict[str, Any]) -> None:
        *above, last = path.split("/")
        node: Any = given
        for key in above:
            node = node[int(key)] if isinstance(node, list) else node.setdefault(key, {})
        node[int(last) if isinstance(node, list) else last] = value

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
        (put("pseudonym_key", ""), "key pseudonym_key: '' is a folder, expected a file"),
        (put("pseudonym_key", "/"), "key pseudonym_key: '/' is a folder, expected a file"),
        (put("centers/0/views", {"anterior": [""]}), "center north, key views.anterior.0: '' matches every description, expected words"),
        (put("centers/0/views", {"other": ["post|"]}), r"center north, key views.other.0: 'post\|' matches every description"),
        (put("centers/0/dicom", "nowhere"), "center north, key dicom: there is no folder nowhere"),
        (put("centers/0/clinical", "nowhere.csv"), "center north, key clinical: there is no file nowhere.csv"),
        (put("centers/1/columns/age", "Alter"), "center south, key columns.age: table .* has no column 'Alter', expected one of 'ID', 'Ergebnis'"),
        (put("network", {"weights": "nowhere.pth", "sha256": "0" * 64}), "key network.weights: there is no file nowhere.pth"),
        (put("centers/1/name", "all"), "center all, key name: `all` means all splits together"),
        (put("centers/1/outcome/second_treatment", "Zweite"), "center south, key outcome.second_treatment: table .* has no column 'Zweite'"),
        (put("evaluation/threshold", {"rule": "sensitivity"}), "key evaluation.threshold.target: missing, expected a number from 0 to 1 for rule sensitivity"),
        (put("evaluation/threshold", {"rule": "fixed", "target": 60}), "key evaluation.threshold.target: is 60, expected a number from 0 to 1"),
        (put("evaluation/decision", {"clinical": [0.8, 0.5]}), "key evaluation.decision.clinical: is a range from 0.8 to 0.5"),
        (put("evaluation/external_predictions", [{"name": "doctor", "table": str(ROOT / "tests" / "reference" / "statistics" / "meta.csv")}]), "key evaluation.external_predictions, doctor: .* has no column 'patient'"),
        (put("designs", ["jackknife"]), "key designs.0: 'jackknife' is unknown, expected one of holdout, kfold, loco, temporal, external"),
        (put("designs", ["temporal"]), "key designs: temporal needs dates of therapy, but no development center names its column `therapy_date`"),
        (put("temporal", {"cut": "2019-02-30"}), "key temporal.cut: is '2019-02-30', which is no date"),
        (put("temporal", {"cut": "May 2019"}), "key temporal.cut: 'May 2019' is not valid, expected text: a date such as 2019-01-01"),
        (put("folds_by", "center"), r"key folds_by: is center, but a training set has only \d centers, expected at least 5"),
        # types: text is not a number, true is not an integer, and so on
        (put("centers/1/missing", [999]), r"center south, key missing.0: 999 is not valid, expected text \(put it in quotes"),
        (put("centers/1/fallbacks", {"pixel_mm": "2"}), "center south, key fallbacks.pixel_mm: '2' is not valid, expected a number or nothing"),
        (put("centers/0/accept", {"lossy": "no"}), "center north, key accept.lossy: 'no' is not valid, expected true or false"),
        (put("network/threads", True), "key network.threads: true is not valid, expected a whole number"),
        (put("network/epochs", 3.0), "key network.epochs: 3.0 is not valid, expected a whole number"),
        (put("network/learning_rate", "1e-3"), r"key network.learning_rate: '1e-3' is not valid, expected a number \(with an exponent YAML needs a decimal point"),
        (put("evaluation/confidence", float("nan")), "key evaluation.confidence: nan is not valid, expected a finite number"),
        (put("image/max_area_cm2", float("inf")), "key image.max_area_cm2: inf is not valid"),
        (put("seed", 10**30), "key seed: is too large a number"),
        (put("network", None), "key network: an empty value is not valid, expected a block of keys"),
        (put("centers/1", 3), "center number 2: 3 is not valid, expected a block of keys"),
        (put("centers", {"north": {}}), "key centers: .* is not valid, expected a list"),
        (put("cohort/scan_window_days", [3]), r"key cohort.scan_window_days: \[3\] is not valid, expected a list of 2 whole numbers"),
        (put("cohort/scan_window_days", [1, 2, 3]), "key cohort.scan_window_days: .* expected a list of 2 whole numbers"),
        (put("signature/forest", {"smallest_leaf": []}), "key signature.forest.smallest_leaf: is empty, expected at least 1"),
        (put("signature/forest", {"smallest_leaf": [3, 3]}), "key signature.forest.smallest_leaf: contains 3 twice"),
        (put("evaluation/subgroups", {"agee": []}), "key evaluation.subgroups: unknown key 'agee': did you mean 'age'"),
        (put("evaluation/subgroups", {"age": [1, 2, 3, 4, 5, 6]}), "key evaluation.subgroups.age: has 6 values, expected at most 5"),
        (put("centers/0/outcome/cured", [1.5]), "center north, key outcome.cured.0: 1.5 is not valid, expected text, a whole number or true or false"),
        (put("centers/0/codes", {"sex": {"w": "woman"}}), "center north, key codes.sex.w: 'woman' is unknown, expected one of female, male, other"),
        (put("centers/0/views", {"anterior": ["("]}), r"center north, key views.anterior.0: '\(' is not a regular expression: missing \)"),
        # combinations
        (put("centers/1/name", "North"), "center North: two centers have this name"),
        (take("centers/1/outcome"), "center south, key outcome: missing, expected an outcome rule"),
        (put("centers/1/outcome", {"rule": "followup"}), "center south, key outcome.visits: is empty"),
        (put("centers/1/outcome", {"rule": "followup", "visits": [{"date": "d"}]}), "center south, key columns.therapy_date: missing"),
        (take("centers/1/columns/outcome"), "center south, key columns.outcome: missing, expected the column"),
        (put("centers/1/outcome/cured", []), "center south, key outcome.cured: is empty, expected at least one code each"),
        (put("centers/1/outcome/cured", ["NEIN "]), "center south, key outcome: code 'nein' means cured and not cured"),
        (put("centers/1/outcome/states", {"e": "euthyroid", "E": "hypothyroid"}), "center south, key outcome.states: the codes 'e' and 'E' are the same code"),
        (put("network", {"weights": "a.pth"}), "key network.sha256: missing, expected the SHA-256 of 'a.pth'"),
        (put("network", {"pretraining": "simulation", "weights": "a.pth", "sha256": "0" * 64}), "key network.weights: 'a.pth', expected random: pretraining is simulation"),
        (put("network", {"architecture": "compact", "weights": "a.pth", "sha256": "0" * 64}), "key network.weights: 'a.pth', expected random: files are read for resnet50 only"),
        (put("image", {"min_area_cm2": 200}), r"key image.min_area_cm2: is 200, expected less than max_area_cm2 \(150\)"),
        (put("cohort/scan_window_days", [9, 3]), "key cohort.scan_window_days: is a range from 9 to 3, expected the smaller number first"),
        (put("evaluation/decision", {"range": [0.5, 0.5]}), "key evaluation.decision.range: contains 0.5 twice"),
        (put("evaluation/external_predictions", [{"name": "network", "table": "t"}]), "key evaluation.external_predictions.0.name: 'network' is the name of one of the study's own models"),
        (put("evaluation/external_predictions", [{"name": "a", "table": "t"}, {"name": "a", "table": "u"}]), "key evaluation.external_predictions.1.name: 'a' is the name of two external predictions"),
        (put("evaluation/comparators", []), "key evaluation: unknown key 'comparators': it is now called 'external_predictions'"),
        (put("designs", ["loco", "loco"]), "key designs: contains 'loco' twice"),
    ],
)  # fmt: skip
def test_faults_name_place_and_expectation(
    given: dict[str, Any], change: Any, message: str
) -> None:
    change(given)
    with pytest.raises(InputError, match=message):
        check(given)


def test_every_fault_is_reported_at_once(given: dict[str, Any]) -> None:
    given["sede"] = 1
    given["centers"][0]["rolle"] = "x"
    given["network"] = {"epochs": -1}
    with pytest.raises(InputError) as caught:
        check(given)
    assert len(str(caught.value).strip().splitlines()) == 3


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_external_predictions_are_found_in_any_table(
    given: dict[str, Any], tmp_path: Path, delimiter: str, encoding: str
) -> None:
    table = tmp_path / "doctor.csv"
    text = "\npatient,probability\na,0.5\n".replace(",", delimiter)
    table.write_text(text, encoding=encoding)
    given["evaluation"] = {"external_predictions": [{"name": "doctor", "table": str(table)}]}
    check(given)
    table.write_text("")
    with pytest.raises(InputError, match="external_predictions, doctor: table .* is empty"):
        check(given)


def test_external_predictions_are_found_in_a_workbook(
    given: dict[str, Any], tmp_path: Path
) -> None:
    book = openpyxl.Workbook()
    book.active.append(["patient", "probability"])
    book.active.append(["a", 0.5])
    book.save(tmp_path / "doctor.xlsx")
    external = {"name": "doctor", "table": str(tmp_path / "doctor.xlsx")}
    given["evaluation"] = {"external_predictions": [external]}
    check(given)


@pytest.mark.parametrize(("text", "value"), [("010", 8), ("1:30", 90), ("-007", -7)])
def test_a_number_that_yaml_reads_as_another_is_refused(
    tmp_path: Path, text: str, value: int
) -> None:
    """A code of a table, such as 010, must not become 8."""
    (tmp_path / "c.yaml").write_text(f"study: x\nseed: {text}\n")
    with pytest.raises(InputError, match=f"line 2: YAML reads {text} as {value}: put it in quotes"):
        config.read_file(tmp_path / "c.yaml")
    (tmp_path / "c.yaml").write_text(f"study: x\nseed: '{text}'\n")
    assert config.read_file(tmp_path / "c.yaml")["seed"] == text


def test_center_without_patients(given: dict[str, Any]) -> None:
    Path(given["centers"][1]["clinical"]).write_text("ID;Ergebnis\n")
    with pytest.raises(InputError, match="center south, column 'ID': no patient in table"):
        check(given)


def test_center_without_files(given: dict[str, Any]) -> None:
    (Path(given["centers"][1]["dicom"]) / "scan").unlink()
    with pytest.raises(InputError, match="center south, key dicom: folder .* contains no files"):
        check(given)


def test_nobody_to_learn_from(given: dict[str, Any]) -> None:
    for center in given["centers"]:
        center["role"] = "external"
    with pytest.raises(InputError, match="no center has the role development"):
        check(given)


def test_leaving_the_only_center_out(given: dict[str, Any]) -> None:
    given["centers"][1]["role"] = "external"
    with pytest.raises(
        InputError, match="loco holds out one development center, but north is the only"
    ):
        check(given)


def test_a_key_said_twice_is_refused(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("seed: 1\nstudy: a\nseed: 2\n")
    with pytest.raises(InputError, match="key 'seed' is on line 1 and again on line 3"):
        config.check_file(tmp_path / "c.yaml")
    (tmp_path / "d.yaml").write_text("seed: [1\n")
    with pytest.raises(InputError, match="is not valid YAML"):
        config.check_file(tmp_path / "d.yaml")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- 1\n", "expected a block of keys"),
        ("? [1, 2]\n: 3\n", "is not valid YAML"),
        ("day: 2024-02-31\n", "is not valid YAML"),
        ("a: " + "[" * 5000, "is not valid YAML"),
        ("a: " + "9" * 5000 + "\n", "is not valid YAML"),
        (b"study: \xff\n", "is not valid YAML"),
    ],
)
def test_a_file_that_is_no_config(tmp_path: Path, text: str | bytes, message: str) -> None:
    path = tmp_path / "c.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InputError, match=message):
        config.read_file(path)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nowhere.yaml cannot be read"):
        config.read_file(tmp_path / "nowhere.yaml")


def yaml_of(given: dict[str, Any], text: str) -> dict[str, Any]:
    """The study, its second center changed by what YAML reads in a text."""
    given["centers"][1] |= yaml.safe_load(text)
    return given


def test_codes_may_be_numbers_and_a_bare_yes_of_the_outcome_stays_true(
    given: dict[str, Any],
) -> None:
    text = "{codes: {sex: {1: female, 2: male, k.A.: null}}, outcome: {rule: given, cured: [yes, 1], not_cured: [no, 0, nein]}}"
    center = check(yaml_of(given, text))["centers"][1]
    assert center["codes"]["sex"] == {"1": "female", "2": "male", "k.A.": None}
    assert center["outcome"]["cured"] == [True, 1]
    assert center["outcome"]["cured"][0] is True
    assert center["outcome"]["not_cured"] == [False, 0, "nein"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("codes: {smoking: {yes: current}}", "center south, key codes.smoking: the key true is not text .*put it in quotes"),
        ("codes: {smoking: {null: current}}", "center south, key codes.smoking: the key null is not text"),
        ("codes: {orbitopathy: {ja: yes}}", "center south, key codes.orbitopathy.ja: true is unknown, expected one of yes, no .*put it in quotes"),
        ("codes: {sex: {1: female, '1': male}}", "center south, key codes.sex: the key '1' occurs as a number and as text"),
        ("codes: {sex: {w: female, W: male}}", "center south, key codes.sex: the codes 'w' and 'W' are the same code"),
        ("missing: [2020-01-01]", "center south, key missing.0: YAML reads 2020-01-01 as a date: put it in quotes"),
        ("missing: [!!binary aGk=]", "center south, key missing.0: a value of type bytes is not valid"),
        ("missing: &a [*a]", "a YAML alias .* makes it too large"),
        ("outcome: {rule: given, cured: [yes], not_cured: ['YES']}", "center south, key outcome: code 'yes' means cured and not cured"),
        ('name: "\\ud800"', "key name: .* contains half of a surrogate pair"),
    ],
)  # fmt: skip
def test_oddities_of_yaml(given: dict[str, Any], text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        check(yaml_of(given, text))


def test_a_block_alone_names_its_center(given: dict[str, Any]) -> None:
    block = given["centers"][0] | {"rolle": "x"}
    with pytest.raises(InputError, match="^center north: unknown key 'rolle'"):
        config.read_block(CenterConfig, block)


def test_a_prospective_center_needs_no_outcome(given: dict[str, Any]) -> None:
    given["centers"].append(
        {**given["centers"][0], "name": "west", "role": "prospective", "columns": {"patient": "ID"}}
    )
    del given["centers"][2]["outcome"]
    filled = config.read_study(given)
    assert filled.center("west").outcome is None
    assert filled.center("west").named_columns() == {"columns.patient": "ID"}
    with pytest.raises(KeyError):
        filled.center("east")


def test_columns_are_named_by_their_keys(given: dict[str, Any]) -> None:
    given["centers"][0] |= {
        "columns": {"patient": "ID", "therapy_date": "T"},
        "outcome": {
            "rule": "followup",
            "visits": [{"date": "D1", "tsh": "TSH1"}, {"months": 12, "state": "S"}],
            "second_treatment": "Z",
        },
    }
    assert config.read_study(given).center("north").named_columns() == {
        "columns.patient": "ID",
        "columns.therapy_date": "T",
        "outcome.visits[0].date": "D1",
        "outcome.visits[0].tsh": "TSH1",
        "outcome.visits[1].state": "S",
        "outcome.second_treatment": "Z",
    }


def test_blocks_do_not_change() -> None:
    block = EvaluationConfig()
    with pytest.raises(ValueError, match="frozen"):
        block.resamples = 3  # type: ignore[misc]  # what the test shows to fail


@pytest.mark.parametrize(
    ("roles", "lock", "designs", "expected"),
    [
        ("dd", False, ["holdout"], {"holdout": ["1"]}),
        ("dd", True, ["loco"], {"loco": ["c0", "c1"], "external": ["all"]}),
        ("de", False, ["holdout"], {"holdout": ["1"], "external": ["all"]}),
        ("d", False, ["external", "holdout"], {"holdout": ["1"]}),
        ("d", False, ["kfold"], {"kfold": ["1-1", "1-2", "1-3", "2-1", "2-2", "2-3"]}),
    ],
)
def test_splits(
    given: dict[str, Any],
    roles: str,
    lock: bool,
    designs: list[str],
    expected: dict[str, list[str]],
) -> None:
    words = {"d": "development", "e": "external"}
    given["centers"] = [
        {**given["centers"][0], "name": f"c{n}", "role": words[r]} for n, r in enumerate(roles)
    ]
    given |= {"lock_model": lock, "designs": designs, "kfold": {"parts": 3, "repeats": 2}}
    splits = config.read_study(given).splits()
    assert splits == expected
    assert {type(design) for design in splits} == {str}


def test_members(given: dict[str, Any]) -> None:
    given["folds"] = 3
    assert config.read_study(given).members() == ["fold-1", "fold-2", "fold-3"]
    given["signature"] = {"embeddings": "in_sample"}
    assert config.read_study(given).members() == ["full"]


def test_two_folds_share_no_patients(given: dict[str, Any]) -> None:
    given["folds"] = 2
    with pytest.raises(InputError, match="folds: 2, expected 3 or more"):
        config.read_study(given)
    given["signature"] = {"embeddings": "in_sample"}
    assert config.read_study(given).folds == 2


@pytest.mark.parametrize("file", CONFIGS, ids=lambda f: f.name)
def test_example_configs_are_valid(file: Path) -> None:
    config.read_study(config.read_file(file))
