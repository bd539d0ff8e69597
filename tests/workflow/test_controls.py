"""The controls and the stability of a finished study, as targets of their own."""

import shutil
from pathlib import Path

from tests.conftest import Study
from thyrocast.contract import io
from thyrocast.contract.controls import TABLES
from thyrocast.contract.stability import TABLES as STABILITY
from thyrocast.contract.stability import VARIANCE


def test_controls_of_a_finished_study(smoke_study: Study, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(smoke_study.folder, folder, symlinks=True)
    study = Study(folder, smoke_study.name)
    config = folder / "config.yaml"
    config.write_text(config.read_text() + "\ncontrols: { permutations: 19, models: [ridge] }\n")
    assert study.plan("--", "controls") == {"controls": 1, "run_controls": 1}
    study.snakemake("controls")
    for table in TABLES:
        found = io.read(table, study.results / table.path)
        assert not found.empty
        if "status" in table.names:
            assert (found["status"] == "estimated").any(), table.path
    # From now on the report shows them.
    plan = study.plan()
    assert plan["render_report"] == 1
    assert "train_network" not in plan
    assert "run_controls" not in plan


def test_stability_of_a_finished_study(smoke_study: Study, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(smoke_study.folder, folder, symlinks=True)
    study = Study(folder, smoke_study.name)
    config = folder / "config.yaml"
    config.write_text(
        config.read_text()
        + "\nstability: { resamples: 20, refits_per_job: 40, network_seeds: 1 }\n"
    )
    assert study.plan("--", "stability") == {
        "refit_models": 2,
        "retrain_network": 3,
        "embed_retrained": 1,
        "refit_retrained": 1,
        "assess_stability": 1,
        "stability": 1,
    }
    study.snakemake("stability")
    for table in STABILITY:
        found = io.read(table, study.results / table.path)
        assert not found.empty
        if "status" in table.names:
            assert (found["status"] == "estimated").any(), table.path
    variance = io.read(VARIANCE, study.results / VARIANCE.path).set_index(["source", "model"])
    between = variance.loc["network_seed"]
    assert (between["status"] == "estimated").all()
    assert (between.loc["network", "variance"] > 0).all()
    assert (between.loc["clinical", "variance"] == 0).all()
    assert not list(study.results.glob("splits/*/*/retrained/**/*.safetensors"))
    plan = study.plan()
    assert plan["render_report"] == 1
    assert not {"train_network", "retrain_network", "refit_models"} & plan.keys()
