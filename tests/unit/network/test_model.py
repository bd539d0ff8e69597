"""The network: its stem, its weights from a file, its first weights, its embeddings."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch

import extract_embeddings
from thyrocast.config.network import NetworkConfig
from thyrocast.contract import io
from thyrocast.contract.cohort import COHORT
from thyrocast.contract.splits import LOGITS, SPLITS
from thyrocast.errors import InputError
from thyrocast.network import embedding, image_set, model
from thyrocast.network.resnet50 import ScintigramResNet50


@pytest.fixture(scope="module")
def imagenet(tmp_path_factory):
    """A three-channel ResNet50's state dict as other projects publish it."""
    torch.manual_seed(5)
    network = ScintigramResNet50()
    state = dict(network.state_dict())
    state["conv1.weight"] = torch.randn(64, 3, 7, 7)
    state["fc.weight"], state["fc.bias"] = torch.randn(1000, 2048), torch.randn(1000)
    folder = tmp_path_factory.mktemp("weights")
    torch.save(state, folder / "resnet50.pth")
    safetensors.torch.save_file(state, folder / "resnet50.safetensors")
    return folder, state


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def from_file(path: Path, sha256: str | None) -> NetworkConfig:
    config = NetworkConfig.read({"weights": str(path), "sha256": "0" * 64})
    return config.model_copy(update={"sha256": sha256})


@pytest.mark.parametrize("name", ["resnet50.pth", "resnet50.safetensors"])
def test_stem_answers_as_to_a_gray_picture(imagenet, name):
    folder, state = imagenet
    path = folder / name
    network = model.initialize(1, from_file(path, _sha256(path)))
    image = torch.randn(2, 1, 32, 32)
    colored = torch.nn.functional.conv2d(
        image.expand(-1, 3, -1, -1), state["conv1.weight"], stride=2, padding=3
    )
    torch.testing.assert_close(network.conv1(image), colored, rtol=1e-4, atol=1e-4)
    assert torch.equal(network.layer3[0].conv1.weight, state["layer3.0.conv1.weight"])
    assert network.fc.weight.shape == (1, 2048)


def test_weights_that_are_not_what_they_should_be(imagenet, tmp_path):
    folder, _ = imagenet
    path = folder / "resnet50.safetensors"
    with pytest.raises(InputError, match="is not a file"):
        model.initialize(1, from_file(tmp_path / "lacking.pth", "0" * 64))
    with pytest.raises(InputError, match=r"network\.sha256 is missing"):
        model.initialize(1, from_file(path, None))
    with pytest.raises(InputError, match="network.sha256 says 0000"):
        model.initialize(1, from_file(path, "0" * 64))
    other = tmp_path / "other.safetensors"
    safetensors.torch.save_file({"features.0.weight": torch.zeros(1)}, other)
    with pytest.raises(InputError, match="does not contain 'bn1.bias'"):
        model.initialize(1, from_file(other, _sha256(other)))
    broken = tmp_path / "broken.pth"
    broken.write_bytes((folder / "resnet50.pth").read_bytes()[:1000])
    with pytest.raises(InputError, match="cannot be read"):
        model.initialize(1, from_file(broken, _sha256(broken)))
    whole = tmp_path / "checkpoint.pth"
    torch.save({"epoch": 3, "state_dict": {"x": torch.zeros(1)}}, whole)
    with pytest.raises(InputError, match="not a plain state dict"):
        model.initialize(1, from_file(whole, _sha256(whole)))


def test_pickled_code_is_not_run(tmp_path):
    class Evil:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "ran",))

    torch.save({"x": Evil()}, tmp_path / "evil.pth")
    with pytest.raises(InputError, match="cannot be read"):
        model.initialize(1, from_file(tmp_path / "evil.pth", _sha256(tmp_path / "evil.pth")))
    assert not (tmp_path / "ran").exists()


def test_first_weights_follow_from_the_seed_alone():
    torch.manual_seed(99)
    first = model.initialize(4)
    before = torch.get_rng_state()
    again = model.initialize(4)
    assert torch.equal(torch.get_rng_state(), before), "the caller's generator is left alone"
    assert torch.equal(first.layer4[2].conv3.weight, again.layer4[2].conv3.weight)
    assert not torch.equal(model.initialize(5).fc.weight, first.fc.weight)


