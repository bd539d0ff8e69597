"""Exchange files that are refused: other settings, contradictions, damage, and a center that is there twice."""

import json
import os

import pytest

from tests.unit.sharing import example_centers as example
from thyrocast.contract import documents, io
from thyrocast.contract.evaluation import PERFORMANCE
from thyrocast.contract.exchange import Exchange
from thyrocast.errors import InputError
from thyrocast.evaluation import exchanged
from thyrocast.planning import exchanges
from thyrocast.sharing import exchange


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"level": 0.9}, "has confidence level 0.9, expected 0.95 as in this study"),
        ({"flags.simulated": False}, "has simulated patients no, expected yes"),
        ({"flags.shuffled": True}, "has shuffled outcomes yes, expected no"),
        ({"flags.in_sample_embeddings": True}, "has in-sample embeddings yes, expected no"),
        ({"outcome.rule": "followup"}, "has outcomes by the rule followup, expected given"),
        ({"contract": 1}, "key contract: Input should be greater"),
        ({"format": 2}, "key format: Input should be 1"),
        ({"cured": 500}, "has 500 cured of 150 patients"),
        ({"design": "holdout"}, "is about the design holdout, expected loco or external"),
        ({"models.network.results.0.estimate": 0.99}, "outside of its own limits"),
        ({"models.network.results.0.patient": "x"}, "Extra inputs are not permitted"),
        ({"patients": -150}, "key patients: Input should be greater"),
        ({"patients": 10**30}, "expected the patients of one center"),
        ({"patients": 149}, "has categories of camera that do not add up to 149 patients"),
        ({"patients": 20, "cured": 19}, "fewer than its own rule allows"),
        ({"flow.analyzed": 140}, "has 140 patients analyzed, but 150 scored"),
        ({"flow.found": 149}, "which do not add up"),
        ({"acquisition.numbers.duration_s.unit": "min"}, "has duration_s in 'min', expected 's'"),
        ({"clinical.numbers.age.sd": None}, "only a part of patients, mean and standard deviation of age"),
        ({"clinical.numbers.age.sd": -3.0}, "with standard deviation -3.0"),
        ({"clinical.categories.eyes": []}, "'eyes', which is no column of the cohort"),
        ({"models": {}}, "has no results of any model"),
        ({"models.network.bins.0.cured": 0}, "bins with 150 patients"),
        ({"models.network.bins.0.predicted": 0.99}, "which is impossible"),
        ({"models.network.bins.0.high": 0.41}, "bins that do not follow each other"),
        ({"models.network.thresholds.0.tpr": 0.5}, "that do not follow from its bins"),
        ({"models.network.thresholds": []}, "thresholds that are not the limits of its bins"),
        ({"models.network.results.0.estimate": None}, "the status estimated, but None as estimate"),
        ({"models.network.results.0.std_error": 1e-6}, "whose standard error 1e-06 does not fit its limits"),
        ({"models.network.results.0.scale": "log"}, "the auc on another scale (log), expected logit"),
        ({"models.network.results.0.metric": "accuracy"}, "which no exchange file contains"),
        ({"models.network.results.0.metric": "brier"}, "the metric brier twice"),
        (
            {"models.network.results.0.estimate": 0.4, "models.network.results.0.ci_low": 0.3},
            "an auc of 0.4, but its bins allow",
        ),
        (
            {"models.network.results.3.estimate": 0.8, "models.network.results.3.ci_low": 0.6},
            "an oe_ratio of 0.8, which is not that of its bins",
        ),
        (
            {"models.network.results.7.estimate": 0.0, "models.network.results.7.ci_low": -0.1},
            "a net_benefit of 0, but",
        ),
    ],
)  # fmt: skip
def test_what_does_not_match_is_refused_in_one_sentence(sent, tmp_path, change, message):
    file = tmp_path / "delft.json"
    file.write_text(json.dumps(edited(sent["delft"], change)))
    found = received(file)
    assert len(found) == 1 or len(change) > 1 or message in found[0], found
    assert all(text.startswith("center delft, key exchange: ") for text in found)
    assert any(message in text for text in found), found


def edited(file, change):
    """The content of a file with other values of some keys."""
    content = json.loads(file.read_text())
    for path, value in change.items():
        *parents, last = path.split(".")
        node = content
        for key in parents:
            node = node[int(key) if key.isdigit() else key]
        node[last] = value
    return content


def received(file):
    """What is wrong with an exchange file of center delft."""
    block = [{"name": "delft", "exchange": str(file)}]
    return [*exchanges.faults(example.config(["ankara"], exchanged=block))]


