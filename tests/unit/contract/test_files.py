"""The ground floor: files appear whole, pseudonyms are keyed, seeds are stable."""

import os
import stat
from pathlib import Path
from typing import Any

import pytest

from thyrocast import fileio, identity, seeds
from thyrocast.config.center import IdentifiersConfig
from thyrocast.errors import InputError


def test_atomic_leaves_the_old_file_when_writing_fails(tmp_path: Path) -> None:
    target = tmp_path / "table.csv"
    target.write_text("old")
    with pytest.raises(RuntimeError), fileio.atomic(target) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert target.read_text() == "old"
    assert os.listdir(tmp_path) == ["table.csv"]


def test_atomic_makes_files_that_colleagues_can_read(tmp_path: Path) -> None:
    with fileio.atomic(tmp_path / "new") as temporary:
        temporary.write_text("x")
    mask = os.umask(0)
    os.umask(mask)
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o666 & ~mask


def test_reserved_files_are_whole_on_disk(tmp_path: Path) -> None:
    file = tmp_path / "images.npy"
    with file.open("wb") as sparse:
        sparse.truncate(1_000_000)
    fileio.reserve(file)
    assert file.stat().st_blocks * 512 >= 1_000_000


def test_temporary_files_of_killed_jobs_are_swept_and_nothing_else(tmp_path: Path) -> None:
    with fileio.atomic(tmp_path / "deep" / "images.npy") as temporary:
        left = temporary.with_name(temporary.name)
        kept = [tmp_path / name for name in (".snakemake_timestamp", "images.npy", ".gitignore")]
        for file in kept:
            file.touch()
        assert fileio.sweep(tmp_path) == 1
        assert not left.exists()
        temporary.touch()
    assert all(file.exists() for file in kept)


@pytest.mark.parametrize(
    ("text", "rules", "expected"),
    [
        (" 0012 ", {}, "0012"),
        ("12", {"zero_pad": 8}, "00000012"),
        ("0012", {"strip_zeros": True}, "12"),
        ("PAT-7", {"strip_prefix": "pat-", "zero_pad": 3}, "007"),
        ("a  b", {}, "A B"),
        ("000", {"strip_zeros": True}, "0"),
    ],
)
def test_identifiers_are_normalized(text: str, rules: dict[str, Any], expected: str) -> None:
    assert identity.normalize_identifier(text, IdentifiersConfig(**rules)) == expected


def test_pseudonyms_depend_on_key_center_and_patient() -> None:
    names = {
        identity.pseudonym(key, center, patient)
        for key in (b"k" * 16, b"l" * 16)
        for center in ("north", "south")
        for patient in ("1", "2")
    }
    assert len(names) == 8
    assert identity.pseudonym(b"k" * 16, "north", "1") in names


def test_key_is_written_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    file, key = tmp_path / "deep" / "key", identity.new_key()
    with pytest.raises(InputError, match="no pseudonym key .* that all users and nodes"):
        identity.read_key(file)
    identity.write_key(file, key)
    assert len(key) == 64
    assert identity.read_key(file) == key
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with pytest.raises(InputError, match="another run has just created"):
        identity.write_key(file, identity.new_key())
    assert identity.read_key(file) == key


def test_short_key_is_refused(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("abc")
    with pytest.raises(InputError, match="has 3 bytes, expected at least 16"):
        identity.read_key(tmp_path / "key")


def test_a_fingerprint_identifies_a_key() -> None:
    first, second = b"k" * 16, b"l" * 16
    assert identity.fingerprint(first) == identity.fingerprint(first)
    assert identity.fingerprint(first) != identity.fingerprint(second)


def test_seeds_are_stable_and_apart() -> None:
    assert seeds.derive(1, "loco", "north") == 474749717
    assert len({seeds.derive(1, n) for n in range(1000)}) == 1000


def test_a_key_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot be written .*: set pseudonym_key"):
        identity.write_key(tmp_path / "file" / "key", identity.new_key())
