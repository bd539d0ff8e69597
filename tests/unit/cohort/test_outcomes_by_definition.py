"""Every eligible patient has an outcome, or a reason, under every definition."""

from pathlib import Path
from typing import Any

from tests.unit.example_scans import center, cohort
from tests.unit.hospital import KEY
from thyrocast import identity
from thyrocast.cohort import definitions

TABLE = """\
id,dx,s6,s12
1,G,hyperthyroid,euthyroid
2,G,euthyroid,
3,G,hypothyroid,
4,G,,hyperthyroid
5,X,euthyroid,euthyroid
"""
RULE: dict[str, Any] = {
    "rule": "followup",
    "visits": [{"months": 6, "state": "s6"}, {"months": 12, "state": "s12"}],
}


def found(tmp_path: Path, **changes: Any) -> dict[tuple[int, str], tuple[Any, str]]:
    path = tmp_path / "table.csv"
    path.write_text(TABLE, encoding="utf-8")
    block = center(clinical=str(path), columns={"patient": "id", "outcome": "s12"}, **changes)
    table = definitions.outcomes(block, cohort(), KEY, ["year", "half"])
    numbers = {identity.pseudonym(KEY, "north", str(n)): n for n in range(6)}
    outcomes = table["outcome"].astype(object).where(table["outcome"].notna(), None)
    return {
        (numbers[patient], name): (cured, reason)
        for patient, name, cured, reason in zip(
            table["patient"], table["definition"], outcomes, table["reason"], strict=True
        )
    }


def test_outcomes_at_a_year_and_at_half_a_year(tmp_path: Path) -> None:
    rule = RULE | {"definition": [{"name": "half", "months": 6}, {"name": "year", "main": True}]}
    eligible = {"diagnosis": {"column": "dx", "graves": ["G"]}}
    assert found(tmp_path, outcome=rule, eligibility=eligible) == {
        (1, "year"): (1, ""),
        (1, "half"): (0, ""),
        (2, "year"): (None, "follow-up too short"),
        (2, "half"): (1, ""),
        (3, "year"): (1, ""),  # early hypothyroidism
        (3, "half"): (1, ""),
        (4, "year"): (0, ""),
        (4, "half"): (None, "no visit when the outcome is decided"),
    }


def test_outcomes_that_a_center_states_are_the_same_under_all(tmp_path: Path) -> None:
    rule = {"rule": "given", "cured": ["euthyroid"], "not_cured": ["hyperthyroid"]}
    table = found(tmp_path, outcome=rule)
    assert {table[1, name] for name in ("year", "half")} == {(1, "")}
    assert {table[2, name] for name in ("year", "half")} == {(None, "outcome not known")}