def test_embeddings_equal_the_plain_forward_pass(cohort, trained, tmp_path):
    names = list(io.read(SPLITS, cohort.inputs()["splits"])["patient"])
    files = {name: path for name, path in cohort.inputs().items() if name != "masks"}
    weights = trained / "weights.safetensors"
    extract_embeddings.run(
        **files,
        weights={"full": weights, "fold-1": weights},
        embeddings=tmp_path / "embeddings.npy",
        network=tmp_path / "network.csv",
        design="loco",
        split="south",
        settings=cohort.settings,
        threads=1,
    )
    array = np.load(tmp_path / "embeddings.npy", mmap_mode="r")
    assert array.shape == (2, len(names), 2048)
    assert array.dtype == np.float32
    network, normalization, _ = model.load(weights)
    images = torch.from_numpy(np.load(files["images"]))
    with torch.no_grad():
        features = network.pool(network.blocks(normalization.apply(images)))
        logits = network.fc(features).squeeze(1).numpy()
    assert np.abs(array[0] - features.numpy()).max() < 1e-5 * float(features.max())
    assert np.array_equal(array[0], array[1])
    table = io.read(LOGITS, tmp_path / "network.csv")
    assert list(table["patient"]) == names * 2
    assert list(table["member"]) == ["full"] * len(names) + ["fold-1"] * len(names)
    assert np.abs(table["logit"].to_numpy()[: len(names)] - logits).max() < 1e-5
    assert (table["fold"].isna() == (table["set"] == "test")).all()


def test_what_a_patient_gets_does_not_depend_on_the_others(cohort, trained):
    files = {name: path for name, path in cohort.inputs().items() if name != "masks"}
    split = image_set.read_split(**files, design="loco", split="south")
    weights = trained / "weights.safetensors"
    everyone, logits = embedding.embed(weights, split, torch.device("cpu"))
    for rows in ([4], [5, 4], list(range(len(split) - 1, 0, -1)), [*range(len(split))] * 3):
        some, odds = embedding.embed(weights, split.take(np.array(rows)), torch.device("cpu"))
        assert np.array_equal(some, everyone[rows])
        assert np.array_equal(odds, logits[rows])


def test_normalization_is_that_of_the_training_patients(cohort, trained):
    images = np.load(cohort.inputs()["images"]).astype(np.float64)
    splits = io.read(SPLITS, cohort.inputs()["splits"])
    trained_on = np.sqrt(images[(splits["set"] == "train").to_numpy()])
    _, normalization, _ = model.load(trained / "weights.safetensors")
    assert normalization.mean == pytest.approx(trained_on.mean(), rel=1e-9)
    assert normalization.std == pytest.approx(trained_on.std(), rel=1e-9)


def test_weights_of_strangers_are_refused(imagenet):
    with pytest.raises(InputError, match="not written by train_network"):
        model.load(imagenet[0] / "resnet50.safetensors")


@pytest.mark.parametrize("change", ["shape", "missing", "type"])
def test_weights_of_another_network_are_refused(trained, tmp_path, change):
    with safetensors.safe_open(trained / "weights.safetensors", framework="pt") as file:
        metadata = file.metadata()
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
    changed = {
        "shape": lambda: tensors.update({"fc.weight": tensors["fc.weight"][:, :7].contiguous()}),
        "missing": lambda: tensors.pop("conv1.weight"),
        "type": lambda: tensors.update({"fc.weight": tensors["fc.weight"].double()}),
    }
    changed[change]()
    safetensors.torch.save_file(tensors, tmp_path / "odd.safetensors", metadata)
    with pytest.raises(InputError, match="odd.safetensors"):
        model.load(tmp_path / "odd.safetensors")


def test_split_that_does_not_fit_the_cohort(make_cohort):
    other = make_cohort()
    files = {name: path for name, path in other.inputs().items() if name != "masks"}
    with pytest.raises(InputError, match="loco/west"):
        image_set.read_split(**files, design="loco", split="west")
    np.save(files["images"], np.load(files["images"])[:-1])
    with pytest.raises(InputError, match="contains 15 images"):
        image_set.read_split(**files, design="loco", split="south")
    io.write(COHORT, io.read(COHORT, files["cohort"])[:-1], files["cohort"])
    with pytest.raises(InputError, match="south-15"):
        image_set.read_split(**files, design="loco", split="south")
