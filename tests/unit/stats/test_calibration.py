"""Calibration: known answers, invariants, and samples that cannot answer."""

import numpy as np
import pytest
from scipy import special
from thyrocast.statistics import calibration, inputs, logistic, metrics, resampling, smoothing
from thyrocast.statistics.inputs import NotEstimableError


@pytest.fixture
def calibrated():
    random = np.random.default_rng(1)
    p = special.expit(random.normal(size=20_000))
    return random.random(20_000) < p, p


def test_a_calibrated_model_is_found_calibrated(calibrated):
    assert abs(calibration.in_the_large(*calibrated).estimate) < 0.05
    assert calibration.slope(*calibrated).estimate == pytest.approx(1, abs=0.05)
    assert abs(calibration.intercept(*calibrated).estimate) < 0.05
    assert calibration.observed_expected(*calibrated).estimate == pytest.approx(1, abs=0.02)
    curve = calibration.spline_curve(*calibrated)
    assert np.abs(curve.predicted - curve.observed).max() < 0.05
    assert abs(calibration.spiegelhalter(*calibrated)[0]) < 3


def test_shifting_the_logit_shifts_calibration_in_the_large(calibrated):
    y, p = calibrated
    shifted = special.expit(special.logit(p) + 0.7)
    one, other = calibration.in_the_large(y, p), calibration.in_the_large(y, shifted)
    assert other.estimate == pytest.approx(one.estimate - 0.7, abs=1e-6)


def test_stretching_the_logit_divides_the_slope(calibrated):
    y, p = calibrated
    stretched = special.expit(2 * special.logit(p))
    one, other = calibration.slope(y, p), calibration.slope(y, stretched)
    assert other.estimate == pytest.approx(one.estimate / 2, rel=1e-6)


def test_scores_of_four_patients_by_hand():
    y, p = [1, 0, 1, 0], [0.8, 0.4, 0.6, 0.2]
    assert calibration.brier(y, p).estimate == pytest.approx((0.04 + 0.16 + 0.16 + 0.04) / 4)
    assert calibration.scaled_brier(y, p).estimate == pytest.approx(1 - 0.1 / 0.25)
    expected = -(2 * np.log(0.8) + 2 * np.log(0.6)) / 4
    assert calibration.log_loss(y, p).estimate == pytest.approx(expected)
    assert calibration.observed_expected(y, p).estimate == pytest.approx(1)


def test_separated_outcomes_have_no_slope_but_the_rest():
    y, p = np.repeat([0, 1], 6), np.linspace(0.1, 0.9, 12)
    with pytest.raises(NotEstimableError, match="separated"):
        calibration.slope(y, p)
    with pytest.raises(NotEstimableError):
        calibration.spline_curve(y, p)
    assert np.isfinite(calibration.in_the_large(y, p).estimate)


def test_constant_probabilities_have_no_slope_but_the_rest():
    y, p = np.array([0, 1, 1, 1] * 5), np.full(20, 0.5)
    with pytest.raises(NotEstimableError, match="differ"):
        calibration.slope(y, p)
    with pytest.raises(NotEstimableError, match="differ"):
        calibration.spline_curve(y, p)
    assert calibration.in_the_large(y, p).estimate == pytest.approx(np.log(3))
    assert len(calibration.groups(y, p, 10)) == 1


@pytest.mark.parametrize("outcome", [[1] * 8, [0] * 8])
def test_one_outcome(outcome):
    p = np.linspace(0.2, 0.8, 8)
    for function in (calibration.in_the_large, calibration.slope, calibration.scaled_brier):
        with pytest.raises(NotEstimableError, match="cured"):
            function(outcome, p)
    found = calibration.observed_expected(outcome, p)
    assert found.low <= found.estimate <= found.high
    assert np.isfinite(calibration.brier(outcome, p)[:3]).all()


def test_probabilities_of_exactly_0_and_1_count_and_stay_finite():
    y, p = np.array([0, 1, 1, 0, 1, 0]), np.array([0.0, 1.0, 0.0, 1.0, 0.7, 0.2])
    assert np.isfinite(calibration.log_loss(y, p)[:3]).all()
    assert np.isfinite(calibration.in_the_large(y, p)[:3]).all()
    assert calibration.log_loss(y, p).estimate > 4


