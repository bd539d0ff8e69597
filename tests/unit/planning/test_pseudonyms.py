"""One pseudonym key from a study's first run to its last, for every user of the study."""

import multiprocessing
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import require
from thyrocast import fileio, identity
from thyrocast.config.study import StudyConfig
from thyrocast.errors import InputError
from thyrocast.planning import pseudonyms


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(pseudonyms, "_NEW", {})
    return tmp_path


def study(key: str = "key") -> StudyConfig:
    """Make a config of which only the study's name and key matter."""
    return StudyConfig.model_construct(study="graves", pseudonym_key=key)


def start(config: StudyConfig) -> bytes:
    """Do what a run does when it starts."""
    pseudonyms.check(config, main=True)
    pseudonyms.record(config)
    return pseudonyms.key(config)


def test_a_plan_of_a_new_study_writes_no_key(folder: Path) -> None:
    pseudonyms.check(study(), main=True)
    planned = pseudonyms.key(study())
    pseudonyms.check(study(), main=True)
    assert list(folder.iterdir()) == []
    pseudonyms.record(study())
    assert identity.read_key("key") == planned


def test_another_key_stops_the_study() -> None:
    first = start(study())
    assert start(study()) == first
    Path("key").write_text("another key of 16 bytes or more")
    for main in (True, False):
        with pytest.raises(InputError, match="has fingerprint .* Put that key there"):
            pseudonyms.check(study(), main)


@pytest.mark.parametrize("path", ["lost", "elsewhere/key"])
def test_a_lost_key_is_not_replaced(path: str) -> None:
    start(study())
    Path("key").rename("taken away")
    with pytest.raises(InputError, match="there is no pseudonym key .*that all users and nodes"):
        pseudonyms.check(study(path), main=True)
    assert not Path(path).exists()


def test_a_job_never_makes_a_key() -> None:
    pseudonyms.check(study(), main=False)
    with pytest.raises(InputError, match="no pseudonym key"):
        pseudonyms.key(study())
    assert not Path("key").exists()


def test_a_short_or_unreadable_key_stops_in_one_sentence(folder: Path) -> None:
    Path("key").write_text("short")
    with pytest.raises(InputError, match="has 5 bytes"):
        pseudonyms.check(study(), main=True)


def test_a_key_given_by_the_user_is_recorded() -> None:
    Path("key").write_text("the consortium's own key")
    start(study())
    assert pseudonyms.fingerprint_file(study()).read_text().strip() == identity.fingerprint(
        b"the consortium's own key"
    )


def as_user(user: int, group: int, task: Callable[[], Any]) -> str:
    """Run something as another user; return the name of the exception it raised."""
    queue = multiprocessing.get_context("fork").Queue()

    def child() -> None:
        os.setgroups([])
        os.setgid(group)
        os.setuid(user)
        os.umask(0o002)
        try:
            task()
            queue.put("")
        except Exception as fault:  # noqa: BLE001 - reported to the test
            queue.put(type(fault).__name__)

    process = multiprocessing.get_context("fork").Process(target=child)
    process.start()
    answer: str = queue.get(timeout=20)
    process.join()
    return answer


def test_a_group_shares_a_study_and_others_cannot_read_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As docs/hpc.md says: a private folder of mode 2770, and the key readable for the group."""
    require(os.geteuid() == 0, "needs the right to become another user")
    for parent in [folder, *folder.parents][:-2]:
        parent.chmod(parent.stat().st_mode | 0o755)
    first, second, stranger = (7001, 7000), (7002, 7000), (7003, 7001)
    os.chown(folder, *first)
    private = folder / fileio.PRIVATE
    private.mkdir()
    os.chown(private, *first)
    private.chmod(0o2770)

    def write() -> None:
        start(study())
        Path("key").chmod(0o640)

    def rewrite() -> None:
        start(study())
        with fileio.atomic(table, mode=fileio.private_mode(table)) as temporary:
            temporary.write_text("second")

    table = fileio.private_folder(private / "graves" / "north") / "scans.csv"
    for path in (private / "graves", private / "graves" / "north"):
        os.chown(path, *first)
    assert as_user(*first, write) == ""
    assert as_user(*second, rewrite) == ""
    assert table.read_text() == "second"
    assert stat.S_IMODE(table.stat().st_mode) == 0o660
    assert table.stat().st_gid == 7000
    assert as_user(*first, rewrite) == ""
    assert as_user(*stranger, table.read_text) == "PermissionError"
    # a second user with a key of his own is told
    monkeypatch.setattr(pseudonyms, "_NEW", {})
    assert as_user(*second, lambda: start(study("own-key"))) == "InputError"


def test_private_files_are_their_owner_s_alone_unless_shared(folder: Path) -> None:
    made = fileio.private_folder(folder / fileio.PRIVATE / "graves")
    assert stat.S_IMODE(made.stat().st_mode) == 0o700
    assert stat.S_IMODE(made.parent.stat().st_mode) == 0o700
    assert fileio.private_mode(made / "scans.csv") == 0o600
