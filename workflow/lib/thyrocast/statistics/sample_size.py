"""Sample size for a prediction model: Riley's criteria, one function each.

Sources: Riley et al., Stat Med 2019;38:1276 and BMJ 2020;368:m441 (development); Riley et al.,
Stat Med 2021;40:4230 (validation). R's pmsampsize and pmvalsampsize have the same formulas.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from scipy import optimize, special

from thyrocast.statistics import discrimination, intervals
from thyrocast.statistics.inputs import Floats

#: Quantile of every 95 % interval in the source papers.
Z = 1.96


class LinearPredictor(NamedTuple):
    """Distribution of the logit of a calibrated model.

    Attributes
    ----------
    value : ndarray of float, (m,)
        Logits.
    weight : ndarray of float, (m,)
        Their probabilities.
    """

    value: Floats
    weight: Floats


def _inside(**values: float) -> None:
    """Raise an error for values that are not between 0 and 1: the formulas would divide by 0."""
    for name, value in values.items():
        if not 0 < value < 1:
            raise ValueError(f"{name} must be between 0 and 1, not {value:g}")


def linear_predictor(auc: float, prevalence: float) -> LinearPredictor:
    """Logit of a calibrated model with a given AUC.

    The logits of cured patients and of the others are normal with equal variance; their distance
    gives the AUC. Numerical integration on 4,001 points; pmsampsize and pmvalsampsize draw random
    numbers instead.

    Parameters
    ----------
    auc : float
        Above 0 and below 1.
    prevalence : float
        Share of cured patients, above 0 and below 1.

    Returns
    -------
    LinearPredictor
        m = 4001.

    Raises
    ------
    ValueError
        If a value is not between 0 and 1.

    Examples
    --------
    >>> predictor = linear_predictor(0.8, 0.6)
    >>> round(float(predictor.weight @ special.expit(predictor.value)), 3)
    0.6
    """
    _inside(auc=auc, prevalence=prevalence)
    distance = math.sqrt(2) * float(special.ndtri(auc))
    x = np.linspace(-9.0, 9.0 + distance, 4001)
    density = prevalence * _normal(x - distance) + (1 - prevalence) * _normal(x)
    value = float(special.logit(prevalence)) + distance * x - distance**2 / 2
    return LinearPredictor(value, density / density.sum())


def _normal(x: Floats) -> Floats:
    return np.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)


def null_log_likelihood(prevalence: float) -> float:
    """Log likelihood per patient of a model without predictors.

    Parameters
    ----------
    prevalence : float
        Share of cured patients, above 0 and below 1.

    Returns
    -------
    float

    Examples
    --------
    >>> round(null_log_likelihood(0.5), 3)
    -0.693
    """
    _inside(prevalence=prevalence)
    return prevalence * math.log(prevalence) + (1 - prevalence) * math.log(1 - prevalence)


def cox_snell_maximum(prevalence: float) -> float:
    """Greatest possible Cox-Snell R² at a prevalence.

    Parameters
    ----------
    prevalence : float
        Share of cured patients, above 0 and below 1.

    Returns
    -------
    float

    Examples
    --------
    >>> round(cox_snell_maximum(0.5), 3)
    0.75
    """
    return 1 - math.exp(2 * null_log_likelihood(prevalence))


def cox_snell(auc: float, prevalence: float) -> float:
    """Cox-Snell R² expected of a model with a given AUC.

    Parameters
    ----------
    auc, prevalence : float
        As in `linear_predictor`.

    Returns
    -------
    float

    Examples
    --------
    >>> round(cox_snell(0.8, 0.6), 3)
    0.253
    """
    predictor = linear_predictor(auc, prevalence)
    p = special.expit(predictor.value)
    likelihood = float(predictor.weight @ (special.xlogy(p, p) + special.xlogy(1 - p, 1 - p)))
    return 1 - math.exp(2 * (null_log_likelihood(prevalence) - likelihood))


def for_shrinkage(parameters: int, r2: float, shrinkage: float = 0.9) -> int:
    """Development, criterion 1: patients for a small uniform shrinkage.

    Parameters
    ----------
    parameters : int
        Candidate predictor parameters.
    r2 : float
        Anticipated Cox-Snell R², below `shrinkage`.
    shrinkage : float
        Least acceptable shrinkage factor.

    Returns
    -------
    int

    Raises
    ------
    ValueError
        If a share is not between 0 and 1, or `r2` is not below `shrinkage`.

    Examples
    --------
    >>> for_shrinkage(16, 0.288)
    415
    """
    _inside(shrinkage=shrinkage, r2=r2)
    if r2 >= shrinkage:
        raise ValueError(
            f"a Cox-Snell R² of {r2:g} does not allow a shrinkage factor of {shrinkage:g}"
        )
    return math.ceil(parameters / ((shrinkage - 1) * math.log(1 - r2 / shrinkage)))


def for_optimism(parameters: int, r2: float, prevalence: float, difference: float = 0.05) -> int:
    """Development, criterion 2: patients for similar apparent and adjusted Nagelkerke R².

    Parameters
    ----------
    parameters : int
        Candidate predictor parameters.
    r2 : float
        Anticipated Cox-Snell R².
    prevalence : float
        Share of cured patients.
    difference : float
        Largest acceptable difference.

    Returns
    -------
    int

    Examples
    --------
    >>> for_optimism(16, 0.288, 0.7)
    376
    """
    _inside(r2=r2, prevalence=prevalence)
    shrinkage = r2 / (r2 + difference * cox_snell_maximum(prevalence))
    return for_shrinkage(parameters, r2, shrinkage)


def for_prevalence(prevalence: float, margin: float = 0.05) -> int:
    """Development, criterion 3: patients for a precise overall probability of cure.

    Parameters
    ----------
    prevalence : float
        Share of cured patients.
    margin : float
        Largest acceptable error.

    Returns
    -------
    int

    Examples
    --------
    >>> for_prevalence(0.5)
    385
    """
    return math.ceil((Z / margin) ** 2 * prevalence * (1 - prevalence))


def for_prediction_error(parameters: int, prevalence: float, error: float = 0.05) -> int:
    """Development, criterion 4: patients for a small mean absolute error of the probabilities.

    The formula is of van Smeden et al., Stat Methods Med Res 2019;28:2455 (at most 30 parameters).

    Parameters
    ----------
    parameters : int
        Candidate predictor parameters.
    prevalence : float
        Share of cured patients; the share of the rarer outcome is used.
    error : float
        Largest acceptable mean absolute difference between predicted and true probability.

    Returns
    -------
    int

    Examples
    --------
    >>> for_prediction_error(16, 0.3)
    713
    """
    _inside(prevalence=prevalence, error=error)
    rarer = min(prevalence, 1 - prevalence)
    exponent = -0.508 + 0.259 * math.log(rarer) + 0.504 * math.log(parameters) - math.log(error)
    return math.ceil(math.exp(exponent / 0.544))


def for_oe(prevalence: float, width: float, oe: float = 1.0) -> int:
    """Validation: patients for an interval of observed/expected of this width.

    Parameters
    ----------
    prevalence : float
        Share of cured patients.
    width : float
        Largest acceptable width.
    oe : float
        Anticipated ratio.

    Returns
    -------
    int

    Examples
    --------
    >>> for_oe(0.4, 0.2)
    577
    """
    _inside(prevalence=prevalence)
    error = _up(math.asinh(width / (2 * oe)) / Z)
    return math.ceil((1 - prevalence) / (prevalence * error**2))


def for_slope(predictor: LinearPredictor, width: float) -> int:
    """Validation: patients for an interval of the calibration slope of this width.

    Parameters
    ----------
    predictor : LinearPredictor
        Distribution of the logit.
    width : float
        Largest acceptable width.

    Returns
    -------
    int

    Examples
    --------
    >>> for_slope(linear_predictor(0.8, 0.6), 0.4)
    493
    """
    p = special.expit(predictor.value)
    information = predictor.weight * p * (1 - p)
    i00 = float(information.sum())
    i01 = float(information @ predictor.value)
    i11 = float(information @ predictor.value**2)
    return math.ceil(i00 / ((width / (2 * Z)) ** 2 * (i00 * i11 - i01**2)))


def auc_error(auc: float, n: float, prevalence: float) -> float:
    """Expected standard error of an AUC in n patients.

    Parameters
    ----------
    auc : float
        AUC.
    n : float
        Patients.
    prevalence : float
        Share of cured patients.

    Returns
    -------
    float
        From `discrimination.hanley_mcneil_variance`.

    Examples
    --------
    >>> round(auc_error(0.8, 100, 0.6), 4)
    0.0454
    """
    _inside(auc=auc, prevalence=prevalence)
    cured = n * prevalence
    return math.sqrt(discrimination.hanley_mcneil_variance(auc, cured, n - cured))


def for_auc(auc: float, prevalence: float, width: float) -> int:
    """Validation: patients for an interval of the AUC of this width.

    Parameters
    ----------
    auc : float
        Anticipated AUC.
    prevalence : float
        Share of cured patients.
    width : float
        Largest acceptable width.

    Returns
    -------
    int

    Examples
    --------
    >>> for_auc(0.75, 0.4, 0.1)
    379
    """
    goal = width / (2 * Z)
    low, high = 2.0, 4.0
    if auc_error(auc, low, prevalence) <= goal:
        return math.ceil(low)
    while auc_error(auc, high, prevalence) > goal:
        high *= 2
    n = float(optimize.brentq(lambda n: auc_error(auc, n, prevalence) - goal, low, high))
    return math.ceil(n - 1e-6)


def _up(error: float) -> float:
    """Round up to a multiple of 0.0001, the steps in which pmvalsampsize searches."""
    return math.ceil(error * 1e4 - 1e-9) / 1e4


def auc_width(auc: float, n: int, prevalence: float, confidence: float = 0.95) -> float:
    """Expected width of the interval of an AUC in n patients.

    Parameters
    ----------
    auc, n, prevalence
        As in `auc_error`.
    confidence : float
        Confidence level.

    Returns
    -------
    float

    Examples
    --------
    >>> round(auc_width(0.8, 100, 0.6), 3)
    0.178
    """
    return 2 * intervals.normal_quantile(confidence) * auc_error(auc, n, prevalence)
