"""Divide patients into training and test sets, and training sets into folds.

Patients of one outcome and center are assigned to the folds in turn, like cards that are dealt, so
that every fold gets its share of each stratum, even a small one. The division depends only on the
order of the cohort and on the seed.
"""

import logging
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from thyrocast import seeds
from thyrocast.cohort.calendar import Calendar
from thyrocast.contract import io
from thyrocast.contract.names import UNSEEN_CENTERS, Design, Role, Set
from thyrocast.contract.splits import SPLITS
from thyrocast.errors import InputError
from thyrocast.statistics.inputs import Booleans, Integers
from thyrocast.statistics.partition import deal, hold_out

logger = logging.getLogger("thyrocast")


def divide(
    cohort: pd.DataFrame,
    designs: Mapping[str, Sequence[str]],
    *,
    folds: int,
    test_fraction: float,
    seed: int,
    calendar: Calendar | None = None,
    by_center: bool = False,
) -> pd.DataFrame:
    """Divide the cohort into training and test sets, and each training set into folds.

    Parameters
    ----------
    cohort
        Columns ``patient``, ``center``, ``role`` and ``outcome`` of `contract.cohort.COHORT`.
    designs
        The splits of each design (`thyrocast.config.study.StudyConfig.splits`).
    folds
        Number of folds of each training set.
    test_fraction
        Share that the holdout design holds out.
    seed
        The study's seed.
    calendar
        Dates of therapy, for the temporal design; patients without one are not in it.
    by_center
        Whether folds consist of whole centers, in designs that test centers outside the training set.

    Returns
    -------
    DataFrame
        `contract.splits.SPLITS`.

    Raises
    ------
    InputError
        If a training set has fewer patients of one outcome than folds, if one of its folds contains
        all patients of an outcome, or if nobody is before or after the date of the temporal design.
    """
    development = cohort[cohort["role"] == Role.DEVELOPMENT].reset_index(drop=True)
    others = cohort[cohort["role"] != Role.DEVELOPMENT]
    parts = []
    for design, split in ((d, s) for d, names in designs.items() for s in names):
        if design == Design.EXTERNAL:
            train, test = development, others
        elif design == Design.TEMPORAL:
            train, test = _in_time(development, calendar)
        else:
            tested = _tested(development, design, split, designs[design], test_fraction, seed)
            train, test = development[~tested], development[tested]
        # With a locked model nobody is trained on.
        if len(development) or design != Design.EXTERNAL:
            _check(train, f"{design}/{split}", folds)
        fold_seed = seeds.derive(seed, design, split, "folds")
        if by_center and len(train) and design in UNSEEN_CENTERS:
            fold = whole_centers(train["center"], folds, fold_seed) + 1
            _check_folds(train, fold, f"{design}/{split}")
        else:
            fold = deal(_strata(train), folds, fold_seed) + 1
        parts += [
            _part(train, design, split, Set.TRAIN, pd.array(fold, "Int64")),
            _part(test, design, split, Set.TEST, pd.array([pd.NA] * len(test), "Int64")),
        ]
    return io.concat(SPLITS, parts)


def _in_time(
    development: pd.DataFrame, calendar: Calendar | None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Patients who were treated before the first day of the test set, and from it on."""
    if calendar is None:
        raise InputError("design temporal: there are no dates of therapy")
    first = calendar.first_day([*development["patient"]])
    dates = development["patient"].map(calendar.dates.get)
    known = dates.notna()
    later = known & dates.map(lambda date: date is not None and date >= first).astype(bool)
    earlier = known & ~later
    if not later.any() or not earlier.any():
        side = "from the first day of the test set on" if earlier.any() else "before it"
        raise InputError(
            f"design temporal: no development patient was treated {side}, expected patients on both "
            "sides of that day: change `temporal.cut`"
        )
    for name, rows in development.groupby("center", sort=False):
        before, after = int(earlier[rows.index].sum()), int(later[rows.index].sum())
        if before and after:
            continue
        if not before and not after:
            logger.warning("design temporal: no dates of therapy are known in center %s", name)
        else:
            side = "before the first day of the test set" if before else "from that day on"
            logger.warning("design temporal: center %s treated all its patients %s", name, side)
    return development[earlier.to_numpy(bool)], development[later.to_numpy(bool)]


def whole_centers(centers: "pd.Series[str]", folds: int, seed: int) -> Integers:
    """Put whole centers into folds of nearly equal size.

    Parameters
    ----------
    centers
        Center of each patient, (n,).
    folds
        Number of folds, at most that of the centers.
    seed
        Decides among centers, or folds, of equal size.

    Returns
    -------
    ndarray of int, (n,)
        Fold of each patient, from 0.
    """
    counts = centers.value_counts()
    names = sorted(counts.index)
    order = np.random.default_rng(seed).permutation(len(names))
    sizes = np.zeros(folds, dtype=int)
    fold = {}
    # The largest center first, always into the smallest fold.
    for place in sorted(order, key=lambda place: -counts[names[place]]):
        smallest = int(np.argmin(sizes))
        fold[names[place]] = smallest
        sizes[smallest] += counts[names[place]]
    return centers.map(fold).to_numpy(np.intp)


def _check_folds(train: pd.DataFrame, fold: Integers, name: str) -> None:
    for place in np.unique(fold):
        rest = train.loc[fold != place, "outcome"]
        if rest.nunique() < 2:
            raise InputError(
                f"split {name}: all its training patients of one outcome are in the centers of one "
                "fold, expected both outcomes outside each fold: set `folds_by` to patient"
            )


def _tested(
    development: pd.DataFrame,
    design: str,
    split: str,
    splits: Sequence[str],
    test_fraction: float,
    seed: int,
) -> Booleans:
    """Return which development patients are in the test set of a split, (n,)."""
    if design == Design.LOCO:
        return (development["center"] == split).to_numpy(bool)
    strata = _strata(development)
    if design == Design.HOLDOUT:
        return hold_out(strata, test_fraction, seeds.derive(seed, design, split))
    # The parts of one repeat are dealt together: every patient is tested once in each repeat.
    repeat, part = split.split("-")
    parts = sum(name.startswith(f"{repeat}-") for name in splits)
    dealt = deal(strata, parts, seeds.derive(seed, design, repeat))
    tested: Booleans = dealt == int(part) - 1
    return tested


def _strata(patients: pd.DataFrame) -> list[tuple[str, ...]]:
    """Return center and outcome of each patient."""
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
