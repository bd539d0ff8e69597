"""AUC of cross-validated models: a mean of the AUCs within parts, whose models share patients."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from thyrocast.statistics import differences, discrimination, inputs, intervals, logistic
from thyrocast.statistics.differences import Difference
from thyrocast.statistics.inputs import Booleans, Floats, NotEstimableError
from thyrocast.statistics.intervals import Interval

METHOD = "corrected_resampled_t"
#: A standard error below this is a rounding error: all parts have the same value.
_NONE = 1e-12


def auc_within_parts(
    outcome: ArrayLike,
    score: ArrayLike,
    part: ArrayLike,
    patient: ArrayLike,
    confidence: float = 0.95,
) -> Interval:
    """Mean of the AUCs within the parts of a (repeated) cross-validation.

    Each part is predicted by its own model. Scores of two models are never compared: joined scores
    would give models without signal an AUC below 0.5.

    Parameters
    ----------
    outcome : array_like, (n,)
        1 = cured.
    score : array_like, (n,)
        Higher means more likely cured.
    part : array_like, (n,)
        Part, with its repeat, in which the prediction was made.
    patient : array_like, (n,)
        Patient of each prediction.
    confidence : float
        Confidence level.

    Returns
    -------
    Interval
        Method `METHOD`, symmetric on the logit scale. If the AUC is the same in all parts, so that their
        variance is 0, the limits are Newcombe's, from the numbers of patients, without a standard error.

    Raises
    ------
    NotEstimableError
        With fewer than two parts that have both outcomes.

    Notes
    -----
    Airola et al., Comput Stat Data Anal 2011;55:1828. The models of two parts share most of their
    training patients, so that an interval from patients or parts alone is too narrow (Bates, Hastie
    and Tibshirani, J Am Stat Assoc 2024;119:1434). The variance is that of Nadeau and Bengio, Mach
    Learn 2003;52:239: the variance between parts times 1/parts + test share / training share. Its
    degrees of freedom are those of one repeat. Nested cross-validation, as Bates et al. propose,
    would need several times as many networks.

    The t interval is on the logit scale (delta method). On the scale of the AUC itself it is symmetric
    where the AUC is not, and covers 90-95 % with 40 to 60 patients, although it is wider there.
    Coverage is in docs/statistics.md; a bootstrap of patients covers 76-88 %.

    Examples
    --------
    >>> y, s = [1, 0, 1, 0, 1, 1, 0, 0], [0.9, 0.2, 0.4, 0.5, 0.8, 0.6, 0.3, 0.1]
    >>> found = auc_within_parts(y, s, list("aaaabbbb"), list("ijklmnop"))
    >>> found.estimate, round(found.low, 3), round(found.high, 3)
    (0.875, 0.0, 1.0)
    """
    y = inputs.outcome_array(outcome)
    s = inputs.score_array(score, y.size)
    who = np.asarray(patient)
    areas = _areas(y, s, np.asarray(part))
    mean, error, degrees = _corrected(areas, np.asarray(part), who)
    if error < _NONE:
        # Such as an AUC of 1 in every part: an interval without width would claim certainty.
        cured, failed = (np.unique(who[side]).size for side in (y, ~y))
        found = discrimination.newcombe(mean, cured, failed, confidence)
        return Interval(*found[:3], METHOD)
    error /= mean * (1 - mean)
    half, middle = intervals.t_quantile(confidence, degrees) * error, math.log(mean / (1 - mean))
    low, high = (float(logistic.expit(middle + sign * half)) for sign in (-1, 1))
    return Interval(mean, low, high, METHOD, error, "logit")


def auc_difference(
    outcome: ArrayLike,
    score_a: ArrayLike,
    score_b: ArrayLike,
    part: ArrayLike,
    patient: ArrayLike,
    confidence: float = 0.95,
) -> Difference:
    """Mean difference of two models' AUCs within parts, with the variance of `auc_within_parts`.

    Parameters
    ----------
    outcome, part, patient, confidence
        As in `auc_within_parts`.
    score_a, score_b : array_like, (n,)
        Scores of both models.

    Returns
    -------
    Difference

    Raises
    ------
    NotEstimableError
        As `auc_within_parts`, or if the difference is the same in all parts but not 0.

    Examples
    --------
    >>> y, s = [1, 0, 1, 0, 1, 1, 0, 0], [0.9, 0.2, 0.4, 0.5, 0.8, 0.3, 0.6, 0.1]
    >>> auc_difference(y, s, s, list("aaaabbbb"), list("ijklmnop")).p_value
    1.0
    """
    y = inputs.outcome_array(outcome)
    a, b = (inputs.score_array(score, y.size) for score in (score_a, score_b))
    parts = np.asarray(part)
    gaps = _areas(y, a, parts) - _areas(y, b, parts)
    mean, error, degrees = _corrected(gaps, parts, np.asarray(patient))
    if error < _NONE:
        return differences.normal(mean, 0.0, confidence)
    half = intervals.t_quantile(confidence, degrees) * error
    return Difference(mean, mean - half, mean + half, intervals.t_p_value(mean / error, degrees))


def _areas(y: Booleans, score: Floats, part: NDArray[Any]) -> Floats:
    """AUC within each part that has both outcomes."""
    inside = [part == name for name in np.unique(part)]
    known = [who for who in inside if 0 < y[who].sum() < who.sum()]
    if len(known) < 2:
        raise NotEstimableError("fewer than two parts have both outcomes")
    return np.array([discrimination.auc(y[who], score[who]) for who in known])


def _corrected(
    values: Floats, part: NDArray[Any], patient: NDArray[Any]
) -> tuple[float, float, int]:
    """Mean of the parts, its standard error and its degrees of freedom."""
    tested = part.size / np.unique(part).size / np.unique(patient).size
    factor = 1 / values.size + tested / (1 - tested)
    error = math.sqrt(float(values.var(ddof=1)) * factor)
    return float(values.mean()), error, max(round(1 / tested) - 1, 1)
