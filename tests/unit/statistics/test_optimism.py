"""Optimism of models that learn noise, and of one that learns nothing."""

import numpy as np
import pytest

from thyrocast.statistics import discrimination, optimism


def test_noise_is_corrected_to_chance():
    random = np.random.default_rng(1)
    features = random.normal(size=(300, 30))
    y = random.random(300) < 0.5

    def learn(train, new):
        weights, *_ = np.linalg.lstsq(features[train], y[train] - 0.5, rcond=None)
        return features[new] @ weights

    found = optimism.correct(y, learn, {"auc": discrimination.auc}, 100, random)["auc"]
    assert found.apparent > 0.65
    assert found.corrected == pytest.approx(found.apparent - found.optimism)
    assert abs(found.corrected - 0.5) < 0.08


def test_a_model_that_learns_nothing_is_not_optimistic():
    random = np.random.default_rng(2)
    score = random.random(60)
    y = random.random(60) < score
    known = {"auc": discrimination.auc}
    found = optimism.correct(y, lambda _, new: score[new], known, 200, random)["auc"]
    assert abs(found.optimism) < 0.02
    assert found.apparent == discrimination.auc(y, score)
