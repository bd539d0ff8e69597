"""A locked model that was changed is refused by name; one that was made to do harm does none."""

import json
import os
import shutil
import stat
import zipfile
from pathlib import Path

import pytest

from tests.unit.locked import example_bundle
from tests.unit.locked.example_bundle import NAMES, refused
from thyrocast.errors import InputError
from thyrocast.locked import verify
from thyrocast.planning import bundles


def zipped(model: Path, path: Path, below: str = "") -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(model.rglob("*")):
            if file.is_file():
                archive.write(file, f"{below}{file.relative_to(model)}")
    return path


def test_the_copy_is_the_model(locked: Path, tmp_path: Path) -> None:
    manifest = verify.unpack(locked, tmp_path / "copy")
    for name in (*manifest.files, "manifest.json"):
        assert (tmp_path / "copy" / name).read_bytes() == (locked / name).read_bytes()
    # an update of the model replaces the whole copy
    (tmp_path / "copy" / "old").write_text("old")
    verify.unpack(locked / "manifest.json", tmp_path / "copy")
    assert not (tmp_path / "copy" / "old").exists()


@pytest.mark.parametrize("below", ["", "model/"])
def test_a_zip_archive_is_a_model_too(locked: Path, tmp_path: Path, below: str) -> None:
    archive = zipped(locked, tmp_path / "model.zip", below)
    assert verify.unpack(archive, tmp_path / "a") == verify.unpack(locked, tmp_path / "b")


@pytest.mark.parametrize("name", NAMES)
def test_every_changed_byte_is_noticed(model: Path, name: str) -> None:
    content = bytearray((model / name).read_bytes())
    content[len(content) // 2] ^= 1
    (model / name).write_bytes(content)
    refused(model, name)


@pytest.mark.parametrize("name", NAMES)
def test_every_missing_file_is_named(model: Path, name: str) -> None:
    (model / name).unlink()
    refused(model, name, "missing")


@pytest.mark.parametrize(
    "name", ["hook.py", "network/fold-9/weights.safetensors", "signature/.hidden"]
)
def test_an_added_file_is_named(model: Path, name: str) -> None:
    (model / name).parent.mkdir(exist_ok=True)
    (model / name).write_text("x")
    refused(model, name)


def test_an_added_file_is_refused_even_if_it_is_listed(model: Path) -> None:
    example_bundle.replace(model, "hook.py", b"x")
    refused(model, "hook.py", "no locked model")


def test_an_edited_manifest_is_noticed(model: Path) -> None:
    manifest = json.loads((model / "manifest.json").read_text())
    manifest["config"]["evaluation"]["threshold"]["rule"] = "youden"
    (model / "manifest.json").write_text(json.dumps(manifest))
    refused(model, "manifest.json", "was changed")


def test_a_model_of_another_contract_is_refused(model: Path) -> None:
    example_bundle.edit(model, contract=1)
    refused(model, "contract", "another version")


@pytest.mark.parametrize("place", ["file", "folder", "manifest"])
def test_symbolic_links_are_refused(model: Path, tmp_path: Path, place: str) -> None:
    name = {"file": "thresholds.csv", "folder": "signature", "manifest": "manifest.json"}[place]
    shutil.move(model / name, tmp_path / "elsewhere")
    (model / name).symlink_to(tmp_path / "elsewhere")
    refused(model, name, "link")


def test_hard_links_are_refused(model: Path, tmp_path: Path) -> None:
    os.link(model / "ranges.csv", tmp_path / "second")
    refused(model, "ranges.csv", "hard link")


def test_pipes_and_sockets_are_refused_without_waiting(model: Path) -> None:
    (model / "ranges.csv").unlink()
    os.mkfifo(model / "ranges.csv")
    refused(model, "ranges.csv", "no plain file")


def test_what_is_no_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.zip").write_text("no archive")
    for name in ("nothing", "empty", "text.zip"):
        with pytest.raises(InputError, match=name):
            bundles.find(tmp_path / name)


# ---- zip archives


@pytest.mark.parametrize(
    "name", ["../outside", "/etc/outside", "a/../../outside", "a\\b", "C:outside", ""]
)
def test_names_that_lead_elsewhere_are_refused(locked: Path, tmp_path: Path, name: str) -> None:
    archive = zipped(locked, tmp_path / "model.zip")
    with zipfile.ZipFile(archive, "a") as appended:
        appended.writestr(zipfile.ZipInfo(name or "."), "x")
    refused(archive)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.zip"]


def test_links_in_an_archive_are_refused(locked: Path, tmp_path: Path) -> None:
    archive = zipped(locked, tmp_path / "model.zip")
    link = zipfile.ZipInfo("link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(archive, "a") as appended:
        appended.writestr(link, "/etc/passwd")
    refused(archive, "link")


def test_an_entry_twice_is_refused(locked: Path, tmp_path: Path) -> None:
    archive = zipped(locked, tmp_path / "model.zip")
    with zipfile.ZipFile(archive, "a") as appended, pytest.warns(UserWarning, match="Duplicate"):
        appended.writestr("ranges.csv", "variable,low,high\n")
    refused(archive, "ranges.csv", "twice")


def test_a_bomb_is_not_unpacked(model: Path, tmp_path: Path) -> None:
    """The file expands to 200 MB; no more is read than the manifest lists."""
    listed = (model / "ranges.csv").stat().st_size
    archive = zipped(model, tmp_path / "model.zip")
    with (
        zipfile.ZipFile(archive) as given,
        zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as written,
    ):
        for entry in given.infolist():
            if entry.filename != "ranges.csv":
                written.writestr(entry, given.read(entry.filename))
        with written.open("ranges.csv", "w", force_zip64=True) as big:
            for _ in range(12):
                big.write(bytes(1 << 24))
    assert (tmp_path / "bomb.zip").stat().st_size < 1_000_000
    refused(tmp_path / "bomb.zip", "ranges.csv", f"more than {listed} bytes")


def test_reading_checks_what_is_read_not_what_was_seen(model: Path) -> None:
    """A file that is replaced by a link after the folder was listed is not followed."""
    found = bundles.find(model)
    (model / "ranges.csv").unlink()
    (model / "ranges.csv").symlink_to("/etc/hostname")
    with pytest.raises(InputError, match="ranges"):
        found.read("ranges.csv", 1000)
