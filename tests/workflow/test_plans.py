"""What a run would do, known without doing it: every example config, and every fault of one."""

import csv
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import yaml

from tests.conftest import ROOT, Study
from tests.unit.planning.test_locked import model
from thyrocast.cluster import provenance
from thyrocast.config.reading import read_study
from thyrocast.planning.study import pretrained_file, pretraining

__all__ = ["model"]

APPLYING = ROOT / "config" / "prospective.yaml"
CONFIGS = sorted({*(ROOT / "config").glob("*.yaml")} - {APPLYING})


# A plausible cell for each of our columns, in our units; other columns are codes or dates.
CELLS = {
    "age": lambda n: 25 + n,
    "gland_mass": lambda n: 20 + n,
    "uptake_24h": lambda n: 40 + n,
    "activity": lambda n: 400 + 10 * n,
    "trab": lambda n: 5 + n,
    "ft4": lambda n: 25 + n,
    "ft3": lambda n: 10 + n,
    "withdrawal_days": lambda n: 3 + n % 5,
    "therapy_date": lambda n: f"2021-03-{n % 28 + 1:02}",
    "sex": lambda n: "female",
    "antithyroid_drug": lambda n: "methimazole",
    "smoking": lambda n: "never",
    "orbitopathy": lambda n: "yes",
}
# What one of our units is in that of a center.
UNITS = {"mCi": 1 / 37, "ng/dL": 1 / 12.87, "pg/mL": 1 / 1.536, "ml": 1.0}


def cell(center: Mapping[str, Any], key: str, n: int) -> str:
    """A cell that the center could have written, for a column by the key that names it."""
    name = key.split(".")[1]
    if key.startswith("eligibility."):
        return str(center["eligibility"][name].get("graves", [""])[0])
    if name == "patient":
        return str(n)
    if name == "outcome":
        if center["outcome"]["rule"] == "followup":
            return "euthyroid" if n % 3 else "hyperthyroid"
        return str(center["outcome"]["cured" if n % 3 else "not_cured"][0])
    if name in center.get("codes", {}):
        return str(next(iter(center["codes"][name])))
    value = CELLS[name](n)
    unit = center.get("units", {}).get(name)
    return f"{value * UNITS[unit]:.4g}" if unit in UNITS else str(value)


def furnish(folder: Path, config: Mapping[str, Any]) -> None:
    """Give every center of a config a table with the columns it names, and one empty file."""
    for center in config["centers"]:
        dicom = folder / center["dicom"]
        dicom.mkdir(parents=True, exist_ok=True)
        (dicom / "scan").write_bytes(b"")
        named = {theirs: f"columns.{ours}" for ours, theirs in center["columns"].items()} | {
            block["column"]: f"eligibility.{name}"
            for name, block in center.get("eligibility", {}).items()
            if isinstance(block, Mapping) and "column" in block
        }
        rows = [list(named), *([cell(center, key, n) for key in named.values()] for n in range(30))]
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


@pytest.mark.parametrize("dicom", [False, True])
def test_patients_of_a_prospective_center_get_sheets(
    tmp_path: Path, model: Path, dicom: bool
) -> None:
    """Nothing is trained, no outcome is needed, and DICOM objects are written on request only."""
    changes = {"model": str(model), "prospective": {"dicom": dicom}}
    plan = study(tmp_path / "site", APPLYING, **changes).plan()
    assert (plan["apply_model"], plan["write_sheets"], plan.get("write_dicom", 0)) == (1, 1, dicom)
    assert not {"train_network", "fit_signature"} & plan.keys()


def test_jobs_follow_from_designs_splits_and_members(tmp_path: Path) -> None:
    plan = study(tmp_path, SMOKE).plan()
    # hold-out, two left-out centers and all against the external one; each three folds.
    assert plan["train_network"] == 4 * 3
    assert plan["fit_signature"] == plan["explain_network"] == 4
    assert plan["draw_maps"] == 3  # one for each design
    assert plan["evaluate_design"] == 3
    assert plan["standardize_images"] == 3 * 2
    assert "compare_definitions" not in plan  # there is one definition of the outcome


def _environments() -> dict[str, str]:
    """The file of the environment of each rule that has one and runs its own script."""
    blocks = [
        block
        for file in (ROOT / "workflow" / "rules").glob("*.smk")
        for block in re.split(r"^(?=(?:use )?rule )", file.read_text(encoding="utf-8"), flags=re.M)
    ]
    return {
        rule[1]: conda[1]
        for block in blocks
        if (rule := re.match(r"rule (\w+):", block))
        and (conda := re.search(r'conda:\s+"\.\./\.\./envs/(\w+)\.yaml"', block))
    }


def followed() -> list[dict[str, Any]]:
    """The centers of the smoke study, with outcomes that are decided from a visit."""
    centers = yaml.safe_load(SMOKE.read_text(encoding="utf-8"))["centers"]
    for center in centers:
        visits = [{"months": 12, "state": center["columns"]["outcome"]}]
        center["outcome"] = {"rule": "followup", "visits": visits}
    return list(centers)


def defined(*names: str) -> dict[str, Any]:
    """Several definitions of the outcome."""
    return {"centers": followed(), "outcome": {"definition": [{"name": name} for name in names]}}


