"""Closed testing and its updates; the division of a difference in AUC."""

import numpy as np
import pytest
import statsmodels.api
from scipy import optimize, special, stats

from thyrocast.statistics import discrimination, inputs, transportability, updating
from thyrocast.statistics.inputs import NotEstimableError


def site(n, seed, intercept=0.0, slope=1.0, effect=0.0, features=3):
    """Log-odds, features and outcomes at a site that differs from the model."""
    random = np.random.default_rng(seed)
    linear, extra = random.normal(0, 1.2, n), random.normal(size=(n, features))
    truth = intercept + slope * linear + effect * extra[:, 0]
    return linear, extra, random.random(n) < special.expit(truth)


def by_hand(linear, features, outcome, free):
    """Maximum of the log likelihood with some coefficients free, by a general optimizer."""
    start = np.concatenate([[0.0, 1.0], np.zeros(features.shape[1])])
    free = np.asarray(free, dtype=int)

    def minus(values):
        beta = start.copy()
        beta[free] = values
        z = beta[0] + beta[1] * linear + features @ beta[2:]
        return np.sum(np.logaddexp(0, z) - outcome * z)

    if not free.size:
        return -minus(np.zeros(0))
    return -optimize.minimize(minus, start[free], method="BFGS", tol=1e-10).fun


@pytest.mark.parametrize("seed", range(3))
def test_tests_are_likelihood_ratios_of_nested_models(seed):
    linear, features, outcome = site(150, seed, 0.5, 0.8, 0.3)
    found = updating.closed_test(linear, features, outcome)
    whole = by_hand(linear, features, outcome, range(5))
    for test, free, degrees in zip(found.tests, ([], [0], [0, 1]), (5, 4, 3), strict=True):
        chi2 = 2 * (whole - by_hand(linear, features, outcome, free))
        assert test.degrees == degrees
        assert test.chi2 == pytest.approx(chi2, abs=1e-5)
        assert test.p_value == pytest.approx(stats.chi2.sf(chi2, degrees), abs=1e-6)


@pytest.mark.parametrize("confidence", [0.9, 0.95])
def test_intervals_of_intercept_and_slope_are_those_of_statsmodels(confidence):
    linear, features, outcome = site(150, 7, 0.5, 0.8, 0.3)
    constant = np.ones((150, 1))
    for step, columns, offset in (
        ("intercept", [constant], linear),
        ("slope", [constant, linear[:, None]], None),
        ("head", [constant, linear[:, None], features], None),
    ):
        model = statsmodels.api.GLM(
            outcome.astype(float),
            np.hstack(columns),
            family=statsmodels.api.families.Binomial(),
            offset=offset,
        )
        fitted = model.fit(tol=1e-14)
        limits = fitted.conf_int(1 - confidence)
        found = updating.wald(step, linear, features, outcome, confidence)
        for one, value, (low, high) in zip(found, fitted.params, limits, strict=False):
            if one is not None:
                assert (one.estimate, one.low, one.high) == pytest.approx(
                    (value, low, high), abs=1e-8
                )
        assert (found[1] is None) == (step == "intercept")


def test_intervals_cover_the_truth():
    """200 sites of 90 patients, another truth than any of the benchmark: binomial error 1.5 %."""
    covered = []
    for seed in range(200):
        linear, features, outcome = site(90, 1000 + seed, -0.4, 0.75, 0.6)
        each = updating.wald("head", linear, features, outcome)
        covered.append(
            [one.low <= truth <= one.high for one, truth in zip(each, (-0.4, 0.75), strict=True)]
        )
    assert (np.mean(covered, axis=0) > 0.95 - 3 * 0.0154).all()


def test_a_probability_of_one_has_no_interval():
    linear, features, outcome = site(60, 1)
    linear[0] = inputs.logit(np.array([1.0]))[0]
    with pytest.raises(NotEstimableError, match="0 or 1"):
        updating.wald("slope", linear, features, outcome)


def test_the_first_test_that_does_not_reject_decides():
    random = np.random.default_rng(3)
    for seed in range(20):
        linear, features, outcome = site(120, seed, random.normal(0, 0.5), random.uniform(0.5, 1))
        found = updating.closed_test(linear, features, outcome)
        rejected = [test.p_value < 0.05 for test in found.tests]
        expected = updating.STEPS[rejected.index(False)] if False in rejected else updating.REVISION
        assert found.chosen == expected


@pytest.mark.parametrize(
    ("truth", "step"),
    [
        ({}, "none"),
        ({"intercept": 1.0}, "intercept"),
        ({"intercept": 0.3, "slope": 0.4}, "slope"),
        ({"effect": 1.0}, "head"),
    ],
)
def test_with_many_patients_the_true_update_is_chosen(truth, step):
    chosen = [updating.closed_test(*site(2000, seed, **truth)).chosen for seed in range(40)]
    # 95 % are expected to be right: with 40 sites, fewer than 34 in one of 200 runs.
    assert chosen.count(step) >= 34


def test_an_update_is_applied_to_other_patients():
    linear, features, outcome = site(500, 1, 0.5, 0.7, 0.4)
    update = updating.fit(updating.REVISION, linear, features, outcome)
    new, extra, _ = site(4, 2)
    expected = update.intercept + update.slope * new + extra @ update.coefficients
    assert update.apply(new, extra) == pytest.approx(expected)
    assert (
        updating.fit(updating.ORIGINAL, linear, features, outcome).apply(new, extra).tolist()
        == new.tolist()
    )


