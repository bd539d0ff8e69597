"""Why a model discriminates differently at another site: its patients, or its coefficients."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from thyrocast.statistics import discrimination, inputs, intervals
from thyrocast.statistics.inputs import Floats, NotEstimableError
from thyrocast.statistics.intervals import Interval

#: Range of probabilities below which a model does not discriminate.
_SAME = 1e-9


def model_based_concordance(probability: ArrayLike) -> float:
    """AUC that a model would have if its probabilities were true.

    Parameters
    ----------
    probability : array_like, (n,)
        Predicted probabilities of cure.

    Returns
    -------
    float

    Raises
    ------
    NotEstimableError
        With fewer than two patients, or if no pair can have different outcomes.

    Notes
    -----
    Van Klaveren et al., Stat Med 2016;35:4136. Equal to the expected AUC over outcomes drawn from
    the probabilities, up to the difference between the ratio of two means and the mean of a ratio.

    Examples
    --------
    >>> round(model_based_concordance([0.2, 0.5, 0.9]), 4)
    0.9023
    """
    return _concordance(np.asarray(probability, dtype=np.float64))[0]


def _concordance(p: Floats) -> tuple[float, Floats]:
    """Model-based concordance and the influence of each patient on it, (n,)."""
    if p.ndim != 1 or p.size < 2 or not ((p >= 0) & (p <= 1)).all():
        raise NotEstimableError("the model-based concordance needs at least two probabilities")
    order = np.argsort(p, kind="stable")
    sorted_, inverse = p[order], np.argsort(order, kind="stable")
    failing = 1 - sorted_
    n = p.size
    # Of each patient, over pairs with another one: chance that they are concordant, and that outcomes
    # differ. A pair of equal probabilities counts half of the latter, in either order.
    right = sorted_ * (np.cumsum(failing) - failing) + failing * (
        sorted_.sum() - np.cumsum(sorted_)
    )
    different = sorted_ * (failing.sum() - failing) + failing * (sorted_.sum() - sorted_)
    v1, v2 = right / (n - 1), different / (n - 1)
    u1, u2 = float(v1.mean()), float(v2.mean())
    if u2 <= 0:
        raise NotEstimableError(
            "all probabilities are 0 or all are 1: no pair has different outcomes"
        )
    value = u1 / u2
    influence = 2 * ((v1 - u1) / u2 - u1 * (v2 - u2) / u2**2)
    return value, np.asarray(influence[inverse], dtype=np.float64)


class Decomposition(NamedTuple):
    """Difference in AUC between development and a site, in parts that add up to it.

    Attributes
    ----------
    difference : Interval
        AUC at the site minus AUC at development.
    case_mix : Interval
        Part that patients with more or less different predictions explain: model-based concordance at
        the site minus that at development.
    coefficients : Interval
        Part that remains at the site: AUC minus model-based concordance there. Below 0, predictions
        are less related to the outcome there than the model says.
    development : Interval
        The same at development, with opposite sign; near 0 for a model that is calibrated there.
    """

    difference: Interval
    case_mix: Interval
    coefficients: Interval
    development: Interval


def decompose(
    outcome: ArrayLike,
    probability: ArrayLike,
    site_outcome: ArrayLike,
    site_probability: ArrayLike,
    confidence: float = 0.95,
) -> Decomposition:
    """Divide the difference in AUC between development and a site.

    Parameters
    ----------
    outcome, probability : array_like, (n,)
        Outcomes and probabilities of development patients; each was predicted by a model that was not
        trained on this patient.
    site_outcome, site_probability : array_like, (m,)
        Those of the site, by the model as it is.
    confidence : float
        Confidence level.

    Returns
    -------
    Decomposition
        Intervals are normal, with both samples random.

    Raises
    ------
    NotEstimableError
        If an outcome is missing in one of the samples, or all its probabilities are equal.

    Notes
    -----
    Van Klaveren et al., Stat Med 2016;35:4136. Probabilities that are too extreme raise the
    model-based concordance: miscalibration by the slope is in the part of the coefficients.
    `docs/updating.md` has the coverage.
    """
    here, there = (
        _parts(y, p) for y, p in ((outcome, probability), (site_outcome, site_probability))
    )

    def interval(value: float, *influences: Floats) -> Interval:
        variance = sum(float(one.var(ddof=1)) / one.size for one in influences)
        error = math.sqrt(variance)
        half = intervals.normal_quantile(confidence) * error
        return Interval(value, value - half, value + half, "influence_normal", error, "identity")

    return Decomposition(
        interval(there.area - here.area, there.of_area, here.of_area),
        interval(there.model - here.model, there.of_model, here.of_model),
        interval(there.area - there.model, there.of_area - there.of_model),
        interval(here.model - here.area, here.of_model - here.of_area),
    )


class _Parts(NamedTuple):
    area: float
    of_area: Floats
    model: float
    of_model: Floats


def _parts(outcome: ArrayLike, probability: ArrayLike) -> _Parts:
    y, p = inputs.read(outcome, probability)
    inputs.require_both(y, "the AUC")
    if np.ptp(p) < _SAME:
        raise NotEstimableError("all probabilities are equal: the model does not discriminate")
    cured, failed = discrimination.placements(y, p)
    area = float(cured.mean())
    share = float(y.mean())
    of_area = np.empty(y.size)
    of_area[y] = (cured - area) / share
    of_area[~y] = (failed - area) / (1 - share)
    model, of_model = _concordance(p)
    return _Parts(area, of_area, model, of_model)
