"""The part of a study's config that may leave the site."""

from pathlib import PurePath
from typing import Any

from thyrocast.config.study import StudyConfig


def public(config: StudyConfig) -> dict[str, Any]:
    """Return the config as plain data, without what must stay at the centers.

    The paths of the pseudonym key and of the pretrained networks are removed, and so are pairs of pseudonyms;
    of each center only name and role remain, and of other paths the name of the file or folder.
    """
    shown = config.plain()
    del (
        shown["pseudonym_key"],
        shown["cohort"]["distinct"],
        shown["network"]["simulation"]["folder"],
    )
    shown["exchanged"] = [{"name": one["name"]} for one in shown["exchanged"]]
    shown["centers"] = [{"name": c["name"], "role": c["role"]} for c in shown["centers"]]
    _keep_name(shown, "simulation")
    _keep_name(shown, "model")
    _keep_name(shown["network"], "weights")
    for table in shown["evaluation"]["external_predictions"]:
        _keep_name(table, "table")
    return shown


def _keep_name(block: dict[str, Any], key: str) -> None:
    if block[key] is not None:
        block[key] = PurePath(block[key]).name
