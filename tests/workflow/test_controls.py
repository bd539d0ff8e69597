"""The controls and the stability of a finished study, as targets of their own."""

import shutil
from pathlib import Path

from tests.conftest import Study
from thyrocast.contract import io
from thyrocast.contract.controls import NETWORK_PARTS, SHUFFLED, TABLES
from thyrocast.contract.splits import LOGITS
from thyrocast.contract.stability import TABLES as STABILITY
from thyrocast.contract.stability import VARIANCE

CONTROLS = "{ permutations: 19, models: [ridge], networks: { permuted: 1, parts: [gland_alone] } }"


def test_controls_of_a_finished_study(smoke_study: Study, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(smoke_study.folder, folder, symlinks=True)
    study = Study(folder, smoke_study.name)
    config = folder / "config.yaml"
    before = config.read_text()
    config.write_text(f"{before}\ncontrols: {CONTROLS}\n")
    assert study.plan("--", "controls") == {
        "controls": 1,
        "run_controls": 1,
        "permute_outcomes": 1,
        "train_permuted": 1,
        "embed_permuted": 1,
        "hide_part": 1,
        "train_on_part": 3,
        "embed_part": 1,
    }
    study.snakemake("controls")
    for table in TABLES:
        found = io.read(table, study.results / table.path)
        assert not found.empty
        if "status" in table.names:
            assert (found["status"] == "estimated").any(), table.path
    shuffled = io.read(SHUFFLED, study.results / SHUFFLED.path)
    assert shuffled.loc[shuffled["model"] == "network", "permutations"].eq(1).all()
    parts = io.read(NETWORK_PARTS, study.results / NETWORK_PARTS.path).set_index("control")
    assert list(parts.index) == ["whole_image", "gland_alone"]
    folder = study.results / "splits" / "external" / "all"
    logits = [
        io.read(LOGITS, folder / of / "network.csv")["logit"] for of in ("", "parts/gland_alone")
    ]
    assert (logits[0] != logits[1]).mean() > 0.9
    kept = {
        path.name for name in ("permuted", "parts") for path in study.results.glob(f"**/{name}/**/*")
        if path.is_file() and {"splits", "controls"} & set(path.parts)
    }  # fmt: skip
    assert kept == {"network.csv", "history.csv"}
    # From now on the report shows them.
    plan = study.plan()
    assert plan["render_report"] == 1
    assert not {"train_network", "run_controls", "train_permuted", "train_on_part"} & plan.keys()
    # Other settings train everything again, although the results of an earlier run exist.
    changed = before.replace("epochs: 2", "epochs: 3")
    networks = CONTROLS.replace("permuted: 1,", "permuted: 1, hours: 0.0001,")
    config.write_text(f"{changed}\ncontrols: {networks}\n")
    stopped = study.snakemake("controls", check=False)
    assert stopped.returncode
    assert "key controls.networks.parts: 4 networks of" in stopped.stderr
    assert "ask for fewer parts, or raise controls.networks.hours to 1" in stopped.stderr


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
