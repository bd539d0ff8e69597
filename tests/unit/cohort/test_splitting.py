"""Patients are divided fairly and reproducibly, and nobody is on both sides."""

from collections import Counter
from pathlib import Path

import pandas as pd
import pytest

import make_splits
from thyrocast.cohort.splitting import divide
from thyrocast.contract import io
from thyrocast.contract.cohort import COHORT
from thyrocast.contract.splits import SPLITS
from thyrocast.errors import InputError


def cohort(sizes: dict[tuple[str, str], int], role: str = "development") -> pd.DataFrame:
    rows = [
        (f"{center}-{outcome}-{n}", center, int(outcome) if outcome else None, role)
        for (center, outcome), size in sizes.items()
        for n in range(size)
    ]
    table = pd.DataFrame(rows, columns=["patient", "center", "outcome", "role"])
    return table.astype({"outcome": "Int64"})


def strata_of(patients: pd.DataFrame) -> list[tuple[str, str]]:
    return [(row.center, str(row.outcome)) for row in patients.itertuples()]


SIZES = {("a", "1"): 23, ("a", "0"): 8, ("b", "1"): 11, ("b", "0"): 9, ("c", "1"): 5, ("c", "0"): 5}
PARTS = ["1-1", "1-2", "1-3", "2-1", "2-2", "2-3"]
DESIGNS = {"holdout": ["1", "2"], "kfold": PARTS, "loco": ["a", "b", "c"], "external": ["all"]}


def test_every_split_is_complete_and_disjoint() -> None:
    external = cohort({("x", "1"): 4, ("x", "0"): 2}, role="external")
    prospective = cohort({("p", ""): 1}, role="prospective")
    rows = pd.concat([cohort(SIZES), external, prospective], ignore_index=True)
    division = divide(rows, DESIGNS, folds=4, test_fraction=0.2, seed=7)
    development = set(rows.loc[rows["role"] == "development", "patient"])
    for (design, _), mine in division.groupby(["design", "split"]):
        train, test = mine[mine["set"] == "train"], mine[mine["set"] == "test"]
        assert len(mine) == mine["patient"].nunique() == len(train) + len(test)
        assert set(train["patient"]) <= development
        if design == "external":
            assert set(train["patient"]) == development
            assert set(test["patient"]) == set(rows["patient"]) - development
        else:
            assert set(mine["patient"]) == development
        assert set(train["fold"]) == {1, 2, 3, 4}
        assert test["fold"].isna().all()
    loco = division[(division["design"] == "loco") & (division["split"] == "b")]
    held_out = set(loco.loc[loco["set"] == "test", "patient"])
    assert held_out == set(rows.loc[rows["center"] == "b", "patient"])
    order = [(d, s) for d, names in DESIGNS.items() for s in names]
    assert list(division.groupby(["design", "split"], sort=False).groups) == order


def test_each_repeat_of_a_cross_validation_tests_everybody_once_and_divides_again() -> None:
    rows = cohort(SIZES)
    division = divide(rows, DESIGNS, folds=4, test_fraction=0.2, seed=7)
    tested = division[(division["design"] == "kfold") & (division["set"] == "test")]
    assert len(tested) == 2 * len(rows)
    repeats = [
        dict(tested.loc[tested["split"].isin(names), ["patient", "split"]].to_numpy())
        for names in (PARTS[:3], PARTS[3:])
    ]
    parts = [{who: part.split("-")[1] for who, part in repeat.items()} for repeat in repeats]
    assert [part.keys() == set(rows["patient"]) for part in parts] == [True, True]
    assert parts[0] != parts[1]
    for part in parts:
        for stratum, size in SIZES.items():
            mine = Counter(part[f"{stratum[0]}-{stratum[1]}-{n}"] for n in range(size))
            assert set(mine.values()) <= {size // 3, size // 3 + 1}


def test_same_seed_same_division_and_repeats_differ() -> None:
    rows = cohort(SIZES)
    first, again, other = (
        divide(rows, DESIGNS, folds=5, test_fraction=0.2, seed=seed) for seed in (1, 1, 2)
    )
    assert first.equals(again)
    assert not first.equals(other)
    held_out = first[(first["design"] == "holdout") & (first["set"] == "test")]
    tested = held_out.groupby("split")["patient"].agg(frozenset)
    assert tested["1"] != tested["2"]


def test_division_does_not_depend_on_pseudonyms() -> None:
    """The key decides names; it must not decide who is in which fold."""
    rows = cohort(SIZES)
    renamed = rows.assign(patient=[f"z{n}" for n in range(len(rows))])
    first, second = (
        divide(patients, DESIGNS, folds=5, test_fraction=0.2, seed=1).drop(columns="patient")
        for patients in (rows, renamed)
    )
    pd.testing.assert_frame_equal(first, second)


def test_too_few_of_one_outcome_is_one_sentence() -> None:
    rows = cohort({("a", "1"): 20, ("a", "0"): 3})
    with pytest.raises(
        InputError, match="split holdout/1: its training set has 2 patients who were not cured"
    ):
        divide(rows, {"holdout": ["1"]}, folds=5, test_fraction=0.2, seed=1)


def test_the_splits_of_a_cohort_are_written(tmp_path: Path) -> None:
    patients = cohort(SIZES)
    full = patients.reindex(columns=list(COHORT.names)).astype(object)
    io.write(COHORT, full, tmp_path / "cohort.csv")
    designs = {"loco": ["a", "b", "c"]}
    make_splits.run(tmp_path / "cohort.csv", tmp_path / "splits.csv", designs, 4, 0.2, 7)
    division = divide(patients, designs, folds=4, test_fraction=0.2, seed=7)
    pd.testing.assert_frame_equal(io.read(SPLITS, tmp_path / "splits.csv"), division)
