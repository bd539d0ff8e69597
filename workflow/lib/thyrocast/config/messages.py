"""Messages about the faults of a config: place, what was found and what was expected."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic_core import ErrorDetails

from thyrocast.config.base import Block, Fault, FaultsError
from thyrocast.config.schema import choices, known_keys, node_at, schema_of, words

Path = tuple[str | int, ...]
_LIMITS = {
    "greater_than": ("gt", "more than"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "less than"),
    "less_than_equal": ("le", "at most"),
}
_LONGEST = 80
_QUOTES = " (YAML reads an unquoted yes, no, on or off as true or false: put it in quotes)"


def explain(errors: Sequence[ErrorDetails], model: type[Block], data: Any) -> list[Fault]:
    """Convert the errors of a validation to faults.

    Parameters
    ----------
    errors
        As `pydantic.ValidationError.errors` gives them.
    model
        The model that was validated.
    data
        The plain data that was validated.

    Returns
    -------
    list
        For each fault, its path in ``data`` and the text that follows the path in the message.
    """
    faults: list[Fault] = []
    absent: dict[Path, list[str]] = {}
    for error in errors:
        path = _in_data(error["loc"], data)
        kind, ctx = error["type"], error.get("ctx", {})
        if kind == "too_short" and len(value_at(data, path)) >= ctx["min_length"]:
            continue  # pydantic counts only valid items; each invalid item is a separate fault
        if kind == "missing" and isinstance(error["loc"][-1], str):
            absent.setdefault(path, []).append(error["loc"][-1])
        elif isinstance(cause := ctx.get("error"), FaultsError):
            faults += [((*path, *below), text) for below, text in cause.faults]
        elif kind == "value_error":
            faults.append((path, str(cause)))
        elif error["loc"][-1:] == ("[key]",) or kind == "extra_forbidden":
            faults.append((path[:-1], _unknown_key(str(path[-1]), path[:-1], kind, ctx, model)))
        else:
            faults.append((path, _wrong_value(value_at(data, path), path, kind, ctx, model)))
    for path, keys in absent.items():
        shown = ", ".join(repr(key) for key in sorted(keys))
        faults.append(
            (
                path,
                f"missing {shown}, which {'has' if len(keys) == 1 else 'have'} no default: add it",
            )
        )
    return list(dict.fromkeys(faults))


def joined(faults: Iterable[Fault], data: Any) -> str:
    """Return all faults as one message, with one line for each if there are several."""
    ordered = sorted(faults, key=lambda fault: [str(part) for part in fault[0]])
    lines = list(dict.fromkeys(f"{place(path, data)}: {text}" for path, text in ordered))
    return lines[0] if len(lines) == 1 else "\n".join(["", *lines])


def place(path: Sequence[str | int], data: Any) -> str:
    """Return a path in words, such as ``center north, key columns.age``."""
    where = []
    path = list(path)
    if path[:1] in (["centers"], ["exchanged"]) and len(path) > 1:
        center, key = value_at(data, tuple(path[:2])), path[1]
        # A study lists its centers, a simulation keys them by name.
        name = center.get("name") if isinstance(center, Mapping) else None
        if name is None and isinstance(key, str):
            name = key
        where.append(f"center number {int(key) + 1}" if name is None else f"center {_word(name)}")
        path = path[2:]
    if path:
        where.append("key " + ".".join(_word(part) for part in path))
    return ", ".join(where) or "config"


def _word(part: Any) -> str:
    """Return a name for a message; quoted if it is empty or contains unprintable characters."""
    text = str(part)
    return text if text and text.isprintable() else ascii(text)


def _in_data(loc: Sequence[str | int], data: Any) -> Path:
    """Return the part of an error's location that is a path in the data.

    Pydantic adds its own names to a location, such as the type that it tried in a union.
    """
    path: list[str | int] = []
    for part in loc:
        inside = (isinstance(data, dict) and part in data) or (
            isinstance(data, list) and isinstance(part, int) and part < len(data)
        )
        if not inside:
            break
        data = data[part]
        path.append(part)
    return tuple(path)


def value_at(data: Any, path: Path) -> Any:
    """Return the value at a path of plain data."""
    for part in path:
        data = data[part]
    return data


def _unknown_key(
    key: str, path: Path, kind: str, ctx: Mapping[str, Any], model: type[Block]
) -> str:
    root = schema_of(model)
    known = known_keys(node_at(path, root), root)
    if not known:
        pattern = f"text that matches {ctx['pattern']}" if "pattern" in ctx else "another"
        return f"{key!r} is not valid as a key, expected {pattern}"
    for name, about in node_at(path, root).get("properties", {}).items():
        if about.get("formerly") == key:
            return f"unknown key {key!r}: it is now called {name!r}, rename it"
    if reason := node_at(path, root).get("removed", {}).get(key):
        return f"unknown key {key!r}: {reason}, remove the key"
    near = difflib.get_close_matches(key, known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"expected one of {', '.join(known)}"
    return f"unknown key {key!r}: {hint}"


def _wrong_value(
    got: Any, path: Path, kind: str, ctx: Mapping[str, Any], model: type[Block]
) -> str:
    root = schema_of(model)
    node = node_at(path, root)
    found = _shown(got)
    if kind in {"enum", "literal_error"}:
        hint = _QUOTES if isinstance(got, bool) else ""
        return f"{found} is unknown, expected one of {', '.join(choices(node))}{hint}"
    if kind in _LIMITS:
        name, text = _LIMITS[kind]
        return f"{found} is out of range, expected {text} {ctx[name]:g}"
    if kind == "string_pattern_mismatch":
        expected = node.get("expected", f"text that matches {ctx['pattern']}")
        return f"{found} is not valid, expected {_as_text(expected)}"
    if kind == "too_short" and "prefixItems" not in node:
        return f"is empty, expected at least {ctx['min_length']}"
    if kind == "too_long" and "prefixItems" not in node:
        return f"has {ctx['actual_length']} values, expected at most {ctx['max_length']}"
    if kind == "string_too_short":
        return "is empty, expected text"
    if kind == "string_too_long":
        return f"{found} is too long, expected at most {ctx['max_length']} characters"
    expected = "a finite number" if kind == "finite_number" else words(node, root)
    return f"{found} is not valid, expected {expected}{_hint(got, node)}"


def _as_text(expected: str) -> str:
    return expected if expected.startswith("text") else f"text: {expected}"


def _hint(got: Any, node: Mapping[str, Any]) -> str:
    kinds = {part.get("type") for part in node.get("anyOf", [node])}
    if isinstance(got, bool) and "string" in kinds:
        return _QUOTES
    if isinstance(got, int | float) and "string" in kinds:
        return " (put it in quotes)"
    if isinstance(got, str) and kinds & {"integer", "number"} and _is_number(got):
        exponent = "e" in got.lower()
        return (
            " (with an exponent YAML needs a decimal point: 1.0e-3)"
            if exponent
            else " (without quotes)"
        )
    return ""


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _shown(value: Any) -> str:
    """Return a value as it is written in the file, shortened."""
    if value is None:
        return "an empty value"
    if isinstance(value, bool):
        return str(value).lower()
    text = repr(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."
