"""The JSON schema of a block, and functions that look up its nodes."""

import functools
from collections.abc import Sequence
from typing import Any

from thyrocast.config.base import Block

Node = dict[str, Any]
NULL = {"type": "null"}
#: Types of JSON schema in words: singular, and plural for the items of a list.
WORDS = {
    "object": ("a block of keys", "blocks of keys"),
    "array": ("a list", "lists"),
    "string": ("text", "texts"),
    "integer": ("a whole number", "whole numbers"),
    "number": ("a number", "numbers"),
    "boolean": ("true or false", "truth values"),
    "null": ("nothing", "empty values"),
}


@functools.cache
def schema_of(model: type[Block]) -> Node:
    """Return the JSON schema of a model; it is cached, so do not modify it."""
    return model.model_json_schema()


def resolve(node: Node, root: Node) -> Node:
    """Return a node with references, and unions of one type and null, replaced by the target.

    ``nullable`` is added if the value may be null; descriptions and defaults of the outer node
    are kept.
    """
    node = dict(node)
    while "$ref" in node or "anyOf" in node:
        if "$ref" in node:
            target = root["$defs"][node.pop("$ref").rsplit("/", 1)[-1]]
            node = {**target, **node}
            continue
        alternatives = [part for part in node["anyOf"] if part != NULL]
        nullable = len(alternatives) < len(node["anyOf"])
        if nullable:
            node["nullable"] = True
        if len(alternatives) > 1:
            break
        del node["anyOf"]
        node = {**alternatives[0], **node}
    return node


def values_of(node: Node) -> Node | None:
    """Return the node of the values of a block whose keys are names; None for any other block."""
    found = node.get("additionalProperties")
    for values in node.get("patternProperties", {}).values():  # keys that match a pattern
        found = values
    return found if isinstance(found, dict) else None


def child(node: Node, key: str | int, root: Node) -> Node | None:
    """Return the node of a key or of an item; None if there is none."""
    if isinstance(key, int):
        items = node.get("prefixItems", [])
        found = items[key] if key < len(items) else node.get("items")
    else:
        found = node.get("properties", {}).get(key, values_of(node))
    return resolve(found, root) if isinstance(found, dict) else None


def node_at(path: Sequence[str | int], root: Node) -> Node:
    """Return the node at a path, or the last node on this path that exists."""
    node = resolve(root, root)
    for key in path:
        below = child(node, key, root)
        if below is None:
            return node
        node = below
    return node


def known_keys(node: Node, root: Node) -> list[str]:
    """Return the keys that a block accepts; empty if it accepts any."""
    if "properties" in node:
        return list(node["properties"])
    names = resolve(node.get("propertyNames", {}), root)
    return [str(name) for name in names.get("enum", [])]


def words(node: Node, root: Node) -> str:
    """Return what a node accepts, such as ``a list of 2 numbers`` or ``text or nothing``."""
    parts = [_type_words(part, root) for part in node.get("anyOf", [node]) if part != NULL]
    if node.get("nullable"):
        parts.append(WORDS["null"][0])
    parts = list(dict.fromkeys(filter(None, parts)))
    return " or ".join(filter(None, (", ".join(parts[:-1]), *parts[-1:])))


def _type_words(node: Node, root: Node) -> str:
    node = resolve(node, root)
    if "enum" in node:
        return "one of " + ", ".join(choices(node))
    kind = node.get("type", "")
    if kind == "array" and "prefixItems" in node:
        items = node["prefixItems"]
        return f"a list of {len(items)} {WORDS[resolve(items[0], root)['type']][1]}"
    if kind == "array":
        item = resolve(node.get("items", {}), root)
        inner = WORDS[item["type"]][1] if "type" in item and "enum" not in item else ""
        return f"a list of {inner}" if inner else "a list"
    return WORDS[kind][0] if kind in WORDS else str(kind)


def choices(node: Node) -> list[str]:
    """Return the values of an enumeration as they are written in a config."""
    values = [value for value in node.get("enum", []) if value is not None]
    plain = all(
        not isinstance(v, str) or (v and v.isprintable() and v[0].isalnum()) for v in values
    )
    return [str(value) if plain else repr(value) for value in values]
