"""Config of exchange files: what may leave a center, and a center that sent one."""

from typing import Literal

from pydantic import field_validator

from thyrocast.config.base import Block, FilePath, option
from thyrocast.contract.names import ALL_SPLITS, Role


class ExchangeConfig(Block):
    """What the exchange file of a center may contain; see docs/exchange.md.

    The same numbers apply to every group of patients that can be derived from this and earlier files.
    """

    patients: int = option(
        "Smallest number of patients of a file. The default is three times the number of estimates and "
        "standard errors of a model that have all their digits.",
        30,
        unit="patients",
        ge=10,
        le=1000,
    )
    outcomes: int = option(
        "Smallest number of cured patients, and of patients not cured, of a file.",
        5,
        unit="patients",
        ge=3,
        le=1000,
    )
    cell: int = option(
        "Smallest number of patients in a count, and of cured patients and of patients not cured in a "
        "bin of the predicted probability.",
        5,
        unit="patients",
        ge=3,
        le=1000,
    )


class ExchangedCenterConfig(Block):
    """A hospital that sent an exchange file: its results are pooled, nothing is trained on it."""

    name: str = option(
        "Short name, unique in the study. It replaces the name in the file.",
        pattern="^[a-z0-9][a-z0-9_]{0,31}$",
        expected="1 to 32 lower-case letters, digits and underscores, a letter or digit first",
    )
    exchange: FilePath = option(
        "Exchange file of the center (JSON), instead of its data.", min_length=1
    )
    role: Literal[Role.EXTERNAL] = option(
        "A center without data is `external`: no model is trained on it.", Role.EXTERNAL
    )

    @field_validator("name")
    @classmethod
    def _is_no_reserved_name(cls, name: str) -> str:
        if name == ALL_SPLITS:
            raise ValueError("`all` means all splits together, expected another name")
        return name


def separate(config: object) -> object:
    """Return a study's plain config with the centers that have a key `exchange` under `exchanged`.

    Everything else reads the data of the centers under `centers`.
    """
    if not isinstance(config, dict) or not isinstance(config.get("centers"), list):
        return config
    sent = [one for one in config["centers"] if isinstance(one, dict) and "exchange" in one]
    before = config.get("exchanged", [])
    if not sent or not isinstance(before, list):
        return config
    rest = [one for one in config["centers"] if not (isinstance(one, dict) and "exchange" in one)]
    return {**config, "centers": rest, "exchanged": [*before, *sent]}
