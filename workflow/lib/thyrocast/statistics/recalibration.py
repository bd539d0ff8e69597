"""Recalibration of a model's log-odds, with a slope that is shrunken to the prevalence."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from thyrocast.statistics import logistic
from thyrocast.statistics.inputs import Booleans, Floats

#: Change of the log-odds by one standard deviation of a model without signal. It keeps the ranking
#: of the patients, and moves no probability by more than about 0.01.
LEAST = 0.01


class Recalibration(NamedTuple):
    """Intercept and slope for a model's log-odds.

    Attributes
    ----------
    intercept, slope : float
        The recalibrated log-odds are intercept + slope x log-odds. The slope is never negative.
    signal : bool
        False if the log-odds contain no information on the outcome beyond chance. Every patient
        then gets the prevalence, up to `LEAST`.
    """

    intercept: float
    slope: float
    signal: bool


def fit(linear: Floats, outcome: Booleans) -> Recalibration:
    """Fit intercept and slope, the slope shrunken towards 0.

    Parameters
    ----------
    linear : ndarray of float, (n,)
        Log-odds of patients who were not used to fit the model.
    outcome : ndarray of bool, (n,)
        True = cured.

    Returns
    -------
    Recalibration
        With one outcome only, the log-odds do not change.

    Notes
    -----
    The slope, by Firth's likelihood, is multiplied by max(0, 1 - 1/chi²), where chi² is its
    likelihood-ratio statistic: van Houwelingen and le Cessie, Stat Med 1990;9:1303. The factor is
    continuous, near 1 for a clear signal, and 0 for a slope that is not above chance. Firth's slope is
    finite and continuous where the log-odds separate the outcomes; that of maximum likelihood is
    infinite there, and very large next to it. The intercept
    is fitted again, so that the mean probability is the prevalence (Cox, Biometrika 1958;45:562).

    In models without signal fitted to 97 patients, the Brier score in new patients is 0.0004 above
    that of the prevalence (0.0026 or less in 95 % of studies). If negative slopes are replaced by
    1, it is 0.003-0.04, and up to 0.10. At an AUC of 0.8 the scores differ by less than 0.001.

    Examples
    --------
    >>> y = np.arange(40) % 2 == 0
    >>> found = fit(np.where(y, 1.0, -1.0) + np.arange(40) % 3 - 1, y)
    >>> found.signal, bool(found.slope > 0.5)
    (True, True)
    >>> found = fit(-np.where(y, 1.0, -1.0) * (np.arange(40) % 3 > 0), y)
    >>> found.signal, bool(0 < found.slope < 0.02)
    (False, True)
    """
    y = outcome.astype(np.bool_)
    if y.all() or not y.any():
        return Recalibration(0.0, 1.0, False)
    # Centered on the mean, log-odds of any size have a well-conditioned design.
    middle, spread = float(np.mean(linear)), float(np.std(linear))
    if spread < 1e-12 * (1 + abs(middle)):
        return _around(linear, y, 0.0, signal=False)
    standard = (linear - middle) / spread
    slope = _shrunken(standard, y)
    signal = slope > 0
    return _around(linear, y, max(slope, LEAST) / spread, signal=signal)


def _shrunken(standard: Floats, y: Booleans) -> float:
    constant = np.ones((y.size, 1))
    coefficients, log_likelihood = logistic.firth(np.hstack([constant, standard[:, None]]), y)
    chi2 = 2 * (log_likelihood - logistic.fit(constant, y).log_likelihood)
    return float(coefficients[1]) * (1 - 1 / chi2) if chi2 > 1 else 0.0


def _around(linear: Floats, y: Booleans, slope: float, *, signal: bool) -> Recalibration:
    """The intercept that gives the observed prevalence with this slope."""
    constant = np.ones((y.size, 1))
    intercept = float(logistic.solve(constant, y, offset=slope * linear)[0])
    return Recalibration(intercept, slope, signal)