@pytest.mark.parametrize("kind", ["study", "definitions", "no external center", "locked model"])
def test_the_provenance_waits_for_exactly_the_jobs_whose_logs_it_expects(
    tmp_path: Path, model: Path, kind: str
) -> None:
    """A log that is expected too early, or of a rule that the study does not run, is not a missing one."""
    changes = {
        "study": {},
        "definitions": defined("year", "half"),
        "no external center": {"centers": followed()[:2], "designs": ["loco"]},
        "locked model": {"model": str(model)},
    }[kind]
    site = study(tmp_path / "site", APPLYING if "model" in changes else SMOKE, **changes)
    config = read_study(yaml.safe_load((site.folder / "config.yaml").read_text(encoding="utf-8")))
    listed = site.snakemake("--list-rules").stdout.split()
    whole = {rule: name for rule, name in _environments().items() if rule in listed}
    expected = provenance.planned(whole, config).keys() - {*provenance.LATER, "write_provenance"}
    assert len(expected) >= 15
    waited_for = site.plan("--until", "write_provenance").keys()
    assert expected == waited_for & whole.keys() - {*provenance.LATER, "write_provenance"}


def test_a_network_for_which_no_weights_are_shipped_is_pretrained_once(tmp_path: Path) -> None:
    config = yaml.safe_load(SMOKE.read_text(encoding="utf-8"))
    image = config["image"] | {"field_mm": 160}

    def plan(folder: str, image: dict[str, Any], **network: Any) -> Mapping[str, int]:
        network = config["network"] | {"pretraining": "simulation"} | network
        return study(tmp_path / folder, SMOKE, image=image, network=network).plan()

    shared = {"folder": str(tmp_path / "shared"), "phantoms": 1000}
    resnet = {"architecture": "resnet50", "simulation": shared}
    found = plan("resnet50", image, **resnet)
    assert (found["pretrain_network"], found["train_network"]) == (1, 12)
    compact = {"architecture": "compact"}
    assert "pretrain_network" not in plan("shipped", image | {"size": 64}, **compact)
    other = plan("compact", image | {"size": 64, "field_mm": 200}, **compact)
    assert other["pretrain_network"] == 1
    # A second study finds the file of the first, unless its settings or its images are others.
    written = (tmp_path / "resnet50" / "config.yaml").read_text(encoding="utf-8")
    settings = read_study(yaml.safe_load(written))
    file = Path(pretrained_file(settings, pretraining(settings)))
    file.parent.mkdir()
    file.write_bytes(b"weights")
    assert "pretrain_network" not in plan("second", image, **resnet)
    more = {**resnet, "simulation": shared | {"phantoms": 2000}}
    assert plan("more", image, **more)["pretrain_network"] == 1


def test_a_temporal_design_has_one_split_and_reads_dates(tmp_path: Path) -> None:
    changed = {"designs": ["temporal", "external"], "temporal": {"cut": "2019-07-01"}}
    plan = study(tmp_path, SMOKE, **changed).plan()
    # Before and after a day, and all against the external center; each full and two folds.
    assert plan["fit_signature"] == plan["evaluate_design"] == 2


def test_other_definitions_of_the_outcome_are_evaluated_without_training(tmp_path: Path) -> None:
    one = study(tmp_path / "one", SMOKE, centers=followed()).plan()
    several = study(tmp_path / "several", SMOKE, **defined("year", "half", "strict")).plan()
    new = {"apply_definitions": 3, "evaluate_definition": 2, "compare_definitions": 1}
    assert {rule: several[rule] - one.get(rule, 0) for rule in several} == {
        rule: new.get(rule, sum(new.values()) if rule == "total" else 0) for rule in several
    }


@pytest.mark.parametrize(
    ("changes", "rule", "jobs"),
    [
        ({"patients_per_job": 1}, "standardize_images", 90),
        ({"patients_per_job": 1000}, "standardize_images", 3),
        ({"designs": ["holdout"], "holdout": {"repeats": 5}}, "fit_signature", 6),
        ({"signature": {"embeddings": "in_sample"}}, "train_network", 4),
        ({"folds": 5}, "train_network", 4 * 5),
        ({"lock_model": False}, "lock_model", 0),
        ({"controls": {"run": True}}, "run_controls", 1),
        ({"stability": {"run": True}}, "refit_models", 5),
        ({"stability": {"resamples": 50}}, "assess_stability", 0),
        ({"learning_curve": {"run": True}}, "measure_learning_curve", 1),
        ({}, "measure_learning_curve", 0),
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


def test_data_flow_in_one_direction(tmp_path: Path) -> None:
    """No rule's output is input of an earlier rule; every rule leads to the report or the model."""
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
        "check_center",
        "assemble_cohort",
        "approve_centers",
        "make_splits",
        "plan_sample_size",
        "train_network",
        "extract_embeddings",
        "fit_signature",
        "measure_importance",
        "explain_network",
        "draw_maps",
        "evaluate_design",
        "pool_centers",
        "lock_model",
        "describe_sources",
        "update_model",
        "write_provenance",
        "render_report",
        "write_crate",
        "all",
    ]
    assert sorted(names.values()) == sorted(order)
    assert all(order.index(names[a]) < order.index(names[b]) for a, b in edges)
