"""A locked model as one ONNX graph, for programs without thyrocast.

Standardized images (n, size, size), float32, to the probability of cure (n,) by every model that uses nothing
but the image, and to the embedding (n, p) of every member. The graph has everything in between:
normalization, networks, selected features, trees, heads, standardization of the members' log-odds, their
mean and recalibration. Models with clinical data or measured quantities are not in it.

It is written by a command of its own (`make onnx`) and is no part of the locked model: it needs packages that
nothing else needs, and its bytes depend on these.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto, compose, helper, numpy_helper
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType
from sklearn.dummy import DummyClassifier
from torch import nn
from torch.nn.functional import adaptive_avg_pool1d
from torchvision.models.resnet import Bottleneck

from thyrocast import fileio
from thyrocast.application.apply import Locked
from thyrocast.baselines.ridge import WIDEST_LOGIT
from thyrocast.contract import deployment as contract
from thyrocast.contract.manifest import ModelUpdate, Update
from thyrocast.contract.names import HEADS, Model
from thyrocast.image.encoder import SIZE
from thyrocast.network import model as networks
from thyrocast.network.compact import Convolution, ScintigramCompact
from thyrocast.network.resnet50 import ScintigramResNet50
from thyrocast.signature.forest import Classifier
from thyrocast.signature.model import (
    FittedMember,
    Scale,
    Signature,
    in_order,
    recalibration_of,
)
from thyrocast.statistics import inputs

#: Versions of the operators, and of the format.
OPSET, TREES, IR = 18, 3, 10
IMAGES, EMBEDDING = "images", "embedding"
Array = NDArray[np.generic]


class _Graph:
    """Nodes and constants of a graph, in the order in which they are computed."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, value: Array) -> str:
        """Add a constant, and return its name."""
        name = f"constant-{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(value, order="C"), name))
        return name

    def node(self, operator: str, inputs: list[str], output: str = "", **attributes: Any) -> str:
        """Add an operator with one output, and return the name of the output."""
        output = output or f"value-{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        return output

    def include(self, model: onnx.ModelProto, given: str, prefix: str) -> list[str]:
        """Add another graph, whose one input is the value `given`; return the names of its outputs."""
        names = {model.graph.input[0].name: given}
        inner = compose.add_prefix_graph(model.graph, prefix, rename_inputs=False, name_map=names)
        self.nodes += inner.node
        self.constants += inner.initializer
        return [value.name for value in inner.output]

    def linear(self, values: str, intercept: float, slope: float) -> str:
        """Add intercept + slope x values, in double precision."""
        scaled = self.node("Mul", [values, self.constant(np.array([slope]))])
        return self.node("Add", [scaled, self.constant(np.array([intercept]))])

    def product(self, wide: str, weights: NDArray[np.float64], intercept: float) -> str:
        """Add intercept + embedding x weights: log-odds (n,) of an embedding in double precision."""
        column = self.node("MatMul", [wide, self.constant(weights[:, None])])
        flat = self.node("Squeeze", [column, self.constant(np.array([1]))])
        return self.node("Add", [flat, self.constant(np.array([intercept]))])

    def mean(self, values: list[str]) -> str:
        """Add the mean of values (n,) of the members; onnxruntime has no `Mean` of double precision."""
        total = values[0]
        for value in values[1:]:
            total = self.node("Add", [total, value])
        return self.linear(total, 0.0, 1 / len(values))


def build(folder: Path, locked: Locked) -> onnx.ModelProto:
    """Return the graph of a locked model.

    Parameters
    ----------
    folder
        Verified copy of the locked model.
    locked
        The same in memory.
    """
    size = size_of(locked)
    graph = _Graph()
    odds: dict[Model, list[str]] = {}
    votes, embeddings = [], []
    for name, member in locked.model.members.items():
        weights = folder / contract.weights(name)
        embedding = graph.node(
            "Identity", [_network(graph, weights, IMAGES, size)], f"{EMBEDDING}-{name}"
        )
        embeddings.append(embedding)
        wide = graph.node("Cast", [embedding], to=TensorProto.DOUBLE)
        voted = _votes(graph, embedding, wide, member.signature, locked.forests[name], name)
        votes.append(voted)
        for model, value in _member(graph, wide, voted, member, weights).items():
            odds.setdefault(model, []).append(value)
    probabilities = _probabilities(graph, odds, votes, locked)
    return _finish(graph, size, embeddings, probabilities, locked)


