"""Weights by the inverse probability of follow-up, against a reference and with known truth."""

import numpy as np
import pytest
from scipy import special
from sklearn.linear_model import LogisticRegression

from thyrocast.statistics import balance, calibration, follow_up, logistic, weighted
from thyrocast.statistics.inputs import NotEstimableError


def study(n: int, seed: int = 1) -> dict[str, np.ndarray]:
    """Patients whose outcome and follow-up both depend on two columns."""
    random = np.random.default_rng(seed)
    x = random.standard_normal((n, 2))
    risk = special.expit(0.85 + 1.2 * x[:, 0] + 0.5 * x[:, 1])
    cured = random.random(n) < risk
    seen = random.random(n) < special.expit(1.5 + 1.0 * x[:, 0])
    late = random.random(n) < special.expit(0.5 + 0.8 * x[:, 0] - 0.6 * x[:, 1])
    early = seen & (random.random(n) < np.where(cured, 0.5, 0.3))
    known = seen & (early | late)
    prediction = special.expit(0.4 + 0.9 * x[:, 0])
    return {"x": x, "cured": cured, "seen": seen, "early": early, "known": known, "p": prediction}


def test_a_stage_agrees_with_scikit_learn() -> None:
    data = study(400)
    stage = follow_up.stages(data["seen"], data["early"], data["known"])
    expected = np.ones(400)
    for at_risk, passed in stage:
        model = LogisticRegression(C=1.0, tol=1e-10, max_iter=1000)
        model.fit(data["x"][at_risk], passed[at_risk])
        expected[at_risk] *= model.predict_proba(data["x"])[at_risk, 1]
    found = follow_up.weights(data["x"], stage, truncated=0)
    reference = np.where(data["known"], 1 / expected, 0)
    reference /= reference[data["known"]].mean()
    assert found == pytest.approx(reference, rel=1e-5)


def test_weights_are_stabilized_and_truncated() -> None:
    data = study(500)
    stage = follow_up.stages(data["seen"], data["early"], data["known"])
    found = follow_up.weights(data["x"], stage)
    assert found[data["known"]].mean() == pytest.approx(1)
    assert (found[~data["known"]] == 0).all()
    whole = follow_up.weights(data["x"], stage, truncated=0)
    assert found.max() / np.median(found[data["known"]]) < whole.max() / np.median(
        whole[data["known"]]
    )
    assert 1 < follow_up.effective_size(found[data["known"]]) < data["known"].sum()


def test_everybody_followed_gives_equal_weights() -> None:
    data, everyone = study(50), np.ones(50, dtype=bool)
    stage = follow_up.stages(everyone, data["early"], everyone)
    assert follow_up.weights(data["x"], stage) == pytest.approx(np.ones(50))


def test_nobody_followed_has_no_weights() -> None:
    nobody = np.zeros(5, dtype=bool)
    with pytest.raises(NotEstimableError, match="no patient was followed"):
        follow_up.weights(np.zeros((5, 1)), follow_up.stages(nobody, nobody, nobody))


def test_drawing_patients_is_repeating_their_rows() -> None:
    data = study(60)
    stage = follow_up.stages(data["seen"], data["early"], data["known"])
    counts = np.random.default_rng(3).integers(0, 3, 60)
    rows = np.repeat(np.arange(60), counts)
    repeated = follow_up.stages(data["seen"][rows], data["early"][rows], data["known"][rows])
    expected = follow_up.weights(data["x"][rows], repeated)
    assert follow_up.weights(data["x"], stage, counts)[rows] == pytest.approx(expected)


def test_weighting_recovers_what_complete_follow_up_would_show() -> None:
    """Loss depends on the columns: the followed are a selection, the weighted are not."""
    data = study(40_000)
    stage = follow_up.stages(data["seen"], data["early"], data["known"])
    known, y, p = data["known"], data["cured"], data["p"]
    weight = follow_up.weights(data["x"], stage, truncated=0)[known]
    everyone, plain = np.ones((1, y.size)), np.ones((1, int(known.sum())))
    truth = float(y.mean())
    assert abs(y[known].mean() - truth) > 0.03
    assert np.average(y[known], weights=weight) == pytest.approx(truth, abs=0.006)
    for metric in (
        weighted.auc,
        weighted.in_the_large,
        lambda *given: lambda w: weighted.scores(*given)(w)["brier"],
    ):
        target = metric(y, p)(everyone)[0]
        among = metric(y[known], p[known])
        naive, corrected = among(plain)[0], among(weight[None])[0]
        assert abs(corrected - target) < 0.012
        assert abs(corrected - target) < abs(naive - target)
    # Truncation exchanges some bias for less variance.
    truncated = follow_up.weights(data["x"], stage)[known]
    assert np.average(y[known], weights=truncated) == pytest.approx(truth, abs=0.015)


def test_early_decisions_do_not_stand_for_lost_patients() -> None:
    """With one stage only, early patients would get the weight of late ones."""
    random = np.random.default_rng(5)
    n = 40_000
    cured = random.random(n) < 0.7
    early = random.random(n) < np.where(cured, 0.6, 0.2)
    known = early | (random.random(n) < 0.5)
    stage = follow_up.stages(np.ones(n, dtype=bool), early, known)
    weight = follow_up.weights(np.zeros((n, 1)), stage)
    assert cured[known].mean() > 0.74
    assert np.average(cured, weights=weight) == pytest.approx(0.7, abs=0.01)


def test_weighted_calibration_in_the_large_agrees_with_the_unweighted() -> None:
    data = study(300)
    expected = calibration.in_the_large(data["cured"], data["p"]).estimate
    found = weighted.in_the_large(data["cured"], data["p"])
    assert found(np.ones((1, 300)))[0] == pytest.approx(expected, abs=1e-8)
    counts = np.random.default_rng(2).integers(0, 4, 300)
    rows = np.repeat(np.arange(300), counts)
    offset = special.logit(data["p"][rows])
    fitted = logistic.fit(np.ones((rows.size, 1)), data["cured"][rows], offset=offset)
    assert found(counts[None])[0] == pytest.approx(fitted.coefficients[0], abs=1e-8)
    nobody = weighted.in_the_large(np.array([True, False]), np.array([0.5, 0.5]))
    assert np.isnan(nobody(np.array([[1, 0], [0, 1]]))).all()


def test_standardized_differences() -> None:
    random = np.random.default_rng(1)
    one, other = random.normal(1, 2, 50), random.normal(0, 3, 40)
    pooled = np.sqrt((np.var(one, ddof=1) + np.var(other, ddof=1)) / 2)
    assert balance.of_means(one, other) == pytest.approx((one.mean() - other.mean()) / pooled)
    assert balance.of_shares(0.0, 0.0) == 0
    with pytest.raises(NotEstimableError):
        balance.of_shares(0.0, 1.0)
    with pytest.raises(NotEstimableError):
        balance.of_means(one[:1], other)
