"""Large samples as kinds of similar patients with their numbers, for bootstraps of bounded cost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from thyrocast.statistics import resampling
from thyrocast.statistics.inputs import Floats, Integers

#: Groups of equal size by score. The variance of an AUC of groups differs from that of patients by
#: about 1 in 1,000.
BINS = 50


class Kinds(NamedTuple):
    """Patients with equal labels and similar scores are one kind.

    Attributes
    ----------
    first : ndarray of int, (k,)
        A patient of each kind, for its labels.
    score : ndarray of float, (k,)
        Number of the group of scores; higher means a higher score.
    size : ndarray of int, (k,)
        Patients of each kind.
    """

    first: Integers
    score: Floats
    size: Integers


def compress(score: Floats, *labels: ArrayLike, bins: int = BINS) -> Kinds:
    """Group patients by labels and score.

    Parameters
    ----------
    score : ndarray of float, (n,)
        Higher means more likely cured.
    *labels : array_like, (n,)
        Outcome, stratum and whatever else must be the same within a kind.
    bins : int
        Largest number of groups of scores.

    Returns
    -------
    Kinds

    Examples
    --------
    >>> kinds = compress(np.array([0.1, 0.2, 0.7, 0.8]), [0, 0, 0, 1], bins=2)
    >>> kinds.score, kinds.size
    (array([0., 1., 1.]), array([2, 1, 1]))
    """
    edges = np.unique(np.quantile(score, np.arange(1, bins) / bins))
    group = np.searchsorted(edges, score, side="left")
    kind = resampling.strata(group, *labels)
    _, first, count = np.unique(kind, return_index=True, return_counts=True)
    return Kinds(first, group[first].astype(np.float64), count)


def draws(
    stratum: ArrayLike, count: Integers, resamples: int, random: np.random.Generator
) -> Iterator[NDArray[np.int64]]:
    """Draw patients with replacement within strata, counted by kind.

    Parameters
    ----------
    stratum : array_like of int, (k,)
        Stratum of each kind.
    count : ndarray of int, (k,)
        Patients of each kind.
    resamples : int
        Number of resamples.
    random : numpy.random.Generator
        Source of the draws.

    Yields
    ------
    counts : ndarray of int64, (b, k)
        Blocks with `resamples` rows in total.

    Examples
    --------
    >>> [block] = draws([0, 0, 1], np.array([3, 1, 5]), 2, np.random.default_rng(1))
    >>> block.shape, block[:, 2].tolist(), block.sum(axis=1).tolist()
    ((2, 3), [5, 5], [9, 9])
    """
    groups = np.asarray(stratum)
    size = max(1, resampling.BLOCK // groups.size)
    for start in range(0, resamples, size):
        rows = min(size, resamples - start)
        counts = np.empty((rows, groups.size), dtype=np.int64)
        for group in np.unique(groups):
            member = np.flatnonzero(groups == group)
            total = int(count[member].sum())
            counts[:, member] = random.multinomial(total, count[member] / total, size=rows)
        yield counts
