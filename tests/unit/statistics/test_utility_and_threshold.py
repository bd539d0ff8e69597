"""Decision curves, and thresholds that remember whom they were chosen on."""

import numpy as np
import pytest
from scipy import special, stats

from thyrocast.statistics import intervals, threshold, utility
from thyrocast.statistics.inputs import NotEstimableError

OUTCOME = np.array([1, 1, 1, 0, 0])
PROBABILITY = np.array([0.9, 0.6, 0.2, 0.6, 0.1])
NAMES = np.array(["a", "b", "c", "d", "e"])


def test_net_benefit_of_five_patients_by_hand():
    found = utility.decision_curve(OUTCOME, PROBABILITY, [0.2, 0.5, 0.6, 0.61])
    # At .5: two true and one false positive among five, odds 1.
    assert found.net_benefit == pytest.approx([3 / 5 - 0.25 / 5, 1 / 5, 2 / 5 - 1.5 / 5, 1 / 5])
    # Treating all at .5 gives 3/5 - 2/5; the model avoids as much as it gains, as odds are 1.
    assert found.avoided[1] == pytest.approx(0)


def test_treating_all_and_none():
    everyone = utility.decision_curve(OUTCOME, np.ones(5), [0.25, 0.5])
    assert everyone.net_benefit == pytest.approx([3 / 5 - 2 / 5 / 3, 1 / 5])
    assert everyone.avoided == pytest.approx([0, 0])
    assert utility.decision_curve(OUTCOME, np.zeros(5), [0.25]).net_benefit == [0]


def test_interval_of_a_large_sample_is_that_of_the_mean_of_the_contributions():
    random = np.random.default_rng(1)
    p = random.random(20_000)
    y = random.random(p.size) < p
    found = utility.decision_curve(y, p, [0.3])
    values = utility.contributions(y, p >= 0.3, 0.3)
    assert found.net_benefit[0] == pytest.approx(values.mean())
    low, high = stats.t.interval(0.95, p.size - 1, values.mean(), stats.sem(values))
    assert (found.low[0], found.high[0]) == pytest.approx((low, high), abs=2e-4)
    single = utility.net_benefit(y, p, 0.3)
    assert single[:3] == pytest.approx((values.mean(), found.low[0], found.high[0]))
    assert single.std_error == pytest.approx(stats.sem(values))
    patients = np.arange(p.size)
    assert utility.net_benefit(y, p, 0.3, cluster=patients)[1:3] == pytest.approx((low, high))


def test_interval_without_anybody_lost_is_wilsons_from_above():
    y = np.arange(20) < 8
    found = utility.net_benefit(y, y.astype(float), 0.5)
    assert found.high == pytest.approx(intervals.wilson(8, 20).high)
    # Some of the others could have been treated.
    assert found.low < intervals.wilson(8, 20).low


@pytest.mark.parametrize("constant", [0.1, 0.5, 0.7])
def test_net_benefit_of_a_constant_is_that_of_the_decision_curve(constant):
    y, p = np.arange(20) < 12, np.full(20, constant)
    curve = utility.decision_curve(y, p, [0.5])
    single = utility.net_benefit(y, p, 0.5)
    assert single[:3] == pytest.approx((curve.net_benefit[0], curve.low[0], curve.high[0]))
    assert (single.low == single.high == 0) is (constant < 0.5)


def test_what_is_certain_has_no_width_and_limits_stay_possible():
    y = np.arange(12) < 11
    nobody = utility.decision_curve(y, np.zeros(12), [0.2, 0.9])
    assert not nobody.low.any()
    assert not nobody.high.any()
    everybody = utility.decision_curve(y, np.ones(12), [0.2, 0.9])
    assert not everybody.avoided_low.any()
    assert not everybody.avoided_high.any()
    model = utility.decision_curve(y, np.linspace(0.3, 1, 12), [0.2, 0.9])
    assert (model.low >= [-0.25, -9]).all()
    assert (model.high <= 1).all()


@pytest.mark.slow
@pytest.mark.parametrize(("n", "prevalence", "at"), [(80, 0.88, 0.75), (90, 0.12, 0.25)])
def test_interval_of_net_benefit_covers_where_one_outcome_is_rare(n, prevalence, at):
    random = np.random.default_rng(8)

    def study(count):
        y = random.random(count) < prevalence
        x = random.normal(size=count) + y
        return y, special.expit(special.logit(prevalence) + x - 0.5)

    true = utility.net_benefit(*study(400_000), at).estimate
    limits = np.array([utility.net_benefit(*study(n), at)[1:3] for _ in range(800)])
    covered = np.mean((limits[:, 0] <= true) & (true <= limits[:, 1]))
    assert 0.935 <= covered <= 0.98


@pytest.mark.parametrize("repeats", [1, 3])
def test_interval_of_interventions_avoided_is_that_of_the_gain_over_treating_all(repeats):
    random = np.random.default_rng(3)
    p = np.repeat(random.random(50), repeats)
    y = random.random(p.size) < p
    patient = np.arange(p.size) // repeats if repeats > 1 else None
    found = utility.decision_curve(y, p, [0.3, 0.6], cluster=patient)
    for place, at in enumerate((0.3, 0.6)):
        odds = at / (1 - at)
        gain = utility.net_benefit_difference(y, p, np.ones(p.size), at, cluster=patient)
        assert found.avoided[place] == pytest.approx(100 * gain.difference / odds)
        low, high = 100 * gain.low / odds, 100 * gain.high / odds
        if repeats == 1:
            # Avoiding treatment is the net benefit of the opposite outcome.
            opposite = utility.net_benefit(~y, 1 - p, 1 - at)
            low, high = 100 * opposite.low, 100 * opposite.high
        assert found.avoided_low[place] == pytest.approx(low)
        assert found.avoided_high[place] == pytest.approx(high)


