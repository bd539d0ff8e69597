"""The GPU benchmark runs on a machine that has PyTorch and nothing else of this project's packages."""

import json
import os
import subprocess
import sys
from pathlib import Path

from benchmarks import bare
from tests.conftest import ROOT
from thyrocast.config.network import NetworkConfig

# What PyTorch, torchvision, NumPy and safetensors import themselves is there; nothing else.
BLOCKER = """
import importlib.machinery

ABSENT = {
    "pandas", "pandera", "pydantic", "pydantic_core", "scipy", "sklearn", "skops", "pydicom", "yaml",
    "snakemake", "matplotlib", "jinja2", "pytorch_grad_cam", "openpyxl", "rocrate", "pytest", "pip",
}


plain = importlib.machinery.PathFinder.find_spec


def find_spec(name, path=None, target=None):
    return None if name.split(".")[0] in ABSENT else plain(name, path, target)


importlib.machinery.PathFinder.find_spec = find_spec
"""


def test_the_benchmark_runs_with_pytorch_alone(tmp_path: Path) -> None:
    """On the processor, with small images; every part is measured, and a resumed training is equal."""
    (tmp_path / "sitecustomize.py").write_text(BLOCKER)
    options = ["--device", "cpu", "--size", "32", "--images", "8", "--batches", "4", "--gpus", "1"]
    options += ["--compiled", "no"]
    done = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / "gpu.py"), *options],
        env={**os.environ, "PYTHONPATH": str(tmp_path), "OMP_NUM_THREADS": "1"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    for text in (
        "resumed training, float32: the same bits",
        "resumed training, bfloat16: the same bits",
        "embeddings: ",
        "Grad-CAM: ",
        "training, float32 ",
        "training, bfloat16 ",
        "plain loop, float32 ",
        "plain loop, bfloat16 ",
    ):
        assert text in done.stdout, done.stdout
    assert "failed" not in done.stdout
    assert "not measured" not in done.stdout


def test_its_settings_are_the_defaults_of_the_config() -> None:
    def plain(value: object) -> object:
        return json.loads(json.dumps(value))

    defaults = plain(NetworkConfig.read({}).plain())
    assert plain(bare.network_settings().plain()) == defaults
    changed = bare.network_settings(epochs=3, early_stopping={"fraction": 0})
    read = NetworkConfig.read({"epochs": 3, "early_stopping": {"fraction": 0}})
    assert plain(changed.plain()) == plain(read.plain())
