"""The RO-Crate of a run: what was computed, by what, where; nothing about a patient."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from thyrocast.cluster import crate, jobs
from thyrocast.contract import evaluation
from thyrocast.contract.documents import Provenance

LOG = """\
2026-03-01 08:00:00,100 [train_network external/all/full] INFO SLURM job 77
2026-03-01 08:00:00,200 [train_network external/all/full] INFO Python 3.11.7 in /envs/deep on node-3
2026-03-01 08:00:00,300 [train_network external/all/full] INFO versions {"python": "3.11.7", "torch": "2.11.0", "lxml": "6"}
2026-03-01 08:00:01,000 [train_network external/all/full] INFO GPU NVIDIA H100
epoch 1
2026-03-01 09:30:00,000 [train_network external/all/full] INFO epoch 60 of 60
"""


def test_a_job_of_a_derived_rule_has_environment_and_versions(study: Path, tmp_path: Path) -> None:
    file = study / "logs" / "retrain_network" / "external" / "all" / "1" / "full.log"
    file.parent.mkdir(parents=True)
    file.write_text(LOG)
    entities = {entity["@id"]: entity for entity in write(study, tmp_path / "crate")}
    needed = [
        entities[item["@id"]]["name"]
        for item in entities["#rule-retrain_network"]["softwareRequirements"]
    ]
    assert needed == ["deep", "python", "torch"]


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """Logs and benchmarks of two jobs."""
    for name, text in (("train_network/external/all/full", LOG), ("make_splits", LOG[:76] + "\n")):
        file = tmp_path / "logs" / f"{name}.log"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    (tmp_path / "logs" / "slurm").mkdir()
    (tmp_path / "logs" / "slurm" / "77.log").write_text(LOG)
    measured = tmp_path / "benchmarks" / "train_network" / "external" / "all" / "full.tsv"
    measured.parent.mkdir(parents=True)
    measured.write_text("s\th:m:s\tmax_rss\tio_in\tcpu_time\n3600.0\t1:00:00\t2048.0\t-\t7200.0\n")
    return tmp_path


def test_no_table_of_a_crate_has_a_row_for_each_patient() -> None:
    names = {table.name for table in evaluation.AGGREGATE}
    assert {"performance", "pooled", "decision_curve", "thresholds"} <= names
    assert not names & {"predictions", "prediction_sets", "roc"}


def test_a_job_has_its_times_machine_and_use(study: Path) -> None:
    splits, training = jobs.read(study / "logs", study / "benchmarks")
    assert (splits.name, splits.seconds, splits.energy_wh) == ("make_splits", None, None)
    assert (training.rule, training.slurm, training.node) == ("train_network", "77", "node-3")
    assert training.gpu == "NVIDIA H100"
    assert (training.end - training.start).total_seconds() == 5400
    assert (training.seconds, training.cpu_seconds, training.memory_mb) == (3600, 7200, 2048)
    # two cores and 2 GB for an hour (Lannelongue et al. 2021)
    assert training.energy_wh == pytest.approx(2 * 12 + 2 * 0.3725)


def write(study: Path, folder: Path) -> list[dict[str, Any]]:
    """Write the crate; return its entities."""
    table = study / "performance.csv"
    table.write_text("design,split\nexternal,all\n")
    provenance = Provenance(
        thyrocast="1.0",
        contract=2,
        code="c0de",
        commit="",
        config={"study": "graves"},
        inputs={"clinical table of north": "5ha"},
        seed=1,
        slurm_jobs={},
        system="Linux",
        versions={"launcher": {"snakemake": "9.27.1"}},
        version_conflicts={},
        jobs_without_versions=[],
    )
    crate.write(
        folder,
        study="graves",
        project=ROOT,
        provenance=provenance,
        tables=[(evaluation.PERFORMANCE, table)],
        jobs=list(jobs.read(study / "logs", study / "benchmarks")),
        environments={"train_network": "deep", "make_splits": "stats"},
    )
    content = json.loads((folder / "ro-crate-metadata.json").read_text())
    entities: list[dict[str, Any]] = content["@graph"]
    return entities


def references(value: Any) -> set[str]:
    """All identifiers that an entity refers to."""
    if isinstance(value, list):
        return set().union(*map(references, value)) if value else set()
    if isinstance(value, dict):
        return {value["@id"]} if set(value) == {"@id"} else references(list(value.values()))
    return set()


def test_every_part_of_the_crate_exists_and_every_reference_resolves(
    study: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "crate"
    entities = {entity["@id"]: entity for entity in write(study, folder)}
    outside = ("https://", "http://")
    for entity in entities.values():
        missing = references(list(entity.values())) - entities.keys()
        assert all(name.startswith(outside) for name in missing), (entity["@id"], missing)
    for part in references(entities["./"]["hasPart"]):
        assert (folder / part).exists(), part
    workflow = entities[entities["./"]["mainEntity"]["@id"]]
    assert workflow["@type"] == ["File", "SoftwareSourceCode", "ComputationalWorkflow"]
    assert (folder / "workflow" / "lib" / "thyrocast" / "cluster" / "crate.py").exists()


def test_the_run_names_its_workflow_inputs_results_and_jobs(study: Path, tmp_path: Path) -> None:
    entities = {entity["@id"]: entity for entity in write(study, tmp_path / "crate")}
    run = entities["#run"]
    assert run["instrument"] == {"@id": "workflow/Snakefile"}
    assert {"@id": "results/performance.csv"} in run["result"]
    assert entities["#input-0"]["value"] == "5ha"
    job = entities["#job-train_network/external/all/full"]
    assert job["startTime"].startswith("2026-03-01T08:00:00")
    used = {entities[item["@id"]]["name"]: entities[item["@id"]] for item in job["resourceUsage"]}
    assert used["peak memory"]["value"] == "2048"
    assert used["GPU"]["value"] == "NVIDIA H100"
    assert used["SLURM job"]["value"] == "77"


def test_a_job_names_its_environment_and_the_versions_that_it_recorded(
    study: Path, tmp_path: Path
) -> None:
    twin = study / "logs" / "train_network" / "external" / "all" / "fold-1.log"
    twin.write_text(LOG.replace("2.11.0", "2.12.0"))  # another node had another version
    again = twin.with_name("fold-2.log")
    again.write_text(LOG)
    entities = {entity["@id"]: entity for entity in write(study, tmp_path / "crate")}

    def used(job: str) -> set[tuple[str, str]]:
        tool = entities[entities[f"#job-train_network/external/all/{job}"]["instrument"]["@id"]]
        assert tool["name"] == "rule train_network"
        needed = [entities[item["@id"]] for item in tool["softwareRequirements"]]
        assert {entity["@type"] for entity in needed} == {"SoftwareApplication"}
        return {(entity["name"], entity["version"]) for entity in needed}

    # lxml was installed, but the job's code does not import it
    assert used("full") == {("deep", "c0de"), ("python", "3.11.7"), ("torch", "2.11.0")}
    assert used("fold-1") == {("deep", "c0de"), ("python", "3.11.7"), ("torch", "2.12.0")}
    assert used("fold-2") == used("full")
    (stats,) = entities["#rule-make_splits"]["softwareRequirements"]
    assert entities[stats["@id"]]["description"].endswith("envs/stats.yaml")


def test_a_crate_is_replaced_and_the_same_run_gives_the_same_crate(
    study: Path, tmp_path: Path
) -> None:
    first = write(study, tmp_path / "crate")
    (tmp_path / "crate" / "left over").touch()
    assert write(study, tmp_path / "crate") == first
    assert not (tmp_path / "crate" / "left over").exists()
