"""Reading a config: files, blocks, and all faults of them at once, one sentence each."""

import re
from collections.abc import Hashable
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from thyrocast.config.base import Block, Fault
from thyrocast.config.center import CenterConfig
from thyrocast.config.messages import explain, joined, value_at
from thyrocast.config.plain import plain
from thyrocast.config.simulation import SimulationConfig
from thyrocast.config.study import StudyConfig, same_names
from thyrocast.errors import InputError

AnyBlock = TypeVar("AnyBlock", bound=Block)


class _StrictLoader(yaml.SafeLoader):
    """YAML whose mappings may not contain a key twice (plain YAML silently keeps the last one)."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: dict[Hashable, int] = {}
        for key_node, _ in node.value:
            if key_node.tag == "tag:yaml.org,2002:merge":  # `<<` brings defaults, no key twice
                continue
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, Hashable):
                continue  # refused by the parent class
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
    """The mapping in a config file.

    Raises
    ------
    InputError
        If the file cannot be read, is not YAML, contains a key twice, or is no block of keys.
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
    """A block of a config as its model, with all defaults.

    Parameters
    ----------
    model
        The model of the block.
    block
        The block as YAML reads it. It is not changed.

    Raises
    ------
    InputError
        If the block is not valid: one line for each fault, naming center and key, what was found
        and what is expected.
    """
    data, faults = plain(block)
    if not faults:
        try:
            return model.read(data)
        except ValidationError as error:
            found = error.errors(include_url=False)
    else:
        found = _errors(model, data)
    replaced = {path for path, _ in faults if value_at(data, path) is None}
    for path, text in explain(found, model, data):
        if path not in replaced:  # what was not plain data has its own sentence
            faults.append((path, text))
    if model is StudyConfig:
        faults += _same_names(data)
    if model is CenterConfig:  # named as within a study
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
    """Centers of one name, also in a config whose other faults hide them from its model."""
    centers = data.get("centers") if isinstance(data, dict) else None
    if not isinstance(centers, list):
        return []
    names = [center.get("name") if isinstance(center, dict) else None for center in centers]
    # A name that is no text is refused anyway; its number is as good as any other name.
    return same_names(name if isinstance(name, str) else str(n) for n, name in enumerate(names))


def read_study(config: Any) -> StudyConfig:
    """A study's config, with all defaults.

    Raises
    ------
    InputError
        If the config is not valid, see `read_block`.
    """
    return read_block(StudyConfig, config)


def read_simulation(config: Any) -> SimulationConfig:
    """A simulated cohort's config, with all defaults.

    Raises
    ------
    InputError
        If the config is not valid, see `read_block`.
    """
    return read_block(SimulationConfig, config)
