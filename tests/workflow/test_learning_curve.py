"""The learning curve of a finished study, as a target of its own."""

import shutil
from pathlib import Path

from tests.conftest import Study
from thyrocast.contract import io
from thyrocast.contract.learning_curve import LEARNING_CURVE


def test_learning_curve_of_a_finished_study(smoke_study: Study, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(smoke_study.folder, folder, symlinks=True)
    study = Study(folder, smoke_study.name)
    config = folder / "config.yaml"
    settings = "learning_curve: { repeats: 2, models: [ridge, handcrafted] }"
    config.write_text(config.read_text() + f"\n{settings}\n")
    assert study.plan("--", "learning_curve") == {"learning_curve": 1, "measure_learning_curve": 1}
    study.snakemake("learning_curve")
    found = io.read(LEARNING_CURVE, study.results / LEARNING_CURVE.path)
    assert set(found["model"]) == {"ridge", "handcrafted"}
    assert set(found["status"]) <= {"estimated", "not_estimable"}
    # From now on the report shows it.
    plan = study.plan()
    assert plan["render_report"] == 1
    assert "measure_learning_curve" not in plan
