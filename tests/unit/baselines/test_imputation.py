"""Imputation of missing predictors."""

import numpy as np

from thyrocast.baselines import imputation


def test_imputation_recovers_the_distribution_under_missingness_at_random():
    rng = np.random.default_rng(0)
    covariance = np.array([[1.0, 0.8, 0.0], [0.8, 1.0, 0.3], [0.0, 0.3, 1.0]])
    values = rng.multivariate_normal([0, 1, 2], covariance, 4000)
    values[values[:, 0] > 0.3, 1] = np.nan  # depends on a present value: the plain mean is biased
    model = imputation.fit(values, tolerance=1e-6, iterations=500)
    np.testing.assert_allclose(model.mean, [0, 1, 2], atol=0.08)
    np.testing.assert_allclose(model.covariance, covariance, atol=0.08)
    filled = imputation.complete(values, model)
    assert not np.isnan(filled).any()
    np.testing.assert_array_equal(filled[:, [0, 2]], values[:, [0, 2]])


def test_imputation_without_any_value():
    values = np.array([[1.0, np.nan], [2.0, np.nan], [np.nan, np.nan], [4.0, np.nan]])
    filled = imputation.complete(values, imputation.fit(values))
    assert np.isfinite(filled).all()
