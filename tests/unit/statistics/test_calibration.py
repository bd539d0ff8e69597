"""Calibration: known answers, invariants, and samples that cannot answer."""

import numpy as np
import pytest
from scipy import special

from thyrocast.statistics import calibration, calibration_curve, inputs, smoothing
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
    curve = calibration_curve.spline_curve(*calibrated)
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
        calibration_curve.spline_curve(y, p)
    assert np.isfinite(calibration.in_the_large(y, p).estimate)


def test_constant_probabilities_have_no_slope_but_the_rest():
    y, p = np.array([0, 1, 1, 1] * 5), np.full(20, 0.5)
    with pytest.raises(NotEstimableError, match="differ"):
        calibration.slope(y, p)
    with pytest.raises(NotEstimableError, match="differ"):
        calibration_curve.spline_curve(y, p)
    assert calibration.in_the_large(y, p).estimate == pytest.approx(np.log(3))
    assert len(calibration_curve.groups(y, p, 10)) == 1


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


def test_calibration_in_the_large_is_not_a_matter_of_clipping():
    random = np.random.default_rng(3)
    y = random.random(100) < 0.7
    hard = np.where(random.random(100) < 0.8, y, ~y).astype(float)
    with pytest.raises(NotEstimableError, match="100 of 100 probabilities are 0 or 1"):
        calibration.in_the_large(y, hard)
    # A fifth of such probabilities leaves an estimate that the others decide.
    some = np.where(np.arange(100) % 5 == 0, hard, 0.6)
    assert abs(calibration.in_the_large(y, some).estimate) < 2


def test_probabilities_outside_0_to_1_are_refused():
    with pytest.raises(ValueError, match=r"from -0.1 to 0.5"):
        calibration.brier([0, 1], [-0.1, 0.5])


def test_no_expected_cure():
    with pytest.raises(NotEstimableError, match="all probabilities are 0"):
        calibration.observed_expected([0, 1], [0.0, 0.0])


def test_groups_are_even_and_hold_everybody():
    random = np.random.default_rng(2)
    p = random.random(97)
    y = random.random(97) < p
    found = calibration_curve.groups(y, p, 10)
    assert len(found) == 10
    assert sum(group.n for group in found) == 97
    assert {group.n for group in found} <= {9, 10}
    assert sum(group.events for group in found) == y.sum()
    assert [group.predicted for group in found] == sorted(group.predicted for group in found)


def test_equal_probabilities_stay_in_one_group():
    p = np.array([0.1] * 10 + [0.5] * 10)
    found = calibration_curve.groups(np.tile([0, 1], 10), p, 5)
    assert [group.n for group in found] == [10, 10]


def test_distances_of_a_calibrated_model_may_be_0(calibrated):
    found = calibration_curve.error_intervals(*calibrated, np.random.default_rng(3))
    assert found["ici"].low == 0
    assert found["ici"].estimate < found["ici"].high < 0.02
    assert found["e50"].estimate <= found["e90"].estimate <= found["emax"].estimate


def test_distances_of_a_stretched_model_hold_the_truth(calibrated):
    y, p = calibrated
    told = special.expit(2 * special.logit(p))
    found = calibration_curve.error_intervals(y, told, np.random.default_rng(3))
    gap = np.abs(told - p)
    for name, value in (
        ("ici", gap.mean()),
        ("e50", np.median(gap)),
        ("e90", np.quantile(gap, 0.9)),
    ):
        assert found[name].low < value < found[name].high
        assert found[name].high - found[name].low < 0.04


def test_rows_of_one_patient_count_as_one(calibrated):
    y, p = calibrated[0][:300], calibrated[1][:300]
    who = np.arange(300)
    for function in (
        calibration.in_the_large, calibration.slope, calibration.intercept, calibration.brier,
        calibration.scaled_brier, calibration.log_loss, calibration.observed_expected,
    ):  # fmt: skip
        one = function(y, p)
        tripled = function(np.tile(y, 3), np.tile(p, 3), cluster=np.tile(who, 3))
        assert tripled.estimate == pytest.approx(one.estimate, abs=1e-9)
        # The sandwich differs from the model's own covariance by chance alone.
        width, alone = tripled.high - tripled.low, one.high - one.low
        assert width == pytest.approx(alone, rel=0.15), function.__name__


def test_spline_is_linear_beyond_its_outer_knots():
    x = np.linspace(-5, 5, 101)
    basis = calibration_curve.spline_basis(x, np.array([-1.0, 0.0, 1.0]))
    for outside in (basis[x <= -1.1], basis[x >= 1.1]):
        assert np.abs(np.diff(outside, n=2, axis=0)).max() < 1e-9


def test_loess_of_a_parabola_is_the_parabola():
    x = np.linspace(0, 1, 30)
    found = smoothing.loess(x, x**2 - x, [0.1, 0.55, 0.9])
    np.testing.assert_allclose(found, [0.1**2 - 0.1, 0.55**2 - 0.55, 0.9**2 - 0.9], atol=1e-10)


def test_loess_of_one_value_of_x_is_refused():
    with pytest.raises(NotEstimableError, match="distinct values"):
        smoothing.loess(np.full(20, 0.5), np.arange(20.0), [0.5])


def test_logit_holds_its_distance():
    assert inputs.logit(np.array([0.0, 1.0])) == pytest.approx([-13.8155, 13.8155], abs=1e-3)
