"""Permuted outcomes, and what the AUCs of many refits say about the observed one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from thyrocast import seeds

Array = NDArray[np.float64]


def permute(outcome: Array, strata: NDArray[np.str_] | None, count: int, seed: int) -> Array:
    """Permute outcomes at random, within strata if there are any.

    Parameters
    ----------
    outcome : ndarray, (n,)
    strata : ndarray of str, (n,), optional
        Patients exchange outcomes only with patients of the same stratum.
    count : int
        Number of permutations.
    seed : int

    Returns
    -------
    ndarray, (count, n)
    """
    random = np.random.default_rng(seed)
    result = np.tile(outcome, (count, 1))
    kinds = np.zeros(len(outcome), dtype=np.str_) if strata is None else strata
    for kind in np.unique(kinds):
        members = np.flatnonzero(kinds == kind)
        result[:, members] = random.permuted(result[:, members], axis=1)
    return result


def permute_by_center(outcome: Array, center: NDArray[np.str_], count: int, seed: int) -> Array:
    """Permute outcomes within centers; a center's permutations do not depend on which other centers there are.

    Parameters
    ----------
    outcome : ndarray, (n,)
    center : ndarray of str, (n,)
        All patients of each center, always in the same order.
    count, seed : int

    Returns
    -------
    ndarray, (count, n)
    """
    result = np.tile(outcome, (count, 1))
    for name in np.unique(center):
        members = center == name
        result[:, members] = permute(outcome[members], None, count, seeds.derive(seed, name))
    return result


def areas(outcome: Array, scores: Array) -> Array:
    """AUC of many scores of the same patients; ties count half.

    Parameters
    ----------
    outcome : ndarray, (n,) or (m, n)
        1 cured, 0 not cured; both occur.
    scores : ndarray, (m, n)

    Returns
    -------
    ndarray, (m,)
    """
    cured = np.broadcast_to(outcome == 1, scores.shape)
    number = cured.sum(axis=1)
    ranks = (rankdata(scores, axis=1) * cured).sum(axis=1) - number * (number + 1) / 2
    return np.asarray(ranks / (number * (scores.shape[1] - number)))


def outer_means(values: Array, share: float) -> tuple[float, float]:
    """Mean of the lowest and mean of the highest values: the expected shortfall of both tails.

    A weighted mean of several such pairs limits the weighted mean of the quantities themselves, for any dependence:
    expected shortfall is subadditive, and lies beyond the quantile (Acerbi and Tasche, J Bank Finance 2002;26:1487).

    Parameters
    ----------
    values : ndarray, (m,)
        Permuted statistics.
    share : float
        Of (1 + m) values, on each side; at least one value is used.

    Examples
    --------
    >>> outer_means(np.arange(1.0, 40.0), 0.05)
    (1.5, 38.5)
    """
    count = max(int(share * (1 + len(values)) + 1e-9), 1)
    ordered = np.sort(values)
    return float(ordered[:count].mean()), float(ordered[-count:].mean())


def p_value(observed: float, permuted: Array) -> float:
    """One-sided p value of a permutation test: (1 + b) / (1 + m).

    Parameters
    ----------
    observed : float
        The statistic of the observed outcomes.
    permuted : ndarray, (m,)
        Those of the permuted outcomes, of which b are at least as great.

    Notes
    -----
    Phipson and Smyth, Stat Appl Genet Mol Biol 2010;9:39: without the 1 the test would reject too often.

    Examples
    --------
    >>> p_value(0.7, np.array([0.4, 0.5, 0.6, 0.7]))
    0.4
    """
    # Sums in another order differ in the last digits: such values are equal.
    return float(1 + np.sum(permuted >= observed - 1e-12)) / (1 + len(permuted))
