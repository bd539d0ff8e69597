"""Damaged ledgers: one sentence each, with what to do; and what is written is written wholly."""

import json
import multiprocessing
import os
import resource
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.ledgers.test_chain import Entry, add
from thyrocast.errors import InputError
from thyrocast.ledgers import chain, journal, ledger, update_ledger

SENT = ledger.Entry(
    date="2026-01-01", study="demo", center="bern", file="0" * 64, people={"a": 1}, found=["P-1"],
    cuts={},
)  # fmt: skip


def chained(path: Path) -> None:
    chain.read(path, Entry, "the ledger")


def sent(path: Path) -> None:
    ledger.read(path)


def updated(path: Path) -> None:
    update_ledger.read(path)


def three(path: Path, read: Callable[[Path], object]) -> list[bytes]:
    """Three good lines of the ledger that `read` reads."""
    for number in range(3):
        if read is chained:
            add(path, number)
        elif read is sent:
            ledger.append(path, SENT.model_copy(update={"file": str(number) * 64}))
        else:
            entry = update_ledger.Entry(locked_model=str(number) * 64, marks=["a" * 16])
            with path.open("a") as file:
                file.write(json.dumps(entry.model_dump(mode="json")) + "\n")
    return path.read_bytes().splitlines(keepends=True)


DAMAGES = {
    "half a line": (lambda lines: [*lines[:2], lines[2][:20]], 3, "delete this last line"),
    "half a character": (lambda lines: [*lines[:2], b'{"a": "\xc3'], 3, "not text in UTF-8"),
    "another encoding": (
        lambda lines: [b"".join(lines).decode().encode("utf-16")], 1, "not text in UTF-8",
    ),
    "empty line": (lambda lines: [lines[0], b"\n", *lines[1:]], 2, "from a backup"),
    "zeros, as after a crash": (lambda lines: [*lines[:2], bytes(40), b"\n"], 3, "from a backup"),
    "two documents in a line": (
        lambda lines: [lines[0], lines[1].rstrip() + lines[2]], 2, "from a backup",
    ),
    "another table": (lambda _: [b"patient,center\n", b"P-1,bern\n"], 1, "from a backup"),
}  # fmt: skip


@pytest.mark.parametrize("read", [chained, sent, updated])
@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_one_sentence_with_line_and_next_step(
    tmp_path: Path, read: Callable[[Path], object], damage: str
) -> None:
    path = tmp_path / "ledger.jsonl"
    change, line, words = DAMAGES[damage]
    path.write_bytes(b"".join(change(three(path, read))))
    with pytest.raises(InputError, match=words) as found:
        read(path)
    assert f"{path}, line {line}: " in str(found.value)
    assert "\n" not in str(found.value)


@pytest.mark.parametrize("read", [chained, sent, updated])
def test_a_file_that_another_system_saved_with_its_line_breaks_is_read(
    tmp_path: Path, read: Callable[[Path], object]
) -> None:
    path = tmp_path / "ledger.jsonl"
    path.write_bytes(b"".join(three(path, read)).replace(b"\n", b"\r\n"))
    read(path)


@pytest.mark.parametrize("read", [chained, sent, updated])
def test_what_cannot_be_opened_is_one_sentence(
    tmp_path: Path, read: Callable[[Path], object]
) -> None:
    path = tmp_path / "ledger.jsonl"
    assert read(path) is None
    assert not path.exists()
    path.symlink_to(tmp_path / "not mounted" / "ledger.jsonl")
    with pytest.raises(InputError, match="is a link to .* which is not there"):
        read(path)
    with pytest.raises(InputError, match="is a link"):
        add(path, 1)
    path.unlink()
    path.mkdir()
    with pytest.raises(InputError, match="cannot be opened, read or locked"):
        read(path)


def test_a_full_disk_leaves_no_half_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "ledger.jsonl"
    add(path, 1)
    before = path.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(InputError, match="nothing was added to the ledger \\(No space left"):
            add(path, 2)
    assert path.read_bytes() == before
    assert len(add(path, 2)) == 2


def _add_to_a_limit(path: Path, more: int) -> None:
    """Add a line where the file system takes some bytes of it; the exit code says how it ended."""
    size = path.stat().st_size + more
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    try:
        with journal.opened(path, "the ledger", write=True) as file:
            file.add("0123456789\n")
    except InputError as error:
        os._exit(3 if "nothing was added to the ledger" in str(error) else 4)
    except OSError:
        os._exit(5)
    os._exit(0)


@pytest.mark.parametrize(("more", "code"), [(0, 3), (4, 3), (10, 3), (11, 0)])
def test_a_disk_that_takes_a_part_of_a_line_keeps_none_of_it(
    tmp_path: Path, more: int, code: int
) -> None:
    path = tmp_path / "ledger.jsonl"
    path.write_bytes(b"abc\n")
    context = multiprocessing.get_context("fork")
    writer = context.Process(target=_add_to_a_limit, args=(path, more))
    writer.start()
    writer.join()
    assert writer.exitcode == code
    assert path.read_bytes() == b"abc\n" + (b"" if code else b"0123456789\n")


def _add_many(path: Path, count: int) -> None:
    for number in range(count):
        add(path, number)


def test_writers_and_readers_at_the_same_time_see_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=_add_many, args=(path, 15)) for _ in range(2)]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        chained(path)
    assert [writer.exitcode for writer in writers] == [0, 0]
    assert len(chain.read(path, Entry, "the ledger")) == 30


def test_nothing_is_written_below_a_reader(tmp_path: Path) -> None:
    """Reading creates no file and no folder."""
    path = tmp_path / "folder" / "ledger.jsonl"
    with journal.opened(path, "the ledger", write=False) as found:
        assert found.lines == []
    assert not path.parent.exists()
