"""The log of evaluations shows a second look, and notices that it was edited."""

from pathlib import Path

import pandas as pd
import pytest

from thyrocast.errors import InputError
from thyrocast.ledgers import looks

MODEL, OTHER = "a" * 64, "b" * 64


def cohort(first: int, last: int, cured: int = 1) -> pd.DataFrame:
    names = [f"west-{n:04d}" for n in range(first, last)]
    outcome = [cured, 0] * len(names)
    return pd.DataFrame(
        {"patient": names, "outcome": pd.array(outcome[: len(names)], dtype="Int64")}
    )


def test_a_second_look_is_shown_as_such(tmp_path: Path) -> None:
    log = tmp_path / "looks.jsonl"
    looks.append(log, "2026-01-01T00:00:00Z", MODEL, cohort(0, 10), {"network": 0.7})
    looks.append(log, "2026-01-02T00:00:00Z", MODEL, cohort(0, 10)[::-1], {"network": 0.7})
    looks.append(log, "2026-01-03T00:00:00Z", MODEL, cohort(0, 10), {"network": 0.8})
    looks.append(log, "2026-01-04T00:00:00Z", OTHER, cohort(5, 20), {"network": None})
    found = looks.append(log, "2026-01-05T00:00:00Z", OTHER, cohort(20, 30), {"network": 0.6})
    table = looks.table(found)
    assert table["patients"].to_list() == [10, 10, 10, 15, 10]
    assert table["seen_before"].to_list() == [0, 10, 10, 5, 0]
    assert table["note"].to_list() == [
        "",
        "repeats look 1: the same model and patients, with the same result",
        "repeats look 1: the same model and patients, with another result",
        "a further look at 5 of 15 patients",
        "",
    ]
    assert looks.read(log) == found


def test_it_names_no_patient_and_is_private(tmp_path: Path) -> None:
    log = tmp_path / ".thyrocast" / "x" / "looks.jsonl"
    looks.append(log, "2026-01-01T00:00:00Z", MODEL, cohort(0, 10), {})
    assert "west-" not in log.read_text()
    assert log.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("line", [0, 1, 2])
@pytest.mark.parametrize("edit", ["result", "delete", "repeat", "garbage", "swap"])
def test_an_edit_is_noticed(tmp_path: Path, line: int, edit: str) -> None:
    log = tmp_path / "looks.jsonl"
    for day in range(4):
        looks.append(log, f"2026-01-0{day + 1}T00:00:00Z", MODEL, cohort(0, 10), {"network": 0.7})
    lines = log.read_text().splitlines()
    if edit == "result":
        lines[line] = lines[line].replace("0.7", "0.9")
    elif edit == "delete":
        del lines[line]
    elif edit == "repeat":
        lines.insert(line, lines[line])
    elif edit == "garbage":
        lines[line] = "{}"
    else:
        lines[line], lines[line + 1] = lines[line + 1], lines[line]
    log.write_text("\n".join(lines) + "\n")
    with pytest.raises(InputError, match="was edited"):
        looks.read(log)
    before = log.read_text()
    with pytest.raises(InputError, match="was edited"):
        looks.append(log, "2026-01-09T00:00:00Z", MODEL, cohort(0, 10), {})
    assert log.read_text() == before


def test_the_fingerprint_is_that_of_patients_and_outcomes() -> None:
    one = cohort(0, 10)
    assert looks.fingerprint(one) == looks.fingerprint(one.sample(frac=1, random_state=1))
    assert looks.fingerprint(one) != looks.fingerprint(cohort(0, 10, cured=0))
    unknown = one.assign(outcome=one["outcome"].where(one.index > 0))
    assert looks.fingerprint(unknown) == looks.fingerprint(one[1:])


def test_the_looks_of_a_models_updates_are_looks_at_the_same_patients(tmp_path: Path) -> None:
    parent, child = (tmp_path / name / "looks.jsonl" for name in ("x-east", "x-east-updated"))
    assert (looks.related(child), looks.related(parent)) == (parent, child)
    looks.append(parent, "2026-01-01T00:00:00Z", MODEL, cohort(0, 10), {"network": 0.7})
    looks.append(child, "2026-01-02T00:00:00Z", OTHER, cohort(5, 20), {"network": 0.7})
    found = looks.table(looks.read(child), looks.read(looks.related(child)))
    assert found["seen_before"].to_list() == [5]
    assert found["note"].to_list() == ["a further look at 5 of 15 patients"]
    # The parent was scored before.
    found = looks.table(looks.read(parent), looks.read(looks.related(parent)))
    assert found["seen_before"].to_list() == [0]
