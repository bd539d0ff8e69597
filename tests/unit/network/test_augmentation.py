"""Augmentation: what another acquisition could have shown, and nothing else."""

import math

import numpy as np
import pytest
import torch

from thyrocast.config.network import AugmentationConfig
from thyrocast.image import field
from thyrocast.network import augmentation, image_set
from thyrocast.network.augmentation import Change

SETTINGS = AugmentationConfig(rotation=10, shift=0.05, scale=0.05, thinning=0.5)


def _change(n=1, angle=0.0, shift_x=0.0, shift_y=0.0, scale=1.0, kept=1.0):
    values = {"angle": angle, "shift_x": shift_x, "shift_y": shift_y, "scale": scale, "kept": kept}
    values |= {"phase_x": 0.0, "phase_y": 0.0}
    return Change(**{name: np.full(n, value) for name, value in values.items()})


def _blob(x, y, size=64, width=4.0):
    rows, columns = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
    return torch.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * width**2))[None]


def _center(image):
    rows, columns = torch.meshgrid(*(torch.arange(n) for n in image.shape[1:]), indexing="ij")
    total = image[0].sum()
    return float((columns * image[0]).sum() / total), float((rows * image[0]).sum() / total)


def test_no_change_leaves_images_alone():
    image = torch.rand(3, 32, 32)
    torch.testing.assert_close(augmentation.move(image, _change(3)), image, atol=1e-5, rtol=1e-5)


def test_shift_goes_where_it_says():
    x, y = _center(augmentation.move(_blob(30, 34), _change(shift_x=0.125, shift_y=-0.0625)))
    assert (x, y) == pytest.approx((38, 30), abs=0.05)


def test_rotation_turns_around_the_center():
    x, y = _center(augmentation.move(_blob(47.5, 31.5), _change(angle=math.pi / 6)))
    assert math.hypot(x - 31.5, y - 31.5) == pytest.approx(16, abs=0.1)
    assert abs(math.degrees(math.atan2(y - 31.5, x - 31.5))) == pytest.approx(30, abs=0.5)


def test_scale_enlarges_and_keeps_intensity():
    moved = augmentation.move(_blob(31.5, 31.5), _change(scale=1.5))
    assert float(moved.sum() / _blob(31.5, 31.5).sum()) == pytest.approx(1.5**2, rel=0.01)
    assert float(moved.max()) == pytest.approx(1, abs=0.02)


def test_values_of_the_edge_are_repeated_beyond_it():
    moved = augmentation.move(torch.full((1, 16, 16), 0.3), _change(shift_x=0.4, angle=0.5))
    torch.testing.assert_close(moved, torch.full((1, 16, 16), 0.3))


def test_left_and_right_are_never_exchanged():
    """A hot right lobe stays on its side, whatever is drawn."""
    image = (_blob(20, 32) + 0.4 * _blob(44, 32)).expand(500, -1, -1)
    change = augmentation.draw(np.random.default_rng(0), 500, SETTINGS)
    moved = augmentation.move(image, change)
    assert bool((moved[:, :, :32].sum(dim=(1, 2)) > moved[:, :, 32:].sum(dim=(1, 2))).all())


def test_draws_stay_within_the_settings():
    change = augmentation.draw(np.random.default_rng(1), 5000, SETTINGS)
    assert np.abs(np.degrees(change.angle)).max() == pytest.approx(10, rel=0.01)
    assert np.abs(change.shift_x).max() == pytest.approx(0.05, rel=0.01)
    assert change.scale.max() == pytest.approx(1.05, rel=0.01)
    assert change.scale.min() == pytest.approx(1 / 1.05, rel=0.01)
    assert change.kept.min() == pytest.approx(0.5, rel=0.01)
    assert change.kept.max() <= 1


@pytest.mark.parametrize("kept", [0.5, 0.8])
def test_thinned_poisson_counts_are_poisson_again(kept):
    """Of counts with mean 20, a share q thinned and scaled back has mean 20 and variance 20/q."""
    n, per_unit = 40, 8.0
    counts = torch.poisson(
        torch.full((n, 64, 64), 20.0), generator=torch.Generator().manual_seed(1)
    )
    thinned = augmentation.thin(
        counts / per_unit,
        torch.full((n,), per_unit),
        np.ones(n),
        _change(n, kept=kept),
        torch.Generator().manual_seed(2),
    )
    values = thinned.double() * per_unit
    pixels = n * 64 * 64
    assert float(values.mean()) == pytest.approx(20, abs=5 * math.sqrt(20 / kept / pixels))
    # Interpolation between camera and image smooths a little, even if their pixels are the same.
    assert float(values.var()) == pytest.approx(20 / kept, rel=0.15)


