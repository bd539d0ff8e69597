"""Added value of one model's predictions over those of another."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from thyrocast.statistics import inputs, logistic, resampling
from thyrocast.statistics.differences import Difference
from thyrocast.statistics.inputs import Booleans, Floats, Integers, NotEstimableError


def likelihood_ratio(
    outcome: ArrayLike, base: ArrayLike, added: ArrayLike, stratum: ArrayLike | None = None
) -> Difference:
    """Likelihood-ratio test of adding one model's logit to the recalibrated logit of another.

    Both models were fitted to other patients, so that the test in new patients favors neither.

    Parameters
    ----------
    outcome : array_like, (n,)
        1 = cured.
    base : array_like, (n,)
        Probabilities of the model that may be improved.
    added : array_like, (n,)
        Probabilities of the model that may improve it.
    stratum : array_like, (n,), optional
        Center of each patient, if models differ between centers or prevalences do.

    Returns
    -------
    Difference
        `difference` is the corrected chi-squared statistic with one degree of freedom, without an
        interval.

    Raises
    ------
    NotEstimableError
        If there are fewer than three patients of an outcome in the strata that are `informative`,
        or one of the two logistic models is separated or collinear.

    Notes
    -----
    Every stratum has its own intercept and slope of the base logit. Without strata, the test rejects
    a true null hypothesis in 7-30 % of studies whose centers differ in prevalence or whose models
    have other scales.

    The statistic is multiplied by the share of patients that the coefficients leave, (n - coefficients)
    / n, as in a linear model: fitted probabilities are closer to the outcomes than the true ones. Without
    this correction the test rejected 6-10 % with 12 to 15 patients per center; rejections with it are in
    docs/statistics.md (``benchmarks/validity.py``).

    Base probabilities of 0 or 1 form strata of their own: their logit is not known.

    Examples
    --------
    >>> y = [1, 1, 1, 0, 1, 0, 1, 0, 0, 0]
    >>> base = [0.6, 0.5, 0.4, 0.6, 0.3, 0.5, 0.7, 0.4, 0.3, 0.6]
    >>> added = [0.9, 0.8, 0.3, 0.7, 0.6, 0.4, 0.5, 0.35, 0.2, 0.1]
    >>> found = likelihood_ratio(y, base, added)
    >>> round(found.difference, 3), round(found.p_value, 3)
    (2.488, 0.115)
    """
    y = inputs.outcome_array(outcome)
    p, q = (inputs.probability_array(values, y.size) for values in (base, added))
    group = _strata(p, stratum)
    used = informative(y, p, stratum)
    y, x, z, group = y[used], inputs.logit(p[used]), inputs.logit(q[used]), group[used]
    if used.any():
        inputs.require_both(y, "the likelihood-ratio test", each=3)
    else:
        raise NotEstimableError("the base model is separated or constant in every center")
    design = _design(x, group)
    small = logistic.fit(design, y)
    large = logistic.fit(np.column_stack([design, z]), y)
    rest = max(y.size - design.shape[1] - 1, 0) / y.size
    statistic = max(2 * (large.log_likelihood - small.log_likelihood), 0.0) * rest
    return Difference(statistic, None, None, float(special.chdtrc(1, statistic)))


def informative(outcome: ArrayLike, base: ArrayLike, stratum: ArrayLike | None = None) -> Booleans:
    """Patients of strata in which the recalibrated base model has a finite fit.

    Parameters
    ----------
    outcome, base, stratum
        As in `likelihood_ratio`.

    Returns
    -------
    ndarray of bool, (n,)
        False in strata with one outcome or a separated one: they have no information on the added model.

    Examples
    --------
    >>> informative([1, 0, 1, 0, 1, 1], [0.5] * 6, ["a", "a", "a", "a", "b", "b"])
    array([ True,  True,  True,  True, False, False])
    """
    y = inputs.outcome_array(outcome)
    p = inputs.probability_array(base, y.size)
    group, x = _strata(p, stratum), inputs.logit(p)
    used = np.zeros(y.size, dtype=np.bool_)
    for number in np.unique(group):
        inside = group == number
        if y[inside].all() or not y[inside].any():
            continue
        try:
            logistic.fit(_design(x[inside], group[inside]), y[inside])
        except NotEstimableError:
            continue
        used |= inside
    return used


def _strata(base: Floats, stratum: ArrayLike | None) -> Integers:
    """Number of each patient's stratum, (n,)."""
    certain = np.where(base < inputs.EDGE, 1, np.where(base > 1 - inputs.EDGE, 2, 0))
    return resampling.strata(certain) if stratum is None else resampling.strata(stratum, certain)


def _design(x: Floats, group: Integers) -> Floats:
    """Intercept of each stratum, and slope where the base logit varies."""
    own = (group[:, None] == np.unique(group)).astype(np.float64)
    slopes = [column * x for column in own.T if np.ptp(x[column > 0]) > 1e-12]
    return np.column_stack([own, *slopes])
