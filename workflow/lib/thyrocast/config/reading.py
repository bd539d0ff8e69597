"""What a study's config may say: its schema, its defaults, and messages that name what is wrong.

Imported by the launcher, so standard library, PyYAML and jsonschema (Snakemake brings both) only.
"""

import copy
import difflib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator, ValidationError

from thyrocast.errors import InputError

SCHEMAS = Path(__file__).resolve().parents[3] / "schemas"
Schema = dict[str, Any]


def load_schema(name: str = "config.schema.yaml", folder: Path = SCHEMAS) -> Schema:
    """Read a schema, every ``$ref`` to a sibling file replaced by what that file says."""
    schema: Schema = _inline(yaml.safe_load((folder / name).read_text(encoding="utf-8")), folder)
    return schema


def _inline(node: Any, folder: Path) -> Any:
    if isinstance(node, list):
        return [_inline(item, folder) for item in node]
    if not isinstance(node, dict):
        return node
    reference = node.get("$ref", "")
    if reference.endswith(".yaml"):
        block = load_schema(reference, folder)
        block.pop("$schema", None)
        return block | {key: _inline(value, folder) for key, value in node.items() if key != "$ref"}
    return {key: _inline(value, folder) for key, value in node.items()}


class _StrictLoader(yaml.SafeLoader):
    """YAML whose mappings may not say a key twice (plain YAML keeps the last one silently)."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: dict[Any, int] = {}
        for key_node, _ in node.value:
            if (
                key_node.tag == "tag:yaml.org,2002:merge"
            ):  # `<<` brings defaults, it says nothing twice
                continue
            key = self.construct_object(key_node, deep=True)
            line = key_node.start_mark.line + 1
            if key in seen:
                raise InputError(
                    f"{node.start_mark.name}: key {key!r} stands on line {seen[key]} and again on "
                    f"line {line}: keep one of them"
                )
            seen[key] = line
        return super().construct_mapping(node, deep)


def check_file(path: str | Path) -> None:
    """Raise `InputError` if a config file is not YAML or says a key twice."""
    with Path(path).open(encoding="utf-8") as file:
        try:
            yaml.load(file, _StrictLoader)  # noqa: S506 - a SafeLoader
        except yaml.YAMLError as error:
            raise InputError(f"{path} is not valid YAML: {' '.join(str(error).split())}") from error


def complete(config: dict[str, Any], schema: Schema) -> dict[str, Any]:
    """The config with every default of the schema filled in; the given one is left as it is.

    Raises
    ------
    InputError
        If the config does not fit the schema; one line for each fault, naming center and key.
    """
    filled = copy.deepcopy(config)
    _fill(filled, schema)
    errors = sorted(
        Draft202012Validator(schema).iter_errors(filled),
        key=lambda e: [str(p) for p in e.absolute_path],
    )
    faults = list(dict.fromkeys(_sentence(error, filled) for error in errors))
    faults += _same_names(filled)
    if faults:
        raise InputError("; ".join(faults) if len(faults) == 1 else "\n".join(["", *faults]))
    return filled


def _fill(value: Any, schema: Schema) -> None:
    if isinstance(value, list):
        for item in value:
            _fill(item, schema.get("items", {}))
    if not isinstance(value, dict):
        return
    for key, part in schema.get("properties", {}).items():
        if key not in value and ("default" in part or _optional_block(part)):
            value[key] = copy.deepcopy(part.get("default", {}))
        if key in value:
            _fill(value[key], part)
    extra = schema.get("additionalProperties")
    if isinstance(extra, dict):
        for key in value.keys() - schema.get("properties", {}).keys():
            _fill(value[key], extra)


def _optional_block(part: Schema) -> bool:
    """A block whose every key has a default may be left out whole."""
    return part.get("type") == "object" and "properties" in part and not part.get("required")


def _place(path: list[Any], config: dict[str, Any]) -> str:
    """``centers[1].columns`` in words: the center's name and the key below it."""
    path = list(path)
    where = []
    if path[:1] == ["centers"] and len(path) > 1:
        center = config["centers"][path[1]]
        # A study lists its centers, a simulation keys them by name.
        name = path[1] if isinstance(path[1], str) else None
        if isinstance(center, dict):
            name = center.get("name", name)
        where.append(f"center {name}" if name else f"center number {path[1] + 1}")
        path = path[2:]
    if path:
        where.append("key " + ".".join(str(part) for part in path))
    return ", ".join(where) or "config"


_TYPES = {
    "object": "a block of keys",
    "array": "a list",
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "nothing",
}


