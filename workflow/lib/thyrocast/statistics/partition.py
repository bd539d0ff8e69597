"""Stratified division of patients into groups."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from thyrocast.statistics.inputs import Booleans, Floats, Integers


def deal(strata: ArrayLike, groups: int, seed: int) -> Integers:
    """Divide patients at random into groups of nearly equal size, each stratum spread evenly.

    Parameters
    ----------
    strata : array_like of str or int, (n,) or (n, k)
        The stratum of each patient: one label, or k labels such as center and outcome.
    groups : int
        Number of groups.
    seed : int
        Decides which patients of a stratum get into which group.

    Returns
    -------
    ndarray of int, (n,)
        The group of each patient, from 0. The sizes of any two groups differ by at most 1, and so
        do their numbers of patients of one stratum.

    Notes
    -----
    `sklearn.model_selection.StratifiedKFold` balances groups and strata in the same way, but draws
    from another random generator, which would change the splits of existing studies, and refuses
    strata that all have fewer patients than there are groups.

    Examples
    --------
    >>> outcome = np.array([1, 1, 1, 1, 0, 0])
    >>> group = deal(outcome, groups=2, seed=1)
    >>> [int(outcome[group == k].sum()) for k in (0, 1)]
    [2, 2]
    >>> np.bincount(group).tolist()
    [3, 3]
    """
    random = np.random.default_rng(seed)
    stratum, count = _numbered(strata)
    group = np.empty(len(stratum), dtype=np.intp)
    # The first group of a stratum follows the last one of the stratum before. Otherwise the
    # remainders of all strata would get into the first groups.
    start = 0
    for number in range(count):
        members = np.flatnonzero(stratum == number)
        group[random.permutation(members)] = (start + np.arange(len(members))) % groups
        start += len(members)
    return group


def hold_out(strata: ArrayLike, fraction: float, seed: int) -> Booleans:
    """Select a random share of every stratum.

    Parameters
    ----------
    strata : array_like of str or int, (n,) or (n, k)
        The stratum of each patient, as in `deal`.
    fraction : float
        Share of the patients that is held out, from 0 to 1.
    seed : int
        Decides which patients are held out.

    Returns
    -------
    ndarray of bool, (n,)
        True for patients that are held out, ``round(fraction * n)`` in number. Strata contribute in
        proportion to their size, by the method of largest remainders.

    Notes
    -----
    `sklearn.model_selection.StratifiedShuffleSplit` holds out ``ceil(fraction * n)`` patients, draws
    from another random generator, which would change the splits of existing studies, and refuses a
    stratum of one patient or fewer held-out patients than strata.

    Examples
    --------
    >>> outcome = np.array([1, 1, 1, 1, 1, 1, 0, 0, 0, 0])
    >>> held_out = hold_out(outcome, fraction=0.5, seed=1)
    >>> int(outcome[held_out].sum()), int(held_out.sum())
    (3, 5)
    """
    random = np.random.default_rng(seed)
    stratum, count = _numbered(strata)
    share = np.bincount(stratum, minlength=count) * fraction
    taken = np.floor(share).astype(int)
    remaining = round(len(stratum) * fraction) - taken.sum()
    taken[np.argsort(taken - share, kind="stable")[:remaining]] += 1
    held_out = np.zeros(len(stratum), dtype=bool)
    for number in range(count):
        members = np.flatnonzero(stratum == number)
        held_out[random.permutation(members)[: taken[number]]] = True
    return held_out


def tuning_folds(
    outcome: Floats, folds: int, seed: int, patient: Integers | None = None
) -> Integers:
    """Divide training patients by outcome into folds on which a penalty is chosen.

    These are not the folds of ``splits.csv``: with two folds, all patients outside one of them are
    in the other, and no penalty could be chosen on them.

    Parameters
    ----------
    outcome : ndarray, (n,)
        1 cured, 0 not cured.
    folds : int
        Number of folds.
    seed : int
        Decides which patients get into which fold.
    patient : ndarray of int, (n,), optional
        Number of each row's patient, if patients have several rows, as in a bootstrap sample: all
        rows of a patient are in one fold. Otherwise a penalty would be chosen on patients to whom
        the model was fitted.

    Returns
    -------
    ndarray of int, (n,)
        The fold of each row, from 0.

    Examples
    --------
    >>> tuning_folds(np.array([1.0, 1.0, 0.0, 0.0]), folds=2, seed=1).tolist()
    [0, 1, 0, 1]
    """
    if patient is None:
        return deal(outcome.astype(int), folds, seed)
    _, first, own = np.unique(patient, return_index=True, return_inverse=True)
    return deal(outcome[first].astype(int), folds, seed)[own]


def _numbered(strata: ArrayLike) -> tuple[NDArray[np.intp], int]:
    """The stratum of each patient as a number (n,), in the order of the labels, and their count."""
    labels = np.asarray(strata)
    if labels.dtype == object:
        labels = labels.astype(str)
    if len(labels) == 0:
        return np.zeros(0, dtype=np.intp), 0
    kinds, stratum = np.unique(labels, axis=0, return_inverse=True)
    return stratum.reshape(-1), len(kinds)
