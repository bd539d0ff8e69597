"""Convert a parsed YAML config to plain data with text keys; other values are faults."""

import datetime
from collections.abc import Mapping
from typing import Any

from thyrocast.config.base import Fault
from thyrocast.errors import InputError

#: More values than any config has: only nested YAML aliases exceed it.
MOST_VALUES = 200_000
_DEEPEST = 30
_LARGEST = 2**63


def plain(value: Any) -> tuple[Any, list[Fault]]:
    """Copy nested mappings and lists as plain data.

    Numbers as keys become text, since they are codes of a table. Keys that are true, false or
    null are rejected: YAML reads an unquoted code ``no`` as false, so the original code is
    unknown.

    Parameters
    ----------
    value
        A config or a part of it, as YAML reads it.

    Returns
    -------
    tuple
        The copy, with None in place of each wrong value or key, and the faults.

    Raises
    ------
    InputError
        If aliases make the config too large.
    """
    copier = _Copier()
    return copier.copy(value, ()), copier.faults


class _Copier:
    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self._values = 0

    def copy(self, value: Any, path: tuple[str | int, ...]) -> Any:
        self._values += 1
        if self._values > MOST_VALUES or len(path) > _DEEPEST:
            raise InputError(
                "config: a YAML alias (`*name`) makes it too large: "
                "replace the alias by its content"
            )
        if isinstance(value, Mapping):
            return self._mapping(value, path)
        if isinstance(value, list | tuple):
            return [self.copy(item, (*path, n)) for n, item in enumerate(value)]
        if text := _refusal(value):
            self.faults.append((path, text))
            return None
        # Members of text enumerations become plain text.
        return str(value) if isinstance(value, str) else value

    def _mapping(self, value: Mapping[Any, Any], path: tuple[str | int, ...]) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key, item in value.items():
            number = isinstance(key, int | float) and not isinstance(key, bool)
            if not number and (not isinstance(key, str) or _refusal(key)):
                shown = str(key).lower() if isinstance(key, bool) else _shown_key(key)
                text = (
                    f"the key {shown} is not text (YAML reads an unquoted yes, no, on, off, null "
                    "or date as something else): put it in quotes"
                )
                self.faults.append((path, text))
                continue
            if str(key) in result:
                text = f"the key {str(key)!r} occurs as a number and as text: keep one of them"
                self.faults.append((path, text))
                continue
            result[str(key)] = self.copy(item, (*path, str(key)))
        return result


def _shown_key(key: Any) -> str:
    return "null" if key is None else ascii(key) if isinstance(key, str) else str(key)


def _refusal(value: Any) -> str:
    """Return why a config can't contain a value that is not a list or block; "" if it can."""
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            return f"{value!a} contains half of a surrogate pair: write the character itself"
        return ""
    if value is None or isinstance(value, bool | float):
        return ""
    if isinstance(value, int):
        return "" if abs(value) < _LARGEST else "is too large a number"
    if isinstance(value, datetime.date):
        return f"YAML reads {value} as a date: put it in quotes to make it text"
    kind = type(value).__name__
    return (
        f"a value of type {kind} is not valid, expected text, a number, a list or a block of keys"
    )