def _sentence(error: ValidationError, config: dict[str, Any]) -> str:
    path = list(error.absolute_path)
    place = _place(path, config)
    rule = error.validator
    got: Any = error.instance
    want: Any = error.validator_value
    schema: Any = error.schema
    if rule == "additionalProperties" and isinstance(got, dict):
        known = list(schema.get("properties", {}))
        unknown = sorted(str(key) for key in got if key not in known)
        parts = []
        for key in unknown:
            near = difflib.get_close_matches(key, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"expected one of {', '.join(known)}"
            parts.append(f"{place}: unknown key {key!r}: {hint}")
        return "; ".join(parts)
    if rule == "required":
        missing = sorted(set(want) - set(got))
        return f"{place}: missing {', '.join(map(repr, missing))}, which has no default: add it"
    if rule == "enum":
        return f"{place}: {got!r} is unknown, expected one of {', '.join(map(str, want))}"
    if rule == "type":
        kinds = [want] if isinstance(want, str) else want
        expected = " or ".join(_TYPES.get(kind, kind) for kind in kinds)
        return f"{place}: {got!r} is not valid, expected {expected}"
    limits = {
        "minimum": "at least",
        "maximum": "at most",
        "exclusiveMinimum": "more than",
        "exclusiveMaximum": "less than",
    }
    if rule in limits:
        return f"{place}: {got!r} is out of range, expected {limits[rule]} {want}"
    if rule == "pattern":
        return f"{place}: {got!r} is not valid, expected text that matches {want}"
    if rule in {"minItems", "minProperties"}:
        return f"{place}: is empty, expected at least {want}"
    return f"{place}: {error.message}"


def _same_names(config: dict[str, Any]) -> Iterator[str] | list[str]:
    centers = config.get("centers")
    names = (
        [c.get("name") for c in centers if isinstance(c, dict)] if isinstance(centers, list) else []
    )
    folded = [str(name).casefold() for name in names if name is not None]
    twice = sorted({name for name in folded if folded.count(name) > 1})
    return [
        f"center {name}: two centers have this name (upper and lower case count as one): rename one"
        for name in twice
    ]


def reference(schema: Schema) -> str:
    """config/README.md: every key of the schema, its meaning, unit, default and allowed values."""
    lines = [
        "# Configuration",
        "",
        "<!-- Generated from workflow/schemas/ by `make config-docs`; a test keeps it in step. -->",
        "",
        *_paragraph(schema),
        *_section(schema, "Top level", 2),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _paragraph(schema: Schema) -> list[str]:
    text = " ".join(str(schema.get("description", "")).split())
    return [text, ""] if text else []


def _section(schema: Schema, title: str, level: int) -> list[str]:
    rows, below = [], []
    required = schema.get("required", [])
    for key, part in schema.get("properties", {}).items():
        rows.append(_row(key, part, key in required))
        inner = part.get("items", part) if part.get("type") == "array" else part
        if isinstance(inner, dict) and inner.get("properties"):
            name = f"{title} · `{key}`" if level > 2 else f"`{key}`"
            lead = _paragraph(inner) if inner is not part else []
            below += [f"{'#' * min(level, 6)} {name}", "", *lead, *_section(inner, name, level + 1)]
    table = [
        "| key | meaning | unit | default | allowed |",
        "| --- | --- | --- | --- | --- |",
        *rows,
        "",
    ]
    return table + below


def _row(key: str, part: Schema, required: bool) -> str:
    meaning = " ".join(str(part.get("description", "")).split()).replace("|", "\\|")
    if part.get("properties") or (part.get("type") == "array" and part["items"].get("properties")):
        default = "**required**" if required else "see below"
    elif required or "default" not in part:
        default = "**required**" if required else "–"
    else:
        default = f"`{yaml.safe_dump(part['default'], default_flow_style=True).splitlines()[0]}`"
    return f"| `{key}` | {meaning} | {part.get('unit', '')} | {default} | {_allowed(part)} |"


def _allowed(part: Schema) -> str:
    if "enum" in part:
        return ", ".join(f"`{value}`" for value in part["enum"])
    if "enum" in part.get("items", {}):
        return "list of " + ", ".join(f"`{value}`" for value in part["items"]["enum"])
    kinds = part.get("type", "")
    text = " or ".join(
        _TYPES.get(k, k) for k in ([kinds] if isinstance(kinds, str) else kinds) if k
    )
    for rule, word in (
        ("minimum", "≥"),
        ("exclusiveMinimum", ">"),
        ("maximum", "≤"),
        ("exclusiveMaximum", "<"),
    ):
        if rule in part:
            text += f" {word} {part[rule]}"
    return text


if __name__ == "__main__":
    print(reference(load_schema()), end="")
