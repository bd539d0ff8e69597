"""Dividing patients into training and test sets, and training sets into folds.

Patients of one outcome and center are dealt like cards, so that every fold gets its share of each
stratum, however small. The division depends on the order of the cohort and the seed alone.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from thyrocast import seeds
from thyrocast.contract import io
from thyrocast.contract.names import Design, Role, Set
from thyrocast.contract.splits import SPLITS
from thyrocast.errors import InputError

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
    """Deal training patients again into folds for choosing a penalty, by outcome.

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
    cohort: pd.DataFrame,
    designs: Mapping[str, Sequence[str]],
    *,
    folds: int,
    test_fraction: float,
    seed: int,
) -> pd.DataFrame:
    """Divide the cohort into training and test sets, and each training set into folds.

    Parameters
    ----------
    cohort
        Columns ``patient``, ``center``, ``role`` and ``outcome`` of `contract.cohort.COHORT`.
    designs
        The splits of each design (`thyrocast.planning.study.splits`).
    folds
        Number of folds of each training set.
    test_fraction
        Share that the holdout design holds out.
    seed
        The study's seed.

    Returns
    -------
    DataFrame
        `contract.splits.SPLITS`.

    Raises
    ------
    InputError
        If a training set has fewer patients of one outcome than folds.
    """
    development = cohort[cohort["role"] == Role.DEVELOPMENT].reset_index(drop=True)
    others = cohort[cohort["role"] != Role.DEVELOPMENT]
    parts = []
    for design, split in ((d, s) for d, names in designs.items() for s in names):
        if design == Design.EXTERNAL:
            train, test = development, others
        else:
            tested = _tested(development, design, split, designs[design], test_fraction, seed)
            train, test = development[~tested], development[tested]
        _check(train, f"{design}/{split}", folds)
        fold = deal(_strata(train), folds, seeds.derive(seed, design, split, "folds")) + 1
        parts += [
            _part(train, design, split, Set.TRAIN, pd.array(fold, "Int64")),
            _part(test, design, split, Set.TEST, pd.array([pd.NA] * len(test), "Int64")),
        ]
    return io.concat(SPLITS, parts)


def _tested(
    development: pd.DataFrame,
    design: str,
    split: str,
    splits: Sequence[str],
    test_fraction: float,
    seed: int,
) -> npt.NDArray[np.bool_]:
    """Which development patients a split tests, (n,)."""
    if design == Design.LOCO:
        return (development["center"] == split).to_numpy(bool)
    strata = _strata(development)
    if design == Design.HOLDOUT:
        return hold_out(strata, test_fraction, seeds.derive(seed, design, split))
    # The parts of one repeat are dealt together: every patient is tested once in each repeat.
    repeat, part = split.split("-")
    parts = sum(name.startswith(f"{repeat}-") for name in splits)
    dealt = deal(strata, parts, seeds.derive(seed, design, repeat))
    return np.asarray(dealt == int(part) - 1)


def _strata(patients: pd.DataFrame) -> list[tuple[str, ...]]:
    """Center and outcome of each patient."""
    return [
        (center, str(outcome))
        for center, outcome in zip(patients["center"], patients["outcome"], strict=True)
    ]


def _part(
    patients: pd.DataFrame, design: str, split: str, side: Set, fold: "pd.arrays.IntegerArray"
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "design": design,
            "split": split,
            "patient": patients["patient"].array,
            "set": side,
            "fold": fold,
        }
    )


def _check(train: pd.DataFrame, name: str, folds: int) -> None:
    for outcome, word in ((1, "cured"), (0, "not cured")):
        count = int((train["outcome"] == outcome).sum())
        if count < folds:
            raise InputError(
                f"split {name}: its training set has {count} patients who were {word}, expected at "
                f"least one for each of the {folds} folds: add patients or lower `folds`"
            )
