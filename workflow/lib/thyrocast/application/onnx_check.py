"""Whether an ONNX graph computes what the locked model computes; another runtime computes the graph."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnxruntime
import pandas as pd
import torch
from numpy.typing import NDArray

from thyrocast.application import apply
from thyrocast.application.onnx_export import EMBEDDING, IMAGES
from thyrocast.contract import deployment as contract
from thyrocast.contract.names import Model
from thyrocast.errors import InputError
from thyrocast.network import model

#: Largest accepted difference of a probability, and of an embedding relative to its largest feature.
LARGEST = 1e-5
Images = NDArray[np.float32]


class Differences(NamedTuple):
    """Largest differences between a graph and the locked model.

    Attributes
    ----------
    embedding : float
        Of a feature, relative to the largest feature.
    probability : float
        Of a probability by the graph, and by thyrocast from the graph's own embeddings.
    whole : float
        Of a probability by the graph, and by thyrocast from its own embeddings. Where a feature is within
        rounding of a threshold, a tree may vote otherwise: this is not bounded for the signature.
    """

    embedding: float
    probability: float
    whole: float


def run(graph: Path | bytes, values: Images, name: str = IMAGES) -> dict[str, Images]:
    """Return the graph's outputs, by name, for images (n, size, size) or another input."""
    source = graph if isinstance(graph, bytes) else str(graph)
    options = onnxruntime.SessionOptions()
    # Idle threads of the runtime spin, which takes the core from other jobs.
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, {name: values}), strict=True))


def compare(graph: Path | bytes, folder: Path, locked: apply.Locked, images: Images) -> Differences:
    """Compare a graph with the locked model.

    Parameters
    ----------
    graph
        The graph, or its file.
    folder
        Verified copy of the locked model.
    locked
        The same in memory.
    images
        Standardized images, (n, size, size).
    """
    found = run(graph, images)
    own = {name: _embed(folder / contract.weights(name), images) for name in locked.model.members}
    theirs = {name: found[f"{EMBEDDING}-{name}"] for name in own}
    apart = [np.abs(theirs[name] - own[name]).max() / np.abs(own[name]).max() for name in own]
    differences = []
    for embeddings in (theirs, own):
        expected = _probabilities(folder, locked, embeddings)
        differences.append(
            max(float(np.abs(found[name.value] - p).max()) for name, p in expected.items())
        )
    return Differences(float(max(apart)), *differences)


def accept(found: Differences) -> Differences:
    """Return the differences of a graph that computes what the model computes.

    Raises
    ------
    InputError
        If an embedding or a probability differs by more than `LARGEST`.
    """
    if not (found.embedding <= LARGEST and found.probability <= LARGEST):
        raise InputError(
            f"the ONNX graph differs from the locked model: embeddings by {found.embedding:.1e} relative to "
            f"their size, probabilities by {found.probability:.1e}, expected at most {LARGEST:g}: report "
            "this with the versions of onnx, onnxruntime, skl2onnx and torch"
        )
    return found


def _embed(weights: Path, images: Images) -> Images:
    network, normalization, _ = model.load(weights)
    with torch.no_grad():
        values = normalization.apply(torch.from_numpy(images))
        return np.asarray(network.eval().pool(network.blocks(values)).numpy())


def _probabilities(
    folder: Path, locked: apply.Locked, embeddings: dict[str, Images]
) -> dict[Model, NDArray[np.float64]]:
    """Probability of cure, (n,), by each model that uses nothing but the image."""
    logits = {}
    for name, features in embeddings.items():
        network, _, _ = model.load(folder / contract.weights(name))
        weight, bias = network.fc.weight.detach().double().numpy()[0], network.fc.bias.item()
        logits[name] = features.astype(np.float64) @ weight + bias
    count = len(next(iter(logits.values())))
    patients = apply.Patients(pd.DataFrame(index=range(count)), embeddings, logits, [])
    return apply.predict(apply.of_images(locked), patients).probability
