"""The rule `pretrain_network`: a ResNet50 learns from phantoms, and a training starts from it."""

import logging
import re
import shutil
import signal
from pathlib import Path

import numpy as np
import pytest
import torch

import pretrain_network
from tests.unit.network.conftest import SIZE, Cohort
from thyrocast.config.choices import Architecture
from thyrocast.config.network import NetworkConfig
from thyrocast.config.pretraining import SimulationConfig
from thyrocast.errors import InputError
from thyrocast.network import interruption, model, pretrained, pretraining
from thyrocast.network.reader import ResNetReader
from thyrocast.simulation.endless import Endless
from thyrocast.simulation.lessons import View

SETTINGS = SimulationConfig.read(
    {"phantoms": 96, "batch_size": 8, "learning_rate": 0.002, "seed": 4}
)
NAME = "resnet50-0123456789abcdef"
STARTED = {"pretraining": "simulation", "epochs": 1, "fine_tuning_rate": 1e-9}


def run(folder: Path, architecture: str = "resnet50", settings=SETTINGS, size: int = SIZE) -> Path:
    output = folder / f"{NAME}.safetensors"
    pretrain_network.run(output, Architecture(architecture), View(size, 160.0), settings)
    return output


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[float]]:
    """An undisturbed pretraining, and the loss of each of its steps."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pretraining, "REPORT_EVERY_S", -1)
        patch.setattr(pretrain_network, "HELD_OUT", 12)
        lines: list[str] = []
        handler = logging.Handler()
        handler.emit = lambda record: lines.append(record.getMessage())  # type: ignore[method-assign]  # collects instead of writing
        pretraining.LOGGER.addHandler(handler)
        pretraining.LOGGER.setLevel(logging.INFO)
        path = run(tmp_path_factory.mktemp("pretrained"))
        pretraining.LOGGER.removeHandler(handler)
    losses = [float(m[1]) for line in lines if (m := re.search(r"step .*: loss ([\d.]+)", line))]
    return path, losses


def test_the_loss_falls(whole: tuple[Path, list[float]]) -> None:
    losses = whole[1]
    assert len(losses) == 12
    assert np.mean(losses[-4:]) < 0.8 * np.mean(losses[:4])


def test_an_interrupted_pretraining_ends_with_the_same_bits(
    whole: tuple[Path, list[float]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pretrain_network, "HELD_OUT", 12)
    drawn = Endless.of_step

    def disturbed(course: Endless, step: int):
        if step == 5:
            signal.raise_signal(signal.SIGTERM)
        return drawn(course, step)

    with monkeypatch.context() as patch:
        patch.setattr(Endless, "of_step", disturbed)
        with pytest.raises(interruption.Stopped):
            run(tmp_path)
    assert list((tmp_path / "unfinished" / NAME).glob("0000000006-*"))
    assert run(tmp_path).read_bytes() == whole[0].read_bytes()
    assert not list((tmp_path / "unfinished").iterdir())


def test_a_training_starts_from_it(
    whole: tuple[Path, list[float]], cohort: Cohort, tmp_path: Path
) -> None:
    cohort.train(tmp_path, pretrained=whole[0], **STARTED)
    network, _, facts = model.load(tmp_path / "full" / "weights.safetensors")
    start = pretrained.read(whole[0])
    assert start.name in facts["origin"]
    assert start.facts["tensors"] in facts["origin"]
    # At such a learning rate nothing moves.
    own = network.state_dict()
    for name in ("conv1.weight", "layer1.0.bn3.weight", "layer4.2.conv3.weight"):
        assert torch.allclose(own[name], start.tensors[name], atol=1e-6)
    random = model.initialize(1)
    assert not torch.allclose(own["conv1.weight"], random.conv1.weight, atol=1e-3)


def test_the_file_is_also_one_of_initial_weights(
    whole: tuple[Path, list[float]], tmp_path: Path
) -> None:
    from thyrocast.planning.fingerprints import file_hash

    kept = shutil.copy(whole[0], tmp_path / "kept.safetensors")
    given = NetworkConfig.read({"weights": str(kept), "sha256": file_hash(kept)})
    found = model.initialize(2, given).state_dict()["conv1.weight"]
    assert torch.equal(found, pretrained.read(whole[0]).tensors["conv1.weight"])


def test_another_file_is_refused(whole: tuple[Path, list[float]], tmp_path: Path) -> None:
    other = shutil.copy(whole[0], tmp_path / "resnet50-aaaaaaaaaaaaaaaa.safetensors")
    with pytest.raises(InputError, match=f"contains {NAME}, expected resnet50-aaaa"):
        pretrained.read(other)
    content = bytearray(whole[0].read_bytes())
    content[-1] ^= 1
    damaged = tmp_path / whole[0].name
    damaged.write_bytes(content)
    with pytest.raises(InputError, match="other weights than its hash says"):
        pretrained.read(damaged)
    damaged.write_bytes(content[:1000])
    with pytest.raises(InputError, match="cannot be read"):
        pretrained.read(damaged)


def test_no_pretrained_network_no_training() -> None:
    with pytest.raises(InputError, match="run the rule pretrain_network"):
        model.initialize(1, NetworkConfig.read({"pretraining": "simulation"}))


def test_a_loss_that_is_not_finite_stops_it(tmp_path: Path) -> None:
    course = Endless(View(SIZE, 160.0), 8, 8, 1)
    network = ResNetReader()
    torch.nn.init.constant_(network.read.measures.weight, float("inf"))
    with pytest.raises(InputError, match=r"lower network\.simulation\.learning_rate"):
        pretraining.learn(network, course, 1e-3, folder=tmp_path)


def test_a_compact_network_of_another_field_is_pretrained(
    cohort: Cohort, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pretrain_network, "HELD_OUT", 12)
    path = run(tmp_path, "compact", SETTINGS.model_copy(update={"phantoms": 24}), 64)
    found = pretrained.read(path)
    settings = NetworkConfig.read({"architecture": "compact", "pretraining": "simulation"})
    body = model.initialize(1, settings, found).state_dict()
    own = found.tensors["stages.2.1.second.conv.weight"].float()
    assert torch.equal(body["body.stages.2.1.second.conv.weight"], own)
    assert found.name in model.origin(settings, found)
    assert "shipped" in model.origin(settings)


def test_phantoms_depend_on_their_number_only() -> None:
    one = Endless(View(48, 200.0), 12, 4, 9)
    two, workers = Endless(View(48, 200.0), 12, 6, 9), Endless(View(48, 200.0), 12, 4, 9, 2)
    first = [part.lessons for part in one.parts(0)]
    joined = np.concatenate([part.images for part in first])
    assert np.array_equal(joined, np.concatenate([p.lessons.images for p in two.parts(0)]))
    assert np.array_equal(joined, np.concatenate([p.lessons.images for p in workers.parts(0)]))
    (last,) = list(workers.parts(2))
    assert np.array_equal(last.lessons.measures, first[2].measures, equal_nan=True)
    # A view has its field of view and a margin of a block; a mask covers a lobe.
    assert joined.shape == (12, 54, 54)
    assert first[0].lobes.shape == (4, 2, 18, 18)
