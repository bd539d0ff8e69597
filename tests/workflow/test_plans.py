"""What a run would do, known without doing it: every example config, and every fault of one."""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import yaml

from tests.conftest import ROOT, Study

CONFIGS = sorted((ROOT / "config").glob("*.yaml"))


def furnish(folder: Path, config: Mapping[str, Any]) -> None:
    """Give every center of a config a table with the columns it names, and one file."""
    for center in config["centers"]:
        dicom = folder / center["dicom"]
        dicom.mkdir(parents=True, exist_ok=True)
        (dicom / "scan").write_bytes(b"")
        header = list(dict.fromkeys(center["columns"].values()))
        rows = [header, *([str(n)] * len(header) for n in range(30))]
        table = folder / center["clinical"]
        table.parent.mkdir(parents=True, exist_ok=True)
        if table.suffix == ".xlsx":
            book = openpyxl.Workbook()
            for row in rows:
                book.active.append(row)
            book.save(table)
        else:
            with table.open("w", newline="", encoding="utf-8") as file:
                csv.writer(file, delimiter=";").writerows(rows)
    if config.get("simulation"):
        (folder / config["simulation"]).write_text("{}")


def study(folder: Path, file: Path, **changes: Any) -> Study:
    """A furnished study with the config of ``file``, changed."""
    config = yaml.safe_load(file.read_text(encoding="utf-8")) | changes
    config["pseudonym_key"] = str(folder / "key")
    folder.mkdir(exist_ok=True)
    (folder / "config.yaml").write_text(yaml.safe_dump(config, allow_unicode=True))
    furnish(folder, config)
    return Study(folder, config["study"])


@pytest.mark.parametrize("file", CONFIGS, ids=lambda file: file.stem)
def test_every_example_config_plans_a_whole_study(tmp_path: Path, file: Path) -> None:
    plan = study(tmp_path, file).plan()
    config = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert plan["register_center"] == len(config["centers"])
    assert plan["render_report"] == 1
    assert plan["train_network"] >= 1


SMOKE = ROOT / "config" / "smoke.yaml"


def test_jobs_follow_from_designs_splits_and_members(tmp_path: Path) -> None:
    plan = study(tmp_path, SMOKE).plan()
    # hold-out, two left-out centers and all against the external one; each full and two folds.
    assert plan["train_network"] == 4 * 3
    assert plan["fit_signature"] == plan["explain_network"] == 4
    assert plan["evaluate_design"] == 3
    assert plan["standardize_images"] == 3 * 2


@pytest.mark.parametrize(
    ("changes", "rule", "jobs"),
    [
        ({"patients_per_job": 1}, "standardize_images", 90),
        ({"patients_per_job": 1000}, "standardize_images", 3),
        ({"designs": ["holdout"], "holdout": {"repeats": 5}}, "fit_signature", 6),
        ({"signature": {"embeddings": "in_sample"}}, "train_network", 4),
        ({"folds": 5}, "train_network", 4 * 6),
        ({"lock_model": False}, "lock_model", 0),
    ],
)
def test_settings_decide_the_jobs(
    tmp_path: Path, changes: dict[str, Any], rule: str, jobs: int
) -> None:
    assert study(tmp_path, SMOKE, **changes).plan().get(rule, 0) == jobs


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"netwrok": {}}, "unknown key 'netwrok': did you mean 'network'?"),
        (
            {"network": {"epochs": -1}},
            "key network.epochs: -1 is out of range, expected at least 1",
        ),
        ({"designs": []}, "key designs: is empty"),
    ],
)
def test_faults_stop_before_any_job(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    done = study(tmp_path, SMOKE, **changes).snakemake(check=False)
    assert done.returncode != 0
    assert message in done.stdout + done.stderr
    assert not (tmp_path / "results").exists()


def test_an_outcome_rule_that_contradicts_itself_stops_before_any_job(tmp_path: Path) -> None:
    centers = yaml.safe_load(SMOKE.read_text())["centers"]
    centers[1]["outcome"] = {"rule": "given", "cured": ["ok"], "not_cured": ["OK", "no"]}
    done = study(tmp_path, SMOKE, centers=centers).snakemake(check=False)
    assert (
        "center beta, key outcome: code 'ok' means cured and not cured" in done.stdout + done.stderr
    )
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize("missing", ["dicom", "clinical"])
def test_missing_inputs_stop_before_any_job(tmp_path: Path, missing: str) -> None:
    smoke = study(tmp_path, SMOKE)
    center = yaml.safe_load(SMOKE.read_text())["centers"][1]
    (tmp_path / center[missing]).rename(tmp_path / "elsewhere")
    done = smoke.snakemake(check=False)
    assert done.returncode != 0
    assert f"center beta, key {missing}: there is no" in done.stdout + done.stderr
    assert not (tmp_path / "results").exists()


def test_snakemake_lint_is_silent(tmp_path: Path) -> None:
    done = study(tmp_path, SMOKE).snakemake("--lint", check=False)
    assert "Congratulations" in done.stdout + done.stderr, done.stdout + done.stderr


def test_river_flows_one_way(tmp_path: Path) -> None:
    """No rule's output feeds a rule above it, and every rule leads to the report or the model."""
    done = study(tmp_path, SMOKE).snakemake("--rulegraph")
    names, edges = {}, []
    for line in done.stdout.splitlines():
        if "->" in line:
            a, b = line.strip().rstrip(";").split(" -> ")
            edges.append((int(a), int(b.split("[")[0])))
        elif "label" in line:
            names[int(line.split("[")[0])] = line.split('"')[1]
    order = [
        "register_center",
        "standardize_images",
        "assemble_cohort",
        "make_splits",
        "plan_sample_size",
        "train_network",
        "extract_embeddings",
        "fit_signature",
        "explain_network",
        "evaluate_design",
        "pool_centers",
        "lock_model",
        "write_provenance",
        "render_report",
        "all",
    ]
    assert sorted(names.values()) == sorted(order)
    assert all(order.index(names[a]) < order.index(names[b]) for a, b in edges)
