"""Patients are divided fairly, reproducibly, and nobody stands on both sides."""

from collections import Counter

import pytest

from thyrocast.cohort.splitting import divide
from thyrocast.errors import InputError


def cohort(sizes: dict[tuple[str, str], int], role: str = "development") -> list[dict[str, str]]:
    return [
        {"patient": f"{center}-{outcome}-{n}", "center": center, "outcome": outcome, "role": role}
        for (center, outcome), size in sizes.items()
        for n in range(size)
    ]


SIZES = {("a", "1"): 23, ("a", "0"): 8, ("b", "1"): 11, ("b", "0"): 9, ("c", "1"): 5, ("c", "0"): 5}
PARTS = ["1-1", "1-2", "1-3", "2-1", "2-2", "2-3"]
DESIGNS = {"holdout": ["1", "2"], "kfold": PARTS, "loco": ["a", "b", "c"], "external": ["all"]}


def test_every_split_is_complete_and_disjoint() -> None:
    rows = cohort(SIZES) + cohort({("x", "1"): 4, ("x", "0"): 2}, role="external")
    rows += [{"patient": "p-1", "center": "p", "outcome": "", "role": "prospective"}]
    division = list(divide(rows, DESIGNS, folds=4, test_fraction=0.2, seed=7))
    development = {row["patient"] for row in rows if row["role"] == "development"}
    for design, split in ((d, s) for d, names in DESIGNS.items() for s in names):
        mine = [row for row in division if row[:2] == (design, split)]
        sets = {kind: {r[2] for r in mine if r[3] == kind} for kind in ("train", "test")}
        assert len(mine) == len(sets["train"]) + len(sets["test"])
        assert sets["train"] <= development
        if design == "external":
            assert sets["train"] == development
            assert sets["test"] == {row["patient"] for row in rows} - development
        else:
            assert sets["train"] | sets["test"] == development
        assert {r[4] for r in mine if r[3] == "train"} == {1, 2, 3, 4}
        assert {r[4] for r in mine if r[3] == "test"} <= {None}
    left_out = {r[2] for r in division if r[:2] == ("loco", "b") and r[3] == "test"}
    assert left_out == {row["patient"] for row in rows if row["center"] == "b"}


def test_each_repeat_of_a_cross_validation_tests_everybody_once_and_divides_anew() -> None:
    rows = cohort(SIZES)
    division = list(divide(rows, DESIGNS, folds=4, test_fraction=0.2, seed=7))
    repeats = [
        {r[2]: r[1].split("-")[1] for r in division if r[1] in names and r[3] == "test"}
        for names in (PARTS[:3], PARTS[3:])
    ]
    tested = [r for r in division if r[0] == "kfold" and r[3] == "test"]
    assert len(tested) == 2 * len(rows)
    assert [part.keys() == {row["patient"] for row in rows} for part in repeats] == [True, True]
    assert repeats[0] != repeats[1]
    for part in repeats:
        for stratum, size in SIZES.items():
            mine = Counter(part[f"{stratum[0]}-{stratum[1]}-{n}"] for n in range(size))
            assert set(mine.values()) <= {size // 3, size // 3 + 1}


def test_same_seed_same_division_and_repeats_differ() -> None:
    rows = cohort(SIZES)
    first, again, other = (
        list(divide(rows, DESIGNS, folds=5, test_fraction=0.2, seed=seed)) for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other
    tested = {s: {r[2] for r in first if r[:2] == ("holdout", s) and r[3] == "test"} for s in "12"}
    assert tested["1"] != tested["2"]


def test_division_does_not_depend_on_pseudonyms() -> None:
    """The key decides names; it must not decide who is in which fold."""
    rows = cohort(SIZES)
    renamed = [row | {"patient": f"z{n}"} for n, row in enumerate(rows)]
    pairs = zip(
        divide(rows, DESIGNS, folds=5, test_fraction=0.2, seed=1),
        divide(renamed, DESIGNS, folds=5, test_fraction=0.2, seed=1),
        strict=True,
    )
    assert all((a[0], a[1], a[3], a[4]) == (b[0], b[1], b[3], b[4]) for a, b in pairs)


def test_too_few_of_one_outcome_is_one_sentence() -> None:
    rows = cohort({("a", "1"): 20, ("a", "0"): 3})
    with pytest.raises(
        InputError, match="split holdout/1: its training set has 2 patients who were not cured"
    ):
        list(divide(rows, {"holdout": ["1"]}, folds=5, test_fraction=0.2, seed=1))
