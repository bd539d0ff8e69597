"""The simulated camera obeys the physics that it states."""

import numpy as np
import pytest

from thyrocast import physics
from thyrocast.contract.names import View
from thyrocast.simulation import anatomy, camera
from thyrocast.simulation.camera import Camera

FINE = Camera(matrix=256, pixel_mm=1.2, sensitivity=80, resolution_mm=7.5, distance_mm=80)
COARSE = Camera(matrix=128, pixel_mm=2.4, sensitivity=80, resolution_mm=7.5, distance_mm=80)


def neck(mass: float = 36, uptake: float = 0.12, heterogeneity: float = 0.3, seed: int = 1):
    return anatomy.build(mass, uptake, heterogeneity, np.random.default_rng(seed))


def gland_area(rate: np.ndarray, pixel_mm: float) -> float:
    return float((rate > 0.35 * rate.max()).sum() * pixel_mm**2)


def test_half_of_technetium_is_left_after_six_hours() -> None:
    assert physics.tc99m_left(physics.TC99M_HALF_LIFE_MIN) == 0.5
    assert physics.tc99m_left(20.0) == pytest.approx(0.9623, abs=1e-4)
    assert physics.tc99m_left(10.0) * physics.tc99m_left(15.0) == pytest.approx(
        physics.tc99m_left(25.0)
    )


def test_counts_double_with_duration_and_with_activity() -> None:
    rng = np.random.default_rng(0)
    rate = camera.count_rate(neck(), View.ANTERIOR, COARSE, 74.0)
    one, two = (camera.acquire(rate, seconds, rng).sum() for seconds in (300.0, 600.0))
    # Four standard deviations of a Poisson count.
    assert abs(int(two) - 2 * int(one)) < 4 * np.sqrt(two + 4 * one)
    np.testing.assert_allclose(camera.count_rate(neck(), View.ANTERIOR, COARSE, 148.0), 2 * rate)


def test_counts_are_poisson() -> None:
    rng = np.random.default_rng(0)
    counts = camera.acquire(np.full((400, 400), 2.0), 10.0, rng).astype(float)
    assert counts.mean() == pytest.approx(20.0, rel=0.01)
    assert counts.var() == pytest.approx(20.0, rel=0.03)


def test_halving_the_pixels_changes_neither_counts_nor_area() -> None:
    patient = neck()
    fine = camera.count_rate(patient, View.ANTERIOR, FINE, 74.0)
    coarse = camera.count_rate(patient, View.ANTERIOR, COARSE, 74.0)
    assert fine.sum() == pytest.approx(coarse.sum(), rel=0.01)
    np.testing.assert_allclose(
        fine.reshape(128, 2, 128, 2).sum(axis=(1, 3))[20:100, 20:100],
        coarse[20:100, 20:100],
        rtol=0.02,
        atol=1e-3 * coarse.max(),
    )
    assert gland_area(fine, 1.2) == pytest.approx(gland_area(coarse, 2.4), rel=0.02)


def test_projected_ellipsoid_holds_its_activity() -> None:
    patient = neck(uptake=0.2, heterogeneity=0.01)
    bare = anatomy.Neck(
        **{
            **patient.__dict__,
            "concentrations": patient.concentrations * patient.thyroid,
            "background": 0.0,
        }
    )
    seen = [camera.project(bare, angle, 256, 0.8).sum() * 0.8**2 for angle in (0.0, np.pi)]
    # What arrives is what was taken up, weakened by tissue of the depth of the gland's parts.
    front, back = (-np.log(total / 0.2) / camera.ATTENUATION_PER_MM for total in seen)
    assert 5 < front < 35
    assert 80 < back < 120


def test_area_grows_with_mass_and_background_fades_with_uptake() -> None:
    areas = [
        np.mean(
            [gland_area(camera.project(neck(mass, seed=s), 0.0, 128, 2.4), 2.4) for s in range(8)]
        )
        for mass in (20, 40, 80)
    ]
    # Same shape: eight times the volume is four times the area.
    assert areas[1] / areas[0] == pytest.approx(2 ** (2 / 3), rel=0.1)
    assert areas[2] / areas[1] == pytest.approx(2 ** (2 / 3), rel=0.1)
    contrast = []
    for uptake in (0.05, 0.1, 0.2):
        rate = camera.count_rate(neck(uptake=uptake), View.ANTERIOR, COARSE, 74.0)
        contrast.append(rate.max() / np.median(rate[40:80, 40:88]))
    assert contrast == sorted(contrast)


def test_uneven_gland_looks_uneven() -> None:
    def spread(heterogeneity: float) -> float:
        values = []
        for seed in range(10):
            rate = camera.count_rate(
                neck(40, 0.15, heterogeneity, seed), View.ANTERIOR, COARSE, 74.0
            )
            values.append(
                rate[rate > 0.4 * rate.max()].std() / rate[rate > 0.4 * rate.max()].mean()
            )
        return float(np.mean(values))

    assert spread(0.05) < spread(0.4) < spread(0.9)


def test_foci_move_activity_and_do_not_add_any() -> None:
    patient = neck(heterogeneity=0.9)
    even = anatomy.Neck(**{**patient.__dict__, "focus_gains": np.zeros_like(patient.focus_gains)})
    uneven, smooth = (camera.project(n, 0.0, 128, 2.4) for n in (patient, even))
    assert uneven.sum() == pytest.approx(smooth.sum())
    assert not np.allclose(uneven, smooth)


def test_posterior_view_is_mirrored_and_weaker() -> None:
    # All of the gland in the left lobe: right of the middle in front, left of it behind.
    patient = neck(seed=3)
    left = np.where(patient.thyroid & (patient.centers[:, 0] > 5), patient.concentrations, 0.0)
    lobe = anatomy.Neck(
        **{**patient.__dict__, "concentrations": left, "background": 0.0, "offset": np.zeros(2)}
    )
    front, back = (
        camera.project(lobe, camera.VIEW_ANGLES[v], 128, 2.4)
        for v in (View.ANTERIOR, View.POSTERIOR)
    )
    columns = np.arange(128) - 63.5
    assert (front.sum(axis=0) * columns).sum() > 0 > (back.sum(axis=0) * columns).sum()
    assert back.sum() < 0.5 * front.sum()
    # Half-way to the left, the camera sees the left lobe nearer than the right one.
    oblique = camera.project(lobe, camera.VIEW_ANGLES[View.LEFT_ANTERIOR_OBLIQUE], 128, 2.4)
    assert oblique.sum() > 0.8 * front.sum()


def test_blur_spreads_and_keeps_counts() -> None:
    point = np.zeros((128, 128))
    point[64, 64] = 1.0
    image = camera.blur(point, COARSE)
    assert image.sum() == pytest.approx(1 + camera.SCATTER_FRACTION, rel=1e-3)
    # Full width at half maximum at 105 mm from the collimator, interpolated between the pixels.
    line = image[64] - camera.SCATTER_FRACTION * image.min()
    position = np.linspace(0, 127, 12701)
    wide = np.interp(position, np.arange(128), line) > line.max() / 2
    expected = 7.5 * (0.35 + 0.65 * 1.05)
    assert wide.sum() * 0.01 * 2.4 == pytest.approx(expected, rel=0.08)


def test_syringe_is_small_and_holds_its_activity() -> None:
    rate = camera.syringe(COARSE, 80.0)
    assert rate.sum() == pytest.approx(80.0 * 80 * (1 + camera.SCATTER_FRACTION), rel=0.01)
    assert gland_area(rate, 2.4) < 700