def test_another_model_in_a_file_is_refused(sent, tmp_path):
    content = json.loads(sent["delft"].read_text())
    content["models"]["<b>best</b>"] = content["models"].pop("network")
    (tmp_path / "delft.json").write_text(json.dumps(content))
    assert "has results of '<b>best</b>', expected models" in received(tmp_path / "delft.json")[0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: b"", "is not a JSON file"),
        (lambda text: text[:-300], "is not a JSON file"),
        (lambda text: text.decode().encode("utf-16"), "is not a JSON file"),
        (lambda text: b"\xef\xbb\xbf" + text, "is not a JSON file"),
        (lambda text: b"\xff" + text, "is not a JSON file"),
        (lambda text: text.replace(b'"level": 0.95', b'"level": NaN'), "key level"),
        (lambda text: text.replace(b'"mean": 300.0', b'"mean": NaN'), "contains NaN"),
        (lambda text: text.replace(b'"mean": 300.0', b'"mean": 1e999'), "contains 1e999"),
        (lambda text: text.replace(b'"cured"', b'"cured": 3,"cured"', 1), "a key occurs twice"),
        (lambda text: b"[" * 100_000, "is not a JSON file"),
        (lambda text: text + b" " * 5_000_000, "expected an exchange file (JSON) of fewer than"),
        (lambda text: b"[]", "Input should be an object"),
    ],
)
def test_a_damaged_file_is_one_sentence(sent, tmp_path, change, message):
    file = tmp_path / "delft.json"
    file.write_bytes(change(sent["delft"].read_bytes()))
    [found] = received(file)
    assert message in found
    assert str(file) in found
    assert "\n" not in found


def test_what_is_no_file_is_one_sentence(tmp_path):
    assert "there is no such file" in received(tmp_path / "delft.json")[0]
    assert "is a folder or no plain file" in received(tmp_path)[0]
    os.mkfifo(tmp_path / "pipe")
    assert "is a folder or no plain file" in received(tmp_path / "pipe")[0]


def test_the_same_results_under_other_names_are_refused(sent, whole, tmp_path):
    """Otherwise a center counts twice in every pooled result."""
    renamed = edited(sent["delft"], {"study": "second", "center": "elsewhere"})
    (tmp_path / "other.json").write_text(json.dumps(renamed))
    blocks = [
        {"name": "delft", "exchange": str(sent["delft"])},
        {"name": "other", "exchange": str(tmp_path / "other.json")},
    ]
    [found] = exchanges.faults(example.config(["ankara"], exchanged=blocks))
    assert "so has that of center delft: remove one of them" in found
    file = exchanges.read(sent["delft"])
    exchanged.check_other(file, "other", whole[whole["group"] != "delft"])
    with pytest.raises(InputError, match="exactly the results of center delft, whose data"):
        exchanged.check_other(file, "other", whole)


def test_another_threshold_of_the_net_benefit_is_refused(sent):
    block = {"exchanged": [{"name": "delft", "exchange": str(sent["delft"])}]}
    assert [*exchanges.faults(example.config(["ankara"], **block))] == []
    study = example.config(["ankara"], evaluation={"decision": {"reference": 0.5}}, **block)
    assert "has the net benefit at 0.6, expected 0.5" in next(exchanges.faults(study))
    twice = [{"name": name, "exchange": str(sent["delft"])} for name in ("delft", "other")]
    study = example.config(["ankara"], exchanged=twice)
    assert "and so has that of center delft" in next(exchanges.faults(study))


def test_another_locked_model_is_refused_and_own_models_are_named(sent, whole):
    found = documents.read(Exchange, sent["delft"])
    exchanges.check_model(found, "delft", example.HASH)
    exchanges.check_model(found, "delft", None)
    with pytest.raises(
        InputError, match="is about the locked model aaaaaaaaaaaa, expected bbbbbbbbbbbb"
    ):
        exchanges.check_model(found, "delft", "b" * 64)
    own = found.model_copy(update={"model": exchange.own("c" * 64)})
    exchanges.check_model(own, "delft", example.HASH)
    rows = io.concat(
        PERFORMANCE, [whole[whole["group"] == "ankara"], exchanged.rows(found, "delft")]
    )
    for file, expected in ((found, "same"), (own, "own")):
        table = exchanged.sources(rows, {"delft": (file, "f" * 64)}, example.HASH)
        table = table.set_index("center")
        assert table.loc["delft", "models"] == expected
        assert table.loc["delft", "source"] == "exchange"
        assert table.loc["ankara", "source"] == "data"
        assert table.loc["ankara", "models"] == "same"
