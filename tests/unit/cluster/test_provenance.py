"""Provenance says what each environment contained, from the logs of the jobs that ran there."""

import json
from pathlib import Path

import pytest

from thyrocast.cluster import provenance
from thyrocast.cluster.provenance import StudyPlan
from thyrocast.contract import documents
from thyrocast.errors import InputError

PLAN = StudyPlan(
    environments={
        "register_center": "imaging",
        "train_network": "deep",
        "fit_signature": "stats",
        "evaluate_design": "stats",
        "render_report": "report",
    },
    centers=["north"],
    splits={"loco": ["north"], "external": ["all"]},
)
DEEP = {"python": "3.11.7", "numpy": "2.4.6", "torch": "2.14.1", "jinja2": "3.1"}
STATS = {"python": "3.11.7", "numpy": "2.4.5", "scikit-learn": "1.9.1", "torch": "0.0.1"}


def write(logs: Path, job: str, versions: dict[str, str] | None, slurm: str = "") -> None:
    file = logs / f"{job}.log"
    file.parent.mkdir(parents=True, exist_ok=True)
    lines = [f"SLURM job {slurm}"] if slurm else []
    lines.append("Python 3.11.7 in /environments/x")
    if versions is not None:
        lines.append(f"versions {json.dumps(versions)}")
    stamp = "2026-01-01 00:00:00,000 [job] INFO"
    file.write_text("".join(f"{stamp} {line}\n" for line in lines))


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    write(tmp_path, "train_network/external/all/full", DEEP, slurm="11")
    write(tmp_path, "train_network/loco/north/full", DEEP | {"torch": "2.13.0"}, slurm="12")
    write(tmp_path, "fit_signature/external/all", STATS)
    write(tmp_path, "evaluate_design/external", None)
    # of a center and a design that are not in the study any more, and of an earlier report
    write(tmp_path, "register_center/south", {"numpy": "1.0"}, slurm="1")
    write(tmp_path, "fit_signature/kfold/1-1", {"numpy": "1.0"})
    write(tmp_path, "render_report", {"numpy": "1.0"})
    # of a target of its own
    write(tmp_path, "retrain_network/loco/north/1/full", {"numpy": "1.0"})
    return tmp_path


def test_versions_are_those_of_the_environment_that_ran_the_jobs(logs: Path) -> None:
    """A package that the jobs' code does not import is left out, even if it was within reach."""
    found = provenance.by_environment(provenance.records(logs, PLAN), PLAN)
    assert found == {
        "deep": {"python": "3.11.7", "numpy": "2.4.6", "torch": "2.13.0 and 2.14.1"}
        | ({"jinja2": "3.1"} if "pandas" in found["deep"] else {}),
        "stats": {"python": "3.11.7", "numpy": "2.4.5", "scikit-learn": "1.9.1"},
    }


def test_conflicts_name_the_rules_of_each_version(logs: Path) -> None:
    found = provenance.conflicts(provenance.records(logs, PLAN))
    assert found == {
        "numpy": {"2.4.5": ["fit_signature"], "2.4.6": ["train_network"]},
        "torch": {"2.13.0": ["train_network"], "2.14.1": ["train_network"]},
    }


def test_lost_and_damaged_logs_are_listed(logs: Path) -> None:
    (logs / "train_network/loco/north/full.log").write_text('x versions {"torch": "2.1", }\n')
    (logs / "train_network/external/all/full.log").unlink()
    found = provenance.records(logs, PLAN)
    without = [record.job for record in found if record.versions is None]
    assert "train_network/loco/north/full" in without
    assert "train_network/external/all/full" in without
    nothing = provenance.records(logs / "nowhere", PLAN)
    assert [record.job for record in nothing] == sorted(set(PLAN.environments) - {"render_report"})


def test_the_whole_record(logs: Path, tmp_path: Path) -> None:
    described = provenance.describe(config={}, seed=1, inputs={"a": "b"}, logs=logs, plan=PLAN)
    assert described.jobs_without_versions == [
        "evaluate_design/external",
        # without a log
        "evaluate_design/loco",
        "fit_signature/loco/north",
        "register_center",
    ]
    assert described.slurm_jobs == {
        "train_network/external/all/full": "11",
        "train_network/loco/north/full": "12",
    }
    assert described.versions["launcher"].keys() >= {"snakemake"}
    assert len(described.code) == 64

    file = tmp_path / "provenance.json"
    documents.write(described, file)
    assert documents.read(documents.Provenance, file) == described
    file.write_text(file.read_text().replace('"contract": 2', '"contract": 1'))
    with pytest.raises(InputError, match="key contract: .* another version of thyrocast"):
        documents.read(documents.Provenance, file)
