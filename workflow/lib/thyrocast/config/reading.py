"""Read config files and blocks; all faults are reported together, one sentence for each."""

import re
from collections.abc import Hashable
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from thyrocast.config.base import Block, Fault, same_names
from thyrocast.config.center import CenterConfig
from thyrocast.config.exchange import separate
from thyrocast.config.messages import explain, joined, value_at
from thyrocast.config.plain import plain
from thyrocast.config.pooling import PoolingConfig
from thyrocast.config.simulation import SimulationConfig
from thyrocast.config.study import StudyConfig
from thyrocast.errors import InputError

AnyBlock = TypeVar("AnyBlock", bound=Block)


class _StrictLoader(yaml.SafeLoader):
    """YAML whose mappings may not contain a key twice (plain YAML silently keeps the last one)."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: dict[Hashable, int] = {}
        for key_node, _ in node.value:
            if key_node.tag == "tag:yaml.org,2002:merge":  # `<<` merges defaults, it repeats no key
                continue
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, Hashable):
                continue  # rejected by the parent class
            line = key_node.start_mark.line + 1
            if key in seen:
                raise InputError(
                    f"{node.start_mark.name}: key {key!r} is on line {seen[key]} and again on "
                    f"line {line}: keep one of them"
                )
            seen[key] = line
        return super().construct_mapping(node, deep)

    def construct_yaml_int(self, node: yaml.ScalarNode) -> int:
        """A whole number; YAML 1.1 also reads 010 as 8 and 1:30 as 90, which nobody means."""
        value: int = super().construct_yaml_int(node)
        text = str(node.value)
        if re.match(r"[-+]?0[0-9_]", text) or ":" in text:
            raise InputError(
                f"{node.start_mark.name}, line {node.start_mark.line + 1}: YAML reads {text} as "
                f"{value}: put it in quotes to make it text, or write {value}"
            )
        return value


_StrictLoader.add_constructor("tag:yaml.org,2002:int", _StrictLoader.construct_yaml_int)


def check_file(path: str | Path) -> None:
    """Raise `InputError` if a config file is not YAML or contains a key twice."""
    read_file(path)


def read_file(path: str | Path) -> dict[str, Any]:
    """Return the mapping in a config file.

    Raises
    ------
    InputError
        If the file cannot be read, is not YAML, contains a key twice, or is not a block of keys.
    """
    try:
        with Path(path).open(encoding="utf-8") as file:
            loaded = yaml.load(file, _StrictLoader)  # noqa: S506 - a SafeLoader
    except OSError as error:
        raise InputError(f"config file {path} cannot be read: {error.strerror}") from error
    except InputError:
        raise
    # ValueError: a date that does not exist, bytes that are not UTF-8, a number of 5,000 digits.
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise InputError(f"{path} is not valid YAML: {' '.join(str(error).split())}") from error
    if loaded is None:
        return {}
    if not isinstance(loaded, dict):
        raise InputError(f"{path} contains {type(loaded).__name__}, expected a block of keys")
    return loaded


def read_block(model: type[AnyBlock], block: Any) -> AnyBlock:
    """Return a block of a config as its model, with all defaults.

    Parameters
    ----------
    model
        The model of the block.
    block
        The block as YAML reads it. It is not changed.

    Raises
    ------
    InputError
        If the block is not valid: one line for each fault, which names center and key, what was
        found and what is expected.
    """
    whole = separate(block) if model is StudyConfig else block
    if (
        model is StudyConfig
        and isinstance(whole, dict)
        and whole.get("exchanged")
        and not whole.get("centers")
    ):
        raise InputError(
            "key centers: has exchange files only, expected a center with data as well: development centers to "
            "train on, or with a locked model (key model) a center to which it is applied; to pool exchange files "
            "alone, run `make pool CONFIG=...` (docs/exchange.md)"
        )
    data, faults = plain(whole)
    if not faults:
        try:
            return model.read(data)
        except ValidationError as error:
            found = error.errors(include_url=False)
    else:
        found = _errors(model, data)
    replaced = {path for path, _ in faults if value_at(data, path) is None}
    for path, text in explain(found, model, data):
        if path not in replaced:  # values that were not plain data are already in `faults`
            faults.append((path, text))
    if model is StudyConfig:
        faults += _same_names(data)
    if model is CenterConfig:  # so that messages name the center as within a study
        faults = [(("centers", 0, *path), text) for path, text in faults]
        data = {"centers": [data]}
    raise InputError(joined(faults, data))


def _errors(model: type[Block], data: Any) -> list[ErrorDetails]:
    try:
        model.read(data)
    except ValidationError as error:
        return error.errors(include_url=False)
    return []


def _same_names(data: Any) -> list[Fault]:
    """Return a fault for each repeated center name.

    The model itself finds them only in a config without other faults.
    """
    found = [
        data.get(key, []) if isinstance(data, dict) else [] for key in ("centers", "exchanged")
    ]
    if not all(isinstance(centers, list) for centers in found):
        return []
    # A name that is not text is already a fault; its position takes its place here.
    names = [
        [
            center["name"]
            if isinstance(center, dict) and isinstance(center.get("name"), str)
            else f"{n} of {len(centers)}"
            for n, center in enumerate(centers)
        ]
        for centers in found
    ]
    return same_names(*names)


def read_study(config: Any) -> StudyConfig:
    """Return a study's config, with all defaults.

    Raises
    ------
    InputError
        If the config is not valid, see `read_block`.
    """
    return read_block(StudyConfig, config)


def read_pooling(config: Any) -> PoolingConfig:
    """Return the config of a site that pools exchange files without data.

    Raises
    ------
    InputError
        If a center has data, or if the config is not valid, see `read_block`.
    """
    whole = separate(config)
    if isinstance(whole, dict) and whole.get("centers"):
        raise InputError(
            "key centers: a center has data, expected exchange files only; a study with data pools exchange files "
            "itself: run it with snakemake"
        )
    if isinstance(whole, dict):
        whole = {key: value for key, value in whole.items() if key != "centers"}
    return read_block(PoolingConfig, whole)


def read_simulation(config: Any) -> SimulationConfig:
    """Return a simulated cohort's config, with all defaults.

    Raises
    ------
    InputError
        If the config is not valid, see `read_block`.
    """
    return read_block(SimulationConfig, config)
