"""Checks of what is in a locked model's files; nothing in them is run, nothing is unpickled.

The hashes say that a model is the one that was sent. They don't say that the sender was honest: a file
may be made to run code, to fill the memory or to read outside of an array.
"""

import io as streams
import re
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError
from sklearn.dummy import DummyClassifier

from thyrocast.config.base import Block
from thyrocast.config.choices import EMBEDDED, Architecture
from thyrocast.config.image import ImageConfig
from thyrocast.contract import deployment, io
from thyrocast.contract.manifest import Manifest, ModelUpdate
from thyrocast.contract.names import Model
from thyrocast.contract.site_names import UpdateStep
from thyrocast.errors import InputError
from thyrocast.locked import domain
from thyrocast.planning.bundles import strict_json
from thyrocast.signature import forest
from thyrocast.signature.forest import Classifier
from thyrocast.signature.model import FittedMember, SignatureModel

#: Most bytes of a JSON, CSV or text file, of a safetensors header, and most arrays of a forest.
LONGEST, LONGEST_HEADER, MOST_ARRAYS = 200_000_000, 1_000_000, 100_000
_TENSORS = frozenset({"F32", "F64", "I64"})
# All that a forest consists of: the loader of skops, and the type that it makes.
_NODES = frozenset(
    {
        ("DictNode", "builtins.dict"),
        ("ListNode", "builtins.list"),
        ("TupleNode", "builtins.tuple"),
        ("JsonNode", "builtins.str"),
        ("TypeNode", "builtins.str"),
        ("NdArrayNode", "numpy.ndarray"),
        ("NdArrayNode", "numpy.int64"),
        ("ObjectNode", "sklearn.ensemble._forest.RandomForestClassifier"),
        ("ObjectNode", "sklearn.tree._classes.DecisionTreeClassifier"),
        ("ObjectNode", "sklearn.dummy.DummyClassifier"),
        ("TreeNode", "sklearn.tree._tree.Tree"),
    }
)


def check(folder: Path, manifest: Manifest) -> None:
    """Check the contents of a copied model.

    Parameters
    ----------
    folder
        The copy.
    manifest
        Its manifest.

    Raises
    ------
    InputError
        If a file contains anything but what this version of thyrocast writes.
    """
    length = features(manifest)
    for name in sorted(manifest.files):
        path = folder / name
        if path.suffix == ".safetensors":
            tensors = check_tensors(path)
            if name != deployment.DOMAIN:
                _check_embedding(tensors, length, path)
        elif path.suffix != ".skops" and path.stat().st_size > LONGEST:
            raise InputError(f"{path}: has {path.stat().st_size} bytes, expected at most {LONGEST}")
    for table in deployment.TABLES:
        io.read(table, folder / deployment.inside(table))
    _check_settings(ImageConfig, manifest.preprocessing.image, "preprocessing.image")
    model = read_signature(folder / deployment.SIGNATURE, length)
    forests = read_forests(folder / deployment.FOREST)
    described = domain.load(folder / deployment.DOMAIN)
    for name, one in described.members.items():
        if len(one.mean) != length:
            raise InputError(
                f"{folder / deployment.DOMAIN}: describes {len(one.mean)} features of member {name}, expected "
                f"{length}, as many as the model's network has"
            )
    for name, found in (
        (deployment.SIGNATURE, model.members),
        (deployment.FOREST, forests),
        (deployment.DOMAIN, described.members),
    ):
        # Members that are embedded, but that no model uses, change no prediction.
        if not set(found) <= set(manifest.members) or not found:
            raise InputError(f"{folder / name}: has other members than the manifest")
    if set(forests) != set(model.members):
        raise InputError(f"{folder / deployment.FOREST}: has other members than the signature")
    _check_update(manifest, model, described, folder)
    for name, member in model.members.items():
        check_forest(forests[name], len(member.signature.features))


def features(manifest: Manifest) -> int:
    """Return the number of features of an embedding by the architecture of a locked model.

    Raises
    ------
    InputError
        If this version has no such architecture.
    """
    block = manifest.config.get("network")
    name = block.get("architecture") if isinstance(block, dict) else None
    if name not in list(Architecture):
        raise InputError(
            f"locked model, {deployment.MANIFEST}, key config.network.architecture: is {name!r}, expected one of "
            f"{', '.join(Architecture)}"
        )
    return EMBEDDED[Architecture(name)]


