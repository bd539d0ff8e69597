"""Who is in the study is known from the tables, and nobody's job moves when somebody joins."""

from pathlib import Path

import pytest

from thyrocast.planning import fingerprints, study

PEOPLE = [f"p{n:03d}" for n in range(23)]


def test_a_patient_who_joins_or_leaves_moves_nobody() -> None:
    before = study.assign_jobs([], PEOPLE, 5)
    assert [len(job) for job in before.values()] == [5, 5, 5, 5, 3]
    # Someone new stands first in the table, someone old is gone.
    today = ["new", *PEOPLE[:7], *PEOPLE[8:]]
    after = study.assign_jobs(PEOPLE, today, 5)
    where = {p: job for job, patients in before.items() for p in patients}
    assert all(where[p] == job for job, patients in after.items() for p in patients if p != "new")
    assert after["0005"] == [*before["0005"], "new"]
    assert after["0002"] == [p for p in before["0002"] if p != "p007"]


def test_one_patient_a_job() -> None:
    assert study.assign_jobs([], PEOPLE, 1) == {f"{n + 1:04d}": [p] for n, p in enumerate(PEOPLE)}


def test_assignment_is_the_same_before_and_after_the_ledger_is_written(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.txt"
    first = study.assign_jobs(study.read_ledger(ledger), PEOPLE, 4)
    study.join_ledger(ledger, PEOPLE)
    assert study.assign_jobs(study.read_ledger(ledger), PEOPLE, 4) == first
    study.join_ledger(ledger, ["x", *PEOPLE])
    assert study.read_ledger(ledger) == [*PEOPLE, "x"]


@pytest.mark.parametrize(
    ("roles", "lock", "designs", "expected"),
    [
        ("dd", False, ["holdout"], {"holdout": ["1"]}),
        ("dd", True, ["loco"], {"loco": ["c0", "c1"], "external": ["all"]}),
        ("de", False, ["holdout"], {"holdout": ["1"], "external": ["all"]}),
        ("d", False, ["external", "holdout"], {"holdout": ["1"]}),
        ("d", False, ["kfold"], {"kfold": ["1-1", "1-2", "1-3", "2-1", "2-2", "2-3"]}),
    ],
)
def test_splits(roles: str, lock: bool, designs: list[str], expected: dict[str, list[str]]) -> None:
    words = {"d": "development", "e": "external"}
    config = {
        "centers": [{"name": f"c{n}", "role": words[r]} for n, r in enumerate(roles)],
        "lock_model": lock,
        "designs": designs,
        "holdout": {"repeats": 1},
        "kfold": {"parts": 3, "repeats": 2},
    }
    assert study.splits(config) == expected


def test_code_version_follows_imports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "thyrocast"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "low.py").write_text("x = 1\n")
    (package / "middle.py").write_text("def f():\n    from thyrocast import low\n")
    (package / "other.py").write_text("y = 1\n")
    (package / "log.py").write_text("z = 1\n")
    (tmp_path / "job.py").write_text("from thyrocast import log, middle\n")
    for name in ("WORKFLOW", "SCRIPTS", "LIBRARY"):
        monkeypatch.setattr(fingerprints, name, tmp_path)

    def version() -> str:
        fingerprints.code_version.cache_clear()
        return fingerprints.code_version("job")

    start = version()
    (package / "other.py").write_text("y = 2\n")
    (package / "log.py").write_text("z = 2\n")
    assert version() == start
    (package / "low.py").write_text("x = 2\n")
    assert version() != start
    fingerprints.code_version.cache_clear()
