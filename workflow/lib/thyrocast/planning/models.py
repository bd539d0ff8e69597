"""Which locked model results are about: one hash of everything that predicts."""

import hashlib
import json
from pathlib import Path
from typing import Any

from thyrocast import fileio

#: What a bundle's predictions are computed from; its other files describe it.
_PREDICTING = ("network/", "signature/", "thresholds.csv")


def hash_of(manifest: str | Path) -> str:
    """Return the hash of what predicts in a locked model, from its manifest.

    The networks, the signature with its baselines, the thresholds, the settings of the images and, in an
    updated model, what was updated. Unlike the
    hash of the whole bundle it does not depend on the model card or the config: a study that adds a
    center and locks its model again has the same model.
    """
    return hash_in(fileio.read_json(manifest))


def hash_in(content: dict[str, Any]) -> str:
    """Return the hash of what predicts, as `hash_of`, from the content of a manifest."""
    files = {
        name: file["sha256"]
        for name, file in content["files"].items()
        if name.startswith(_PREDICTING)
    }
    # Numbers that an update changes; models without one have the hash that they always had.
    changed = [content["update"]] if content.get("update") else []
    names = ("image", "gland_network", "encoder")
    settings = {name: content["preprocessing"][name] for name in names}
    text = json.dumps([files, settings, *changed], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