def _check_embedding(tensors: dict[str, Any], length: int, path: Path) -> None:
    """Refuse a network whose embedding is not that of the architecture in the manifest."""
    shape = tensors.get("fc.weight", {}).get("shape")
    if shape != [1, length]:
        raise InputError(
            f"{path}: its last layer has the shape {shape}, expected {[1, length]}: the manifest names another "
            "architecture"
        )


def _check_update(
    manifest: Manifest, model: SignatureModel, described: domain.Domain, folder: Path
) -> None:
    """Refuse an update of models or components that the locked model does not have."""
    update = manifest.update
    if update is None:
        return
    where = f"{folder / deployment.MANIFEST}, key update"
    known = {Model.NETWORK, Model.SIGNATURE}
    for member in model.members.values():
        known |= {*member.baselines, *member.heads}
    if odd := sorted(set(update.models) - known):
        raise InputError(f"{where}: updates {odd[0]}, which this model does not contain")
    if update.member not in described.members:
        raise InputError(
            f"{where}: {deployment.DOMAIN} does not describe the network {update.member}"
        )
    most = len(described.members[update.member].variances)
    for name, change in update.models.items():
        if len(change.coefficients) > most:
            raise InputError(f"{where}: {name} has more coefficients than the {most} components")
        _check_step(change, f"{where}: {name}")


def _check_step(change: ModelUpdate, where: str) -> None:
    """Refuse numbers that the stated step does not have: readers of the manifest see the step."""
    if change.step is UpdateStep.NONE:
        raise InputError(f"{where} has the step none, expected only models that are updated")
    if change.step is UpdateStep.INTERCEPT and change.slope != 1:
        raise InputError(f"{where} has the slope {change.slope}, expected 1 for the step intercept")
    if (change.step is UpdateStep.HEAD) != bool(change.coefficients):
        raise InputError(
            f"{where} has {len(change.coefficients)} coefficients for the step {change.step}, expected some "
            "for head and none for other steps"
        )


def _check_settings(kind: type[Block], block: dict[str, Any], key: str) -> None:
    try:
        kind.read(block)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise InputError(f"locked model, manifest.json, key {key}: {first['msg']}") from None


def check_tensors(path: Path) -> dict[str, Any]:
    """Check the header of a safetensors file before a library allocates what it asks for.

    Returns
    -------
    dict
        The entry of each tensor, by name.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(8)
        length = struct.unpack("<Q", start)[0] if len(start) == 8 else 0
        if not 2 <= length <= min(LONGEST_HEADER, size - 8):
            raise InputError(
                f"{path}: its header has {length} bytes of {size}, expected safetensors"
            )
        header = strict_json(file.read(length), f"{path}, header")
    if not isinstance(header, dict):
        raise InputError(f"{path}: its header is no mapping, expected safetensors")
    header.pop("__metadata__", None)
    for name, entry in header.items():
        if not isinstance(entry, dict) or entry.get("dtype") not in _TENSORS:
            raise InputError(f"{path}: tensor {name!r} is none of {', '.join(sorted(_TENSORS))}")
    return header


def read_signature(path: Path, length: int) -> SignatureModel:
    """Read ``signature/model.json`` of a locked model.

    Parameters
    ----------
    path
        The file.
    length
        Features of an embedding by the model's networks.

    Raises
    ------
    InputError
        If it is not as `fit_signature` writes it, or if its parts do not fit each other.
    """
    try:
        model = SignatureModel.model_validate(strict_json(path.read_bytes(), str(path)))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        raise InputError(f"{path}, key {key}: {first['msg']}") from None
    for name, member in model.members.items():
        _check_shapes(name, member, length, path)
    return model


def _check_shapes(name: str, member: FittedMember, length: int, path: Path) -> None:
    """Refuse features that an embedding does not have, and arrays that do not fit it."""
    signed = member.signature
    if ((signed.features < 0) | (signed.features >= length)).any():
        raise InputError(
            f"{path}: member {name} names a feature beyond the {length} of an embedding"
        )
    chosen = len(signed.features)
    expected: list[tuple[str, Any, tuple[int, ...]]] = [
        ("coefficients", signed.coefficients, (chosen,))
    ]
    if signed.matrix is not None or signed.constant is not None:
        expected += [
            ("matrix", signed.matrix, (length, chosen)), ("constant", signed.constant, (chosen,)),
        ]  # fmt: skip
    expected += [
        (f"weights of {kind}", head.weights, (length,)) for kind, head in member.heads.items()
    ]
    for what, array, shape in expected:
        if np.shape(array) != shape:
            raise InputError(
                f"{path}: member {name} has {what} of shape {np.shape(array)}, expected {shape}"
            )


def read_forests(path: Path) -> dict[str, Classifier]:
    """Read ``signature/forest.skops`` of a locked model: the forest of each member.

    Raises
    ------
    InputError
        If it contains anything but forests.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            _check_archive(archive, path)
    except (OSError, zipfile.BadZipFile, RuntimeError, ValueError, EOFError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path}: is no forest of skops ({error})") from error
    try:
        return forest.load(path)
    except InputError:
        raise
    # skops raises whatever an invented tree causes in scikit-learn: every failure means "no forest".
    except Exception as error:
        raise InputError(f"{path}: is no forest of skops ({type(error).__name__})") from error


