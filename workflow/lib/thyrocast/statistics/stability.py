"""How far the results of a model move if it is fitted again: predictions, decisions, features, variance."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from thyrocast.statistics import intervals
from thyrocast.statistics.inputs import Booleans, Floats, Integers, NotEstimableError
from thyrocast.statistics.intervals import Interval


class Instability(NamedTuple):
    """How far the predictions of each patient move.

    Attributes
    ----------
    error : ndarray of float, (n,)
        Mean absolute difference from the original prediction.
    low, high : ndarray of float, (n,)
        Range of the middle 95 % of the refitted models.
    """

    error: Floats
    low: Floats
    high: Floats


def predictions(original: Floats, refitted: Floats) -> Instability:
    """Compare the predictions of refitted models with those of the original one.

    Parameters
    ----------
    original : ndarray of float, (n,)
        Probabilities by the original model.
    refitted : ndarray of float, (b, n)
        Probabilities by b models that were fitted to bootstrap samples.

    Notes
    -----
    Riley and Collins, Biom J 2023;65:2200302: prediction instability and mean absolute prediction
    error (MAPE). The average of `error` over patients is the model's MAPE.

    Examples
    --------
    >>> predictions(np.array([0.5]), np.array([[0.4], [0.8]])).error.round(3).tolist()
    [0.2]
    """
    low, high = np.quantile(refitted, [0.025, 0.975], axis=0)
    return Instability(np.abs(refitted - original).mean(axis=0), low, high)


def decisions(original: Booleans, refitted: Booleans) -> Floats:
    """Share of refitted models whose decision differs from the original one, (n,).

    Parameters
    ----------
    original : ndarray of bool, (n,)
    refitted : ndarray of bool, (b, n)

    Notes
    -----
    Classification instability index of Riley and Collins, Biom J 2023;65:2200302.

    Examples
    --------
    >>> decisions(np.array([True, False]), np.array([[True, True], [False, False]])).tolist()
    [0.5, 0.5]
    """
    return np.asarray((refitted != original).mean(axis=0))


def selection(selected: Booleans, confidence: float = 0.95) -> Interval:
    """Stability of feature selection: agreement of the selected sets, corrected for chance.

    Parameters
    ----------
    selected : ndarray of bool, (m, d)
        Whether each of d features was selected in each of m samples.
    confidence : float
        Confidence level.

    Returns
    -------
    Interval
        1: always the same features; 0: as much agreement as random selection has.

    Raises
    ------
    NotEstimableError
        If there are fewer than two samples, or all or none of the features are always selected.

    Notes
    -----
    Nogueira, Sechidis and Brown, J Mach Learn Res 2018;18(174), definition 4 and theorem 7. The
    interval is for infinitely many samples drawn as these were. It does not account for the
    patients of the study.

    Examples
    --------
    >>> round(selection(np.array([[1, 1, 0, 0], [1, 1, 0, 0]], dtype=bool)).estimate, 3)
    1.0
    """
    m, d = selected.shape
    if m < 2:
        raise NotEstimableError("selection stability needs at least two samples")
    chosen = selected.astype(np.float64)
    frequency, size = chosen.mean(axis=0), chosen.sum(axis=1) / d
    mean = float(size.mean())
    chance = mean * (1 - mean)
    if chance <= 0:
        raise NotEstimableError("all or none of the features are always selected")
    estimate = 1 - m / (m - 1) * float((frequency * (1 - frequency)).mean()) / chance
    influence = (
        chosen @ frequency / d - size * mean + estimate / 2 * (2 * size * mean - size - mean + 1)
    ) / chance
    error = 2 / m * float(np.sqrt(((influence - influence.mean()) ** 2).sum()))
    reach = intervals.normal_quantile(confidence) * error
    return Interval(
        estimate,
        max(estimate - reach, -1.0),
        min(estimate + reach, 1.0),
        "nogueira",
        error,
        "identity",
    )


class Components(NamedTuple):
    """Variance between and within groups, (q,) each."""

    between: Floats
    within: Floats


def variance_components(values: Floats, group: Integers) -> Components:
    """Variance between groups and within groups, in a one-way model with random effects.

    Parameters
    ----------
    values : ndarray of float, (n, q)
        q quantities of n fits.
    group : ndarray of int, (n,)
        Group of each fit; some groups have several fits, and sizes may differ.

    Returns
    -------
    Components
        Estimates by the analysis of variance, which are unbiased; a negative estimate between
        groups is given as 0.

    Raises
    ------
    NotEstimableError
        If there is only one group, or no group has two fits.

    Notes
    -----
    Searle, Casella and McCulloch, Variance Components (1992), section 3.6.

    Examples
    --------
    >>> found = variance_components(np.array([[1.0], [3.0], [5.0], [7.0]]), np.array([0, 0, 1, 1]))
    >>> found.between.tolist(), found.within.tolist()
    ([7.0], [2.0])
    """
    names, place, size = np.unique(group, return_inverse=True, return_counts=True)
    n, a = len(values), len(names)
    if a < 2 or n == a:
        raise NotEstimableError("variance components need two groups, and one with two fits")
    total = np.zeros((a, values.shape[1]))
    np.add.at(total, place, values)
    means = total / size[:, None]
    within = ((values - means[place]) ** 2).sum(axis=0) / (n - a)
    spread = (size[:, None] * (means - values.mean(axis=0)) ** 2).sum(axis=0) / (a - 1)
    typical = (n - float((size**2).sum()) / n) / (a - 1)
    return Components(np.maximum((spread - within) / typical, 0.0), within)
