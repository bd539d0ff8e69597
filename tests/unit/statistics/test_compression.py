"""Bootstraps of kinds of patients give the intervals of the bootstrap of patients."""

import numpy as np
import pytest
from scipy import special

from thyrocast.statistics import compression, discrimination, resampling, roc, weighted


@pytest.fixture(scope="module")
def large():
    random = np.random.default_rng(3)
    logit = random.normal(size=6000)
    outcome = random.random(6000) < special.expit(0.5 + logit)
    return outcome, special.expit(logit), random.integers(0, 3, 6000)


def test_every_patient_is_in_one_kind_with_its_labels(large):
    outcome, score, center = large
    kinds = compression.compress(score, outcome, center)
    assert kinds.size.sum() == outcome.size
    assert kinds.size.size <= 2 * 3 * compression.BINS
    cured = kinds.size[outcome[kinds.first]].sum()
    assert cured == outcome.sum()
    exact = discrimination.auc(outcome, score)
    area = weighted.auc(outcome[kinds.first], kinds.score)
    assert float(area(kinds.size[None])[0]) == pytest.approx(exact, abs=2e-3)


def test_the_spread_of_the_auc_is_that_of_the_bootstrap_of_patients(large):
    outcome, score, center = large
    stratum = resampling.strata(outcome, center)
    kinds = compression.compress(score, stratum)
    random = np.random.default_rng(4)
    area = weighted.auc(outcome[kinds.first], kinds.score)
    drawn = compression.draws(stratum[kinds.first], kinds.size, 1000, random)
    grouped = np.concatenate([area(block) for block in drawn])
    whole = weighted.auc(outcome, score)
    single = np.concatenate([whole(block) for block in resampling.draws(stratum, 1000, random)])
    assert grouped.std() == pytest.approx(single.std(), rel=0.1)
    # Ties within a kind move the mean a little.
    assert grouped.mean() == pytest.approx(single.mean(), abs=2e-3)


def test_the_roc_band_is_that_of_the_bootstrap_of_patients(large):
    outcome, score, _ = large
    rates = np.array([0.02, 0.1, 0.3, 0.6, 0.9])
    random = np.random.default_rng(5)
    kinds = compression.compress(score, outcome, bins=200)
    y = outcome[kinds.first]
    grouped = roc.band(y, kinds.score, rates, compression.draws(y, kinds.size, 800, random))
    drawn = resampling.draws(resampling.strata(outcome), 800, random)
    single = roc.band(outcome, score, rates, drawn)
    np.testing.assert_allclose(grouped, single, atol=0.01)


def test_clusters_that_are_drawn_as_a_whole_give_the_same_metrics_as_their_patients(large):
    outcome, score, center = (values[:300] for values in large)
    called = score > 0.6
    weights = np.array([[1, 1, 1], [2, 1, 0], [0, 0, 3]])
    by_patient = weights[:, center]
    area = weighted.auc_of_clusters(outcome, score, center)
    np.testing.assert_allclose(area(weights), weighted.auc(outcome, score)(by_patient))
    for grouped, single in (
        (weighted.scores(outcome, score, center), weighted.scores(outcome, score)),
        (weighted.decisions(outcome, called, center), weighted.decisions(outcome, called)),
    ):
        for name, values in single(by_patient).items():
            np.testing.assert_allclose(grouped(weights)[name], values, err_msg=name)
