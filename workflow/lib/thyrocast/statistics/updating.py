"""Updating a model at a site: which update the site's patients justify."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import special

from thyrocast.statistics import intervals, logistic
from thyrocast.statistics.inputs import EDGE, Booleans, Floats, NotEstimableError
from thyrocast.statistics.intervals import Interval

#: Updates, each with one or more coefficients than the one before.
ORIGINAL, INTERCEPT, RECALIBRATION, REVISION = "none", "intercept", "slope", "head"
STEPS = (ORIGINAL, INTERCEPT, RECALIBRATION, REVISION)
#: What each update is needed for in `patients_needed`: an intercept, a slope, an effect of one component.
DEPARTURES = {INTERCEPT: 0.5, RECALIBRATION: 0.7, REVISION: 0.5}


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


def patients_needed(
    step: str, linear: Floats, count: int, level: float = 0.05, power: float = 0.8
) -> float:
    """Patients with whom closed testing rejects every simpler update, if one of a given size is needed.

    Parameters
    ----------
    step : str
        One of `STEPS` but the original; `DEPARTURES` has the size.
    linear : ndarray of float, (n,)
        Log-odds of the model for patients of the site: how they vary decides how much each shows.
    count : int
        Coefficients that a revision has in addition to intercept and slope.
    level : float
        Level of each test.
    power : float
        Power of the weakest test.

    Returns
    -------
    float
        Infinite if the log-odds do not vary and the step is a slope.

    Raises
    ------
    NotEstimableError
        If a simpler update cannot be fitted.

    Notes
    -----
    The test statistic has a noncentral chi-squared distribution, whose noncentrality is twice the
    Kullback-Leibler divergence of the truth from the best simpler update, per patient (Self et al.,
    Biometrics 1992;48:31). A revision is of one component, which is standard normal and independent of the
    log-odds: its expectation is computed by Gauss-Hermite quadrature.
    """
    size = DEPARTURES[step]
    base, weight, truth = linear, np.full(linear.size, 1 / linear.size), linear + size
    if step == RECALIBRATION:
        center = linear.mean()
        truth = center + size * (linear - center)
    elif step == REVISION:
        nodes, shares = np.polynomial.hermite_e.hermegauss(15)
        base = np.repeat(linear, nodes.size)
        weight = np.tile(shares / shares.sum(), linear.size) / linear.size
        truth = base + size * np.tile(nodes, linear.size)
    needed = 0.0
    for position, simpler in enumerate(STEPS[: STEPS.index(step)]):
        divergence = _divergence(truth, _closest(simpler, base, truth, weight), weight)
        degrees = 2 - position + count
        noncentral = special.chndtrinc(special.chdtri(degrees, level), degrees, 1 - power)
        needed = max(needed, noncentral / (2 * divergence) if divergence > 0 else np.inf)
    return float(needed)


def _closest(step: str, linear: Floats, truth: Floats, weight: Floats) -> Floats:
    """Log-odds by the simpler update that is closest to true log-odds."""
    if step == ORIGINAL:
        return linear
    columns = [np.ones_like(linear)] + ([linear] if step == RECALIBRATION else [])
    design = np.stack(columns, axis=1)
    offset = np.zeros_like(linear) if step == RECALIBRATION else linear
    start = np.array([0.0, 1.0][: len(columns)])
    target = special.expit(truth)
    for _ in range(50):
        p = special.expit(offset + design @ start)
        hessian = (design * (weight * p * (1 - p))[:, None]).T @ design
        change = np.linalg.lstsq(hessian, design.T @ (weight * (target - p)), rcond=None)[0]
        start = start + change
        if np.abs(change).max() < 1e-12:
            return np.asarray(offset + design @ start)
    raise NotEstimableError("the closest simpler update is not found")


def _divergence(truth: Floats, other: Floats, weight: Floats) -> float:
    """Mean Kullback-Leibler divergence of log-odds from true log-odds."""
    p = special.expit(truth)
    gain = p * (truth - other) - np.logaddexp(0, truth) + np.logaddexp(0, other)
    return float(np.sum(weight * gain))


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
    if step == ORIGINAL:
        return Update(step, 0.0, 1.0, none)
    found = _maximum(step, linear, features, outcome).coefficients
    if step == INTERCEPT:
        return Update(step, float(found[0]), 1.0, none)
    extra = found[2:] if step == REVISION else none
    return Update(step, float(found[0]), float(found[1]), extra)


def _maximum(step: str, linear: Floats, features: Floats, outcome: Booleans) -> logistic.Fit:
    """Fit of an update: the intercept alone, or intercept, slope and the coefficients of a revision."""
    if outcome.all() or not outcome.any():
        raise NotEstimableError("all patients have the same outcome")
    constant = np.ones((linear.size, 1))
    if step == INTERCEPT:
        return logistic.fit(constant, outcome, offset=linear)
    columns = [constant, linear[:, None], *([features] if step == REVISION else [])]
    return logistic.fit(np.hstack(columns), outcome)


def wald(
    step: str, linear: Floats, features: Floats, outcome: Booleans, confidence: float = 0.95
) -> tuple[Interval, Interval | None]:
    """Intervals of the intercept and of the slope of an update.

    Parameters
    ----------
    step : str
        One of `STEPS` but the original, whose coefficients are not estimated.
    linear, features, outcome
        As in `fit`.
    confidence : float
        Confidence level of each.

    Returns
    -------
    Interval, Interval or None
        No slope for a new intercept. They are not corrected for the choice of a step.

    Raises
    ------
    NotEstimableError
        As in `fit`, and if a probability is 0 or 1 (nearer than `inputs.EDGE`): its log-odds were clipped,
        and what is estimated depends on it (as in `calibration.slope`).

    Notes
    -----
    Wald intervals, from the inverse of the information. `docs/updating.md` has their coverage.
    """
    if np.abs(linear).max() >= special.logit(1 - EDGE):
        raise NotEstimableError("a probability is 0 or 1: coefficients depend on how it is clipped")
    found = _maximum(step, linear, features, outcome)
    half = intervals.normal_quantile(confidence) * np.sqrt(np.diag(found.covariance))
    each = [
        Interval(float(value), float(value - width), float(value + width), "wald")
        for value, width in zip(found.coefficients[:2], half[:2], strict=True)
    ]
    return each[0], (each[1] if len(each) > 1 else None)


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
