"""`make apply` needs a config with the center, and nothing about training."""

import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml

import application
import verify_model
from tests.unit.planning.test_locked import CENTER, model
from thyrocast.application import comparison
from thyrocast.config.reading import read_study
from thyrocast.contract import io
from thyrocast.contract.manifest import Manifest, Preprocessing
from thyrocast.contract.splits import PREDICTIONS
from thyrocast.errors import InputError
from thyrocast.image import encoder, gland_network

__all__ = ["model"]
ROOT = Path(__file__).resolve().parents[3]


def test_the_config_of_one_center(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    other = CENTER | {"name": "north", "role": "development"}
    config = {"study": "demo", "designs": ["holdout"], "centers": [other, CENTER], "folds": 3}
    config |= {"learning_curve": {"run": True}, "stability": {"run": True}}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    written = application.run(tmp_path / "config.yaml", "west", str(model))
    found = read_study(yaml.safe_load(written.read_text()))
    assert (found.study, found.names(), found.model) == ("demo-west", ["west"], str(model))
    with pytest.raises(InputError, match="no center 'east'"):
        application.run(tmp_path / "config.yaml", "east", str(model))
    with pytest.raises(InputError, match="nothing is trained"):
        application.run(tmp_path / "config.yaml", "north", str(model))


@pytest.mark.parametrize("kind", ["spaces", "link", "read-only"])
def test_the_model_may_be_in_any_folder(model: Path, tmp_path: Path, kind: str) -> None:
    """`make apply` as a user types it; Snakemake itself is replaced by echo."""
    place = tmp_path / "with spaces (and) 'quotes'" if kind == "spaces" else tmp_path / kind
    if kind == "link":
        place.symlink_to(model)
    else:
        shutil.copytree(model, place)
    if kind == "read-only":
        for path in [place, *place.rglob("*")]:
            path.chmod(0o555 if path.is_dir() else 0o444)
    folder = tmp_path / "project"
    folder.mkdir()
    for name in (".venv", "workflow", "Makefile"):
        (folder / name).symlink_to(ROOT / name)
    config = {"study": "demo", "centers": [CENTER], "folds": 3}
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    command = ["make", "-s", "-o", ".venv/local.stamp", "apply", f"MODEL={place}", "CENTER=west"]
    command += ["CONFIG=config.yaml", "SNAKEMAKE=echo", f"BIN={Path(sys.executable).parent}"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["--configfile", ".cache/apply/demo-west.yaml"]
    written = yaml.safe_load((folder / ".cache" / "apply" / "demo-west.yaml").read_text())
    assert written["model"] == str(place)


def predictions(folder: Path, probability: list[float], side: str = "test") -> Path:
    rows = pd.DataFrame(
        {
            "design": "external",
            "split": "all",
            "model": "network",
            "set": side,
            "patient": ["west-1", "west-2"],
            "center": "west",
            "outcome": pd.array([1, None], dtype="Int64"),
            "probability": probability,
        }
    )
    io.write(PREDICTIONS, rows, folder / "splits" / "external" / "all" / "predictions.csv")
    return folder


def test_every_bit_is_compared(tmp_path: Path) -> None:
    study = predictions(tmp_path / "study", [0.1, 0.3])
    same = predictions(tmp_path / "same", [0.1, 0.3])
    assert comparison.compare(study, same) == 2
    other = predictions(tmp_path / "other", [0.1, 0.1 + 0.2])
    with pytest.raises(InputError, match="1 of 2 predictions differ"):
        comparison.compare(study, other)
    with pytest.raises(InputError, match="west-. is not predicted"):
        comparison.compare(predictions(tmp_path / "trained", [0.1, 0.3], "train"), same)


@pytest.mark.parametrize(
    ("network", "purpose"),
    [("gland_network", "finds the gland"), ("encoder", "reads quantities")],
)
def test_images_of_another_network_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, network: str, purpose: str
) -> None:
    used = {"gland_network": gland_network.WEIGHTS_SHA256, "encoder": encoder.WEIGHTS_SHA256}
    preprocessing = Preprocessing(image={}, code="x", **{**used, network: "f" * 64})
    manifest = Manifest.model_construct(
        hash="a" * 64, thyrocast="0.2.0", preprocessing=preprocessing
    )
    monkeypatch.setattr(verify_model.verify, "unpack", lambda model, folder: manifest)
    with pytest.raises(InputError, match=purpose):
        verify_model.run(tmp_path, "a" * 64, tmp_path)
