"""How many patients a prediction model needs: Riley's criteria, one function each.

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

#: Quantile that the source papers use for every 95 % interval.
Z = 1.96


class LinearPredictor(NamedTuple):
    """Distribution of a calibrated model's logit: values (m,) and their probabilities (m,)."""

    value: Floats
    weight: Floats


def _inside(**values: float) -> None:
    """Refuse what must lie between 0 and 1, and would divide by 0 elsewhere."""
    for name, value in values.items():
        if not 0 < value < 1:
            raise ValueError(f"{name} must lie between 0 and 1, not at {value:g}")


def linear_predictor(auc: float, prevalence: float) -> LinearPredictor:
    """Logit of a calibrated model with a given AUC.

    The cured and the others have normal logits with equal variance, whose distance makes the AUC.
    Numerical integration on 4,001 points, where pmsampsize and pmvalsampsize draw random numbers.
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
    """Log likelihood per patient of a model that knows the prevalence alone."""
    _inside(prevalence=prevalence)
    return prevalence * math.log(prevalence) + (1 - prevalence) * math.log(1 - prevalence)


def cox_snell_maximum(prevalence: float) -> float:
    """Greatest possible Cox-Snell R² at a prevalence."""
    return 1 - math.exp(2 * null_log_likelihood(prevalence))


def cox_snell(auc: float, prevalence: float) -> float:
    """Cox-Snell R² expected of a model with a given AUC (:func:`linear_predictor`)."""
    predictor = linear_predictor(auc, prevalence)
    p = special.expit(predictor.value)
    likelihood = float(predictor.weight @ (special.xlogy(p, p) + special.xlogy(1 - p, 1 - p)))
    return 1 - math.exp(2 * (null_log_likelihood(prevalence) - likelihood))


def for_shrinkage(parameters: int, r2: float, shrinkage: float = 0.9) -> int:
    """Development, criterion 1: patients for a uniform shrinkage factor of at least ``shrinkage``.

    Parameters
    ----------
    r2 : float
        Anticipated Cox-Snell R², below ``shrinkage``.
    """
    _inside(shrinkage=shrinkage, r2=r2)
    if r2 >= shrinkage:
        raise ValueError(f"a Cox-Snell R² of {r2:g} allows no shrinkage of {shrinkage:g}")
    return math.ceil(parameters / ((shrinkage - 1) * math.log(1 - r2 / shrinkage)))


def for_optimism(parameters: int, r2: float, prevalence: float, difference: float = 0.05) -> int:
    """Development, criterion 2: apparent and adjusted Nagelkerke R² differ by at most this much."""
    _inside(r2=r2, prevalence=prevalence)
    shrinkage = r2 / (r2 + difference * cox_snell_maximum(prevalence))
    return for_shrinkage(parameters, r2, shrinkage)


def for_prevalence(prevalence: float, margin: float = 0.05) -> int:
    """Development, criterion 3: overall risk estimated within ``margin``."""
    return math.ceil((Z / margin) ** 2 * prevalence * (1 - prevalence))


def for_oe(prevalence: float, width: float, oe: float = 1.0) -> int:
    """Count patients for validation with an interval of observed/expected of this width."""
    _inside(prevalence=prevalence)
    error = _up(math.asinh(width / (2 * oe)) / Z)
    return math.ceil((1 - prevalence) / (prevalence * error**2))


def for_slope(predictor: LinearPredictor, width: float) -> int:
    """Count patients for validation with an interval of the calibration slope of this width."""
    p = special.expit(predictor.value)
    information = predictor.weight * p * (1 - p)
    i00 = float(information.sum())
    i01 = float(information @ predictor.value)
    i11 = float(information @ predictor.value**2)
    return math.ceil(i00 / ((width / (2 * Z)) ** 2 * (i00 * i11 - i01**2)))


def auc_error(auc: float, n: float, prevalence: float) -> float:
    """Predict the standard error of an AUC in n patients (Newcombe's form of Hanley and McNeil's)."""
    _inside(auc=auc, prevalence=prevalence)
    cured = n * prevalence
    return math.sqrt(discrimination.hanley_mcneil_variance(auc, cured, n - cured))


def for_auc(auc: float, prevalence: float, width: float) -> int:
    """Count patients for validation with an interval of the AUC of this width."""
    goal = width / (2 * Z)
    low, high = 2.0, 4.0
    if auc_error(auc, low, prevalence) <= goal:
        return math.ceil(low)
    while auc_error(auc, high, prevalence) > goal:
        high *= 2
    n = float(optimize.brentq(lambda n: auc_error(auc, n, prevalence) - goal, low, high))
    return math.ceil(n - 1e-6)


def for_net_benefit(
    sensitivity: float, specificity: float, prevalence: float, threshold: float, width: float
) -> int:
    """Count patients for validation with an interval of standardized net benefit of this width."""
    _inside(prevalence=prevalence, threshold=threshold)
    odds = (1 - prevalence) / prevalence * threshold / (1 - threshold)
    each = (
        sensitivity * (1 - sensitivity) / prevalence
        + odds**2 * specificity * (1 - specificity) / (1 - prevalence)
        + odds**2 * (1 - specificity) ** 2 / (prevalence * (1 - prevalence))
    )
    return math.ceil(each / round(_up(width / (2 * Z)), 3) ** 2)


def _up(error: float) -> float:
    """Round up to a whole 0.0001, the steps in which pmvalsampsize looks for a standard error."""
    return math.ceil(error * 1e4 - 1e-9) / 1e4


def auc_width(auc: float, n: int, prevalence: float, confidence: float = 0.95) -> float:
    """Width expected of the interval of an AUC in n patients."""
    return 2 * intervals.normal_quantile(confidence) * auc_error(auc, n, prevalence)
