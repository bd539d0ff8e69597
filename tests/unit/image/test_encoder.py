"""The pretrained network: its shipped weights, its computation, and what it reads from another simulator."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks import pretraining as other_simulator
from thyrocast.image import encoder

EXPECTED = Path(__file__).with_name("encoder_expected.json")


@pytest.fixture(scope="module")
def examples():
    """Images, truths and measured quantities of 60 phantoms of another simulator."""
    return other_simulator.patients(60, 5)


def blob() -> np.ndarray:
    """Two smooth lobes in a body."""
    place = (np.arange(64) - 31.5) * 2.5
    x, y = np.meshgrid(place, place)
    lobes = sum(np.exp(-(((x - at) / 9) ** 2 + (y / 20) ** 2) / 2) for at in (-18, 18))
    return (1.2 * lobes + 0.15 * (np.abs(x) < 60)).astype(np.float32)


def test_the_shipped_weights_are_the_tested_ones() -> None:
    digest = hashlib.sha256(encoder.WEIGHTS.read_bytes()).hexdigest()
    assert digest == encoder.WEIGHTS_SHA256
    assert encoder.WEIGHTS.stat().st_size < 1_500_000
    assert all(np.isfinite(value).all() for value in encoder.load().values())


def test_other_weights_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoder, "WEIGHTS_SHA256", "0" * 64)
    encoder.load.cache_clear()
    with pytest.raises(ValueError, match="is not the file of this version"):
        encoder.load()
    encoder.load.cache_clear()


def test_the_numpy_network_equals_that_of_the_training() -> None:
    import torch  # the only test of this file that needs it

    from thyrocast.network.pretrained import restore

    images = np.random.default_rng(0).gamma(2.0, 0.4, (3, 64, 64)).astype(np.float32)
    found = encoder.encode(images)
    network = restore(encoder.WEIGHTS)
    with torch.no_grad():
        read = network(torch.from_numpy(encoder.inputs(images)))
    measures = read.measures * network.measure_scale + network.measure_mean
    assert found.measures == pytest.approx(measures.numpy(), abs=1e-3)
    assert found.signs == pytest.approx(torch.sigmoid(read.signs).numpy(), abs=1e-4)


def test_the_shipped_weights_reproduce_stored_values() -> None:
    found = encoder.encode(blob()[None])
    values = [*found.measures[0], *found.deviations[0], *found.signs[0]]
    assert values == pytest.approx(json.loads(EXPECTED.read_text()), rel=2e-3, abs=2e-3)


def test_no_images_give_no_rows() -> None:
    found = encoder.encode(np.zeros((0, 64, 64), np.float32))
    assert found.measures.shape == (0, len(encoder.MEASURES))
    assert found.hidden.shape == (0, encoder.HIDDEN)


def test_what_is_read_agrees_with_the_truth_of_another_simulator(examples) -> None:
    images, truths, _ = examples
    found = encoder.encode(images)
    true = {
        "mass": np.log([t.mass for t in truths]),
        "uptake": np.log([100 * t.uptake for t in truths]),
        "heterogeneity": np.log(np.array([t.heterogeneity for t in truths]) + 0.03),
    }
    least = {"mass": 0.8, "uptake": 0.85, "heterogeneity": 0.5}
    for name, truth in true.items():
        column = encoder.MEASURES.index(name)
        read, sd = found.measures[:, column], found.deviations[:, column]
        assert np.corrcoef(read, truth)[0, 1] > least[name]
        # Nominally 95 %; another simulator is not what the uncertainty was learned on.
        assert np.mean(np.abs(read - truth) < 2 * sd) > 0.75


def test_the_mirror_image_has_the_lobes_exchanged(examples) -> None:
    images = examples[0][:20]
    once, mirrored = encoder.encode(images), encoder.encode(images[:, :, ::-1])
    asymmetry, right, left = (
        encoder.MEASURES.index(name) for name in ("asymmetry", "mass_right", "mass_left")
    )
    assert np.corrcoef(once.measures[:, asymmetry], -mirrored.measures[:, asymmetry])[0, 1] > 0.8
    assert np.corrcoef(once.measures[:, right], mirrored.measures[:, left])[0, 1] > 0.9
