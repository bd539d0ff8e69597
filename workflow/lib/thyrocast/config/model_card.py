"""Config of what a locked model says about who made it."""

from thyrocast.config.base import Block, option

_UNKNOWN = "not stated"


class ModelCardConfig(Block):
    """What the model card of the locked model says about those who made it (docs/locked-model.md)."""

    developer: str = option(
        "Group or institution that developed the model.", _UNKNOWN, min_length=1
    )
    contact: str = option("Address for questions about the model.", _UNKNOWN, min_length=1)
    license: str = option(
        "License of the model's weights, as its name or text.",
        "none stated: ask the developer before any use",
        min_length=1,
    )
    funding: str = option("Who paid for the development.", _UNKNOWN, min_length=1)
    release: str = option("Version of the model, in the developer's own words.", "1", min_length=1)