def size_of(locked: Locked) -> int:
    """Return the pixels per side of the images of a locked model."""
    return int(str(locked.manifest.preprocessing.image["size"]))


def _network(graph: _Graph, weights: Path, images: str, size: int) -> str:
    """Add one network, and return the name of its embedding (n, p).

    Written operator by operator: torch's exporter of graphs takes ten seconds per network and two further
    packages. `onnx_check` compares every graph with torch.
    """
    loaded, normalization, _ = networks.load(weights)
    positive = graph.node("Relu", [images])
    root = graph.node("Sqrt", [positive])
    centered = graph.node("Sub", [root, graph.constant(np.array([normalization.mean], np.float32))])
    scaled = graph.node(
        "Div", [centered, graph.constant(np.array([normalization.std], np.float32))]
    )
    x = graph.node("Unsqueeze", [scaled, graph.constant(np.array([1]))])
    if isinstance(loaded, ScintigramCompact):
        x = _compact(graph, x, loaded, size)
    else:
        x = _resnet(graph, x, loaded)
    pooled = graph.node("GlobalAveragePool", [x])
    return graph.node("Flatten", [pooled], axis=1)


def _resnet(graph: _Graph, x: str, loaded: ScintigramResNet50) -> str:
    """Add the convolutions of a ResNet50."""
    x = graph.node("Relu", [_convolution(graph, x, loaded.conv1, loaded.bn1)])
    pool = loaded.maxpool
    x = graph.node("MaxPool", [x], **_window(pool.kernel_size, pool.stride, pool.padding))
    for layer in (loaded.layer1, loaded.layer2, loaded.layer3, loaded.layer4):
        for block in layer:
            x = _bottleneck(graph, x, block)
    return x


def _compact(graph: _Graph, x: str, loaded: ScintigramCompact, size: int) -> str:
    """Add the convolutions of a compact network, from the square root of images (n, 1, size, size)."""
    # The average over pixels is a product with the same matrix from both sides.
    average = adaptive_avg_pool1d(torch.eye(size), SIZE).T.numpy()
    relative = graph.node("Mul", [x, x])
    rows = graph.node("MatMul", [graph.constant(average), relative])
    relative = graph.node("MatMul", [rows, graph.constant(average.T)])
    root = graph.node("Sqrt", [relative])
    bright = graph.node("Min", [root, graph.constant(np.array(3, np.float32))])
    faint = graph.node(
        "Asinh", [graph.node("Mul", [relative, graph.constant(np.array(20, np.float32))])]
    )
    faint = graph.node("Div", [faint, graph.constant(np.array(3, np.float32))])
    x = graph.node("Concat", [bright, faint], axis=1)
    body = loaded.body
    x = graph.node("Relu", [_folded(graph, x, body.stem)])
    for block in body.blocks():
        inner = graph.node("Relu", [_folded(graph, x, block.first)])
        inner = _folded(graph, inner, block.second)
        if block.stride > 1:
            x = graph.node("AveragePool", [x], **_window(block.stride, block.stride, 0))
        if block.shortcut is not None:
            kernel = graph.constant(block.shortcut.weight.detach().numpy())
            x = graph.node("Conv", [x, kernel], **_window(1, 1, 0))
        x = graph.node("Relu", [graph.node("Add", [inner, x])])
    return x


def _folded(graph: _Graph, x: str, convolution: Convolution) -> str:
    """Add a convolution with the normalization that is folded into it."""
    own = convolution.conv
    numbers = [value for value in (own.weight, own.bias) if value is not None]
    constants = [graph.constant(value.detach().numpy()) for value in numbers]
    sides = (own.kernel_size[0], own.stride[0], int(own.padding[0]))
    return graph.node("Conv", [x, *constants], **_window(*sides))


def _bottleneck(graph: _Graph, x: str, block: Bottleneck) -> str:
    """Add a residual block of ResNet50."""
    inner = graph.node("Relu", [_convolution(graph, x, block.conv1, block.bn1)])
    inner = graph.node("Relu", [_convolution(graph, inner, block.conv2, block.bn2)])
    inner = _convolution(graph, inner, block.conv3, block.bn3)
    same = x if block.downsample is None else _convolution(graph, x, *block.downsample)
    return graph.node("Relu", [graph.node("Add", [inner, same])])


