"""The section on versions and seeds: provenance as lists of names and values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from thyrocast.contract.documents import Provenance
from thyrocast.pages import numbers
from thyrocast.report import words

#: Blocks in the order of the page; others follow, and the config, which is long, comes last.
_FIRST = ("versions", "inputs", "slurm_jobs")
_LAST = "config"


@dataclass(frozen=True)
class ProvenanceList:
    """A titled list of (name, value)."""

    title: str
    pairs: Sequence[tuple[str, str]]


def provenance_lists(provenance: Provenance) -> list[ProvenanceList]:
    """Single values in one list, and one list for each block that is not empty."""
    values = provenance.model_dump(mode="json")
    single = {key: value for key, value in values.items() if not isinstance(value, Mapping)}
    others = [key for key in values if key not in (*single, *_FIRST, _LAST)]
    return [
        ProvenanceList(
            "Study", [(words.plain(key), _text(value)) for key, value in single.items()]
        ),
        *(
            ProvenanceList(words.plain(key), _flat(values[key]))
            for key in (*_FIRST, *others, _LAST)
            if values[key]
        ),
    ]


def _flat(value: JsonValue, prefix: str = "") -> list[tuple[str, str]]:
    """Leaves of nested blocks, named by their path of keys."""
    items: list[tuple[str, JsonValue]]
    if isinstance(value, Mapping):
        items = [*value.items()]
    elif isinstance(value, list) and any(isinstance(item, Mapping) for item in value):
        items = [(_name(item, place), item) for place, item in enumerate(value)]
    else:
        return [(prefix, _text(value))]
    return [
        pair for key, item in items for pair in _flat(item, f"{prefix}.{key}".removeprefix("."))
    ]


def _name(item: JsonValue, place: int) -> str:
    return str(item.get("name", place)) if isinstance(item, Mapping) else str(place)


def _text(value: JsonValue) -> str:
    if isinstance(value, list):
        return ", ".join(map(_text, value)) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return numbers.MISSING if value in (None, "") else str(value)
