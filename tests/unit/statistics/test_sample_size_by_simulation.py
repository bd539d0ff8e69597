"""The fourth criterion gives models whose probabilities are wrong by .05 on average."""

import numpy as np
import pytest

from thyrocast.statistics import logistic, sample_size


@pytest.mark.parametrize(("parameters", "prevalence"), [(8, 0.5), (6, 0.7)])
def test_the_mean_absolute_error_is_as_planned(parameters, prevalence):
    n = sample_size.for_prediction_error(parameters, prevalence)
    random = np.random.default_rng(51)
    weight, start = np.full(parameters, 0.35), 1.1 * np.log(prevalence / (1 - prevalence))
    error = []
    for _ in range(25):
        x, new = random.normal(size=(n, parameters)), random.normal(size=(1000, parameters))
        y = random.random(n) < logistic.expit(start + x @ weight)
        found = logistic.solve(np.column_stack([np.ones(n), x]), y)
        predicted = logistic.expit(found[0] + new @ found[1:])
        error.append(np.abs(predicted - logistic.expit(start + new @ weight)).mean())
    assert np.mean(error) == pytest.approx(0.05, abs=0.009)
