"""What cannot be computed raises one clear error; nothing warns, overflows or returns NaN."""

import math

import numpy as np
import pytest

from thyrocast.statistics import (
    calibration,
    calibration_curve,
    discrimination,
    intervals,
    roc,
    sample_size,
)

Y, P = [1, 1, 1, 0, 0, 0], [0.9, 0.6, 0.4, 0.6, 0.3, 0.1]


@pytest.mark.filterwarnings("error")
def test_ends_of_the_curve_divide_nothing_by_nothing():
    # The lowest score is a cured patient: the curve ends in a vertical step.
    outcome, score = [1, 0, 1, 0], [1.0, 1.0, 0.0, 1.0]
    low, high = roc.band(outcome, score, [0, 1], [np.ones((1, 4), dtype=int)])
    assert low == pytest.approx([0, 1], abs=1e-8)
    assert high == pytest.approx([0, 1], abs=1e-8)


def test_two_patients_and_a_high_confidence_do_not_overflow():
    for function in (calibration.brier, calibration.log_loss, calibration.observed_expected):
        for p in ([0.9, 0.5], [5e-9, 2e-9]):
            found = function([0, 1], p, 0.9999)
            assert all(math.isfinite(value) for value in found[:3])


@pytest.mark.parametrize("confidence", [0, 1, 95, -0.5, math.nan])
def test_a_confidence_in_percent_is_refused(confidence):
    for call in (
        lambda: discrimination.auc_interval(Y, P, confidence),
        lambda: intervals.wilson(3, 5, confidence),
        lambda: calibration.brier(Y, P, confidence),
    ):
        with pytest.raises(ValueError, match="a confidence level must be between 0 and 1"):
            call()


def test_more_successes_than_patients_are_no_proportion():
    with pytest.raises(ValueError, match="6 of 5 is not a proportion"):
        intervals.wilson(6, 5)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: sample_size.cox_snell(0.8, 0), "prevalence must be between 0 and 1, not 0"),
        (lambda: sample_size.cox_snell(1, 0.5), "auc must be between 0 and 1, not 1"),
        (lambda: sample_size.for_shrinkage(16, 0.0), "r2 must be between 0 and 1, not 0"),
        (lambda: sample_size.for_shrinkage(16, 0.95), "does not allow a shrinkage factor of 0.9"),
        (lambda: sample_size.for_oe(1, 0.2), "prevalence must be between 0 and 1, not 1"),
    ],
)
def test_a_sample_size_without_an_answer_says_why(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_wide_interval_of_a_high_auc_takes_two_patients():
    assert sample_size.for_auc(0.99, 0.5, 0.8) == 2


def test_tied_probabilities_leave_no_small_calibration_group():
    p = np.array([0.1] + [0.3] * 24 + [0.9])
    found = calibration_curve.groups(np.arange(26) % 2, p, 2, least=10)
    assert [group.n for group in found] == [26]
    random = np.random.default_rng(1)
    for _ in range(50):
        p = np.round(random.random(60), 1)
        found = calibration_curve.groups(random.random(60) < p, p, 6, least=10)
        assert sum(group.n for group in found) == 60
        assert min(group.n for group in found) >= 10
        assert np.all(np.diff([group.predicted for group in found]) > 0)