def test_probabilities_outside_0_to_1_are_refused():
    with pytest.raises(ValueError, match=r"from -0.1 to 0.5"):
        calibration.brier([0, 1], [-0.1, 0.5])


def test_no_expected_cure():
    with pytest.raises(NotEstimableError, match="nothing expected"):
        calibration.observed_expected([0, 1], [0.0, 0.0])


def test_groups_are_even_and_hold_everybody():
    random = np.random.default_rng(2)
    p = random.random(97)
    y = random.random(97) < p
    found = calibration.groups(y, p, 10)
    assert len(found) == 10
    assert sum(group.n for group in found) == 97
    assert {group.n for group in found} <= {9, 10}
    assert sum(group.events for group in found) == y.sum()
    assert [group.predicted for group in found] == sorted(group.predicted for group in found)


def test_equal_probabilities_stay_in_one_group():
    p = np.array([0.1] * 10 + [0.5] * 10)
    found = calibration.groups(np.tile([0, 1], 10), p, 5)
    assert [group.n for group in found] == [10, 10]


def test_curve_errors_of_one_sample_equal_numpy(calibrated):
    y, p = calibrated[0][:80], calibrated[1][:80]
    basis = calibration.error_basis(y, p)
    weights = np.concatenate([*resampling.draws(np.zeros(80), 10, np.random.default_rng(3))])
    found = metrics.calibration_errors(y, p, basis)(weights)
    for index, row in enumerate(weights):
        who = np.repeat(np.arange(80), row)
        fit = logistic.fit(basis[who], y[who])
        curve = special.expit(basis[who] @ fit.coefficients)
        for name, value in calibration.errors(curve, p[who]).items():
            assert found[name][index] == pytest.approx(value, abs=1e-7)


def test_many_fits_equal_one_by_one():
    random = np.random.default_rng(4)
    design = np.stack([np.ones(50), random.normal(size=50)], axis=1)
    y = (random.random(50) < 0.5).astype(float)
    weights = random.integers(0, 3, (6, 50))
    found = logistic.fit_many(design, y, weights)
    for row, coefficients in zip(weights, found, strict=True):
        who = np.repeat(np.arange(50), row)
        expected = logistic.fit(design[who], y[who]).coefficients
        np.testing.assert_allclose(coefficients, expected, atol=1e-8)


def test_a_separated_resample_is_no_number_and_stops_no_other():
    design = np.stack([np.ones(6), np.arange(6.0)], axis=1)
    y = np.array([0, 0, 1, 0, 1, 1.0])
    found = logistic.fit_many(design, y, np.array([[1, 1, 1, 1, 1, 1], [1, 1, 0, 1, 1, 1]]))
    assert np.isfinite(found[0]).all()
    assert np.isnan(found[1]).all()


def test_spline_is_linear_beyond_its_outer_knots():
    x = np.linspace(-5, 5, 101)
    basis = calibration.spline_basis(x, np.array([-1.0, 0.0, 1.0]))
    for outside in (basis[x <= -1.1], basis[x >= 1.1]):
        assert np.abs(np.diff(outside, n=2, axis=0)).max() < 1e-9


def test_loess_of_a_parabola_is_the_parabola():
    x = np.linspace(0, 1, 30)
    found = smoothing.loess(x, x**2 - x, [0.1, 0.55, 0.9])
    np.testing.assert_allclose(
        found.value, [0.1**2 - 0.1, 0.55**2 - 0.55, 0.9**2 - 0.9], atol=1e-10
    )


def test_loess_of_one_value_of_x_is_refused():
    with pytest.raises(NotEstimableError, match="different values"):
        smoothing.loess(np.full(20, 0.5), np.arange(20.0), [0.5])


def test_logit_holds_its_distance():
    assert inputs.logit(np.array([0.0, 1.0])) == pytest.approx([-13.8155, 13.8155], abs=1e-3)
