"""Permutation importance: agreement with scikit-learn and the bootstrap, and coverage of a known truth."""

import numpy as np
import pytest
from scipy.special import expit
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression

from thyrocast.statistics import importance
from thyrocast.statistics.inputs import NotEstimableError

TRUE = np.array([1.4, -0.7, 0.0, 0.0])
MODEL = np.array([1.0, -0.9, 0.5, 0.0])


def draw(n, rng):
    """Patients with two correlated predictors, one that only the model uses, and one that nothing uses."""
    values = rng.normal(size=(n, 4))
    values[:, 1] = 0.5 * values[:, 0] + np.sqrt(0.75) * values[:, 1]
    return values, rng.random(n) < expit(values @ TRUE - 0.4)


def loss(values, outcome, place, donors, model=MODEL):
    swapped = np.tile(values, (len(donors), 1))
    swapped[:, place] = values[donors.ravel(), place]
    own = expit(swapped @ model).reshape(donors.shape)
    return importance.loss(outcome, expit(values @ model), own, donors)


def test_everybody_gets_the_values_of_all_others_once() -> None:
    donors = importance.deal(7, 100, np.random.default_rng(0))
    assert donors.shape == (6, 7)
    np.testing.assert_array_equal(np.sort(donors, axis=1), np.tile(np.arange(7), (6, 1)))
    np.testing.assert_array_equal(
        np.sort(np.vstack([donors, np.arange(7)]), axis=0), np.tile(np.arange(7)[:, None], 7)
    )
    few = importance.deal(200, 20, np.random.default_rng(0))
    assert few.shape == (20, 200)
    assert not (few == np.arange(200)).any()


def test_agrees_with_scikit_learn() -> None:
    """scikit-learn's permutations leave one patient in n with the own value, and ours none."""
    rng = np.random.default_rng(3)
    values, outcome = draw(150, rng)
    fitted = LogisticRegression().fit(*draw(300, rng))
    measures = {"auc": "roc_auc", "brier": "neg_brier_score"}
    expected = permutation_importance(
        fitted, values, outcome, scoring=list(measures.values()), n_repeats=80, random_state=0
    )
    donors = importance.deal(150, 10_000, rng)
    for place in range(4):
        swapped = np.tile(values, (len(donors), 1))
        swapped[:, place] = values[donors.ravel(), place]
        own = fitted.predict_proba(swapped)[:, 1].reshape(donors.shape)
        found = importance.loss(outcome, fitted.predict_proba(values)[:, 1], own, donors)
        for name, scoring in measures.items():
            known = expected[scoring]["importances"][place]
            error = known.std() / np.sqrt(len(known))
            assert getattr(found, name) * (1 - 1 / 150) == pytest.approx(
                known.mean(), abs=4 * error + 2e-4
            )


def test_errors_agree_with_the_bootstrap() -> None:
    """A bootstrap that draws patients, deals donors among those drawn, and leaves out own values."""
    rng = np.random.default_rng(5)
    values, outcome = draw(120, rng)
    found = importance.join(
        [loss(values, outcome, 0, importance.deal(120, 200, rng))], [np.arange(120)]
    )
    drawn = []
    for _ in range(250):
        rows = rng.integers(0, 120, 120)
        donors = importance.deal(120, 15, rng)
        one = loss(values[rows], outcome[rows], 0, donors)
        drawn.append((one.auc, one.brier))
    for interval, error in zip(found, np.std(drawn, axis=0), strict=True):
        assert interval.std_error == pytest.approx(error, rel=0.15)


@pytest.mark.parametrize(("n", "permutations"), [(50, 1000), (130, 20), (60, 50)])
def test_intervals_cover_the_loss_in_the_population(n, permutations) -> None:
    rng = np.random.default_rng(n)
    values, outcome = draw(100_000, rng)
    donors = importance.deal(100_000, 2, rng)
    truth = [loss(values, outcome, place, donors) for place in range(3)]
    assert truth[0].auc > 0.15
    # Noise that the model uses: other noise is as bad.
    assert abs(truth[2].auc) < 0.002
    inside = np.zeros((3, 2))
    for _ in range(200):
        values, outcome = draw(n, rng)
        donors = importance.deal(n, permutations, rng)
        for place in range(3):
            pair = importance.join([loss(values, outcome, place, donors)], [np.arange(n)])
            known = truth[place].auc, truth[place].brier
            inside[place] += [i.low <= t <= i.high for i, t in zip(pair, known, strict=True)]
    # 200 studies: 95 % have a standard error of 1.5 %.
    assert (inside / 200 > 0.90).all(), inside / 200


def test_what_the_model_does_not_use_has_no_importance() -> None:
    rng = np.random.default_rng(1)
    values, outcome = draw(60, rng)
    found = loss(values, outcome, 3, importance.deal(60, 30, rng))
    assert found.auc == pytest.approx(0, abs=1e-12)
    assert found.auc_influence == pytest.approx(0, abs=1e-12)


def test_a_patient_in_two_splits_counts_once() -> None:
    """The same patients twice give no smaller interval; other patients do."""
    rng = np.random.default_rng(2)
    values, outcome = draw(80, rng)
    one = loss(values, outcome, 0, importance.deal(80, 100, rng))
    single, _ = importance.join([one], [np.arange(80)])
    twice, _ = importance.join([one, one], [np.arange(80)] * 2)
    apart, _ = importance.join([one, one], [np.arange(80), np.arange(80, 160)])
    assert twice.std_error == pytest.approx(single.std_error)
    assert apart.std_error == pytest.approx(single.std_error / np.sqrt(2))


def test_one_outcome_is_refused() -> None:
    with pytest.raises(NotEstimableError, match="both outcomes"):
        importance.loss(np.ones(3, bool), np.zeros(3), np.zeros((1, 3)), np.array([[1, 2, 0]]))