def _convolution(graph: _Graph, x: str, convolution: nn.Conv2d, norm: nn.BatchNorm2d) -> str:
    """Add a convolution without bias, and batch normalization with the statistics of training."""
    kernel = graph.constant(convolution.weight.detach().numpy())
    sides = (convolution.kernel_size[0], convolution.stride[0], int(convolution.padding[0]))
    x = graph.node("Conv", [x, kernel], **_window(*sides))
    values = norm.state_dict()
    numbers = [values[name] for name in ("weight", "bias", "running_mean", "running_var")]
    constants = [graph.constant(value.numpy()) for value in numbers]
    return graph.node("BatchNormalization", [x, *constants], epsilon=norm.eps)


def _window(side: int, stride: int, padding: int) -> dict[str, Any]:
    return {"kernel_shape": [side] * 2, "strides": [stride] * 2, "pads": [padding] * 4}


def signature(fitted: Signature, forest: Classifier) -> onnx.ModelProto:
    """Return the graph of one member's forest, from `EMBEDDING` to ``votes`` (n,) for cure."""
    graph = _Graph()
    wide = graph.node("Cast", [EMBEDDING], to=TensorProto.DOUBLE)
    graph.node("Identity", [_votes(graph, EMBEDDING, wide, fitted, forest, "member")], "votes")
    length = "p" if fitted.matrix is None else len(fitted.matrix)
    given = helper.make_tensor_value_info(EMBEDDING, TensorProto.FLOAT, ["n", length])
    votes = helper.make_tensor_value_info("votes", TensorProto.DOUBLE, ["n"])
    return _model(graph, [given], [votes])


def _votes(
    graph: _Graph, embedding: str, wide: str, fitted: Signature, forest: Classifier, name: str
) -> str:
    """Add the forest's share of votes for cure, (n,), in double precision."""
    chosen = len(fitted.features)
    if isinstance(forest, DummyClassifier) or chosen == 0:
        first = graph.node("Gather", [wide, graph.constant(np.array(0))], axis=1)
        return graph.linear(first, fitted.prevalence, 0.0)
    # In double precision, as thyrocast computes them, and then rounded as scikit-learn rounds them, so
    # that they are on the same side of the trees' thresholds.
    if fitted.matrix is not None and fitted.constant is not None:
        mapped = graph.node("MatMul", [wide, graph.constant(fitted.matrix)])
        exact = graph.node("Add", [mapped, graph.constant(fitted.constant)])
        features = graph.node("Cast", [exact], to=TensorProto.FLOAT)
    else:
        features = graph.node("Gather", [embedding, graph.constant(fitted.features)], axis=1)
    trees = to_onnx(
        forest,
        initial_types=[("features", FloatTensorType([None, chosen]))],
        options={"zipmap": False},
        target_opset={"": OPSET, "ai.onnx.ml": TREES},
    )
    _, shares = graph.include(trees, features, f"{name}.")
    cured = [int(label) for label in forest.classes_].index(1)
    column = graph.node("Gather", [shares, graph.constant(np.array(cured))], axis=1)
    return graph.node("Cast", [column], to=TensorProto.DOUBLE)


def _member(
    graph: _Graph, wide: str, votes: str, member: FittedMember, weights: Path
) -> dict[Model, str]:
    """Add the standardized log-odds of one member, (n,), by model."""
    loaded, _, _ = networks.load(weights)
    last, bias = loaded.fc.weight.detach().double().numpy()[0], loaded.fc.bias.item()
    odds = {
        Model.NETWORK: graph.product(wide, last, bias),
        # As `baselines.ridge.bounded_odds`.
        Model.SIGNATURE: _bounded_odds(graph, votes, float(1 / (1 + np.exp(WIDEST_LOGIT)))),
    }
    for name, head in in_order(member.heads, HEADS):
        odds[name] = graph.product(wide, head.weights, head.intercept)
    return {name: _scaled(graph, value, member.scales.get(name)) for name, value in odds.items()}


def _scaled(graph: _Graph, odds: str, scale: Scale | None) -> str:
    if scale is None:
        return odds
    if scale.spread == 0:
        return graph.linear(odds, 0.0, 0.0)
    return graph.linear(odds, -scale.mean / scale.spread, 1 / scale.spread)


