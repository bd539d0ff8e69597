"""Patients are divided fairly and reproducibly, and nobody is on both sides."""

import datetime
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest

import make_splits
from thyrocast.cohort.calendar import Calendar, read
from thyrocast.cohort.splitting import divide
from thyrocast.contract import io
from thyrocast.contract.cohort import COHORT, OUTCOMES
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


def calendar_of(rows: pd.DataFrame, *, cut: datetime.date | None, share: float = 0.3) -> Calendar:
    """Dates: center a is treated from 2015 on, b from 2018 on, one patient every ten days."""
    start = {"a": datetime.date(2015, 1, 5), "b": datetime.date(2018, 1, 5)}
    dates = {}
    for center, first in start.items():
        # In an order that mixes the outcomes.
        names = sorted(rows.loc[rows["center"] == center, "patient"], key=lambda name: name[::-1])
        dates |= {name: first + datetime.timedelta(days=10 * n) for n, name in enumerate(names)}
    return Calendar(dates, cut, share)


def test_training_is_before_a_day_and_test_from_it_on(caplog: pytest.LogCaptureFixture) -> None:
    rows = cohort(SIZES)
    calendar = calendar_of(rows, cut=datetime.date(2015, 8, 1))
    division = divide(
        rows, {"temporal": ["all"]}, folds=4, test_fraction=0.2, seed=7, calendar=calendar
    )
    side = division.set_index("patient")["set"]
    for patient, date in calendar.dates.items():
        assert side[patient] == ("test" if date >= datetime.date(2015, 8, 1) else "train")
    # Nobody of center c has a date.
    assert not [patient for patient in side.index if patient.startswith("c-")]
    assert "center b treated all its patients from that day on" in caplog.text
    assert "no dates of therapy are known in center c" in caplog.text
    assert "2015" not in caplog.text


def test_a_share_of_the_patients_gives_the_first_of_a_month() -> None:
    rows = cohort(SIZES)
    calendar = calendar_of(rows, cut=None, share=0.3)
    first = calendar.first_day([*rows["patient"]])
    later = sum(date >= first for date in calendar.dates.values())
    assert first.day == 1
    assert 0.3 <= later / len(calendar.dates) < 0.3 + 4 / len(calendar.dates)


@pytest.mark.parametrize(
    ("cut", "words"),
    [
        (datetime.date(2014, 1, 1), "treated before it"),
        (datetime.date(2030, 1, 1), "treated from the first day"),
    ],
)
def test_a_day_with_everybody_on_one_side_is_one_sentence(cut: datetime.date, words: str) -> None:
    rows = cohort(SIZES)
    with pytest.raises(InputError, match=f"no development patient was {words}"):
        divide(
            rows, {"temporal": ["all"]}, folds=4, test_fraction=0.2, seed=7,
            calendar=calendar_of(rows, cut=cut),
        )  # fmt: skip


def test_dates_of_a_deidentified_package_are_not_used(tmp_path: Path) -> None:
    days = {
        "a": ["2016-01-02", "2017-03-04", None],
        "b": ["2000-01-01", "2000-01-01", "2000-01-01"],
    }
    files = {}
    for center, dates in days.items():
        files[center] = tmp_path / center / "outcomes.csv"
        cells = [
            dict.fromkeys(OUTCOMES.names)
            | {"patient": f"{center}{n}", "therapy_date": day, "reason": ""}
            for n, day in enumerate(dates)
        ]
        io.write(OUTCOMES, io.build(OUTCOMES, cells), files[center])
    found = read(files)
    assert found == {"a0": datetime.date(2016, 1, 2), "a1": datetime.date(2017, 3, 4)}


def test_folds_of_whole_centers_are_used_where_test_centers_are_new() -> None:
    sizes = {
        (name, outcome): size
        for name, size in zip("abcdefg", (20, 9, 8, 7, 6, 5, 5), strict=True)
        for outcome in "01"
    }
    rows = cohort(sizes)
    designs = {"holdout": ["1"], "loco": ["a", "b"], "external": ["all"]}
    division = divide(rows, designs, folds=3, test_fraction=0.2, seed=7, by_center=True)
    center = division["patient"].str[0]
    train = division[division["set"] == "train"].assign(center=center)
    for (design, _), mine in train.groupby(["design", "split"]):
        folds_of = mine.groupby("center")["fold"].nunique()
        assert set(mine["fold"]) == {1, 2, 3}
        assert (folds_of == 1).all() if design != "holdout" else (folds_of > 1).all()
    sizes_of = train[train["split"] == "a"]["fold"].value_counts()
    assert sizes_of.max() - sizes_of.min() <= 18


def test_a_fold_with_all_patients_of_an_outcome_is_refused() -> None:
    rows = cohort({("a", "1"): 9, ("b", "1"): 8, ("c", "0"): 8, ("d", "1"): 5})
    with pytest.raises(InputError, match="both outcomes outside each fold"):
        divide(rows, {"external": ["all"]}, folds=3, test_fraction=0.2, seed=1, by_center=True)
