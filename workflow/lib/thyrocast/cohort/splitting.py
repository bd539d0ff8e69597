"""Dividing patients into training and test sets, and training sets into folds.

Patients of one outcome and center are dealt out like cards, so that every fold holds its share of
each stratum, however small. The division depends on the order of the cohort and the seed alone.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from thyrocast import seeds
from thyrocast.errors import InputError

Row = tuple[str, str, str, str, object]
Ints = npt.NDArray[np.intp]


def deal(strata: Sequence[tuple[str, ...]], hands: int, seed: int) -> Ints:
    """Deal patients into ``hands`` groups of nearly equal size, each stratum spread evenly.

    Parameters
    ----------
    strata
        (n,) the stratum of each patient, such as (center, outcome).
    hands
        Number of groups.
    seed
        Decides who of a stratum goes where.

    Returns
    -------
    ndarray of int
        (n,) the group of each patient, from 0.
    """
    random = np.random.default_rng(seed)
    labels = np.array(["\0".join(stratum) for stratum in strata])
    group = np.empty(len(labels), dtype=np.intp)
    # The first hand of each stratum follows the last one of the stratum before, so that the
    # remainders of small strata don't all land in the first group.
    at = 0
    for label in np.unique(labels):
        (who,) = np.nonzero(labels == label)
        group[random.permutation(who)] = (at + np.arange(len(who))) % hands
        at += len(who)
    return group


def tuning_folds(outcome: npt.NDArray[np.float64], folds: int, seed: int) -> Ints:
    """Deal training patients anew into folds for choosing a penalty, by outcome.

    Not the folds of ``splits.csv``: without one of two, nothing would be left to choose on.

    Parameters
    ----------
    outcome : (n,) of 0 and 1
    folds, seed
    """
    return deal([(str(int(value)),) for value in outcome], folds, seed)


def hold_out(
    strata: Sequence[tuple[str, ...]], fraction: float, seed: int
) -> npt.NDArray[np.bool_]:
    """Choose a random share of every stratum.

    Returns
    -------
    ndarray of bool
        (n,) true for those held out; their number is ``round(fraction * n)``, and each stratum
        gives its share by the method of largest remainders.
    """
    random = np.random.default_rng(seed)
    labels = np.array(["\0".join(stratum) for stratum in strata])
    kinds, counts = np.unique(labels, return_counts=True)
    share = counts * fraction
    taken = np.floor(share).astype(int)
    left = round(len(labels) * fraction) - taken.sum()
    taken[np.argsort(taken - share, kind="stable")[:left]] += 1
    held = np.zeros(len(labels), dtype=bool)
    for kind, number in zip(kinds, taken, strict=True):
        (who,) = np.nonzero(labels == kind)
        held[random.permutation(who)[:number]] = True
    return held


def divide(
    cohort: Sequence[Mapping[str, str]],
    designs: Mapping[str, Sequence[str]],
    *,
    folds: int,
    test_fraction: float,
    seed: int,
) -> Iterator[Row]:
    """Rows of ``splits.csv``: design, split, patient, set, fold.

    Parameters
    ----------
    cohort
        Rows of ``cohort.csv``; needs ``patient``, ``center``, ``role`` and ``outcome``.
    designs
        The splits of each design (`thyrocast.planning.study.splits`).
    folds
        Number of folds of each training set.
    test_fraction
        Share left out by the holdout design.
    seed
        The study's seed.

    Raises
    ------
    InputError
        If a training set has fewer patients of one outcome than folds.
    """
    development = [row for row in cohort if row["role"] == "development"]
    others = [row for row in cohort if row["role"] != "development"]
    for design, split in ((d, s) for d, names in designs.items() for s in names):
        if design == "holdout":
            strata = [(row["center"], row["outcome"]) for row in development]
            held = hold_out(strata, test_fraction, seeds.derive(seed, design, split))
            train = [row for row, out in zip(development, held, strict=True) if not out]
            test = [row for row, out in zip(development, held, strict=True) if out]
        elif design == "kfold":
            # The parts of one repeat are dealt together: every patient is tested once in each.
            repeat, part = split.split("-")
            parts = sum(name.startswith(f"{repeat}-") for name in designs[design])
            strata = [(row["center"], row["outcome"]) for row in development]
            hand = deal(strata, parts, seeds.derive(seed, design, repeat))
            train = [row for row, at in zip(development, hand, strict=True) if at != int(part) - 1]
            test = [row for row, at in zip(development, hand, strict=True) if at == int(part) - 1]
        elif design == "loco":
            train = [row for row in development if row["center"] != split]
            test = [row for row in development if row["center"] == split]
        else:
            train, test = development, others
        _check(train, f"{design}/{split}", folds)
        strata = [(row["center"], row["outcome"]) for row in train]
        group = deal(strata, folds, seeds.derive(seed, design, split, "folds"))
        for row, fold in zip(train, group, strict=True):
            yield design, split, row["patient"], "train", int(fold) + 1
        for row in test:
            yield design, split, row["patient"], "test", None


def _check(train: Sequence[Mapping[str, str]], name: str, folds: int) -> None:
    for outcome, word in (("1", "cured"), ("0", "not cured")):
        count = sum(row["outcome"] == outcome for row in train)
        if count < folds:
            raise InputError(
                f"split {name}: its training set has {count} patients who were {word}, expected at "
                f"least one for each of the {folds} folds: add patients or lower `folds`"
            )
