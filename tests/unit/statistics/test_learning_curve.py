"""Learning curves: the covariance of what is measured, and the power law by which it is extrapolated."""

import numpy as np
import pytest

from thyrocast.statistics import discrimination, learning_curve
from thyrocast.statistics.inputs import NotEstimableError
from thyrocast.statistics.learning_curve import Curve

SHARES = (0.4, 0.55, 0.7, 0.85, 1.0)


def test_without_differences_between_subsamples_the_variance_is_delongs() -> None:
    random = np.random.default_rng(1)
    y = random.random(80) < 0.6
    score = random.normal(size=80) + y
    found = learning_curve.measure(y, np.tile(score, (5, 3, 1)), np.ones(80), SHARES)
    areas, covariance = discrimination.delong(y, score)
    assert found.auc == pytest.approx(np.full(5, areas[0]))
    assert found.covariance == pytest.approx(np.full((5, 5), covariance[0, 0]))


def test_scores_are_compared_within_folds_only() -> None:
    random = np.random.default_rng(2)
    y, fold = random.random(100) < 0.6, np.arange(100) % 4
    scores = random.normal(size=(5, 2, 100)) + y
    found = learning_curve.measure(y, scores, fold, SHARES)
    shifted = learning_curve.measure(y, scores + 10.0 * fold, fold, SHARES)
    assert shifted.auc == pytest.approx(found.auc)
    assert shifted.covariance == pytest.approx(found.covariance)


def test_variance_of_new_samples_follows_from_that_of_subsamples() -> None:
    """Means of subsamples of 40 % of a sample have 60 % of the variance of means of new samples."""
    random = np.random.default_rng(3)
    y = np.tile([False, True], 50)
    # A model of one of two qualities: its AUC is that of the half of the patients who are in its sample.
    good, bad = y + 0.3 * random.normal(size=100), random.normal(size=100)
    scores = np.stack(
        [[good if random.random() < 0.5 else bad for _ in range(400)] for _ in SHARES]
    )
    found = learning_curve.measure(y, scores, np.zeros(100), SHARES)
    spread = (discrimination.auc(y, good) - discrimination.auc(y, bad)) ** 2 / 4
    factor = np.mean([share / (1 - share) for share in SHARES[:-1]])
    of_patients = learning_curve.measure(
        y, np.broadcast_to(scores.mean(axis=1, keepdims=True), (5, 2, 100)), np.zeros(100), SHARES
    )
    assert found.covariance[0, 4] > 0.8 * factor * spread
    assert found.covariance[0, 4] < 1.2 * factor * spread + of_patients.covariance[0, 4]


@pytest.mark.parametrize("exponent", [0.2, 0.5, 1.0, 2.0])
def test_the_interval_contains_a_power_law_of_any_exponent(exponent: float) -> None:
    share = np.array(SHARES)
    curve = Curve(share, 0.85 - 0.06 * share**-exponent, np.full((5, 5), 0.02**2))
    found = learning_curve.extrapolate(curve, [1.5, 2.0], seed=4)
    truth = 0.85 - 0.06 * np.array([1.5, 2.0]) ** -exponent
    gain = truth - 0.79
    assert (found.low < truth).all()
    assert (truth < found.high).all()
    assert (found.gain_low <= gain).all()
    assert (gain <= found.gain_high).all()
    # The patients who are scored are the same at all sizes: the gain is known better than the AUC.
    assert (found.gain_high - found.gain_low < found.high - found.low).all()


def test_more_patients_never_make_a_model_worse_and_no_auc_exceeds_1() -> None:
    share = np.array(SHARES)
    falling = Curve(share, 0.7 - 0.05 * share, np.zeros((5, 5)))
    assert learning_curve.extrapolate(falling, [2.0], seed=5).gain == pytest.approx(0)
    steep = Curve(share, 1.0 - 0.02 * share**-1.5, np.full((5, 5), 0.03**2))
    found = learning_curve.extrapolate(steep, [1.0, 2.0, 50.0], seed=6)
    assert (found.high <= 1).all()
    assert (found.gain_high <= 1 - 0.9).all()


@pytest.mark.parametrize("score", [np.arange(40) % 2, np.zeros(40)])
def test_a_curve_without_variance_is_refused(score) -> None:
    y = np.arange(40) % 2
    with pytest.raises(NotEstimableError, match="no variance"):
        learning_curve.measure(y, np.tile(score, (5, 3, 1)), np.arange(40) // 20, SHARES)


def test_too_few_patients_subsamples_or_shares_are_refused() -> None:
    y = np.array([True, False, True, False])
    scores = np.zeros((5, 1, 4))
    with pytest.raises(NotEstimableError, match="fewer than two subsamples"):
        learning_curve.measure(y, scores, np.zeros(4), SHARES)
    with pytest.raises(NotEstimableError):
        learning_curve.measure(y, np.zeros((5, 2, 4)), np.arange(4) % 2, SHARES)
