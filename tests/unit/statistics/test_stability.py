"""Instability of predictions, selection stability and variance components, against known truth."""

import numpy as np
import pytest

from thyrocast.statistics import stability
from thyrocast.statistics.inputs import NotEstimableError

SELECTED = np.array(
    [
        [1, 1, 0, 0, 0, 1, 0, 0],
        [1, 1, 1, 0, 0, 0, 0, 0],
        [1, 0, 1, 0, 0, 1, 0, 0],
        [1, 1, 0, 0, 1, 0, 0, 0],
        [1, 1, 1, 0, 0, 1, 0, 0],
    ],
    dtype=bool,
)


def test_errors_of_predictions_by_hand() -> None:
    # As prediction_stability and mape_stability of R's pminternal 0.1 define them.
    original = np.array([0.2, 0.7])
    refitted = np.array([[0.1, 0.7], [0.3, 0.5], [0.5, 0.6]])
    found = stability.predictions(original, refitted)
    np.testing.assert_allclose(found.error, [(0.1 + 0.1 + 0.3) / 3, (0 + 0.2 + 0.1) / 3])
    # Quantiles of type 7, R's default.
    np.testing.assert_allclose(found.low, [0.1 + 0.05 * 0.2, 0.5 + 0.05 * 0.1])
    np.testing.assert_allclose(found.high, [0.3 + 0.95 * 0.2, 0.6 + 0.95 * 0.1])
    changed = stability.decisions(original >= 0.5, refitted >= 0.55)
    np.testing.assert_allclose(changed, [0, 1 / 3])


@pytest.mark.parametrize(("n", "risk"), [(50, 0.3), (800, 0.6)])
def test_the_error_is_that_of_the_sampling_distribution(n: int, risk: float) -> None:
    """A model that predicts the prevalence moves by the mean deviation of a binomial share."""
    random = np.random.default_rng(3)
    refitted = random.binomial(n, risk, (20_000, 1)) / n
    found = stability.predictions(np.array([risk]), refitted)
    expected = (2 / np.pi * risk * (1 - risk) / n) ** 0.5
    assert found.error[0] == pytest.approx(expected, rel=0.03)


def test_predictions_that_do_not_move_are_stable() -> None:
    original = np.array([0.2, 0.7])
    assert stability.predictions(original, np.tile(original, (5, 1))).error.max() == 0


def test_selection_as_in_the_program_of_the_authors() -> None:
    # getVarianceofStability of github.com/nogueirs/JMLR2018, python/stability, commit 9ccbea8.
    found = stability.selection(SELECTED)
    assert found.estimate == pytest.approx(0.47916666666666663, rel=1e-12)
    assert found.std_error == pytest.approx(0.007942859037422848**0.5, rel=1e-12)


def test_selection_at_its_limits() -> None:
    assert stability.selection(SELECTED[[0, 0, 0]]).estimate == pytest.approx(1)
    random = np.random.default_rng(1)
    chance = stability.selection(random.random((400, 300)) < 0.05)
    assert chance.low < 0 < chance.high
    assert abs(chance.estimate) < 0.01
    for selected in (SELECTED[:1], np.zeros((3, 4), bool), np.ones((3, 4), bool)):
        with pytest.raises(NotEstimableError):
            stability.selection(selected)


@pytest.mark.parametrize(("often", "size", "seed"), [(0.9, 8, 1), (0.4, 30, 2)])
def test_the_interval_of_selection_covers_the_truth(often: float, size: int, seed: int) -> None:
    """Features of a known probability of selection; 95 % of 600 intervals must contain the truth."""
    chance = np.r_[np.full(size, often), np.full(200 - size, 0.02)]
    truth = 1 - (chance * (1 - chance)).mean() / (chance.mean() * (1 - chance.mean()))
    random = np.random.default_rng(seed)
    inside = 0
    for _ in range(600):
        found = stability.selection(random.random((100, 200)) < chance)
        inside += found.low <= truth <= found.high
    assert 0.92 <= inside / 600 <= 0.98


def test_variance_components_of_balanced_groups() -> None:
    values, group = np.array([[3.0], [5.0], [8.0], [10.0], [1.0], [3.0]]), np.repeat([0, 1, 2], 2)
    found = stability.variance_components(values, group)
    # Mean squares by hand: within 2, between 2 * var(4, 9, 2) = 26.
    assert found.within[0] == pytest.approx(2)
    assert found.between[0] == pytest.approx((26 - 2) / 2)


@pytest.mark.parametrize(("between", "within"), [(0.5, 2.0), (3.0, 0.2), (0.0, 1.0)])
def test_variance_components_are_recovered(between: float, within: float) -> None:
    """20 groups of three fits and 180 of one, as they are drawn here; 400 quantities."""
    random = np.random.default_rng(7)
    group = np.r_[np.arange(200), np.arange(20), np.arange(20)]
    own = random.normal(0, between**0.5, (200, 400))
    values = own[group] + random.normal(0, within**0.5, (240, 400))
    found = stability.variance_components(values, group)
    assert found.within.mean() == pytest.approx(within, rel=0.05)
    # An estimate below 0 is given as 0.
    assert found.between.mean() == pytest.approx(between, abs=0.05 * (between + within) + 0.06)
    with pytest.raises(NotEstimableError):
        stability.variance_components(values[:200], group[:200])
    with pytest.raises(NotEstimableError):
        stability.variance_components(values[:2], np.zeros(2, int))
