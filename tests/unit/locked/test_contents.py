"""A locked model from a sender who means harm is refused, and nothing in it runs."""

import io
import json
import pickle
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import joblib
import numpy as np
import pytest
import torch

from tests.unit.locked import example_bundle
from tests.unit.locked.example_bundle import FOREST, NAMES, SIGNATURE, accepted, refused
from thyrocast.errors import InputError
from thyrocast.locked import contents, domain


class Attack:
    """Unpickling this object creates a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return Path.write_text, (self.path, "attacked")


def pickled(attack: Attack) -> bytes:
    return pickle.dumps(attack)


def by_joblib(attack: Attack) -> bytes:
    stream = io.BytesIO()
    joblib.dump(attack, stream)
    return stream.getvalue()


def by_torch(attack: Attack) -> bytes:
    stream = io.BytesIO()
    torch.save(attack, stream)
    return stream.getvalue()


def by_torch_of_old(attack: Attack) -> bytes:
    stream = io.BytesIO()
    torch.save(attack, stream, _use_new_zipfile_serialization=False)
    return stream.getvalue()


def by_numpy(attack: Attack) -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.array([attack], dtype=object), allow_pickle=True)
    return stream.getvalue()


@pytest.mark.parametrize("attack", [pickled, by_joblib, by_torch, by_torch_of_old, by_numpy])
@pytest.mark.parametrize(
    "name", [name for name in NAMES if not name.endswith((".xml", ".txt"))][1:]
)
def test_no_format_unpickles(
    model: Path, tmp_path: Path, name: str, attack: Callable[[Attack], bytes]
) -> None:
    mark = tmp_path / "attacked"
    example_bundle.replace(model, name, attack(Attack(mark)))
    refused(model, name)
    assert not mark.exists()
    pickle.loads(pickled(Attack(mark)))  # noqa: S301 - the attack, on ourselves
    assert mark.exists()  # the attack itself works


def repacked(model: Path, change: Callable[[dict[str, bytes]], object]) -> None:
    """Change the entries of the forest's archive."""
    with zipfile.ZipFile(model / FOREST) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    change(entries)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in entries.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    example_bundle.replace(model, FOREST, stream.getvalue())


def first_array(entries: dict[str, bytes]) -> str:
    return next(name for name in entries if name.endswith(".npy"))


def test_the_forest_itself_survives_repacking(model: Path) -> None:
    repacked(model, lambda entries: None)
    accepted(model)


@pytest.mark.parametrize("name", ["../../evil.npy", "/tmp/evil.npy", "evil.py"])
def test_a_forest_with_other_entries_is_refused(model: Path, name: str) -> None:
    repacked(model, lambda entries: entries.update({name: b"x"}))
    refused(model, name)


def test_arrays_of_objects_in_a_forest_are_refused(model: Path, tmp_path: Path) -> None:
    mark = tmp_path / "attacked"
    repacked(model, lambda e: e.update({first_array(e): by_numpy(Attack(mark))}))
    refused(model, FOREST, "Python objects")
    assert not mark.exists()


def test_an_array_that_states_to_be_huge_is_refused(model: Path) -> None:
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        stream, {"descr": "<f8", "fortran_order": False, "shape": (1 << 40, 1 << 40)}
    )
    repacked(model, lambda e: e.update({first_array(e): stream.getvalue()}))
    refused(model, FOREST, "shape")


def test_a_compressed_forest_is_refused(model: Path) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("schema.json", bytes(1 << 24))
    example_bundle.replace(model, FOREST, stream.getvalue())
    refused(model, FOREST, "compressed")


def node(loader: str, kind: str, **more: object) -> dict[str, object]:
    module, _, name = kind.rpartition(".")
    return {"__loader__": loader, "__module__": module, "__class__": name, "__id__": 1, **more}


@pytest.mark.parametrize(
    "evil",
    [
        node("FunctionNode", "os.system", content={"module_path": "os", "function": "system"}),
        node("MethodNode", "builtins.method", content={"func": "system", "obj": {}}),
        node("ReduceNode", "subprocess.Popen", reduce={"args": ["id"]}),
        node("PartialNode", "functools.partial", content={}),
        node("ObjectNode", "sklearn.pipeline.Pipeline", content={}),
        node("OperatorFuncNode", "operator.methodcaller", content={}),
        node("ObjectNode", "builtins.str", content={}),
    ],
)
@pytest.mark.parametrize("deep", [False, True])
def test_a_forest_with_other_types_is_refused(
    model: Path, evil: dict[str, object], deep: bool
) -> None:
    def change(entries: dict[str, bytes]) -> None:
        schema = json.loads(entries["schema.json"])
        if deep:
            next(iter(schema["content"].values()))["content"]["content"]["verbose"] = evil
        else:
            schema = schema | evil
        entries["schema.json"] = json.dumps(schema).encode()

    repacked(model, change)
    refused(model, FOREST, "no part of a forest")


def tree_nodes(entries: dict[str, bytes]) -> str:
    """Entry with the nodes of a tree."""
    for name, content in entries.items():
        if name.endswith(".npy"):
            array = np.load(io.BytesIO(content))
            if array.dtype.names and len(array) > 1:
                return name
    raise AssertionError


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("left_child", 0),
        ("right_child", 1 << 40),
        ("left_child", -5),
        ("feature", 1 << 30),
        ("feature", -9),
    ],
)
def test_trees_that_leave_their_arrays_or_run_in_circles_are_refused(
    model: Path, field: str, value: int
) -> None:
    def change(entries: dict[str, bytes]) -> None:
        name = tree_nodes(entries)
        nodes = np.load(io.BytesIO(entries[name]))
        nodes[field][0] = value
        stream = io.BytesIO()
        np.save(stream, nodes)
        entries[name] = stream.getvalue()

    repacked(model, change)
    refused(model, FOREST, "damaged")


