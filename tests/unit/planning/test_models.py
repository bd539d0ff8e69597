"""Which model results are about: what predicts, not what describes it."""

import json
from pathlib import Path
from typing import Any

from thyrocast.planning import models


def name(folder: Path, **changes: Any) -> str:
    """The hash of a model with some changes in its manifest."""
    content = {
        "config": {"centers": ["alpha"]},
        "preprocessing": {"code": "1", "encoder": "3", "gland_network": "2", "image": {"size": 64}},
        "files": {
            "model_card.xml": {"sha256": "a"},
            "network/fold-1/weights.safetensors": {"sha256": "b"},
            "signature/model.json": {"sha256": "c"},
            "thresholds.csv": {"sha256": "d"},
        },
    } | changes
    file = folder / "manifest.json"
    file.write_text(json.dumps(content))
    return models.hash_of(file)


def test_a_model_keeps_its_name_if_a_center_is_added(tmp_path: Path) -> None:
    first = name(tmp_path)
    files = json.loads((tmp_path / "manifest.json").read_text())["files"]
    assert name(tmp_path, config={"centers": ["alpha", "beta"]}) == first
    assert name(tmp_path, files=files | {"model_card.xml": {"sha256": "other"}}) == first


def test_whatever_predicts_names_the_model(tmp_path: Path) -> None:
    first = name(tmp_path)
    files = json.loads((tmp_path / "manifest.json").read_text())["files"]
    for file in files:
        if file != "model_card.xml":
            assert name(tmp_path, files=files | {file: {"sha256": "other"}}) != first
    assert name(tmp_path, files={k: v for k, v in files.items() if "fold-1" not in k}) != first
    image = {"code": "1", "encoder": "3", "gland_network": "2", "image": {"size": 96}}
    assert name(tmp_path, preprocessing=image) != first
    update = {"models": {"network": {"intercept": 0.5}}}
    assert name(tmp_path, update=None) == first
    assert name(tmp_path, update=update) != first
