"""The part of a study's config that may leave the site."""

from typing import Any

from thyrocast.config.study import StudyConfig


def public(config: StudyConfig) -> dict[str, Any]:
    """Return the config, as plain data, without what belongs to a center alone.

    Left out are the path of the pseudonym key and each center's paths, columns and codes.
    """
    shown = config.plain()
    del shown["pseudonym_key"]
    shown["centers"] = [{"name": c["name"], "role": c["role"]} for c in shown["centers"]]
    return shown