def test_what_cannot_be_fitted_says_why():
    linear, features, outcome = site(50, 1)
    with pytest.raises(NotEstimableError, match="the same outcome"):
        updating.fit(updating.INTERCEPT, linear, features, np.ones(50, bool))
    with pytest.raises(NotEstimableError, match="separated"):
        updating.fit(updating.RECALIBRATION, np.where(outcome, 1.0, -1.0), features, outcome)


def pairwise(p):
    """Model-based concordance from its definition, over all ordered pairs."""
    above = (p[:, None] > p[None, :]) + 0.5 * (p[:, None] == p[None, :])
    weight = p[:, None] * (1 - p[None, :])
    np.fill_diagonal(weight, 0)
    return (weight * above).sum() / weight.sum()


def test_model_based_concordance_is_that_of_all_pairs():
    random = np.random.default_rng(1)
    for p in (random.random(40), np.repeat([0.2, 0.5, 0.7], 5), np.full(6, 0.4)):
        assert transportability.model_based_concordance(p) == pytest.approx(pairwise(p), abs=1e-12)
    p = random.random(300)
    drawn = [discrimination.auc(random.random(300) < p, p) for _ in range(300)]
    assert transportability.model_based_concordance(p) == pytest.approx(np.mean(drawn), abs=0.005)
    with pytest.raises(NotEstimableError, match="no pair"):
        transportability.model_based_concordance([1.0, 1.0])


def test_its_standard_error_is_that_of_van_klaveren():
    # Their formula: 4 (U2² s11 - 2 U1 U2 s12 + U1² s22) / U2⁴ / n, with V1 and V2 of each patient.
    p = np.random.default_rng(2).random(60)
    above = (p[:, None] > p[None, :]).astype(float)
    weight = p[:, None] * (1 - p[None, :])
    np.fill_diagonal(weight, 0)
    v1 = ((weight * above) + (weight * above).T).sum(axis=1) / 59
    v2 = (weight + weight.T).sum(axis=1) / 59
    s = np.cov(v1, v2)
    u1, u2 = v1.mean(), v2.mean()
    expected = 4 * (u2**2 * s[0, 0] - 2 * u1 * u2 * s[0, 1] + u1**2 * s[1, 1]) / u2**4 / 60
    _, influence = transportability._concordance(p)
    assert influence.var(ddof=1) / 60 == pytest.approx(expected)


def both(seed, spread=1.2, slope=1.0, n=250):
    """Outcomes and probabilities at development and at a site."""
    random = np.random.default_rng(seed)
    found = []
    for width, factor in ((1.2, 1.0), (spread, slope)):
        linear = random.normal(0.3, width, n)
        found += [random.random(n) < special.expit(factor * linear), special.expit(linear)]
    return found


def truth(spread, slope):
    """Model-based concordance and AUC in a very large sample."""
    random = np.random.default_rng(99)
    linear = random.normal(0.3, spread, 400_000)
    p = special.expit(linear)
    area = discrimination.auc(random.random(p.size) < special.expit(slope * linear), p)
    return transportability.model_based_concordance(p), area


@pytest.mark.parametrize(("spread", "slope"), [(0.6, 1.0), (1.2, 0.4), (0.8, 0.6)])
def test_parts_are_found_and_their_intervals_cover_them(spread, slope):
    model, area = truth(spread, slope)
    before, _ = truth(1.2, 1.0)
    expected = (area - before, model - before, area - model)
    found = [transportability.decompose(*both(seed, spread, slope)) for seed in range(200)]
    for position, value in enumerate(expected):
        parts = [one[position] for one in found]
        error = np.std([part.estimate for part in parts]) / np.sqrt(200)
        assert np.mean([part.estimate for part in parts]) == pytest.approx(value, abs=4 * error)
        covered = sum(part.low <= value <= part.high for part in parts)
        # Binomial limits of 95 % in 200 studies, one error in 10,000.
        assert 176 <= covered <= 200
    total = found[0]
    assert total.difference.estimate == pytest.approx(
        total.case_mix.estimate + total.coefficients.estimate + total.development.estimate
    )


def test_a_model_that_does_not_discriminate_is_not_divided():
    y, p, z, q = both(1)
    with pytest.raises(NotEstimableError, match="all probabilities are equal"):
        transportability.decompose(y, p, z, np.full_like(q, 0.6))


@pytest.mark.parametrize("step", ["intercept", "slope", "head"])
def test_with_the_patients_needed_four_of_five_sites_reject_the_weakest_test(step):
    """At another mean, another spread and another number of components than those of docs/updating.md."""
    random = np.random.default_rng(7)
    needed = updating.patients_needed(step, random.normal(0.4, 1.5, 4000), 2)
    n, sites, weakest = int(np.ceil(needed)), 300, {}
    for _ in range(sites):
        linear, features = random.normal(0.4, 1.5, n), random.normal(size=(n, 2))
        size = updating.DEPARTURES[step]
        z = {
            "intercept": linear + size,
            "slope": 0.4 + size * (linear - 0.4),
            "head": linear + size * features[:, 0],
        }[step]
        found = updating.closed_test(linear, features, random.random(n) < special.expit(z))
        for test in found.tests[: updating.STEPS.index(step)]:
            weakest[test.step] = weakest.get(test.step, 0) + (test.p_value < 0.05)
    # Binomial error of 300 sites: 0.023; three of them, and the asymptotic distribution.
    assert min(weakest.values()) / sites == pytest.approx(0.8, abs=0.07)


def test_a_slope_of_log_odds_that_do_not_vary_is_never_found():
    assert updating.patients_needed("slope", np.full(50, 0.3), 2) == np.inf
