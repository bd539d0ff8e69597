"""AUC of cross-validation: parts are not mixed, and the interval covers the models' true AUC."""

import numpy as np
import pytest
from scipy import special

from thyrocast.statistics import cross_validation, discrimination
from thyrocast.statistics.inputs import NotEstimableError


def test_scores_of_two_parts_are_never_compared():
    y = np.tile([1, 1, 0, 0], 2)
    score = np.array([0.9, 0.8, 0.2, 0.1, 9.0, 8.0, 7.0, 8.5])
    part = np.repeat(["1-1", "1-2"], 4)
    found = cross_validation.auc_within_parts(y, score, part, np.arange(8))
    assert found.estimate == pytest.approx((1 + 0.75) / 2)
    moved = score + 100 * (part == "1-2")
    assert cross_validation.auc_within_parts(y, moved, part, np.arange(8)) == found


@pytest.mark.parametrize(("score", "area"), [([0.9, 0.8, 0.2], 1.0), ([0.5, 0.5, 0.5], 0.5)])
def test_the_same_auc_in_all_parts_is_not_certain(score, area):
    y, part = np.tile([1, 1, 0], 10), np.repeat(np.arange(5), 6)
    found = cross_validation.auc_within_parts(y, np.tile(score, 10), part, np.arange(30))
    expected = discrimination.newcombe(area, 20, 10)
    assert found[:3] == pytest.approx(expected[:3])
    assert found.high - found.low > 0.1
    assert (found.method, found.scale) == (cross_validation.METHOD, None)


def test_parts_with_one_outcome_are_left_out():
    with pytest.raises(NotEstimableError, match="fewer than two parts"):
        cross_validation.auc_within_parts(
            [1, 0, 1, 1], [0.2, 0.1, 0.4, 0.3], [1, 1, 2, 2], range(4)
        )


def test_the_interval_covers_the_auc_of_models_without_signal():
    """Five parts of 80 patients, twice; a linear rule of four predictors that are noise."""
    random = np.random.default_rng(41)
    corrected, joined, below = [], [], []
    for _ in range(150):
        y, x = random.random(80) < 0.6, random.normal(size=(80, 4))
        scores, parts = [], []
        for repeat in range(2):
            part = random.permutation(np.arange(80) % 5)
            score = np.empty(80)
            for k in range(5):
                test = part == k
                weight = x[~test & y].mean(axis=0) - x[~test & ~y].mean(axis=0)
                score[test] = x[test] @ weight + random.normal()
            scores.append(score)
            parts.append([f"{repeat}-{k}" for k in part])
        outcome, everybody = np.tile(y, 2), np.tile(np.arange(80), 2)
        s, p = np.concatenate(scores), np.concatenate(parts)
        found = cross_validation.auc_within_parts(outcome, s, p, everybody)
        corrected.append(found.low <= 0.5 <= found.high)
        plain = discrimination.auc_interval(y, scores[0])
        joined.append(plain.low <= 0.5 <= plain.high)
        below.append((found.estimate, plain.estimate))
    assert np.mean(corrected) >= 0.9
    assert np.mean(joined) < np.mean(corrected)
    within, _joined = np.mean(below, axis=0)
    assert within == pytest.approx(0.5, abs=0.03)


@pytest.mark.slow
def test_the_interval_covers_in_small_studies():
    """Ten parts of 44 patients: the limits are asymmetric, as few patients per part require."""
    random, signal = np.random.default_rng(43), np.array([0.8, 0.4, 0, 0])
    true, limits = [], []
    for _ in range(300):
        y = random.permutation(np.arange(44) < 26)
        x = random.normal(size=(44, 4)) + signal * y[:, None]
        part, score = random.permutation(np.arange(44) % 10), np.empty(44)
        for k in range(10):
            test = part == k
            weight = x[~test & y].mean(axis=0) - x[~test & ~y].mean(axis=0)
            score[test] = x[test] @ weight
            true.append(special.ndtr(weight @ signal / np.linalg.norm(weight) / np.sqrt(2)))
        limits.append(cross_validation.auc_within_parts(y, score, part, np.arange(44))[1:3])
    low, high = np.transpose(limits)
    assert np.mean((low <= np.mean(true)) & (np.mean(true) <= high)) >= 0.93


def test_two_models_are_compared_within_parts():
    random = np.random.default_rng(42)
    y, part = np.arange(100) % 2, np.repeat(np.arange(5), 20)
    good, bad = y + random.normal(size=100), random.normal(size=100)
    found = cross_validation.auc_difference(y, good, bad, part, np.arange(100))
    assert found.low < found.difference < found.high
    assert 0 < found.p_value < 0.05
    reverse = cross_validation.auc_difference(y, bad, good, part, np.arange(100))
    assert reverse.difference == pytest.approx(-found.difference)
