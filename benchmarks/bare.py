"""The network's default settings without a library that reads configs, for machines with PyTorch alone."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from thyrocast.config.choices import Architecture, Imbalance, Precision, Pretraining

SCHEMA = Path(__file__).resolve().parents[1] / "config" / "schema.json"


class Settings(SimpleNamespace):
    """The block `network` of a config, as far as training uses it."""

    @property
    def highest_rate(self) -> float:
        """Highest learning rate: nothing is pretrained here."""
        return float(self.learning_rate)

    def plain(self) -> dict[str, Any]:
        """Return the settings as plain data, as a config block does."""
        return {
            name: value.plain() if isinstance(value, Settings) else value
            for name, value in vars(self).items()
        }

    def determining(self) -> dict[str, Any]:
        """Return all of them: nothing here is about the place where a network is trained."""
        return self.plain()


def network_settings(**changes: Any) -> Settings:
    """Return the defaults of the config's schema, with changes by key."""
    definitions = json.loads(SCHEMA.read_text(encoding="utf-8"))["$defs"]
    settings = _defaults(definitions, "NetworkConfig")
    for name, value in changes.items():
        nested = getattr(settings, name)
        if isinstance(nested, Settings):
            vars(nested).update(value)
        else:
            setattr(settings, name, value)
    settings.precision = Precision(settings.precision)
    settings.imbalance = Imbalance(settings.imbalance)
    settings.architecture = Architecture(settings.architecture)
    settings.pretraining = Pretraining(settings.pretraining)
    return settings


def _defaults(definitions: dict[str, Any], name: str) -> Settings:
    found = {}
    for key, about in definitions[name]["properties"].items():
        reference = about.get("$ref", "").rpartition("/")[2]
        if "properties" in definitions.get(reference, {}):
            found[key] = _defaults(definitions, reference)
        else:
            found[key] = about["default"]
    return Settings(**found)