@pytest.mark.parametrize(
    "content",
    [
        b'{"embeddings": "cross_fitted", "embeddings": "in_sample"}',
        b'{"embeddings": NaN}',
        b'{"embeddings": 1e999}',
        b"[" * 100_000,
        b"9" * 100_000,
        b"\xff\xfe",
        b"{}",
    ],
)
def test_json_that_readers_understand_differently_is_refused(model: Path, content: bytes) -> None:
    example_bundle.replace(model, SIGNATURE, content)
    refused(model, SIGNATURE)


@pytest.mark.parametrize(
    "text",
    ['{"a": 1, "a": 2}', '{"format": NaN}', "[" * 100_000, '{"format": 1e999}', "x" * 5_000_000],
)
def test_a_strange_manifest_is_refused(model: Path, text: str) -> None:
    (model / "manifest.json").write_text(text)
    refused(model, "manifest.json")


def test_a_manifest_that_lists_a_huge_file_is_refused(model: Path) -> None:
    example_bundle.edit(model, files={"ranges.csv": {"sha256": "0" * 64, "bytes": 1 << 50}})
    refused(model, "bytes")


@pytest.mark.parametrize("feature", [80, -1])
def test_a_feature_that_no_embedding_has_is_refused(model: Path, feature: int) -> None:
    """The compact network has 80."""
    content = json.loads((model / SIGNATURE).read_text())
    next(iter(content["members"].values()))["signature"]["features"][0] = feature
    example_bundle.replace(model, SIGNATURE, json.dumps(content).encode())
    refused(model, SIGNATURE, "beyond the 80 of an embedding")


@pytest.mark.parametrize("part", ["matrix", "constant", "coefficients"])
def test_arrays_that_do_not_fit_an_embedding_are_refused(model: Path, part: str) -> None:
    """A constant of one number would be added to every feature without an error."""
    content = json.loads((model / SIGNATURE).read_text())
    signed = next(iter(content["members"].values()))["signature"]
    signed[part] = signed[part][:1]
    example_bundle.replace(model, SIGNATURE, json.dumps(content).encode())
    refused(model, SIGNATURE, part, "expected (")


@pytest.mark.parametrize(
    ("architecture", "words"),
    [("resnet50", "its last layer has the shape [1, 80]"), ("vgg", "is 'vgg', expected one of")],
)
def test_another_architecture_in_the_manifest_is_refused(
    model: Path, architecture: str, words: str
) -> None:
    manifest = json.loads((model / "manifest.json").read_text())
    manifest["config"]["network"]["architecture"] = architecture
    example_bundle.edit(model, config=manifest["config"])
    refused(model, words)


def test_a_domain_of_another_network_is_refused(model: Path) -> None:
    found = domain.load(model / "domain.safetensors")
    short = {
        name: domain.MemberDomain(one.mean[:9], one.components[:, :9], one.variances, one.medians)
        for name, one in found.members.items()
    }
    domain.save(domain.Domain(short, found.limits), model / "short")
    example_bundle.replace(model, "domain.safetensors", (model / "short").read_bytes())
    (model / "short").unlink()
    refused(model, "domain.safetensors", "describes 9 features", "expected 80")


@pytest.mark.parametrize(
    "content",
    [
        struct.pack("<Q", 1 << 62) + b"{}",
        struct.pack("<Q", 90_000_000) + b" " * 90_000_000,
        struct.pack("<Q", 2) + b"[]",
        struct.pack("<Q", 60) + b'{"a":{"dtype":"F8_E4M3","shape":[1],"data_offsets":[0,1]}}  x',
        struct.pack("<Q", 21) + b'{"__metadata__":"x", "',
        b"",
    ],
    ids=["endless header", "huge header", "list", "another type", "cut", "empty"],
)
@pytest.mark.parametrize("name", ["network/fold-1/weights.safetensors", "domain.safetensors"])
def test_strange_safetensors_are_refused(model: Path, name: str, content: bytes) -> None:
    example_bundle.replace(model, name, content)
    refused(model, name)


def test_a_domain_of_other_shapes_is_refused(model: Path) -> None:
    found = domain.load(model / "domain.safetensors")
    member = found.members["fold-1"]
    odd = domain.MemberDomain(member.mean[:-1], *list(vars(member).values())[1:])
    domain.save(domain.Domain({**found.members, "fold-1": odd}, found.limits), model / "odd")
    example_bundle.replace(model, "domain.safetensors", (model / "odd").read_bytes())
    (model / "odd").unlink()
    refused(model, "domain.safetensors", "shapes")


def test_settings_of_another_version_are_refused(model: Path) -> None:
    manifest = json.loads((model / "manifest.json").read_text())
    preprocessing = manifest["preprocessing"]
    preprocessing["image"]["size"] = 7
    example_bundle.edit(model, preprocessing=preprocessing)
    refused(model, "preprocessing.image")


def test_the_forest_is_that_of_the_selected_features(model: Path) -> None:
    for forest in contents.read_forests(model / FOREST).values():
        with pytest.raises(InputError, match="damaged"):
            contents.check_forest(forest, 1000)
