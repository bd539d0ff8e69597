"""AUC, its variance and its tests: known answers, invariants and degenerate samples."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thyrocast.statistics import discrimination, multiplicity, resampling, roc, weighted
from thyrocast.statistics.inputs import NotEstimableError


def pairs(outcome, score):
    """AUC by looking at every pair."""
    wins = [
        1.0 if a > b else 0.5 if a == b else 0.0
        for a, b in itertools.product(score[outcome == 1], score[outcome == 0])
    ]
    return np.mean(wins)


scored = st.integers(2, 25).flatmap(
    lambda n: st.tuples(
        st.lists(st.integers(0, 1), min_size=n, max_size=n).filter(lambda y: 0 < sum(y) < len(y)),
        st.lists(st.integers(0, 6), min_size=n, max_size=n),
    )
)


@settings(max_examples=60, deadline=None)
@given(scored)
def test_auc_is_the_share_of_pairs_in_order_with_ties_half(data):
    outcome, score = (np.array(part) for part in data)
    assert discrimination.auc(outcome, score) == pytest.approx(pairs(outcome, score), abs=1e-12)


@settings(max_examples=40, deadline=None)
@given(scored, st.integers(0, 2**32 - 1))
def test_bootstrap_counts_give_the_auc_of_the_resample_itself(data, seed):
    outcome, score = (np.array(part) for part in data)
    score = score.astype(float)
    weights = np.concatenate(
        [*resampling.draws(np.zeros(outcome.size), 5, np.random.default_rng(seed))]
    )
    found = weighted.auc(outcome == 1, score)(weights)
    for row, value in zip(weights, found, strict=True):
        y, s = np.repeat(outcome, row), np.repeat(score, row)
        if 0 < y.sum() < y.size:
            assert value == pytest.approx(pairs(y, s), abs=1e-12)
        else:
            assert np.isnan(value)


def test_auc_of_six_patients_by_hand():
    # Cured .9 .6 .4, not cured .6 .3 .1: of nine pairs 7 in order, one tied, one reversed.
    outcome, score = [1, 1, 1, 0, 0, 0], [0.9, 0.6, 0.4, 0.6, 0.3, 0.1]
    assert discrimination.auc(outcome, score) == pytest.approx(7.5 / 9)
    # Placements 1, 5/6, 2/3 and 1/2, 1, 1: variances 1/36 and 1/12, each over three.
    _, covariance = discrimination.delong(outcome, score)
    assert covariance[0, 0] == pytest.approx((1 / 36 + 1 / 12) / 3)


def test_a_rising_transformation_changes_nothing():
    random = np.random.default_rng(3)
    outcome, score = random.random(60) < 0.4, random.normal(size=60)
    a = discrimination.auc_interval(outcome, score)
    b = discrimination.auc_interval(outcome, np.exp(score))
    assert a == b


def test_turning_scores_and_outcome_round_mirrors_the_auc():
    random = np.random.default_rng(4)
    outcome, score = random.random(50) < 0.5, random.integers(0, 9, 50).astype(float)
    area = discrimination.auc(outcome, score)
    assert discrimination.auc(~outcome, -score) == pytest.approx(area)
    assert discrimination.auc(outcome, -score) == pytest.approx(1 - area)


def test_logit_interval_stays_inside():
    outcome = np.repeat([0, 1], 12)
    score = np.arange(24.0)
    score[[11, 12]] = score[[12, 11]]
    plain = discrimination.auc_interval(outcome, score, method="delong")
    logit = discrimination.auc_interval(outcome, score)
    assert plain.high == 1.0
    assert 0 < logit.low < logit.estimate < logit.high < 1


@pytest.mark.parametrize("method", ["delong", "delong_logit", "newcombe"])
def test_perfect_separation_has_an_interval_that_admits_doubt(method):
    found = discrimination.auc_interval([0] * 8 + [1] * 8, np.arange(16.0), method=method)
    assert found.estimate == 1
    assert found.high == 1
    assert 0.6 < found.low < 0.95
    assert found.method == "newcombe"


def test_constant_scores_say_nothing():
    found = discrimination.auc_interval([0, 1] * 10, np.full(20, 0.3))
    assert found.estimate == 0.5
    assert found.low < 0.4
    assert found.high > 0.6


def test_two_patients():
    found = discrimination.auc_interval([0, 1], [0.2, 0.8])
    assert found.estimate == 1
    assert found.low < 0.25
    with pytest.raises(NotEstimableError, match="at least 2 cured"):
        discrimination.delong([0, 1], [0.2, 0.8])


@pytest.mark.parametrize("outcome", [[1, 1, 1], [0, 0, 0]])
def test_one_outcome_has_no_auc(outcome):
    with pytest.raises(NotEstimableError, match="cured"):
        discrimination.auc(outcome, [0.1, 0.2, 0.3])
    with pytest.raises(NotEstimableError, match="cured"):
        roc.corners(outcome, [0.1, 0.2, 0.3])


@pytest.mark.parametrize(
    ("outcome", "score", "message"),
    [
        ([0, 1, 2], [0.1, 0.2, 0.3], "only 0 and 1"),
        ([0, 1, np.nan], [0.1, 0.2, 0.3], "only 0 and 1"),
        ([0, 1, 1], [0.1, 0.2, np.nan], "1 of 3 scores are not finite"),
        ([0, 1, 1], [0.1, 0.2], "shape"),
        ([], [], "non-empty"),
    ],
)
def test_nonsense_is_refused_in_words(outcome, score, message):
    with pytest.raises(ValueError, match=message):
        discrimination.auc(outcome, score)


def test_identical_models_do_not_differ():
    random = np.random.default_rng(5)
    outcome, score = random.random(40) < 0.5, random.random(40)
    found = discrimination.paired_test(outcome, score, 2 * score)
    assert (found.difference, found.p_value) == (0, 1)


def test_holm_by_hand():
    found = multiplicity.holm([0.01, 0.04, 0.03, 0.6])
    assert found == pytest.approx([0.04, 0.09, 0.09, 0.6])


def test_paired_test_turns_its_sign_with_the_order():
    random = np.random.default_rng(6)
    outcome = random.random(80) < 0.5
    a, b = random.normal(size=80) + outcome, random.normal(size=80)
    one, other = (
        discrimination.paired_test(outcome, a, b),
        discrimination.paired_test(outcome, b, a),
    )
    assert one.difference == pytest.approx(-other.difference)
    assert one.p_value == pytest.approx(other.p_value)
    assert one.low == pytest.approx(-other.high)


def test_a_hundred_thousand_patients_with_ties_agree_with_the_formula():
    random = np.random.default_rng(7)
    outcome = random.random(100_000) < 0.3
    score = np.round(random.normal(size=100_000) + outcome, 2)
    from scipy.stats import rankdata

    ranks = rankdata(score)[outcome].sum()
    cured = int(outcome.sum())
    expected = (ranks - cured * (cured + 1) / 2) / (cured * (100_000 - cured))
    assert discrimination.auc_interval(outcome, score).estimate == pytest.approx(
        expected, abs=1e-12
    )


def test_roc_corners_hold_the_area_and_run_from_corner_to_corner():
    random = np.random.default_rng(8)
    outcome = random.random(200) < 0.4
    score = np.round(random.normal(size=200) + outcome, 1)
    curve = roc.corners(outcome, score)
    assert (curve.fpr[0], curve.tpr[0], curve.fpr[-1], curve.tpr[-1]) == (0, 0, 1, 1)
    assert np.trapezoid(curve.tpr, curve.fpr) == pytest.approx(discrimination.auc(outcome, score))


def interpolated(outcome, score, fpr):
    """Sensitivity by straight lines between all points of a ROC curve; upper end of a step."""
    cuts = np.append(np.inf, np.unique(score)[::-1])
    false, true = (
        np.array([np.sum(score[group] >= cut) for cut in cuts]) for group in (~outcome, outcome)
    )
    return np.interp(fpr * false[-1] + 1e-9, false, true) / true[-1]


def test_band_holds_the_curve_and_equals_resampled_curves():
    random = np.random.default_rng(10)
    outcome = random.random(60) < 0.5
    score = np.round(random.normal(size=60) + outcome, 1)
    curve = roc.corners(outcome, score)
    counts = [*resampling.draws(resampling.strata(outcome), 300, np.random.default_rng(1))]
    low, high = roc.band(outcome, score, curve.fpr, counts)
    assert (low <= curve.tpr + 1e-9).all()
    assert (high >= curve.tpr - 1e-9).all()
    rates = [
        interpolated(np.repeat(outcome, row), np.repeat(score, row), curve.fpr)
        for row in np.concatenate(counts)
    ]
    expected = np.quantile(rates, (0.025, 0.975), axis=0)
    np.testing.assert_allclose([low, high], expected, atol=1e-9)
