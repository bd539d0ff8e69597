"""AUC by the number of training patients, extrapolated with its uncertainty."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from thyrocast.statistics import discrimination, inputs, intervals
from thyrocast.statistics.inputs import Floats, NotEstimableError

#: Range of the exponent of the power law: from nearly logarithmic to a curve that is soon flat.
EXPONENTS = (0.1, 3.0)
DRAWS = 4000
#: A variance below this is a rounding error.
_NONE = 1e-20


@dataclass(frozen=True)
class Curve:
    """AUC of models that were fitted to shares of the same patients.

    Attributes
    ----------
    share : ndarray, (s,)
        Shares of the patients, ascending; the last one is 1.
    auc : ndarray, (s,)
        Mean over the subsamples, within folds.
    covariance : ndarray, (s, s)
        Of `auc`, over samples of patients and over subsamples.
    """

    share: Floats
    auc: Floats
    covariance: Floats


@dataclass(frozen=True)
class Extrapolated:
    """AUC expected at shares of the present number of patients, with intervals.

    Attributes
    ----------
    auc, low, high : ndarray, (t,)
        Median and limits.
    gain, gain_low, gain_high : ndarray, (t,)
        The same of the difference from share 1.
    """

    auc: Floats
    low: Floats
    high: Floats
    gain: Floats
    gain_low: Floats
    gain_high: Floats


def measure(
    outcome: ArrayLike, scores: ArrayLike, fold: ArrayLike, share: Sequence[float]
) -> Curve:
    """Measure the curve from cross-validated scores.

    Parameters
    ----------
    outcome : array_like, (n,)
        1 = cured.
    scores : array_like, (shares, repeats, n)
        Of every patient by a model that was fitted to a random share of the patients, without the
        patient's fold. Subsamples of one repeat contain those of smaller shares or not.
    fold : array_like, (n,)
        Scores are compared within folds only.
    share
        Ascending; the last one is 1.

    Returns
    -------
    Curve

    Raises
    ------
    NotEstimableError
        With fewer than two patients of either outcome in a fold, two repeats or three shares, or if
        an AUC has no variance, such as an AUC of 1 in all folds.

    Notes
    -----
    The covariance has three parts:

    - of the patients who are scored: DeLong's, of the mean over repeats within each fold;
    - of the subsamples: their variance divided by the number of repeats;
    - of the patients to whom models are fitted. Means of subsamples vary less than means of new samples would,
      by the factor 1 - share (sampling without replacement), and the variance of new samples decreases
      with their number. The variance at share 1 is therefore estimated from that between
      subsamples by share / (1 - share), averaged over shares; all shares have this part in common.

    Examples
    --------
    >>> y = [0, 0, 1, 1]
    >>> found = measure(y, np.tile([0.1, 0.6, 0.5, 0.9], (3, 2, 1)), [1, 1, 1, 1], (0.5, 0.75, 1))
    >>> found.auc
    array([0.75, 0.75, 0.75])
    """
    y = inputs.outcome_array(outcome)
    values = np.asarray(scores, dtype=np.float64)
    parts, shares = np.asarray(fold), np.asarray(share, dtype=np.float64)
    if values.shape[1] < 2 or len(shares) < 3:
        raise NotEstimableError("fewer than two subsamples, or three shares")
    steps, repeats = values.shape[:2]
    names = np.unique(parts)
    areas = np.zeros((steps, repeats))
    covariance = np.zeros((steps, steps))
    over_repeats = np.kron(np.eye(steps), np.full((1, repeats), 1 / repeats))
    for name in names:
        who = parts == name
        found, spread = discrimination.delong(y[who], values[:, :, who].reshape(-1, who.sum()))
        areas += found.reshape(steps, repeats) / len(names)
        covariance += over_repeats @ spread @ over_repeats.T / len(names) ** 2
    if (np.diag(covariance) < _NONE).any():
        # An interval without width would claim certainty.
        raise NotEstimableError(
            "an AUC has no variance: in every fold the ranking is without a mistake, or all predictions "
            "are equal"
        )
    between = areas.var(axis=1, ddof=1)
    smaller = shares < 1
    of_sample = np.mean(between[smaller] * shares[smaller] / (1 - shares[smaller]))
    return Curve(
        shares, areas.mean(axis=1), covariance + np.diag(between / repeats) + float(of_sample)
    )


def extrapolate(
    curve: Curve, shares: ArrayLike, seed: int, confidence: float = 0.95
) -> Extrapolated:
    """Extrapolate a curve by an inverse power law, AUC = a - b * share ** -c with b of at least 0.

    Parameters
    ----------
    curve
    shares : array_like, (t,)
        Shares of the present number of patients, such as 1.5 and 2.
    seed : int
    confidence : float

    Notes
    -----
    Inverse power law: Figueroa et al., BMC Med Inform Decis Mak 2012;12:8. Few shares of one study do not
    determine the exponent c: its logarithm is drawn evenly from the range of `EXPONENTS`. For every draw of c, and of the
    measured AUCs by their covariance, a and b are fitted by least squares. More patients are assumed not to make a
    model worse: b is at least 0, and a at most 1. Results are medians and quantiles of `DRAWS`
    draws. `benchmarks/learning_curve.py` measures what the intervals cover.

    Examples
    --------
    >>> share = np.array([0.4, 0.55, 0.7, 0.85, 1])
    >>> exact = Curve(share, 0.8 - 0.05 * share ** -0.75, np.zeros((5, 5)))
    >>> found = extrapolate(exact, [2.0], seed=1)
    >>> round(0.8 - 0.05 * 2 ** -0.75, 3), round(float(found.auc[0]), 3)
    (0.77, 0.77)
    """
    at = np.asarray(shares, dtype=np.float64)
    random = np.random.default_rng(seed)
    draws = random.multivariate_normal(curve.auc, curve.covariance, DRAWS, method="svd")
    smallest, largest = np.log(EXPONENTS)
    exponent = np.exp(random.uniform(smallest, largest, DRAWS))
    power = curve.share ** -exponent[:, None]
    centered = power - power.mean(axis=1, keepdims=True)
    steep = (centered * draws).sum(axis=1) / (centered**2).sum(axis=1)
    middle = draws.mean(axis=1)
    # A limit above 1 is moved to 1, through the middle of the curve.
    limit = middle - np.minimum(steep, 0) * power.mean(axis=1)
    steep = np.where(limit > 1, (middle - 1) / power.mean(axis=1), np.minimum(steep, 0))
    limit = np.clip(limit, 0, 1)
    there = np.clip(limit[:, None] + steep[:, None] * at ** -exponent[:, None], 0, 1)
    now = np.clip(limit + steep, 0, 1)
    edge = (1 - confidence) / 2
    low, auc, high = np.quantile(there, [edge, 0.5, 1 - edge], axis=0)
    gains = np.quantile(there - now[:, None], [edge, 0.5, 1 - edge], axis=0)
    return Extrapolated(auc, low, high, gains[1], gains[0], gains[2])


def interval(curve: Curve, confidence: float = 0.95) -> NDArray[np.float64]:
    """Limits (2, s) of the measured AUCs, by the normal distribution, within 0 and 1."""
    half = intervals.normal_quantile(confidence) * np.sqrt(np.diag(curve.covariance))
    return np.clip(np.stack([curve.auc - half, curve.auc + half]), 0, 1)
