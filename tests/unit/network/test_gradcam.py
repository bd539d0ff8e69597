"""Maps of the evidence: those of the package, faster, on the grid of the layer; their pictures."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from pytorch_grad_cam.utils.image import scale_cam_image
from pytorch_grad_cam.utils.model_targets import BinaryClassifierOutputTarget

import draw_maps
import explain_network
from tests.unit.network.conftest import write_table
from thyrocast.config.choices import Architecture
from thyrocast.config.explanation import LEAST_GRID, CamLayer, CamMethod, ExplanationConfig
from thyrocast.config.network import NetworkConfig
from thyrocast.contract import io
from thyrocast.contract.cohort import COHORT
from thyrocast.contract.splits import ATTENTION, GRADCAM, SHARES, SPLITS
from thyrocast.explanation import grids
from thyrocast.network import gradcam as explain
from thyrocast.network import model
from thyrocast.network.image_set import ImageSet
from thyrocast.network.resnet50 import ScintigramResNet50
from thyrocast.statistics import inputs

SIZE = 96
N = 6
NORMALIZATION = model.Normalization(0.4, 0.5)


@pytest.fixture(scope="module")
def network():
    """A network with active residual branches and logits of both signs."""
    torch.manual_seed(2)
    network = ScintigramResNet50()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.weight, 0.2, 1.0)
    network.eval()
    with torch.no_grad():
        images = NORMALIZATION.apply(torch.from_numpy(_images()))
        # Without the part of the average activation, maps and logits have both signs.
        mean = network.blocks(images).mean(dim=(0, 2, 3))
        network.fc.weight -= (network.fc.weight @ mean / mean.square().sum()) * mean
        network.fc.bias -= network(images).median()
    return network


def _images():
    generator = np.random.default_rng(1)
    y, x = np.mgrid[:SIZE, :SIZE] / SIZE - 0.5
    width = generator.uniform(0.08, 0.16, N)[:, None, None]
    lobes = np.exp(-(((np.abs(x) - 0.15) / width) ** 2) - (y / 0.3) ** 2)
    return generator.poisson(lobes * 50 + 3).astype(np.float32) / 50


def _data(n=N):
    return ImageSet(
        patient=np.array([f"north-{i}" for i in range(n)]),
        center=np.full(n, "north"),
        outcome=np.array([1.0, 0.0, np.nan, 1.0, 0.0, 1.0])[:n],
        row=np.arange(n),
        set=np.full(n, "test"),
        fold=np.zeros(n, np.int64),
        gland_counts=np.full(n, np.nan),
        camera_pixel=np.full(n, np.nan),
        images=_images(),
    )


def _masks():
    masks = np.zeros((N, SIZE, SIZE), np.uint8)
    masks[:, 24:72, 20:76] = 1
    return masks


def _explain(network, **settings):
    options = ExplanationConfig.read({"batch_size": 4} | settings)
    cpu = torch.device("cpu")
    return one_by_one(explain.explain([(network, NORMALIZATION)], _data(), options, cpu))


@dataclass(frozen=True)
class One:
    """One patient of a batch."""

    position: int
    target: str
    probability: float
    map: np.ndarray


def one_by_one(batches):
    return [
        One(*found)
        for batch in batches
        for found in zip(batch.positions, batch.targets, batch.probability, batch.maps, strict=True)
    ]


@pytest.mark.parametrize(
    ("layer", "method", "target", "category"),
    [
        ("layer4", "gradcam", "cured", 1),
        ("layer4", "gradcam", "not_cured", 0),
        ("layer3", "gradcam", "cured", 1),
        ("layer3", "hirescam", "cured", 1),
        ("layer3", "gradcam++", "not_cured", 0),
    ],
)
def test_enlarged_maps_equal_the_packages_own(network, layer, method, target, category):
    """Its default path, with gradients through the whole network, one image at a time."""
    found = _explain(network, layer=layer, method=method, target=target)
    network.requires_grad_(True)
    with explain.METHODS[CamMethod(method)](network, [getattr(network, layer)]) as cam:
        for i in range(N):
            image = NORMALIZATION.apply(torch.from_numpy(_images()[i : i + 1]))
            plain = cam(input_tensor=image, targets=[BinaryClassifierOutputTarget(category)])[0]
            # The package scales a map once more after enlarging it.
            own = scale_cam_image(grids.enlarge(found[i].map, SIZE)[None])[0]
            np.testing.assert_allclose(own, plain, atol=2e-4)
    assert max(item.map.max() for item in found) > 0.5


def test_methods_differ_where_gradients_do(network):
    """After the last block every cell has the same gradient."""
    maps = {
        (layer, method): np.array(
            [one.map for one in _explain(network, layer=layer, method=method)]
        )
        for layer in ("layer3", "layer4")
        for method in ("gradcam", "hirescam", "gradcam++")
    }
    np.testing.assert_allclose(maps["layer4", "gradcam"], maps["layer4", "hirescam"], atol=1e-5)
    assert np.abs(maps["layer3", "gradcam"] - maps["layer3", "hirescam"]).max() > 0.1
    assert np.abs(maps["layer3", "gradcam"] - maps["layer3", "gradcam++"]).max() > 0.1


@pytest.mark.parametrize("architecture", list(Architecture))
@pytest.mark.parametrize("size", [32, 64, 96, 97, 100, 112, 192, 193, 224, 250, 300])
def test_the_grid_is_known_before_training(size, architecture):
    network = model.create(architecture).eval()
    with torch.no_grad():
        for layer in (CamLayer.LAYER3, CamLayer.LAYER4):
            shape = network.blocks(torch.zeros(1, 1, size, size), last=layer).shape
            assert shape[-1] == ExplanationConfig(layer=layer).grid_at(size, architecture)


@pytest.mark.parametrize("size", [32, 64, 96, 97, 192, 193, 300])
def test_the_layer_with_enough_cells_is_chosen(size):
    resnet, compact = Architecture.RESNET50, Architecture.COMPACT
    chosen = ExplanationConfig().layer_at(size, resnet)
    assert chosen == (CamLayer.LAYER4 if size >= 193 else CamLayer.LAYER3)
    assert (ExplanationConfig().grid_at(size, resnet) >= LEAST_GRID) == (size >= 97)
    assert ExplanationConfig().layer_at(size, compact) == CamLayer.LAYER4
    assert ExplanationConfig().grid_at(size, compact) == 8


def test_map_for_cured_does_not_depend_on_the_logits_sign(network):
    """Moving every logit by a constant moves no evidence (issue 428 of the package)."""
    before = _explain(network)
    with torch.no_grad():
        network.fc.bias -= 5
    after = _explain(network)
    with torch.no_grad():
        network.fc.bias += 5
    assert {item.target for item in after} == {"cured"}
    assert max(item.probability for item in after) < 0.5
    for one, two in zip(before, after, strict=True):
        np.testing.assert_allclose(one.map, two.map, atol=1e-5)


def test_predicted_target_follows_the_probability(network):
    found = _explain(network, target="predicted")
    assert {item.target for item in found} == {"cured", "not_cured"}
    for item in found:
        assert (item.probability > 0.5) == (item.target == "cured")


def test_maps_and_log_odds_are_means_over_the_members(network):
    torch.manual_seed(4)
    other, more = ScintigramResNet50().eval(), model.Normalization(0.3, 0.6)
    options, cpu = ExplanationConfig(batch_size=4), torch.device("cpu")

    def explained(*members):
        return one_by_one(explain.explain(members, _data(), options, cpu))

    pair = (network, NORMALIZATION), (other, more)
    both, first, second = explained(*pair), explained(pair[0]), explained(pair[1])
    for mean, one, two in zip(both, first, second, strict=True):
        np.testing.assert_allclose(mean.map, (one.map + two.map) / 2, atol=1e-6)
        odds = [inputs.logit([item.probability])[0] for item in (mean, one, two)]
        assert odds[0] == pytest.approx((odds[1] + odds[2]) / 2, abs=1e-5)


def test_batches_do_not_matter(network):
    for one, two in zip(_explain(network), _explain(network, batch_size=1), strict=True):
        assert one.position == two.position
        np.testing.assert_allclose(one.map, two.map, atol=1e-5)


def test_all_zero_map_is_a_result(network, tmp_path):
    """If every channel is evidence against cure, the map is zero and the row says so."""
    silent = ScintigramResNet50().eval()
    silent.load_state_dict(network.state_dict())
    with torch.no_grad():
        silent.fc.weight.copy_(-silent.fc.weight.abs())
    weights = tmp_path / "weights.safetensors"
    model.save(weights, silent, NORMALIZATION, {})
    table = _run(tmp_path, weights)
    assert list(table["status"]) == ["all_zero"] * N
    assert not np.load(tmp_path / "maps.npy").any()
    shares = io.read(SHARES, tmp_path / "shares.csv")
    assert shares["inside"].isna().all()
    assert "nan" not in (tmp_path / "shares.csv").read_text().lower()
    assert len(list((tmp_path / "pictures" / "north").glob("*.png"))) == N


def test_rows_and_pictures(network, tmp_path):
    weights = tmp_path / "weights.safetensors"
    model.save(weights, network, NORMALIZATION, {})
    table = _run(tmp_path, weights)
    assert list(table["patient"]) == [f"north-{i}" for i in range(N)]
    assert list(table["outcome"].fillna(-1)) == [1, 0, -1, 1, 0, 1]
    maps = np.load(tmp_path / "maps.npy", mmap_mode="r")
    assert (maps.shape, maps.dtype) == ((N, 6, 6), np.float32)
    np.testing.assert_allclose(maps, [one.map for one in _explain(network)], atol=1e-6)
    shares = io.read(SHARES, tmp_path / "shares.csv")
    assert list(shares["area"]) == pytest.approx([48 * 56 / SIZE**2] * N, abs=1e-6)
    assert list(io.read(ATTENTION, tmp_path / "attention.csv")["n"]) == [N, N]
    files = sorted(path.name for path in (tmp_path / "pictures" / "north").iterdir())
    assert files == [f"north-{i}.png" for i in range(N)]
    with Image.open(tmp_path / "pictures" / "north" / "north-0.png") as picture:
        assert picture.size == (288, 288)
        assert picture.mode == "RGB"


def _run(folder: Path, weights: Path) -> pd.DataFrame:
    data = _data()
    np.save(folder / "images.npy", _images())
    np.save(folder / "masks.npy", _masks())
    rows = [
        {"patient": name, "center": "north", "role": "development", "outcome": outcome}
        for name, outcome in zip(data.patient, data.outcome, strict=True)
    ]
    write_table(COHORT, rows, folder / "cohort.csv")
    splits = [
        {"design": "loco", "split": "north", "patient": n, "set": "test"} for n in data.patient
    ]
    write_table(SPLITS, splits, folder / "splits.csv")
    explain_network.run(
        **{name: folder / f"{name}.npy" for name in ("images", "maps", "randomized")},
        **{name: folder / f"{name}.csv" for name in ("cohort", "splits", "gradcam")},
        weights=[weights],
        compared=folder / "compared.npz",
        design="loco",
        split="north",
        settings=ExplanationConfig(batch_size=4),
        network=NetworkConfig(),
        seed=1,
        threads=1,
    )
    draw_maps.run(
        **{name: folder / f"{name}.npy" for name in ("images", "masks")},
        cohort=folder / "cohort.csv",
        gradcams={"north": folder / "gradcam.csv"},
        maps={"north": folder / "maps.npy"},
        randomized={"north": folder / "randomized.npy"},
        compared={"north": folder / "compared.npz"},
        tables=folder,
        folder=folder / "pictures",
        design="loco",
        least=5,
    )
    return io.read(GRADCAM, folder / "gradcam.csv")
