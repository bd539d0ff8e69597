"""A clock that ran ahead."""

import os
import time
from pathlib import Path

from thyrocast.launcher import clock


def test_files_of_tomorrow_become_files_of_now_in_their_order(tmp_path: Path) -> None:
    now = time.time()
    for name, ahead in (("cohort.csv", 3600), ("weights", 7200), ("old.csv", -3600)):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (now + ahead, now + ahead))
    assert clock.mend(tmp_path) == 2
    dates = {file.name: file.stat().st_mtime for file in tmp_path.iterdir()}
    assert dates["old.csv"] == now - 3600
    assert dates["old.csv"] < dates["cohort.csv"] < dates["weights"] <= time.time()
    assert clock.mend(tmp_path) == 0


def test_nothing_to_mend_where_nothing_is(tmp_path: Path) -> None:
    assert clock.mend(tmp_path / "results") == 0
