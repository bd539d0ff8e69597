"""Files dated in the future."""

import os
import time
from pathlib import Path

import pytest

from thyrocast.cluster import clock


def test_dates_in_the_future_become_now_in_their_old_order(tmp_path: Path) -> None:
    now = time.time()
    folders = [tmp_path / "results", tmp_path / "private"]
    for folder, name, ahead in (
        ("results", "cohort.csv", 3600),
        ("results", "weights", 7200),
        ("results", "old.csv", -3600),
        ("private", "scans.csv", 1800),
    ):
        file = tmp_path / folder / name
        file.parent.mkdir(exist_ok=True)
        file.touch()
        os.utime(file, (now + ahead, now + ahead))
    assert clock.correct_dates(*folders) == 3
    dates = {file.name: file.stat().st_mtime for file in tmp_path.glob("*/*")}
    assert dates["old.csv"] == now - 3600
    assert dates["old.csv"] < dates["scans.csv"] < dates["cohort.csv"] < dates["weights"]
    assert dates["weights"] <= time.time()
    assert clock.correct_dates(*folders) == 0


def test_a_missing_folder_needs_no_correction(tmp_path: Path) -> None:
    assert clock.correct_dates(tmp_path / "results") == 0


def test_a_file_of_another_user_is_left_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only a file's owner may set its date; whoever shares a study continues without it."""
    for name in ("theirs", "mine"):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (time.time() + 900,) * 2)
    set_date = os.utime

    def only_mine(path: Path, **date: tuple[int, int]) -> None:
        if path.name == "theirs":
            raise PermissionError(1, "Operation not permitted")
        set_date(path, ns=date["ns"])

    monkeypatch.setattr(os, "utime", only_mine)
    assert clock.correct_dates(tmp_path, margin=60) == 1
    assert (tmp_path / "mine").stat().st_mtime <= time.time()
