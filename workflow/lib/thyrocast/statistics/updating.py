"""Updating a model at a site: which update the site's patients justify."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import special

from thyrocast.statistics import logistic
from thyrocast.statistics.inputs import Booleans, Floats, NotEstimableError

#: Updates, each with one or more coefficients than the one before.
ORIGINAL, INTERCEPT, RECALIBRATION, REVISION = "none", "intercept", "slope", "head"
STEPS = (ORIGINAL, INTERCEPT, RECALIBRATION, REVISION)


class Update(NamedTuple):
    """An update: log-odds = intercept + slope x original log-odds + features x coefficients.

    Attributes
    ----------
    step : str
        One of `STEPS`.
    intercept, slope : float
        0 and 1 for the original model.
    coefficients : ndarray of float, (q,)
        0 for all but a revision.
    """

    step: str
    intercept: float
    slope: float
    coefficients: Floats

    def apply(self, linear: Floats, features: Floats) -> Floats:
        """Return updated log-odds, (n,), of log-odds (n,) and features (n, q)."""
        return np.asarray(
            self.intercept + self.slope * linear + features @ self.coefficients, dtype=np.float64
        )


class Comparison(NamedTuple):
    """Likelihood-ratio test of the revision against a simpler update.

    Attributes
    ----------
    step : str
        The simpler update, whose fit is the null hypothesis.
    chi2 : float
        Twice the difference of the log likelihoods.
    degrees : int
        Coefficients that the revision estimates in addition.
    p_value : float
        P value.
    """

    step: str
    chi2: float
    degrees: int
    p_value: float


class ClosedTest(NamedTuple):
    """Result of the closed testing procedure.

    Attributes
    ----------
    chosen : str
        The simplest update that is not rejected in favor of the revision.
    tests : sequence of Comparison
        All three tests, in their order; those after the first that does not reject decide nothing.
    """

    chosen: str
    tests: Sequence[Comparison]


def fit(step: str, linear: Floats, features: Floats, outcome: Booleans) -> Update:
    """Fit an update by maximum likelihood.

    Parameters
    ----------
    step : str
        One of `STEPS`.
    linear : ndarray of float, (n,)
        Log-odds of the original model for the site's patients.
    features : ndarray of float, (n, q)
        What a revision may use in addition to the log-odds.
    outcome : ndarray of bool, (n,)
        True = cured.

    Returns
    -------
    Update

    Raises
    ------
    NotEstimableError
        If there is no maximum: one outcome is missing, or the outcome is separated.

    Examples
    --------
    >>> y = np.array([True, True, True, False])
    >>> round(fit("intercept", np.zeros(4), np.zeros((4, 1)), y).intercept, 3)
    1.099
    """
    none = np.zeros(features.shape[1])
    constant = np.ones((linear.size, 1))
    if step == ORIGINAL:
        return Update(step, 0.0, 1.0, none)
    if outcome.all() or not outcome.any():
        raise NotEstimableError("all patients have the same outcome")
    if step == INTERCEPT:
        return Update(step, float(logistic.solve(constant, outcome, offset=linear)[0]), 1.0, none)
    columns = [constant, linear[:, None], *([features] if step == REVISION else [])]
    found = logistic.fit(np.hstack(columns), outcome).coefficients
    extra = found[2:] if step == REVISION else none
    return Update(step, float(found[0]), float(found[1]), extra)


def log_likelihood(linear: Floats, outcome: Booleans) -> float:
    """Log likelihood of log-odds, (n,)."""
    return float(np.sum(outcome * linear - np.logaddexp(0, linear)))


def closed_test(
    linear: Floats, features: Floats, outcome: Booleans, level: float = 0.05
) -> ClosedTest:
    """Choose an update by the closed testing procedure.

    The revision is tested against the original model, then against the intercept, then against intercept
    and slope. The first test that does not reject chooses its simpler update; if all reject, the
    revision is chosen.

    Parameters
    ----------
    linear, features, outcome
        As in `fit`.
    level : float
        Level of each test. The procedure has this level: the null hypotheses are nested.

    Returns
    -------
    ClosedTest

    Raises
    ------
    NotEstimableError
        If the revision cannot be fitted.

    Notes
    -----
    Vergouwe et al., Stat Med 2017;36:4529. Tests have 2 + q, 1 + q and q degrees of freedom. The
    revision of a model that is not a regression contains the model's log-odds, so that all steps
    are nested. `docs/updating.md` has type I error and choices in simulations.

    Examples
    --------
    >>> random = np.random.default_rng(1)
    >>> x = random.normal(size=400)
    >>> y = random.random(400) < special.expit(x + 1)
    >>> closed_test(x, random.normal(size=(400, 2)), y).chosen
    'intercept'
    """
    updates = {step: fit(step, linear, features, outcome) for step in STEPS}
    likelihood = {
        step: log_likelihood(update.apply(linear, features), outcome)
        for step, update in updates.items()
    }
    tests = []
    for position, step in enumerate(STEPS[:-1]):
        chi2 = max(0.0, 2 * (likelihood[REVISION] - likelihood[step]))
        degrees = 2 - position + features.shape[1]
        tests.append(Comparison(step, chi2, degrees, float(special.chdtrc(degrees, chi2))))
    kept = [test.step for test in tests if test.p_value >= level]
    return ClosedTest(kept[0] if kept else REVISION, tests)
