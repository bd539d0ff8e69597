"""Every key is described once, in its model; what is generated from there is in step."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from thyrocast.config import reading, reference, schema
from thyrocast.config.base import Block
from thyrocast.config.simulation import SimulationConfig
from thyrocast.config.study import StudyConfig

ROOT = Path(__file__).resolve().parents[3]


def below(kind: type[Block]) -> Iterator[type[Block]]:
    for block in kind.__subclasses__():
        yield block
        yield from below(block)


BLOCKS = list(below(Block))


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.__name__)
def test_every_block_and_key_is_described_and_unknown_keys_are_refused(block: type[Block]) -> None:
    assert block.__doc__
    assert block.model_config["extra"] == "forbid"
    assert block.model_config["frozen"]
    for name, field in block.model_fields.items():
        assert (field.description or "").endswith((".", ")")), f"{block.__name__}.{name}"


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.__name__)
def test_defaults_are_valid(block: type[Block]) -> None:
    if not any(field.is_required() for field in block.model_fields.values()):
        assert block.read(block().plain()) == block()


@pytest.mark.parametrize("word", ["lies", "stands", "tells", "anew", "lacks", "goes on", "holds"])
def test_descriptions_are_plain_english(word: str) -> None:
    for block in BLOCKS:
        texts = [block.__doc__ or "", *(f.description or "" for f in block.model_fields.values())]
        assert not [text for text in texts if f" {word} " in text]


def test_reference_is_in_step() -> None:
    written = (ROOT / "config" / "README.md").read_text(encoding="utf-8")
    assert written == reference.reference(), "run `make config-docs`"


@pytest.mark.parametrize(
    ("path", "block"),
    [("schema.json", StudyConfig), ("simulation/schema.json", SimulationConfig)],
    ids=["study", "simulation"],
)
def test_json_schema_is_in_step(path: str, block: type[Block]) -> None:
    written = (ROOT / "config" / path).read_text(encoding="utf-8")
    assert written == reference.json_schema(block), "run `make config-docs`"


def test_rows_of_the_reference_have_five_cells() -> None:
    for line in reference.reference().splitlines():
        if line.startswith("|"):
            assert line.replace("\\|", "").count("|") == 6, line


def test_long_defaults_of_the_reference_can_be_copied() -> None:
    """What the page shows is the default, once YAML has read it."""
    text = reference.reference()
    shown = text.split("Default of `evaluation.subgroups`:\n\n```yaml\n")[1].split("```")[0]
    block = next(b for b in BLOCKS if b.__name__ == "EvaluationConfig")().plain()
    assert yaml.safe_load(shown) == block["subgroups"]


@pytest.mark.parametrize("file", sorted((ROOT / "config").glob("**/*.yaml")), ids=lambda f: f.name)
def test_editors_accept_the_example_configs(file: Path) -> None:
    if file.name == "east.yaml":  # a part of a cohort
        return
    first = file.read_text(encoding="utf-8").splitlines()[0]
    assert first == "# yaml-language-server: $schema=schema.json"
    jsonschema.validate(
        reading.read_file(file), json.loads((file.parent / "schema.json").read_text("utf-8"))
    )


def test_paths_lead_through_the_schema() -> None:
    def at(block: type[Block], *path: str | int) -> dict[str, Any]:
        root = schema.schema_of(block)
        return schema.node_at(path, root)

    assert at(StudyConfig, "centers", 3, "fallbacks", "pixel_mm")["unit"] == "mm"
    assert at(SimulationConfig, "centers", "x", "camera", "matrix")["enum"] == [64, 128, 256, 512]
    assert at(StudyConfig, "evaluation", "decision", "range", 1)["exclusiveMaximum"] == 1
