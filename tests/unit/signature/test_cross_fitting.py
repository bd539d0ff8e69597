"""Log-odds of the fits without each fold."""

import numpy as np
import pytest

from tests.unit.signature.example_split import config
from thyrocast.signature.cross_fitting import Training


def training(n=60, **settings):
    rng = np.random.default_rng(0)
    outcome = (np.arange(n) % 2).astype(float)
    return Training(outcome, np.arange(n) % 3 + 1, config(**settings), 0, 1), rng.normal(size=n)


def test_fits_without_a_fold_are_on_the_scale_of_the_fit_to_all():
    # Each fit has learned another multiple of the same feature, and another constant.
    cohort, feature = training(6000)

    def fit(rows, name):
        return (2.0, 0.3) if name == "all" else (5.0 + 3.0 * rows[0], -4.0 * rows[1])

    whole, odds = cohort.cross_fit_odds(fit, lambda found: found[0] * feature + found[1])
    assert whole == (2.0, 0.3)
    expected = 2.0 * feature + 0.3
    np.testing.assert_allclose(odds, expected, atol=0.15)
    assert np.corrcoef(odds, feature)[0, 1] > 0.98


def test_a_fit_without_signal_predicts_the_mean():
    cohort, feature = training()
    _, odds = cohort.cross_fit_odds(
        lambda rows, name: 1.0 if name == "all" else 0.0, lambda slope: slope * feature
    )
    np.testing.assert_allclose(odds, feature.mean())


@pytest.mark.parametrize("seed", [0, 1])
def test_without_cross_fitting_the_log_odds_are_those_of_the_fit_to_all(seed):
    cohort, feature = training(embeddings="in_sample")
    _, odds = cohort.cross_fit_odds(lambda rows, name: seed + 1.0, lambda slope: slope * feature)
    np.testing.assert_array_equal(odds, (seed + 1.0) * feature)
