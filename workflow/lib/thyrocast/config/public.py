"""The part of a study's config that may leave the site."""

from typing import Any

from thyrocast.config.study import StudyConfig


def public(config: StudyConfig) -> dict[str, Any]:
    """Return the config as plain data, without what must stay at the centers.

    The path of the pseudonym key is removed, and so are pairs of pseudonyms; of each center only name
    and role remain.
    """
    shown = config.plain()
    del shown["pseudonym_key"], shown["cohort"]["distinct"]
    shown["exchanged"] = [{"name": one["name"]} for one in shown["exchanged"]]
    shown["centers"] = [{"name": c["name"], "role": c["role"]} for c in shown["centers"]]
    return shown
