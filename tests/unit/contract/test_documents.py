"""A document that cannot be read ends in one sentence."""

import re
from pathlib import Path

import pytest

from thyrocast.contract import documents
from thyrocast.contract.documents import Provenance
from thyrocast.errors import InputError


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "p.json is not a JSON file"),
        (b"[]", "p.json: Input should be an object"),
        (b"{}", "p.json, key thyrocast: Field required; was it written by another version"),
        (b'{"seed": \xfc}', "p.json is not a JSON file"),
        (b"[" * 100_000, "p.json is not a JSON file"),
    ],
    ids=["empty", "list", "nothing", "not UTF-8", "deep"],
)
def test_a_wrong_document_ends_in_one_sentence(
    tmp_path: Path, content: bytes, message: str
) -> None:
    (tmp_path / "p.json").write_bytes(content)
    with pytest.raises(InputError, match=re.escape(message)) as fault:
        documents.read(Provenance, tmp_path / "p.json")
    assert "\n" not in str(fault.value)


def test_what_is_no_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for path, message in (
        (tmp_path, "cannot be read"),
        (tmp_path / "loop", "cannot be read"),
        (tmp_path / "nowhere", "there is no such file"),
    ):
        with pytest.raises(InputError, match=message):
            documents.read(Provenance, path)