def test_thresholds_of_0_and_1_are_refused():
    for at in (0, 1):
        with pytest.raises(ValueError, match="above 0 and below 1"):
            utility.decision_curve(OUTCOME, PROBABILITY, [at])


def test_smoothing_leaves_a_smooth_curve_alone_and_calms_a_rough_one():
    random = np.random.default_rng(3)
    at = np.round(np.linspace(0.1, 0.9, 81), 2)
    p = random.random(150)
    rough = utility.decision_curve(random.random(150) < p, p, at)
    calm = utility.smooth(rough)
    assert (
        np.abs(np.diff(calm.net_benefit, 2)).sum() < np.abs(np.diff(rough.net_benefit, 2)).sum() / 3
    )
    np.testing.assert_allclose(calm.high - calm.low, rough.high - rough.low)
    line = rough._replace(net_benefit=0.5 - at, avoided=at)
    np.testing.assert_allclose(utility.smooth(line).net_benefit, 0.5 - at, atol=1e-9)
    with pytest.raises(NotEstimableError, match="distinct values"):
        utility.smooth(utility.decision_curve(OUTCOME, PROBABILITY, [0.2, 0.5]))


def test_paired_differences():
    found = utility.brier_difference(OUTCOME, PROBABILITY, PROBABILITY)
    assert (found.difference, found.p_value) == (0, 1)
    better = utility.brier_difference(OUTCOME, PROBABILITY, np.full(5, 0.5))
    assert better.difference == pytest.approx(np.mean((OUTCOME - PROBABILITY) ** 2) - 0.25)
    with pytest.raises(NotEstimableError, match="two patients"):
        utility.net_benefit_difference([1], [0.5], [0.4], 0.5)


def test_youden_by_hand():
    found = threshold.choose(OUTCOME, PROBABILITY, NAMES)
    # Cuts .15 (3/3 + 1/2), .4 (2/3 + 1/2), .75 (1/3 + 1): the lowest is best.
    assert found.value == pytest.approx(0.15)


def test_fixed_sensitivity_and_specificity():
    sensitive = threshold.choose(OUTCOME, PROBABILITY, NAMES, "sensitivity", 0.6)
    called = sensitive.decide(PROBABILITY, NAMES, apparent=True)
    # Two of three would do, but three cost no specificity.
    assert called[OUTCOME == 1].all()
    assert called[OUTCOME == 0].tolist() == [True, False]
    specific = threshold.choose(OUTCOME, PROBABILITY, NAMES, "specificity", 1.0)
    called = specific.decide(PROBABILITY, NAMES, apparent=True)
    assert not called[OUTCOME == 0].any()
    assert called[OUTCOME == 1].mean() == pytest.approx(1 / 3)


def test_costs_move_the_threshold():
    random = np.random.default_rng(2)
    p = random.random(400)
    y = random.random(400) < p
    names = np.arange(400).astype(str)
    cheap, dear = (threshold.choose(y, p, names, "cost_ratio", ratio).value for ratio in (0.25, 4))
    # Decision theory: call cured from a probability of ratio / (1 + ratio) on.
    assert cheap == pytest.approx(0.2, abs=0.12)
    assert dear == pytest.approx(0.8, abs=0.12)


def test_nobody_can_be_called_where_no_cut_would_do():
    y, p = np.array([0, 1, 1]), np.array([1.0, 1.0, 0.4])
    found = threshold.choose(y, p, NAMES[:3], "specificity", 1.0)
    assert not found.decide(p, NAMES[:3], apparent=True).any()


def test_scoring_on_the_patients_it_was_chosen_on_is_refused():
    chosen = threshold.choose(OUTCOME, PROBABILITY, NAMES)
    with pytest.raises(threshold.TunedOnTestError, match="1 of 2 patients"):
        chosen.decide([0.3, 0.4], ["a", "new"])
    assert chosen.decide([0.1, 0.4], ["new", "newer"]).tolist() == [False, True]
    assert chosen.decide([0.3, 0.4], ["a", "new"], apparent=True).all()


def test_a_threshold_that_nobody_helped_to_choose_may_be_scored_on_anyone():
    chosen = threshold.choose(OUTCOME, PROBABILITY, NAMES, "net_benefit", 0.6)
    assert chosen.decide(PROBABILITY, NAMES).tolist() == [True, True, False, True, False]


def test_rules_need_what_they_need():
    with pytest.raises(NotEstimableError, match="cured"):
        threshold.choose([1, 1], [0.3, 0.4], ["a", "b"])
    with pytest.raises(ValueError, match="needs a target"):
        threshold.choose(OUTCOME, PROBABILITY, NAMES, "sensitivity")
    with pytest.raises(ValueError, match="unknown rule"):
        threshold.choose(OUTCOME, PROBABILITY, NAMES, "luck")
