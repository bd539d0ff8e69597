"""The graph of a locked model computes what thyrocast computes, by another runtime."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.dummy import DummyClassifier

import export_onnx
from tests.unit.locked import example_bundle
from tests.unit.signature import example_split
from thyrocast.application import apply, onnx_check, onnx_export
from thyrocast.config.choices import EMBEDDED, Architecture
from thyrocast.config.network import NetworkConfig
from thyrocast.contract import deployment as contract
from thyrocast.contract.manifest import ModelUpdate, Update
from thyrocast.contract.names import Model
from thyrocast.contract.site_names import UpdateStep
from thyrocast.errors import InputError
from thyrocast.locked import bundle, contents
from thyrocast.network import model
from thyrocast.network.model import Normalization
from thyrocast.signature.model import SignatureModel

SIZE = 64


@pytest.fixture(scope="module", params=list(Architecture))
def networks(
    parts: bundle.Parts, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Path:
    """The small locked model with real networks, of two members that images gave their statistics."""
    folder = tmp_path_factory.mktemp("networks")
    weights = {}
    for seed, member in enumerate(parts.weights):
        settings = NetworkConfig.read({"architecture": request.param})
        network = model.initialize(seed, settings)
        with torch.no_grad():
            network.train()(torch.rand(4, 1, SIZE, SIZE))
        weights[member] = folder / f"{member}.safetensors"
        model.save(weights[member], network, Normalization(0.7 + seed / 10, 0.4), {})
    (folder / "model.json").write_text(
        widened(parts.model, EMBEDDED[request.param]).model_dump_json()
    )
    short = np.load(parts.embeddings)
    missing = EMBEDDED[request.param] - short.shape[-1]
    np.save(folder / "embeddings.npy", np.pad(short, ((0, 0), (0, 0), (0, missing))))
    changed = {"weights": weights, "model": folder / "model.json"}
    changed |= {"embeddings": folder / "embeddings.npy"}
    return example_bundle.lock(parts, folder / "model", request.param, **changed)


def widened(path: Path, length: int) -> SignatureModel:
    """The signature of the example, whose embeddings are short, for those of a real network."""
    given = contents.read_signature(path, example_split.FEATURES)
    members = {}
    for name, member in given.members.items():
        matrix = member.signature.matrix
        assert matrix is not None
        wide = np.zeros((length, matrix.shape[1]))
        wide[: len(matrix)] = matrix
        heads = {}
        for kind, head in member.heads.items():
            weights = np.zeros(length)
            weights[: len(head.weights)] = head.weights
            heads[kind] = head.model_copy(update={"weights": weights})
        signature = member.signature.model_copy(update={"matrix": wide})
        members[name] = member.model_copy(update={"signature": signature, "heads": heads})
    return given.model_copy(update={"members": members})


@pytest.fixture(scope="module")
def exported(networks: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("graph") / "model.onnx"
    export_onnx.run(networks, path)
    return path


def test_image_to_embedding_and_probability_within_a_hundred_thousandth(
    networks: Path, exported: Path
) -> None:
    locked = apply.read(networks)
    images = np.random.default_rng(0).gamma(1, 1, (3, SIZE, SIZE)).astype(np.float32)
    found = onnx_check.compare(exported, networks, locked, images)
    assert found.embedding <= 1e-5
    assert found.probability <= 1e-5
    values = onnx_check.run(exported, images)
    assert {"network", "signature", "ridge"} < set(values)
    assert values["network"].std() > 1e-4
    assert values["signature"].shape == (3,)
    # What a patient gets does not depend on which others are computed.
    single = onnx_check.run(exported, images[:1])
    for name, value in single.items():
        np.testing.assert_allclose(value, values[name][:1], rtol=1e-5, atol=1e-5)


def test_an_update_is_in_the_graph(networks: Path) -> None:
    """Intercept, slope and components of the embedding, of a forest and of a network."""
    given = apply.read(networks)
    changes = {
        Model.NETWORK: ModelUpdate(
            step=UpdateStep.HEAD, intercept=0.4, slope=0.8, coefficients=[0.3, -0.2]
        ),
        Model.SIGNATURE: ModelUpdate(
            step=UpdateStep.SLOPE, intercept=-0.5, slope=1.4, coefficients=[]
        ),
    }
    member = given.manifest.members[1]
    update = Update(center="west", patients=60, cured=30, level=0.05, member=member, models=changes)
    random = np.random.default_rng(2)
    width = model.features_of(networks / contract.weights(member))
    described = {
        name: dataclasses.replace(
            one,
            mean=random.gamma(1, 1, width),
            components=random.normal(0, 0.02, (len(one.variances), width)),
        )
        for name, one in given.domain.members.items()
    }
    locked = dataclasses.replace(
        given,
        manifest=given.manifest.model_copy(update={"update": update}),
        domain=dataclasses.replace(given.domain, members=described),
    )
    images = onnx_export.images_to_compare(SIZE, 2)
    graph = onnx_export.build(networks, locked).SerializeToString()
    assert onnx_check.accept(onnx_check.compare(graph, networks, locked, images))
    with pytest.raises(InputError, match="differs from the locked model"):
        onnx_check.accept(onnx_check.compare(graph, networks, given, images))


def test_trees_vote_as_in_scikit_learn(locked: Path) -> None:
    """Embeddings like those of the training patients: the trees divide them at every node."""
    given = apply.read(locked)
    random = np.random.default_rng(1)
    for name, member in given.model.members.items():
        signature = member.signature
        embeddings = random.gamma(1, 2, (300, 2048)).astype(np.float32)
        if signature.matrix is not None:
            embeddings = embeddings[:, : len(signature.matrix)]
        ours = given.forests[name].predict_proba(signature.select(embeddings.astype(np.float64)))
        graph = onnx_export.signature(signature, given.forests[name])
        found = onnx_check.run(graph.SerializeToString(), embeddings, onnx_export.EMBEDDING)
        assert ours[:, 1].std() > 0.01
        np.testing.assert_allclose(found["votes"], ours[:, 1], rtol=0, atol=1e-6)


def test_a_signature_without_features_gives_the_prevalence(locked: Path) -> None:
    signature = next(iter(apply.read(locked).model.members.values())).signature
    empty = signature.model_copy(update={"features": np.zeros(0, np.int64), "matrix": None})
    dummy = DummyClassifier(strategy="prior").fit(np.zeros((4, 1)), [1, 1, 1, 0])
    graph = onnx_export.signature(empty, dummy).SerializeToString()
    found = onnx_check.run(graph, np.ones((3, 2048), np.float32), onnx_export.EMBEDDING)
    np.testing.assert_allclose(found["votes"], signature.prevalence, atol=1e-12)


@pytest.mark.parametrize(
    "found", [(2e-5, 0, 0), (0, 2e-5, 0), (float("nan"), 0, 0), (0, float("nan"), 0)]
)
def test_a_graph_that_differs_is_refused(found: tuple[float, float, float]) -> None:
    with pytest.raises(InputError, match="differs from the locked model"):
        onnx_check.accept(onnx_check.Differences(*found))
    assert onnx_check.accept(onnx_check.Differences(1e-6, 1e-6, 0.1)).whole == 0.1


def test_a_model_that_was_changed_is_refused(networks: Path, tmp_path: Path) -> None:
    changed = example_bundle.copy(networks, tmp_path / "model")
    (changed / "thresholds.csv").write_text("")
    with pytest.raises(InputError, match=r"thresholds\.csv"):
        export_onnx.run(changed, tmp_path / "model.onnx")
    assert not (tmp_path / "model.onnx").exists()
