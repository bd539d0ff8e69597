"""The compact network in place of ResNet50: the same training, embeddings and maps from a small network."""

import signal
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.unit.network.conftest import Cohort
from thyrocast.config.choices import EMBEDDED, Architecture
from thyrocast.config.explanation import ExplanationConfig
from thyrocast.config.network import NetworkConfig
from thyrocast.image import encoder
from thyrocast.network import compact, embedding, gradcam, image_set, interruption, model, training

COMPACT = {"architecture": "compact"}
PRETRAINED = {**COMPACT, "pretraining": "simulation", "fine_tuning_rate": 0.0003}
#: Images relative to the gland's mean, on the pixels of the network.
RELATIVE = np.random.default_rng(4).gamma(0.5, 0.6, (3, encoder.SIZE, encoder.SIZE)).astype("f4")


def start(**settings: str | float) -> compact.ScintigramCompact:
    network = model.initialize(7, NetworkConfig.read(settings)).eval()
    assert isinstance(network, compact.ScintigramCompact)
    return network


@pytest.mark.parametrize("architecture", list(Architecture))
def test_the_number_of_features_is_that_of_the_contract(architecture: Architecture) -> None:
    assert model.create(architecture).fc.in_features == EMBEDDED[architecture]


@torch.no_grad()
@pytest.mark.parametrize("factor", [1, 2])
def test_it_starts_as_the_shipped_encoder_whatever_the_size_of_the_image(factor: int) -> None:
    """Its embedding is what the encoder averages over the image; larger images are averaged first."""
    network = start(**PRETRAINED)
    expected = encoder._pooled(encoder.inputs(RELATIVE), encoder.load())[:, : encoder.STAGES[-1]]
    larger = np.kron(RELATIVE, np.ones((factor, factor), np.float32))
    images = model.AS_IT_IS.apply(torch.from_numpy(larger))
    found = network.pool(network.blocks(images)).numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_random_weights_differ_from_pretrained_ones_and_by_seed() -> None:
    first = start(**COMPACT)
    assert not torch.equal(first.body.stem.conv.weight, start(**PRETRAINED).body.stem.conv.weight)
    other = model.initialize(8, NetworkConfig.read(COMPACT))
    assert not torch.equal(first.fc.weight, other.fc.weight)
    # Heads of pretrained networks are random: no outcome took part in pretraining.
    assert torch.equal(first.fc.weight, start(**PRETRAINED).fc.weight)


@pytest.mark.parametrize("settings", [COMPACT, PRETRAINED])
def test_an_interrupted_training_ends_with_the_same_bits(
    cohort: Cohort, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: dict[str, str]
) -> None:
    undisturbed = cohort.train(tmp_path / "a", **settings)
    plain = training._Run._step

    def signalled(run: training._Run, *batch: object) -> torch.Tensor:
        if (run.epoch, run.step) == (1, 1):
            signal.raise_signal(signal.SIGTERM)
        return plain(run, *batch)  # type: ignore[arg-type]  # passed on as they are

    with monkeypatch.context() as patch:
        patch.setattr(training._Run, "_step", signalled)
        with pytest.raises(interruption.Stopped):
            cohort.train(tmp_path / "b", **settings)
    assert cohort.train(tmp_path / "b", **settings) == undisturbed


@pytest.mark.parametrize("settings", [COMPACT, PRETRAINED])
def test_a_trained_network_embeds_and_is_explained(
    cohort: Cohort, tmp_path: Path, settings: dict[str, str]
) -> None:
    cohort.train(tmp_path, **settings)
    path = tmp_path / "full" / "weights.safetensors"
    network, normalization, _ = model.load(path)
    assert isinstance(network, compact.ScintigramCompact)
    files = {name: file for name, file in cohort.inputs().items() if name != "masks"}
    split = image_set.read_split(**files, design="loco", split="south")
    features, logits = embedding.embed(path, split, torch.device("cpu"))
    assert features.shape == (len(split), model.features_of(path)) == (len(split), 80)
    images = torch.from_numpy(split.load(slice(None)))
    with torch.no_grad():
        plain = network(normalization.apply(images)).numpy()
    np.testing.assert_allclose(logits, plain, atol=1e-4)
    (batch, *_) = gradcam.explain(
        [(network, normalization)], split, ExplanationConfig(), torch.device("cpu")
    )
    assert batch.maps.shape == (len(split), 8, 8)
    assert np.isfinite(batch.maps).all()


def test_normalization_is_folded_when_weights_are_written(tmp_path: Path) -> None:
    network = model.initialize(3, NetworkConfig.read(COMPACT))
    images = model.AS_IT_IS.apply(torch.from_numpy(RELATIVE))
    with torch.no_grad():
        network.train()(images)
        expected = network.eval()(images).numpy()
        model.save(tmp_path / "w.safetensors", network, model.AS_IT_IS, {})
        found = model.load(tmp_path / "w.safetensors")[0](images).numpy()
    np.testing.assert_allclose(found, expected, atol=1e-5)
