"""Jobs stop if config or code is not the one that their run began with."""

from pathlib import Path

import pytest

from thyrocast.planning import controller, derived, fingerprints


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_without_a_run_on_slurm_nothing_is_checked() -> None:
    controller.check_unchanged("study", "a", ["train_network"])
    controller.RECORDS.mkdir(parents=True)
    controller.record("study").write_text("not JSON")
    controller.check_unchanged("study", "a", ["train_network"])


def test_a_job_with_another_config_than_its_run_stops() -> None:
    controller.write("study", "a")
    controller.check_unchanged("study", "a", ["train_network"])
    with pytest.raises(RuntimeError, match="The config was edited after this run started"):
        controller.check_unchanged("study", "b", ["train_network"])


def test_a_job_knows_its_rules_from_its_command() -> None:
    command = ["snakemake", "--target-jobs", "train_network:design=loco,split=a", "--cores", "1"]
    assert controller.rules_of_job(command) == ["train_network"]
    assert controller.rules_of_job(["snakemake", "--cores", "1"]) == []


def test_two_studies_in_one_folder_have_a_record_each() -> None:
    """Two runs at the same time, or one of a workflow that imports this one twice."""
    controller.write("east", "a", "first")
    controller.write("west", "b", "second")
    controller.check_unchanged("east", "a", ["train_network"])
    controller.check_unchanged("west", "b", ["train_network"])
    with pytest.raises(RuntimeError, match="The config was edited"):
        controller.check_unchanged("east", "b", ["train_network"])
    assert {study: known.run for study, known in controller.records().items()} == {
        "east": "first",
        "west": "second",
    }
    controller.remove("east")
    assert list(controller.records()) == ["west"]


@pytest.mark.parametrize(("rule", "script"), derived.SCRIPTS.items())
def test_a_job_of_a_derived_rule_with_other_code_stops(
    rule: str, script: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    controller.write("study", "a")
    monkeypatch.setattr(fingerprints, "code_version", lambda _: "edited")
    with pytest.raises(RuntimeError, match=f"The code of {script} was edited"):
        controller.check_unchanged("study", "a", [rule])


@pytest.mark.parametrize("name", ["{}", "thyrocast_{}", "graves{}", "{}_of_graves"])
def test_a_job_with_other_code_than_its_run_stops_and_no_other_job(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    controller.write("study", "a")
    before = fingerprints.code_version

    def edited(script: str) -> str:
        return "edited" if script == "train_network" else before(script)

    monkeypatch.setattr(fingerprints, "code_version", edited)
    others = [name.format(rule) for rule in ("make_splits", "render_report")]
    controller.check_unchanged("study", "a", others, name.format)
    with pytest.raises(RuntimeError, match="The code of train_network was edited"):
        controller.check_unchanged("study", "a", [name.format("train_network")], name.format)
