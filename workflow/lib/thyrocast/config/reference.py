"""The reference of all keys and the JSON schemas, written by ``make config-docs``."""

import json
import sys
from pathlib import Path
from typing import Any

import yaml

from thyrocast.config.base import Block
from thyrocast.config.schema import Node, choices, resolve, schema_of, values_of, words
from thyrocast.config.simulation import SimulationConfig
from thyrocast.config.study import StudyConfig

_LONGEST_DEFAULT = 70
_BOUNDS = (
    ("minimum", "≥"),
    ("exclusiveMinimum", ">"),
    ("maximum", "≤"),
    ("exclusiveMaximum", "<"),
)
_LENGTHS = (
    ("minItems", "at least {}"),
    ("maxItems", "at most {}"),
    ("minProperties", "at least {}"),
    ("maxLength", "at most {} characters"),
)


def reference() -> str:
    """Return the text of config/README.md: all keys with meaning, unit, default, allowed values."""
    lines = [
        "# Configuration",
        "",
        "<!-- Generated from workflow/lib/thyrocast/config/ by `make config-docs`; a test checks"
        " that it is up to date. -->",
        "",
        "Editors that support `# yaml-language-server: $schema=schema.json` in the first line of a "
        "config complete keys and mark errors.",
        "",
        "## A study",
        "",
        *_blocks(StudyConfig),
        "## A simulated cohort",
        "",
        *_blocks(SimulationConfig),
    ]
    return "\n".join(lines).rstrip() + "\n"


def json_schema(model: type[Block]) -> str:
    """Return the JSON schema of a whole config, as text."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema_of(model)}
    if model is StudyConfig:  # a center that sent an exchange file is listed among the others
        centers = schema["properties"]["centers"]
        both = [centers["items"], {"$ref": "#/$defs/ExchangedCenterConfig"}]
        listed = {**centers, "items": {"anyOf": both}}
        schema = {**schema, "properties": {**schema["properties"], "centers": listed}}
    return json.dumps(_one_line(schema), indent=1, ensure_ascii=False) + "\n"


def _one_line(node: Any) -> Any:
    """Return the schema with every description on one line; docstrings have several lines."""
    if isinstance(node, list):
        return [_one_line(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        key: " ".join(value.split())
        if key == "description" and isinstance(value, str)
        else _one_line(value)
        for key, value in node.items()
    }


def _blocks(model: type[Block]) -> list[str]:
    root = schema_of(model)
    node = resolve(root, root)
    return [_description(node), "", *_section(node, root, "", 3)]


def _section(node: Node, root: Node, title: str, level: int) -> list[str]:
    """Return the lines for a block: its table, its long defaults, and the blocks in it."""
    rows, long, below = [], [], []
    required = node.get("required", [])
    for key, given in node.get("properties", {}).items():
        part = resolve(given, root)
        inner, name = _inner(part, root), f"{title}.{key}" if title else key
        rows.append(_row(key, part, root, key in required, inner is not None))
        if _is_long(part):
            long += [f"Default of `{name}`:", "", *_code(part["default"]), ""]
        if inner is not None:
            place = name + ("[]" if "items" in part else ".<name>" if values_of(part) else "")
            lead = _description(inner)
            below += [f"{'#' * min(level, 6)} `{place}`", "", *([lead, ""] if lead else [])]
            below += _section(inner, root, place, level + 1)
    head = ["| key | meaning | unit | default | allowed |", "| --- | --- | --- | --- | --- |"]
    return [*head, *rows, "", *long, *below]


def _inner(part: Node, root: Node) -> Node | None:
    """Return the block of a key, of its items or of its values; None if they are not blocks."""
    for candidate in (part, part.get("items"), values_of(part)):
        if isinstance(candidate, dict):
            found = resolve(candidate, root)
            if "properties" in found:
                return found
    return None


def _row(key: str, part: Node, root: Node, required: bool, is_block: bool) -> str:
    if required:
        default = "**required**"
    elif is_block and not part.get("default"):
        default = "`null`" if part.get("nullable") else "`[]`" if "default" in part else "see below"
    elif _is_long(part):
        default = "below the table"
    else:
        default = f"`{_flow(part['default'])}`"
    cells = (
        f"`{key}`",
        _cell(_description(part)),
        part.get("unit", ""),
        default,
        _allowed(part, root),
    )
    return f"| {' | '.join(cells)} |"


def _description(node: Node) -> str:
    return " ".join(str(node.get("description", "")).split())


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _flow(value: Any) -> str:
    text = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=10_000)
    return text.splitlines()[0]


def _is_long(part: Node) -> bool:
    """Return whether a default is shown below the table: if it is long or contains ``|``."""
    text = _flow(part.get("default"))
    return len(text) > _LONGEST_DEFAULT or "|" in text


def _code(value: Any) -> list[str]:
    """Return a default as YAML that can be copied; each value is on one line."""
    lines = yaml.safe_dump(value, allow_unicode=True, width=10_000).splitlines()
    return ["```yaml", *lines, "```"]


def _allowed(part: Node, root: Node) -> str:
    if "enum" in part:
        return _choices(part)
    items = part.get("items")
    if isinstance(items, dict) and "enum" in resolve(items, root):
        return "list of " + _choices(resolve(items, root))
    text = words(part, root)
    bounds = [f"{sign} {part[rule]:g}" for rule, sign in _BOUNDS if rule in part]
    lengths = [form.format(part[rule]) for rule, form in _LENGTHS if rule in part]
    if "expected" in part:
        lengths.append(_cell(part["expected"]))
    return ", ".join([" ".join([text, *bounds]), *lengths])


def _choices(node: Node) -> str:
    shown = ", ".join(f"`{choice}`" for choice in choices(node))
    return shown + (" or nothing" if node.get("nullable") else "")


def write(folder: Path) -> None:
    """Write README.md, schema.json and simulation/schema.json to the folder of configs."""
    (folder / "README.md").write_text(reference(), encoding="utf-8")
    (folder / "schema.json").write_text(json_schema(StudyConfig), encoding="utf-8")
    simulation = folder / "simulation" / "schema.json"
    simulation.write_text(json_schema(SimulationConfig), encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
