"""The part of a study's config that may leave the site."""

from collections.abc import Mapping
from typing import Any


def public(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the config without what belongs to a center alone: its paths, columns and codes."""
    shown = {key: value for key, value in config.items() if key != "pseudonym_key"}
    shown["centers"] = [{"name": c["name"], "role": c["role"]} for c in config["centers"]]
    return shown
