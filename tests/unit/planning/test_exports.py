"""Which patient a changed file concerns is known before any job: its own, or everybody."""

import gzip
import os
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from thyrocast.config.center import IdentifiersConfig
from thyrocast.errors import InputError
from thyrocast.planning import exports


def write(path: Path, patient: str, syntax: str = ExplicitVRLittleEndian, **more: str) -> None:
    data = Dataset()
    data.SOPClassUID, data.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.20", "1.2.3"
    data.PatientID = patient
    for key, value in more.items():
        setattr(data, key, value)
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = syntax
    path.parent.mkdir(parents=True, exist_ok=True)
    pydicom.dcmwrite(path, data, enforce_file_format=True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path / "x" / "a" / "1", "12")
    write(tmp_path / "x" / "b", "0034", ImplicitVRLittleEndian)
    return tmp_path / "x"


def look(folder: Path, **rules: Any) -> exports.Export:
    return exports.look(folder, folder.parent / "cache.json", IdentifiersConfig(**rules))


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
@pytest.mark.parametrize("patient", ["1", "12", "A-0012 ", "x" * 64])
def test_owner_of_a_file(tmp_path: Path, patient: str, syntax: str) -> None:
    write(tmp_path / "x" / "f", patient, syntax, InstitutionName="Somewhere")
    assert look(tmp_path / "x").owners == {"f": (patient.strip().upper(),)}


def test_an_identifier_that_needs_a_character_set_names_nobody(tmp_path: Path) -> None:
    write(tmp_path / "x" / "f", "MÜLLER-1", SpecificCharacterSet="ISO_IR 100")
    assert look(tmp_path / "x").owners == {"f": ()}


def test_identifiers_are_normalized_as_the_center_says(folder: Path) -> None:
    owners = look(folder, zero_pad=4).owners
    assert owners == {os.path.join("a", "1"): ("0012",), "b": ("0034",)}


def test_a_replaced_file_concerns_its_patient_alone(folder: Path) -> None:
    before = look(folder)
    write(folder / "b", "0034", PatientSex="F")
    after = look(folder)
    assert before.version() != after.version()
    assert before.versions()["12"] == after.versions()["12"]
    assert before.versions()["0034"] != after.versions()["0034"]


def test_a_file_that_names_nobody_concerns_everybody(folder: Path) -> None:
    before = look(folder).versions()
    (folder / "note.txt").write_text("hello")
    after = look(folder).versions()
    assert all(before[owner] != after[owner] for owner in before)


def test_every_change_is_noticed(folder: Path) -> None:
    os.symlink(folder, folder / "a" / "loop")
    os.symlink(folder / "nowhere", folder / "dangling")
    seen = {look(folder).version()}
    assert look(folder).version() in seen
    os.utime(folder / "b", ns=(1, 1))
    seen.add(look(folder).version())
    (folder / "b").rename(folder / "c")
    seen.add(look(folder).version())
    (folder / "d").write_bytes(b"")
    seen.add(look(folder).version())
    assert len(seen) == 4


def test_only_new_files_are_opened(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    look(folder)
    write(folder / "new", "56")
    opened: list[str] = []
    glance = exports._glance
    monkeypatch.setattr(
        exports, "_glance", lambda root, entry: opened.append(entry.name) or glance(root, entry)
    )
    assert look(folder).owners["new"] == ("56",)
    assert opened == ["new"]


def test_a_memory_of_another_form_is_forgotten(folder: Path) -> None:
    before = look(folder)
    for text in ("[]", "{", '{"b": ["1-1", ["0034"]]}'):
        (folder.parent / "cache.json").write_text(text)
        assert look(folder) == before


def test_hostile_names_are_accepted(folder: Path) -> None:
    (folder / os.fsdecode(b"\xff\xfe")).write_bytes(b"\x10\x00\x20\x00LO\xff\xff")
    (folder / "line\nbreak").write_bytes(b"")
    assert look(folder).version() == look(folder).version()


def test_the_file_of_identifiers_is_private(folder: Path) -> None:
    look(folder)
    assert (folder.parent / "cache.json").stat().st_mode & 0o077 == 0


def packed(folder: Path, *names: str) -> None:
    """Archives of the patients' files; the last two have no usual ending or other contents."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith("gz"):
            path.write_bytes(gzip.compress(b"scan"))
        elif "tar" in name:
            with tarfile.open(path, "w") as archive:
                archive.add(__file__, "scan")
        elif "zip" in name:
            with zipfile.ZipFile(path, "w") as archive_:
                archive_.writestr("scan", b"scan")
        elif name == "image":
            path.write_bytes(bytes(32_769) + b"CD001" + bytes(2_000))
        else:
            path.write_bytes(b"unknown")


def test_archives_are_named_before_any_job(folder: Path) -> None:
    assert exports.check_archives("north", look(folder), pictures=False) == ""
    with zipfile.ZipFile(folder / "table.xlsx", "w") as book:
        book.writestr("sheet", b"")
    assert look(folder).archives == {}
    packed(
        folder, "Doe_7.zip", "a/1.dcm.gz", "a/2.dcm.gz", "noending-zip", "old.tar", "image", "x.RAR"
    )
    export = look(folder)
    assert look(folder) == export
    assert export.dicom == 2
    note = exports.check_archives("north", export, pictures=False)
    assert "center north, key dicom: 7 files are archives or compressed" in note
    for part in (
        "2 .gz",
        "2 .zip",
        "1 .tar",
        "1 .iso",
        "1 .rar",
        "example AAA_9.zip",
        "Unpack them",
    ):
        assert part in note
    assert "Doe" not in note


@pytest.mark.parametrize("name", ["Doe Jane.zip", "1/scan.dcm.gz", "all.tar", "x.7z", "cd.iso"])
def test_an_export_of_archives_alone_stops(tmp_path: Path, name: str) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "readme.txt").write_text("see archive")
    packed(tmp_path / "x", name)
    with pytest.raises(InputError, match="1 file is an archive .* no other file is DICOM: unpack"):
        exports.check_archives("north", look(tmp_path / "x"), pictures=False)
    assert "missing from the study" in exports.check_archives(
        "north", look(tmp_path / "x"), pictures=True
    )
