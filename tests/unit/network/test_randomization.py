"""Cascading randomization: which weights become random, and whose maps are computed."""

import numpy as np
import pytest
import torch

from thyrocast.config.choices import Architecture
from thyrocast.config.explanation import CamTarget, ExplanationConfig
from thyrocast.contract.control_names import CASCADES, Randomized
from thyrocast.network import gradcam, model, randomization
from thyrocast.network.image_set import ImageSet

SIZE, N = 112, 4
CPU = torch.device("cpu")
NORMALIZATION = model.Normalization(0.4, 0.5)


@pytest.fixture(scope="module")
def network():
    """A network whose normalization layers differ from those of training's start, too."""
    torch.manual_seed(2)
    network = model.initialize(3).eval()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.weight, 0.2, 1.0)
            torch.nn.init.normal_(module.bias, 0, 0.1)
            module.running_var.mul_(1.1)
    return network


def data(size=SIZE):
    images = np.random.default_rng(1).random((N, size, size)).astype(np.float32)
    names = np.array(["d", "a", "c", "b"])
    unknown = np.full(N, np.nan)
    plain = {"row": np.arange(N), "fold": np.zeros(N, np.int64), "images": images}
    texts = {"patient": names, "center": names, "set": np.full(N, "test")}
    return ImageSet(**plain, **texts, outcome=unknown, gland_counts=unknown, camera_pixel=unknown)


def test_every_step_makes_one_more_block_random(network):
    trained, fresh = network.state_dict(), model.initialize(7).state_dict()
    counters = {name for name in trained if name.endswith("num_batches_tracked")}
    random = set()
    for (step, blocks), changed in zip(
        randomization.RESNET50, randomization.cascade(network, 7), strict=True
    ):
        random |= {*blocks}
        for name, weight in changed.state_dict().items():
            if name in counters:
                continue
            source = fresh if name.startswith(tuple(random)) else trained
            assert torch.equal(weight, source[name]), (step, name)
    assert all(name.startswith(tuple(random)) for name in trained)
    assert [step for step, _ in randomization.RESNET50] == [*Randomized]


def test_the_first_step_is_the_true_map_of_the_patients_who_were_taken(network):
    settings = ExplanationConfig(randomized=2, target="predicted")
    found = randomization.randomized((network, NORMALIZATION), data(), settings, CPU, 7)
    assert found.shape == (7, N, 7, 7)
    own = settings.model_copy(update={"target": CamTarget.CURED})
    (true,) = gradcam.explain([(network, NORMALIZATION)], data(), own, CPU)
    np.testing.assert_allclose(found[0, [1, 3]], true.maps[[1, 3]], atol=1e-5)
    assert not found[:, [0, 2]].any()
    assert not np.allclose(found[1, [1, 3]], found[0, [1, 3]], atol=0.05)


@pytest.mark.parametrize(("size", "most"), [(112, 0), (96, 24)])
def test_nothing_is_computed_if_not_requested_or_too_coarse(network, size, most):
    settings = ExplanationConfig(randomized=most)
    found = randomization.randomized((network, NORMALIZATION), data(size), settings, CPU, 7)
    assert found.shape[:2] == (7, 0)


def test_the_compact_network_has_a_cascade_of_its_own_blocks():
    """As it is stored: normalization folded into the convolutions."""
    network = model.create(Architecture.COMPACT).eval()
    network.body.fold()
    trained = network.state_dict()
    random = set()
    steps = randomization.COMPACT
    for (_, blocks), changed in zip(steps, randomization.cascade(network, 7), strict=True):
        random |= {*blocks}
        for name, weight in changed.state_dict().items():
            assert torch.equal(weight, trained[name]) != name.startswith(tuple(random)), name
    assert all(name.startswith(tuple(random)) for name in trained)
    assert CASCADES[len(steps)] == tuple(step for step, _ in steps)
    settings = ExplanationConfig(randomized=2)
    found = randomization.randomized((network, NORMALIZATION), data(64), settings, CPU, 7)
    assert found.shape == (6, N, 8, 8)
    assert not np.allclose(found[5, [1, 3]], found[0, [1, 3]], atol=0.05)
