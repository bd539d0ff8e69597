"""Nobody's job moves when somebody joins or leaves the study."""

from pathlib import Path

from thyrocast.planning import ledger

PEOPLE = [f"p{n:03d}" for n in range(23)]


def test_a_patient_who_joins_or_leaves_moves_nobody() -> None:
    before = ledger.assign_jobs([], PEOPLE, 5)
    assert [len(job) for job in before.values()] == [5, 5, 5, 5, 3]
    # Someone new stands first in the table, someone old is gone.
    today = ["new", *PEOPLE[:7], *PEOPLE[8:]]
    after = ledger.assign_jobs(PEOPLE, today, 5)
    where = {p: job for job, patients in before.items() for p in patients}
    assert all(where[p] == job for job, patients in after.items() for p in patients if p != "new")
    assert after["0005"] == [*before["0005"], "new"]
    assert after["0002"] == [p for p in before["0002"] if p != "p007"]


def test_one_patient_a_job() -> None:
    assert ledger.assign_jobs([], PEOPLE, 1) == {f"{n + 1:04d}": [p] for n, p in enumerate(PEOPLE)}


def test_assignment_is_the_same_before_and_after_the_ledger_is_written(tmp_path: Path) -> None:
    path = tmp_path / "ledger.txt"
    first = ledger.assign_jobs(ledger.read_ledger(path), PEOPLE, 4)
    ledger.join_ledger(path, PEOPLE)
    assert ledger.assign_jobs(ledger.read_ledger(path), PEOPLE, 4) == first
    ledger.join_ledger(path, ["x", *PEOPLE])
    assert ledger.read_ledger(path) == [*PEOPLE, "x"]