def _bounded_odds(graph: _Graph, probability: str, edge: float) -> str:
    """Add the log-odds of a probability, which is kept `edge` away from 0 and 1."""
    # Clipped before the logarithm: a probability of 0 or 1 never gets there.
    inside = graph.node(
        "Clip", [probability, graph.constant(np.array(edge)), graph.constant(np.array(1 - edge))]
    )
    other = graph.node("Sub", [graph.constant(np.array([1.0])), inside])
    logs = [graph.node("Log", [value]) for value in (inside, other)]
    return graph.node("Sub", logs)


def _probabilities(
    graph: _Graph, odds: Mapping[Model, list[str]], votes: list[str], locked: Locked
) -> list[str]:
    """Add the probability of cure, (n,), of each model, and return their names."""
    model, update = locked.model, locked.manifest.update
    for name, members in odds.items():
        fit = recalibration_of(model.recalibration, name)
        if name is Model.SIGNATURE and name not in model.recalibration:
            probability = graph.mean(votes)  # as published: the share of votes
        else:
            joined = graph.linear(graph.mean(members), fit.intercept, fit.slope)
            probability = graph.node("Sigmoid", [joined])
        if update is not None and name in update.models:
            probability = _updated(graph, probability, update, update.models[name], locked)
        graph.node("Cast", [probability], name.value, to=TensorProto.FLOAT)
    return [name.value for name in odds]


def _updated(
    graph: _Graph, probability: str, update: Update, change: ModelUpdate, locked: Locked
) -> str:
    """Add the probability of an updated model, as `updates.apply`."""
    odds = graph.linear(
        _bounded_odds(graph, probability, inputs.EDGE), change.intercept, change.slope
    )
    if change.coefficients:
        known, count = locked.domain.members[update.member], len(change.coefficients)
        scaled = np.array(change.coefficients) / np.sqrt(known.variances[:count])
        weights = scaled @ known.components[:count]
        embedding = graph.node("Cast", [f"{EMBEDDING}-{update.member}"], to=TensorProto.DOUBLE)
        extra = graph.product(embedding, weights, -float(known.mean @ weights))
        odds = graph.node("Add", [odds, extra])
    return graph.node("Sigmoid", [odds])


def _finish(
    graph: _Graph, size: int, embeddings: list[str], probabilities: list[str], locked: Locked
) -> onnx.ModelProto:
    value = helper.make_tensor_value_info
    given = [value(IMAGES, TensorProto.FLOAT, ["n", size, size])]
    found = [value(name, TensorProto.FLOAT, ["n"]) for name in probabilities]
    wide = [value(name, TensorProto.FLOAT, ["n", "p"]) for name in embeddings]
    made = _model(graph, given, [*found, *wide])
    made.doc_string = (
        "Probability of cure after the first iodine-131 therapy of Graves' disease, from scintigrams as "
        "thyrocast standardizes them. For research use only."
    )
    helper.set_model_props(made, {"locked_model": locked.manifest.hash})
    return made


def _model(
    graph: _Graph, inputs: list[onnx.ValueInfoProto], outputs: list[onnx.ValueInfoProto]
) -> onnx.ModelProto:
    made = helper.make_model(
        helper.make_graph(graph.nodes, "thyrocast", inputs, outputs, graph.constants),
        opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", TREES)],
        ir_version=IR,
        producer_name="thyrocast",
    )
    onnx.checker.check_model(made, full_check=True)
    return made


def write(made: onnx.ModelProto, path: Path) -> None:
    """Write a graph to one file."""
    with fileio.atomic(path) as temporary:
        temporary.write_bytes(made.SerializeToString(deterministic=True))


def images_to_compare(size: int, count: int = 8) -> NDArray[np.float32]:
    """Return images (count, size, size) of two smooth lobes of counts, each with other numbers."""
    random = np.random.default_rng(size)
    rows, columns = np.mgrid[:size, :size] / size
    images = []
    for _ in range(count):
        image = np.full((size, size), 0.05)
        for side in (0.35, 0.65):
            place, width = random.normal([0.5, side], 0.03), random.uniform(0.05, 0.15)
            distance = (rows - place[0]) ** 2 / 4 + (columns - place[1]) ** 2
            image += random.uniform(1, 6) * np.exp(-distance / width**2)
        images.append(random.poisson(image * 40) / 40)
    return np.array(images, dtype=np.float32)