def _power(images):
    """Mean power (bands,) of deviations from the mean image, from coarse to fine."""
    deviations = images - images.mean(axis=0)
    power = (np.abs(np.fft.fft2(deviations)) ** 2).mean(axis=0)
    frequency = np.hypot(*np.meshgrid(*(np.fft.fftfreq(images.shape[-1]),) * 2))
    bands = np.digitize(frequency, [0.02, 0.06, 0.12, 0.2, 0.35])
    return np.array([power[bands == band].mean() for band in range(6)])


@pytest.mark.parametrize(("pixel_mm", "kept"), [(2.4, 0.5), (1.6, 0.5), (3.2, 0.7)])
def test_thinned_scans_have_the_noise_of_shorter_ones(pixel_mm, kept):
    # The same gland scanned often, for the whole time and for a share of it, by the same camera.
    rng = np.random.default_rng(0)
    size, n, level = 128, 60, 30.0
    side = 0.714
    native = int(size * side / pixel_mm) + 8
    y, x = np.mgrid[:native, :native] * pixel_mm - native * pixel_mm / 2
    rate = level * (0.2 + np.exp(-(x**2 + y**2) / (2 * 18**2))) * (pixel_mm / 2.4) ** 2

    def scans(share):
        offset = rng.uniform(0, pixel_mm, (n, 2)) + 2 * pixel_mm
        return np.array(
            [
                field.crop(
                    rng.poisson(rate * share).astype(float),
                    (pixel_mm, pixel_mm),
                    field.Field(*offset[i], side * size, size),
                )
                / share
                for i in range(n)
            ]
        )

    whole, shorter = scans(1.0), scans(kept)
    change = augmentation.Change(
        **{name: np.zeros(n) for name in ("angle", "shift_x", "shift_y")},
        scale=np.ones(n),
        kept=np.full(n, kept),
        phase_x=rng.uniform(0, 1, n),
        phase_y=rng.uniform(0, 1, n),
    )
    thinned = augmentation.thin(
        torch.from_numpy(whole).float(),
        torch.ones(n),
        np.full(n, pixel_mm / side),
        change,
        torch.Generator().manual_seed(1),
    ).numpy()
    assert thinned.mean() == pytest.approx(whole.mean(), rel=0.01)
    ratio = np.log(_power(thinned) / _power(shorter))
    np.testing.assert_allclose(ratio[:4], 0, atol=0.1)
    # Structures finer than the camera's pixels have almost no power, and the interpolation is not
    # linear there. Noise on the image's own pixels has up to 8 times the power.
    np.testing.assert_allclose(ratio[4:], 0, atol=0.75)


def test_grids_preserve_counts():
    to_camera, to_image = augmentation.grids(np.array([3.3, 2.0, 0.6]), np.array([0, 0.4, 0.9]), 32)
    np.testing.assert_allclose(to_camera.sum(axis=1), 1)
    inside = to_image.sum(axis=1)
    assert ((inside > 0.99) | (inside < 1)).all()
    for one in range(3):
        whole = np.flatnonzero(to_camera[one].sum(axis=1) > (3.3, 2.0, 0.6)[one] - 1e-9)
        np.testing.assert_allclose(inside[one, whole[1:-1]], 1, atol=1e-9)


def test_fractions_of_counts_keep_their_mean():
    image = torch.full((1, 200, 200), 0.3)
    thinned = augmentation.thin(
        image,
        torch.full((1,), 4.0),
        np.array([2.0]),
        _change(kept=0.7),
        torch.Generator().manual_seed(3),
    )
    assert float(thinned.mean()) == pytest.approx(0.3, abs=0.02)


def test_unknown_counts_or_pixels_are_not_thinned():
    images = torch.rand(3, 16, 16)
    counts = torch.tensor([float("nan"), 30.0, 30.0])
    generator = torch.Generator().manual_seed(1)
    pixels = np.array([2.0, np.nan, 2.0])
    thinned = augmentation.thin(images, counts, pixels, _change(3, kept=0.5), generator)
    assert torch.equal(thinned[:2], images[:2])
    assert not torch.equal(thinned[2], images[2])


def test_counts_per_unit_come_from_the_gland(cohort):
    files = {name: path for name, path in cohort.inputs().items() if name != "masks"}
    split = image_set.read_split(**files, design="loco", split="south")
    masks = np.load(cohort.inputs()["masks"], mmap_mode="r")
    factor = image_set.counts_per_unit(split, masks)
    assert np.isnan(factor[0]), "counts of this patient are unknown"
    np.testing.assert_allclose(factor[1:], 40, rtol=0.02)
