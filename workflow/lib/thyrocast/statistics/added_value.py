"""Added value of one model's predictions over those of another."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from thyrocast.statistics import inputs, logistic
from thyrocast.statistics.differences import Difference


def likelihood_ratio(outcome: ArrayLike, base: ArrayLike, added: ArrayLike) -> Difference:
    """Likelihood-ratio test of adding one model's logit to the recalibrated logit of another.

    Both models were fitted to other patients, so that the test in new patients favors neither. At
    5 % it rejects a true null hypothesis in 4.3-7.0 % of studies of 50 patients and in 3.9-6.6 %
    of larger ones.

    Parameters
    ----------
    outcome : array_like, (n,)
        1 = cured.
    base : array_like, (n,)
        Probabilities of the model that may be improved.
    added : array_like, (n,)
        Probabilities of the model that may improve it.

    Returns
    -------
    Difference
        `difference` is the chi-squared statistic with one degree of freedom, without an interval.

    Raises
    ------
    NotEstimableError
        If there are fewer than three patients of an outcome, or one of the two logistic models is
        separated or collinear.

    Examples
    --------
    >>> y = [1, 1, 1, 0, 1, 0, 1, 0, 0, 0]
    >>> base = [0.6, 0.5, 0.4, 0.6, 0.3, 0.5, 0.7, 0.4, 0.3, 0.6]
    >>> added = [0.9, 0.8, 0.3, 0.7, 0.6, 0.4, 0.5, 0.35, 0.2, 0.1]
    >>> found = likelihood_ratio(y, base, added)
    >>> round(found.difference, 3), round(found.p_value, 3)
    (3.554, 0.059)
    """
    y = inputs.outcome_array(outcome)
    inputs.require_both(y, "the likelihood-ratio test", each=3)
    x, z = (inputs.logit(inputs.probability_array(p, y.size)) for p in (base, added))
    small = logistic.fit(np.stack([np.ones_like(x), x], axis=1), y)
    large = logistic.fit(np.stack([np.ones_like(x), x, z], axis=1), y)
    statistic = max(2 * (large.log_likelihood - small.log_likelihood), 0.0)
    return Difference(statistic, None, None, float(special.chdtrc(1, statistic)))
