"""Grad-CAM: the package's maps, faster; shares of the gland; no NaN."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.model_targets import BinaryClassifierOutputTarget

import explain_network
from tests.unit.network.conftest import write_table
from thyrocast.config.explanation import ExplanationConfig
from thyrocast.config.network import NetworkConfig
from thyrocast.contract import io
from thyrocast.contract.cohort import COHORT
from thyrocast.contract.splits import GRADCAM, SPLITS
from thyrocast.network import gradcam as explain
from thyrocast.network import model
from thyrocast.network.image_set import ImageSet
from thyrocast.statistics import inputs

SIZE = 96
N = 6
NORMALIZATION = model.Normalization(0.4, 0.5)


@pytest.fixture(scope="module")
def network():
    """A network with active residual branches and logits of both signs."""
    torch.manual_seed(2)
    network = model.ScintigramResNet50()
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
    return list(explain.explain([(network, NORMALIZATION)], _data(), _masks(), options, cpu))


@pytest.mark.parametrize("layer", ["layer4", "layer3"])
@pytest.mark.parametrize(("target", "category"), [("cured", 1), ("not_cured", 0)])
def test_maps_equal_the_packages_own(network, layer, target, category):
    """Its default path, with gradients through the whole network, one image at a time."""
    found = _explain(network, layer=layer, target=target)
    network.requires_grad_(True)
    with GradCAM(model=network, target_layers=[getattr(network, layer)]) as cam:
        for i in range(N):
            image = NORMALIZATION.apply(torch.from_numpy(_images()[i : i + 1]))
            plain = cam(input_tensor=image, targets=[BinaryClassifierOutputTarget(category)])[0]
            np.testing.assert_allclose(found[i].map, plain, atol=1e-5)
    assert max(item.map.max() for item in found) > 0.5


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
    other, more = model.ScintigramResNet50().eval(), model.Normalization(0.3, 0.6)
    options, cpu = ExplanationConfig(batch_size=4), torch.device("cpu")

    def explained(*members):
        return list(explain.explain(members, _data(), _masks(), options, cpu))

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


def test_share_inside_the_gland():
    gland = np.zeros((4, 4), bool)
    gland[:2] = True
    heat = np.zeros((4, 4), np.float32)
    assert explain.share_inside(heat, gland) is None
    heat[0, 0], heat[3, 3] = 3, 1
    assert explain.share_inside(heat, gland) == 0.75
    assert explain.share_inside(np.ones((4, 4), np.float32), gland) == gland.mean()


def test_all_zero_map_is_a_result(network, tmp_path):
    """If every channel is evidence against cure, the map is zero and the row says so."""
    silent = model.ScintigramResNet50().eval()
    silent.load_state_dict(network.state_dict())
    with torch.no_grad():
        silent.fc.weight.copy_(-silent.fc.weight.abs())
    weights = tmp_path / "weights.safetensors"
    model.save(weights, silent, NORMALIZATION, {})
    table = _run(tmp_path, weights)
    assert list(table["status"]) == ["all_zero"] * N
    assert table["inside"].isna().all()
    assert "nan" not in (tmp_path / "gradcam.csv").read_text().lower()
    assert len(list((tmp_path / "overlays").glob("*.png"))) == N


def test_rows_and_overlays(network, tmp_path):
    weights = tmp_path / "weights.safetensors"
    model.save(weights, network, NORMALIZATION, {})
    table = _run(tmp_path, weights)
    assert list(table["patient"]) == [f"north-{i}" for i in range(N)]
    assert list(table["outcome"].fillna(-1)) == [1, 0, -1, 1, 0, 1]
    assert table["inside"].between(0, 1).all()
    assert list(table["area"]) == pytest.approx([48 * 56 / SIZE**2] * N, abs=1e-6)
    files = sorted(path.name for path in (tmp_path / "overlays").iterdir())
    assert files == [f"north-{i}.png" for i in range(N)]
    with Image.open(tmp_path / "overlays" / "north-0.png") as picture:
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
        **{name: folder / f"{name}.npy" for name in ("images", "masks")},
        **{name: folder / f"{name}.csv" for name in ("cohort", "splits", "gradcam")},
        weights=[weights],
        overlays=folder / "overlays",
        design="loco",
        split="north",
        settings=ExplanationConfig(batch_size=4),
        network=NetworkConfig(),
        threads=1,
    )
    return io.read(GRADCAM, folder / "gradcam.csv")


def test_overlay_shows_gland_outline_and_scintigram():
    image = np.zeros((64, 64), np.float32)
    image[20:40, 20:40] = 1
    gland = image > 0
    plain = np.asarray(explain.overlay(image, np.zeros((64, 64), np.float32), gland))
    assert plain.shape == (256, 256, 3)
    assert (plain[80, 80:160] == 255).all(), "outline of the gland"
    assert (plain[0, 0] == 0).all()
    heat = np.zeros((64, 64), np.float32)
    heat[40:, :] = 1
    shown = np.asarray(explain.overlay(image, heat, gland)).astype(int)
    assert (shown[250, 10] != shown[5, 10]).any()
    assert np.ptp(shown[250, 10]) > 50
