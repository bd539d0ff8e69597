"""Divide patients into training and test sets, and training sets into folds.

Patients of one outcome and center are assigned to the folds in turn, like cards that are dealt, so
that every fold gets its share of each stratum, even a small one. The division depends only on the
order of the cohort and on the seed.
"""

from collections.abc import Mapping, Sequence

import pandas as pd

from thyrocast import seeds
from thyrocast.contract import io
from thyrocast.contract.names import Design, Role, Set
from thyrocast.contract.splits import SPLITS
from thyrocast.errors import InputError
from thyrocast.statistics.inputs import Booleans
from thyrocast.statistics.partition import deal, hold_out


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
        The splits of each design (`thyrocast.config.study.StudyConfig.splits`).
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
        # With a locked model nobody is trained on.
        if len(development) or design != Design.EXTERNAL:
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
