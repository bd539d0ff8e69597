"""Dividing patients into training and test sets, and training sets into folds.

Patients of one outcome and center are dealt out like cards, so that every fold holds its share of
each stratum, however small. The division depends on the order of the cohort and the seed alone.
"""

from collections.abc import Iterator, Mapping, Sequence

from thyrocast import seeds
from thyrocast.errors import InputError
from thyrocast.statistics.partition import deal, hold_out

Row = tuple[str, str, str, str, object]


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
