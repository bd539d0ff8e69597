"""Ledgers whose lines are chained by hashes."""

from pathlib import Path

import pytest

from thyrocast.errors import InputError
from thyrocast.ledgers import chain


class Entry(chain.Link):
    """A line with one number."""

    number: int


def add(path: Path, number: int) -> list[Entry]:
    def made(_: list[Entry], previous: str) -> list[Entry]:
        return [Entry(number=number, previous=previous)]

    return chain.append(path, Entry, "the ledger", made)


def test_a_line_is_not_added_to_an_incomplete_one(tmp_path: Path) -> None:
    """Without this, two lines become one, and no later run can read the ledger."""
    path = tmp_path / "ledger.jsonl"
    add(path, 1)
    whole = path.read_bytes()
    path.write_bytes(whole.rstrip(b"\n"))
    with pytest.raises(InputError, match="does not end with a complete line"):
        add(path, 2)
    assert path.read_bytes() == whole.rstrip(b"\n")
    path.write_bytes(whole)
    assert [one.number for one in add(path, 2)] == [1, 2]
