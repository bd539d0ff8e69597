"""Patients without an outcome are compared with the analyzed."""

from pathlib import Path

import numpy as np
import pytest

from tests.unit.hospital import Hospital, assemble, scan
from thyrocast.cohort import without_outcome
from thyrocast.contract import io
from thyrocast.contract.cohort import FOLLOW_UP, WITHOUT_OUTCOME


def patients(n: int = 60) -> list[dict[str, object]]:
    return [
        dict.fromkeys(FOLLOW_UP.names)
        | {
            "patient": f"north-{i}",
            "center": "north",
            "follow_up": "lost" if i % 3 == 0 else "decided",
            "age": 40.0 + i % 7 + (5 if i % 3 == 0 else 0),
            "sex": "female" if i % 4 else "male",
            "trab": float(i) if i % 5 else None,
        }
        for i in range(n)
    ]


def test_differences_are_standardized() -> None:
    table = io.build(FOLLOW_UP, patients())
    found = without_outcome.compare(table, 10).set_index(["variable", "level"])
    lost = table["follow_up"] == "lost"
    one, other = table.loc[~lost, "age"], table.loc[lost, "age"]
    spread = np.sqrt((one.var() + other.var()) / 2)
    assert found.loc[("age", ""), "difference"] == pytest.approx(
        (one.mean() - other.mean()) / spread
    )
    assert tuple(found.loc[("age", ""), ["n_analyzed", "n_without"]]) == (40, 20)
    shares = [(table.loc[mask, "sex"] == "male").mean() for mask in (~lost, lost)]
    row = found.loc[("sex", "male")]
    assert (row["analyzed"], row["without"]) == (pytest.approx(shares[0]), pytest.approx(shares[1]))
    assert found.loc[("trab", "missing"), "without"] == pytest.approx(0.2)
    assert "smoking" not in found.index.get_level_values("variable")


def test_too_few_patients_are_not_described() -> None:
    found = without_outcome.compare(io.build(FOLLOW_UP, patients(12)), 10)
    assert set(found["status"]) == {"suppressed"}
    assert found["without"].isna().all()


def test_nobody_without_outcome_gives_an_empty_table() -> None:
    rows = [row | {"follow_up": "decided"} for row in patients()]
    assert without_outcome.compare(io.build(FOLLOW_UP, rows), 10).empty


def test_only_eligible_patients_with_a_scan_are_compared(tmp_path: Path) -> None:
    rule = {"diagnosis": {"column": "dx", "graves": ["G"]}}
    columns = {"patient": "id", "outcome": "result", "therapy_date": "therapy", "sex": "sex"}
    north = Hospital(tmp_path, columns=columns, eligibility=rule)
    for identifier, result, diagnosis in (
        ("1", "yes", "G"), ("2", "no", "G"), ("3", "", "G"), ("4", "", "X"), ("5", "", "G"),
        ("6", "maybe", "G"),
    ):  # fmt: skip
        north.patient(identifier, result, dx=diagnosis)
        if identifier != "5":
            north.scan(f"{identifier}/scan", scan(identifier, seed=int(identifier)))
    out = assemble(tmp_path, [north])
    table = io.read(FOLLOW_UP, out / "follow_up.csv")
    assert sorted(table["follow_up"]) == ["decided", "decided", "lost", "undecided"]
    assert not io.read(WITHOUT_OUTCOME, out / "without_outcome.csv").empty
