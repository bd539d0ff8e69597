"""Config of a site that pools exchange files and has no patients itself."""

from typing import Self

from pydantic import model_validator

from thyrocast.config.base import Block, FaultsError, option, same_names
from thyrocast.config.exchange import ExchangedCenterConfig


class PoolingConfig(Block):
    """Exchange files that are pooled without any patient; see docs/exchange.md."""

    study: str = option(
        "Name of the study; its results are written to `results/<study>/`.",
        pattern="^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$",
        expected="1 to 64 letters, digits, underscores and hyphens, a letter or digit first",
    )
    exchanged: tuple[ExchangedCenterConfig, ...] = option(
        "Centers, each with its exchange file. They may be listed as `centers` as well.",
        min_length=2,
    )

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        if faults := same_names([], [center.name for center in self.exchanged]):
            raise FaultsError(faults)
        return self