def _check_archive(archive: zipfile.ZipFile, path: Path) -> None:
    """Refuse what is no forest: other names, bombs, arrays of objects, other types."""
    entries = archive.infolist()
    if len(entries) > MOST_ARRAYS or len({entry.filename for entry in entries}) < len(entries):
        raise InputError(f"{path}: contains an entry twice, or too many")
    for entry in entries:
        if not re.fullmatch(r"schema\.json|\d{1,9}\.npy", entry.filename):
            raise InputError(
                f"{path}: contains {entry.filename!r}, expected schema.json and arrays"
            )
        if entry.compress_type != zipfile.ZIP_STORED or entry.flag_bits & 1:
            raise InputError(f"{path}: {entry.filename} is compressed, expected plain entries")
    if sum(entry.file_size for entry in entries) > path.stat().st_size:
        raise InputError(f"{path}: its entries are larger than the file")
    if "schema.json" not in archive.namelist():
        raise InputError(f"{path}: contains no schema.json")
    schema = strict_json(archive.read("schema.json"), f"{path}, schema.json")
    for loader, kind in _nodes(schema):
        if (loader, kind) not in _NODES:
            raise InputError(f"{path}: contains {kind} ({loader}), which is no part of a forest")
    for entry in entries:
        if entry.filename != "schema.json":
            _check_array(archive.read(entry.filename), f"{path}, {entry.filename}")


def _nodes(schema: Any) -> Iterator[tuple[str, str]]:
    """Yield loader and type of everything in a schema of skops, at any depth."""
    waiting = [schema]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            if "__loader__" in value or "__class__" in value:
                kind = f"{value.get('__module__')}.{value.get('__class__')}"
                yield str(value.get("__loader__")), kind
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value


def _check_array(data: bytes, where: str) -> None:
    """Refuse an array of Python objects, and one that is larger than its bytes."""
    stream = streams.BytesIO(data)
    version = np.lib.format.read_magic(stream)
    if version != (1, 0):
        raise InputError(f"{where}: is an array of format {version}, expected 1.0")
    shape, _, dtype = np.lib.format.read_array_header_1_0(stream)
    if dtype.hasobject:
        raise InputError(f"{where}: is an array of Python objects, expected numbers")
    if int(np.prod(shape, dtype=object)) * dtype.itemsize != len(data) - stream.tell():
        raise InputError(f"{where}: its shape {shape} does not fit its size")


def check_forest(classifier: Classifier, features: int) -> None:
    """Refuse trees that would read beyond their arrays or run in circles.

    Parameters
    ----------
    classifier
        The forest.
    features
        Number of selected features.

    Raises
    ------
    InputError
    """
    if isinstance(classifier, DummyClassifier):
        return
    fault = InputError(f"{deployment.FOREST}: a tree is damaged, expected a forest of scikit-learn")
    try:
        if classifier.n_features_in_ != features or classifier.n_jobs is not None:
            raise fault
        if list(classifier.classes_) not in ([0, 1], [0], [1]) or not classifier.estimators_:
            raise fault
        trees = [(one, one.tree_) for one in classifier.estimators_]
        fits = all(one.n_features_in_ == features == tree.n_features and tree.node_count > 0
                   for one, tree in trees)  # fmt: skip
    except (AttributeError, TypeError, ValueError) as error:
        raise fault from error
    if not fits:
        raise fault
    for _, tree in trees:
        place = np.arange(tree.node_count)
        left, right = tree.children_left, tree.children_right
        leaf = left == -1
        # A child comes after its parent, in the order in which scikit-learn grows a tree.
        inner = (left > place) & (right > place) & (left < len(place)) & (right < len(place))
        known = (tree.feature >= 0) & (tree.feature < features) & np.isfinite(tree.threshold)
        if not (leaf | (inner & known)).all() or not np.isfinite(tree.value).all():
            raise fault
